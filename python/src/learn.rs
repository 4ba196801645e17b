//! Training and comparing, with callbacks.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use lyncean::document::Source;
use lyncean::eval::dataset::{Dataset, MaskedPictures, Split};
use lyncean::eval::metrics::Proportion;
use lyncean::eval::{self, Vectors};
use lyncean::nn::arch;
use lyncean::nn::train::{
    self, ConfusionMatrix, EpochReport, Part, Progress, Settings, StepReport, Target, TrainNet,
};
use lyncean::ops::Context;
use lyncean::ops::context::Cancel;
use lyncean::ops::linear::{self, Method, Training};
use lyncean::pipeline::Loader;
use lyncean::{Error, ErrorKind, Result};
use pyo3::prelude::*;
use pyo3::types::PyList;
use serde_json::{Value as Json, json};

use crate::error::OrRaise;
use crate::{pipeline, wait};

/// A callback of Python. What it raises stops the work, and is raised again when that has ended.
struct Callback {
    function: Option<Py<PyAny>>,
    raised: Mutex<Option<PyErr>>,
    cancel: Cancel,
}

impl Callback {
    fn new(function: Option<Py<PyAny>>, cancel: &Cancel) -> Self {
        Self { function, raised: Mutex::new(None), cancel: cancel.clone() }
    }

    fn tell(&self, arguments: impl for<'py> pyo3::call::PyCallArgs<'py>) {
        let Some(function) = &self.function else { return };
        if self.cancel.is_cancelled() {
            return;
        }
        if let Err(error) = Python::attach(|py| function.bind(py).call1(arguments).map(drop)) {
            self.cancel.cancel();
            if let Ok(mut raised) = self.raised.lock() {
                raised.get_or_insert(error);
            }
        }
    }

    /// Raises what the function raised.
    fn settle(self) -> PyResult<()> {
        match self.raised.into_inner().ok().flatten() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

/// A pool of so many threads; 0 is one for each core.
fn pool(threads: usize) -> Result<rayon::ThreadPool> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| Error::new(ErrorKind::Internal, format!("cannot start threads: {error}")))
}

fn score(right: u64, of: usize) -> Json {
    let accuracy = Proportion { hits: right, of: of as u64 };
    let interval = accuracy.interval();
    json!({"correct": right, "total": of, "accuracy": accuracy.value(), "interval": [interval.low, interval.high]})
}

/// The same of pixels.
fn pixel_score(matrix: &ConfusionMatrix) -> Json {
    json!({
        "mean_iou": matrix.mean_iou(), "accuracy": matrix.accuracy(),
        "correct": matrix.correct(), "total": matrix.total(),
    })
}

/// The test split, where the data has one.
fn test_split(data: &Path) -> Option<Dataset> {
    Dataset::open(data, Split::Test).ok()
}

struct Hears<'a> {
    steps: &'a Callback,
    epochs: &'a Callback,
}

fn epoch_json(report: &EpochReport) -> Json {
    json!({
        "epoch": report.epoch,
        "rate": report.rate,
        "train_loss": report.train_loss,
        "train_accuracy": report.train_accuracy,
        "validation_loss": report.validation_loss,
        "validation_accuracy": report.validation_accuracy,
        "validation_iou": report.validation_iou,
        "validation_dice": report.validation_dice,
    })
}

impl Progress for Hears<'_> {
    fn step(&mut self, report: &StepReport) {
        self.steps.tell(((report.epoch - 1) * report.steps + report.step, report.epochs * report.steps));
    }

    fn epoch(&mut self, report: &EpochReport) {
        self.epochs.tell((epoch_json(report).to_string(),));
    }

    fn is_cancelled(&self) -> bool {
        self.steps.cancel.is_cancelled()
    }
}

/// The architecture of a built-in net or of a file.
fn net_source(net: &str) -> Result<Source> {
    match arch::builtin(net.strip_prefix("builtin:").unwrap_or(net)) {
        Some(source) => Ok(source),
        None => Source::read(Path::new(net)),
    }
}

/// Trains a net; `settings` is JSON, and what comes back is, too.
#[pyfunction]
#[pyo3(signature = (net, data, out, settings, init_from, resume, progress, on_epoch))]
pub(crate) fn train_net(
    py: Python<'_>,
    net: &str,
    data: PathBuf,
    out: PathBuf,
    settings: &str,
    init_from: Option<PathBuf>,
    resume: bool,
    progress: Option<Py<PyAny>>,
    on_epoch: Option<Py<PyAny>>,
) -> PyResult<String> {
    let cancel = Cancel::default();
    let (steps, epochs) = (Callback::new(progress, &cancel), Callback::new(on_epoch, &cancel));
    let work = || {
        let mut settings: Settings =
            serde_json::from_str(settings).map_err(|error| Error::pipeline(format!("settings: {error}")))?;
        let read = |path: &PathBuf| std::fs::read(path).map_err(|error| Error::io(path.display(), error));
        let init = init_from.as_ref().map(read).transpose()?;
        let masked = MaskedPictures::find(&data, Split::Train)?;
        if masked.is_some() && settings.target == Target::Class {
            settings.target = Target::Mask;
        }
        let fit = settings.fit;
        let job = TrainNet { arch: net_source(net)?, init, settings, out: out.clone(), resume };
        let mut hears = Hears { steps: &steps, epochs: &epochs };
        let (outcome, test) = if let Some(examples) = masked {
            let outcome = train::run(&job, &examples, &mut hears)?;
            let test = match MaskedPictures::find(&data, Split::Test)? {
                Some(test) => {
                    pixel_score(&ConfusionMatrix::of_pixels(&outcome.best, &Part::all(&test), fit)?)
                }
                None => Json::Null,
            };
            (outcome, test)
        } else {
            let examples = Dataset::open(&data, Split::Train)?;
            let outcome = train::run(&job, &examples, &mut hears)?;
            let test = match test_split(&data) {
                Some(test) => {
                    let score = train::evaluate(&outcome.best, &test)?;
                    self::score(score.correct as u64, score.total)
                }
                None => Json::Null,
            };
            (outcome, test)
        };
        Ok::<_, Error>(json!({
            "best": out.join("best.safetensors").display().to_string(),
            "best_epoch": outcome.best_epoch,
            "epochs": outcome.epochs.iter().map(epoch_json).collect::<Json>(),
            "test": test,
        }))
    };
    let result = wait::interruptible(py, &cancel, work)?;
    steps.settle()?;
    epochs.settle()?;
    Ok(result.or_raise(py)?.to_string())
}

/// Trains a linear classifier on the vectors of a pipeline.
#[pyfunction]
#[pyo3(signature = (pipeline, data, out, method, c, max_iterations, tolerance, seed, threads, progress))]
#[expect(clippy::too_many_arguments, reason = "one for each keyword of the function in Python")]
pub(crate) fn train_linear(
    py: Python<'_>,
    pipeline: &Bound<'_, PyList>,
    data: PathBuf,
    out: PathBuf,
    method: &str,
    c: Option<f64>,
    max_iterations: Option<usize>,
    tolerance: Option<f64>,
    seed: Option<u64>,
    threads: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<String> {
    let method = match method {
        "logistic" => Method::Logistic,
        "svm" => Method::Svm,
        _ => {
            let words = format!("`method` cannot be `{method}`\nhint: it is \"logistic\" or \"svm\"");
            return Err(pyo3::exceptions::PyValueError::new_err(words));
        }
    };
    let default = Training::default();
    let params = Training {
        method,
        c: c.unwrap_or(default.c),
        max_iterations: max_iterations.unwrap_or(default.max_iterations),
        tolerance: tolerance.unwrap_or(default.tolerance),
        seed: seed.unwrap_or(default.seed),
    };
    let sources = pipeline::sources(py, pipeline)?;
    let cancel = Cancel::default();
    let callback = Callback::new(progress, &cancel);
    let work = || {
        let [source] = sources.as_slice() else {
            return Err(Error::pipeline("one pipeline gives the vectors"));
        };
        let pipeline = Loader::new().parse(source.clone())?;
        let context = Context::default().with_cancel(cancel.clone());
        let vectors = |data: &Dataset| {
            let all = data.len();
            Vectors::of(&pipeline, data, &context, &|done| callback.tell((done, all)))
        };
        pool(threads)?.install(|| {
            let samples = Dataset::open(&data, Split::Train)?;
            let training = vectors(&samples)?;
            let is_cancelled = || cancel.is_cancelled();
            let trained = linear::train(training.samples()?, samples.classes(), &params, &is_cancelled)?;
            let model = &trained.model;
            let bytes = model.to_safetensors()?;
            std::fs::write(&out, bytes).map_err(|error| Error::io(out.display(), error))?;
            let test = match test_split(&data) {
                Some(test) => {
                    let vectors = vectors(&test)?;
                    score(vectors.count_right(model, test.classes())?, test.len())
                }
                None => Json::Null,
            };
            Ok(json!({
                "model": out.display().to_string(),
                "features": training.features,
                "iterations": trained.iterations,
                "converged": trained.is_converged,
                "training": score(training.count_right(model, samples.classes())?, samples.len()),
                "test": test,
            }))
        })
    };
    let result = wait::interruptible(py, &cancel, work)?;
    callback.settle()?;
    Ok(result.or_raise(py)?.to_string())
}

/// Compares pipelines that classify on the same pictures.
#[pyfunction]
#[pyo3(signature = (pipelines, data, limit, repeats, progress))]
pub(crate) fn compare(
    py: Python<'_>,
    pipelines: &Bound<'_, PyList>,
    data: PathBuf,
    limit: Option<usize>,
    repeats: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<String> {
    let sources = pipeline::sources(py, pipelines)?;
    let cancel = Cancel::default();
    let callback = Callback::new(progress, &cancel);
    let work = || {
        let one_thread =
            |source: &Source| Loader::new().with_override("schedule.threads", "1").parse(source.clone());
        let pipelines = sources.iter().map(one_thread).collect::<Result<Vec<_>>>()?;
        let data = Dataset::open_for_test(&data)?;
        let context = Context::default().with_cancel(cancel.clone());
        let options = eval::Options { limit, repeats, context };
        eval::compare(&pipelines, &data, &options, &mut |done, all| callback.tell((done, all)))
    };
    let result = wait::interruptible(py, &cancel, work)?;
    callback.settle()?;
    Ok(result.or_raise(py)?.to_json().to_string())
}
