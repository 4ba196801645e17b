//! Errors of the library as Python exceptions, in the same words.

use lyncean::{Error, ErrorKind};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

/// The classes, which Python defines.
static MODULE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

fn class<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyType>> {
    let module = MODULE
        .get_or_try_init(py, || py.import("lyncean._errors").map(|module| module.into_any().unbind()))?;
    Ok(module.bind(py).getattr(name)?.cast_into()?)
}

fn name(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::Input => "InputError",
        ErrorKind::Pipeline => "PipelineError",
        ErrorKind::Shape => "ShapeError",
        ErrorKind::Limit => "LimitError",
        ErrorKind::Unsupported => "UnsupportedError",
        ErrorKind::Io if is_missing(error) => "MissingFileError",
        ErrorKind::Io => "IoError",
        ErrorKind::Cancelled => "Cancelled",
        _ => "InternalError",
    }
}

fn is_missing(error: &Error) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<std::io::Error>());
    source.is_some_and(|source| source.kind() == std::io::ErrorKind::NotFound)
}

/// An error of the library as an exception.
pub(crate) fn raised(py: Python<'_>, error: &Error) -> PyErr {
    let diagnostics = error.diagnostics().map(|problems| {
        let shown = problems.sorted().into_iter().map(|problem| problem.render(problems.source()));
        shown.collect::<Vec<_>>()
    });
    let made = class(py, name(error)).and_then(|class| {
        let attributes = PyDict::new(py);
        attributes.set_item("hint", error.hint())?;
        attributes.set_item("stages", error.path().to_vec())?;
        attributes.set_item("diagnostics", diagnostics.unwrap_or_default())?;
        let exception = class.call1((error.to_string(),))?;
        exception.getattr("__dict__")?.call_method1("update", (attributes,))?;
        Ok(exception)
    });
    match made {
        Ok(exception) => PyErr::from_value(exception),
        Err(other) => other,
    }
}

/// An array that is none of those taken.
pub(crate) fn wrong_array(py: Python<'_>, message: &str, hint: &str) -> PyErr {
    let words = format!("{message}\nhint: {hint}");
    match class(py, "ArrayError").and_then(|class| class.call1((words,))) {
        Ok(exception) => PyErr::from_value(exception),
        Err(other) => other,
    }
}

/// `?` on results of the library.
pub(crate) trait OrRaise<T> {
    /// The value, or the error as an exception.
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrRaise<T> for lyncean::Result<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| raised(py, &error))
    }
}
