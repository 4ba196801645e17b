//! The stage `gaussian-blur`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Family, Kind, Lowering, Output, ParameterError, Port, PortType, Stage, ValueId, types};
use crate::Result;
use crate::document::Resources;
use crate::image::{Border, BorderMode};
use crate::ops::gaussian;

/// Smooths with a Gaussian; the type stays.
///
/// Integers are computed in OpenCV's fixed point, bit for bit; floats sum columns first.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct GaussianBlur {
    /// Standard deviation in pixels. 0 takes it from `size`: `0.3 * ((size - 1) / 2 - 1) + 0.8`.
    #[schemars(range(min = 0.0, max = 150.0))]
    pub sigma: f64,
    /// Width and height of the window in pixels, odd. By default `2 * ceil(3 * sigma) + 1`, for
    /// every depth; OpenCV takes other sizes for 8 bit and for the rest.
    #[schemars(range(min = 1, max = 1023))]
    pub size: Option<u32>,
    /// What lies beyond the edge.
    pub border: BorderMode,
    /// The value beyond the edge of a constant border, in units of the image.
    pub border_value: f32,
}

impl Default for GaussianBlur {
    fn default() -> Self {
        Self { sigma: 1.0, size: None, border: BorderMode::Reflect101, border_value: 0.0 }
    }
}

/// See [`GaussianBlur`].
pub const KIND: Kind = Kind::new::<GaussianBlur>(
    "gaussian-blur",
    Family::Filters,
    &[Port::new("image", types::PICTURE_OR_MASK)],
    "use = \"gaussian-blur\"\nsigma = 1.4",
);

impl GaussianBlur {
    fn params(&self) -> gaussian::Gaussian {
        gaussian::Gaussian {
            sigma: self.sigma,
            size: self.size.map(|size| size as usize),
            border: Border { mode: self.border, value: self.border_value },
        }
    }
}

impl Stage for GaussianBlur {
    fn prepare(&mut self, _resources: &Resources) -> Result<(), ParameterError> {
        if self.size.is_some_and(|size| size % 2 == 0) {
            let message = format!("wants an odd number, got `{}`", self.size.unwrap_or_default());
            return Err(ParameterError::new("size", message));
        }
        if self.sigma <= 0.0 && self.size.is_none() {
            return Err(ParameterError::new("sigma", "0 takes sigma from `size`, which is not given"));
        }
        Ok(())
    }

    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("image", if inputs[0] == types::MASK { types::GRAY8 } else { inputs[0] })])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let nodes = gaussian::nodes(graph.shape(inputs[0])?, &self.params())?;
        Ok(vec![graph.chain(nodes, inputs[0])?])
    }
}
