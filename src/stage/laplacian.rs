//! The stage `laplacian`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Family, Kind, Lowering, Output, ParameterError, Port, PortType, Stage, ValueId, types};
use crate::Result;
use crate::document::Resources;
use crate::image::{Border, BorderMode};
use crate::ops::laplacian;

/// The sum of both second derivatives, `gray-f32`: 0 on slopes, strong at edges and spots.
///
/// Equal to OpenCV's `Laplacian`; values are not normalised.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Laplacian {
    /// Width and height of the window in pixels, odd: 1 is the 3x3 cross of four neighbours.
    #[schemars(range(min = 1, max = 31))]
    pub size: u32,
    /// What lies beyond the edge.
    pub border: BorderMode,
    /// The value beyond the edge of a constant border, in units of the image.
    pub border_value: f32,
}

impl Default for Laplacian {
    fn default() -> Self {
        Self { size: 1, border: BorderMode::Reflect101, border_value: 0.0 }
    }
}

/// See [`Laplacian`].
pub const KIND: Kind = Kind::new::<Laplacian>(
    "laplacian",
    Family::Filters,
    &[Port::new("image", types::GRAY_OR_MASK)],
    "use = \"laplacian\"\nsize = 3",
);

impl Stage for Laplacian {
    fn prepare(&mut self, _resources: &Resources) -> Result<(), ParameterError> {
        if self.size.is_multiple_of(2) {
            return Err(ParameterError::new("size", format!("wants an odd number, got `{}`", self.size)));
        }
        Ok(())
    }

    fn outputs(&self, _inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("image", types::GRAY_F32)])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let border = Border { mode: self.border, value: self.border_value };
        let nodes = laplacian::nodes(graph.shape(inputs[0])?, self.size as usize, border)?;
        Ok(vec![graph.chain(nodes, inputs[0])?])
    }
}
