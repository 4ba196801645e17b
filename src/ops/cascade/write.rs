//! Writes cascades in the layout that OpenCV has written since 2.0 and that [`Cascade::from_bytes`] reads.

use std::fmt::Write as _;

use super::model::{Branch, Cascade, Feature, Features, PatternBlock, Question, Stage, Tree};

impl Cascade {
    /// The cascade as the text of an OpenCV XML file: what [`from_bytes`](Self::from_bytes) reads back as the
    /// same cascade, bit for bit, and OpenCV's `CascadeClassifier` loads.
    ///
    /// `stageParams` says of the training only what the stages themselves show, the depth of the trees and
    /// their number; no detector reads it.
    ///
    /// ```
    /// use lyncean::ops::cascade::Cascade;
    ///
    /// # fn main() -> lyncean::Result<()> {
    /// # let bytes = std::fs::read("models/frontalface-default.xml.gz").unwrap();
    /// let cascade = Cascade::from_bytes(&bytes)?;
    /// assert_eq!(Cascade::from_bytes(cascade.to_xml().as_bytes())?, cascade);
    /// # Ok(())
    /// # }
    /// ```
    pub fn to_xml(&self) -> String {
        let trees = || self.stages().iter().flat_map(|stage| &stage.trees);
        let depth = trees().map(depth).max().unwrap_or_default();
        let most = self.stages().iter().map(|stage| stage.trees.len()).max().unwrap_or_default();
        let (kind, categories, mode) = match self.features() {
            // "CORE" and "BASIC" both are upright; the mode only tells whether tilted sums are needed.
            Features::Haar(_) if self.has_tilted() => ("HAAR", 0, "\n    <mode>ALL</mode>"),
            Features::Haar(_) => ("HAAR", 0, "\n    <mode>BASIC</mode>"),
            Features::Lbp(_) => ("LBP", 256, ""),
        };
        let mut text = format!(
            "<?xml version=\"1.0\"?>\n<opencv_storage>\n\
             <cascade type_id=\"opencv-cascade-classifier\"><stageType>BOOST</stageType>\n  \
             <featureType>{kind}</featureType>\n  <height>{}</height>\n  <width>{}</width>\n  \
             <stageParams>\n    <maxDepth>{depth}</maxDepth>\n    \
             <maxWeakCount>{most}</maxWeakCount></stageParams>\n  \
             <featureParams>\n    <maxCatCount>{categories}</maxCatCount>\n    <featSize>1</featSize>{mode}</featureParams>\n  <stageNum>{}</stageNum>\n  <stages>",
            self.height(),
            self.width(),
            self.stages().len()
        );
        for (number, stage) in self.stages().iter().enumerate() {
            write_stage(&mut text, number, stage);
        }
        text.push_str("</stages>\n  <features>");
        match self.features() {
            Features::Haar(features) => features.iter().for_each(|feature| write_feature(&mut text, feature)),
            Features::Lbp(blocks) => blocks.iter().for_each(|block| write_block(&mut text, *block)),
        }
        text.push_str("</features>");
        if let Some(calibration) = self.calibration() {
            let (slope, intercept) = (calibration.slope, calibration.intercept);
            let _ = write!(
                text,
                "\n  <!-- probability = 1 / (1 + exp(-(slope * ln(1 + margin) + intercept))) -->"
            );
            let _ = write!(text, "\n  <calibration>{slope:e} {intercept:e}</calibration>");
        }
        text.push_str("</cascade>\n</opencv_storage>\n");
        text
    }
}

fn write_stage(text: &mut String, number: usize, stage: &Stage) {
    let _ = write!(
        text,
        "\n    <!-- stage {number} -->\n    <_>\n      <maxWeakCount>{}</maxWeakCount>\n      \
         <stageThreshold>{}</stageThreshold>\n      <weakClassifiers>",
        stage.trees.len(),
        real(stage.threshold)
    );
    for tree in &stage.trees {
        write_tree(text, tree);
    }
    text.push_str("</weakClassifiers></_>");
}

/// Leaves are numbered as branches meet them; a branch to one is its number negated, so that 0 is a leaf and
/// never the root.
fn write_tree(text: &mut String, tree: &Tree) {
    let mut leaves = Vec::new();
    text.push_str("\n        <_>\n          <internalNodes>\n           ");
    for node in &tree.nodes {
        for branch in [node.left, node.right] {
            match branch {
                Branch::Node(next) => drop(write!(text, " {next}")),
                Branch::Leaf(vote) => {
                    // Not `-0`: whoever reads the number as text should meet what OpenCV writes.
                    let sign = if leaves.is_empty() { "" } else { "-" };
                    let _ = write!(text, " {sign}{}", leaves.len());
                    leaves.push(real(vote));
                }
            }
        }
        let _ = write!(text, " {}", node.feature);
        match node.question {
            Question::Below(threshold) => {
                let _ = write!(text, " {}", real(threshold));
            }
            Question::Among(patterns) => {
                for bits in patterns {
                    let _ = write!(text, " {}", bits as i32);
                }
            }
        }
    }
    let _ = write!(text, "</internalNodes>\n          <leafValues>\n            {}", leaves.join(" "));
    text.push_str("</leafValues></_>");
}

fn write_feature(text: &mut String, feature: &Feature) {
    text.push_str("\n    <_>\n      <rects>");
    for rect in &feature.rects {
        let _ = write!(
            text,
            "\n        <_>\n          {} {} {} {} {}</_>",
            rect.x,
            rect.y,
            rect.width,
            rect.height,
            real(rect.weight)
        );
    }
    let _ = write!(text, "</rects>\n      <tilted>{}</tilted></_>", u8::from(feature.tilted));
}

fn write_block(text: &mut String, PatternBlock { x, y, width, height }: PatternBlock) {
    let _ = write!(text, "\n    <_>\n      <rect>\n        {x} {y} {width} {height}</rect></_>");
}

/// A number that readers take for a real one. Nine digits tell any two `f32` apart, and are far enough from
/// the middle between two that reading by way of `f64` rounds to the right one.
fn real(value: f32) -> String {
    if value.fract() == 0.0 && value.abs() < 1e6 { format!("{value:.0}.") } else { format!("{value:.8e}") }
}

/// Questions on the longest way through a tree.
fn depth(tree: &Tree) -> usize {
    let mut depths = vec![1; tree.nodes.len()];
    for (index, node) in tree.nodes.iter().enumerate() {
        for branch in [node.left, node.right] {
            if let Branch::Node(next) = branch {
                depths[next] = depths[next].max(depths[index] + 1);
            }
        }
    }
    depths.into_iter().max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::model::{Calibration, FeatureRect, Node};
    use super::*;
    use proptest::prelude::*;

    fn real_number() -> impl Strategy<Value = f32> {
        prop_oneof![
            any::<u32>().prop_map(f32::from_bits).prop_filter("finite", |v| v.is_finite()),
            (-9i8..9).prop_map(f32::from),
            -1.0f32..1.0
        ]
    }

    fn leaf_or_next() -> impl Strategy<Value = (bool, f32)> {
        (any::<bool>(), real_number())
    }

    fn tree() -> impl Strategy<Value = Tree> {
        let node = (0usize..4, real_number(), leaf_or_next(), leaf_or_next());
        proptest::collection::vec(node, 1..5).prop_map(|nodes| {
            let count = nodes.len();
            let nodes = nodes.into_iter().enumerate().map(|(i, (feature, threshold, left, right))| {
                let branch = |(deeper, vote): (bool, f32), by: usize| {
                    if deeper && i + by < count { Branch::Node(i + by) } else { Branch::Leaf(vote) }
                };
                let question = Question::Below(threshold);
                Node { feature, question, left: branch(left, 1), right: branch(right, 2) }
            });
            Tree { nodes: nodes.collect() }
        })
    }

    fn feature() -> impl Strategy<Value = Feature> {
        let rect = (4usize..6, 0usize..3, 1usize..4, 1usize..4, real_number())
            .prop_map(|(x, y, width, height, weight)| FeatureRect { x, y, width, height, weight });
        (proptest::collection::vec(rect, 1..4), any::<bool>())
            .prop_map(|(rects, tilted)| Feature { rects, tilted })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            features in proptest::collection::vec(feature(), 4),
            stages in proptest::collection::vec((proptest::collection::vec(tree(), 1..4), real_number()), 1..4),
            calibration in proptest::option::of((1e-9f64..1e9, -1e9f64..1e9)),
        ) {
            let stages = stages.into_iter().map(|(trees, threshold)| Stage { trees, threshold }).collect();
            let mut cascade = Cascade::new(12, 14, features, stages).unwrap();
            if let Some((slope, intercept)) = calibration {
                cascade = cascade.with_calibration(Calibration { slope, intercept }).unwrap();
            }
            let text = cascade.to_xml();
            let read = Cascade::from_bytes(text.as_bytes()).unwrap();
            // Signs of zeros count, too.
            prop_assert_eq!(format!("{:?}", &read), format!("{:?}", &cascade));
            prop_assert_eq!(read.to_xml(), text);
        }
    }

    #[test]
    fn the_models_that_ship_keep_every_bit() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        for name in [
            "models/frontalface-default.xml.gz",
            "models/frontalface-alt2.xml.gz",
            "fixtures/golden/cascade/lbp/lbpcascade_silverware.xml.gz",
        ] {
            let cascade = Cascade::from_bytes(&std::fs::read(root.join(name)).unwrap()).unwrap();
            assert_eq!(Cascade::from_bytes(cascade.to_xml().as_bytes()).unwrap(), cascade, "{name}");
        }
    }

    #[test]
    fn the_layout_is_that_of_opencv() {
        let rect = FeatureRect { x: 3, y: 1, width: 4, height: 2, weight: -1.0 };
        let feature = Feature { rects: vec![rect, FeatureRect { weight: 1.5, ..rect }], tilted: true };
        let node = |feature, left, right| Node { feature, question: Question::Below(0.1), left, right };
        let nodes =
            vec![node(0, Branch::Leaf(0.5), Branch::Node(1)), node(0, Branch::Leaf(-1.0), Branch::Leaf(2.0))];
        let stage = Stage { trees: vec![Tree { nodes }], threshold: -0.25 };
        let text = Cascade::new(9, 8, vec![feature], vec![stage]).unwrap().to_xml();
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in [
            "<height>8</height> <width>9</width> <stageParams> <maxDepth>2</maxDepth>",
            "<internalNodes> 0 1 0 1.00000001e-1 -1 -2 0 1.00000001e-1</internalNodes>",
            "<leafValues> 5.00000000e-1 -1. 2.</leafValues>",
            "<_> 3 1 4 2 -1.</_> <_> 3 1 4 2 1.50000000e0</_></rects> <tilted>1</tilted>",
            "<stageThreshold>-2.50000000e-1</stageThreshold>",
            "<mode>ALL</mode>",
        ] {
            assert!(words.contains(part), "{part} in\n{text}");
        }
    }
}
