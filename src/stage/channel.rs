//! The stage `channel`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Family, Kind, Lowering, Output, Port, PortType, Stage, ValueId, types};
use crate::Result;
use crate::ops::channel;

/// Takes one channel of a colour picture, in its depth.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Channel {
    /// Which channel.
    pub channel: ChannelName,
}

/// A channel of a colour picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChannelName {
    /// Red.
    #[default]
    Red,
    /// Green.
    Green,
    /// Blue.
    Blue,
}

/// See [`Channel`].
pub const KIND: Kind = Kind::new::<Channel>(
    "channel",
    Family::Points,
    &[Port::new("image", &[types::RGB8, types::RGB16, types::RGB_F32])],
    "use = \"channel\"\nchannel = \"green\"",
);

impl Stage for Channel {
    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        let ty = match inputs[0] {
            types::RGB8 => types::GRAY8,
            types::RGB16 => types::GRAY16,
            _ => types::GRAY_F32,
        };
        Ok(vec![("image", ty)])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let nodes = channel::nodes(graph.shape(inputs[0])?, self.channel as usize)?;
        Ok(vec![graph.chain(nodes, inputs[0])?])
    }
}
