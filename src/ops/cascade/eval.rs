//! The run form: a cascade baked for the integral images of one level, and the verdict on a window.
//!
//! The order of float operations is OpenCV's, each rounded on its own: feature sums, the contrast
//! factor and thresholds in `f32`, the contrast itself and votes in `f64`.

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

/// A node of a larger tree. Branches at zero and above are nodes, counted from this tree's root; the
/// others are leaves, as the complement of their index.
#[derive(Clone, Debug)]
struct BakedNode {
    feature: BakedFeature,
    threshold: f32,
    branches: [i32; 2],
}

/// The weak classifiers of all stages, one after the other.
#[derive(Clone, Debug)]
enum Weak {
    Stumps(Vec<Stump>),
    /// Nodes and leaves, and where each tree's begin.
    Trees {
        roots: Vec<(u32, u32)>,
        nodes: Vec<BakedNode>,
        leaves: Vec<f32>,
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
    #[inline]
    pub(super) fn verdict(&self, integrals: &Integrals, start: usize) -> Verdict {
        let sums = &integrals.sums[start..];
        let Some(factor) = self.contrast_factor(sums, &integrals.squares[start..]) else {
            return Verdict::Flat;
        };
        let mut margin = 0.0;
        for (index, stage) in self.stages.iter().enumerate() {
            let votes = match &self.weak {
                Weak::Stumps(stumps) => {
                    let mut votes = 0.0;
                    for stump in &stumps[stage.first..stage.end] {
                        let value = stump.feature.value(sums) * factor;
                        votes +=
                            f64::from(if value < stump.threshold { stump.votes[0] } else { stump.votes[1] });
                    }
                    votes
                }
                Weak::Trees { roots, nodes, leaves } => {
                    let mut votes = 0.0;
                    for &(root, leaf) in &roots[stage.first..stage.end] {
                        votes += f64::from(tree_vote(
                            &nodes[root as usize..],
                            &leaves[leaf as usize..],
                            sums,
                            factor,
                        ));
                    }
                    votes
                }
            };
            if votes < stage.threshold {
                return Verdict::Rejected(index);
            }
            margin = votes - stage.threshold;
        }
        Verdict::Accepted(margin)
    }

    /// One over the standard deviation times the area, or nothing for a window without contrast.
    #[inline]
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
    #[inline]
    fn value(&self, sums: &[u32]) -> f32 {
        let rect = |i: usize| self.weights[i] * (corner_sum(sums, &self.corners[i]) as i32) as f32;
        let mut value = rect(0) + rect(1);
        if self.weights[2] != 0.0 {
            value += rect(2);
        }
        value
    }
}

#[inline]
fn tree_vote(nodes: &[BakedNode], leaves: &[f32], sums: &[u32], factor: f32) -> f32 {
    let mut at = 0;
    loop {
        let node = &nodes[at];
        let below = node.feature.value(sums) * factor < node.threshold;
        let branch = node.branches[usize::from(!below)];
        if branch < 0 {
            return leaves[!branch as usize];
        }
        at = branch as usize;
    }
}

#[inline]
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
    let (mut roots, mut nodes, mut leaves) = (Vec::new(), Vec::new(), Vec::new());
    for tree in trees() {
        let first_leaf = leaves.len();
        roots.push((nodes.len() as u32, first_leaf as u32));
        for node in &tree.nodes {
            let branches = [node.left, node.right].map(|branch| match branch {
                Branch::Node(next) => next as i32,
                Branch::Leaf(vote) => {
                    leaves.push(vote);
                    !((leaves.len() - 1 - first_leaf) as i32)
                }
            });
            let feature = features[node.feature].clone();
            nodes.push(BakedNode { feature, threshold: node.threshold, branches });
        }
    }
    Weak::Trees { roots, nodes, leaves }
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
