//! What a trained net makes of pictures and sentences.

use std::path::PathBuf;
use std::sync::Arc;

use lyncean::eval::{Predictor, Ranked};
use lyncean::image::Image;
use lyncean::image::codec::{self, ReadOptions};
use lyncean::ops::Context;
use lyncean::ops::context::Cancel;
use lyncean::{Error, Result};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use crate::error::OrRaise;
use crate::given::{self, Masks};
use crate::{made, wait};

/// Something to predict.
enum Given {
    Picture(Image),
    /// A path, or the sentence of a net of text.
    Words(String),
    Path(PathBuf),
}

/// What came of it.
struct Told {
    classes: Vec<Ranked>,
    labels: Option<Image>,
}

/// What a net makes of each input, a dict each: `classes`, and of nets of pixels `labels`.
#[pyfunction]
pub(crate) fn predict(
    py: Python<'_>,
    model: PathBuf,
    inputs: &Bound<'_, PyList>,
    top: usize,
    resize: bool,
    masks: &str,
) -> PyResult<Vec<Py<PyDict>>> {
    let masks = Masks::named(masks)?;
    if top == 0 {
        return Err(PyValueError::new_err("`top` must be at least 1, got 0"));
    }
    let inputs = inputs.iter().map(|input| taken(&input)).collect::<PyResult<Vec<_>>>()?;
    let cancel = Cancel::default();
    let context = Context::default().with_cancel(cancel.clone());
    let work = || -> Result<(bool, Vec<Told>)> {
        let predictor = Predictor::open(&model)?;
        let one = |(at, input): (usize, &Given)| {
            context.check()?;
            told(&predictor, input, resize, &context).map_err(|error| match input {
                Given::Picture(_) => error.within(format!("input {at}")),
                Given::Words(name) => error.within(name.clone()),
                Given::Path(path) => error.within(path.display().to_string()),
            })
        };
        let told = inputs.iter().enumerate().map(one).collect::<Result<Vec<_>>>()?;
        Ok((predictor.tells_pixels(), told))
    };
    let (tells_pixels, told) = wait::interruptible(py, &cancel, work)?.or_raise(py)?;
    let share = if tells_pixels { "share" } else { "p" };
    let dict = |told: Told| {
        let dict = PyDict::new(py);
        let classes = told.classes.iter().take(top).map(|class| {
            let entry = PyDict::new(py);
            entry.set_item("label", &class.label)?;
            entry.set_item(share, class.share)?;
            Ok(entry)
        });
        dict.set_item("classes", classes.collect::<PyResult<Vec<_>>>()?)?;
        if let Some(labels) = told.labels {
            dict.set_item("labels", made::array(py, Arc::new(labels), masks)?)?;
        }
        Ok(dict.unbind())
    };
    told.into_iter().map(dict).collect()
}

fn taken(input: &Bound<'_, PyAny>) -> PyResult<Given> {
    if let Ok(words) = input.cast::<PyString>() {
        return Ok(Given::Words(words.to_cow()?.into_owned()));
    }
    if input.hasattr("__fspath__")? {
        return Ok(Given::Path(input.extract()?));
    }
    if !input.hasattr("shape")? {
        let name = input.get_type().name()?.to_string();
        return Err(PyTypeError::new_err(format!(
            "expected an array, a path or a sentence, got {name}\nhint: several come as a list"
        )));
    }
    Ok(Given::Picture(given::picture(input)?.image))
}

fn told(predictor: &Predictor, input: &Given, resize: bool, cx: &Context) -> Result<Told> {
    let read;
    let image = match input {
        Given::Words(sentence) if predictor.takes_sentences() => {
            return Ok(Told { classes: predictor.sentence(sentence)?.classes, labels: None });
        }
        Given::Words(_) | Given::Path(_) if predictor.takes_sentences() => {
            return Err(
                Error::pipeline("the net takes sentences, got a path").with_hint("read the file first")
            );
        }
        Given::Picture(image) => image,
        Given::Words(name) => {
            read = codec::read_file(name, &ReadOptions::default())?.image;
            &read
        }
        Given::Path(path) => {
            read = codec::read_file(path, &ReadOptions::default())?.image;
            &read
        }
    };
    let found = predictor.picture(image, resize, cx)?;
    Ok(Told { classes: found.classes, labels: found.labels })
}
