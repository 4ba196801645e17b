//! From values to Python: pixels change hands without a copy where nobody else holds them.

use std::collections::HashMap;
use std::sync::Arc;

use lyncean::image::{Gradient, Image, Plane};
use lyncean::stage::Value;
use numpy::{Element, PyArray1, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::given::Masks;
use crate::records;

/// An array that owns the numbers of a plane.
fn flat<T: Element, const D: usize>(py: Python<'_>, data: Vec<T>, shape: [usize; D]) -> PyResult<Py<PyAny>>
where
    [usize; D]: numpy::ndarray::IntoDimension,
{
    Ok(PyArray1::from_vec(py, data).reshape(shape)?.into_any().unbind())
}

fn gray<T: Element + lyncean::image::Pixel>(py: Python<'_>, plane: Plane<T>) -> PyResult<Py<PyAny>> {
    let shape = [plane.height(), plane.width()];
    flat(py, plane.into_vec(), shape)
}

fn color<T: Element>(py: Python<'_>, plane: Plane<[T; 3]>) -> PyResult<Py<PyAny>>
where
    [T; 3]: lyncean::image::Pixel,
{
    let shape = [plane.height(), plane.width(), 3];
    flat(py, plane.into_vec().into_flattened(), shape)
}

fn mask(py: Python<'_>, mut plane: Plane<u8>, masks: Masks) -> PyResult<Py<PyAny>> {
    if masks == Masks::Bytes {
        return gray(py, plane);
    }
    // NumPy's `bool` is a byte of 0 or 1; the same memory is looked at as such.
    for value in plane.as_mut_slice() {
        *value >>= 7;
    }
    Ok(gray(py, plane)?.bind(py).call_method1("view", ("bool",))?.unbind())
}

static GRADIENT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

fn gradient(py: Python<'_>, dx: Py<PyAny>, dy: Py<PyAny>) -> PyResult<Py<PyAny>> {
    let class = GRADIENT.get_or_try_init(py, || {
        Ok::<_, PyErr>(py.import("lyncean._results")?.getattr("Gradient")?.unbind())
    })?;
    class.call1(py, (dx, dy))
}

/// An image as an array of its own.
pub(crate) fn array(py: Python<'_>, image: Image, masks: Masks) -> PyResult<Py<PyAny>> {
    match image {
        Image::Gray8(plane) => gray(py, plane),
        Image::Gray16(plane) => gray(py, plane),
        Image::GrayF32(plane) => gray(py, plane),
        Image::Rgb8(plane) => color(py, plane),
        Image::Rgb16(plane) => color(py, plane),
        Image::RgbF32(plane) => color(py, plane),
        Image::Mask(plane) => mask(py, plane, masks),
        Image::Labels(plane) => gray(py, plane),
        Image::Gradient(Gradient::I16 { dx, dy }) => gradient(py, gray(py, dx)?, gray(py, dy)?),
        Image::Gradient(Gradient::F32 { dx, dy }) => gradient(py, gray(py, dx)?, gray(py, dy)?),
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
