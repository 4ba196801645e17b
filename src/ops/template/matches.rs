//! The best places of a score map.

use super::Method;
use crate::image::{Plane, Rect, View};

/// Which places of a score map are matches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BestMatches {
    /// The score that a match has at least (at most where lower is better).
    pub threshold: f32,
    /// How many matches there are at most.
    pub max_count: usize,
    /// How much two matches may overlap: intersection over union, 0..=1.
    pub max_overlap: f64,
}

impl Default for BestMatches {
    fn default() -> Self {
        Self { threshold: 0.8, max_count: 100, max_overlap: 0.3 }
    }
}

/// A place where the template fits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Match {
    /// The window.
    pub rect: Rect,
    /// Its score.
    pub score: f32,
}

/// The matches of a template of `width` x `height` in its map of scores, the best first.
///
/// Taken greedily from the best score, of equal scores the first in raster order; a place that
/// overlaps a match by more than the parameters allow is none. The same as
/// [`nms`](crate::ops::nms::nms) over all windows, without their pairs.
///
/// ```
/// use lyncean::image::Plane;
/// use lyncean::ops::template::{BestMatches, Match, Method, best_matches};
///
/// let scores = Plane::from_fn(20, 1, |x, _| if x == 3 || x == 12 { 0.9 } else { 0.1 });
/// let found: Vec<Match> = best_matches(scores.view(), (4, 4), Method::CorrelationCoefficientNormed, &BestMatches::default());
/// assert_eq!((found.len(), found[1].rect.x), (2, 12));
/// ```
pub fn best_matches(
    scores: View<f32>,
    (width, height): (usize, usize),
    method: Method,
    params: &BestMatches,
) -> Vec<Match> {
    let quality = |score: f32| if method.lower_is_better() { -score } else { score };
    let least = quality(params.threshold);
    let mut places = Vec::new();
    for y in 0..scores.height() {
        for (part, scores) in scores.row(y).chunks(PART).enumerate() {
            // Most parts have none, and vectors see that at once.
            if scores.iter().fold(0u32, |found, score| found | u32::from(quality(*score) >= least)) == 0 {
                continue;
            }
            let good = scores.iter().enumerate().filter(|(_, score)| quality(**score) >= least);
            places.extend(good.map(|(x, score)| (rank(quality(*score)), y, part * PART + x)));
        }
    }
    // Equal scores come in raster order.
    places.sort_unstable();
    let mut taken = Plane::<u8>::new(scores.width(), scores.height());
    let mut matches = Vec::new();
    for (_, y, x) in places {
        if matches.len() == params.max_count {
            break;
        }
        if taken.get(x, y) != 0 {
            continue;
        }
        matches.push(Match { rect: Rect::new(x, y, width, height), score: scores.row(y)[x] });
        for other_y in y.saturating_sub(height)..(y + height).min(scores.height()) {
            for other_x in x.saturating_sub(width)..(x + width).min(scores.width()) {
                let common =
                    width.saturating_sub(other_x.abs_diff(x)) * height.saturating_sub(other_y.abs_diff(y));
                let union = 2 * width * height - common;
                if common as f64 / union as f64 > params.max_overlap {
                    taken.set(other_x, other_y, 1);
                }
            }
        }
        // With an overlap of 1 allowed, a place still is no second match of its own.
        taken.set(x, y, 1);
    }
    matches
}

/// Scores that are looked at together.
const PART: usize = 64;

/// A number in the order of falling quality; -0 is 0.
pub(super) fn rank(quality: f32) -> u32 {
    let bits = (quality + 0.0).to_bits();
    let rising = if bits >> 31 == 0 { bits | 1 << 31 } else { !bits };
    !rising
}
