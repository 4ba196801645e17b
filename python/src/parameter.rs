//! Keyword arguments as a JSON text: what a stage is built from, and what known operations are found by.

use std::fmt::Write as _;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

/// The name in a pipeline file of a keyword: `border_value` is `border-value`, `in_` is `in`.
pub(crate) fn toml_name(keyword: &str) -> String {
    keyword.trim_end_matches('_').replace('_', "-")
}

/// Keywords as a JSON object. Those that are `None` are left out.
pub(crate) fn json(keywords: Option<&Bound<'_, PyDict>>) -> PyResult<String> {
    let mut text = String::from("{");
    for (key, value) in keywords.into_iter().flatten().filter(|(_, value)| !value.is_none()) {
        if text.len() > 1 {
            text.push(',');
        }
        let key = key.cast::<PyString>()?.to_cow()?.into_owned();
        quote(&mut text, &toml_name(&key));
        text.push(':');
        write(&mut text, &value, 0).map_err(|error| named(&error, &value, &key))?;
    }
    text.push('}');
    Ok(text)
}

/// The keyword to blame before what is wrong with its value.
fn named(error: &PyErr, value: &Bound<'_, PyAny>, key: &str) -> PyErr {
    let py = value.py();
    let words = error.value(py);
    PyErr::from_type(error.get_type(py), format!("`{key}`: {words}"))
}

fn quote(text: &mut String, word: &str) {
    if word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./:".contains(&byte)) {
        text.push('"');
        text.push_str(word);
        text.push('"');
    } else {
        text.push_str(&serde_json::Value::from(word).to_string());
    }
}

fn write(text: &mut String, value: &Bound<'_, PyAny>, depth: usize) -> PyResult<()> {
    if depth > 16 {
        return Err(PyValueError::new_err("lists in lists, more than 16 deep"));
    }
    if value.is_instance_of::<PyBool>() {
        text.push_str(if value.is_truthy()? { "true" } else { "false" });
    } else if value.is_instance_of::<PyInt>() {
        let number: i64 = value.extract()?;
        // Writing to a string cannot fail.
        let _ = write!(text, "{number}");
    } else if value.is_instance_of::<PyFloat>() {
        let number: f64 = value.extract()?;
        if !number.is_finite() {
            return Err(PyValueError::new_err(format!("{number} is no finite number")));
        }
        let _ = write!(text, "{number:?}");
    } else if let Ok(word) = value.cast::<PyString>() {
        quote(text, &word.to_cow()?);
    } else if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        text.push('[');
        for (at, item) in value.try_iter()?.enumerate() {
            if at > 0 {
                text.push(',');
            }
            write(text, &item?, depth + 1)?;
        }
        text.push(']');
    } else if let Ok(dict) = value.cast::<PyDict>() {
        text.push('{');
        for (at, (key, item)) in dict.iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            quote(text, &key.cast::<PyString>()?.to_cow()?);
            text.push(':');
            write(text, &item, depth + 1)?;
        }
        text.push('}');
    } else if value.hasattr("__fspath__")? {
        let path: std::path::PathBuf = value.extract()?;
        quote(text, &path.display().to_string());
    } else if value.hasattr("tolist")? {
        // NumPy's numbers and arrays.
        write(text, &value.call_method0("tolist")?, depth + 1)?;
    } else {
        let name = value.get_type().name()?.to_string();
        return Err(PyTypeError::new_err(format!("{name} is no value of a parameter")));
    }
    Ok(())
}

/// Keywords of a call in a form that is cheap to make and to compare: names and words by their addresses, numbers
/// by their bits. Equal keys mean equal parameters while the objects live; other keys may mean the same, too.
#[derive(Default, PartialEq, Eq)]
pub(crate) struct CallKey(Vec<u64>);

/// What a value is, before its bits.
const WORD: u64 = 1;
const WHOLE: u64 = 2;
const FLOAT: u64 = 3;
const LIST: u64 = 4;
const TUPLE: u64 = 5;

impl CallKey {
    /// The key of some keywords; `None` where a value is of a type that has no cheap form.
    pub(crate) fn of(keywords: Option<&Bound<'_, PyDict>>) -> Option<Self> {
        let Some(keywords) = keywords else { return Some(Self::default()) };
        let mut words = Vec::with_capacity(4 * keywords.len());
        for (name, value) in keywords {
            words.push(name.as_ptr() as u64);
            add(&mut words, &value, 0)?;
        }
        Some(Self(words))
    }
}

fn add(words: &mut Vec<u64>, value: &Bound<'_, PyAny>, depth: usize) -> Option<()> {
    if value.is_none() || value.is_exact_instance_of::<PyString>() || value.is_exact_instance_of::<PyBool>() {
        words.extend([WORD, value.as_ptr() as u64]);
    } else if let Ok(number) = value.cast_exact::<PyFloat>() {
        words.extend([FLOAT, number.value().to_bits()]);
    } else if value.is_exact_instance_of::<PyInt>() {
        words.extend([WHOLE, value.extract::<i64>().ok()? as u64]);
    } else if depth > 8 {
        return None;
    } else if let Ok(list) = value.cast_exact::<PyList>() {
        words.extend([LIST, list.len() as u64]);
        for item in list {
            add(words, &item, depth + 1)?;
        }
    } else {
        let tuple = value.cast_exact::<PyTuple>().ok()?;
        words.extend([TUPLE, tuple.len() as u64]);
        for item in tuple {
            add(words, &item, depth + 1)?;
        }
    }
    Some(())
}

/// The objects of keywords whose addresses are in their key.
pub(crate) fn pins(keywords: &Bound<'_, PyDict>) -> Vec<Py<PyAny>> {
    fn pin(value: &Bound<'_, PyAny>, pins: &mut Vec<Py<PyAny>>) {
        if let Ok(list) = value.cast_exact::<PyList>() {
            list.iter().for_each(|item| pin(&item, pins));
        } else if let Ok(tuple) = value.cast_exact::<PyTuple>() {
            tuple.iter().for_each(|item| pin(&item, pins));
        } else if value.is_exact_instance_of::<PyString>() {
            pins.push(value.clone().unbind());
        }
    }
    let mut pins = Vec::new();
    for (name, value) in keywords {
        pins.push(name.unbind());
        pin(&value, &mut pins);
    }
    pins
}
