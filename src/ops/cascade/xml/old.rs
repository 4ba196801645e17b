//! The layout of cascade files from before OpenCV 2.0, in which every node has its feature beside it.
//!
//! Some of these files arrange their stages in a tree, by `parent` and `next`. As in OpenCV since 2.0 the stages are
//! met in the order of the file, and a window has to pass all of them.

use roxmltree::Node as Element;

use super::{Reader, find, items, model, word, words};
use crate::Result;
use crate::ops::cascade::model::{Branch, Cascade, Feature, Features, Node, Question, Stage, Tree};

/// How the files name their kind.
pub(super) const TYPE: &str = "opencv-haar-classifier";

impl<'a, 'input> Reader<'a, 'input> {
    /// The cascade below `root`.
    pub(super) fn old_cascade(&self, root: Element<'a, 'input>) -> Result<Cascade> {
        let element = self.child(root, "size")?;
        let size: Vec<&str> = words(element).collect();
        let [width, height] = size[..] else {
            let message = format!("expected a size `width height`, got {} numbers", size.len());
            return Err(self.fault(element, message));
        };
        let width: usize = self.parse(element, width, "width")?;
        let height: usize = self.parse(element, height, "height")?;
        model::check_window(width, height).map_err(|e| self.at(element, &e))?;

        let mut features = Features::Haar(Vec::new());
        let mut stages = Vec::new();
        for (index, item) in items(self.child(root, "stages")?).enumerate() {
            let within = |e: crate::Error| self.at(item, &e.within(format!("stage {index}")));
            let before = features.len();
            let stage = self.old_stage(item, &mut features)?;
            for feature in before..features.len() {
                model::check_feature(&features, feature, width, height).map_err(within)?;
            }
            model::check_stage(&stage, &features).map_err(within)?;
            stages.push(stage);
        }
        Cascade::new(width, height, features, stages).map_err(|e| self.at(root, &e))
    }

    fn old_stage(&self, item: Element<'a, 'input>, features: &mut Features) -> Result<Stage> {
        let element = self.child(item, "stage_threshold")?;
        let threshold = self.real(element, word(element), "stage_threshold")?;
        let mut trees = Vec::new();
        for tree in items(self.child(item, "trees")?) {
            let nodes = items(tree).map(|node| self.old_node(node, features)).collect::<Result<_>>()?;
            trees.push(Tree { nodes });
        }
        Ok(Stage { trees, threshold })
    }

    fn old_node(&self, item: Element<'a, 'input>, features: &mut Features) -> Result<Node> {
        let Feature { rects, tilted } = self.feature(self.child(item, "feature")?)?;
        let threshold = self.child(item, "threshold")?;
        let branch = |value: &str, node: &str| match find(item, value) {
            Some(element) => self.real(element, word(element), value).map(Branch::Leaf),
            None => self.number(self.child(item, node)?, node).map(Branch::Node),
        };
        let node = Node {
            feature: features.len(),
            question: Question::Below(self.real(threshold, word(threshold), "threshold")?),
            left: branch("left_val", "left_node")?,
            right: branch("right_val", "right_node")?,
        };
        if let Features::Haar(features) = features {
            features.push(Feature { rects, tilted });
        }
        Ok(node)
    }
}
