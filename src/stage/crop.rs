//! The stage `crop`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Family, Kind, Lowering, Output, Port, PortType, Stage, ValueId, types};
use crate::image::{Affine, Rect};
use crate::ops::crop;
use crate::{Error, Result};

/// Takes a rectangle out of an image.
///
/// Objects found in what is left are told in coordinates of the picture as read.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Crop {
    /// First column.
    pub x: u32,
    /// First row.
    pub y: u32,
    /// Width in pixels; by default up to the right edge.
    pub width: Option<u32>,
    /// Height in pixels; by default down to the bottom.
    pub height: Option<u32>,
}

/// See [`Crop`].
pub const KIND: Kind = Kind::new::<Crop>(
    "crop",
    Family::Geometry,
    &[Port::new("image", types::PLANE)],
    "use = \"crop\"\nx = 3\ny = 2\nwidth = 11\nheight = 9",
);

impl Stage for Crop {
    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("image", inputs[0])])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let shape = graph.shape(inputs[0])?;
        let (x, y) = (self.x as usize, self.y as usize);
        let width = self.width.map_or(shape.width.saturating_sub(x), |width| width as usize);
        let height = self.height.map_or(shape.height.saturating_sub(y), |height| height as usize);
        let rect = Rect::new(x, y, width, height);
        if x + width > shape.width || y + height > shape.height {
            return Err(Error::shape(format!(
                "the rectangle {rect} is not inside the image of {}x{}",
                shape.width, shape.height
            )));
        }
        let map = graph.map(inputs[0]).after(&Affine::translation(x as f64, y as f64));
        let mut value = inputs[0];
        for node in crop::nodes(shape, rect)? {
            value = graph.rows_mapped(node, &[value], map)?;
        }
        Ok(vec![value])
    }
}
