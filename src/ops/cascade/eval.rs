//! The run form: a cascade baked for the integral images of one level, and the verdict on windows.
//!
//! Windows side by side are looked at together for as long as two of them are left, which is hardly ever beyond
//! the first stages; a last one goes on alone. The order of float operations is OpenCV's either way, each rounded
//! on its own: see [`haar`](crate::kernel::haar).
#![allow(clippy::inline_always, reason = "a call for each rectangle sum doubles the time of a scan")]

use std::ops::Range;

use super::layout::Layout;
use super::model::{Branch, Cascade, Feature, FeatureRect, Features, PatternBlock, Question, Tree};
use super::pyramid::{Integrals, Wants};
use crate::image::View;
use crate::kernel::Isa;
use crate::kernel::cascade::haar::{self, Below, Contrast};
use crate::kernel::cascade::lbp::Among;
use crate::kernel::cascade::{self as kernel, Job, LANES, Node, Trees, Wide, dispatch, visited};

/// The last stages, whose margins make the score.
const SCORED: usize = 4;

/// What the cascade says of one window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// Too flat to be looked at.
    Flat,
    /// Rejected by the stage with this index.
    Rejected(usize),
    /// Passed every stage; the votes of the last four were this far above their thresholds, summed.
    Accepted(f64),
}

/// A stage: the range of its weak classifiers and its threshold.
#[derive(Clone, Debug)]
struct BakedStage {
    trees: Range<usize>,
    threshold: f64,
}

/// The weak classifiers of a cascade, baked for one layout of integral images.
#[derive(Clone, Debug)]
enum Weak {
    Haar {
        trees: Trees<Below>,
        contrast: Contrast,
    },
    /// Patterns do not ask for contrast.
    Lbp(Trees<Among>),
}

/// A cascade baked for one layout of integral images.
#[derive(Clone, Debug)]
pub(super) struct Baked {
    stages: Vec<BakedStage>,
    weak: Weak,
}

impl Baked {
    pub(super) fn new(cascade: &Cascade, layout: &Layout) -> Self {
        let mut stages = Vec::with_capacity(cascade.stages().len());
        let mut first = 0;
        for stage in cascade.stages() {
            let end = first + stage.trees.len();
            stages.push(BakedStage { trees: first..end, threshold: stage.votes_needed() });
            first = end;
        }
        let weak = match cascade.features() {
            Features::Haar(features) => {
                let features: Vec<_> = features.iter().map(|feature| bake(feature, layout)).collect();
                let (width, height) = (cascade.width(), cascade.height());
                let inner = FeatureRect { x: 1, y: 1, width: width - 2, height: height - 2, weight: 0.0 };
                let contrast = Contrast {
                    corners: upright_corners(&inner, layout),
                    area: (inner.width * inner.height) as f64,
                };
                let trees = bake_trees(cascade, |index, question| match question {
                    Question::Below(threshold) => Below { feature: features[index], threshold },
                    Question::Among(_) => unreachable!("checked with the model"),
                });
                Weak::Haar { trees, contrast }
            }
            Features::Lbp(blocks) => {
                let corners: Vec<_> = blocks.iter().map(|block| block_corners(block, layout)).collect();
                Weak::Lbp(bake_trees(cascade, |index, question| match question {
                    Question::Among(patterns) => Among { corners: corners[index], patterns },
                    Question::Below(_) => unreachable!("checked with the model"),
                }))
            }
        };
        Self { stages, weak }
    }

    /// The verdict on the window whose first entry in the integral images is at `start`.
    pub(super) fn verdict(&self, integrals: &Integrals, start: usize) -> Verdict {
        let sums = &integrals.sums[start..];
        match &self.weak {
            Weak::Haar { trees, contrast } => match contrast.factor(sums, &integrals.squares[start..]) {
                Some(factor) => self.verdict_from(trees, 0, 0.0, sums, factor),
                None => Verdict::Flat,
            },
            Weak::Lbp(trees) => self.verdict_from(trees, 0, 0.0, sums, 0.0),
        }
    }

    /// The verdict on a window that passed the stages before `first`, with the `score` it has from them.
    #[inline(always)]
    fn verdict_from<Q: kernel::Question>(
        &self,
        trees: &Trees<Q>,
        first: usize,
        mut score: f64,
        sums: &[u32],
        factor: f32,
    ) -> Verdict {
        for (index, stage) in self.stages.iter().enumerate().skip(first) {
            let margin = trees.votes_of_one(stage.trees.clone(), sums, factor) - stage.threshold;
            if margin < 0.0 {
                return Verdict::Rejected(index);
            }
            if self.is_scored(index) {
                score += margin;
            }
        }
        Verdict::Accepted(score)
    }

    #[inline(always)]
    fn is_scored(&self, stage: usize) -> bool {
        stage + SCORED >= self.stages.len()
    }

    /// Looks at `count` windows side by side, the first of which begins at `start`, and hands on the place in the
    /// row and the score of those that pass. As in OpenCV the one behind a window that the first stage rejects
    /// is passed over, as it hardly ever passes.
    pub(super) fn verdicts(
        &self,
        isa: Isa,
        integrals: &Integrals,
        start: usize,
        count: usize,
        accept: impl FnMut(usize, f64),
    ) {
        dispatch(
            isa,
            Row { baked: self, integrals, start, count, wanted: |_| u32::MAX, is_hasty: true, accept },
        );
    }
}

/// Windows side by side.
struct Row<'a, V, F> {
    baked: &'a Baked,
    integrals: &'a Integrals,
    start: usize,
    count: usize,
    /// Which of the windows from a place on are looked at: a bit for each.
    wanted: V,
    /// Whether a window behind one that the first stage rejects is passed over.
    is_hasty: bool,
    accept: F,
}

impl<V: Fn(usize) -> u32, F: FnMut(usize, f64)> Job for Row<'_, V, F> {
    #[inline(always)]
    fn run<W: Wide>(self, wide: W) {
        let integrals = self.integrals;
        match &self.baked.weak {
            Weak::Haar { trees, contrast } => self.run_with(
                wide,
                trees,
                #[inline(always)]
                |place| contrast.factors(wide, &integrals.sums[place..], &integrals.squares[place..]),
            ),
            Weak::Lbp(trees) => {
                let factors = wide.splat(0.0);
                self.run_with(
                    wide,
                    trees,
                    #[inline(always)]
                    |_| (factors, u32::MAX),
                );
            }
        }
    }
}

impl<V: Fn(usize) -> u32, F: FnMut(usize, f64)> Row<'_, V, F> {
    /// Looks at the windows with trees of one kind, and what tells the contrast factors of the windows that begin at a
    /// place, and which of them are not flat.
    #[inline(always)]
    fn run_with<Q: kernel::Question, W: Wide>(
        self,
        wide: W,
        trees: &Trees<Q>,
        factors: impl Fn(usize) -> (W::Floats, u32),
    ) {
        let Self { baked, integrals, start, count, wanted, is_hasty, mut accept } = self;
        let mut skip = false;
        for first in (0..count).step_by(LANES) {
            let wanted = wanted(first) & u32::MAX >> (32 - LANES.min(count - first));
            if wanted == 0 {
                continue;
            }
            let sums = &integrals.sums[start + first..];
            let (factors, contrasty) = factors(start + first);
            let mut alive = contrasty & wanted;
            if alive == 0 {
                skip = false;
                continue;
            }
            let mut scores = wide.no_votes();
            for (index, stage) in baked.stages.iter().enumerate() {
                if alive.is_power_of_two() && index > 0 {
                    let lane = alive.trailing_zeros() as usize;
                    let score = wide.votes_to_array(scores)[lane];
                    let factor = wide.to_array(factors)[lane];
                    let verdict = baked.verdict_from(trees, index, score, &sums[lane..], factor);
                    if let Verdict::Accepted(score) = verdict {
                        accept(first + lane, score);
                    }
                    alive = 0;
                }
                if alive == 0 {
                    break;
                }
                let votes = trees.votes(wide, stage.trees.clone(), sums, factors);
                let passed = wide.reached(votes, stage.threshold);
                if index == 0 && is_hasty {
                    alive &= visited(alive & !passed, &mut skip);
                }
                alive &= passed;
                if baked.is_scored(index) {
                    let margins = wide.vote(votes, wide.mask(0), 0.0, -stage.threshold);
                    scores = wide.plus_votes(scores, margins);
                }
            }
            let scores = wide.votes_to_array(scores);
            while alive != 0 {
                let lane = alive.trailing_zeros() as usize;
                accept(first + lane, scores[lane]);
                alive &= alive - 1;
            }
        }
    }
}

/// The trees of all stages, with the questions as `bake` makes them of a feature's index and what is asked.
fn bake_trees<Q: kernel::Question>(cascade: &Cascade, bake: impl Fn(usize, Question) -> Q) -> Trees<Q> {
    let mut trees = Trees::new();
    let mut baked = Vec::new();
    for Tree { nodes } in cascade.stages().iter().flat_map(|stage| &stage.trees) {
        baked.clear();
        baked.extend(nodes.iter().map(|node| {
            let branches = [node.left, node.right];
            let next = |branch| if let Branch::Node(next) = branch { next as u32 } else { 0 };
            let vote = |branch| if let Branch::Leaf(vote) = branch { vote } else { 0.0 };
            Node {
                question: bake(node.feature, node.question),
                next: branches.map(next),
                votes: branches.map(vote),
            }
        }));
        trees.push(&baked);
    }
    trees
}

/// The 4x4 corners of the cells, row by row.
fn block_corners(block: &PatternBlock, layout: &Layout) -> [u32; 16] {
    let &PatternBlock { x, y, width, height } = block;
    std::array::from_fn(|i| layout.at(x + i % 4 * width, y + i / 4 * height) as u32)
}

fn bake(feature: &Feature, layout: &Layout) -> haar::Feature {
    let mut baked = haar::Feature::default();
    for (i, rect) in feature.rects.iter().enumerate() {
        baked.weights[i] = rect.weight;
        baked.corners[i] =
            if feature.tilted { tilted_corners(rect, layout) } else { upright_corners(rect, layout) };
    }
    baked
}

/// Top left, top right, bottom left, bottom right.
fn upright_corners(rect: &FeatureRect, layout: &Layout) -> [u32; 4] {
    let &FeatureRect { x, y, width, height, .. } = rect;
    let at = |x: usize, y: usize| layout.at(x, y) as u32;
    [at(x, y), at(x + width, y), at(x, y + height), at(x + width, y + height)]
}

/// Top, left, right, bottom, in the tilted sums.
fn tilted_corners(rect: &FeatureRect, layout: &Layout) -> [u32; 4] {
    let &FeatureRect { x, y, width, height, .. } = rect;
    let at = |x: usize, y: usize| (layout.len() + layout.at(x, y)) as u32;
    [
        at(x, y),
        at(x - height, y + height),
        at(x + width, y + width),
        at(x + width - height, y + width + height),
    ]
}

/// A cascade made ready for the windows of one picture at its own scale.
///
/// For looking closely: [`Cascade::detect`] does the same for every scale at once.
pub struct Windows {
    baked: Baked,
    integrals: Integrals,
    width: usize,
    height: usize,
}

impl Windows {
    /// Prepares a picture.
    pub fn new(cascade: &Cascade, picture: View<u8>) -> Self {
        Self::with(cascade, picture, Isa::best())
    }

    /// The same on a given instruction set.
    pub(super) fn with(cascade: &Cascade, picture: View<u8>, isa: Isa) -> Self {
        let integrals = Integrals::new(picture, Wants::of(cascade), 1, isa);
        let baked = Baked::new(cascade, &integrals.layout);
        Self { baked, integrals, width: cascade.width(), height: cascade.height() }
    }

    /// The verdict on the window with its corner at `(x, y)`, or nothing where it leaves the picture.
    pub fn verdict(&self, x: usize, y: usize) -> Option<Verdict> {
        let fits = |at: usize, size: usize, end: usize| at.checked_add(size).is_some_and(|past| past < end);
        let inside = fits(x, self.width, self.integrals.layout.columns())
            && fits(y, self.height, self.integrals.layout.rows());
        inside.then(|| self.baked.verdict(&self.integrals, self.integrals.layout.at(x, y)))
    }

    /// Hands on the columns of the windows in row `y` that pass, of those that are wanted: a number for each
    /// [`LANES`] windows with a bit for each of them. All windows wanted are inside the picture.
    pub(super) fn passing(&self, isa: Isa, y: usize, wanted: &[u32], mut accept: impl FnMut(usize)) {
        let Integrals { layout, .. } = &self.integrals;
        let row = Row {
            baked: &self.baked,
            integrals: &self.integrals,
            start: layout.at(0, y),
            count: (layout.columns() - self.width).min(wanted.len() * LANES),
            wanted: |first: usize| wanted[first / LANES],
            is_hasty: false,
            accept: |x, _| accept(x),
        };
        dispatch(isa, row);
    }

    /// What the features of the same cascade are in the window at `(x, y)`, by their index: Haar features over the
    /// contrast, numbers of patterns. The window is inside the picture, and not flat.
    pub(super) fn feature_values<'a>(
        &'a self,
        cascade: &'a Cascade,
        (x, y): (usize, usize),
    ) -> impl Fn(usize) -> f32 + 'a {
        let Integrals { layout, sums, squares } = &self.integrals;
        let start = layout.at(x, y);
        let sums = &sums[start..];
        let factor = match &self.baked.weak {
            Weak::Haar { contrast, .. } => contrast.factor(sums, &squares[start..]).unwrap_or_default(),
            Weak::Lbp(_) => 0.0,
        };
        move |index| match cascade.features() {
            Features::Haar(features) => bake(&features[index], layout).value(sums) * factor,
            Features::Lbp(blocks) => {
                let corners = block_corners(&blocks[index], layout);
                f32::from(Among { corners, patterns: [0; 8] }.pattern(sums))
            }
        }
    }
}

#[cfg(test)]
mod tests;
