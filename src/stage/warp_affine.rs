//! The stage `warp-affine`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Family, ImageValue, Kind, Lowering, Meta, Output, ParameterError, Port, PortType, Stage, Value, ValueId,
    Whole, types,
};
use crate::document::Resources;
use crate::image::{Affine, Border, BorderMode};
use crate::ops::Context;
use crate::ops::row::Shape;
use crate::ops::warp::{self, Taps, Warp};
use crate::{Error, Result};

/// Moves, turns, scales and shears an image by a 2x3 matrix.
///
/// As OpenCV's `warpAffine`, with positions rounded to 1/2048 pixel instead of 1/32. Objects found
/// afterwards are told in coordinates of the picture as read.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WarpAffine {
    /// The rows `[a, b, c]` and `[d, e, f]`: the pixel at `(x, y)` goes to `(a x + b y + c, d x + e y + f)`,
    /// in pixels, centres of pixels at whole numbers.
    pub matrix: [[f64; 3]; 2],
    /// Whether the matrix leads from the result back to the image.
    #[serde(default)]
    pub inverse: bool,
    /// Width of the result in pixels; by default that of the image.
    #[serde(default)]
    #[schemars(range(min = 1, max = 65535))]
    pub width: Option<u32>,
    /// Height of the result in pixels; by default that of the image.
    #[serde(default)]
    #[schemars(range(min = 1, max = 65535))]
    pub height: Option<u32>,
    /// How values between pixels are found.
    #[serde(default)]
    pub interpolation: WarpInterpolation,
    /// What lies beyond the edge; not `valid`.
    #[serde(default = "constant")]
    pub border: BorderMode,
    /// The value of a constant border, in units of the image.
    #[serde(default)]
    pub border_value: f32,
}

fn constant() -> BorderMode {
    BorderMode::Constant
}

/// How values between pixels are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WarpInterpolation {
    /// The nearest pixel; masks and labels stay what they are.
    Nearest,
    /// Linear between the four nearest.
    #[default]
    Bilinear,
    /// Cubic over the sixteen nearest.
    Bicubic,
}

impl From<WarpInterpolation> for Taps {
    fn from(interpolation: WarpInterpolation) -> Self {
        match interpolation {
            WarpInterpolation::Nearest => Self::Nearest,
            WarpInterpolation::Bilinear => Self::Bilinear,
            WarpInterpolation::Bicubic => Self::Bicubic,
        }
    }
}

/// See [`WarpAffine`].
pub const KIND: Kind = Kind::new::<WarpAffine>(
    "warp-affine",
    Family::Geometry,
    &[Port::new("image", types::PLANE)],
    "use = \"warp-affine\"\nmatrix = [[0.9, 0.2, 3.0], [-0.2, 0.9, 5.0]]",
);

/// Refuses borders that give no pixels.
pub(super) fn check_border(border: BorderMode) -> Result<(), ParameterError> {
    if border == BorderMode::Valid {
        return Err(ParameterError::new("border", "`valid` gives no pixels")
            .with_hint("use `constant`, `replicate`, `reflect`, `reflect-101` or `wrap`"));
    }
    Ok(())
}

/// The type of the result.
pub(super) fn output(input: PortType, taps: Taps) -> Result<Vec<Output>, String> {
    let Some(ty) = input.image() else { return Err(format!("wants an image, got `{input}`")) };
    if input == types::LABELS && taps != Taps::Nearest {
        return Err("`labels` can be picked but not mixed: use `interpolation = \"nearest\"`".to_owned());
    }
    Ok(vec![("image", PortType::Image(warp::output_type(ty, taps)))])
}

/// Adds a warp to a graph.
pub(super) fn lower_warp(params: Warp, input: ValueId, graph: &mut Lowering) -> Result<Vec<ValueId>> {
    let shape = graph.shape(input)?;
    warp::check(shape, &params)?;
    let output = Meta::Image {
        shape: Shape::new(warp::output_type(shape.ty, params.taps), params.width, params.height),
        map: graph.map(input).after(&params.map),
    };
    Ok(graph.whole(Arc::new(WarpStep(params)), &[input], vec![output]))
}

impl Stage for WarpAffine {
    fn prepare(&mut self, _resources: &Resources) -> Result<(), ParameterError> {
        check_border(self.border)?;
        warp::from_centres(Affine { rows: self.matrix }).map_err(ParameterError::resource("matrix"))?;
        Ok(())
    }

    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        output(inputs[0], self.interpolation.into())
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let shape = graph.shape(inputs[0])?;
        let backward = warp::from_centres(Affine { rows: self.matrix })?;
        let map = if self.inverse { backward.inverse().unwrap_or_default() } else { backward };
        let side = |given: Option<u32>, own: usize| given.map_or(own.max(1), |given| given as usize);
        let params = Warp {
            map,
            width: side(self.width, shape.width),
            height: side(self.height, shape.height),
            taps: self.interpolation.into(),
            border: Border { mode: self.border, value: self.border_value },
        };
        lower_warp(params, inputs[0], graph)
    }
}

/// Any row may be looked at, so the image must be whole.
struct WarpStep(Warp);

impl Whole for WarpStep {
    fn name(&self) -> &'static str {
        "warp"
    }

    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let [Value::Image(value)] = inputs else { return Err(Error::shape("expected an image")) };
        let image = cx.share(warp::warp_affine(&value.image, &self.0, cx)?);
        outputs.push(Value::Image(ImageValue { image, map: value.map.after(&self.0.map) }));
        Ok(())
    }
}
