//! The model form: what a cascade file says, checked once, independent of any image.

use crate::{Error, Result};

/// Windows may not have more pixels, so that 32 bits hold every sum of squares.
const MAX_WINDOW_AREA: usize = 1 << 16;

/// A rectangle of a feature, in pixels of the training window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FeatureRect {
    /// Column of the corner: the left one when upright, the top one when tilted.
    pub x: usize,
    /// Row of that corner.
    pub y: usize,
    /// Width; when tilted, the length of the side that runs down and to the right, in columns.
    pub width: usize,
    /// Height; when tilted, the length of the side that runs down and to the left, in columns.
    pub height: usize,
    /// What the sum of the pixels inside is multiplied by.
    pub weight: f32,
}

/// A Haar feature: a weighted sum of one to three rectangle sums.
#[derive(Clone, Debug, PartialEq)]
pub struct Feature {
    /// The rectangles.
    pub rects: Vec<FeatureRect>,
    /// Whether the rectangles are turned by 45 degrees.
    pub tilted: bool,
}

impl Feature {
    /// The most rectangles a feature may have.
    pub const MAX_RECTS: usize = 3;
}

/// A block of 3x3 cells, of which each is compared with the middle one: a local binary pattern (Zhang et al., 2007).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PatternBlock {
    /// Column of the top left cell's corner.
    pub x: usize,
    /// Row of that corner.
    pub y: usize,
    /// Width of a cell.
    pub width: usize,
    /// Height of a cell.
    pub height: usize,
}

/// What the nodes of a cascade look at: all the same kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Features {
    /// Haar features, asked with [`Question::Below`].
    Haar(Vec<Feature>),
    /// Local binary patterns, asked with [`Question::Among`].
    Lbp(Vec<PatternBlock>),
}

impl Features {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Haar(features) => features.len(),
            Self::Lbp(blocks) => blocks.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<Vec<Feature>> for Features {
    fn from(features: Vec<Feature>) -> Self {
        Self::Haar(features)
    }
}

impl From<Vec<PatternBlock>> for Features {
    fn from(blocks: Vec<PatternBlock>) -> Self {
        Self::Lbp(blocks)
    }
}

/// What a node asks of its feature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Question {
    /// Is the Haar feature, divided by the window's contrast, below this threshold?
    Below(f32),
    /// Is the pattern one of those whose bits are set, from the lowest of the first word on?
    Among([u32; 8]),
}

/// Where a node of a tree sends a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Branch {
    /// On to a later node of the same tree.
    Node(usize),
    /// Out of the tree, with this vote.
    Leaf(f32),
}

/// One question of a tree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Node {
    /// Index into the cascade's features.
    pub feature: usize,
    /// What is asked of it.
    pub question: Question,
    /// Taken after yes.
    pub left: Branch,
    /// Taken after no.
    pub right: Branch,
}

/// A weak classifier: a decision tree whose root is its first node. One node makes a stump.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    /// The nodes; every branch leads to a later one.
    pub nodes: Vec<Node>,
}

/// A strong classifier: a window passes when the votes of its trees reach the threshold.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// The weak classifiers.
    pub trees: Vec<Tree>,
    /// The threshold as the file gives it. Windows that miss it by up to `1e-5` pass, as in OpenCV.
    pub threshold: f32,
}

impl Stage {
    /// How far below the threshold the votes may stay: OpenCV's allowance for rounding.
    const TOLERANCE: f32 = 1e-5;

    /// What the votes of a window have to reach.
    pub fn votes_needed(&self) -> f64 {
        f64::from(self.threshold - Self::TOLERANCE)
    }
}

/// What a margin says of a detection: the probability that it shows the object is
/// `1 / (1 + exp(-(slope * ln(1 + margin) + intercept)))` (Platt, 1999). The logarithm is there as the margin of a group is
/// the sum of those of its windows, of which an object may have one or a hundred. Margins below 0 count as 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration {
    /// What the logarithm is multiplied by; above 0.
    pub slope: f64,
    /// What is added.
    pub intercept: f64,
}

impl Calibration {
    /// What the probability is a logistic function of.
    pub(super) fn feature(margin: f64) -> f64 {
        libm::log1p(margin.max(0.0))
    }

    /// The margin that has even odds; below 0 where every margin has better ones.
    pub fn even(self) -> f64 {
        libm::expm1(-self.intercept / self.slope)
    }

    /// The probability that belongs to a margin, the [`score`](super::Detection::score) of a detection.
    pub fn probability(self, margin: f64) -> f64 {
        1.0 / (1.0 + libm::exp(-(self.slope * Self::feature(margin) + self.intercept)))
    }
}

/// A checked cascade of stages over Haar features or local binary patterns. Plain data: one may serve all threads.
#[derive(Clone, Debug, PartialEq)]
pub struct Cascade {
    width: usize,
    height: usize,
    features: Features,
    stages: Vec<Stage>,
    calibration: Option<Calibration>,
}

impl Cascade {
    /// A cascade over windows of `width` by `height` pixels.
    ///
    /// # Errors
    /// [`Input`](crate::ErrorKind::Input) when the window is smaller than 3x3 or has more than 65,536
    /// pixels, a rectangle leaves it, a number is not finite, a branch leads backwards, an index
    /// points nowhere, a question is not of the features' kind, or a list that needs a member is empty.
    pub fn new(
        width: usize,
        height: usize,
        features: impl Into<Features>,
        stages: Vec<Stage>,
    ) -> Result<Self> {
        let features = features.into();
        check_window(width, height)?;
        for index in 0..features.len() {
            check_feature(&features, index, width, height)
                .map_err(|e| e.within(format!("feature {index}")))?;
        }
        if stages.is_empty() {
            return Err(Error::input("expected at least one stage, got none"));
        }
        for (index, stage) in stages.iter().enumerate() {
            check_stage(stage, &features).map_err(|e| e.within(format!("stage {index}")))?;
        }
        Ok(Self { width, height, features, stages, calibration: None })
    }

    /// Width of the training window in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height of the training window in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The same cascade with what its margins say.
    ///
    /// # Errors
    /// [`Input`](crate::ErrorKind::Input) when the slope is not above 0, or a number is not finite.
    pub fn with_calibration(mut self, calibration: Calibration) -> Result<Self> {
        let Calibration { slope, intercept } = calibration;
        if !(slope > 0.0 && slope.is_finite() && intercept.is_finite()) {
            return Err(Error::input(format!(
                "expected a calibration with a slope above 0, got `{slope} {intercept}`"
            )));
        }
        self.calibration = Some(calibration);
        Ok(self)
    }

    /// What its margins say, if that was measured.
    pub fn calibration(&self) -> Option<Calibration> {
        self.calibration
    }

    /// The features that the nodes point to.
    pub fn features(&self) -> &Features {
        &self.features
    }

    /// The stages, in the order in which windows meet them.
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// Whether any feature is tilted, which takes one more integral image.
    pub fn has_tilted(&self) -> bool {
        matches!(&self.features, Features::Haar(features) if features.iter().any(|feature| feature.tilted))
    }
}

/// Checks the size of the training window.
pub(super) fn check_window(width: usize, height: usize) -> Result<()> {
    let area = width.checked_mul(height);
    if width < 3 || height < 3 || area.is_none_or(|area| area > MAX_WINDOW_AREA) {
        return Err(Error::input(format!(
            "expected a window of 3x3 to {MAX_WINDOW_AREA} pixels, got {width}x{height}"
        )));
    }
    Ok(())
}

/// Checks that one of the features is inside the window.
pub(super) fn check_feature(features: &Features, index: usize, width: usize, height: usize) -> Result<()> {
    match features {
        Features::Haar(features) => check_haar(&features[index], width, height),
        Features::Lbp(blocks) => {
            let PatternBlock { x, y, width: w, height: h } = blocks[index];
            let small = x.max(y).max(w).max(h) <= MAX_WINDOW_AREA;
            if small && x + 3 * w <= width && y + 3 * h <= height {
                return Ok(());
            }
            Err(Error::input(format!(
                "3x3 cells of `{x} {y} {w} {h}` are not inside the window of {width}x{height}"
            )))
        }
    }
}

/// Checks that a Haar feature has one to three finite rectangles inside the window.
pub(super) fn check_haar(feature: &Feature, width: usize, height: usize) -> Result<()> {
    let count = feature.rects.len();
    if count == 0 || count > Feature::MAX_RECTS {
        return Err(Error::input(format!("expected 1 to {} rectangles, got {count}", Feature::MAX_RECTS)));
    }
    for rect in &feature.rects {
        let FeatureRect { x, y, width: w, height: h, weight } = *rect;
        if !weight.is_finite() {
            return Err(Error::input(format!("expected a finite weight, got {weight}")));
        }
        // The first comparison keeps the sums of the others from overflowing.
        let small = x.max(y).max(w).max(h) <= MAX_WINDOW_AREA;
        let inside = if feature.tilted {
            small && h <= x && x + w <= width && y + w + h <= height
        } else {
            small && x + w <= width && y + h <= height
        };
        if !inside {
            let form = if feature.tilted { "tilted " } else { "" };
            return Err(Error::input(format!(
                "{form}rectangle `{x} {y} {w} {h}` is not inside the window of {width}x{height}"
            )));
        }
    }
    Ok(())
}

/// Checks the trees of a stage against the features.
pub(super) fn check_stage(stage: &Stage, features: &Features) -> Result<()> {
    if !stage.threshold.is_finite() {
        return Err(Error::input(format!("expected a finite stage threshold, got {}", stage.threshold)));
    }
    if stage.trees.is_empty() {
        return Err(Error::input("expected at least one weak classifier, got none"));
    }
    for (index, tree) in stage.trees.iter().enumerate() {
        check_tree(tree, features).map_err(|e| e.within(format!("weak classifier {index}")))?;
    }
    Ok(())
}

fn check_tree(tree: &Tree, features: &Features) -> Result<()> {
    if tree.nodes.is_empty() {
        return Err(Error::input("expected at least one node, got none"));
    }
    for (index, node) in tree.nodes.iter().enumerate() {
        if node.feature >= features.len() {
            return Err(Error::input(format!(
                "node {index}: expected a feature below {}, got {}",
                features.len(),
                node.feature
            )));
        }
        match (node.question, features) {
            (Question::Below(threshold), Features::Haar(_)) if threshold.is_finite() => {}
            (Question::Among(_), Features::Lbp(_)) => {}
            (Question::Below(threshold), Features::Haar(_)) => {
                return Err(Error::input(format!(
                    "node {index}: expected a finite threshold, got {threshold}"
                )));
            }
            (Question::Below(_), _) => {
                return Err(Error::input(format!("node {index}: expected patterns, got a threshold")));
            }
            (Question::Among(_), _) => {
                return Err(Error::input(format!("node {index}: expected a threshold, got patterns")));
            }
        }
        for branch in [node.left, node.right] {
            match branch {
                Branch::Node(next) if next <= index || next >= tree.nodes.len() => {
                    return Err(Error::input(format!(
                        "node {index}: expected a branch to a later node of {}, got {next}",
                        tree.nodes.len()
                    )));
                }
                Branch::Leaf(vote) if !vote.is_finite() => {
                    return Err(Error::input(format!("node {index}: expected a finite vote, got {vote}")));
                }
                Branch::Node(_) | Branch::Leaf(_) => {}
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rect(x: usize, y: usize, width: usize, height: usize) -> FeatureRect {
        FeatureRect { x, y, width, height, weight: 1.0 }
    }

    fn stump(feature: usize) -> Tree {
        let (left, right) = (Branch::Leaf(-1.0), Branch::Leaf(1.0));
        Tree { nodes: vec![Node { feature, question: Question::Below(0.0), left, right }] }
    }

    #[test]
    fn rectangles_stay_inside_the_window() {
        let upright = |r| check_haar(&Feature { rects: vec![r], tilted: false }, 20, 24);
        assert!(upright(rect(0, 0, 20, 24)).is_ok());
        assert!(upright(rect(1, 0, 20, 24)).is_err());
        assert!(upright(rect(0, 20, 1, 5)).is_err());
        assert!(upright(rect(usize::MAX, 0, 2, 2)).is_err());
        let tilted = |r| check_haar(&Feature { rects: vec![r], tilted: true }, 20, 24);
        assert!(tilted(rect(4, 0, 16, 4)).is_ok());
        assert!(tilted(rect(3, 0, 16, 4)).is_err());
        assert!(tilted(rect(5, 0, 16, 4)).is_err());
        assert!(tilted(rect(4, 5, 16, 4)).is_err());
    }

    #[test]
    fn branches_lead_forwards_and_indices_exist() {
        let make = |tree: Tree| {
            let features = vec![Feature { rects: vec![rect(0, 0, 2, 2)], tilted: false }];
            Cascade::new(8, 8, features, vec![Stage { trees: vec![tree], threshold: 0.0 }])
        };
        assert!(make(stump(0)).is_ok());
        assert_eq!(
            make(stump(1)).unwrap_err().to_string(),
            "stage 0: weak classifier 0: node 0: expected a feature below 1, got 1"
        );
        let mut tree = stump(0);
        tree.nodes[0].left = Branch::Node(0);
        assert!(make(tree.clone()).is_err());
        tree.nodes[0].left = Branch::Node(1);
        assert!(make(tree.clone()).is_err());
        tree.nodes.push(stump(0).nodes[0]);
        assert!(make(tree).is_ok());
    }
}
