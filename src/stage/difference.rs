//! The stage `difference`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Family, Kind, Lowering, Output, Port, PortType, Stage, ValueId, types};
use crate::Result;
use crate::ops::difference;

/// The difference of two images of one type and size.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Difference {
    /// Whether the sign is kept: `first - second` as floats, instead of `|first - second|` in the
    /// type of the images.
    pub signed: bool,
}

/// See [`Difference`].
pub const KIND: Kind = Kind::new::<Difference>(
    "difference",
    Family::Points,
    &[Port::new("first", types::PICTURE_OR_MASK), Port::new("second", types::PICTURE_OR_MASK)],
    "use = \"difference\"",
);

impl Stage for Difference {
    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        if inputs[0] != inputs[1] {
            return Err(format!("wants two images of one type, got `{}` and `{}`", inputs[0], inputs[1]));
        }
        let is_color = inputs[0].image().is_some_and(|ty| ty.channels() == 3);
        let ty = match (self.signed, is_color) {
            (true, true) => types::RGB_F32,
            (true, false) => types::GRAY_F32,
            (false, _) => inputs[0],
        };
        Ok(vec![("image", ty)])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let (first, second) = (graph.shape(inputs[0])?, graph.shape(inputs[1])?);
        let node = difference::node(first, second, self.signed)?;
        Ok(vec![graph.rows(node, inputs)?])
    }
}
