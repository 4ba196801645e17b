//! The stage `mask-apply`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Family, Kind, Lowering, Output, Port, PortType, Stage, ValueId, types};
use crate::Result;
use crate::ops::arithmetic;

/// Keeps the pixels under a mask and fills the others with one value.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct MaskApply {
    /// The value of pixels outside, in units of the image; integers are rounded and saturated.
    pub outside: f32,
    /// Whether the pixels under the mask are the ones that are filled.
    pub inverted: bool,
}

/// See [`MaskApply`].
pub const KIND: Kind = Kind::new::<MaskApply>(
    "mask-apply",
    Family::Points,
    &[Port::new("image", types::PLANE), Port::new("mask", &[types::MASK])],
    "use = \"mask-apply\"\noutside = 255",
);

impl Stage for MaskApply {
    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("image", inputs[0])])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let (image, mask) = (graph.shape(inputs[0])?, graph.shape(inputs[1])?);
        let node = arithmetic::mask_apply_node(image, mask, self.outside, self.inverted)?;
        Ok(vec![graph.rows(node, inputs)?])
    }
}
