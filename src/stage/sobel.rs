//! The stage `sobel`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Family, Kind, Lowering, Output, ParameterError, Port, PortType, Stage, ValueId, types};
use crate::Result;
use crate::document::Resources;
use crate::image::{Border, BorderMode, ImageType};
use crate::ops::sobel;

/// Derivatives with Sobel's operator (Sobel and Feldman 1968): smoothing across, a difference along.
///
/// Values are not normalised: for 8-bit pictures and size 3 either derivative reaches 1020.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Sobel {
    /// Width and height of the window in pixels: 3, 5 or 7.
    pub size: u32,
    /// What is made of the two derivatives.
    pub output: SobelOutput,
    /// What lies beyond the edge.
    pub border: BorderMode,
    /// The value beyond the edge of a constant border, in units of the image.
    pub border_value: f32,
}

/// What is made of the two derivatives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SobelOutput {
    /// `sqrt(dx² + dy²)`, `gray-f32`.
    #[default]
    Magnitude,
    /// `|dx| + |dy|`, `gray-f32`.
    L1,
    /// The derivative along x, `gray-f32`: positive where values rise to the right.
    Dx,
    /// The derivative along y, `gray-f32`: positive where values rise downwards.
    Dy,
    /// Both derivatives, `gradient`.
    Gradient,
    /// `atan2(dy, dx)` in radians, -π..=π, `gray-f32`.
    Direction,
}

impl Default for Sobel {
    fn default() -> Self {
        Self { size: 3, output: SobelOutput::Magnitude, border: BorderMode::Reflect101, border_value: 0.0 }
    }
}

/// See [`Sobel`].
pub const KIND: Kind = Kind::new::<Sobel>(
    "sobel",
    Family::Filters,
    &[Port::new("image", types::GRAY_OR_MASK)],
    "use = \"sobel\"",
);

impl Stage for Sobel {
    fn prepare(&mut self, _resources: &Resources) -> Result<(), ParameterError> {
        match self.size {
            3 | 5 | 7 => Ok(()),
            other => Err(ParameterError::new("size", format!("wants 3, 5 or 7, got `{other}`"))),
        }
    }

    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("image", self.output.ty(inputs[0], self.size))])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let params = sobel::Sobel {
            size: self.size as usize,
            operator: sobel::Operator::Sobel,
            output: self.output.op(),
            border: Border { mode: self.border, value: self.border_value },
        };
        let nodes = sobel::nodes(graph.shape(inputs[0])?, &params)?;
        Ok(vec![graph.chain(nodes, inputs[0])?])
    }
}

impl SobelOutput {
    /// The type of what an operator of this size makes of an image.
    pub(super) fn ty(self, input: PortType, size: u32) -> PortType {
        let is_8_bit = input == types::GRAY8 || input == types::MASK;
        PortType::Image(match self {
            Self::Gradient if is_8_bit && size <= 5 => ImageType::GradientI16,
            Self::Gradient => ImageType::GradientF32,
            _ => ImageType::GrayF32,
        })
    }

    pub(super) fn op(self) -> sobel::SobelOutput {
        match self {
            Self::Magnitude => sobel::SobelOutput::Magnitude,
            Self::L1 => sobel::SobelOutput::L1,
            Self::Dx => sobel::SobelOutput::Dx,
            Self::Dy => sobel::SobelOutput::Dy,
            Self::Gradient => sobel::SobelOutput::Gradient,
            Self::Direction => sobel::SobelOutput::Direction,
        }
    }
}
