//! How a cascade is trained.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::FeatureSet;
use crate::{Error, Result};

/// How to train a cascade. The defaults are those of OpenCV's `opencv_traincascade` where it has the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Training {
    /// Width of the window in pixels.
    #[schemars(range(min = 3, max = 256))]
    pub width: usize,
    /// Height of the window in pixels.
    #[schemars(range(min = 3, max = 256))]
    pub height: usize,
    /// Which features there are.
    pub features: FeatureSet,
    /// How weak classifiers are weighted.
    pub boost: Boost,
    /// The most stages.
    #[schemars(range(min = 1, max = 1000))]
    pub stages: usize,
    /// The share of the objects that a stage lets through, of those that reach it.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub hit_rate: f64,
    /// The share of the background that a stage lets through at most, of that which reaches it.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub false_alarm: f64,
    /// The share of the objects that the whole cascade lets through; stages get the root of it for `hit-rate`. Where
    /// `total-false-alarm` is given, too, a stage may lose more objects if it rejects so much more background that the
    /// cascade stays on course to both.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub total_hit_rate: Option<f64>,
    /// The share of the windows of background that the whole cascade lets through: training ends when it is reached.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub total_false_alarm: Option<f64>,
    /// The most weak classifiers of a stage.
    #[schemars(range(min = 1, max = 100_000))]
    pub max_weak: usize,
    /// Weight trimming (Friedman, Hastie and Tibshirani, 2000): a round looks only at the windows of the greatest
    /// weights that have this share of all weight together; 1 looks at all.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub weight_trim: f64,
    /// The share of the features that a round chooses from, drawn anew for each.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub feature_share: f64,
    /// Windows of background for each stage.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub negatives: usize,
    /// Training ends where fewer are found; a quarter of `negatives` unless given.
    pub min_negatives: Option<usize>,
    /// Ratio of one scale of the pictures without objects to the one before.
    #[schemars(range(min = 1.001, max = 16.0))]
    pub scale_factor: f64,
    /// In which forms pictures without objects are searched.
    pub turns: Turns,
    /// Whether objects are trained on in their mirror images, too.
    pub mirror: bool,
    /// Share of the objects that is kept out of training to set the thresholds of the stages, where no objects are
    /// given for that; 0 sets them on those of training.
    #[schemars(range(min = 0.0, max = 0.9))]
    pub validation: f64,
    /// Where all randomness comes from.
    pub seed: u64,
    /// Threads; 0 is one for each core. They change no result.
    pub threads: usize,
}

/// How weak classifiers are found and weighted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Boost {
    /// Gentle AdaBoost (Friedman, Hastie and Tibshirani, 2000): each side votes the weighted mean of its labels.
    #[default]
    Gentle,
    /// Discrete AdaBoost (Freund and Schapire, 1997): both sides vote alike, by the logarithm of the odds to be right.
    Discrete,
}

/// In which forms a picture without objects is searched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Turns {
    /// As it is.
    None,
    /// As it is, and mirrored.
    #[default]
    Mirror,
    /// In four directions, each mirrored, too: for objects that have one way up.
    All,
}

impl Turns {
    /// How many forms there are.
    pub(super) fn count(self) -> usize {
        match self {
            Self::None => 1,
            Self::Mirror => 2,
            Self::All => 8,
        }
    }
}

impl Default for Training {
    fn default() -> Self {
        Self {
            width: 24,
            height: 24,
            features: FeatureSet::Upright,
            boost: Boost::Gentle,
            stages: 20,
            hit_rate: 0.995,
            false_alarm: 0.5,
            total_hit_rate: None,
            total_false_alarm: None,
            max_weak: 100,
            weight_trim: 0.95,
            feature_share: 1.0,
            negatives: 2000,
            min_negatives: None,
            scale_factor: 1.1,
            turns: Turns::Mirror,
            mirror: true,
            validation: 0.0,
            seed: 1,
            threads: 0,
        }
    }
}

impl Training {
    /// Checks all ranges.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) with the setting, its range and what it is.
    pub fn check(&self) -> Result<()> {
        let wrong = |name: &str, range: &str, got: &dyn std::fmt::Display| {
            Err(Error::pipeline(format!("expected `{name}` {range}, got {got}")))
        };
        for (name, side) in [("width", self.width), ("height", self.height)] {
            if !(3..=256).contains(&side) {
                return wrong(name, "from 3 to 256", &side);
            }
        }
        for (name, count) in
            [("stages", self.stages), ("max-weak", self.max_weak), ("negatives", self.negatives)]
        {
            if count == 0 {
                return wrong(name, "of at least 1", &count);
            }
        }
        for (name, share) in [
            ("hit-rate", self.hit_rate),
            ("weight-trim", self.weight_trim),
            ("feature-share", self.feature_share),
            ("total-hit-rate", self.total_hit_rate.unwrap_or(1.0)),
        ] {
            if !(share > 0.0 && share <= 1.0) {
                return wrong(name, "above 0 and at most 1", &share);
            }
        }
        for (name, share) in
            [("false-alarm", self.false_alarm), ("total-false-alarm", self.total_false_alarm.unwrap_or(0.5))]
        {
            if !(share > 0.0 && share < 1.0) {
                return wrong(name, "between 0 and 1", &share);
            }
        }
        if !(self.scale_factor > 1.0 && self.scale_factor <= 16.0) {
            return wrong("scale-factor", "above 1 and at most 16", &self.scale_factor);
        }
        if !(0.0..=0.9).contains(&self.validation) {
            return wrong("validation", "from 0 to 0.9", &self.validation);
        }
        Ok(())
    }

    /// The share of the objects that one stage is to let through.
    pub(super) fn stage_hit_rate(&self) -> f64 {
        self.total_hit_rate.map_or(self.hit_rate, |total| libm::pow(total, 1.0 / self.stages as f64))
    }

    /// How many times the logarithm of the hit rate that of the false alarms has to be from where the cascade is on, for it
    /// to come to both of its rates; nothing where these are not given or the objects are spent.
    pub(super) fn course(&self, hit_rate: f64, false_alarm: f64) -> Option<f64> {
        let (hits, alarms) = (self.total_hit_rate? / hit_rate, self.total_false_alarm? / false_alarm);
        (hits < 1.0 && alarms < 1.0).then(|| libm::log(alarms) / libm::log(hits))
    }

    /// The fewest windows of background that a stage is trained on.
    pub(super) fn fewest(&self) -> usize {
        self.min_negatives.unwrap_or(self.negatives / 4).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_checked() {
        let base = Training::default;
        assert!(base().check().is_ok());
        let wrong: [(Training, &str); 8] = [
            (Training { width: 2, ..base() }, "expected `width` from 3 to 256, got 2"),
            (Training { stages: 0, ..base() }, "expected `stages` of at least 1, got 0"),
            (Training { hit_rate: 0.0, ..base() }, "expected `hit-rate` above 0 and at most 1, got 0"),
            (Training { false_alarm: 1.0, ..base() }, "expected `false-alarm` between 0 and 1, got 1"),
            (Training { total_false_alarm: Some(0.0), ..base() }, "expected `total-false-alarm` between"),
            (Training { weight_trim: f64::NAN, ..base() }, "expected `weight-trim` above 0"),
            (Training { scale_factor: 1.0, ..base() }, "expected `scale-factor` above 1"),
            (Training { validation: 0.95, ..base() }, "expected `validation` from 0 to 0.9, got 0.95"),
        ];
        for (settings, message) in wrong {
            let error = settings.check().unwrap_err();
            assert!(error.message().starts_with(message), "{error}");
        }
    }

    #[test]
    fn the_total_is_shared_by_the_stages() {
        let settings = Training { total_hit_rate: Some(0.95), stages: 20, ..Training::default() };
        assert!((settings.stage_hit_rate().powi(20) - 0.95).abs() < 1e-12);
        let both = Training { total_false_alarm: Some(1e-6), ..settings };
        let course = both.course(1.0, 1.0).unwrap();
        assert!((0.95f64.powf(course) - 1e-6).abs() < 1e-12);
        // Halfway there at half the price, what is left may cost more.
        assert!(both.course(0.99, 1e-3).unwrap() < course);
        assert_eq!((both.course(0.94, 1e-3), Training::default().course(1.0, 1.0)), (None, None));
        assert_eq!((Training::default().stage_hit_rate(), Training::default().fewest()), (0.995, 500));
    }
}
