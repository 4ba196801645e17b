//! Pipelines that classify, judged on the same labelled pictures and timed in turns.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::dataset::Dataset;
use super::metrics::{Confusion, Paired, Proportion};
use crate::image::Image;
use crate::image::codec::Decode;
use crate::ops::Context;
use crate::pipeline::{Pipeline, RunOptions};
use crate::stage::{DataType, PortType};
use crate::{Error, ErrorKind, Result};

/// How pipelines are compared.
#[derive(Clone, Debug)]
pub struct Options {
    /// Judge on so many pictures at most, taken at even steps through the data, so that sorted
    /// classes all have their share.
    pub limit: Option<usize>,
    /// How often each pipeline is timed on each picture, at least 1; the fastest counts.
    pub repeats: usize,
    /// Instruction set and cancellation. Everything runs on one thread.
    pub context: Context,
}

impl Default for Options {
    /// All pictures, three turns each.
    fn default() -> Self {
        Self { limit: None, repeats: 3, context: Context::default() }
    }
}

/// What comparing gave.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The classes of the data.
    pub classes: Vec<String>,
    /// How many pictures were judged on.
    pub images: usize,
    /// The pipelines, in the order given.
    pub contenders: Vec<Contender>,
    /// Each pipeline against each later one.
    pub pairs: Vec<Pair>,
}

/// How one pipeline did.
#[derive(Clone, Debug)]
pub struct Contender {
    /// The name of the pipeline's file.
    pub name: String,
    /// The stage whose classes were taken.
    pub stage: String,
    /// What each class was taken for.
    pub confusion: Confusion,
    /// The pictures it failed on, in order. They count as wrong.
    pub failures: Vec<Failure>,
    /// How long a picture took; `None` where all failed.
    pub time: Option<Time>,
}

impl Contender {
    /// The share of pictures whose most probable class is the true one.
    pub fn accuracy(&self) -> Proportion {
        self.confusion.accuracy()
    }
}

/// A picture that a pipeline could not classify.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The picture's name in the data.
    pub image: String,
    /// Why.
    pub error: Arc<Error>,
}

/// Milliseconds from a picture in memory to its results, on one thread. Of each picture the fastest
/// turn is taken, for whatever disturbs a computer only ever makes it slower.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Time {
    /// The median picture.
    pub median_ms: f64,
    /// The fastest picture.
    pub min_ms: f64,
}

/// One pipeline against another. Where there are more than two pipelines, p-values are not adjusted
/// for the number of pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The index of the first contender.
    pub first: usize,
    /// The index of the second contender.
    pub second: usize,
    /// What they got right together and alone.
    pub counts: Paired,
}

/// Runs pipelines on the same labelled pictures and tells how often each is right, how sure that is,
/// and how long a picture takes.
///
/// A pipeline's answer is the most probable class of the last stage that gives classes; labels are
/// compared with the data's as texts. Times are taken in turns, picture by picture: A, B, A, B, then
/// B, A, B, A on the next, so that neither a computer that warms up nor a picture already in the
/// cache favours one of them. All but the times is the same in every run. `progress` is told how
/// many pictures are done, and of how many.
///
/// ```
/// use std::path::Path;
/// use lyncean::eval::dataset::Dataset;
/// use lyncean::eval::{Comparison, Contender, Failure, Options, Pair, Time, compare};
/// use lyncean::pipeline::Pipeline;
///
/// let data = Dataset::open_for_test(Path::new("fixtures/digits"))?;
/// let pipelines = [Pipeline::load("builtin:digits-template")?, Pipeline::load("builtin:digits-hog")?];
/// let options = Options { limit: Some(40), repeats: 1, ..Options::default() };
/// let Comparison { images, contenders, pairs, .. } = compare(&pipelines, &data, &options, &mut |_, _| {})?;
/// let [plain, learned]: &[Contender] = &contenders else { panic!("two were given") };
/// assert_eq!((images, learned.failures.len()), (40, 0));
/// assert!(learned.accuracy().value() > plain.accuracy().value());
/// let Pair { counts, .. } = pairs[0];
/// assert_eq!(counts.second(), learned.accuracy());
/// assert!(learned.time.is_some_and(|Time { min_ms, median_ms }| min_ms <= median_ms));
/// # let _: Option<&Failure> = plain.failures.first();
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Pipeline`](ErrorKind::Pipeline) when a pipeline gives no classes, [`Input`](ErrorKind::Input)
/// when there is no picture, [`Cancelled`](ErrorKind::Cancelled). A picture that fails is no error:
/// it counts as wrong and is listed.
pub fn compare(
    pipelines: &[Pipeline],
    data: &Dataset,
    options: &Options,
    progress: &mut (dyn FnMut(usize, usize) + Send),
) -> Result<Comparison> {
    let mut runners = pipelines.iter().map(|p| Runner::new(p, data, options)).collect::<Result<Vec<_>>>()?;
    let images = options.limit.unwrap_or(data.len()).min(data.len());
    if runners.is_empty() || images == 0 {
        let what = if runners.is_empty() { "pipelines to compare" } else { "pictures to compare on" };
        return Err(Error::input(format!("there are no {what}")));
    }
    let mut pairs: Vec<Pair> = (0..runners.len())
        .flat_map(|first| (first + 1..runners.len()).map(move |second| (first, second)))
        .map(|(first, second)| Pair { first, second, counts: Paired::default() })
        .collect();
    // A pool of one: a pipeline's own schedule may ask for threads, and must not get them here.
    crate::parallel::in_threads(1, || {
        for index in 0..images {
            let picture = index * data.len() / images;
            judge(&mut runners, data, picture, index, options)?;
            let was_right = |runner: usize| runners[runner].last == Some(true);
            for pair in &mut pairs {
                pair.counts.add(was_right(pair.first), was_right(pair.second));
            }
            progress(index + 1, images);
        }
        Ok::<_, Error>(())
    })?;
    let contenders = runners.into_iter().map(Runner::finish).collect();
    Ok(Comparison { classes: data.classes().to_vec(), images, contenders, pairs })
}

/// Runs all pipelines on a picture: once for the answers, which also warms up, then in turns.
fn judge(
    runners: &mut [Runner<'_>],
    data: &Dataset,
    picture: usize,
    index: usize,
    options: &Options,
) -> Result<()> {
    options.context.check()?;
    let truth = data.label(picture);
    let images = match images(runners, data, picture) {
        Ok(images) => images,
        Err(error) => {
            let error = Arc::new(error);
            for runner in runners {
                runner.fail(truth, data.name(picture), Arc::clone(&error));
            }
            return Ok(());
        }
    };
    for (runner, image) in runners.iter_mut().zip(&images) {
        match runner.answer(image) {
            Ok(label) => {
                runner.last = Some(label == data.classes()[truth]);
                runner.contender.confusion.add(truth, Some(&label));
            }
            Err(error) if error.kind() == ErrorKind::Cancelled => return Err(error),
            Err(error) => runner.fail(truth, data.name(picture), Arc::new(error)),
        }
    }
    let mut fastest: Vec<Option<Duration>> = vec![None; runners.len()];
    let timed: Vec<usize> = (0..runners.len())
        .map(|turn| (turn + index) % runners.len())
        .filter(|&runner| runners[runner].last.is_some())
        .collect();
    for _ in 0..options.repeats.max(1) {
        for &runner in &timed {
            let time = runners[runner].time(&images[runner])?;
            fastest[runner] = Some(fastest[runner].map_or(time, |fastest| fastest.min(time)));
        }
    }
    for (runner, time) in runners.iter_mut().zip(fastest) {
        runner.times.extend(time);
    }
    Ok(())
}

/// A picture for each of the pipelines; those that want the same of its file share it.
fn images(runners: &[Runner<'_>], data: &Dataset, picture: usize) -> Result<Vec<Arc<Image>>> {
    let mut read: Vec<(Decode, Arc<Image>)> = Vec::new();
    let image = |runner: &Runner<'_>| {
        let decode = runner.pipeline.decode();
        if let Some((_, image)) = read.iter().find(|(known, _)| *known == decode) {
            return Ok(Arc::clone(image));
        }
        let image = Arc::new(data.image_for(picture, decode)?);
        read.push((decode, Arc::clone(&image)));
        Ok(image)
    };
    runners.iter().map(image).collect()
}

/// A pipeline at work, and what is known of it so far.
struct Runner<'a> {
    pipeline: &'a Pipeline,
    run: RunOptions,
    contender: Contender,
    /// Whether it was right on the last picture; `None` when it failed.
    last: Option<bool>,
    /// Of each picture that went well.
    times: Vec<Duration>,
}

impl<'a> Runner<'a> {
    fn new(pipeline: &'a Pipeline, data: &Dataset, options: &Options) -> Result<Self> {
        let contender = Contender {
            name: pipeline.source().name().to_owned(),
            stage: classifying_stage(pipeline)?,
            confusion: Confusion::new(data.classes()),
            failures: Vec::new(),
            time: None,
        };
        let context = options.context.clone().with_threads(1);
        let run = RunOptions { context, ..RunOptions::default() };
        Ok(Self { pipeline, run, contender, last: None, times: Vec::new() })
    }

    fn answer(&self, image: &Arc<Image>) -> Result<String> {
        let results = self.pipeline.run_with(Arc::clone(image), None, &self.run)?;
        let classes = results.classes(&self.contender.stage)?;
        let first = classes.first().map(|class| class.label.clone());
        first.ok_or_else(|| Error::input("no class was given").within(&self.contender.stage))
    }

    fn time(&self, image: &Arc<Image>) -> Result<Duration> {
        let start = Instant::now();
        let results = self.pipeline.run_with(Arc::clone(image), None, &self.run)?;
        let time = start.elapsed();
        drop(results);
        Ok(time)
    }

    fn fail(&mut self, truth: usize, image: String, error: Arc<Error>) {
        self.last = None;
        self.contender.confusion.add(truth, None);
        self.contender.failures.push(Failure { image, error });
    }

    fn finish(mut self) -> Contender {
        self.times.sort_unstable();
        let milliseconds = |time: &Duration| time.as_secs_f64() * 1e3;
        let middle = self.times.len() / 2;
        self.contender.time = self.times.first().map(|min| Time {
            median_ms: match self.times.len() % 2 {
                1 => milliseconds(&self.times[middle]),
                _ => f64::midpoint(milliseconds(&self.times[middle - 1]), milliseconds(&self.times[middle])),
            },
            min_ms: milliseconds(min),
        });
        self.contender
    }
}

/// The last stage that gives classes.
fn classifying_stage(pipeline: &Pipeline) -> Result<String> {
    let gives_classes = |outputs: &[crate::stage::Output]| {
        outputs.iter().any(|(_, ty)| *ty == PortType::Data(DataType::Classes))
    };
    for input in pipeline.accepted() {
        let types = pipeline.types(*input)?;
        if let Some(at) = types.iter().rposition(|outputs| gives_classes(outputs)) {
            return Ok(pipeline.stage_names().nth(at).unwrap_or_default().to_owned());
        }
    }
    let name = pipeline.source().name();
    Err(Error::pipeline(format!("no stage of `{name}` gives classes"))
        .with_hint("end it with a stage such as `classify` or `nearest-template`"))
}
