//! The stage `dilate`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Family, Kind, Lowering, Output, Port, PortType, Stage, ValueId, morphology, types};
use crate::Result;
use crate::ops::morphology::MorphologyOp;

/// The greatest value under a structuring element: bright regions grow.
///
/// What lies beyond the edge does not count. Elements are those of OpenCV's `getStructuringElement`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Dilate {
    /// The form of the element.
    pub shape: morphology::ElementShape,
    /// Width and height of the element in pixels: one number for both, or `[width, height]`.
    pub size: morphology::Size,
    /// How often it is done.
    pub iterations: morphology::Iterations,
}

/// See [`Dilate`].
pub const KIND: Kind = Kind::new::<Dilate>(
    "dilate",
    Family::Segmentation,
    &[Port::new("image", types::GRAY_OR_MASK)],
    "use = \"dilate\"\nshape = \"ellipse\"\nsize = 5",
);

impl Stage for Dilate {
    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("image", inputs[0])])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let nodes = morphology::nodes(
            graph.shape(inputs[0])?,
            MorphologyOp::Dilate,
            self.shape,
            self.size,
            self.iterations,
        )?;
        Ok(vec![graph.chain(nodes, inputs[0])?])
    }
}
