//! `lyncean train linear`: a linear classifier on the vectors of a pipeline.

use std::path::PathBuf;
use std::time::Instant;

use indicatif::ProgressBar;

use super::console::Failure;
use super::interrupt::Interrupt;
use super::{Exit, Outcome, console, load};
use crate::eval::Vectors;
use crate::eval::dataset::{Dataset, Split};
use crate::eval::metrics::Proportion;
use crate::ops::Context;
use crate::ops::context::Cancel;
use crate::ops::linear::{self, Method, Training};
use crate::{Error, ErrorKind};

/// Train a linear classifier on the vectors that a pipeline makes of pictures.
///
/// The vectors are those of the pipeline's last stage that gives some, such as `hog`; stages after it
/// do not matter. The model is for `classify-linear`. The same data and parameters give the same bits
/// for any number of threads.
#[derive(clap::Args)]
pub(super) struct Args {
    /// A pipeline file, or `builtin:NAME`
    pipeline: PathBuf,
    /// Folder with IDX files or class folders, in `train` and `test` where there is a split
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The model to be written, a safetensors file
    #[arg(short, long, value_name = "MODEL")]
    out: PathBuf,
    /// What to train
    #[arg(long, value_enum, default_value = "logistic")]
    method: MethodName,
    /// What a sample's loss counts for against half the squared weights
    #[arg(long, value_name = "C", default_value_t = Training::default().c)]
    c: f64,
    /// Steps (logistic) or passes over the data (svm) at most
    #[arg(long, value_name = "N", default_value_t = Training::default().max_iterations)]
    max_iterations: usize,
    /// When to stop: relative slope (logistic), difference of projected gradients (svm)
    #[arg(long, value_name = "T", default_value_t = Training::default().tolerance)]
    tolerance: f64,
    /// Where all randomness comes from
    #[arg(long, value_name = "N", default_value_t = Training::default().seed)]
    seed: u64,
    /// Threads; 0 is one for each core
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum MethodName {
    /// Multinomial logistic regression
    Logistic,
    /// Support vector machines, one class against the rest
    Svm,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Outcome {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(args.threads)
        .build()
        .map_err(|error| Error::new(ErrorKind::Internal, format!("cannot start threads: {error}")))?;
    let interrupt = Interrupt::listen();
    match pool.install(|| train(args, &interrupt)) {
        Err(Failure::Error(error)) if error.kind() == ErrorKind::Cancelled => {
            console::say("stopped; no model was written");
            Ok(Exit::Interrupted)
        }
        other => other.map(|()| Exit::Done),
    }
}

fn train(args: &Args, interrupt: &Interrupt) -> Result<(), Failure> {
    let pipeline = load::pipeline(&args.pipeline, &[])?;
    let data = Dataset::open(&args.data, Split::Train)?;
    let started = Instant::now();
    let vectors = vectors(&pipeline, &data, interrupt)?;
    let seconds = started.elapsed().as_secs_f64();
    console::say(&format!(
        "{} vectors of {} numbers in {} classes, {seconds:.1} s",
        data.len(),
        vectors.features,
        data.classes().len()
    ));
    let params = Training {
        method: match args.method {
            MethodName::Logistic => Method::Logistic,
            MethodName::Svm => Method::Svm,
        },
        c: args.c,
        max_iterations: args.max_iterations,
        tolerance: args.tolerance,
        seed: args.seed,
    };
    let started = Instant::now();
    let trained = linear::train(vectors.samples()?, data.classes(), &params, &|| interrupt.is_asked())?;
    let (seconds, iterations) = (started.elapsed().as_secs_f64(), trained.iterations);
    let end = if trained.is_converged { "converged" } else { "stopped before the tolerance was reached" };
    console::say(&format!("{end} after {iterations} iterations, {seconds:.1} s"));
    let model = &trained.model;
    let bytes = model.to_safetensors()?;
    std::fs::write(&args.out, bytes).map_err(|error| Error::io(args.out.display(), error))?;
    tell("training", vectors.count_right(model, data.classes())?, data.len())?;
    match Dataset::open(&args.data, Split::Test) {
        Ok(test) => {
            let vectors = self::vectors(&pipeline, &test, interrupt)?;
            tell("test", vectors.count_right(model, test.classes())?, test.len())?;
        }
        Err(_) => console::say("the data has no test split: nothing to judge the model by"),
    }
    Ok(())
}

fn vectors(
    pipeline: &crate::pipeline::Pipeline,
    data: &Dataset,
    interrupt: &Interrupt,
) -> crate::Result<Vectors> {
    let bar = ProgressBar::new(data.len() as u64);
    let cancel = Cancel::default();
    let context = Context::default().with_cancel(cancel.clone());
    let vectors = Vectors::of(pipeline, data, &context, &|done| {
        // Nothing is lost by giving up at once.
        if interrupt.is_asked() {
            cancel.cancel();
        }
        if done % 256 == 0 {
            bar.set_position(done as u64);
        }
    });
    bar.finish_and_clear();
    vectors
}

fn tell(what: &str, right: u64, of: usize) -> Result<(), Failure> {
    let accuracy = Proportion { hits: right, of: of as u64 };
    let interval = accuracy.interval();
    console::print(&format!(
        "{what} accuracy {:.2}% ({right} of {of}; 95% interval {:.2}% to {:.2}%)",
        100.0 * accuracy.value(),
        100.0 * interval.low,
        100.0 * interval.high
    ))
}
