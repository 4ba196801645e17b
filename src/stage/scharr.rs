//! The stage `scharr`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::sobel::SobelOutput;
use super::{Family, Kind, Lowering, Output, Port, PortType, Stage, ValueId, types};
use crate::Result;
use crate::image::{Border, BorderMode};
use crate::ops::sobel;

/// Derivatives with Scharr's operator (Scharr 2000): 3, 10, 3 across -1, 0, 1, closer to the same in all directions
/// than Sobel's.
///
/// Values are not normalised, as in OpenCV: for 8-bit pictures either derivative reaches 4080; scikit-image's are a
/// 16th of these.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Scharr {
    /// What is made of the two derivatives.
    pub output: SobelOutput,
    /// What lies beyond the edge.
    pub border: BorderMode,
    /// The value beyond the edge of a constant border, in units of the image.
    pub border_value: f32,
}

/// See [`Scharr`].
pub const KIND: Kind = Kind::new::<Scharr>(
    "scharr",
    Family::Filters,
    &[Port::new("image", types::GRAY_OR_MASK)],
    "use = \"scharr\"",
);

impl Stage for Scharr {
    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("image", self.output.ty(inputs[0], 3))])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let params = sobel::Sobel {
            size: 3,
            operator: sobel::Operator::Scharr,
            output: self.output.op(),
            border: Border { mode: self.border, value: self.border_value },
        };
        let nodes = sobel::nodes(graph.shape(inputs[0])?, &params)?;
        Ok(vec![graph.chain(nodes, inputs[0])?])
    }
}
