//! `lyncean run`: a pipeline over many pictures.
//!
//! Every image is read, run and written by one worker, which then notes it in the journal; this
//! thread gets the results in input order and writes records. Whatever ends the run, files stand
//! whole under their names or not at all, and the journal tells which.

mod args;
mod export;
mod job;
mod journal;
pub(super) mod layout;
mod merge;
mod names;
mod output;
mod picture;
mod progress;
mod records;
mod rows;
mod saved;
mod select;
mod shards;
mod threads;

use std::any::Any;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rayon::ThreadPool;
use serde_json::{Map, Value as Json, json};

use super::console::{self, Failure};
use super::inputs::Input;
use super::interrupt::Interrupt;
use super::ordered::in_order;
use super::{Exit, Outcome, load};
use crate::image::codec::{Format, Limits};
use crate::ops::Context;
use crate::pipeline::{Cache, RunOptions};
use crate::{Error, ErrorKind};

pub(super) use args::Args;
use args::Show;
use job::{Done, Job, Times};
pub(super) use merge::{Args as MergeArgs, run as merge};
pub(super) use names::shown;
use output::Output;
use progress::Progress;
use records::Records;
use saved::{check_final, saved};
use threads::Threads;

/// What to do when a run could not go on.
const RESUME: &str = "what is done is kept: `--resume` completes the rest";

/// The name of the threads whose panics become errors of images.
pub(super) const WORKER: &str = "lyncean-worker";

/// Runs the command.
pub(super) fn run(args: &Args) -> Outcome {
    let mut parameters = args.parameters.clone();
    if let Some(threads) = args.threads {
        // What the command says goes over what the file's schedule says.
        parameters.push(format!("schedule.threads={threads}"));
    }
    let pipeline = load::pipeline_until(&args.pipeline, &parameters, args.until.as_deref())?;
    let format = args.format.map(Format::from);
    let save = saved(&pipeline, &args.save)?;
    if args.output.is_some() {
        check_final(&pipeline, format, !args.save.is_empty(), args.quiet)?;
    }
    let inputs = select::inputs(args)?;
    if let Some(folder) = &args.output {
        layout::check(&inputs, folder, &save.names)?;
    }
    layout::check_lists(args, &inputs)?;
    let numbers = select::numbers(inputs.len(), args.shard);
    if args.dry_run {
        return select::show(&inputs, &numbers, args.output.as_deref());
    }
    let cache = args.cache.as_ref().map(Cache::open).transpose()?;
    let output = Output::open(args, &pipeline, &save.names, &inputs, &numbers)?;

    let scheduled = args.threads.map(usize::from).or(pipeline.schedule().threads.map(|n| n as usize));
    let threads = Threads::new(args.jobs.map(usize::from), scheduled, numbers.len());
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
        cancel: interrupt.cancel(),
        timeout: args.timeout_per_image.map(Duration::from_secs_f64),
        is_durable: args.durable,
        cache: cache.as_ref(),
        last_stamp: Mutex::default(),
    };
    let mut records = Records::open(args)?;
    let is_bar = args.progress == Show::Auto && !args.quiet && !args.verbose;
    let progress = Progress::new(numbers.len(), is_bar);
    let most_failures = if args.fail_fast { Some(1) } else { args.max_failures };
    let run = Run {
        job: &job,
        inputs: &inputs,
        numbers: &numbers,
        output: output.as_ref(),
        most_failures,
        quiet: args.quiet,
        verbose: args.verbose,
    };
    let counts = run.carry_out(&threads, &interrupt, &mut records, &progress)?;
    progress.finish();
    let left = numbers.len() - counts.done - counts.resumed - counts.failed;
    if let Some(output) = output {
        output.close(left == 0)?;
    }
    records.close()?;
    if let Some(problem) = cache.as_ref().and_then(Cache::problem) {
        console::warn(&format!("the cache misses results: {}", problem.message()));
    }
    if args.json {
        let mut summary = json!({
            "done": counts.done,
            "resumed": counts.resumed,
            "failed": counts.failed,
            "left": left,
            "files": counts.files,
        });
        if let Some(cache) = &cache {
            summary["cache"] = json!({ "loaded": cache.loaded(), "stored": cache.stored() });
        }
        console::print_json(&summary)?;
    }
    if !args.quiet && (args.output.is_some() || counts.failed > 0 || inputs.len() > 1) {
        console::say(&summary(&counts, left, args.output.as_deref()));
    }
    Ok(match counts.failed {
        _ if interrupt.is_asked() => Exit::Interrupted,
        0 => Exit::Done,
        _ => Exit::Imperfect,
    })
}

#[derive(Default)]
struct Counts {
    done: usize,
    /// Done by the run before, and still as it was.
    resumed: usize,
    failed: usize,
    files: usize,
}

/// The images of a run, and what is done to them.
struct Run<'a> {
    job: &'a Job<'a>,
    inputs: &'a [Input],
    /// Those of the inputs that are this run's.
    numbers: &'a [usize],
    output: Option<&'a Output>,
    most_failures: Option<u64>,
    quiet: bool,
    verbose: bool,
}

/// What became of an image.
enum Image {
    Done {
        record: Map<String, Json>,
        files: usize,
        times: Times,
    },
    /// Done by the run before.
    Resumed(Map<String, Json>),
    Failed {
        record: Map<String, Json>,
        error: Error,
    },
    /// Nobody's fault: the user gave up.
    GivenUp,
    /// The run cannot go on.
    Fatal(Error),
}

impl Run<'_> {
    fn carry_out(
        &self,
        threads: &Threads,
        interrupt: &Interrupt,
        records: &mut Records,
        progress: &Progress,
    ) -> Result<Counts, Failure> {
        let pools = threads.pools()?;
        let failures = AtomicU64::new(0);
        let is_over = AtomicBool::new(false);
        let gives_up = || self.most_failures.is_some_and(|most| failures.load(Ordering::Relaxed) >= most);
        let go_on = || !interrupt.is_asked() && !gives_up() && !is_over.load(Ordering::Relaxed);
        let work = |pool: &ThreadPool, at: usize| {
            let image = self.image(pool, self.numbers[at]);
            match image {
                Image::Failed { .. } => {
                    failures.fetch_add(1, Ordering::Relaxed);
                }
                Image::Fatal(_) => is_over.store(true, Ordering::Relaxed),
                _ => {}
            }
            image
        };
        let mut counts = Counts::default();
        let mut ended = Ok(());
        in_order(&pools, self.numbers.len(), 4 * pools.len(), go_on, work, |at, image| {
            match self.deliver(&self.inputs[self.numbers[at]].name, image, &mut counts, records, progress) {
                Ok(()) => ControlFlow::Continue(()),
                Err(failure) => {
                    ended = Err(failure);
                    ControlFlow::Break(())
                }
            }
        });
        ended.map(|()| counts)
    }

    /// On a worker: does an image, unless it is done, and notes it in the journal.
    fn image(&self, pool: &ThreadPool, number: usize) -> Image {
        let input = &self.inputs[number];
        match self.output.map(|output| output.is_done(number, input)).transpose() {
            Ok(Some(output::Known::Done(record))) => return Image::Resumed(record),
            Ok(Some(output::Known::Changed)) if !self.quiet => {
                console::say(&format!("`{}` has changed since: done again", input.name));
            }
            Ok(_) => {}
            Err(error) => return Image::Fatal(error),
        }
        let result = pool.install(|| catch_unwind(AssertUnwindSafe(|| self.job.run(input))));
        let result = result.unwrap_or_else(|payload| Err(panicked(payload.as_ref())));
        let mut record = Map::new();
        record.insert("image".into(), input.name.as_str().into());
        if let Some(page) = input.page {
            record.insert("page".into(), (page + 1).into());
        }
        let (image, stamp, files) = match result {
            Ok(Done { record: found, files, stamp, times }) => {
                record.insert("status".into(), "ok".into());
                record.extend(found);
                (Image::Done { record: record.clone(), files: files.len(), times }, stamp, files)
            }
            Err(error) if error.kind() == ErrorKind::Cancelled => return Image::GivenUp,
            Err(error) if self.output.is_some_and(|output| output.is_lost(&error)) => {
                return Image::Fatal(error.with_hint(RESUME));
            }
            Err(error) => {
                record.insert("status".into(), "error".into());
                record.insert("kind".into(), error.kind().as_str().into());
                record.insert("error".into(), one_line(&error).into());
                (Image::Failed { record: record.clone(), error }, output::stamp(input), Vec::new())
            }
        };
        match self.output.map(|output| output.note(number, &stamp, &files, &record)).transpose() {
            Ok(_) => image,
            Err(error) => Image::Fatal(error.with_hint(RESUME)),
        }
    }

    /// On the main thread, in input order.
    fn deliver(
        &self,
        name: &str,
        image: Image,
        counts: &mut Counts,
        records: &mut Records,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let record = match image {
            Image::Done { record, files, times } => {
                counts.done += 1;
                counts.files += files;
                if self.verbose {
                    let total = times.read + times.work + times.write;
                    let words =
                        format!("`{name}`: {:.1} ms, {}", 1e3 * total.as_secs_f64(), number(files, "file"));
                    console::say(&words);
                }
                records.time(name, times)?;
                record
            }
            Image::Resumed(record) => {
                counts.resumed += 1;
                record
            }
            Image::Failed { record, error } => {
                counts.failed += 1;
                if let Some(output) = self.output {
                    output.failed(name, &error)?;
                }
                if !self.quiet {
                    progress.suspend(|| console::report(&placed(error, name)));
                }
                record
            }
            Image::GivenUp => return Ok(()),
            Image::Fatal(error) => return Err(placed(error, name).into()),
        };
        progress.advance();
        progress.suspend(|| records.write(&record))
    }
}

fn panicked(payload: &(dyn Any + Send)) -> Error {
    let words = payload.downcast_ref::<&str>().copied();
    let words = words.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let words = words.unwrap_or("no reason given").lines().next().unwrap_or_default();
    Error::new(ErrorKind::Internal, format!("a fault of lyncean: {words}"))
        .with_hint("`RUST_BACKTRACE=1` shows where; please report it")
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

fn number(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn summary(counts: &Counts, left: usize, folder: Option<&Path>) -> String {
    let mut words = vec![format!("{} done", number(counts.done, "image"))];
    if counts.resumed > 0 {
        words.push(format!("{} done before", counts.resumed));
    }
    if counts.failed > 0 {
        words.push(format!("{} failed", counts.failed));
    }
    if left > 0 {
        words.push(format!("{left} not begun or given up"));
    }
    let images = words.join(", ");
    match folder {
        Some(folder) => {
            format!("{images}; {} written to `{}`", number(counts.files, "file"), folder.display())
        }
        None => images,
    }
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::Deserialize;

    use super::super::inputs;
    use super::*;
    use crate::document::Source;
    use crate::image::codec::WriteOptions;
    use crate::ops::context::Cancel;
    use crate::pipeline::Loader;
    use crate::stage::{Family, Kind, Lowering, Output, Port, PortType, Stage, Value, ValueId, Whole, types};

    /// Panics on pictures of an odd width.
    #[derive(Default, Deserialize, JsonSchema)]
    struct Moody {}

    static MOODY: Kind =
        Kind::new::<Moody>("moody", Family::Points, &[Port::new("image", types::PICTURE)], "use = \"moody\"");

    impl Stage for Moody {
        fn outputs(&self, inputs: &[PortType]) -> crate::Result<Vec<Output>, String> {
            Ok(vec![("image", inputs[0])])
        }

        fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> crate::Result<Vec<ValueId>> {
            let meta = graph.meta(inputs[0]);
            Ok(graph.whole(std::sync::Arc::new(MoodyStep), inputs, vec![meta]))
        }
    }

    struct MoodyStep;

    impl Whole for MoodyStep {
        fn name(&self) -> &'static str {
            "moody"
        }

        fn run(&self, _: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> crate::Result<()> {
            let Value::Image(value) = &inputs[0] else { return Ok(()) };
            assert!(value.image.width() % 2 == 0, "odd widths are not to my taste");
            outputs.extend_from_slice(inputs);
            Ok(())
        }
    }

    #[test]
    fn a_panic_in_one_image_is_its_record_and_the_others_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let mut words = Vec::new();
        for width in 1..9 {
            let path = folder.path().join(format!("{width}.png"));
            let image = crate::image::Image::new(crate::image::ImageType::Gray8, width, 2);
            crate::image::codec::write(&path, &image, Format::Png, &WriteOptions::default()).unwrap();
            words.push(path);
        }
        let kinds: &[&'static Kind] = &[&MOODY];
        let text = Source::new("moody", "version = 1\n[[stage]]\nuse = \"moody\"\n");
        let pipeline = Loader::new().with_kinds(kinds).parse(text).unwrap();
        let job = Job {
            pipeline: &pipeline,
            options: RunOptions::default(),
            saved: Vec::new(),
            folder: None,
            format: None,
            stream: args::Stream::Auto,
            limits: Limits::default(),
            cancel: Cancel::default(),
            timeout: None,
            is_durable: false,
            cache: None,
            last_stamp: Mutex::default(),
        };
        let inputs = inputs::collect(&words, false, None).unwrap();
        let path = folder.path().join("records");
        let mut records = Records::to(&path, args::RecordFormat::Jsonl, None).unwrap();
        let threads = Threads { images: 3, inside: 1 };
        let (interrupt, progress) = (Interrupt::default(), Progress::new(8, false));
        let numbers: Vec<usize> = (0..8).collect();
        let run = Run {
            job: &job,
            inputs: &inputs,
            numbers: &numbers,
            output: None,
            most_failures: None,
            quiet: true,
            verbose: false,
        };
        let done = run.carry_out(&threads, &interrupt, &mut records, &progress);
        let Ok(done) = done else { panic!("the run itself failed") };
        assert_eq!((done.done, done.failed), (4, 4));
        let text = std::fs::read_to_string(&path).unwrap();
        let kinds: Vec<bool> = text
            .lines()
            .map(|line| line.contains(r#""kind":"internal","error":"a fault of lyncean: odd widths"#))
            .collect();
        assert_eq!(kinds, [true, false].repeat(4));
    }

    #[test]
    fn an_error_names_its_image_once() {
        let read = Error::input("`a.png`: no picture");
        assert_eq!(placed(read, "a.png").to_string(), "`a.png`: no picture");
        let within = Error::shape("too small").within("resize").with_hint("make it larger");
        assert_eq!(one_line(&within), "resize: too small");
        let words = placed(within, "a.png").to_string();
        assert_eq!(words, "`a.png`: resize: too small\nhint: make it larger");
    }
}
