//! The stage `top-hat`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Family, Kind, Lowering, Output, ParameterError, Port, PortType, Stage, ValueId, morphology, types,
};
use crate::Result;
use crate::document::Resources;
use crate::ops::excess;
use crate::ops::morphology::MorphologyOp;

/// The white top-hat: the image less its opening. Keeps bright parts that the element does not fit into.
///
/// What lies beyond the edge does not count. Elements are those of OpenCV's `getStructuringElement`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct TopHat {
    /// The form of the element.
    pub shape: morphology::ElementShape,
    /// Width and height of the element in pixels: one number for both, or `[width, height]`.
    pub size: morphology::Size,
    /// An element of one's own instead: rows of 0 and 1, all of one length.
    pub element: Option<Vec<Vec<u8>>>,
    /// How often erosions and dilations are done.
    pub iterations: morphology::Iterations,
}

/// See [`TopHat`].
pub const KIND: Kind = Kind::new::<TopHat>(
    "top-hat",
    Family::Segmentation,
    &[Port::new("image", types::GRAY_OR_MASK)],
    "use = \"top-hat\"\nshape = \"ellipse\"\nsize = 5",
);

impl TopHat {
    fn element(&self) -> morphology::Element<'_> {
        morphology::Element {
            shape: self.shape,
            size: self.size,
            own: self.element.as_deref(),
            iterations: self.iterations,
        }
    }
}

impl Stage for TopHat {
    fn prepare(&mut self, _resources: &Resources) -> Result<(), ParameterError> {
        morphology::check(self.element.as_deref())
    }

    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("image", inputs[0])])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let shape = graph.shape(inputs[0])?;
        let element = self.element();
        let greater = inputs[0];
        let less = graph.chain(morphology::nodes(shape, MorphologyOp::Open, &element)?, inputs[0])?;
        Ok(vec![graph.rows(excess::node(shape)?, &[greater, less])?])
    }
}
