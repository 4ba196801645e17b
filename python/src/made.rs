//! From values to Python: pixels change hands without a copy where nobody else holds them.

#![allow(unsafe_code, reason = "arrays over memory that Python does not own are unsafe to make")]

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use lyncean::image::{Gradient, Image, ImageType, Pixel, Plane};
use lyncean::ops::Context;
use lyncean::stage::Value;
use numpy::ndarray::{ArrayViewMutD, IxDyn};
use numpy::{Element, PyArray1, PyArrayDyn, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::given::Masks;
use crate::objects::Objects;
use crate::records;

/// What all runs share: memory of arrays that are gone serves results to come.
static CONTEXT: LazyLock<Context> = LazyLock::new(Context::default);

/// A context of one thread that nobody cancels, whose results take memory that is spare.
pub(crate) fn context() -> &'static Context {
    &CONTEXT
}

/// The owner of an array's numbers.
#[pyclass(frozen)]
struct Held(Option<Arc<Image>>);

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(image) = self.0.take() {
            CONTEXT.reuse(image);
        }
    }
}

/// The first pixels of both planes; of an image of one plane twice the same.
fn places(image: &mut Image) -> [*mut u8; 2] {
    fn place<P: Pixel>(plane: &mut Plane<P>) -> *mut u8 {
        // To write: pixels that are somebody else's are copied here.
        plane.as_mut_slice().as_mut_ptr().cast()
    }
    let one = match image {
        Image::Gradient(Gradient::I16 { dx, dy }) => return [place(dx), place(dy)],
        Image::Gradient(Gradient::F32 { dx, dy }) => return [place(dx), place(dy)],
        Image::Gray8(plane) | Image::Mask(plane) => place(plane),
        Image::Gray16(plane) => place(plane),
        Image::GrayF32(plane) => place(plane),
        Image::Rgb8(plane) => place(plane),
        Image::Rgb16(plane) => place(plane),
        Image::RgbF32(plane) => place(plane),
        Image::Labels(plane) => place(plane),
    };
    [one; 2]
}

/// An array of `shape` over the numbers from `place` on.
///
/// # Safety
/// There are so many numbers of type `T`; they belong to the image in `owner`, and nobody else reads or writes them
/// while the array lives.
unsafe fn over<T: Element>(owner: &Bound<'_, Held>, shape: &[usize], place: *mut u8) -> Py<PyAny> {
    // SAFETY: as the caller says; planes are aligned for their numbers.
    let view = unsafe { ArrayViewMutD::from_shape_ptr(IxDyn(shape), place.cast::<T>()) };
    // SAFETY: the numbers stay where they are while `owner` lives, which the array keeps alive.
    let array = unsafe { PyArrayDyn::borrow_from_array(&view, owner.clone().into_any()) };
    array.into_any().unbind()
}

/// An array for each plane of an image; the last of them to go gives the memory back.
fn planes(py: Python<'_>, mut image: Arc<Image>, is_bool: bool) -> PyResult<(Py<PyAny>, Option<Py<PyAny>>)> {
    let shape = [image.height(), image.width(), 3];
    let ty = image.ty();
    let shape = &shape[..if ty.channels() == 3 { 3 } else { 2 }];
    // One that somebody else holds, too, is copied.
    let places = places(Arc::make_mut(&mut image));
    let owner = Bound::new(py, Held(Some(image)))?;
    let array = |place| {
        // SAFETY: the place is that of a whole plane of this type and shape, whose only owner is `owner` now; each
        // plane gets one array. Where bytes are looked at as `bool`, they are 0 or 1.
        unsafe {
            match ty.element() {
                lyncean::image::Element::U8 if is_bool => over::<bool>(&owner, shape, place),
                lyncean::image::Element::U8 => over::<u8>(&owner, shape, place),
                lyncean::image::Element::U16 => over::<u16>(&owner, shape, place),
                lyncean::image::Element::I16 => over::<i16>(&owner, shape, place),
                lyncean::image::Element::U32 => over::<u32>(&owner, shape, place),
                lyncean::image::Element::I32 => over::<i32>(&owner, shape, place),
                lyncean::image::Element::U64 => over::<u64>(&owner, shape, place),
                lyncean::image::Element::F32 => over::<f32>(&owner, shape, place),
                lyncean::image::Element::F64 => over::<f64>(&owner, shape, place),
            }
        }
    };
    let second = (ty.planes() == 2).then(|| array(places[1]));
    Ok((array(places[0]), second))
}

static GRADIENT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

fn gradient(py: Python<'_>, dx: Py<PyAny>, dy: Py<PyAny>) -> PyResult<Py<PyAny>> {
    let class = GRADIENT.get_or_try_init(py, || {
        Ok::<_, PyErr>(py.import("lyncean._results")?.getattr("Gradient")?.unbind())
    })?;
    class.call1(py, (dx, dy))
}

/// An image as an array of its own.
pub(crate) fn array(py: Python<'_>, mut image: Arc<Image>, masks: Masks) -> PyResult<Py<PyAny>> {
    let is_bool = masks != Masks::Bytes && image.ty() == ImageType::Mask;
    if is_bool && let Image::Mask(plane) = Arc::make_mut(&mut image) {
        // NumPy's `bool` is a byte of 0 or 1; the same memory is looked at as such.
        for value in plane.as_mut_slice() {
            *value >>= 7;
        }
    }
    match planes(py, image, is_bool)? {
        (dx, Some(dy)) => gradient(py, dx, dy),
        (array, None) => Ok(array),
    }
}

/// All values of a run, in order. An image that several outputs share becomes one array, and every image
/// is left with one owner, so that its pixels can be taken; they are copied only where somebody else still
/// holds them.
pub(crate) fn all(py: Python<'_>, values: Vec<Value>, masks: Masks) -> PyResult<Vec<Py<PyAny>>> {
    let mut first: HashMap<usize, usize> = HashMap::new();
    let mut slots: Vec<Result<Value, usize>> = Vec::with_capacity(values.len());
    for (at, value) in values.into_iter().enumerate() {
        let key = match &value {
            Value::Image(value) => Some(Arc::as_ptr(&value.image) as usize),
            _ => None,
        };
        match key.and_then(|key| first.get(&key).copied()) {
            Some(earlier) => slots.push(Err(earlier)),
            None => {
                first.extend(key.map(|key| (key, at)));
                slots.push(Ok(value));
            }
        }
    }
    let mut made: Vec<Py<PyAny>> = Vec::with_capacity(slots.len());
    for slot in slots {
        let object = match slot {
            Ok(value) => object(py, value, masks)?,
            Err(earlier) => made[earlier].clone_ref(py),
        };
        made.push(object);
    }
    Ok(made)
}

/// One value.
pub(crate) fn object(py: Python<'_>, value: Value, masks: Masks) -> PyResult<Py<PyAny>> {
    match value {
        Value::Image(value) => array(py, value.image, masks),
        Value::Objects(objects) => Ok(Bound::new(py, Objects::from(objects))?.into_any().unbind()),
        Value::Classes(classes) => Ok(records::classes_out(py, &classes)?.into_any().unbind()),
        Value::Measures(measures) => Ok(records::measures_out(py, &measures)?.into_any().unbind()),
        Value::Vector(vector) => {
            let vector = Arc::try_unwrap(vector).unwrap_or_else(|vector| (*vector).clone());
            Ok(PyArray1::from_vec(py, vector).into_any().unbind())
        }
        Value::Tensor(tensor) => {
            let (shape, numbers) = Arc::try_unwrap(tensor).unwrap_or_else(|tensor| (*tensor).clone());
            Ok(PyArray1::from_vec(py, numbers).reshape(shape)?.into_any().unbind())
        }
    }
}
