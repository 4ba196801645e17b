//! One stage: stumps until enough background is rejected.

use super::bins::Bins;
use super::goal::Goal;
use super::samples::Samples;
use super::settings::{Boost, Training};
use super::stump::{Cut, Side, Weighted, best_cut};
use crate::kernel::Isa;
use crate::ops::cascade::{Branch, Feature, Node, Question, Stage, Tree};
use crate::random::Random;
use crate::{Error, Result};

/// What all weights of a round add up to, about, as whole numbers.
const UNITS: f64 = (1u64 << 40) as f64;
/// The least error that discrete boosting assumes: a stump without one would outvote all others.
const LEAST_ERROR: f64 = 1e-6;
/// How far below its threshold a stage's votes may stay in detection.
const TOLERANCE: f32 = 1e-5;

/// What stages learn from.
pub(super) struct Sources<'a> {
    /// All features.
    pub(super) features: &'a [Feature],
    /// Windows to train on, objects first.
    pub(super) samples: &'a Samples,
    /// How many of these are objects.
    pub(super) objects: usize,
    /// Objects that set the threshold, if any.
    pub(super) validation: Option<&'a Samples>,
    /// What the stage is to reach.
    pub(super) goal: Goal,
}

/// A stage that was learned, its nodes pointing into all features, and how it does.
pub(super) struct Learned {
    pub(super) stage: Stage,
    /// The share of the objects of training that pass.
    pub(super) hit_rate: f64,
    /// The share of the objects of validation that pass.
    pub(super) validation_hit_rate: Option<f64>,
    /// The share of the background that passes.
    pub(super) false_alarm: f64,
}

/// Learns a stage. `hear` is told the number of stumps and the share of the background that passes; it says
/// whether to give up.
pub(super) fn learn(
    sources: &Sources<'_>,
    settings: &Training,
    random: Random,
    isa: Isa,
    hear: &mut dyn FnMut(usize, f64) -> bool,
) -> Result<Learned> {
    let bins = Bins::new(sources.features, sources.samples, isa);
    let (count, objects) = (sources.samples.len(), sources.objects);
    let label = |window: usize| if window < objects { 1.0 } else { -1.0 };
    // Both classes weigh the same, however many windows they have.
    let mut weights: Vec<f64> =
        (0..count).map(|i| 0.5 / if i < objects { objects } else { count - objects } as f64).collect();
    let mut scores = vec![0f64; count];
    let mut held_out = vec![0f64; sources.validation.map_or(0, Samples::len)];
    let mut stage = Stage { trees: Vec::new(), threshold: 0.0 };
    let mut false_alarm = 1.0;
    let mut is_reached = false;
    while stage.trees.len() < settings.max_weak && !is_reached {
        if hear(stage.trees.len(), false_alarm) {
            return Err(Error::cancelled());
        }
        let features =
            drawn(bins.features(), settings.feature_share, random.stream(stage.trees.len() as u64));
        let [some_objects, background] = trimmed(&weights, objects, settings.weight_trim);
        let Some(cut) = best_cut(&bins, &features, &some_objects, &background, settings.boost) else { break };
        let Some(tree) = stump(&bins, cut, settings.boost) else { break };
        let votes = votes_of(&tree);
        for (window, &byte) in bins.of(cut.feature).iter().enumerate() {
            let vote = f64::from(votes[usize::from(byte > cut.bin)]);
            scores[window] += vote;
            weights[window] *= libm::exp(-label(window) * vote);
        }
        let total: f64 = weights.iter().sum();
        for weight in &mut weights {
            *weight /= total;
        }
        if let Some(validation) = sources.validation {
            validation.vote(&sources.features[cut.feature], &tree, isa, &mut held_out);
        }
        stage.trees.push(tree);
        let judges = if held_out.is_empty() { &scores[..objects] } else { &held_out };
        (stage.threshold, is_reached) = sources.goal.cut(judges, &scores[objects..]);
        false_alarm = share(&scores[objects..], stage.threshold);
    }
    if stage.trees.is_empty() {
        return Err(Error::input("no feature tells the objects from the background"));
    }
    Ok(Learned {
        hit_rate: share(&scores[..objects], stage.threshold),
        validation_hit_rate: (!held_out.is_empty()).then(|| share(&held_out, stage.threshold)),
        false_alarm,
        stage,
    })
}

/// The features a round chooses from, ascending.
fn drawn(count: usize, share: f64, random: Random) -> Vec<u32> {
    if share >= 1.0 {
        return (0..count as u32).collect();
    }
    let limit = (share * 2f64.powi(64)) as u64;
    let mut drawn: Vec<u32> = (0..count as u32).filter(|&i| random.bits(u64::from(i)) < limit).collect();
    if drawn.is_empty() {
        drawn.push((random.bits(0) % count.max(1) as u64) as u32);
    }
    drawn
}

/// The windows of the greatest weights that have a share of all weight together, objects and background, with
/// weights as whole numbers; of equal weights the first windows are taken.
fn trimmed(weights: &[f64], objects: usize, share: f64) -> [Weighted; 2] {
    let mut order: Vec<u32> = (0..weights.len() as u32).collect();
    let total: f64 = weights.iter().sum();
    if share < 1.0 {
        order.sort_by(|&a, &b| weights[b as usize].total_cmp(&weights[a as usize]));
        let mut sum = 0.0;
        let kept = order.iter().take_while(|&&window| {
            let is_wanted = sum < share * total;
            sum += weights[window as usize];
            is_wanted
        });
        let kept = kept.count();
        order.truncate(kept);
        // In order of memory again.
        order.sort_unstable();
    }
    let mut both = [Weighted::default(), Weighted::default()];
    for window in order {
        let weight = (weights[window as usize] / total * UNITS).round() as u64;
        let of = &mut both[usize::from(window as usize >= objects)];
        if weight > 0 {
            of.windows.push(window);
            of.weights.push(weight);
        }
    }
    both
}

/// The stump of a cut.
fn stump(bins: &Bins, cut: Cut, boost: Boost) -> Option<Tree> {
    let threshold = bins.scale(cut.feature).threshold(cut.bin)?;
    let [left, right] = match boost {
        Boost::Gentle => cut.sides.map(Side::mean),
        Boost::Discrete => {
            let [lower, upper] = cut.sides;
            let right = lower.objects + upper.background;
            let wrong = lower.background + upper.objects;
            let error = (right.min(wrong) as f64 / (right + wrong) as f64).max(LEAST_ERROR);
            let vote = 0.5 * libm::log((1.0 - error) / error);
            if right >= wrong { [vote, -vote] } else { [-vote, vote] }
        }
    };
    let leaf = |vote: f64| Branch::Leaf(vote as f32);
    let question = Question::Below(threshold);
    Some(Tree { nodes: vec![Node { feature: cut.feature, question, left: leaf(left), right: leaf(right) }] })
}

impl Side {
    /// The weighted mean of labels of 1 and -1.
    fn mean(self) -> f64 {
        let (objects, background) = (self.objects as f64, self.background as f64);
        (objects - background) / (objects + background)
    }
}

fn votes_of(tree: &Tree) -> [f32; 2] {
    let vote = |branch: Branch| if let Branch::Leaf(vote) = branch { vote } else { 0.0 };
    [vote(tree.nodes[0].left), vote(tree.nodes[0].right)]
}

/// The greatest threshold that a score reaches in detection.
pub(super) fn threshold(score: f64) -> f32 {
    let mut threshold = score as f32;
    while !passes(score, threshold) {
        threshold = threshold.next_down();
    }
    threshold
}

/// Whether votes let a window through: the detector's rule.
pub(super) fn passes(score: f64, threshold: f32) -> bool {
    score - f64::from(threshold - TOLERANCE) >= 0.0
}

/// The share of the scores that pass; of none, all.
pub(super) fn share(scores: &[f64], threshold: f32) -> f64 {
    let passed = scores.iter().filter(|&&score| passes(score, threshold)).count();
    if scores.is_empty() { 1.0 } else { passed as f64 / scores.len() as f64 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn trimming_keeps_the_heaviest(
            weights in proptest::collection::vec(0.01f64..1.0, 2..40),
            share in 0.1f64..1.0,
        ) {
            let objects = weights.len() / 2;
            let [some, others] = trimmed(&weights, objects, share);
            let kept: Vec<u32> = some.windows.iter().chain(&others.windows).copied().collect();
            prop_assert!(some.windows.iter().all(|&w| (w as usize) < objects));
            prop_assert!(others.windows.iter().all(|&w| w as usize >= objects));
            let total: f64 = weights.iter().sum();
            let sum: f64 = kept.iter().map(|&w| weights[w as usize]).sum();
            let least = kept.iter().map(|&w| weights[w as usize]).fold(f64::MAX, f64::min);
            let most = (0..weights.len() as u32)
                .filter(|w| !kept.contains(w))
                .map(|w| weights[w as usize])
                .fold(0.0, f64::max);
            prop_assert!(sum >= share * total - 1e-9 && sum - least < share * total && most <= least);
        }
    }

    #[test]
    fn votes_are_those_of_the_papers() {
        let bins = Bins::given(1, vec![0]);
        let side = |objects, background| Side { objects, background };
        let cut = |sides| {
            let objects = Weighted { windows: vec![0], weights: vec![1] };
            let bins = Bins::given(2, vec![1, 9]);
            let background = Weighted { windows: vec![1], weights: vec![1] };
            let cut = best_cut(&bins, &[0], &objects, &background, Boost::Gentle).unwrap();
            Cut { sides, ..cut }
        };
        let votes = |sides, boost| votes_of(&stump(&bins, cut(sides), boost).unwrap());
        // Three quarters of the weight below the cut are objects', one third above it.
        let sides = [side(3, 1), side(1, 2)];
        assert_eq!(votes(sides, Boost::Gentle), [0.5, -1.0 / 3.0]);
        // Two of seven are wrong: half the logarithm of 5 to 2.
        let vote = (0.5 * (5.0f64 / 2.0).ln()) as f32;
        assert_eq!(votes(sides, Boost::Discrete), [vote, -vote]);
        assert_eq!(votes([side(1, 3), side(2, 1)], Boost::Discrete), [-vote, vote]);
        let most = votes([side(4, 0), side(0, 3)], Boost::Discrete)[0];
        assert!(most.is_finite() && most > 6.0);
    }

    #[test]
    fn a_round_sees_the_share_of_the_features_it_should() {
        let random = Random::new(7);
        assert_eq!(drawn(5, 1.0, random), [0, 1, 2, 3, 4]);
        let some = drawn(10_000, 0.25, random);
        assert!((2200..2800).contains(&some.len()) && some.is_sorted(), "{}", some.len());
        assert_eq!(drawn(3, 1e-12, random).len(), 1);
        assert_ne!(some, drawn(10_000, 0.25, random.stream(1)));
    }
}
