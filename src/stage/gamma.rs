//! The stage `gamma`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Family, Kind, Lowering, Output, ParameterError, Port, PortType, Stage, ValueId, types};
use crate::Result;
use crate::document::Resources;
use crate::ops::point;

/// Brightens or darkens by a power: `white * gain * (v / white) ^ gamma`; black and white stay.
///
/// White is 255, 65535 or 1. Scikit-image's `adjust_gamma`, but integers are rounded to the nearest
/// instead of cut off, ties to even. Masks become gray.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Gamma {
    /// The power: below 1 brightens, above 1 darkens.
    #[schemars(range(min = 0.001, max = 100.0))]
    pub gamma: f64,
    /// What the result is multiplied with.
    #[schemars(range(min = 0.0, max = 1000.0))]
    pub gain: f64,
}

impl Default for Gamma {
    fn default() -> Self {
        Self { gamma: 1.0, gain: 1.0 }
    }
}

/// See [`Gamma`].
pub const KIND: Kind = Kind::new::<Gamma>(
    "gamma",
    Family::Points,
    &[Port::new("image", types::PICTURE_OR_MASK)],
    "use = \"gamma\"\ngamma = 0.5",
);

impl Stage for Gamma {
    fn prepare(&mut self, _resources: &Resources) -> Result<(), ParameterError> {
        if self.gamma > 0.0 { Ok(()) } else { Err(ParameterError::new("gamma", "wants a number above 0")) }
    }

    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("image", if inputs[0] == types::MASK { types::GRAY8 } else { inputs[0] })])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let nodes = point::gamma_nodes(graph.shape(inputs[0])?, self.gamma, self.gain)?;
        Ok(vec![graph.chain(nodes, inputs[0])?])
    }
}
