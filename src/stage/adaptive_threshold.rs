//! The stage `adaptive-threshold`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Family, Kind, Lowering, Output, ParameterError, Port, PortType, Stage, ValueId, types};
use crate::Result;
use crate::document::Resources;
use crate::ops::adaptive::{self, Adaptive, Surroundings};

/// Compares every pixel with the mean of its surroundings, less an offset; gives a `mask`.
///
/// 8 bit equals OpenCV's `adaptiveThreshold`; the border is replicated. Means of integers are rounded to
/// integers before they are compared.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct AdaptiveThreshold {
    /// How the surroundings are weighed.
    pub method: Method,
    /// Width and height of the surroundings in pixels, odd.
    #[schemars(range(min = 3, max = 1023))]
    pub size: u32,
    /// How far below the mean the level lies, in units of the image; below 0 it lies above.
    pub offset: f32,
    /// Whether pixels above the level are 0 and the others 255.
    pub inverted: bool,
}

/// How the surroundings are weighed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// All alike.
    #[default]
    Mean,
    /// By a Gaussian of the standard deviation `0.3 * ((size - 1) / 2 - 1) + 0.8`.
    Gaussian,
}

impl Default for AdaptiveThreshold {
    fn default() -> Self {
        Self { method: Method::Mean, size: 31, offset: 0.0, inverted: false }
    }
}

/// See [`AdaptiveThreshold`].
pub const KIND: Kind = Kind::new::<AdaptiveThreshold>(
    "adaptive-threshold",
    Family::Segmentation,
    &[Port::new("image", types::GRAY_OR_MASK)],
    "use = \"adaptive-threshold\"\nsize = 31\noffset = 5",
);

impl Stage for AdaptiveThreshold {
    fn prepare(&mut self, _resources: &Resources) -> Result<(), ParameterError> {
        if self.size.is_multiple_of(2) {
            return Err(ParameterError::new("size", format!("wants an odd number, got `{}`", self.size)));
        }
        Ok(())
    }

    fn outputs(&self, _inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("mask", types::MASK)])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let params = Adaptive {
            surroundings: match self.method {
                Method::Mean => Surroundings::Mean,
                Method::Gaussian => Surroundings::Gaussian,
            },
            size: self.size as usize,
            offset: self.offset,
            inverted: self.inverted,
        };
        let image = inputs[0];
        let mut value = image;
        for node in adaptive::nodes(graph.shape(image)?, &params)? {
            let both = [image, value];
            let inputs = if node.inputs() == 2 { &both[..] } else { &both[1..] };
            value = graph.rows(node, inputs)?;
        }
        Ok(vec![value])
    }
}
