//! The stage `colormap`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Family, Kind, Lowering, Output, Port, PortType, Stage, ValueId, types};
use crate::Result;
use crate::ops::colormap;

/// Gray values as colours of a well-known map.
///
/// The range of the type, 0..=255, 0..=65535 or 0..=1, is cut into 256 equal parts. The tables are those
/// of OpenCV's `applyColorMap`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Colormap {
    /// Which map.
    pub map: MapName,
}

/// A well-known map from gray to colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MapName {
    /// Dark blue over green to yellow, even to the eye.
    #[default]
    Viridis,
    /// Black over purple to light yellow, even to the eye.
    Magma,
    /// Black over red to light yellow, even to the eye.
    Inferno,
    /// Blue over red to yellow, even to the eye.
    Plasma,
    /// Blue to yellow, even and also for the colour-blind.
    Cividis,
    /// A rainbow without false edges.
    Turbo,
    /// The old rainbow: blue, cyan, yellow, red.
    Jet,
    /// Gray as it is.
    Gray,
}

/// See [`Colormap`].
pub const KIND: Kind = Kind::new::<Colormap>(
    "colormap",
    Family::Points,
    &[Port::new("image", types::GRAY_OR_MASK)],
    "use = \"colormap\"\nmap = \"turbo\"",
);

impl Colormap {
    fn map(&self) -> colormap::Colormap {
        use colormap::Colormap;
        match self.map {
            MapName::Viridis => Colormap::Viridis,
            MapName::Magma => Colormap::Magma,
            MapName::Inferno => Colormap::Inferno,
            MapName::Plasma => Colormap::Plasma,
            MapName::Cividis => Colormap::Cividis,
            MapName::Turbo => Colormap::Turbo,
            MapName::Jet => Colormap::Jet,
            MapName::Gray => Colormap::Gray,
        }
    }
}

impl Stage for Colormap {
    fn outputs(&self, _inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("image", types::RGB8)])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let nodes = colormap::nodes(graph.shape(inputs[0])?, self.map())?;
        Ok(vec![graph.chain(nodes, inputs[0])?])
    }
}
