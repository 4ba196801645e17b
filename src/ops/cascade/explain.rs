//! Why a cascade says yes or no to a window.

use super::eval::{Verdict, Windows};
use super::model::{Branch, Cascade, Feature, FeatureRect, Features, PatternBlock, Question, Tree};
use super::pyramid::resize;
use crate::image::{Plane, Rect, View};
use crate::kernel::Isa;
use crate::ops::draw::blend;
use crate::{Error, Result};

/// Windows this many pixels around, at their own scale, are tried for the one that goes furthest.
const AROUND: usize = 2;
/// Pixels that a pixel of the window is drawn with, and between two drawings.
const DOT: usize = 10;
const GAP: usize = 8;
const RED: [u8; 3] = [230, 30, 30];
const BLUE: [u8; 3] = [30, 60, 230];
/// Scales that are tried, as factors of the one asked for.
const SCALES: [f64; 5] = [1.0, 1.0 / 1.05, 1.05, 1.0 / 1.1, 1.1];

/// A question that a window was asked, and the answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// Index of the feature in the cascade.
    pub feature: usize,
    /// What was asked.
    pub question: Question,
    /// The Haar feature over the window's contrast, or the number of the pattern.
    pub value: f32,
    /// Whether the answer was yes.
    pub yes: bool,
}

/// What a weak classifier said of a window.
#[derive(Clone, Debug, PartialEq)]
pub struct WeakVote {
    /// Its vote.
    pub vote: f32,
    /// The least and the greatest vote it could have given.
    pub range: [f32; 2],
    /// The questions on the way to that vote.
    pub answers: Vec<Answer>,
}

/// What a stage said of a window.
#[derive(Clone, Debug, PartialEq)]
pub struct StageVote {
    /// The votes of its weak classifiers, summed.
    pub votes: f64,
    /// What they had to reach.
    pub threshold: f64,
    /// The weak classifiers, in their order.
    pub weak: Vec<WeakVote>,
}

/// What a cascade says of one window, stage after stage up to the one that rejects it.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The window, in pixels of the picture.
    pub window: Rect,
    /// How much larger than the training window it is.
    pub scale: f64,
    /// The verdict.
    pub verdict: Verdict,
    /// The stages it came to; none for a flat window.
    pub stages: Vec<StageVote>,
}

impl Cascade {
    /// What the cascade says of a window of the picture: of exactly that one, brought to the size of the training window
    /// by its width; or, where not `exactly`, of the one in its neighbourhood that goes furthest, as the box of an
    /// object is the mean of the windows that were found.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when the window is smaller than the training window, or leaves the picture.
    pub fn explain(&self, picture: View<u8>, window: Rect, exactly: bool) -> Result<Explanation> {
        let size = (picture.width(), picture.height());
        let fits = |at: usize, length: usize, end: usize| at.checked_add(length).is_some_and(|to| to <= end);
        if !(fits(window.x, window.width, size.0) && fits(window.y, window.height, size.1)) {
            return Err(Error::shape(format!(
                "the window of {}x{} at ({}, {}) leaves the picture of {}x{}",
                window.width, window.height, window.x, window.y, size.0, size.1
            )));
        }
        if window.width < self.width() || window.height < self.height() {
            return Err(Error::shape(format!(
                "expected a window of at least {}x{} pixels, got {}x{}",
                self.width(),
                self.height(),
                window.width,
                window.height
            ))
            .with_hint("objects smaller than the training window are not found; enlarge the picture"));
        }
        let wanted = window.width as f64 / self.width() as f64;
        let (scales, around) = if exactly { (&SCALES[..1], 0) } else { (&SCALES[..], AROUND) };
        let mut best: Option<(Rank, f64, (usize, usize))> = None;
        for factor in scales {
            let scale = (wanted * factor).max(1.0);
            let level = self.at_scale(picture, scale);
            let place = |at: usize| (at as f64 / scale).round_ties_even() as usize;
            let (x, y) = (place(window.x), place(window.y));
            for y in y.saturating_sub(around)..=y + around {
                for x in x.saturating_sub(around)..=x + around {
                    let Some(verdict) = level.verdict(x, y) else { continue };
                    let rank = Rank::of(verdict);
                    // Of equals the first, which is why the scale as asked for comes first.
                    if best.as_ref().is_none_or(|(other, ..)| rank.is_above(other)) {
                        best = Some((rank, scale, (x, y)));
                    }
                }
            }
        }
        let Some((Rank(_, _, verdict), scale, (x, y))) = best else {
            return Err(Error::shape(format!(
                "a window of {} pixels across at ({}, {}) leaves the picture at its scale",
                window.width, window.x, window.y
            ))
            .with_hint("move it by a pixel, or make it a little smaller"));
        };
        let level = self.at_scale(picture, scale);
        let stages = match verdict {
            Verdict::Flat => Vec::new(),
            Verdict::Rejected(last) => self.stage_votes(&level, (x, y), last + 1),
            Verdict::Accepted(_) => self.stage_votes(&level, (x, y), self.stages().len()),
        };
        let grow = |at: usize| (at as f64 * scale).round_ties_even() as usize;
        let (left, top) = (grow(x).min(size.0), grow(y).min(size.1));
        let window = Rect::new(
            left,
            top,
            grow(self.width()).min(size.0 - left),
            grow(self.height()).min(size.1 - top),
        );
        Ok(Explanation { window, scale, verdict, stages })
    }

    fn at_scale(&self, picture: View<u8>, scale: f64) -> Windows {
        let shrink = |length: usize| (length as f64 / scale).round_ties_even() as usize;
        let resized = resize(picture, shrink(picture.width()), shrink(picture.height()), Isa::best());
        Windows::new(self, resized.view())
    }

    /// What the first `count` stages say of the window at `(x, y)`.
    fn stage_votes(&self, level: &Windows, (x, y): (usize, usize), count: usize) -> Vec<StageVote> {
        let values = level.feature_values(self, (x, y));
        let stages = self.stages()[..count].iter();
        stages
            .map(|stage| {
                let weak: Vec<_> = stage.trees.iter().map(|tree| weak_vote(tree, &values)).collect();
                let votes = weak.iter().map(|weak| f64::from(weak.vote)).sum();
                StageVote { votes, threshold: stage.votes_needed(), weak }
            })
            .collect()
    }
}

/// How far a window went: stages, then margin.
struct Rank(usize, f64, Verdict);

impl Rank {
    fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Flat => Self(0, 0.0, verdict),
            Verdict::Rejected(stage) => Self(stage + 1, 0.0, verdict),
            Verdict::Accepted(score) => Self(usize::MAX, score, verdict),
        }
    }

    fn is_above(&self, other: &Self) -> bool {
        (self.0, self.1) > (other.0, other.1)
    }
}

fn weak_vote(tree: &Tree, values: &impl Fn(usize) -> f32) -> WeakVote {
    let leaves =
        tree.nodes.iter().flat_map(|node| [node.left, node.right]).filter_map(|branch| match branch {
            Branch::Leaf(vote) => Some(vote),
            Branch::Node(_) => None,
        });
    let range =
        leaves.fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], vote| [low.min(vote), high.max(vote)]);
    let mut answers = Vec::new();
    let mut node = &tree.nodes[0];
    let vote = loop {
        let value = values(node.feature);
        let yes = match node.question {
            Question::Below(threshold) => value < threshold,
            Question::Among(patterns) => patterns[value as usize / 32] >> (value as usize % 32) & 1 != 0,
        };
        answers.push(Answer { feature: node.feature, question: node.question, value, yes });
        match if yes { node.left } else { node.right } {
            Branch::Leaf(vote) => break vote,
            Branch::Node(next) => node = &tree.nodes[next],
        }
    };
    WeakVote { vote, range, answers }
}

impl Explanation {
    /// The weak classifiers of the last stage that the window came to which decided most, the first one most: where it
    /// was rejected those whose vote is furthest below their greatest, where it passed furthest above their least.
    pub fn decisive(&self, count: usize) -> Vec<&WeakVote> {
        let Some(stage) = self.stages.last() else { return Vec::new() };
        let passed = matches!(self.verdict, Verdict::Accepted(_));
        let said = |weak: &WeakVote| {
            if passed { weak.vote - weak.range[0] } else { weak.range[1] - weak.vote }
        };
        let mut weak: Vec<_> = stage.weak.iter().collect();
        weak.sort_by(|a, b| said(b).total_cmp(&said(a)));
        weak.truncate(count);
        weak
    }

    /// The features that the window was asked for by [`decisive`](Self::decisive) weak classifiers, each once.
    pub fn decisive_features(&self, count: usize) -> Vec<usize> {
        let mut features = Vec::new();
        for answer in self.decisive(count).iter().flat_map(|weak| &weak.answers) {
            if !features.contains(&answer.feature) && features.len() < count {
                features.push(answer.feature);
            }
        }
        features
    }

    /// A picture of it: the window as the cascade sees it, then with each of the features that decided, over its pixels;
    /// parts that count for a Haar feature in red where their weight is above 0 and blue where it is below, the middle of
    /// a pattern in red and the cells around it in blue.
    ///
    /// # Errors
    /// Those of [`Cascade::explain`].
    pub fn draw(&self, cascade: &Cascade, picture: View<u8>, features: usize) -> Result<Plane<[u8; 3]>> {
        let shrink = |length: usize| (length as f64 / self.scale).round_ties_even() as usize;
        let seen = resize(picture, shrink(picture.width()), shrink(picture.height()), Isa::best());
        let (width, height) = (cascade.width(), cascade.height());
        let place = Rect::new(shrink(self.window.x), shrink(self.window.y), width, height);
        let seen = seen.view().crop(place)?;
        let shown = self.decisive_features(features);
        let dot = DOT.min(4096 / width.max(height)).max(1);
        let tile = (width * dot, height * dot);
        let mut sheet = Plane::filled((tile.0 + GAP) * (shown.len() + 1) + GAP, tile.1 + 2 * GAP, [255; 3]);
        for index in 0..=shown.len() {
            let left = GAP + index * (tile.0 + GAP);
            for y in 0..tile.1 {
                let row = seen.row(y / dot);
                for (x, pixel) in sheet.row_mut(GAP + y)[left..left + tile.0].iter_mut().enumerate() {
                    *pixel = [row[x / dot]; 3];
                }
            }
            if let Some(feature) = index.checked_sub(1).and_then(|index| shown.get(index)) {
                for y in 0..tile.1 {
                    for (x, pixel) in sheet.row_mut(GAP + y)[left..left + tile.0].iter_mut().enumerate() {
                        let weight = weight_at(cascade.features(), *feature, x / dot, y / dot);
                        if weight != 0.0 {
                            *pixel = blend(*pixel, if weight > 0.0 { RED } else { BLUE }, 110);
                        }
                    }
                }
            }
        }
        Ok(sheet)
    }
}

/// The weight that the pixel at `(x, y)` has in a feature.
fn weight_at(features: &Features, index: usize, x: usize, y: usize) -> f32 {
    match features {
        Features::Haar(features) => {
            let Feature { rects, tilted } = &features[index];
            let inside = |rect: &&FeatureRect| {
                if !tilted {
                    return (rect.x..rect.x + rect.width).contains(&x)
                        && (rect.y..rect.y + rect.height).contains(&y);
                }
                let [x, y, left, top] = [x, y, rect.x, rect.y].map(|at| at as i64);
                let (width, height) = (rect.width as i64, rect.height as i64);
                (left + top - 1..left + top + 2 * width - 1).contains(&(x + y))
                    && (top - left + 1..top - left + 2 * height + 1).contains(&(y - x))
            };
            rects.iter().filter(inside).map(|rect| rect.weight).sum()
        }
        Features::Lbp(blocks) => {
            let PatternBlock { x: left, y: top, width, height } = blocks[index];
            let cell = (x.checked_sub(left).map(|x| x / width), y.checked_sub(top).map(|y| y / height));
            match cell {
                (Some(1), Some(1)) => 1.0,
                (Some(0..3), Some(0..3)) => -1.0,
                _ => 0.0,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::model::{Node, Stage};
    use super::*;

    /// Bright right of the middle passes the first stage; bright below it, the second.
    fn cascade() -> Cascade {
        let half = |x, y, width, height| FeatureRect { x, y, width, height, weight: 2.0 };
        let all = FeatureRect { x: 0, y: 0, width: 10, height: 10, weight: -1.0 };
        let feature = |rect| Feature { rects: vec![all, rect], tilted: false };
        let features = vec![feature(half(5, 0, 5, 10)), feature(half(0, 5, 10, 5))];
        let stage = |feature| {
            let (left, right) = (Branch::Leaf(-1.0), Branch::Leaf(1.0));
            let nodes = vec![Node { feature, question: Question::Below(0.0), left, right }];
            Stage { trees: vec![Tree { nodes }], threshold: 0.5 }
        };
        Cascade::new(10, 10, features, vec![stage(0), stage(1)]).unwrap()
    }

    #[test]
    fn the_stage_that_rejects_is_told_and_what_decided() {
        let picture = Plane::from_fn(40, 40, |x, y| (2 * x + 150 - 3 * y) as u8);
        let found = cascade().explain(picture.view(), Rect::new(6, 4, 20, 20), true).unwrap();
        assert_eq!((found.window, found.scale), (Rect::new(6, 4, 20, 20), 2.0));
        assert_eq!(found.verdict, Verdict::Rejected(1));
        let votes: Vec<_> = found.stages.iter().map(|stage| stage.votes).collect();
        assert_eq!(votes, [1.0, -1.0]);
        assert_eq!(found.stages[1].weak[0].range, [-1.0, 1.0]);
        let answer = found.stages[1].weak[0].answers[0];
        assert!(answer.yes && answer.value < 0.0);
        assert_eq!(found.decisive_features(5), [1]);
        let drawn = found.draw(&cascade(), picture.view(), 5).unwrap();
        assert_eq!((drawn.width(), drawn.height()), (8 + 2 * 108, 116));
        let at = |x: usize, y: usize| drawn.row(8 + 10 * y + 5)[8 + 108 + 10 * x + 5];
        assert!(at(2, 2)[2] > at(2, 2)[0] && at(2, 7)[0] > at(2, 7)[2]);
    }

    #[test]
    fn windows_around_may_go_further() {
        let mut picture = Plane::filled(40, 40, 40u8);
        for y in 17..40 {
            picture.row_mut(y)[17..].fill(200);
        }
        let exact = cascade().explain(picture.view(), Rect::new(20, 20, 10, 10), true).unwrap();
        assert_eq!(exact.verdict, Verdict::Flat);
        assert!(exact.stages.is_empty() && exact.decisive(3).is_empty());
        let near = cascade().explain(picture.view(), Rect::new(14, 14, 10, 10), false).unwrap();
        assert!(matches!(near.verdict, Verdict::Accepted(_)), "{near:?}");
        assert_eq!(near.stages.len(), 2);
    }

    #[test]
    fn every_verdict_is_that_of_detection() {
        let picture = Plane::from_fn(30, 30, |x, y| (x * x * 3 + y * y * 5 + x * y) as u8);
        let windows = Windows::new(&cascade(), picture.view());
        for y in 0..=20 {
            for x in 0..=20 {
                let found = cascade().explain(picture.view(), Rect::new(x, y, 10, 10), true).unwrap();
                assert_eq!(Some(found.verdict), windows.verdict(x, y));
                for (index, stage) in found.stages.iter().enumerate() {
                    let passed = stage.votes >= stage.threshold;
                    assert_eq!(passed, found.verdict != Verdict::Rejected(index));
                }
            }
        }
    }

    #[test]
    fn windows_outside_are_refused() {
        let picture = Plane::<u8>::new(30, 30);
        let explain = |x, y, size| cascade().explain(picture.view(), Rect::new(x, y, size, size), false);
        assert!(explain(21, 0, 10).unwrap_err().to_string().contains("leaves the picture of 30x30"));
        assert!(explain(usize::MAX, 0, 10).is_err());
        assert!(explain(0, 0, 9).unwrap_err().to_string().contains("at least 10x10"));
    }
}
