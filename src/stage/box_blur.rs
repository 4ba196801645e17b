//! The stage `box-blur`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Family, Kind, Lowering, Output, Port, PortType, Stage, ValueId, types};
use crate::Result;
use crate::image::{Border, BorderMode};
use crate::ops::box_blur;

/// The mean over a rectangle; the type stays.
///
/// Integers are summed exactly by running sums, in a time that does not depend on the size, and rounded
/// once, halves up; floats are summed in 64 bits.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct BoxBlur {
    /// Width and height of the window in pixels; an even one reaches one pixel farther left or up.
    pub size: WindowSize,
    /// What lies beyond the edge.
    pub border: BorderMode,
    /// The value beyond the edge of a constant border, in units of the image.
    pub border_value: f32,
}

/// Width and height in pixels: one number for both, or two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum WindowSize {
    /// Both alike.
    Square(#[schemars(range(min = 1, max = 4095))] u32),
    /// Width and height.
    Sides(#[schemars(inner(range(min = 1, max = 4095)))] [u32; 2]),
}

impl Default for WindowSize {
    fn default() -> Self {
        Self::Square(3)
    }
}

impl WindowSize {
    /// Width and height.
    pub(super) fn sides(self) -> (usize, usize) {
        match self {
            Self::Square(side) => (side as usize, side as usize),
            Self::Sides([width, height]) => (width as usize, height as usize),
        }
    }
}

/// See [`BoxBlur`].
pub const KIND: Kind = Kind::new::<BoxBlur>(
    "box-blur",
    Family::Filters,
    &[Port::new("image", types::PICTURE_OR_MASK)],
    "use = \"box-blur\"\nsize = 15",
);

impl Stage for BoxBlur {
    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("image", if inputs[0] == types::MASK { types::GRAY8 } else { inputs[0] })])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let border = Border { mode: self.border, value: self.border_value };
        let nodes = box_blur::nodes(graph.shape(inputs[0])?, self.size.sides(), border)?;
        Ok(vec![graph.chain(nodes, inputs[0])?])
    }
}
