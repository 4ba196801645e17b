//! The stage `to-u8`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Family, Kind, Lowering, Output, Port, PortType, Stage, ValueId, types};
use crate::Result;
use crate::ops::convert;

/// Converts to 8 bit, rounded to the nearest (halves to even) and saturated.
///
/// `value * scale + offset`, per channel; masks become gray.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ToU8 {
    /// What values are multiplied with. By default white stays white: 1/257 from 16 bit, 255 from floats.
    pub scale: Option<f32>,
    /// What is added afterwards, in units of the result.
    pub offset: f32,
}

/// See [`ToU8`].
pub const KIND: Kind = Kind::new::<ToU8>(
    "to-u8",
    Family::Points,
    &[Port::new("image", types::PICTURE_OR_MASK)],
    "use = \"to-u8\"",
);

impl Stage for ToU8 {
    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        let is_color = matches!(inputs[0], types::RGB8 | types::RGB16 | types::RGB_F32);
        Ok(vec![("image", if is_color { types::RGB8 } else { types::GRAY8 })])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let params = convert::Convert { to: convert::Depth::U8, scale: self.scale, offset: self.offset };
        let nodes = convert::nodes(graph.shape(inputs[0])?, &params)?;
        Ok(vec![graph.chain(nodes, inputs[0])?])
    }
}
