//! One stage on values: the function behind all of `lyncean.ops`.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use lyncean::document::Resources;
use lyncean::ops::Context;
use lyncean::pipeline::Operation;
use lyncean::stage::{self, Kind, PortType, Value};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};

use crate::error::{OrRaise, raised};
use crate::given::{self, Masks};
use crate::parameter::CallKey;
use crate::wait::Pace;
use crate::{made, parameter};

/// Operations kept at most. The one that was not used for longest goes first.
const KEPT: usize = 256;

/// A file that parameters name, as it was when it was read.
type Stamp = (PathBuf, Option<(SystemTime, u64)>);

/// An operation, and how long it takes.
struct Paced {
    operation: Operation,
    pace: Pace,
    /// The folder that names of files start from, and the files; those of nobody else.
    folder: PathBuf,
    files: Vec<Stamp>,
}

impl Paced {
    /// Whether the files that parameters name are still those that were read.
    fn is_fresh(&self) -> bool {
        self.files.is_empty()
            || (std::env::current_dir().is_ok_and(|folder| folder == self.folder)
                && self.files.iter().all(|file| stamp(file.0.clone()) == *file))
    }
}

#[derive(Default)]
struct Cache {
    /// With the hour of the last use.
    known: HashMap<(usize, String), (Arc<Paced>, u64)>,
    clock: u64,
}

static CACHE: Mutex<Option<Cache>> = Mutex::new(None);

fn stamp(path: PathBuf) -> Stamp {
    let meta = std::fs::metadata(&path).ok();
    let stamp = meta.and_then(|meta| Some((meta.modified().ok()?, meta.len())));
    (path, stamp)
}

/// The operation of a kind with parameters as JSON: one that is known, or a new one. Files are looked up
/// from the current directory, and read again when they changed.
fn operation(py: Python<'_>, kind: usize, parameters: String) -> PyResult<Arc<Paced>> {
    let mut guard = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    let cache = guard.get_or_insert_default();
    cache.clock += 1;
    let clock = cache.clock;
    let key = (kind, parameters);
    if let Some((known, used)) = cache.known.get_mut(&key)
        && known.is_fresh()
    {
        *used = clock;
        return Ok(Arc::clone(known));
    }
    drop(guard);
    let kind = kind_at(kind)?;
    let json = check_names(kind, &key.1)?;
    let folder = std::env::current_dir().unwrap_or_default();
    let resources = Resources::new(Some(folder.clone())).with_builtin(lyncean::builtin::RESOURCES);
    let operation = py.detach(|| Operation::new(kind, &json, &resources)).or_raise(py)?;
    let files = operation.resources().keys().filter(|name| !name.starts_with("builtin:"));
    let files = files.map(|name| stamp(folder.join(name))).collect();
    let operation = Arc::new(Paced { operation, pace: Pace::default(), folder, files });
    let mut guard = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    let cache = guard.get_or_insert_default();
    if cache.known.len() >= KEPT
        && let Some(oldest) =
            cache.known.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| key.clone())
    {
        cache.known.remove(&oldest);
    }
    cache.known.insert(key, (Arc::clone(&operation), cache.clock));
    Ok(operation)
}

pub(crate) fn kind_at(index: usize) -> PyResult<&'static Kind> {
    let kind = stage::ALL.get(index).copied();
    kind.ok_or_else(|| pyo3::exceptions::PyIndexError::new_err("there is no such kind of stage"))
}

/// Parameters whose names the kind knows; an unknown one is what Python calls a `TypeError`.
fn check_names(kind: &Kind, parameters: &str) -> PyResult<serde_json::Value> {
    let wrong = |error: serde_json::Error| PyTypeError::new_err(error.to_string());
    let json: serde_json::Value = serde_json::from_str(parameters).map_err(wrong)?;
    let schema = kind.schema();
    let known = schema["properties"].as_object();
    for name in json.as_object().into_iter().flat_map(serde_json::Map::keys) {
        if known.is_none_or(|known| !known.contains_key(name)) {
            let names = known.into_iter().flat_map(serde_json::Map::keys).map(String::as_str);
            let keyword = |name: &str| name.replace('-', "_");
            let hint = lyncean::document::closest(name, names)
                .map_or_else(String::new, |close| format!("\nhint: did you mean `{}`?", keyword(close)));
            return Err(PyTypeError::new_err(format!(
                "stage `{}` has no parameter `{}`{hint}",
                kind.name,
                keyword(name)
            )));
        }
    }
    Ok(json)
}

/// The value for a port, whatever the index.
fn port_types(kind: &Kind, index: usize) -> &'static [PortType] {
    kind.inputs.get(index).or(kind.inputs.last()).map_or(&[], |port| port.accepts)
}

static OUTPUTS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// Outputs as Python has them: one alone, several as a named tuple.
pub(crate) fn named(
    py: Python<'_>,
    kind: &str,
    names: &[&str],
    values: Vec<Py<PyAny>>,
) -> PyResult<Py<PyAny>> {
    let class = OUTPUTS.get_or_try_init(py, || {
        Ok::<_, PyErr>(py.import("lyncean._results")?.getattr("_outputs")?.unbind())
    })?;
    let names = PyTuple::new(py, names)?;
    class.call1(py, (kind, names, PyTuple::new(py, values)?))
}

/// What keywords of one call came to: the next call with the same ones is spared the way there.
struct Recent {
    key: CallKey,
    /// Keeps the objects alive whose addresses are in the key.
    _pins: Vec<Py<PyAny>>,
    paced: Arc<Paced>,
    masks: Masks,
    threads: usize,
}

/// Calls that an operation remembers.
const RECENT: usize = 8;

/// An operation as a function of arrays: what `lyncean.ops` is made of. Its name is an attribute that Python sets; docs
/// and signature are properties that Python adds.
#[pyclass(frozen, dict, name = "Operation", module = "lyncean._lyncean")]
pub(crate) struct Function {
    index: usize,
    kind: &'static Kind,
    recent: Mutex<Vec<Arc<Recent>>>,
}

impl Function {
    /// What these keywords mean.
    fn meaning(&self, py: Python<'_>, keywords: Option<&Bound<'_, PyDict>>) -> PyResult<Arc<Recent>> {
        let key = CallKey::of(keywords);
        if let Some(key) = &key {
            let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = recent.iter().find(|known| known.key == *key)
                && known.paced.is_fresh()
            {
                return Ok(Arc::clone(known));
            }
        }
        // Before anybody else may run and change a list.
        let pins = keywords.filter(|_| key.is_some()).map(parameter::pins).unwrap_or_default();
        let own = Own::of(keywords)?;
        let paced = operation(py, self.index, parameter::json(own.parameters.as_ref())?)?;
        let is_known = key.is_some();
        let made = Recent {
            key: key.unwrap_or_default(),
            _pins: pins,
            paced,
            masks: own.masks,
            threads: own.threads,
        };
        let made = Arc::new(made);
        if is_known {
            let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
            recent.retain(|known| known.key != made.key);
            let surplus = (recent.len() + 1).saturating_sub(RECENT);
            let old: Vec<Arc<Recent>> = recent.drain(..surplus).collect();
            recent.push(Arc::clone(&made));
            drop(recent);
            // What lets go of Python's objects may call back.
            drop(old);
        }
        Ok(made)
    }
}

/// The keywords that every operation has, and those that are parameters.
struct Own<'py> {
    masks: Masks,
    threads: usize,
    parameters: Option<Bound<'py, PyDict>>,
}

impl<'py> Own<'py> {
    fn of(keywords: Option<&Bound<'py, PyDict>>) -> PyResult<Self> {
        let mut own = Self { masks: Masks::Bool, threads: 1, parameters: None };
        if let Some(keywords) = keywords {
            let parameters = keywords.copy()?;
            if let Some(masks) = keywords.get_item("masks")? {
                own.masks = Masks::named(&masks.extract::<std::borrow::Cow<'_, str>>()?)?;
                parameters.del_item("masks")?;
            }
            if let Some(threads) = keywords.get_item("threads")? {
                own.threads = threads.extract()?;
                parameters.del_item("threads")?;
            }
            own.parameters = Some(parameters);
        }
        Ok(own)
    }
}

#[pymethods]
impl Function {
    #[new]
    fn new(kind: usize) -> PyResult<Self> {
        Ok(Self { index: kind, kind: kind_at(kind)?, recent: Mutex::default() })
    }

    /// Runs on inputs, with the parameters, `masks` and `threads` as keywords.
    #[pyo3(signature = (*inputs, **keywords))]
    fn __call__(
        &self,
        py: Python<'_>,
        inputs: &Bound<'_, PyTuple>,
        keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Py<PyAny>> {
        let meaning = self.meaning(py, keywords)?;
        let Recent { paced, masks, threads, .. } = &*meaning;
        let mut pixels = 0;
        let mut values: Vec<Value> = Vec::with_capacity(inputs.len());
        for (index, input) in inputs.iter().enumerate() {
            let value = given::value(&input, port_types(self.kind, index), *masks)?;
            if let Value::Image(value) = &value {
                pixels += value.image.width() * value.image.height();
            }
            values.push(value);
        }
        let work = |context: &Context| paced.operation.run(&values, context);
        let outputs = paced.pace.run(py, *threads, pixels, work)?;
        // Here, where Python's objects can be let go at once.
        drop(values);
        let mut outputs = outputs.map_err(|error| raised(py, &error))?;
        if outputs.len() == 1
            && let Some((_, value)) = outputs.pop()
        {
            return made::object(py, value, *masks);
        }
        let (names, values): (Vec<&str>, Vec<Value>) = outputs.into_iter().unzip();
        named(py, self.kind.name, &names, made::all(py, values, *masks)?)
    }

    #[getter]
    fn _index(&self) -> usize {
        self.index
    }

    /// As with built-in functions, an operation that is an attribute of a class is no method. That there is this at
    /// all tells `help` that it is about a function.
    fn __get__(slf: Py<Self>, _instance: Option<Py<PyAny>>, _owner: Option<Py<PyAny>>) -> Py<Self> {
        slf
    }

    /// Found again by its name.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.getattr("__qualname__")
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        Ok(format!("<operation {}.{}>", slf.getattr("__module__")?, slf.getattr("__qualname__")?))
    }
}
