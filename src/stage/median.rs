//! The stage `median`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Family, Kind, Lowering, Output, ParameterError, Port, PortType, Stage, ValueId, types};
use crate::Result;
use crate::document::Resources;
use crate::image::{Border, BorderMode};
use crate::ops::median;

/// The median over a square, channel by channel: takes specks away and keeps edges.
///
/// The type stays. Equal to OpenCV's `medianBlur`. Sizes above 5 take a constant time for 8 bit; for 16 bit and
/// floats the time grows with the area of the window.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Median {
    /// Width and height of the window in pixels, odd.
    #[schemars(range(min = 1, max = 255))]
    pub size: u32,
    /// What lies beyond the edge.
    pub border: BorderMode,
    /// The value beyond the edge of a constant border, in units of the image.
    pub border_value: f32,
}

impl Default for Median {
    fn default() -> Self {
        Self { size: 3, border: BorderMode::Replicate, border_value: 0.0 }
    }
}

/// See [`Median`].
pub const KIND: Kind = Kind::new::<Median>(
    "median",
    Family::Filters,
    &[Port::new("image", types::PICTURE_OR_MASK)],
    "use = \"median\"\nsize = 5",
);

impl Stage for Median {
    fn prepare(&mut self, _resources: &Resources) -> Result<(), ParameterError> {
        if self.size.is_multiple_of(2) {
            return Err(ParameterError::new("size", format!("wants an odd number, got `{}`", self.size)));
        }
        Ok(())
    }

    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        let constant = inputs[0] == types::MASK && self.border == BorderMode::Constant;
        Ok(vec![("image", if constant { types::GRAY8 } else { inputs[0] })])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let border = Border { mode: self.border, value: self.border_value };
        let nodes = median::nodes(graph.shape(inputs[0])?, self.size as usize, border)?;
        Ok(vec![graph.chain(nodes, inputs[0])?])
    }
}
