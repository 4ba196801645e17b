//! One stage on values: the function behind all of `lyncean.ops`.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use lyncean::document::Resources;
use lyncean::ops::context::Cancel;
use lyncean::pipeline::Operation;
use lyncean::stage::{self, Kind, PortType, Value};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};

use crate::error::{OrRaise, raised};
use crate::given::{self, Masks};
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
}

struct Known {
    operation: Arc<Paced>,
    files: Vec<Stamp>,
    used: u64,
}

#[derive(Default)]
struct Cache {
    known: HashMap<(usize, String), Known>,
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
    let key = (kind, parameters);
    if let Some(known) = cache.known.get_mut(&key)
        && known.files.iter().all(|file| stamp(file.0.clone()) == *file)
    {
        known.used = cache.clock;
        return Ok(Arc::clone(&known.operation));
    }
    drop(guard);
    let kind = kind_at(kind)?;
    let json = check_names(kind, &key.1)?;
    let folder = std::env::current_dir().unwrap_or_default();
    let resources = Resources::new(Some(folder.clone())).with_builtin(lyncean::builtin::RESOURCES);
    let operation = py.detach(|| Operation::new(kind, &json, &resources)).or_raise(py)?;
    let operation = Arc::new(Paced { operation, pace: Pace::default() });
    let files = operation.operation.resources().keys().filter(|name| !name.starts_with("builtin:"));
    let files = files.map(|name| stamp(folder.join(name))).collect();
    let mut guard = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    let cache = guard.get_or_insert_default();
    if cache.known.len() >= KEPT
        && let Some(oldest) =
            cache.known.iter().min_by_key(|(_, known)| known.used).map(|(key, _)| key.clone())
    {
        cache.known.remove(&oldest);
    }
    let known = Known { operation: Arc::clone(&operation), files, used: cache.clock };
    cache.known.insert(key, known);
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

/// Runs the stage of kind `kind` on inputs.
#[pyfunction]
#[pyo3(signature = (kind, inputs, parameters, masks, threads))]
pub(crate) fn call(
    py: Python<'_>,
    kind: usize,
    inputs: &Bound<'_, PyTuple>,
    parameters: Option<&Bound<'_, PyDict>>,
    masks: &str,
    threads: usize,
) -> PyResult<Py<PyAny>> {
    let masks = Masks::named(masks)?;
    let paced = operation(py, kind, parameter::json(parameters)?)?;
    let operation = &paced.operation;
    let kind = operation.kind();
    let values = inputs
        .iter()
        .enumerate()
        .map(|(index, input)| given::value(&input, port_types(kind, index), masks))
        .collect::<PyResult<Vec<Value>>>()?;
    let pixels: usize = values
        .iter()
        .map(|value| match value {
            Value::Image(value) => value.image.width() * value.image.height(),
            _ => 0,
        })
        .sum();
    let cancel = Cancel::default();
    let context = made::context().with_threads(threads).with_cancel(cancel.clone());
    let work = || {
        let outputs = operation.run(&values, &context);
        drop(values);
        outputs
    };
    let outputs = paced.pace.run(py, &cancel, pixels, work)?;
    let outputs = outputs.map_err(|error| raised(py, &error))?;
    let (names, values): (Vec<&str>, Vec<Value>) = outputs.into_iter().unzip();
    let mut objects = made::all(py, values, masks)?;
    if objects.len() == 1
        && let Some(object) = objects.pop()
    {
        return Ok(object);
    }
    named(py, kind.name, &names, objects)
}
