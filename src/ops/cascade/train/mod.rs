//! Training of cascades (Viola and Jones, 2001, 2004): stages of boosted stumps on Haar features, each on the
//! background that the ones before take for objects.
//!
//! A [`Trainer`] learns stage after stage; what it is given decides every bit of it, whatever the number of
//! threads, and one that is given its own first stages goes on as if it had not been stopped. Objects that a
//! stage loses take no part in later ones, and a window that a stage rejects stays rejected.
//!
//! ```
//! use std::sync::Arc;
//! use lyncean::image::Plane;
//! use lyncean::ops::cascade::train::{
//!     Boost, Crops, Depths, Negatives, RocPoint, StageReport, TrainStep, Stop, TrainProgress, Trainer, Training, Turns, roc,
//! };
//!
//! /// Stripes and grain, and no bright square among them.
//! struct Ground;
//!
//! impl Negatives for Ground {
//!     fn len(&self) -> usize {
//!         4
//!     }
//!
//!     fn picture(&self, index: usize) -> lyncean::Result<Arc<Plane<u8>>> {
//!         Ok(Arc::new(Plane::from_fn(60, 50, |x, y| ((x * (3 + index) + y * y) % 97 + (x * y) % 31) as u8)))
//!     }
//! }
//!
//! let mut squares = Crops::new(8, 8);
//! for i in 0..40 {
//!     let bright = |x: usize, y: usize| (2..6).contains(&x) && (2..6).contains(&y);
//!     squares.push(Plane::from_fn(8, 8, |x, y| if bright(x, y) { 180 } else { 20 + (x * i + y) as u8 % 30 }).view())?;
//! }
//! let settings = Training {
//!     width: 8,
//!     height: 8,
//!     boost: Boost::Discrete,
//!     stages: 2,
//!     negatives: 60,
//!     turns: Turns::None,
//!     ..Training::default()
//! };
//! let mut trainer = Trainer::new(&settings, &squares, None, &Ground)?;
//! let mut rounds = 0;
//! let why = loop {
//!     let step = trainer.next_stage(&mut |progress| {
//!         rounds += usize::from(matches!(progress, TrainProgress::Boosting { .. }));
//!         true
//!     })?;
//!     match step {
//!         TrainStep::Stage(StageReport { hit_rate, false_alarm, .. }) => assert!(hit_rate >= 0.995 && false_alarm <= 0.5),
//!         TrainStep::Stop(why) => break why,
//!     }
//! };
//! assert!(matches!(why, Stop::Stages(2) | Stop::Negatives { .. }), "{why}");
//! assert!(rounds > 0);
//!
//! // Rates on objects, and on all windows of pictures.
//! let cascade = trainer.cascade().unwrap();
//! let objects = Depths::of_crops(cascade, &squares)?;
//! let background = Depths::of_pictures(cascade, &Ground, 1.25, &mut || true)?;
//! let last: RocPoint = *roc(&objects, &background).last().unwrap();
//! assert_eq!(last.hit_rate, 1.0);
//! # Ok::<(), lyncean::Error>(())
//! ```

mod bins;
mod boost;
mod features;
mod goal;
mod measure;
mod mine;
mod samples;
mod settings;
mod stump;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use features::{FeatureSet, haar_features};
pub use measure::{Depths, RocPoint, roc};
pub use mine::Negatives;
pub use samples::Crops;
pub use settings::{Boost, Training, Turns};

use super::{Cascade, Feature, Features, Stage};
use crate::kernel::Isa;
use crate::random::Random;
use crate::{Error, Result};
use boost::{Learned, Sources, learn};
use goal::Goal;
use mine::mine;
use samples::{Samples, passing};

/// What training is at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TrainProgress {
    /// It looks for background that the stages so far take for objects.
    Mining {
        /// The stage that it is for, from 0.
        stage: usize,
        /// Windows found.
        found: usize,
        /// Windows wanted.
        wanted: usize,
        /// Windows looked at.
        windows: u64,
    },
    /// It adds weak classifiers to a stage.
    Boosting {
        /// The stage, from 0.
        stage: usize,
        /// Weak classifiers so far.
        weak: usize,
        /// The share of the stage's background that passes them.
        false_alarm: f64,
    },
}

/// What is known of a stage when it is learned. Rates are shares from 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct StageReport {
    /// The stage's number, from 0.
    pub stage: usize,
    /// Its weak classifiers.
    pub weak: usize,
    /// Objects it was trained on, mirrored ones too: those that pass all stages before.
    pub objects: usize,
    /// Windows of background it was trained on.
    pub negatives: usize,
    /// The share of these objects that pass.
    pub hit_rate: f64,
    /// The share of the objects of validation that reach it and pass, where there are any.
    pub validation_hit_rate: Option<f64>,
    /// The share of its background that passes.
    pub false_alarm: f64,
    /// Windows that were looked at to find its background.
    pub windows: u64,
    /// The share of them that passed all stages before.
    pub false_alarm_before: f64,
    /// The share of all objects of training that pass this and all stages before.
    pub total_hit_rate: f64,
    /// The same of validation.
    pub total_validation_hit_rate: Option<f64>,
}

impl StageReport {
    /// The share of all windows of background that passes this and all stages before: an estimate, as the last
    /// factor is measured on what was trained on.
    pub fn total_false_alarm(&self) -> f64 {
        self.false_alarm_before * self.false_alarm
    }
}

/// Why training ends.
#[derive(Clone, Debug, PartialEq)]
pub enum Stop {
    /// There are as many stages as there may be.
    Stages(usize),
    /// The share of the windows of background that pass is what was wanted.
    FalseAlarm {
        /// The share that passes.
        rate: f64,
        /// How many passed.
        passed: u64,
        /// Of how many.
        windows: u64,
    },
    /// Too little background passes to train on.
    Negatives {
        /// Windows that were found.
        found: usize,
        /// Windows that were wanted.
        wanted: usize,
        /// Windows that were looked at: all there are.
        windows: u64,
    },
    /// All objects but so many were lost.
    Objects(usize),
    /// A stage with so many weak classifiers would reject nothing, and is left out.
    Useless(usize),
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Stages(stages) => write!(f, "all {stages} stages are trained"),
            Self::FalseAlarm { rate, passed, windows } => write!(
                f,
                "the false alarms are as few as wanted: {} of {} windows, {rate:.2e}",
                grouped(passed),
                count(windows)
            ),
            Self::Negatives { found, wanted, windows } => write!(
                f,
                "only {} of {} negatives could be found after {} windows: the cascade already rejects nearly everything \
                 in these pictures; add pictures or stop here",
                grouped(found as u64),
                grouped(wanted as u64),
                count(windows)
            ),
            Self::Objects(left) => write!(
                f,
                "only {left} of the objects pass the stages so far, too few to go on; raise `hit-rate` or add objects"
            ),
            Self::Useless(weak) => write!(
                f,
                "{weak} weak classifiers of one more stage reject nothing that passes the others; raise `max-weak`, lower \
                 `hit-rate` or stop here"
            ),
        }
    }
}

/// `12,345`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `41 M` of large numbers.
fn count(number: u64) -> String {
    if number >= 10_000_000 { format!("{} M", grouped(number / 1_000_000)) } else { grouped(number) }
}

/// What came of looking for one more stage.
#[derive(Clone, Debug, PartialEq)]
pub enum TrainStep {
    /// A stage.
    Stage(StageReport),
    /// There is no more to learn.
    Stop(Stop),
}

/// The share of the background that a stage is expected to let through, at least.
const LEAST_GUESS: f64 = 0.02;
/// Fewer objects are not trained on.
const FEWEST_OBJECTS: usize = 2;

/// Learns a cascade, stage after stage. The [module](self) has an example.
pub struct Trainer<'a> {
    settings: Training,
    features: Vec<Feature>,
    objects: Crops,
    validation: Option<Crops>,
    negatives: &'a dyn Negatives,
    cascade: Option<Cascade>,
    reports: Vec<StageReport>,
}

impl<'a> Trainer<'a> {
    /// From objects, further ones that set the thresholds, and pictures without any. Where no further ones are
    /// given, the share `validation` of the objects is taken, drawn at random.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) for settings out of range, [`Shape`](crate::ErrorKind::Shape) for
    /// crops of another size, [`Input`](crate::ErrorKind::Input) without objects or pictures.
    pub fn new(
        settings: &Training,
        objects: &Crops,
        validation: Option<&Crops>,
        negatives: &'a dyn Negatives,
    ) -> Result<Self> {
        settings.check()?;
        for crops in std::iter::once(objects).chain(validation) {
            if (crops.width(), crops.height()) != (settings.width, settings.height) {
                let (width, height) = (settings.width, settings.height);
                let got = format!("{}x{}", crops.width(), crops.height());
                return Err(Error::shape(format!("expected objects of {width}x{height} pixels, got {got}")));
            }
        }
        if negatives.is_empty() {
            return Err(Error::input("expected pictures without objects, got none"));
        }
        let random = Random::new(settings.seed).stream(0);
        let held = (settings.validation * objects.len() as f64) as usize;
        let (mut objects, mut validation) = if validation.is_none() && held > 0 {
            let mut order: Vec<usize> = (0..objects.len()).collect();
            order.sort_by_key(|&index| random.bits(index as u64));
            let (held, kept) = order.split_at_mut(held);
            held.sort_unstable();
            kept.sort_unstable();
            (objects.select(kept.iter().copied()), Some(objects.select(held.iter().copied())))
        } else {
            (objects.clone(), validation.filter(|crops| !crops.is_empty()).cloned())
        };
        if settings.mirror {
            for crops in std::iter::once(&mut objects).chain(&mut validation) {
                let mirrored = crops.mirrored();
                crops.extend(&mirrored);
            }
        }
        if objects.len() < FEWEST_OBJECTS {
            return Err(Error::input(format!("expected objects to learn from, got {}", objects.len())));
        }
        Ok(Self {
            features: haar_features(settings.width, settings.height, settings.features),
            settings: settings.clone(),
            objects,
            validation,
            negatives,
            cascade: None,
            reports: Vec::new(),
        })
    }

    /// Goes on from stages that were learned from the same.
    ///
    /// # Errors
    /// [`Input`](crate::ErrorKind::Input) when cascade and reports do not belong together.
    pub fn resume(&mut self, cascade: Cascade, reports: Vec<StageReport>) -> Result<()> {
        let size = (cascade.width(), cascade.height());
        if size != (self.settings.width, self.settings.height) || cascade.stages().len() != reports.len() {
            return Err(Error::input(format!(
                "expected a cascade of {} stages for windows of {}x{}, got one of {} for {}x{}",
                reports.len(),
                self.settings.width,
                self.settings.height,
                cascade.stages().len(),
                size.0,
                size.1
            )));
        }
        self.cascade = Some(cascade);
        self.reports = reports;
        Ok(())
    }

    /// The stages so far, if any.
    pub fn cascade(&self) -> Option<&Cascade> {
        self.cascade.as_ref()
    }

    /// What is known of them.
    pub fn reports(&self) -> &[StageReport] {
        &self.reports
    }

    /// The mean of the objects of training, from 0 to 255, row after row.
    pub fn mean_object(&self) -> Vec<f64> {
        let mut sums = vec![0f64; self.settings.width * self.settings.height];
        for index in 0..self.objects.len() {
            sums.iter_mut().zip(self.objects.window(index)).for_each(|(sum, &p)| *sum += f64::from(p));
        }
        sums.into_iter().map(|sum| sum / self.objects.len() as f64).collect()
    }

    /// Learns one more stage, or says why there is none. `hear` is told how it goes and says whether to go on.
    ///
    /// # Errors
    /// [`Cancelled`](crate::ErrorKind::Cancelled) when it was not to go on: the stages so far are as they were.
    /// Those of reading the pictures.
    pub fn next_stage(&mut self, hear: &mut dyn FnMut(TrainProgress) -> bool) -> Result<TrainStep> {
        let (settings, isa) = (&self.settings, Isa::best());
        let number = self.reports.len();
        if number >= settings.stages {
            return Ok(TrainStep::Stop(Stop::Stages(number)));
        }
        let left = |crops: &Crops| -> Result<Crops> {
            Ok(match &self.cascade {
                Some(cascade) => crops.select(passing(cascade, crops)?),
                None => crops.clone(),
            })
        };
        let objects = left(&self.objects)?;
        let validation = self.validation.as_ref().map(left).transpose()?;
        if objects.len() < FEWEST_OBJECTS {
            return Ok(TrainStep::Stop(Stop::Objects(objects.len())));
        }
        // Not so small that far too much would be found where the guess is wrong.
        let guess = |report: &StageReport| report.false_alarm_before * report.false_alarm.max(LEAST_GUESS);
        let expected = self.reports.last().map_or(1.0, guess);
        let mined = mine(self.cascade.as_ref(), settings, self.negatives, number, expected, isa, hear)?;
        let rate = mined.passed as f64 / mined.seen.max(1) as f64;
        if let Some(target) = settings.total_false_alarm
            && number > 0
            && rate <= target
        {
            let (passed, windows) = (mined.passed, mined.seen);
            return Ok(TrainStep::Stop(Stop::FalseAlarm { rate, passed, windows }));
        }
        if mined.crops.len() < settings.fewest() {
            let (found, wanted) = (mined.crops.len(), settings.negatives);
            return Ok(TrainStep::Stop(Stop::Negatives { found, wanted, windows: mined.seen }));
        }
        let tilted = settings.features == FeatureSet::Tilted;
        let mut all = objects;
        let given = all.len();
        all.extend(&mined.crops);
        let (samples, kept) = Samples::new(&all, tilted);
        let objects = kept.partition_point(|&index| index < given);
        if objects < FEWEST_OBJECTS {
            return Ok(TrainStep::Stop(Stop::Objects(objects)));
        }
        let held_out = validation.as_ref().map(|crops| Samples::new(crops, tilted).0);
        // From what was found, not from what the stages promised.
        let kept = |left: &Crops, all: &Crops| left.len() as f64 / all.len().max(1) as f64;
        let hits = match (&validation, &self.validation) {
            (Some(left), Some(all)) => kept(left, all),
            _ => given as f64 / self.objects.len() as f64,
        };
        let goal = Goal {
            hit_rate: settings.stage_hit_rate(),
            false_alarm: settings.false_alarm,
            course: settings.course(hits, rate),
        };
        let sources = Sources {
            goal,
            features: &self.features,
            samples: &samples,
            objects,
            validation: held_out.as_ref().filter(|samples| samples.len() > 0),
        };
        let random = Random::new(settings.seed).stream(2).stream(number as u64);
        let learned = learn(&sources, settings, random, isa, &mut |weak, false_alarm| {
            !hear(TrainProgress::Boosting { stage: number, weak, false_alarm })
        })?;
        let negatives = samples.len() - objects;
        let Learned { stage, hit_rate, validation_hit_rate, false_alarm } = learned;
        let weak = stage.trees.len();
        if false_alarm >= 1.0 {
            return Ok(TrainStep::Stop(Stop::Useless(weak)));
        }
        let cascade = self.with_stage(stage)?;
        let total = |crops: &Crops| -> Result<f64> {
            Ok(passing(&cascade, crops)?.len() as f64 / crops.len().max(1) as f64)
        };
        let report = StageReport {
            stage: number,
            weak,
            objects,
            negatives,
            hit_rate,
            validation_hit_rate,
            false_alarm,
            windows: mined.seen,
            false_alarm_before: rate,
            total_hit_rate: total(&self.objects)?,
            total_validation_hit_rate: self.validation.as_ref().map(total).transpose()?,
        };
        self.cascade = Some(cascade);
        self.reports.push(report.clone());
        Ok(TrainStep::Stage(report))
    }

    /// The cascade with one more stage, whose nodes point into all features.
    fn with_stage(&self, mut stage: Stage) -> Result<Cascade> {
        let (mut features, mut stages) = match &self.cascade {
            Some(cascade) => match cascade.features() {
                Features::Haar(features) => (features.clone(), cascade.stages().to_vec()),
                Features::Lbp(_) => return Err(Error::pipeline("cascades of patterns are not trained here")),
            },
            None => (Vec::new(), Vec::new()),
        };
        for node in stage.trees.iter_mut().flat_map(|tree| &mut tree.nodes) {
            let feature = &self.features[node.feature];
            node.feature = features.iter().position(|known| known == feature).unwrap_or_else(|| {
                features.push(feature.clone());
                features.len() - 1
            });
        }
        stages.push(stage);
        Cascade::new(self.settings.width, self.settings.height, features, stages)
    }
}

#[cfg(test)]
mod tests;
