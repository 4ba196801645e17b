//! `lyncean train cascade`: a cascade of boosted Haar features.

use std::path::PathBuf;
use std::time::Instant;

use indicatif::ProgressBar;

use super::console::Failure;
use super::interrupt::Interrupt;
use super::{Exit, Outcome, console, load};
use crate::eval::{HeldOut, ObjectOptions, Photos, TrainCascade, read_objects, train_cascade};
use crate::ops::cascade::train::{Crops, Negatives, StageReport, TrainProgress, Training};
use crate::{ErrorKind, parallel};

/// Train a cascade of boosted Haar features (Viola and Jones, 2001) on windows with an object and pictures without.
///
/// The run directory holds `cascade.xml`, for `haar-detect` and for OpenCV's `CascadeClassifier`; `stages/NN.xml` with
/// the first NN stages; `stages.csv`; `report.html` with rates by stage, the features chosen, and the ROC on held-out
/// data; and `settings.json`. The same seed gives the same bytes for any number of threads, and a run that was
/// stopped and resumed ends like one that was not.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Settings in TOML, in the words of a run directory's `settings.json`
    settings: Option<PathBuf>,
    /// The objects: a folder of crops, pictures with boxes (COCO, Pascal VOC, YOLO, CSV, `info.dat`), or a `.vec` file
    #[arg(long, value_name = "PATH")]
    positives: PathBuf,
    /// Pictures without the object: folders, files, or a `.txt` that lists files as OpenCV's `bg.txt` does
    #[arg(long, value_name = "PATH", required = true, num_args = 1..)]
    negatives: Vec<PathBuf>,
    /// The run directory
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
    /// Further objects that set the thresholds of the stages
    #[arg(long, value_name = "PATH")]
    validation: Option<PathBuf>,
    /// Objects to judge the cascade by, of which none is trained on
    #[arg(long, value_name = "PATH", requires = "test_negatives")]
    test_positives: Option<PathBuf>,
    /// Pictures without the object to judge the cascade by, of which none is trained on
    #[arg(long, value_name = "PATH", num_args = 1.., requires = "test_positives")]
    test_negatives: Vec<PathBuf>,
    /// Of pictures with boxes: a label that is the object; may be repeated
    #[arg(long, value_name = "NAME")]
    label: Vec<String>,
    /// Of pictures with boxes: the folder of the pictures
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,
    /// Of pictures with boxes: what is added on each side of a box, as a share of it
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    margin: f64,
    /// Of pictures with boxes: stretch boxes to the shape of the window instead of widening them
    #[arg(long)]
    stretch: bool,
    /// Width of the window in pixels
    #[arg(long, value_name = "PIXELS")]
    width: Option<usize>,
    /// Height of the window in pixels
    #[arg(long, value_name = "PIXELS")]
    height: Option<usize>,
    /// The most stages
    #[arg(long, value_name = "N")]
    stages: Option<usize>,
    /// Where all randomness comes from
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Threads; 0 is one for each core
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Go on where a run with the same settings and data stopped
    #[arg(long)]
    resume: bool,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Outcome {
    let mut settings: Training = match &args.settings {
        Some(path) => load::settings(path)?,
        None => Training::default(),
    };
    settings.width = args.width.unwrap_or(settings.width);
    settings.height = args.height.unwrap_or(settings.height);
    settings.stages = args.stages.unwrap_or(settings.stages);
    settings.seed = args.seed.unwrap_or(settings.seed);
    settings.threads = args.threads.unwrap_or(settings.threads);
    settings.check()?;
    let data = parallel::in_threads(settings.threads, || Data::open(args, &settings))?;
    console::say(&format!(
        "{} objects of {}x{}, {} pictures without",
        data.objects.len(),
        settings.width,
        settings.height,
        data.negatives.len()
    ));
    let held_out = data.test.as_ref().map(|(objects, negatives)| HeldOut { objects, negatives });
    let job = TrainCascade {
        settings,
        objects: &data.objects,
        validation: data.validation.as_ref(),
        negatives: &data.negatives,
        held_out,
        out: args.out.clone(),
        resume: args.resume,
    };
    let mut lines = Lines::new(job.settings.clone());
    let outcome = train_cascade(&job, &mut |progress, stages| lines.hear(progress, stages));
    lines.bar.finish_and_clear();
    match outcome {
        Err(error) if error.kind() == ErrorKind::Cancelled => {
            console::say("stopped after the last whole stage; `--resume` goes on from there");
            Ok(Exit::Interrupted)
        }
        Err(error) => Err(error.into()),
        Ok(outcome) => {
            console::say(&outcome.stop.to_string());
            console::say(&format!("the cascade is in `{}`", args.out.join("cascade.xml").display()));
            tell(&outcome.stages, outcome.judged.as_ref())?;
            Ok(Exit::Done)
        }
    }
}

/// Tells the rates of the whole cascade.
fn tell(
    stages: &[StageReport],
    judged: Option<&[crate::ops::cascade::train::Depths; 2]>,
) -> Result<(), Failure> {
    if let Some(last) = stages.last() {
        console::print(&format!(
            "training: hit rate {:.2}%, false alarms {:.1e}, in {} stages of {} weak classifiers",
            100.0 * last.total_hit_rate,
            last.total_false_alarm(),
            stages.len(),
            stages.iter().map(|stage| stage.weak).sum::<usize>()
        ))?;
    }
    if let Some([objects, background]) = judged {
        let all = stages.len();
        console::print(&format!(
            "held out: hit rate {:.2}% ({} of {}), false alarms {:.1e} ({} of {} windows)",
            100.0 * objects.share(all),
            objects.passed[all],
            objects.windows,
            background.share(all),
            background.passed[all],
            background.windows
        ))?;
    }
    Ok(())
}

/// What is trained on and judged by.
struct Data {
    objects: Crops,
    validation: Option<Crops>,
    negatives: Photos,
    test: Option<(Crops, Photos)>,
}

impl Data {
    fn open(args: &Args, settings: &Training) -> crate::Result<Self> {
        let options = ObjectOptions {
            labels: args.label.clone(),
            pictures: args.images.clone(),
            margin: args.margin,
            stretch: args.stretch,
        };
        let read = |path: &PathBuf| read_objects(path, settings.width, settings.height, &options);
        Ok(Self {
            objects: read(&args.positives)?,
            validation: args.validation.as_ref().map(read).transpose()?,
            negatives: Photos::open(&args.negatives)?,
            test: match &args.test_positives {
                Some(path) => Some((read(path)?, Photos::open(&args.test_negatives)?)),
                None => None,
            },
        })
    }
}

/// A line that changes while a stage is learned, and one that stays for each stage.
struct Lines {
    settings: Training,
    interrupt: Interrupt,
    bar: ProgressBar,
    /// When the stage began, and how long the one before took in seconds.
    began: Instant,
    last: Option<f64>,
    told: Option<usize>,
}

impl Lines {
    fn new(settings: Training) -> Self {
        let bar = ProgressBar::new_spinner();
        Self { settings, interrupt: Interrupt::listen(), bar, began: Instant::now(), last: None, told: None }
    }

    /// Shows how it goes; says whether to go on.
    fn hear(&mut self, progress: Option<TrainProgress>, stages: &[StageReport]) -> bool {
        let Some(progress) = progress else {
            if self.told != Some(stages.len())
                && let Some(stage) = stages.last()
            {
                self.told = Some(stages.len());
                self.stage(stage);
            }
            return !self.interrupt.is_asked();
        };
        let left = self.left(stages);
        self.bar.set_message(match progress {
            TrainProgress::Mining { stage, found, wanted, windows } => {
                format!(
                    "stage {stage}: {found} of {wanted} negatives in {:.1} M windows{left}",
                    windows as f64 / 1e6
                )
            }
            TrainProgress::Boosting { stage, weak, false_alarm } => format!(
                "stage {stage}: {weak} weak classifiers, false alarms {false_alarm:.3} of {}{left}",
                self.settings.false_alarm
            ),
        });
        self.bar.tick();
        !self.interrupt.is_asked()
    }

    fn stage(&mut self, stage: &StageReport) {
        let seconds = self.began.elapsed().as_secs_f64();
        self.began = Instant::now();
        self.last = Some(seconds);
        let validation = stage
            .total_validation_hit_rate
            .map_or_else(String::new, |rate| format!(" (validation {:.2}%)", 100.0 * rate));
        self.bar.suspend(|| {
            console::say(&format!(
                "stage {}: {} weak classifiers, hit rate {:.2}%{validation}, false alarms {:.1e}, {} negatives of {:.1} M \
                 windows, {seconds:.1} s",
                stage.stage,
                stage.weak,
                100.0 * stage.total_hit_rate,
                stage.total_false_alarm(),
                stage.negatives,
                stage.windows as f64 / 1e6
            ));
        });
    }

    /// How long the stages to come will take, if they take as long as the last one.
    fn left(&self, stages: &[StageReport]) -> String {
        let (Some(last), Some(report)) = (self.last, stages.last()) else { return String::new() };
        let most = self.settings.stages.saturating_sub(stages.len()) as f64;
        let wanted = self.settings.total_false_alarm.map_or(most, |target| {
            (target / report.total_false_alarm()).ln() / self.settings.false_alarm.ln()
        });
        let seconds = wanted.ceil().clamp(0.0, most) * last - self.began.elapsed().as_secs_f64();
        if seconds < 90.0 {
            format!("; about {:.0} s left", seconds.max(0.0))
        } else {
            format!("; about {:.0} min left", seconds / 60.0)
        }
    }
}
