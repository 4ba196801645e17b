//! The stage `log`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Family, Kind, Lowering, Output, ParameterError, Port, PortType, Stage, ValueId, types};
use crate::Result;
use crate::document::Resources;
use crate::image::{Border, BorderMode};
use crate::ops::laplacian;

/// The Laplacian of a Gaussian (Marr and Hildreth 1980), `gray-f32`: below 0 in spots brighter than what is round them.
///
/// Strongest in spots of radius `sigma * sqrt(2)`. The window reaches four standard deviations, and the border is
/// mirrored, as in SciPy's `gaussian_laplace`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Log {
    /// Standard deviation of the Gaussian in pixels.
    #[schemars(range(min = 0.1, max = 100.0))]
    pub sigma: f64,
    /// What lies beyond the edge.
    pub border: BorderMode,
    /// The value beyond the edge of a constant border, in units of the image.
    pub border_value: f32,
}

impl Default for Log {
    fn default() -> Self {
        Self { sigma: 2.0, border: BorderMode::Reflect, border_value: 0.0 }
    }
}

/// See [`Log`].
pub const KIND: Kind = Kind::new::<Log>(
    "log",
    Family::Filters,
    &[Port::new("image", types::GRAY_OR_MASK)],
    "use = \"log\"\nsigma = 2",
);

impl Stage for Log {
    fn prepare(&mut self, _resources: &Resources) -> Result<(), ParameterError> {
        if self.sigma > 0.0 {
            return Ok(());
        }
        Err(ParameterError::new("sigma", format!("wants a number above 0, got `{}`", self.sigma)))
    }

    fn outputs(&self, _inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("image", types::GRAY_F32)])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let border = Border { mode: self.border, value: self.border_value };
        let nodes = laplacian::log_nodes(graph.shape(inputs[0])?, self.sigma, border)?;
        Ok(vec![graph.chain(nodes, inputs[0])?])
    }
}
