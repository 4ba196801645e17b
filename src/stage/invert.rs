//! The stage `invert`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Family, Kind, Lowering, Output, Port, PortType, Stage, ValueId, types};
use crate::Result;
use crate::ops::point;

/// Turns light into dark: `255 - v`, `65535 - v`, `1 - v`; masks stay masks.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Invert {}

/// See [`Invert`].
pub const KIND: Kind = Kind::new::<Invert>(
    "invert",
    Family::Points,
    &[Port::new("image", types::PICTURE_OR_MASK)],
    "use = \"invert\"",
);

impl Stage for Invert {
    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("image", inputs[0])])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let nodes = point::invert_nodes(graph.shape(inputs[0])?)?;
        Ok(vec![graph.chain(nodes, inputs[0])?])
    }
}
