//! What a stage is to reach, and where it is cut.

use super::boost::{passes, share, threshold};

/// Shares of the background below this are not told apart: those of training flatter a stage.
const LEAST_TRUSTED: f64 = 0.02;

/// The rates a stage is to reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Goal {
    /// The share of the objects that pass, at least.
    pub(super) hit_rate: f64,
    /// The share of the background that passes, at most.
    pub(super) false_alarm: f64,
    /// How many times the logarithm of the share of the objects that of the background has to be for the cascade to come
    /// to both of its rates. A stage that rejects more than it must may lose more objects then.
    pub(super) course: Option<f64>,
}

impl Goal {
    /// The threshold for the scores of objects and of background, and whether the goal is reached there.
    pub(super) fn cut(self, objects: &[f64], background: &[f64]) -> (f32, bool) {
        let sorted = |scores: &[f64]| {
            let mut scores = scores.to_vec();
            scores.sort_unstable_by(f64::total_cmp);
            scores
        };
        let objects = sorted(objects);
        if let Some((threshold, _)) =
            self.course.and_then(|course| self.on_course(course, &objects, &sorted(background)))
        {
            return (threshold, true);
        }
        // So many may be lost. The small number keeps a share that was meant to be whole from losing one more.
        let lost = ((1.0 - self.hit_rate) * objects.len() as f64 + 1e-9) as usize;
        let threshold =
            objects.get(lost.min(objects.len().saturating_sub(1))).map_or(0.0, |&score| threshold(score));
        let is_reached = self.course.is_none() && share(background, threshold) <= self.false_alarm;
        (threshold, is_reached)
    }

    /// The threshold that is furthest ahead of the course, of those that are on it, and how far.
    fn on_course(self, course: f64, objects: &[f64], background: &[f64]) -> Option<(f32, f64)> {
        let mut best: Option<(f32, f64)> = None;
        for lost in 0..objects.len().div_ceil(2) {
            let kept = libm::log(1.0 - lost as f64 / objects.len() as f64);
            // What comes after loses more for the same.
            if course * kept < libm::log(LEAST_TRUSTED) {
                break;
            }
            let threshold = threshold(objects[lost]);
            let rejected = background.partition_point(|&score| !passes(score, threshold));
            let passed = (background.len() - rejected) as f64 / background.len().max(1) as f64;
            if passed > self.false_alarm {
                continue;
            }
            let ahead = course * kept - libm::log(passed.max(LEAST_TRUSTED));
            if ahead >= 0.0 && best.is_none_or(|(_, most)| ahead > most) {
                best = Some((threshold, ahead));
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_threshold_loses_as_many_as_it_may(
            scores in proptest::collection::vec(-90.0f64..90.0, 1..60),
            wanted in 0.05f64..=1.0,
        ) {
            let goal = Goal { hit_rate: wanted, false_alarm: 0.5, course: None };
            let (threshold, is_reached) = goal.cut(&scores, &[-100.0, 100.0, 100.0]);
            prop_assert!(!is_reached, "two of three pass");
            prop_assert!(share(&scores, threshold) >= wanted - 1e-9);
            // One step more would lose one of those that must pass.
            let lost = |t: f32| scores.iter().filter(|&&score| !passes(score, t)).count() as f64;
            let higher = threshold + 3e-5;
            prop_assert!(lost(higher) > ((1.0 - wanted) * scores.len() as f64 + 1e-9).floor());
        }

        /// On the course, and no other threshold further ahead.
        #[test]
        fn a_stage_stays_on_course(
            objects in proptest::collection::vec(-20.0f64..90.0, 4..60),
            background in proptest::collection::vec(-90.0f64..20.0, 1..60),
            course in 1.0f64..300.0,
        ) {
            let goal = Goal { hit_rate: 1.0, false_alarm: 0.4, course: Some(course) };
            let (found, is_reached) = goal.cut(&objects, &background);
            let ahead = |threshold: f32| {
                let kept = share(&objects, threshold);
                let passed = share(&background, threshold);
                let gain = course * kept.ln() - passed.max(LEAST_TRUSTED).ln();
                (passed <= 0.4 && kept > 0.5 && gain >= -1e-9).then_some(gain)
            };
            let best = objects.iter().filter_map(|&score| ahead(threshold(score))).fold(f64::NEG_INFINITY, f64::max);
            match ahead(found) {
                Some(gain) if is_reached => prop_assert!(gain >= best - 1e-9, "{gain} {best}"),
                _ => {
                    prop_assert!(!is_reached && best < 1e-9, "{best}");
                    prop_assert_eq!(share(&objects, found), 1.0);
                }
            }
        }
    }
}
