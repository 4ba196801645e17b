//! The stage `prewitt`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::sobel::SobelOutput;
use super::{Family, Kind, Lowering, Output, Port, PortType, Stage, ValueId, types};
use crate::Result;
use crate::image::{Border, BorderMode};
use crate::ops::sobel;

/// Derivatives with Prewitt's operator (Prewitt 1970): 1, 1, 1 across -1, 0, 1.
///
/// Values are not normalised: for 8-bit pictures either derivative reaches 765; scikit-image's are a third of
/// these.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Prewitt {
    /// What is made of the two derivatives.
    pub output: SobelOutput,
    /// What lies beyond the edge.
    pub border: BorderMode,
    /// The value beyond the edge of a constant border, in units of the image.
    pub border_value: f32,
}

/// See [`Prewitt`].
pub const KIND: Kind = Kind::new::<Prewitt>(
    "prewitt",
    Family::Filters,
    &[Port::new("image", types::GRAY_OR_MASK)],
    "use = \"prewitt\"",
);

impl Stage for Prewitt {
    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("image", self.output.ty(inputs[0], 3))])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let params = sobel::Sobel {
            size: 3,
            operator: sobel::Operator::Prewitt,
            output: self.output.op(),
            border: Border { mode: self.border, value: self.border_value },
        };
        let nodes = sobel::nodes(graph.shape(inputs[0])?, &params)?;
        Ok(vec![graph.chain(nodes, inputs[0])?])
    }
}
