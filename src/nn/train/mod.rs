//! Training of classifiers, of whole pictures or of pixels, and autoencoders: from an architecture, examples and settings to a run directory.
//!
//! A run is a function of its settings and its examples: the same bits come out for any number of
//! threads, and a run that was stopped and resumed ends as one that was not. Nothing is printed;
//! a [`Progress`] hears of steps and epochs.
//!
//! ```
//! use lyncean::document::Source;
//! use lyncean::nn::train::{
//!     Algorithm, ConfusionMatrix, EpochReport, NetCheck, ParamCheck, Examples, Fit, Loss, Outcome, Part, Progress, Schedule, Score, Settings, StepReport, Target,
//!     TrainNet, check, evaluate, run,
//! };
//!
//! /// Dark pictures and bright ones.
//! struct Shades(Vec<String>);
//!
//! impl Examples for Shades {
//!     fn len(&self) -> usize {
//!         40
//!     }
//!
//!     fn classes(&self) -> &[String] {
//!         &self.0
//!     }
//!
//!     fn label(&self, index: usize) -> usize {
//!         index % 2
//!     }
//!
//!     fn read(&self, index: usize, _shape: [usize; 3], values: &mut [f32]) -> lyncean::Result<()> {
//!         values.fill(if index % 2 == 0 { 0.1 } else { 0.9 });
//!         Ok(())
//!     }
//! }
//!
//! struct Count(usize);
//!
//! impl Progress for Count {
//!     fn step(&mut self, _report: &StepReport) {
//!         self.0 += 1;
//!     }
//!
//!     fn epoch(&mut self, report: &EpochReport) {
//!         assert!(report.train_loss.is_finite());
//!     }
//! }
//!
//! let text = "version = 1\nname = \"shades\"\ninput = [1, 2, 2]\nmean = [0.5]\nstd = [0.5]\n\
//!     [[layer]]\nuse = \"flatten\"\n[[layer]]\nuse = \"linear\"\nout = 2\n";
//! let folder = tempfile::tempdir().unwrap();
//! let settings =
//!     Settings { epochs: 10, batch: 4, schedule: Schedule::Constant, threads: 1, ..Settings::default() };
//! let job = TrainNet { arch: Source::new("shades.toml", text), init: None, settings, out: folder.path().join("run"), resume: false };
//! let shades = Shades(vec!["dark".into(), "bright".into()]);
//! // A look at the net before it is trained.
//! let NetCheck { params, problems, .. } = check(&job, &shades)?;
//! let first: &ParamCheck = &params[0];
//! assert!(problems.is_empty() && first.error < 0.05 && first.gradient > 0.0);
//! let mut count = Count(0);
//! let Outcome { best, .. } = run(&job, &shades, &mut count)?;
//! let Score { correct, total, .. } = evaluate(&best, &shades)?;
//! assert_eq!((correct, total, count.0), (40, 40, 90));
//! let matrix = ConfusionMatrix::of(&best, &Part::all(&shades))?;
//! assert_eq!((matrix.row(1), matrix.recall(1)), ([0, 20].as_slice(), Some(1.0)));
//! assert!(matrix.to_csv().starts_with("class,dark,bright,recall\n") && matrix.to_svg().starts_with("<svg"));
//! assert_eq!(Part::all(&shades).indices.len(), 40);
//!
//! // A denoising autoencoder would have these.
//! let settings = Settings { target: Target::Input, noise: 0.3, optimiser: Algorithm::Adam, ..Settings::default() };
//! assert_eq!(settings.loss(), Loss::SquaredError);
//! // A net of pixels these, on pictures with masks.
//! let settings = Settings { target: Target::Mask, fit: Fit::Resize, ..Settings::default() };
//! assert_eq!(settings.loss(), Loss::CrossEntropy);
//! # Ok::<(), lyncean::Error>(())
//! ```

mod augment;
mod check;
mod compare;
mod confusion;
mod curves;
mod events;
mod examples;
mod measure;
mod rundir;
mod settings;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use augment::Augment;
pub use check::{NetCheck, ParamCheck, check};
pub use confusion::ConfusionMatrix;
use examples::masked_batch;
pub use examples::{Cut, Examples, Part, batch};
pub use settings::{Algorithm, Fit, Loss, Schedule, Settings, Target};

use super::arch::{self, Arch};
use super::layer::Mode;
use super::loss::IGNORED;
use super::optim::{Optimiser, clip};
use super::{Net, Reuse, Rng};
use crate::document::Source;
use crate::{Error, Result};
use compare::{Wanted, compare};
use measure::{measure, noisy, training_batch};
use rundir::{RunDir, State};

/// What to train, how, and where to put it.
#[derive(Clone, Debug)]
pub struct TrainNet {
    /// The architecture file.
    pub arch: Source,
    /// A weights file to begin with, of which all is taken that the net has too.
    pub init: Option<Vec<u8>>,
    /// How to train.
    pub settings: Settings,
    /// The run directory; it is made when it is not there.
    pub out: PathBuf,
    /// Go on where a run with the same architecture and settings stopped; the number of epochs alone
    /// may differ, if the learning rate does not depend on it.
    pub resume: bool,
}

/// One epoch, as `metrics.csv` has it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochReport {
    /// The epoch, from 1.
    pub epoch: usize,
    /// The learning rate of its first step.
    pub rate: f64,
    /// Mean loss over the epoch's batches, as they were met.
    pub train_loss: f64,
    /// Share of samples that were right as they were met, where there are classes; of pixels, where they have.
    pub train_accuracy: Option<f64>,
    /// Mean loss over the validation part after the epoch, if there is one.
    pub validation_loss: Option<f64>,
    /// Share of the validation part, of its pixels where they have classes, that is right after the epoch.
    pub validation_accuracy: Option<f64>,
    /// Mean intersection over union of the classes of pixels on the validation part, where the target is a mask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_iou: Option<f64>,
    /// Mean of Dice's coefficients of the classes of pixels there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_dice: Option<f64>,
}

/// A step of training.
#[derive(Clone, Copy, Debug)]
pub struct StepReport {
    /// The epoch, from 1.
    pub epoch: usize,
    /// Epochs in all.
    pub epochs: usize,
    /// The step, from 1.
    pub step: usize,
    /// Steps of an epoch.
    pub steps: usize,
    /// Mean loss of the batch.
    pub loss: f64,
}

/// Hears of progress; every method may be left out.
pub trait Progress {
    /// After each step.
    fn step(&mut self, _report: &StepReport) {}

    /// After each epoch.
    fn epoch(&mut self, _report: &EpochReport) {}

    /// Asked before each step; training stops where this is true. The epochs so far are kept.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// A progress that nobody hears of.
impl Progress for () {}

/// What came out.
#[derive(Debug)]
pub struct Outcome {
    /// The net of the best epoch by mean intersection over union where the target is a mask, by validation accuracy
    /// where samples have classes, by validation loss where there are no classes, or of
    /// the last epoch where there is no validation part: `best.safetensors`.
    pub best: Net,
    /// Which epoch that was, from 1.
    pub best_epoch: usize,
    /// All epochs.
    pub epochs: Vec<EpochReport>,
}

/// Mean loss and right answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Mean cross-entropy.
    pub loss: f64,
    /// Samples that were right.
    pub correct: usize,
    /// Samples.
    pub total: usize,
}

impl Score {
    /// Share of samples that were right; 0 for none.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.total.max(1) as f64
    }
}

/// Trains a net in [`Settings::threads`] threads and fills the run directory: `net.toml`, `settings.json`,
/// `metrics.csv`, the same as `curves.svg` and as `events.out.tfevents` for TensorBoard, `best.safetensors`,
/// `last.safetensors`, what the best net makes of the validation part as `confusion.csv` and `confusion.svg`, and `state.safetensors` to resume from.
///
/// # Errors
/// Problems of the architecture and the settings, examples that do not fit the net, files that
/// cannot be read or written, and [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn run(job: &TrainNet, examples: &dyn Examples, progress: &mut (dyn Progress + Send)) -> Result<Outcome> {
    job.settings.check()?;
    crate::parallel::in_threads(job.settings.threads, || {
        let _reuse = Reuse::new();
        Run::new(job, examples)?.train(progress)
    })
}

/// The score of a net on examples with a label each, in the threads of the caller's pool;
/// [`ConfusionMatrix::of_pixels`] judges by masks.
///
/// # Errors
/// Examples that do not fit the net or cannot be read.
pub fn evaluate(net: &Net, examples: &dyn Examples) -> Result<Score> {
    let found = measure(net, &Part::all(examples), &Settings::default())?;
    Ok(Score { loss: found.loss, correct: found.correct.unwrap_or_default(), total: examples.len() })
}

struct Run<'a> {
    settings: &'a Settings,
    rng: Rng,
    training: Part<'a>,
    validation: Part<'a>,
    folder: RunDir,
    net: Net,
    optimiser: Optimiser,
    state: State,
}

impl<'a> Run<'a> {
    fn new(job: &'a TrainNet, examples: &'a dyn Examples) -> Result<Self> {
        let settings = &job.settings;
        let net = prepared(job, examples)?;
        let rng = Rng::new(settings.seed);
        let (training, validation) = Part::split(examples, settings.validation, rng.stream("split"));
        if training.indices.is_empty() {
            return Err(Error::input(format!("expected examples to train on, got {}", examples.len())));
        }
        let folder = RunDir::new(&job.out, &net.arch().text, settings, examples.recipe(), job.resume)?;
        let mut run = Self {
            settings,
            rng,
            training,
            validation,
            folder,
            net,
            optimiser: Optimiser::boxed(settings.rule()),
            state: State::default(),
        };
        if job.resume {
            run.state = run.folder.restore(&mut run.net, &mut run.optimiser)?;
        }
        Ok(run)
    }

    fn train(mut self, progress: &mut dyn Progress) -> Result<Outcome> {
        while self.state.epochs.len() < self.settings.epochs && !self.is_settled() {
            let report = self.epoch(progress)?;
            // Larger is better.
            let score = report.validation_iou.or(report.validation_accuracy);
            let score = score.or(report.validation_loss.map(|loss| -loss));
            let is_best = match (score, self.state.best_score) {
                (Some(score), Some(best)) => score > best,
                _ => true,
            };
            self.state.epochs.push(report);
            if is_best {
                self.state.best_epoch = report.epoch;
                self.state.best_score = score;
            }
            self.look_for_plateau(&report);
            self.folder.store(&self.net, &self.optimiser, &self.state, is_best)?;
            progress.epoch(&report);
        }
        let best = self.folder.best()?;
        if self.settings.target != Target::Input && !self.validation.indices.is_empty() {
            let matrix = match self.settings.target {
                Target::Mask => ConfusionMatrix::of_pixels(&best, &self.validation, self.settings.fit)?,
                _ => ConfusionMatrix::of(&best, &self.validation)?,
            };
            self.folder.tell_confusion(&matrix)?;
        }
        Ok(Outcome { best, best_epoch: self.state.best_epoch, epochs: self.state.epochs })
    }

    /// Whether no epoch has been better for as long as the settings allow.
    fn is_settled(&self) -> bool {
        let (done, best) = (self.state.epochs.len(), self.state.best_epoch);
        self.settings.patience.is_some_and(|patience| done > best + patience)
    }

    /// Lowers the rate where the loss has stayed too long.
    fn look_for_plateau(&mut self, report: &EpochReport) {
        let Schedule::Plateau { patience, factor } = self.settings.schedule else { return };
        let loss = report.validation_loss.unwrap_or(report.train_loss);
        let plateau = &mut self.state.plateau;
        if plateau.least.is_none_or(|least| loss < least) {
            plateau.least = Some(loss);
            plateau.waited = 0;
            return;
        }
        plateau.waited += 1;
        if plateau.waited > patience {
            plateau.factor *= factor;
            plateau.waited = 0;
        }
    }

    fn epoch(&mut self, progress: &mut dyn Progress) -> Result<EpochReport> {
        let (settings, epoch) = (self.settings, self.state.epochs.len());
        let rng = self.rng.stream("epoch").substream(epoch as u64);
        let order = rng.stream("order").permutation(self.training.indices.len());
        let order: Vec<usize> = order.into_iter().map(|at| self.training.indices[at]).collect();
        let steps = order.len().div_ceil(settings.batch);
        let augment = settings.augment.is_some().then(|| rng.stream("augment"));
        let (mut loss, mut correct, mut judged) = (0.0, None, 0);
        for (step, indices) in order.chunks(settings.batch).enumerate() {
            if progress.is_cancelled() {
                return Err(Error::cancelled());
            }
            let (arch, examples) = (self.net.arch(), self.training.examples);
            let (x, labels) = training_batch(arch, examples, indices, settings, rng, augment)?;
            let mode = Mode::training(rng.stream("step").substream(step as u64));
            let shown = noisy(&x, settings, rng.stream("noise").substream(step as u64));
            let (y, tape) = self.net.record(&shown, &mode)?;
            let wanted = Wanted { labels: &labels, input: &x };
            let result = compare(&y, &wanted, settings)?;
            let (mut total, mut heads) = (result.loss, Vec::new());
            for (head, y) in self.net.arch().heads.iter().zip(tape.heads()) {
                let result = compare(y, &wanted, settings)?;
                total += f64::from(head.weight) * result.loss;
                heads.push(result.gradient);
            }
            if !total.is_finite() {
                let place = format!("epoch {} step {}", epoch + 1, step + 1);
                return Err(Error::input(format!("the loss is {total} in {place}"))
                    .with_hint("a smaller learning rate, or inputs nearer to 0"));
            }
            let mut grads = self.net.backward_heads(&tape, result.gradient, heads)?;
            if let Some(limit) = settings.clip {
                clip(&mut grads, limit);
            }
            let rate = settings.rate(epoch as f64 + step as f64 / steps as f64) * self.state.plateau.factor;
            self.optimiser.step(&mut self.net, &grads, rate as f32)?;
            self.net.commit(&tape);
            if let Some(max_norm) = &settings.max_norm {
                max_norm.apply(&mut self.net)?;
            }
            loss += total * indices.len() as f64;
            judged += labels.iter().filter(|label| **label != IGNORED).count();
            correct = result.correct.map(|right| right + correct.unwrap_or(0));
            progress.step(&StepReport {
                epoch: epoch + 1,
                epochs: settings.epochs,
                step: step + 1,
                steps,
                loss: total,
            });
        }
        let validation = if self.validation.indices.is_empty() {
            None
        } else {
            Some(measure(&self.net, &self.validation, settings)?)
        };
        Ok(EpochReport {
            epoch: epoch + 1,
            rate: settings.rate(epoch as f64) * self.state.plateau.factor,
            train_loss: loss / order.len() as f64,
            train_accuracy: correct.map(|correct| correct as f64 / judged.max(1) as f64),
            validation_loss: validation.map(|found| found.loss),
            validation_accuracy: validation.and_then(|found| found.accuracy),
            validation_iou: validation.and_then(|found| found.iou),
            validation_dice: validation.and_then(|found| found.dice),
        })
    }
}

/// The net of a job before the first step.
fn prepared(job: &TrainNet, examples: &dyn Examples) -> Result<Net> {
    let settings = &job.settings;
    let arch = arch::parse(&job.arch)?;
    let arch = match settings.target {
        Target::Class if examples.has_masks() => {
            return Err(Error::pipeline("the examples have masks, and no labels")
                .with_hint("`target = \"mask\"` compares the class of each pixel"));
        }
        Target::Class => fitting(&arch, examples)?,
        Target::Mask => fitting_masks(&arch, examples)?,
        Target::Input if arch.output() == arch.input => arch,
        Target::Input => {
            let (output, input) = (arch.output(), arch.input);
            return Err(Error::shape(format!(
                "net `{}` gives {output}, but its target is its input of {input}",
                arch.name
            )));
        }
    };
    let mut net = Net::build(arch, settings.seed)?;
    if let Some(bytes) = &job.init {
        net.load_matching(bytes).map_err(|error| error.within("the weights to begin with"))?;
    }
    if !settings.freeze.is_empty() {
        net.freeze(&settings.freeze)?;
    }
    Ok(net)
}

/// The architecture with the names of the examples' classes, which must be as many as its outputs.
fn fitting(arch: &Arch, examples: &dyn Examples) -> Result<Arch> {
    let (classes, output) = (examples.classes(), arch.output());
    if *output != [classes.len()] {
        return Err(Error::shape(format!(
            "net `{}` gives {output}, but the examples have {} classes",
            arch.name,
            classes.len()
        ))
        .with_hint("set `out` of the last layer to the number of classes"));
    }
    arch.with_classes(classes)
}

/// The architecture with the names of the classes, which must give a score for each of them and each pixel.
fn fitting_masks(arch: &Arch, examples: &dyn Examples) -> Result<Arch> {
    let (classes, input, output) = (examples.classes(), arch.input, arch.output());
    if input.len() != 3 || output.len() != 3 || input[1..] != output[1..] {
        return Err(Error::shape(format!(
            "net `{}` takes {input} and gives {output}, expected pictures and a score for each class and pixel",
            arch.name
        ))
        .with_hint("`unet-small` is such a net"));
    }
    if output[0] != classes.len() {
        return Err(Error::shape(format!(
            "net `{}` gives scores of {} classes, but the masks have {}",
            arch.name,
            output[0],
            classes.len()
        ))
        .with_hint("set `out` of the last layer to the number of classes"));
    }
    arch.with_classes(classes)
}
