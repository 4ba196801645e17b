//! The stage `rotate`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::flip::lower_turn;
use super::warp_affine::{WarpInterpolation, check_border, lower_warp, output};
use super::{Family, Kind, Lowering, Output, ParameterError, Port, PortType, Stage, ValueId, types};
use crate::Result;
use crate::document::Resources;
use crate::image::{Border, BorderMode};
use crate::ops::turn::Turn;
use crate::ops::warp::{self, Taps, Warp};

/// Turns an image about its centre.
///
/// Multiples of 90 degrees only move pixels, of any type; other angles look values up in between. Objects
/// found afterwards are told in coordinates of the picture as read.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Rotate {
    /// The angle in degrees, counter-clockwise.
    #[schemars(range(min = -36000.0, max = 36000.0))]
    pub angle: f64,
    /// Whether the result grows so that no corner is cut off; else it keeps the size of the image.
    #[serde(default = "yes")]
    pub expand: bool,
    /// How values between pixels are found.
    #[serde(default)]
    pub interpolation: WarpInterpolation,
    /// What lies beyond the edge; not `valid`.
    #[serde(default = "constant")]
    pub border: BorderMode,
    /// The value of a constant border, in units of the image.
    #[serde(default)]
    pub border_value: f32,
}

fn yes() -> bool {
    true
}

fn constant() -> BorderMode {
    BorderMode::Constant
}

/// See [`Rotate`].
pub const KIND: Kind = Kind::new::<Rotate>(
    "rotate",
    Family::Geometry,
    &[Port::new("image", types::PLANE)],
    "use = \"rotate\"\nangle = 90",
);

/// How an angle is carried out.
enum Way {
    Nothing,
    Turn(Turn),
    Warp,
}

impl Rotate {
    fn way(&self) -> Way {
        match self.angle.rem_euclid(360.0) {
            0.0 => Way::Nothing,
            180.0 => Way::Turn(Turn::Half),
            90.0 if self.expand => Way::Turn(Turn::Left),
            270.0 if self.expand => Way::Turn(Turn::Right),
            _ => Way::Warp,
        }
    }
}

impl Stage for Rotate {
    fn prepare(&mut self, _resources: &Resources) -> Result<(), ParameterError> {
        check_border(self.border)
    }

    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        match self.way() {
            Way::Warp => output(inputs[0], self.interpolation.into()),
            Way::Nothing | Way::Turn(_) => output(inputs[0], Taps::Nearest),
        }
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let shape = graph.shape(inputs[0])?;
        match self.way() {
            Way::Nothing => Ok(vec![inputs[0]]),
            Way::Turn(turn) => lower_turn(turn, inputs[0], graph),
            Way::Warp => {
                let (width, height, map) = warp::rotation(shape.width, shape.height, self.angle, self.expand);
                let border = Border { mode: self.border, value: self.border_value };
                let params = Warp { map, width, height, taps: self.interpolation.into(), border };
                lower_warp(params, inputs[0], graph)
            }
        }
    }
}
