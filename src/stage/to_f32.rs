//! The stage `to-f32`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Family, Kind, Lowering, Output, Port, PortType, Stage, ValueId, types};
use crate::Result;
use crate::ops::convert;

/// Converts to floats; white becomes 1.
///
/// `value * scale + offset`, per channel; masks become gray.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ToF32 {
    /// What values are multiplied with. By default white stays white: 1/255 from 8 bit, 1/65535 from 16 bit.
    pub scale: Option<f32>,
    /// What is added afterwards, in units of the result.
    pub offset: f32,
}

/// See [`ToF32`].
pub const KIND: Kind = Kind::new::<ToF32>(
    "to-f32",
    Family::Points,
    &[Port::new("image", types::PICTURE_OR_MASK)],
    "use = \"to-f32\"",
);

impl Stage for ToF32 {
    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        let is_color = matches!(inputs[0], types::RGB8 | types::RGB16 | types::RGB_F32);
        Ok(vec![("image", if is_color { types::RGB_F32 } else { types::GRAY_F32 })])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let params = convert::Convert { to: convert::Depth::F32, scale: self.scale, offset: self.offset };
        let nodes = convert::nodes(graph.shape(inputs[0])?, &params)?;
        Ok(vec![graph.chain(nodes, inputs[0])?])
    }
}
