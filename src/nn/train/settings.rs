//! Settings of training.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Augment;
use crate::nn::optim::{Adadelta, Adam, MaxNorm, RmsProp, Rule, Sgd};
use crate::{Error, Result};

/// How to train. The defaults suit small nets on small pictures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Settings {
    /// Passes over the training examples.
    pub epochs: usize,
    /// Samples of a step.
    pub batch: usize,
    /// Learning rate at the start; with `one-cycle` the largest.
    pub lr: f64,
    /// How the learning rate changes.
    pub schedule: Schedule,
    /// Epochs, which need not be whole, over which the rate rises from 0 before anything else.
    pub warm_up: f64,
    /// What a step does with the gradients.
    pub optimiser: Algorithm,
    /// Momentum of `sgd` and `rms-prop`, from 0 to below 1.
    pub momentum: f32,
    /// Whether the momentum is Nesterov's.
    pub nesterov: bool,
    /// Weight decay: this share of each weight is added to its gradient; with `adam-w` the weight shrinks.
    pub weight_decay: f32,
    /// How slowly the mean of the gradient moves in `adam` and `adam-w`, from 0 to below 1.
    pub beta1: f32,
    /// How slowly the mean of its square moves in `adam` and `adam-w`, from 0 to below 1.
    pub beta2: f32,
    /// How slowly the means of squares move in `rms-prop` (0.99 unless given) and `adadelta` (0.9).
    pub decay: Option<f32>,
    /// What is added to roots: 1e-8 unless given, 1e-6 for `adadelta`.
    pub eps: Option<f32>,
    /// The largest norm of all gradients together; larger ones are shrunk.
    pub clip: Option<f32>,
    /// The largest norm of the rows of some weights.
    pub max_norm: Option<MaxNorm>,
    /// What the output is compared with.
    pub target: Target,
    /// How pictures with masks are brought to the size of the net.
    pub fit: Fit,
    /// How it is compared; cross-entropy for classes and the squared error for values unless given.
    pub loss: Option<Loss>,
    /// Share of the target that all classes get alike, from 0 to 1.
    pub label_smoothing: f32,
    /// A weight for each class in the loss, or none.
    pub class_weights: Vec<f32>,
    /// Deviation of normal noise that is added to the input, but not to a target that is the input.
    pub noise: f32,
    /// Parameters that keep their values; `*` stands for any letters, as in `conv1.*`.
    pub freeze: Vec<String>,
    /// Epochs without a better validation after which training ends.
    pub patience: Option<usize>,
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
            warm_up: 0.0,
            optimiser: Algorithm::Sgd,
            momentum: 0.9,
            nesterov: false,
            weight_decay: 5e-4,
            beta1: 0.9,
            beta2: 0.999,
            decay: None,
            eps: None,
            clip: None,
            max_norm: None,
            target: Target::Class,
            fit: Fit::Crop,
            loss: None,
            label_smoothing: 0.0,
            class_weights: Vec::new(),
            noise: 0.0,
            freeze: Vec::new(),
            patience: None,
            validation: 0.1,
            augment: None,
            seed: 1,
            threads: 0,
        }
    }
}

/// What a step does with the gradients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// Stochastic gradient descent with momentum.
    #[default]
    Sgd,
    /// Adam (Kingma and Ba, 2015).
    Adam,
    /// Adam with decoupled weight decay (Loshchilov and Hutter, 2019).
    AdamW,
    /// RMSprop (Tieleman and Hinton, 2012).
    RmsProp,
    /// Adadelta (Zeiler, 2012).
    Adadelta,
}

/// What the output of a net is compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// The class of the example.
    #[default]
    Class,
    /// The input itself, as the net sees it but without noise: an autoencoder.
    Input,
    /// The class of each pixel, as a mask has it: the output is `[classes, height, width]`.
    Mask,
}

/// How pictures with masks that are larger or smaller than what the net sees are brought to its size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// A window is cut out: at random in training; for validation, windows side by side that cover the picture. Smaller
    /// pictures are mirrored at their edges, and what is added is ignored.
    #[default]
    Crop,
    /// The whole picture is resized, bilinearly; of the mask the nearest pixels are taken.
    Resize,
}

/// How the output of a net is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// Softmax and cross-entropy, for classes.
    CrossEntropy,
    /// Binary cross-entropy of scores: for classes each output against all others, or for values from 0 to 1.
    BinaryCrossEntropy,
    /// The mean squared error.
    SquaredError,
    /// The mean absolute error.
    AbsoluteError,
    /// Soft Dice of the classes of pixels, for masks: small objects weigh as much as large ones.
    Dice,
}

/// How the learning rate changes.
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
    /// From a 25th along half a cosine up to `lr` over the first `rise` of the steps, then down to a 250,000th
    /// (Smith and Topin, 2019; PyTorch's `OneCycleLR`).
    OneCycle {
        /// Share of the steps on which the rate rises, between 0 and 1.
        rise: f64,
    },
    /// Multiplied by `factor` when the validation loss, or the training loss where there is none, has not
    /// become smaller for more than `patience` epochs.
    Plateau {
        /// Epochs that may pass.
        patience: usize,
        /// What the rate is multiplied by.
        factor: f64,
    },
}

impl Schedule {
    /// Whether the rate of an epoch depends on how many there are in all.
    pub(super) fn needs_end(self) -> bool {
        matches!(self, Self::Cosine | Self::OneCycle { .. })
    }
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
            (
                !matches!(self.schedule, Schedule::OneCycle { rise } if !(rise > 0.0 && rise < 1.0)),
                "`schedule` wants `rise` between 0 and 1".to_owned(),
            ),
            (
                !matches!(self.schedule, Schedule::Plateau { factor, .. } if !(factor > 0.0 && factor < 1.0)),
                "`schedule` wants `factor` between 0 and 1".to_owned(),
            ),
            (
                self.warm_up >= 0.0 && self.warm_up.is_finite(),
                format!("`warm-up` must be 0 or more, got {}", self.warm_up),
            ),
            (
                [Some(self.beta1), Some(self.beta2), self.decay]
                    .into_iter()
                    .flatten()
                    .all(|share| (0.0..1.0).contains(&share)),
                "`beta1`, `beta2` and `decay` must be from 0 to below 1".to_owned(),
            ),
            (
                [self.eps, self.clip, self.max_norm.as_ref().map(|norm| norm.limit)]
                    .into_iter()
                    .flatten()
                    .all(|value| value > 0.0 && value.is_finite()),
                "`eps`, `clip` and `max-norm` must be positive".to_owned(),
            ),
            (self.epochs > 0, "`epochs` must be at least 1, got 0".to_owned()),
            (
                (0.0..=1.0).contains(&self.label_smoothing),
                format!("`label-smoothing` must be from 0 to 1, got {}", self.label_smoothing),
            ),
            (
                self.noise >= 0.0 && self.noise.is_finite(),
                format!("`noise` must be 0 or more, got {}", self.noise),
            ),
            (
                !(self.target == Target::Input && self.loss == Some(Loss::CrossEntropy)),
                "`cross-entropy` compares classes, and the target is the input".to_owned(),
            ),
            (
                self.target != Target::Mask || [Loss::CrossEntropy, Loss::Dice].contains(&self.loss()),
                "masks are compared by `cross-entropy` or `dice`".to_owned(),
            ),
            (
                self.target == Target::Mask || self.loss() != Loss::Dice,
                "`dice` compares masks, and the target is none".to_owned(),
            ),
            (
                self.loss() == Loss::CrossEntropy
                    || (self.label_smoothing == 0.0 && self.class_weights.is_empty()),
                "`label-smoothing` and `class-weights` go with `cross-entropy`".to_owned(),
            ),
        ];
        match checks.into_iter().find(|(is_good, _)| !is_good) {
            Some((_, message)) => Err(Error::pipeline(message)),
            None => self.augment.as_ref().map_or(Ok(()), Augment::check),
        }
    }

    /// How the output is compared.
    pub fn loss(&self) -> Loss {
        self.loss.unwrap_or(match self.target {
            Target::Class | Target::Mask => Loss::CrossEntropy,
            Target::Input => Loss::SquaredError,
        })
    }

    /// The rule of the optimiser.
    pub fn rule(&self) -> Box<dyn Rule> {
        let Self { momentum, weight_decay, beta1, beta2, .. } = *self;
        let eps = self.eps.unwrap_or(1e-8);
        match self.optimiser {
            Algorithm::Sgd => Box::new(Sgd { momentum, weight_decay, nesterov: self.nesterov }),
            Algorithm::Adam => Box::new(Adam { beta1, beta2, eps, weight_decay, decoupled: false }),
            Algorithm::AdamW => Box::new(Adam { beta1, beta2, eps, weight_decay, decoupled: true }),
            Algorithm::RmsProp => {
                Box::new(RmsProp { decay: self.decay.unwrap_or(0.99), eps, weight_decay, momentum })
            }
            Algorithm::Adadelta => {
                let (decay, eps) = (self.decay.unwrap_or(0.9), self.eps.unwrap_or(1e-6));
                Box::new(Adadelta { decay, eps, weight_decay })
            }
        }
    }

    /// The learning rate after `epoch` epochs, which need not be whole. What a plateau has made of it
    /// comes as a factor on top.
    pub fn rate(&self, epoch: f64) -> f64 {
        let rise = if epoch < self.warm_up { epoch / self.warm_up } else { 1.0 };
        rise * self.scheduled(epoch)
    }

    fn scheduled(&self, epoch: f64) -> f64 {
        let half_cosine = |share: f64| 0.5 * (1.0 + libm::cos(std::f64::consts::PI * share));
        match self.schedule {
            Schedule::Constant | Schedule::Plateau { .. } => self.lr,
            Schedule::OneCycle { rise } => {
                let (first, last) = (self.lr / 25.0, self.lr / 250_000.0);
                let share = epoch / self.epochs.max(1) as f64;
                if share < rise {
                    self.lr + (first - self.lr) * half_cosine(share / rise)
                } else {
                    last + (self.lr - last) * half_cosine((share - rise) / (1.0 - rise))
                }
            }
            Schedule::Step { every, factor } => {
                self.lr * libm::pow(factor, libm::floor(epoch / every as f64))
            }
            Schedule::Cosine => self.lr * half_cosine(epoch / self.epochs.max(1) as f64),
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
        assert_eq!(Settings { schedule: Schedule::Constant, ..cosine.clone() }.rate(7.0), 0.2);
        let warm = Settings { schedule: Schedule::Constant, warm_up: 2.0, ..cosine.clone() };
        assert_eq!([0.0, 1.0, 2.0, 9.0].map(|epoch| warm.rate(epoch)), [0.0, 0.1, 0.2, 0.2]);
        let cycle = Settings { schedule: Schedule::OneCycle { rise: 0.25 }, epochs: 8, ..cosine };
        let near = |epoch: f64, wanted: f64| (cycle.rate(epoch) - wanted).abs() < 1e-12;
        assert!(near(0.0, 0.008) && near(1.0, 0.104) && near(2.0, 0.2) && near(8.0, 0.2 / 250_000.0));
    }

    #[test]
    fn ranges_are_checked() {
        assert!(Settings::default().check().is_ok());
        let masks = Settings { target: Target::Mask, loss: Some(Loss::Dice), ..Settings::default() };
        assert!(masks.check().is_ok());
        for wrong in [
            Settings { batch: 0, ..Settings::default() },
            Settings { lr: f64::NAN, ..Settings::default() },
            Settings { momentum: 1.0, ..Settings::default() },
            Settings { weight_decay: -0.1, ..Settings::default() },
            Settings { validation: 1.0, ..Settings::default() },
            Settings { schedule: Schedule::Step { every: 0, factor: 0.5 }, ..Settings::default() },
            Settings { schedule: Schedule::OneCycle { rise: 1.0 }, ..Settings::default() },
            Settings { schedule: Schedule::Plateau { patience: 1, factor: 1.0 }, ..Settings::default() },
            Settings { warm_up: -1.0, ..Settings::default() },
            Settings { beta2: 1.0, ..Settings::default() },
            Settings { clip: Some(0.0), ..Settings::default() },
            Settings { target: Target::Input, loss: Some(Loss::CrossEntropy), ..Settings::default() },
            Settings { target: Target::Mask, loss: Some(Loss::SquaredError), ..Settings::default() },
            Settings { target: Target::Input, label_smoothing: 0.1, ..Settings::default() },
            Settings { loss: Some(Loss::Dice), ..Settings::default() },
            Settings {
                target: Target::Mask,
                loss: Some(Loss::Dice),
                class_weights: vec![1.0, 2.0],
                ..Settings::default()
            },
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
