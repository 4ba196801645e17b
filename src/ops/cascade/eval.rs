//! The run form: a cascade baked for the integral images of one level, and the verdict on a window.
//!
//! The order of float operations is OpenCV's, each rounded on its own: feature sums, the contrast
//! factor and thresholds in `f32`, the contrast itself and votes in `f64`.
#![allow(clippy::inline_always, reason = "a call for each rectangle sum doubles the time of a scan")]

use super::model::{Branch, Cascade, Feature, FeatureRect};
use super::pyramid::Integrals;
use crate::image::View;

/// How far below its threshold a stage's votes may stay: OpenCV's allowance for rounding.
const STAGE_TOLERANCE: f32 = 1e-5;
/// Windows in which the contrast factor, times the area, is not below this are passed over as flat.
const FLAT: f64 = 1e-1;

/// What the cascade says of one window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// Too flat to be looked at.
    Flat,
    /// Rejected by the stage with this index.
    Rejected(usize),
    /// Passed every stage; the last one's votes were this far above its threshold.
    Accepted(f64),
}

/// A feature as offsets from a window's first entry in the integral images.
#[derive(Clone, Debug)]
struct BakedFeature {
    corners: [[u32; 4]; Feature::MAX_RECTS],
    weights: [f32; Feature::MAX_RECTS],
}

/// A tree of one node.
#[derive(Clone, Debug)]
struct Stump {
    feature: BakedFeature,
    threshold: f32,
    votes: [f32; 2],
}

/// A node of a larger tree: where each answer leads, counted from the tree's root, and what it votes if
/// that is nowhere, which is written as the root itself.
#[derive(Clone, Debug)]
struct BakedNode {
    feature: BakedFeature,
    threshold: f32,
    next: [u32; 2],
    votes: [f32; 2],
}

/// The weak classifiers of all stages, one after the other.
#[derive(Clone, Debug)]
enum Weak {
    Stumps(Vec<Stump>),
    /// Nodes, and where each tree's begin.
    Trees {
        roots: Vec<u32>,
        nodes: Vec<BakedNode>,
    },
}

/// A stage: the range of its weak classifiers and its threshold.
#[derive(Clone, Debug)]
struct BakedStage {
    first: usize,
    end: usize,
    threshold: f64,
}

/// A cascade baked for one stride.
#[derive(Clone, Debug)]
pub(super) struct Baked {
    stages: Vec<BakedStage>,
    weak: Weak,
    /// Corners of the rectangle over which the contrast is measured: the window without its rim.
    contrast: [u32; 4],
    area: f64,
}

impl Baked {
    pub(super) fn new(cascade: &Cascade, stride: usize, tilted_start: usize) -> Self {
        let features: Vec<BakedFeature> =
            cascade.features().iter().map(|feature| bake(feature, stride, tilted_start)).collect();
        let mut stages = Vec::with_capacity(cascade.stages().len());
        let mut first = 0;
        for stage in cascade.stages() {
            let end = first + stage.trees.len();
            stages.push(BakedStage { first, end, threshold: f64::from(stage.threshold - STAGE_TOLERANCE) });
            first = end;
        }
        let (width, height) = (cascade.width(), cascade.height());
        let inner = FeatureRect { x: 1, y: 1, width: width - 2, height: height - 2, weight: 0.0 };
        Self {
            stages,
            weak: bake_weak(cascade, &features),
            contrast: upright_corners(&inner, stride),
            area: (inner.width * inner.height) as f64,
        }
    }

    /// The verdict on the window whose first entry in the integral images is at `start`.
    #[inline(always)]
    pub(super) fn verdict(&self, integrals: &Integrals, start: usize) -> Verdict {
        let sums = &integrals.sums[start..];
        let Some(factor) = self.contrast_factor(sums, &integrals.squares[start..]) else {
            return Verdict::Flat;
        };
        match &self.weak {
            Weak::Stumps(stumps) => {
                self.pass(|stage| stump_votes(&stumps[stage.first..stage.end], sums, factor))
            }
            Weak::Trees { roots, nodes } => {
                self.pass(|stage| tree_votes(&roots[stage.first..stage.end], nodes, sums, factor))
            }
        }
    }

    /// Goes through the stages, each of which `votes` in its own way.
    #[inline(always)]
    fn pass(&self, votes: impl Fn(&BakedStage) -> f64) -> Verdict {
        let mut margin = 0.0;
        for (index, stage) in self.stages.iter().enumerate() {
            margin = votes(stage) - stage.threshold;
            if margin < 0.0 {
                return Verdict::Rejected(index);
            }
        }
        Verdict::Accepted(margin)
    }

    /// One over the standard deviation times the area, or nothing for a window without contrast.
    #[inline(always)]
    fn contrast_factor(&self, sums: &[u32], squares: &[u32]) -> Option<f32> {
        let sum = f64::from(corner_sum(sums, &self.contrast) as i32);
        let square = f64::from(corner_sum(squares, &self.contrast));
        let variance = self.area * square - sum * sum;
        if variance > 0.0 {
            let factor = (1.0 / variance.sqrt()) as f32;
            (self.area * f64::from(factor) < FLAT).then_some(factor)
        } else {
            None
        }
    }
}

impl BakedFeature {
    /// The weighted sum, not yet divided by the contrast.
    #[inline(always)]
    fn value(&self, sums: &[u32]) -> f32 {
        let rect = |i: usize| self.weights[i] * (corner_sum(sums, &self.corners[i]) as i32) as f32;
        let mut value = rect(0) + rect(1);
        if self.weights[2] != 0.0 {
            value += rect(2);
        }
        value
    }
}

/// The side a window takes at a node, as an index: branches here would be mispredicted half the time.
#[inline(always)]
fn side(feature: &BakedFeature, threshold: f32, sums: &[u32], factor: f32) -> usize {
    let below = feature.value(sums) * factor < threshold;
    usize::from(!below)
}

#[inline(always)]
fn stump_votes(stumps: &[Stump], sums: &[u32], factor: f32) -> f64 {
    let mut votes = 0.0;
    for stump in stumps {
        votes += f64::from(stump.votes[side(&stump.feature, stump.threshold, sums, factor)]);
    }
    votes
}

#[inline(always)]
fn tree_votes(roots: &[u32], nodes: &[BakedNode], sums: &[u32], factor: f32) -> f64 {
    let mut votes = 0.0;
    for &root in roots {
        let tree = &nodes[root as usize..];
        let mut node = &tree[0];
        votes += f64::from(loop {
            let side = side(&node.feature, node.threshold, sums, factor);
            match node.next[side] {
                0 => break node.votes[side],
                next => node = &tree[next as usize],
            }
        });
    }
    votes
}

#[inline(always)]
fn corner_sum(sums: &[u32], corners: &[u32; 4]) -> u32 {
    let [a, b, c, d] = corners.map(|offset| sums[offset as usize]);
    a.wrapping_sub(b).wrapping_sub(c).wrapping_add(d)
}

fn bake(feature: &Feature, stride: usize, tilted_start: usize) -> BakedFeature {
    let mut baked =
        BakedFeature { corners: [[0; 4]; Feature::MAX_RECTS], weights: [0.0; Feature::MAX_RECTS] };
    for (i, rect) in feature.rects.iter().enumerate() {
        baked.weights[i] = rect.weight;
        baked.corners[i] = if feature.tilted {
            tilted_corners(rect, stride).map(|offset| offset + tilted_start as u32)
        } else {
            upright_corners(rect, stride)
        };
    }
    baked
}

/// Top left, top right, bottom left, bottom right.
fn upright_corners(rect: &FeatureRect, stride: usize) -> [u32; 4] {
    let &FeatureRect { x, y, width, height, .. } = rect;
    let at = |x: usize, y: usize| (y * stride + x) as u32;
    [at(x, y), at(x + width, y), at(x, y + height), at(x + width, y + height)]
}

/// Top, left, right, bottom.
fn tilted_corners(rect: &FeatureRect, stride: usize) -> [u32; 4] {
    let &FeatureRect { x, y, width, height, .. } = rect;
    let at = |x: usize, y: usize| (y * stride + x) as u32;
    [
        at(x, y),
        at(x - height, y + height),
        at(x + width, y + width),
        at(x + width - height, y + width + height),
    ]
}

fn bake_weak(cascade: &Cascade, features: &[BakedFeature]) -> Weak {
    let trees = || cascade.stages().iter().flat_map(|stage| &stage.trees);
    let stump = |node: &super::model::Node| match (node.left, node.right) {
        (Branch::Leaf(left), Branch::Leaf(right)) => Some(Stump {
            feature: features[node.feature].clone(),
            threshold: node.threshold,
            votes: [left, right],
        }),
        _ => None,
    };
    if let Some(stumps) = trees().map(|tree| tree.nodes.first().and_then(stump)).collect() {
        return Weak::Stumps(stumps);
    }
    let (mut roots, mut nodes) = (Vec::new(), Vec::new());
    for tree in trees() {
        roots.push(nodes.len() as u32);
        nodes.extend(tree.nodes.iter().map(|node| {
            let branches = [node.left, node.right];
            BakedNode {
                feature: features[node.feature].clone(),
                threshold: node.threshold,
                next: branches.map(|branch| if let Branch::Node(next) = branch { next as u32 } else { 0 }),
                votes: branches.map(|branch| if let Branch::Leaf(vote) = branch { vote } else { 0.0 }),
            }
        }));
    }
    Weak::Trees { roots, nodes }
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
        let integrals = Integrals::new(picture, cascade.has_tilted());
        let baked = Baked::new(cascade, integrals.stride, integrals.tilted_start());
        Self { baked, integrals, width: cascade.width(), height: cascade.height() }
    }

    /// The verdict on the window with its corner at `(x, y)`, or nothing where it leaves the picture.
    pub fn verdict(&self, x: usize, y: usize) -> Option<Verdict> {
        let fits = |at: usize, size: usize, end: usize| at.checked_add(size).is_some_and(|past| past < end);
        let inside = fits(x, self.width, self.integrals.stride) && fits(y, self.height, self.integrals.rows);
        inside.then(|| self.baked.verdict(&self.integrals, y * self.integrals.stride + x))
    }
}

#[cfg(test)]
mod tests {
    use super::super::model::{Node, Stage, Tree};
    use super::*;
    use crate::image::{Plane, Rect};
    use crate::reference::cascade::{self as reference, HaarRect, Vote};
    use proptest::collection::vec;
    use proptest::prelude::*;

    const WINDOW: (usize, usize) = (9, 11);

    fn rect(tilted: bool) -> impl Strategy<Value = FeatureRect> {
        let (wide, high) = WINDOW;
        let size = if tilted { (0..=4usize, 0..=5usize) } else { (0..=wide, 0..=high) };
        size.prop_flat_map(move |(width, height)| {
            let (x, y) = if tilted {
                (height..=wide - width, 0..=high - width - height)
            } else {
                (0..=wide - width, 0..=high - height)
            };
            (x, y, -3i8..=3).prop_map(move |(x, y, weight)| FeatureRect {
                x,
                y,
                width,
                height,
                weight: f32::from(weight) / 7.0,
            })
        })
    }

    fn feature() -> impl Strategy<Value = Feature> {
        any::<bool>()
            .prop_flat_map(|tilted| vec(rect(tilted), 1..=3).prop_map(move |rects| Feature { rects, tilted }))
    }

    /// Trees of one to three nodes over ten features.
    fn tree(nodes: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = Tree> {
        nodes.prop_flat_map(|count| {
            let node = (0usize..10, -0.2f32..0.2, any::<[bool; 2]>(), [-1.0f32..1.0, -1.0f32..1.0]);
            vec(node, count).prop_map(move |nodes| {
                let nodes = nodes.into_iter().enumerate().map(|(i, (feature, threshold, deeper, votes))| {
                    let branch = |side: usize| {
                        if deeper[side] && i + 1 + side < count {
                            Branch::Node(i + 1 + side)
                        } else {
                            Branch::Leaf(votes[side])
                        }
                    };
                    Node { feature, threshold, left: branch(0), right: branch(1) }
                });
                Tree { nodes: nodes.collect() }
            })
        })
    }

    fn cascade() -> impl Strategy<Value = Cascade> {
        let stages = |nodes| {
            vec((vec(tree(nodes), 1..4), -1.0f32..0.5), 1..4).prop_map(|stages| {
                stages.into_iter().map(|(trees, threshold)| Stage { trees, threshold }).collect::<Vec<_>>()
            })
        };
        (vec(feature(), 10), prop_oneof![stages(1..=1), stages(1..=3)])
            .prop_map(|(features, stages)| Cascade::new(WINDOW.0, WINDOW.1, features, stages).unwrap())
    }

    /// A picture inside a larger one, contrasty or nearly flat.
    fn picture() -> impl Strategy<Value = (Plane<u8>, Rect)> {
        (0usize..16, 0usize..16, 0usize..3, prop_oneof![Just(255u8), Just(36), Just(0)]).prop_flat_map(
            |(w, h, margin, top)| {
                let size = (w + margin, h + margin);
                vec(0..=top, size.0 * size.1).prop_map(move |data| {
                    (Plane::from_vec(size.0, size.1, data).unwrap(), Rect::new(margin, margin, w, h))
                })
            },
        )
    }

    fn plain_rects(feature: &Feature) -> Vec<HaarRect> {
        let place = |r: &FeatureRect| [r.x, r.y, r.width, r.height].map(|edge| edge as i64);
        feature.rects.iter().map(|r| HaarRect { place: place(r), weight: r.weight }).collect()
    }

    fn plain_tree(cascade: &Cascade, tree: &Tree, at: usize) -> Vote {
        let node = &tree.nodes[at];
        let feature = &cascade.features()[node.feature];
        let branch = |branch| match branch {
            Branch::Leaf(vote) => Vote::Leaf(vote),
            Branch::Node(next) => plain_tree(cascade, tree, next),
        };
        Vote::Ask {
            rects: plain_rects(feature),
            tilted: feature.tilted,
            threshold: node.threshold,
            branches: Box::new([branch(node.left), branch(node.right)]),
        }
    }

    fn plain_stages(cascade: &Cascade) -> Vec<(Vec<Vote>, f32)> {
        let trees = |stage: &Stage| stage.trees.iter().map(|tree| plain_tree(cascade, tree, 0)).collect();
        cascade.stages().iter().map(|stage| (trees(stage), stage.threshold)).collect()
    }

    /// Corners of all windows in a picture.
    fn corners(rect: Rect) -> impl Iterator<Item = (usize, usize)> {
        let count = |length: usize, window: usize| (length + 1).saturating_sub(window);
        let (across, down) = (count(rect.width, WINDOW.0), count(rect.height, WINDOW.1));
        (0..down).flat_map(move |y| (0..across).map(move |x| (x, y)))
    }

    proptest! {
        #[test]
        fn features_are_weighted_sums_of_pixels((plane, rect) in picture(), feature in feature()) {
            let view = plane.view().crop(rect).unwrap();
            let integrals = Integrals::new(view, true);
            let baked = bake(&feature, integrals.stride, integrals.tilted_start());
            for (x, y) in corners(rect) {
                let value = baked.value(&integrals.sums[y * integrals.stride + x..]);
                let expected = reference::feature_value(view, (x, y), &plain_rects(&feature), feature.tilted);
                prop_assert_eq!(value, expected, "at ({}, {})", x, y);
            }
        }

        #[test]
        fn verdicts_are_those_of_the_definition((plane, rect) in picture(), cascade in cascade()) {
            let view = plane.view().crop(rect).unwrap();
            let (windows, stages) = (Windows::new(&cascade, view), plain_stages(&cascade));
            for (x, y) in corners(rect) {
                let passed = match windows.verdict(x, y).unwrap() {
                    Verdict::Flat => None,
                    Verdict::Rejected(stage) => Some(stage),
                    Verdict::Accepted(margin) => {
                        prop_assert!(margin >= 0.0);
                        Some(stages.len())
                    }
                };
                let expected = reference::stages_passed(view, (x, y), WINDOW, &stages);
                prop_assert_eq!(passed, expected, "at ({}, {})", x, y);
            }
        }
    }

    #[test]
    fn windows_that_leave_the_picture_have_no_verdict() {
        let feature = Feature {
            rects: vec![FeatureRect { x: 0, y: 0, width: 1, height: 1, weight: 1.0 }],
            tilted: false,
        };
        let (left, right) = (Branch::Leaf(0.0), Branch::Leaf(0.0));
        let trees = vec![Tree { nodes: vec![Node { feature: 0, threshold: 0.0, left, right }] }];
        let cascade = Cascade::new(9, 11, vec![feature], vec![Stage { trees, threshold: 0.0 }]).unwrap();
        let picture = Plane::from_fn(10, 11, |x, y| ((x * 7 + y * 13) % 2 * 255) as u8);
        let windows = Windows::new(&cascade, picture.view());
        assert_eq!(windows.verdict(1, 0).map(|v| matches!(v, Verdict::Accepted(_))), Some(true));
        assert_eq!(windows.verdict(2, 0), None);
        assert_eq!(windows.verdict(0, 1), None);
        assert_eq!(windows.verdict(usize::MAX, 0), None);
    }
}
