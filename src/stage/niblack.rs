//! The stage `niblack`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::box_blur::WindowSize;
use super::{Family, Kind, Lowering, Output, ParameterError, Port, PortType, Stage, ValueId, types};
use crate::Result;
use crate::document::Resources;
use crate::ops::local_threshold::{self, Formula};

/// Compares every pixel with its surroundings' mean `m` and standard deviation `s`: above `m - k * s` (Niblack 1986).
///
/// Gives a `mask` equal to scikit-image's `image > threshold_niblack(image)`; the picture is mirrored at its edges.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Niblack {
    /// Width and height of the surroundings in pixels, odd: one number for both, or two.
    pub size: WindowSize,
    /// How far below the mean the level lies, in standard deviations.
    pub k: f64,
}

impl Default for Niblack {
    fn default() -> Self {
        Self { size: WindowSize::Square(15), k: 0.2 }
    }
}

/// See [`Niblack`].
pub const KIND: Kind = Kind::new::<Niblack>(
    "niblack",
    Family::Segmentation,
    &[Port::new("image", types::GRAY_OR_MASK)],
    "use = \"niblack\"\nsize = 25",
);

impl Stage for Niblack {
    fn prepare(&mut self, _resources: &Resources) -> Result<(), ParameterError> {
        let (width, height) = self.size.sides();
        if width.is_multiple_of(2) || height.is_multiple_of(2) {
            return Err(ParameterError::new("size", format!("wants odd numbers, got {width}x{height}")));
        }
        Ok(())
    }

    fn outputs(&self, _inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("mask", types::MASK)])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let formula = Formula::Niblack { k: self.k };
        let nodes = local_threshold::nodes(graph.shape(inputs[0])?, self.size.sides(), formula)?;
        Ok(vec![graph.chain(nodes, inputs[0])?])
    }
}
