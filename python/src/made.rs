//! From values to Python: pixels change hands without a copy where nobody else holds them.

#![allow(unsafe_code, reason = "arrays over memory that Python does not own are unsafe to make")]

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use lyncean::image::{Gradient, Image};
use lyncean::ops::Context;
use lyncean::stage::Value;
use numpy::ndarray::{ArrayViewMutD, IxDyn};
use numpy::{Element, PyArray1, PyArrayDyn, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::given::Masks;
use crate::records;

/// What all runs share: memory of arrays that are gone serves results to come.
static CONTEXT: LazyLock<Context> = LazyLock::new(Context::default);

/// A context whose results take memory that is spare.
pub(crate) fn context() -> Context {
    CONTEXT.clone()
}

/// The owner of an array's numbers.
#[pyclass]
struct Held(Option<Image>);

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(image) = self.0.take() {
            CONTEXT.reuse(Arc::new(image));
        }
    }
}

/// Arrays over the planes of an image, with their shape; the last of them to go gives the memory back.
struct Arrays<'py> {
    owner: Bound<'py, Held>,
    shape: Vec<usize>,
    made: Vec<Py<PyAny>>,
}

impl Arrays<'_> {
    fn add<T: Element>(&mut self, numbers: &mut [T]) -> PyResult<()> {
        let view = ArrayViewMutD::from_shape(IxDyn(&self.shape), numbers)
            .map_err(|error| pyo3::exceptions::PyValueError::new_err(error.to_string()))?;
        // SAFETY: the numbers belong to the image in `owner`, which neither moves nor drops it while the array
        // lives, and hands it out to nobody else.
        let array = unsafe { PyArrayDyn::borrow_from_array(&view, self.owner.clone().into_any()) };
        self.made.push(array.into_any().unbind());
        Ok(())
    }
}

/// An array for each plane of an image.
fn planes(py: Python<'_>, image: Image) -> PyResult<Vec<Py<PyAny>>> {
    let mut shape = vec![image.height(), image.width()];
    if image.ty().channels() == 3 {
        shape.push(3);
    }
    let owner = Bound::new(py, Held(Some(image)))?;
    let mut arrays = Arrays { owner: owner.clone(), shape, made: Vec::new() };
    if let Some(image) = &mut owner.borrow_mut().0 {
        // To write: pixels that are somebody else's are copied here.
        match image {
            Image::Gray8(plane) | Image::Mask(plane) => arrays.add(plane.as_mut_slice())?,
            Image::Gray16(plane) => arrays.add(plane.as_mut_slice())?,
            Image::GrayF32(plane) => arrays.add(plane.as_mut_slice())?,
            Image::Rgb8(plane) => arrays.add(plane.as_mut_slice().as_flattened_mut())?,
            Image::Rgb16(plane) => arrays.add(plane.as_mut_slice().as_flattened_mut())?,
            Image::RgbF32(plane) => arrays.add(plane.as_mut_slice().as_flattened_mut())?,
            Image::Labels(plane) => arrays.add(plane.as_mut_slice())?,
            Image::Gradient(Gradient::I16 { dx, dy }) => {
                arrays.add(dx.as_mut_slice())?;
                arrays.add(dy.as_mut_slice())?;
            }
            Image::Gradient(Gradient::F32 { dx, dy }) => {
                arrays.add(dx.as_mut_slice())?;
                arrays.add(dy.as_mut_slice())?;
            }
        }
    }
    Ok(arrays.made)
}

static GRADIENT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

fn gradient(py: Python<'_>, dx: Py<PyAny>, dy: Py<PyAny>) -> PyResult<Py<PyAny>> {
    let class = GRADIENT.get_or_try_init(py, || {
        Ok::<_, PyErr>(py.import("lyncean._results")?.getattr("Gradient")?.unbind())
    })?;
    class.call1(py, (dx, dy))
}

/// An image as an array of its own.
pub(crate) fn array(py: Python<'_>, mut image: Image, masks: Masks) -> PyResult<Py<PyAny>> {
    let is_bool = masks != Masks::Bytes && matches!(image, Image::Mask(_));
    if let Image::Mask(plane) = &mut image
        && is_bool
    {
        // NumPy's `bool` is a byte of 0 or 1; the same memory is looked at as such.
        for value in plane.as_mut_slice() {
            *value >>= 7;
        }
    }
    let mut arrays = planes(py, image)?.into_iter();
    match (arrays.next(), arrays.next()) {
        (Some(dx), Some(dy)) => gradient(py, dx, dy),
        (Some(array), None) if is_bool => Ok(array.bind(py).call_method1("view", ("bool",))?.unbind()),
        (Some(array), None) => Ok(array),
        (None, _) => Ok(py.None()),
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
        Value::Image(value) => {
            array(py, Arc::try_unwrap(value.image).unwrap_or_else(|image| (*image).clone()), masks)
        }
        Value::Objects(objects) => Ok(records::objects_out(py, &objects)?.into_any().unbind()),
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
