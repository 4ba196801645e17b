//! The stage `erode`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Family, Kind, Lowering, Output, ParameterError, Port, PortType, Stage, ValueId, morphology, types,
};
use crate::Result;
use crate::document::Resources;
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
    /// An element of one's own instead: rows of 0 and 1, all of one length.
    pub element: Option<Vec<Vec<u8>>>,
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
    fn prepare(&mut self, _resources: &Resources) -> Result<(), ParameterError> {
        morphology::check(self.element.as_deref())
    }

    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("image", inputs[0])])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let element = morphology::Element {
            shape: self.shape,
            size: self.size,
            own: self.element.as_deref(),
            iterations: self.iterations,
        };
        let nodes = morphology::nodes(graph.shape(inputs[0])?, MorphologyOp::Erode, &element)?;
        Ok(vec![graph.chain(nodes, inputs[0])?])
    }
}
