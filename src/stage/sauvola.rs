//! The stage `sauvola`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::box_blur::WindowSize;
use super::{Family, Kind, Lowering, Output, ParameterError, Port, PortType, Stage, ValueId, types};
use crate::Result;
use crate::document::Resources;
use crate::ops::local_threshold::{self, Formula};

/// Compares every pixel with its surroundings' mean `m` and standard deviation `s`: above `m * (1 + k * (s / r - 1))`
/// (Sauvola 2000), for print on uneven paper.
///
/// Gives a `mask` equal to scikit-image's `image > threshold_sauvola(image)`; the picture is mirrored at its edges.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Sauvola {
    /// Width and height of the surroundings in pixels, odd: one number for both, or two.
    pub size: WindowSize,
    /// How far the level sinks below the mean where nothing changes, as a share of the mean.
    pub k: f64,
    /// The greatest standard deviation there is, in units of the image; by default half the range of the
    /// type: 127.5, 32767.5, and 1 for floats.
    pub r: Option<f64>,
}

impl Default for Sauvola {
    fn default() -> Self {
        Self { size: WindowSize::Square(15), k: 0.2, r: None }
    }
}

/// See [`Sauvola`].
pub const KIND: Kind = Kind::new::<Sauvola>(
    "sauvola",
    Family::Segmentation,
    &[Port::new("image", types::GRAY_OR_MASK)],
    "use = \"sauvola\"\nsize = 25",
);

impl Stage for Sauvola {
    fn prepare(&mut self, _resources: &Resources) -> Result<(), ParameterError> {
        let (width, height) = self.size.sides();
        if width.is_multiple_of(2) || height.is_multiple_of(2) {
            return Err(ParameterError::new("size", format!("wants odd numbers, got {width}x{height}")));
        }
        if self.r.is_some_and(|r| !(r.is_finite() && r > 0.0)) {
            return Err(ParameterError::new("r", "wants a number above 0"));
        }
        Ok(())
    }

    fn outputs(&self, _inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("mask", types::MASK)])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let formula = Formula::Sauvola { k: self.k, r: self.r };
        let nodes = local_threshold::nodes(graph.shape(inputs[0])?, self.size.sides(), formula)?;
        Ok(vec![graph.chain(nodes, inputs[0])?])
    }
}
