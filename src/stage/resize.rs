//! The stage `resize`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Family, Kind, Lowering, Output, ParameterError, Port, PortType, Stage, ValueId, types};
use crate::document::Resources;
use crate::image::Affine;
use crate::ops::resize;
use crate::{Error, Result};

/// Changes the size of an image; the type stays.
///
/// Objects found afterwards are told in coordinates of the picture as read.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Resize {
    /// Width in pixels; by default from `height`, keeping the aspect.
    #[schemars(range(min = 1, max = 65535))]
    pub width: Option<u32>,
    /// Height in pixels; by default from `width`, keeping the aspect.
    #[schemars(range(min = 1, max = 65535))]
    pub height: Option<u32>,
    /// Factor for both sides, instead of `width` and `height`; sizes are rounded.
    #[schemars(range(min = 0.0001, max = 1000.0))]
    pub scale: Option<f64>,
    /// How values between pixels are found.
    pub interpolation: Interpolation,
}

/// How values between pixels are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Interpolation {
    /// The nearest pixel.
    Nearest,
    /// Linear between the four nearest.
    #[default]
    Bilinear,
    /// Cubic over the sixteen nearest; may go beyond the values around, which is cut off for integers.
    Bicubic,
    /// A windowed sinc over the 64 nearest; the sharpest, with the same remark.
    Lanczos,
    /// The mean of the area a pixel covers: for shrinking.
    Area,
}

/// See [`Resize`].
pub const KIND: Kind = Kind::new::<Resize>(
    "resize",
    Family::Geometry,
    &[Port::new("image", types::PICTURE_OR_MASK)],
    "use = \"resize\"\nwidth = 28\nheight = 28",
);

impl Stage for Resize {
    fn prepare(&mut self, _resources: &Resources) -> Result<(), ParameterError> {
        match (self.scale, self.width.or(self.height)) {
            (Some(_), Some(_)) => Err(ParameterError::new("scale", "stands beside `width` or `height`")
                .with_hint("give either `scale` or sizes")),
            _ => Ok(()),
        }
    }

    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        let is_mixed = inputs[0] == types::MASK && self.interpolation != Interpolation::Nearest;
        Ok(vec![("image", if is_mixed { types::GRAY8 } else { inputs[0] })])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let shape = graph.shape(inputs[0])?;
        let (width, height) = self.target(shape.width, shape.height)?;
        let params = resize::Resize {
            width,
            height,
            interpolation: match self.interpolation {
                Interpolation::Nearest => resize::Interpolation::Nearest,
                Interpolation::Bilinear => resize::Interpolation::Bilinear,
                Interpolation::Bicubic => resize::Interpolation::Bicubic,
                Interpolation::Lanczos => resize::Interpolation::Lanczos,
                Interpolation::Area => resize::Interpolation::Area,
            },
        };
        let ratio = |from: usize, to: usize| if to == 0 { 1.0 } else { from as f64 / to as f64 };
        let map = graph
            .map(inputs[0])
            .after(&Affine::scale(ratio(shape.width, width), ratio(shape.height, height)));
        let mut value = inputs[0];
        for node in resize::nodes(shape, &params)? {
            value = graph.rows_mapped(node, &[value], map)?;
        }
        Ok(vec![value])
    }
}

impl Resize {
    fn target(&self, width: usize, height: usize) -> Result<(usize, usize)> {
        let scaled = |length: usize, factor: f64| ((length as f64 * factor).round() as usize).max(1);
        let sides = self.width.map(|w| w as usize);
        let (w, h) = match (sides, self.height.map(|h| h as usize), self.scale) {
            (Some(w), Some(h), _) => (w, h),
            (Some(w), None, _) if width > 0 => (w, scaled(height, w as f64 / width as f64)),
            (None, Some(h), _) if height > 0 => (scaled(width, h as f64 / height as f64), h),
            (None, None, Some(scale)) => (scaled(width, scale), scaled(height, scale)),
            _ => (width, height),
        };
        if width == 0 || height == 0 {
            return Err(Error::shape(format!("an image of {width}x{height} cannot be resized")));
        }
        Ok((w, h))
    }
}
