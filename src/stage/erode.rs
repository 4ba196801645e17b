//! The stage `erode`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Family, Kind, Lowering, Output, Port, PortType, Stage, ValueId, morphology, types};
use crate::Result;
use crate::ops::morphology::MorphologyOp;

/// The least value under a structuring element: bright regions shrink.
///
/// What lies beyond the edge does not count. Elements are those of OpenCV's `getStructuringElement`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Erode {
    /// The form of the element.
    pub shape: morphology::ElementShape,
    /// Width and height of the element in pixels: one number for both, or `[width, height]`.
    pub size: morphology::Size,
    /// How often it is done.
    pub iterations: morphology::Iterations,
}

/// See [`Erode`].
pub const KIND: Kind = Kind::new::<Erode>(
    "erode",
    Family::Segmentation,
    &[Port::new("image", types::GRAY_OR_MASK)],
    "use = \"erode\"\nshape = \"ellipse\"\nsize = 5",
);

impl Stage for Erode {
    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("image", inputs[0])])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let nodes = morphology::nodes(
            graph.shape(inputs[0])?,
            MorphologyOp::Erode,
            self.shape,
            self.size,
            self.iterations,
        )?;
        Ok(vec![graph.chain(nodes, inputs[0])?])
    }
}
