//! The stage `pad`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Family, Kind, Lowering, Output, ParameterError, Port, PortType, Stage, ValueId, types};
use crate::Result;
use crate::document::Resources;
use crate::image::{Affine, Border, BorderMode};
use crate::ops::pad;

/// Makes an image larger by a border, like OpenCV's `copyMakeBorder`.
///
/// Objects found afterwards are told in coordinates of the picture as read.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Pad {
    /// Pixels on every side for which none is given.
    #[schemars(range(min = 0, max = 65535))]
    pub all: u32,
    /// Columns on the left.
    #[schemars(range(min = 0, max = 65535))]
    pub left: Option<u32>,
    /// Columns on the right.
    #[schemars(range(min = 0, max = 65535))]
    pub right: Option<u32>,
    /// Rows above.
    #[schemars(range(min = 0, max = 65535))]
    pub top: Option<u32>,
    /// Rows below.
    #[schemars(range(min = 0, max = 65535))]
    pub bottom: Option<u32>,
    /// What stands there; not `valid`.
    pub border: BorderMode,
    /// The value of a constant border, in units of the image.
    pub border_value: f32,
}

/// See [`Pad`].
pub const KIND: Kind = Kind::new::<Pad>(
    "pad",
    Family::Geometry,
    &[Port::new("image", types::PLANE)],
    "use = \"pad\"\nall = 3\nleft = 7\nborder = \"replicate\"",
);

impl Pad {
    fn params(&self) -> pad::Pad {
        let side = |side: Option<u32>| side.unwrap_or(self.all) as usize;
        pad::Pad {
            left: side(self.left),
            right: side(self.right),
            top: side(self.top),
            bottom: side(self.bottom),
            border: Border { mode: self.border, value: self.border_value },
        }
    }
}

impl Stage for Pad {
    fn prepare(&mut self, _resources: &Resources) -> Result<(), ParameterError> {
        if self.border == BorderMode::Valid {
            return Err(ParameterError::new("border", "`valid` adds no pixels")
                .with_hint("use `constant`, `replicate`, `reflect`, `reflect-101` or `wrap`"));
        }
        Ok(())
    }

    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("image", inputs[0])])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let params = self.params();
        let shift = Affine::translation(-(params.left as f64), -(params.top as f64));
        let map = graph.map(inputs[0]).after(&shift);
        let mut value = inputs[0];
        for node in pad::nodes(graph.shape(value)?, &params)? {
            value = graph.rows_mapped(node, &[value], map)?;
        }
        Ok(vec![value])
    }
}
