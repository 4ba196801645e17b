//! What stages found, as a list of dicts each of which is made when it is asked for, or as columns.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lyncean::stage::Object;
use numpy::PyArray1;
use pyo3::basic::CompareOp;
use pyo3::exceptions::{PyIndexError, PyKeyError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyIterator, PyList, PySlice, PyTuple, PyType};

use crate::records;

/// What a stage found: like a list of dicts with `box`, `score`, `label`, measures and `outline`, where there are
/// such.
///
/// It never changes. A dict is made each time that it is asked for, and is the caller's; `tolist()` makes a list of
/// them to work on. `column("area")` is an array of one number of all objects, which is far faster than a loop.
#[pyclass(frozen, module = "lyncean")]
pub(crate) struct Objects(Arc<Vec<Object>>);

impl From<Arc<Vec<Object>>> for Objects {
    fn from(objects: Arc<Vec<Object>>) -> Self {
        Self(objects)
    }
}

/// The columns that the box becomes.
const BOX: [&str; 4] = ["x", "y", "width", "height"];

impl Objects {
    pub(crate) fn shared(&self) -> Arc<Vec<Object>> {
        Arc::clone(&self.0)
    }

    /// Further keys in the order in which objects have them: `score`, `label`, measures.
    fn further(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        let mut before: &[(std::borrow::Cow<'_, str>, f64)] = &[];
        for object in self.0.iter() {
            let own = [("score", object.score.is_some()), ("label", object.label.is_some())];
            for (name, is_there) in own {
                if is_there && !names.contains(&name) {
                    names.push(name);
                }
            }
            // Objects of one stage have the same measures as a rule.
            if !object.measures.iter().map(|(name, _)| name).eq(before.iter().map(|(name, _)| name)) {
                for (name, _) in &object.measures {
                    if !names.contains(&&**name) {
                        names.push(name);
                    }
                }
                before = &object.measures;
            }
        }
        names
    }

    fn numbers(&self, key: &str) -> Option<Vec<f64>> {
        if let Some(at) = BOX.iter().position(|name| *name == key) {
            return Some(self.0.iter().map(|object| object.bbox[at]).collect());
        }
        if !self.further().contains(&key) {
            return None;
        }
        if key == "score" {
            return Some(self.0.iter().map(|object| object.score.unwrap_or(f64::NAN)).collect());
        }
        let mut place = 0;
        let number = |object: &Object| {
            // Where it stood in the object before it stands in the next one as a rule.
            let measures = &object.measures;
            if measures.get(place).is_none_or(|(name, _)| name != key) {
                place = measures.iter().position(|(name, _)| name == key)?;
            }
            Some(measures[place].1)
        };
        Some(self.0.iter().map(number).map(|number| number.unwrap_or(f64::NAN)).collect())
    }
}

#[pymethods]
impl Objects {
    /// From dicts as stages give them.
    #[new]
    #[pyo3(signature = (entries = None))]
    fn new(entries: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let Some(entries) = entries else { return Ok(Self(Arc::default())) };
        if let Ok(objects) = entries.cast::<Self>() {
            return Ok(Self(objects.get().shared()));
        }
        let list = PyList::empty(entries.py());
        for entry in entries.try_iter()? {
            list.append(entry?)?;
        }
        Ok(Self(Arc::new(records::objects(&list)?)))
    }

    /// All objects as a list of dicts.
    fn tolist<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        records::objects_out(py, &self.0)
    }

    /// What `column` knows: `x`, `y`, `width`, `height`, and further numbers and words of the objects.
    fn keys(&self) -> Vec<&str> {
        BOX.into_iter().chain(self.further()).collect()
    }

    /// One number of all objects as an array of `float64`, `nan` where an object lacks it; of `label` a list of words.
    fn column<'py>(&self, py: Python<'py>, key: &str) -> PyResult<Bound<'py, PyAny>> {
        if key == "label" && self.further().contains(&key) {
            let words = self.0.iter().map(|object| object.label.as_deref().unwrap_or_default());
            return Ok(PyList::new(py, words.collect::<Vec<_>>())?.into_any());
        }
        match self.numbers(key) {
            Some(numbers) => Ok(PyArray1::from_vec(py, numbers).into_any()),
            None => {
                let known = self.keys().join("`, `");
                Err(PyKeyError::new_err(format!("objects have no column `{key}`; there are `{known}`")))
            }
        }
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __getitem__<'py>(&self, index: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = index.py();
        let len = self.0.len();
        if let Ok(slice) = index.cast::<PySlice>() {
            let places = slice.indices(isize::try_from(len)?)?;
            let list = PyList::empty(py);
            let mut at = places.start;
            for _ in 0..places.slicelength {
                list.append(records::object_out(py, &self.0[at as usize])?)?;
                at += places.step;
            }
            return Ok(list.into_any());
        }
        let index: isize = index.extract()?;
        let at = if index < 0 { index + len as isize } else { index };
        match usize::try_from(at).ok().and_then(|at| self.0.get(at)) {
            Some(object) => Ok(records::object_out(py, object)?.into_any()),
            None => Err(PyIndexError::new_err(format!("there is no object {index} among {len}"))),
        }
    }

    fn __iter__(&self) -> ObjectsIterator {
        ObjectsIterator { objects: self.shared(), next: AtomicUsize::new(0) }
    }

    fn __reversed__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        let list = self.tolist(py)?;
        list.reverse()?;
        list.try_iter()
    }

    fn __richcmp__(&self, other: &Bound<'_, PyAny>, compared: CompareOp) -> PyResult<Py<PyAny>> {
        let py = other.py();
        let equal = match other.cast::<Self>() {
            Ok(other) => Some(self.0 == other.get().0),
            Err(_) if other.is_instance_of::<PyList>() => Some(self.tolist(py)?.eq(other)?),
            Err(_) => None,
        };
        let answer = match (compared, equal) {
            (CompareOp::Eq, Some(equal)) => equal,
            (CompareOp::Ne, Some(equal)) => !equal,
            _ => return Ok(py.NotImplemented()),
        };
        Ok(answer.into_pyobject(py)?.to_owned().into_any().unbind())
    }

    fn __add__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = other.py();
        let other = match other.cast::<Self>() {
            Ok(other) => other.get().tolist(py)?.into_any(),
            Err(_) => other.clone(),
        };
        self.tolist(py)?.into_any().add(other)
    }

    fn __radd__<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        other.add(self.tolist(other.py())?)
    }

    fn index(&self, entry: &Bound<'_, PyAny>) -> PyResult<usize> {
        self.tolist(entry.py())?.as_any().call_method1("index", (entry,))?.extract()
    }

    fn count(&self, entry: &Bound<'_, PyAny>) -> PyResult<usize> {
        self.tolist(entry.py())?.as_any().call_method1("count", (entry,))?.extract()
    }

    fn copy<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.tolist(py)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.tolist(py)?.repr()?.to_string())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyType>, Bound<'py, PyTuple>)> {
        Ok((py.get_type::<Self>(), PyTuple::new(py, [self.tolist(py)?])?))
    }
}

/// Goes through objects.
#[pyclass(frozen, module = "lyncean._lyncean")]
pub(crate) struct ObjectsIterator {
    objects: Arc<Vec<Object>>,
    next: AtomicUsize,
}

#[pymethods]
impl ObjectsIterator {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let at = self.next.fetch_add(1, Ordering::Relaxed);
        self.objects.get(at).map(|object| records::object_out(py, object)).transpose()
    }

    fn __length_hint__(&self) -> usize {
        self.objects.len().saturating_sub(self.next.load(Ordering::Relaxed))
    }
}
