//! Objects, classes and measures as lists and dicts, with the keys of records.

use std::borrow::Cow;
use std::sync::Arc;

use lyncean::stage::{Class, Measures, Object, Value};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

/// Objects as dicts.
pub(crate) fn objects_out<'py>(py: Python<'py>, objects: &[Object]) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for object in objects {
        list.append(object_out(py, object)?)?;
    }
    Ok(list)
}

/// An object as a dict: `box`, `score`, `label`, the measures, `outline`.
pub(crate) fn object_out<'py>(py: Python<'py>, object: &Object) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item(intern!(py, "box"), PyList::new(py, object.bbox)?)?;
    if let Some(score) = object.score {
        dict.set_item(intern!(py, "score"), score)?;
    }
    if let Some(label) = &object.label {
        dict.set_item(intern!(py, "label"), label)?;
    }
    for (name, value) in &object.measures {
        // One string for the many objects that have a measure of this name.
        dict.set_item(PyString::intern(py, name), *value)?;
    }
    if !object.outline.is_empty() {
        let points =
            object.outline.iter().map(|point| PyList::new(py, point)).collect::<PyResult<Vec<_>>>()?;
        dict.set_item(intern!(py, "outline"), points)?;
    }
    Ok(dict)
}

/// Classes as dicts: `label` and `p`.
pub(crate) fn classes_out<'py>(py: Python<'py>, classes: &[Class]) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for class in classes {
        let dict = PyDict::new(py);
        dict.set_item("label", &class.label)?;
        dict.set_item("p", class.probability)?;
        list.append(dict)?;
    }
    Ok(list)
}

/// Measures as a dict.
pub(crate) fn measures_out<'py>(py: Python<'py>, measures: &Measures) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, value) in measures {
        dict.set_item(name, *value)?;
    }
    Ok(dict)
}

fn entries<'a, 'py>(
    list: &'a Bound<'py, PyList>,
    what: &'a str,
) -> impl Iterator<Item = PyResult<Bound<'py, PyDict>>> + use<'a, 'py> {
    let wrong = move |entry: &Bound<'_, PyAny>| {
        let name = entry.get_type().name().map(|name| name.to_string()).unwrap_or_default();
        PyTypeError::new_err(format!("{what} are dicts, not {name}"))
    };
    list.iter().map(move |entry| entry.cast::<PyDict>().cloned().map_err(|_| wrong(&entry)))
}

/// Objects from dicts as stages give them.
pub(crate) fn objects(list: &Bound<'_, PyList>) -> PyResult<Vec<Object>> {
    let mut objects = Vec::with_capacity(list.len());
    for entry in entries(list, "objects") {
        let entry = entry?;
        let mut object = Object::default();
        let mut has_box = false;
        for (key, value) in entry.iter() {
            let key: String = key.extract()?;
            match key.as_str() {
                "box" => (object.bbox, has_box) = (numbers(&value)?, true),
                "score" => object.score = value.extract()?,
                "label" => object.label = value.extract()?,
                "outline" => {
                    object.outline =
                        value.try_iter()?.map(|point| numbers(&point?)).collect::<PyResult<_>>()?;
                }
                _ => object.measures.push((Cow::Owned(key), value.extract()?)),
            }
        }
        if !has_box {
            return Err(PyValueError::new_err("an object has no `box`: x, y, width and height in pixels"));
        }
        objects.push(object);
    }
    Ok(objects)
}

fn numbers<const N: usize>(object: &Bound<'_, PyAny>) -> PyResult<[f64; N]> {
    let list: Vec<f64> = object.extract()?;
    let count = list.len();
    list.try_into().map_err(|_| PyValueError::new_err(format!("expected {N} numbers, got {count}")))
}

/// Classes from dicts with `label` and `p`.
pub(crate) fn classes(list: &Bound<'_, PyList>) -> PyResult<Value> {
    let class = |entry: PyResult<Bound<'_, PyDict>>| {
        let entry = entry?;
        let label = entry.as_any().get_item("label")?.extract()?;
        Ok(Class { label, probability: entry.as_any().get_item("p")?.extract()? })
    };
    let classes = entries(list, "classes").map(class).collect::<PyResult<Vec<_>>>()?;
    Ok(Value::Classes(Arc::new(classes)))
}

/// Measures from a dict of numbers.
pub(crate) fn measures(dict: &Bound<'_, PyDict>) -> PyResult<Value> {
    let measure =
        |(name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>)| Ok((name.extract()?, value.extract()?));
    Ok(Value::Measures(Arc::new(dict.iter().map(measure).collect::<PyResult<Measures>>()?)))
}
