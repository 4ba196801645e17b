//! `lyncean run`: a pipeline over many pictures.

mod job;
mod layout;
mod progress;
mod rows;
mod threads;

use std::any::Any;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::ValueEnum;
use rayon::ThreadPool;
use serde_json::{Map, Value as Json};

use super::console::{self, Failure};
use super::inputs::{self, Input};
use super::interrupt::Interrupt;
use super::ordered::in_order;
use super::{Exit, Outcome, load};
use crate::image::codec::{Format, Limits, check_format};
use crate::ops::Context;
use crate::pipeline::{Pipeline, RunOptions, Save};
use crate::{Error, ErrorKind};

use job::Job;
use progress::Progress;
use threads::Threads;

/// The name of the threads whose panics become errors of images.
pub(super) const WORKER: &str = "lyncean-worker";

/// Run a pipeline on pictures.
///
/// Without `-o` nothing but records is made, and they go to stdout. Exit code: 0 when all went
/// well, 1 when some images failed, 2 when the command or the pipeline is wrong.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Pipeline file, or `builtin:NAME`
    pipeline: PathBuf,
    /// Pictures: files, folders, quoted patterns such as 'photos/**/*.jpg', or `builtin:NAME`
    #[arg(required = true)]
    inputs: Vec<PathBuf>,
    /// Look into the folders inside folders too
    #[arg(short, long)]
    recursive: bool,
    /// Write the final images into this folder, in the same tree as the inputs
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Images at once; by default as many as there are cores
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Threads in one image; by default the cores that `-j` leaves
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Write one JSON object a line and an image, in input order, to a file, or to stdout with `-`
    #[arg(long, value_name = "FILE")]
    records: Option<PathBuf>,
    /// Write the image of this stage as `NAME.STAGE.png`, for the eye; `all` for every stage
    #[arg(long, value_name = "STAGE", requires = "output")]
    save: Vec<String>,
    /// Format of the final images; by default PNG, and TIFF for floats and more than 65535 labels
    #[arg(long, requires = "output")]
    format: Option<Written>,
    /// Begin no further image once one has failed
    #[arg(long)]
    fail_fast: bool,
    /// Set a parameter over what the file says: `stage.key=value`
    #[arg(short, long = "parameter", value_name = "STAGE.KEY=VALUE")]
    parameters: Vec<String>,
    /// Read and write row by row, for images larger than memory; `auto` does from 2^26 pixels on
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    stream: Stream,
    /// Refuse images of more pixels than this that have to be held whole; 2^28 by default
    #[arg(long, value_name = "N")]
    max_pixels: Option<u64>,
    /// Show a bar on a terminal
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    progress: Show,
}

#[derive(Clone, Copy, ValueEnum)]
enum Written {
    Png,
    Tiff,
    Jpeg,
}

impl From<Written> for Format {
    fn from(written: Written) -> Self {
        match written {
            Written::Png => Self::Png,
            Written::Tiff => Self::Tiff,
            Written::Jpeg => Self::Jpeg,
        }
    }
}

/// When images go through row by row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Stream {
    /// Where it is possible and the image is large
    Auto,
    /// Always; what cannot go through that way fails
    Always,
    /// Never
    Never,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Show {
    Auto,
    Never,
}

/// Runs the command.
pub(super) fn run(args: Args) -> Outcome {
    let mut parameters = args.parameters;
    if let Some(threads) = args.threads {
        // What the command says goes over what the file's schedule says.
        parameters.push(format!("schedule.threads={threads}"));
    }
    let pipeline = load::pipeline(&args.pipeline, &parameters)?;
    let format = args.format.map(Format::from);
    let save = saved(&pipeline, &args.save)?;
    if args.output.is_some() {
        check_final(&pipeline, format, !args.save.is_empty())?;
    }
    let inputs = inputs::collect(&args.inputs, args.recursive, args.output.as_deref())?;
    if let Some(folder) = &args.output {
        layout::check(&inputs, folder, &save.names)?;
    }

    let scheduled = args.threads.map(usize::from).or(pipeline.schedule().threads.map(|n| n as usize));
    let threads = Threads::new(args.jobs.map(usize::from), scheduled, inputs.len());
    let interrupt = Interrupt::listen();
    let limits = Limits {
        max_pixels: args.max_pixels.unwrap_or(Limits::default().max_pixels),
        max_bytes: args.max_pixels.map_or(Limits::default().max_bytes, |_| u64::MAX),
    };
    let context = Context::default().with_threads(threads.inside).with_cancel(interrupt.cancel());
    let job = Job {
        pipeline: &pipeline,
        options: RunOptions { context, save: save.save },
        saved: save.names,
        folder: args.output.as_deref(),
        format,
        stream: args.stream,
        limits,
    };
    let to_stdout = match &args.records {
        None => args.output.is_none(),
        Some(path) => path.as_os_str() == "-",
    };
    let mut records = match &args.records {
        Some(path) if !to_stdout => Records::File(Box::new(create(path)?), path.display().to_string()),
        _ if to_stdout => Records::Stdout,
        _ => Records::None,
    };
    let progress = Progress::new(inputs.len(), args.progress == Show::Auto);
    let done = carry_out(&job, &inputs, &threads, args.fail_fast, &interrupt, &mut records, &progress)?;
    progress.finish();
    if args.output.is_some() || done.failed > 0 || inputs.len() > 1 {
        console::say(&summary(&done, inputs.len(), args.output.as_deref()));
    }
    Ok(match done.failed {
        _ if interrupt.is_asked() => Exit::Interrupted,
        0 => Exit::Done,
        _ => Exit::Imperfect,
    })
}

/// What was asked of `--save`.
struct Saved {
    save: Save,
    /// The stages whose images are written.
    names: Vec<String>,
}

fn saved(pipeline: &Pipeline, asked: &[String]) -> Result<Saved, Error> {
    let known: Vec<&str> = pipeline.stage_names().collect();
    if asked.is_empty() {
        return Ok(Saved { save: Save::Nothing, names: Vec::new() });
    }
    if asked.iter().any(|name| name == "all") && !known.contains(&"all") {
        return Ok(Saved { save: Save::All, names: known.into_iter().map(str::to_owned).collect() });
    }
    for name in asked {
        if !known.contains(&name.as_str()) {
            let error = Error::pipeline(format!("there is no stage `{name}` to save"));
            let hint = crate::document::did_you_mean(name, known.iter().copied().chain(["all"]));
            return Err(hint.into_iter().fold(error, Error::with_hint));
        }
    }
    Ok(Saved { save: Save::Stages(asked.to_vec()), names: asked.to_vec() })
}

/// Refuses a pipeline whose final image cannot be written whatever picture it is given, before any
/// picture is read.
fn check_final(pipeline: &Pipeline, format: Option<Format>, saves: bool) -> Result<(), Error> {
    let mut refused = None;
    for &input in pipeline.accepted() {
        let types = pipeline.types(input)?;
        let last = types.last().map(Vec::as_slice).unwrap_or_default();
        let Some(ty) = last.iter().find_map(|(_, ty)| ty.image()) else {
            if !saves {
                console::warn("the last stage gives no image, so none will be written");
            }
            return Ok(());
        };
        match check_format(ty, format.unwrap_or(job::usual_format(ty))) {
            Ok(()) => return Ok(()),
            Err(error) => refused = Some(error),
        }
    }
    refused.map_or(Ok(()), |error| {
        let last = pipeline.stage_names().last().unwrap_or_default();
        Err(error.within(format!("stage `{last}`")))
    })
}

/// Where records go.
enum Records {
    None,
    Stdout,
    File(Box<BufWriter<File>>, String),
}

fn create(path: &std::path::Path) -> Result<BufWriter<File>, Error> {
    File::create(path).map(BufWriter::new).map_err(|error| Error::io(path.display(), error))
}

impl Records {
    /// Writes a record and makes it visible: who follows the file sees every image at once.
    fn write(&mut self, record: Map<String, Json>) -> Result<(), Failure> {
        let line = format!("{}\n", Json::Object(record));
        match self {
            Self::None => Ok(()),
            Self::Stdout => {
                let mut out = io::stdout().lock();
                out.write_all(line.as_bytes())?;
                Ok(out.flush()?)
            }
            Self::File(file, name) => {
                let written = file.write_all(line.as_bytes()).and_then(|()| file.flush());
                Ok(written.map_err(|error| Error::io(name, error))?)
            }
        }
    }
}

#[derive(Default)]
struct Counts {
    done: usize,
    failed: usize,
    files: usize,
}

fn carry_out(
    job: &Job<'_>,
    inputs: &[Input],
    threads: &Threads,
    fail_fast: bool,
    interrupt: &Interrupt,
    records: &mut Records,
    progress: &Progress,
) -> Result<Counts, Failure> {
    let pools = threads.pools()?;
    let failed = AtomicBool::new(false);
    let go_on = || !interrupt.is_asked() && !(fail_fast && failed.load(Ordering::Relaxed));
    let work = |pool: &ThreadPool, index: usize| {
        let result = pool.install(|| catch_unwind(AssertUnwindSafe(|| job.run(&inputs[index]))));
        let result = result.unwrap_or_else(|payload| Err(panicked(payload.as_ref())));
        failed.fetch_or(result.is_err(), Ordering::Relaxed);
        result
    };
    let mut counts = Counts::default();
    let mut ended = Ok(());
    let mut progress_of = |index: usize, result: Result<job::Done, Error>| -> Result<(), Failure> {
        let name = &inputs[index].name;
        let mut record = Map::new();
        record.insert("image".into(), name.as_str().into());
        match result {
            Ok(done) => {
                counts.done += 1;
                counts.files += done.files;
                record.insert("status".into(), "ok".into());
                record.extend(done.record);
            }
            // Given up by the user: neither done nor at fault.
            Err(error) if error.kind() == ErrorKind::Cancelled => return Ok(()),
            Err(error) => {
                counts.failed += 1;
                progress.suspend(|| console::report(&placed(error_copy(&error), name)));
                record.insert("status".into(), "error".into());
                record.insert("kind".into(), error.kind().as_str().into());
                record.insert("error".into(), one_line(&error).into());
            }
        }
        progress.advance();
        progress.suspend(|| records.write(record))
    };
    in_order(&pools, inputs.len(), 4 * pools.len(), go_on, work, |index, result| {
        match progress_of(index, result) {
            Ok(()) => ControlFlow::Continue(()),
            Err(failure) => {
                ended = Err(failure);
                ControlFlow::Break(())
            }
        }
    });
    ended.map(|()| counts)
}

fn panicked(payload: &(dyn Any + Send)) -> Error {
    let words = payload.downcast_ref::<&str>().copied();
    let words = words.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let words = words.unwrap_or("no reason given").lines().next().unwrap_or_default();
    Error::new(ErrorKind::Internal, format!("a fault of lyncean: {words}"))
        .with_hint("`RUST_BACKTRACE=1` shows where; please report it")
}

fn error_copy(error: &Error) -> Error {
    let copy = error
        .path()
        .iter()
        .rev()
        .fold(Error::new(error.kind(), error.message()), |copy, name| copy.within(name.as_str()));
    error.hint().into_iter().fold(copy, |copy, hint| copy.with_hint(hint))
}

/// An error that names its image: those of reading do already.
fn placed(error: Error, name: &str) -> Error {
    let is_named = error.path().is_empty() && error.message().starts_with(&format!("`{name}`"));
    if is_named { error } else { error.within(format!("`{name}`")) }
}

/// Path and message, without the hint.
fn one_line(error: &Error) -> String {
    let mut words: Vec<&str> = error.path().iter().map(String::as_str).collect();
    words.push(error.message());
    words.join(": ")
}

fn summary(counts: &Counts, inputs: usize, folder: Option<&std::path::Path>) -> String {
    let number = |number: usize, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
    let mut words = format!("{} done", number(counts.done, "image"));
    if counts.failed > 0 {
        words.push_str(&format!(", {} failed", counts.failed));
    }
    let left = inputs - counts.done - counts.failed;
    if left > 0 {
        words.push_str(&format!(", {left} not begun or given up"));
    }
    if let Some(folder) = folder {
        words.push_str(&format!("; {} written to `{}`", number(counts.files, "file"), folder.display()));
    }
    words
}
