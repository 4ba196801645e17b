//! The best places of a score map.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

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
    let mut taken = Plane::<u8>::new(scores.width(), scores.height());
    // The best place of each part, or a better one that was taken since: most parts are never looked at again.
    let mut parts = BinaryHeap::new();
    for y in 0..scores.height() {
        for (part, scores) in scores.row(y).chunks(PART).enumerate() {
            let best = best_of(scores, quality);
            if best >= least {
                parts.push(Reverse((rank(best), y, part)));
            }
        }
    }
    let mut matches = Vec::new();
    while matches.len() < params.max_count
        && let Some(Reverse((best, y, part))) = parts.pop()
    {
        let from = part * PART;
        let part_scores = &scores.row(y)[from..scores.width().min(from + PART)];
        let free = part_scores
            .iter()
            .zip(&taken.row(y)[from..])
            .map(|(score, taken)| (*taken == 0, quality(*score)));
        let free = free.enumerate().filter(|(_, (free, quality))| *free && *quality >= least);
        // Equal scores come in raster order.
        let Some((now, x)) = free.map(|(x, (_, quality))| (rank(quality), from + x)).min() else { continue };
        if now != best {
            parts.push(Reverse((now, y, part)));
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
        parts.push(Reverse((best, y, part)));
    }
    matches
}

/// Scores that are looked at together.
const PART: usize = 64;

/// The best quality, below all where there is none that is a number.
fn best_of(scores: &[f32], quality: impl Fn(f32) -> f32) -> f32 {
    // Side by side, as vectors do.
    const LANES: usize = 16;
    let better = |a: f32, b: f32| if b > a { b } else { a };
    let mut best = [f32::NEG_INFINITY; LANES];
    let (whole, rest) = scores.as_chunks::<LANES>();
    for scores in whole {
        for i in 0..LANES {
            best[i] = better(best[i], quality(scores[i]));
        }
    }
    best.into_iter().chain(rest.iter().map(|score| quality(*score))).fold(f32::NEG_INFINITY, better)
}

/// A number in the order of falling quality; -0 is 0.
pub(super) fn rank(quality: f32) -> u32 {
    let bits = (quality + 0.0).to_bits();
    let rising = if bits >> 31 == 0 { bits | 1 << 31 } else { !bits };
    !rising
}
