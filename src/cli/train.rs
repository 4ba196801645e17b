//! `lyncean train`: learning from labelled data.

use std::path::{Path, PathBuf};
use std::time::Instant;

use indicatif::ProgressBar;

use super::interrupt::Interrupt;
use super::{Exit, Failure, Outcome, console, load, nets};
use super::{train_calibration, train_cascade, train_data, train_linear, train_samples};
use crate::eval::metrics::Proportion;
use crate::nn::train::{
    self, Algorithm, Augment, ConfusionMatrix, EpochReport, Examples, NetCheck, Part, Progress, Settings,
    StepReport, Target, TrainNet,
};
use crate::{Error, ErrorKind};

/// Train a model on labelled data.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    Net(Box<NetArgs>),
    Linear(train_linear::Args),
    Samples(Box<train_samples::Args>),
    Cascade(Box<train_cascade::Args>),
    Calibration(train_calibration::Args),
}

/// Train a net on IDX files (such as MNIST's), on folders of pictures, one a class, on pictures with masks, on windows
/// of pictures with boxes, or on labelled sentences.
///
/// The run directory holds the architecture, the settings, `metrics.csv`, `curves.svg`, an events file
/// for `tensorboard --logdir`, `best.safetensors` and `last.safetensors`, and what the best net takes each class for:
/// `confusion.csv` and `confusion.svg` of the validation part, `confusion-test.csv` and `.svg` of the test. The same
/// seed gives the same bits for any number of threads, and a run that was stopped and resumed ends like one that was
/// not.
#[derive(clap::Args)]
struct NetArgs {
    /// A net file, or the name of a built-in net
    net: String,
    #[command(flatten)]
    data: train_data::Args,
    /// The run directory
    #[arg(short, long, value_name = "DIR", required_unless_present = "check")]
    out: Option<PathBuf>,
    /// Only look at the net on one batch: gradients against finite differences, dead units, norms, and whether the
    /// batch can be learned; nothing is written
    #[arg(long, conflicts_with = "resume")]
    check: bool,
    /// Settings in TOML, in the words of a run directory's `settings.json`
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Passes over the data
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// Samples of a step
    #[arg(long, value_name = "N")]
    batch: Option<usize>,
    /// Learning rate at the start
    #[arg(long, value_name = "RATE")]
    lr: Option<f64>,
    /// Shift, turn and scale training pictures a little at random
    #[arg(long)]
    augment: bool,
    /// What a step does with the gradients: sgd, adam, adam-w, rms-prop or adadelta
    #[arg(long, value_name = "NAME", value_parser = optimiser)]
    optimiser: Option<Algorithm>,
    /// What the output is compared with: `class`, `mask` for the class of each pixel, or `input` for an autoencoder;
    /// `mask` where the data has masks
    #[arg(long, value_name = "NAME", value_parser = target)]
    target: Option<Target>,
    /// Deviation of normal noise that is added to the input
    #[arg(long, value_name = "SIGMA")]
    noise: Option<f32>,
    /// Parameters that keep their values, as in `conv1.*`; may be repeated
    #[arg(long, value_name = "PATTERN")]
    freeze: Vec<String>,
    /// Weights to begin with: what the net has too, by name and shape, is taken
    #[arg(long, value_name = "FILE")]
    init_from: Option<PathBuf>,
    /// Stop after so many epochs without a better validation
    #[arg(long, value_name = "EPOCHS")]
    patience: Option<usize>,
    /// Where all randomness comes from
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Threads; 0 is one for each core
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Go on where a run with the same settings stopped
    #[arg(long)]
    resume: bool,
}

/// A setting that is one of some words.
fn word<T: serde::de::DeserializeOwned>(text: &str) -> std::result::Result<T, String> {
    serde_json::from_value(text.into()).map_err(|error| error.to_string())
}

fn optimiser(text: &str) -> std::result::Result<Algorithm, String> {
    word(text)
}

fn target(text: &str) -> std::result::Result<Target, String> {
    word(text)
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Outcome {
    match &args.what {
        What::Net(args) => net(args),
        What::Linear(args) => train_linear::run(args),
        What::Samples(args) => train_samples::run(args),
        What::Cascade(args) => train_cascade::run(args),
        What::Calibration(args) => train_calibration::run(args),
    }
}

fn net(args: &NetArgs) -> Outcome {
    let read = |path: &PathBuf| std::fs::read(path).map_err(|error| Error::io(path.display(), error));
    let mut settings = settings(args)?;
    let data = train_data::open(&args.data, nets::source(&args.net)?, &settings)?;
    if data.train.has_masks() && settings.target == Target::Class {
        settings.target = Target::Mask;
    }
    let job = TrainNet {
        arch: data.arch,
        init: args.init_from.as_ref().map(read).transpose()?,
        settings,
        out: args.out.clone().unwrap_or_default(),
        resume: args.resume,
    };
    if args.check {
        return look(&job, &*data.train);
    }
    let mut lines =
        Lines { interrupt: Interrupt::listen(), bar: ProgressBar::new(0), started: Instant::now() };
    let outcome = match train::run(&job, &*data.train, &mut lines) {
        Err(error) if error.kind() == ErrorKind::Cancelled => {
            lines.bar.finish_and_clear();
            console::say("stopped after the last whole epoch; `--resume` goes on from there");
            return Ok(Exit::Interrupted);
        }
        other => other?,
    };
    lines.bar.finish_and_clear();
    console::say(&format!(
        "best epoch {} is in `{}`",
        outcome.best_epoch,
        job.out.join("best.safetensors").display()
    ));
    if job.settings.target == Target::Input {
        return Ok(Exit::Done);
    }
    match data.test {
        Some(test) if job.settings.target == Target::Mask => {
            let matrix = ConfusionMatrix::of_pixels(&outcome.best, &Part::all(&*test), job.settings.fit)?;
            write_confusion(&matrix, &job.out)?;
            let share =
                |share: Option<f64>| share.map_or_else(|| "-".to_owned(), |s| format!("{:.2}%", 100.0 * s));
            let (iou, accuracy) = (share(matrix.mean_iou()), share(matrix.accuracy()));
            let (pictures, pixels) = (test.len(), matrix.total());
            console::print(&format!(
                "test mean IoU {iou}, pixel accuracy {accuracy} ({pixels} pixels of {pictures} pictures)"
            ))?;
        }
        Some(test) => {
            let score = train::evaluate(&outcome.best, &*test)?;
            write_confusion(&ConfusionMatrix::of(&outcome.best, &Part::all(&*test))?, &job.out)?;
            let interval = Proportion { hits: score.correct as u64, of: score.total as u64 }.interval();
            console::print(&format!(
                "test accuracy {:.2}% ({} of {}; 95% interval {:.2}% to {:.2}%)",
                100.0 * score.accuracy(),
                score.correct,
                score.total,
                100.0 * interval.low,
                100.0 * interval.high
            ))?;
        }
        None => console::say("the data has no test split: nothing to judge the net by"),
    }
    Ok(Exit::Done)
}

/// Tells what one batch shows of a net.
fn look(job: &TrainNet, examples: &dyn Examples) -> Outcome {
    let found = train::check(job, examples)?;
    let params = found.params.iter().map(|param| {
        [
            param.name.clone(),
            format!("{:.3e}", param.norm),
            format!("{:.3e}", param.gradient),
            format!("{:.2}%", 100.0 * param.error),
            String::new(),
        ]
    });
    let units = found.units.iter().map(|(name, dead, all)| {
        [name.clone(), String::new(), String::new(), String::new(), format!("{dead} of {all}")]
    });
    let header = ["what", "norm", "gradient", "off", "dead units"];
    console::print(&console::table(header, params.chain(units)))?;
    let NetCheck { samples, first_loss, least_loss, steps: [at, steps], .. } = found;
    console::print(&format!(
        "\none batch of {samples}: from a loss of {first_loss:.4} to {least_loss:.4} at step {at} of {steps}"
    ))?;
    for (problem, hint) in &found.problems {
        console::print(&format!("problem: {problem}\n   hint: {hint}"))?;
    }
    Ok(if found.problems.is_empty() { Exit::Done } else { Exit::Imperfect })
}

/// Writes what the best net takes the classes of the test for beside that of the validation.
fn write_confusion(matrix: &ConfusionMatrix, out: &Path) -> Result<(), Error> {
    for (name, text) in [("confusion-test.csv", matrix.to_csv()), ("confusion-test.svg", matrix.to_svg())] {
        let path = out.join(name);
        std::fs::write(&path, text).map_err(|error| Error::io(path.display(), error))?;
    }
    Ok(())
}

fn settings(args: &NetArgs) -> Result<Settings, Failure> {
    let mut settings = match &args.settings {
        None => Settings::default(),
        Some(path) => load::settings(path)?,
    };
    settings.epochs = args.epochs.unwrap_or(settings.epochs);
    settings.batch = args.batch.unwrap_or(settings.batch);
    settings.lr = args.lr.unwrap_or(settings.lr);
    settings.seed = args.seed.unwrap_or(settings.seed);
    settings.threads = args.threads.unwrap_or(settings.threads);
    settings.optimiser = args.optimiser.unwrap_or(settings.optimiser);
    settings.target = args.target.unwrap_or(settings.target);
    settings.noise = args.noise.unwrap_or(settings.noise);
    settings.patience = args.patience.or(settings.patience);
    settings.freeze.extend(args.freeze.iter().cloned());
    if args.augment {
        settings.augment = Some(Augment::default());
    }
    Ok(settings)
}

/// A bar for the steps, a line for each epoch.
struct Lines {
    interrupt: Interrupt,
    bar: ProgressBar,
    started: Instant,
}

impl Progress for Lines {
    fn step(&mut self, report: &StepReport) {
        self.bar.set_length(report.steps as u64);
        self.bar.set_position(report.step as u64);
    }

    fn epoch(&mut self, report: &EpochReport) {
        let share = |what: &str, accuracy: Option<f64>| {
            accuracy.map_or_else(String::new, |accuracy| format!(", {what} {:.2}%", 100.0 * accuracy))
        };
        let mut validation = match report.validation_iou {
            Some(iou) => share("validation IoU", Some(iou)),
            None => share("validation", report.validation_accuracy),
        };
        if let (true, Some(loss)) = (validation.is_empty(), report.validation_loss) {
            validation = format!(", validation {loss:.5}");
        }
        self.bar.suspend(|| {
            console::say(&format!(
                "epoch {:>3}: loss {:.4}{}{validation}, {:.0} s",
                report.epoch,
                report.train_loss,
                share("training", report.train_accuracy),
                self.started.elapsed().as_secs_f64()
            ));
        });
    }

    fn is_cancelled(&self) -> bool {
        self.interrupt.is_asked()
    }
}
