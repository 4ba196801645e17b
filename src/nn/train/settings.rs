//! Settings of training.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Augment;
use crate::{Error, Result};

/// How to train. The defaults suit small nets on small pictures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Settings {
    /// Passes over the training examples.
    pub epochs: usize,
    /// Samples of a step.
    pub batch: usize,
    /// Learning rate at the start.
    pub lr: f64,
    /// How the learning rate falls.
    pub schedule: Schedule,
    /// Momentum, from 0 to below 1.
    pub momentum: f32,
    /// Whether the momentum is Nesterov's.
    pub nesterov: bool,
    /// Weight decay: this share of each weight is added to its gradient.
    pub weight_decay: f32,
    /// Share of the examples that are kept out of training to choose the best epoch, from 0 to below 1.
    pub validation: f64,
    /// Random changes of the training pictures, or none.
    pub augment: Option<Augment>,
    /// Where all randomness comes from.
    pub seed: u64,
    /// Threads; 0 is one for each core. They change no result.
    pub threads: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            epochs: 20,
            batch: 64,
            lr: 0.05,
            schedule: Schedule::Cosine,
            momentum: 0.9,
            nesterov: false,
            weight_decay: 5e-4,
            validation: 0.1,
            augment: None,
            seed: 1,
            threads: 0,
        }
    }
}

/// How the learning rate falls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// It does not.
    Constant,
    /// Multiplied by `factor` after every `every` epochs.
    Step {
        /// Epochs between two changes.
        every: usize,
        /// What the rate is multiplied by.
        factor: f64,
    },
    /// Along half a cosine to 0, step by step (Loshchilov and Hutter, 2017, without restarts).
    #[default]
    Cosine,
}

impl Settings {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) with the first setting outside its range.
    pub fn check(&self) -> Result<()> {
        let fraction = 0.0..1.0;
        let checks = [
            (self.batch >= 1, "`batch` must be at least 1".to_owned()),
            (self.lr > 0.0 && self.lr.is_finite(), format!("`lr` must be positive, got {}", self.lr)),
            (
                fraction.contains(&f64::from(self.momentum)),
                format!("`momentum` must be from 0 to below 1, got {}", self.momentum),
            ),
            (
                (0.0..=1.0).contains(&self.weight_decay),
                format!("`weight-decay` must be from 0 to 1, got {}", self.weight_decay),
            ),
            (
                fraction.contains(&self.validation),
                format!("`validation` must be from 0 to below 1, got {}", self.validation),
            ),
            (
                !matches!(self.schedule, Schedule::Step { every, factor } if every == 0 || !(factor > 0.0 && factor.is_finite())),
                "`schedule` wants `every` of at least 1 and a positive `factor`".to_owned(),
            ),
        ];
        match checks.into_iter().find(|(is_good, _)| !is_good) {
            Some((_, message)) => Err(Error::pipeline(message)),
            None => self.augment.as_ref().map_or(Ok(()), Augment::check),
        }
    }

    /// The learning rate after `epoch` epochs, which need not be whole.
    pub fn rate(&self, epoch: f64) -> f64 {
        match self.schedule {
            Schedule::Constant => self.lr,
            Schedule::Step { every, factor } => {
                self.lr * libm::pow(factor, libm::floor(epoch / every as f64))
            }
            Schedule::Cosine => {
                let share = epoch / self.epochs.max(1) as f64;
                self.lr * 0.5 * (1.0 + libm::cos(std::f64::consts::PI * share))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_falls_as_said() {
        let cosine = Settings { epochs: 10, lr: 0.2, ..Settings::default() };
        assert_eq!(cosine.rate(0.0), 0.2);
        assert!((cosine.rate(5.0) - 0.1).abs() < 1e-12 && cosine.rate(10.0).abs() < 1e-12);
        let step = Settings { lr: 0.8, schedule: Schedule::Step { every: 3, factor: 0.5 }, ..cosine.clone() };
        assert_eq!([0.0, 2.9, 3.0, 6.5].map(|epoch| step.rate(epoch)), [0.8, 0.8, 0.4, 0.2]);
        assert_eq!(Settings { schedule: Schedule::Constant, ..cosine }.rate(7.0), 0.2);
    }

    #[test]
    fn ranges_are_checked() {
        assert!(Settings::default().check().is_ok());
        for wrong in [
            Settings { batch: 0, ..Settings::default() },
            Settings { lr: f64::NAN, ..Settings::default() },
            Settings { momentum: 1.0, ..Settings::default() },
            Settings { weight_decay: -0.1, ..Settings::default() },
            Settings { validation: 1.0, ..Settings::default() },
            Settings { schedule: Schedule::Step { every: 0, factor: 0.5 }, ..Settings::default() },
            Settings {
                augment: Some(Augment { shift: f32::NAN, ..Augment::default() }),
                ..Settings::default()
            },
        ] {
            assert!(wrong.check().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn settings_are_read_in_kebab_case() {
        let text = "epochs = 3\nweight-decay = 0.1\nschedule = { step = { every = 2, factor = 0.1 } }\n[augment]\nshift = 1\n";
        let settings: Settings = toml::from_str(text).unwrap();
        assert_eq!((settings.epochs, settings.weight_decay), (3, 0.1));
        assert_eq!(settings.schedule, Schedule::Step { every: 2, factor: 0.1 });
        assert_eq!(settings.augment.unwrap().shift, 1.0);
    }
}
