//! The stage `convolve`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Family, Kind, Lowering, Output, ParameterError, Port, PortType, Stage, ValueId, types};
use crate::Result;
use crate::document::Resources;
use crate::image::{Affine, Border, BorderMode};
use crate::ops::convolve;

/// Correlates with a kernel, like OpenCV's `filter2D` and every layer of a net; `flip = true` is the
/// mathematical convolution.
///
/// Each output is `scale * sum(kernel * window) + bias`. Kernels of integers are summed exactly over
/// 8- and 16-bit pictures; such a kernel that is a column times a row is computed as both.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Convolve {
    /// Weights, row by row.
    #[schemars(length(min = 1))]
    pub kernel: Vec<Vec<f32>>,
    /// The weight that lies on the output's pixel, `[x, y]` from the top left; by default half of
    /// width and height, rounded down.
    #[serde(default)]
    pub anchor: Option<[u32; 2]>,
    /// What the sum is multiplied with.
    #[serde(default = "one")]
    pub scale: f32,
    /// What is added after scaling, in units of the image.
    #[serde(default)]
    pub bias: f32,
    /// Pixels from one output to the next: one number for both axes, or `[x, y]`.
    #[serde(default)]
    pub stride: Stride,
    /// Whether the kernel is turned by half a turn: mathematical convolution.
    #[serde(default)]
    pub flip: bool,
    /// The type of the result.
    #[serde(default)]
    pub output: ConvolveOutput,
    /// What lies beyond the edge; `valid` gives an output only where the kernel fits.
    #[serde(default)]
    pub border: BorderMode,
    /// The value beyond the edge of a constant border, in units of the image.
    #[serde(default)]
    pub border_value: f32,
}

fn one() -> f32 {
    1.0
}

/// Pixels from one output to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Stride {
    /// Along both axes.
    Both(#[schemars(range(min = 1, max = 65535))] u32),
    /// Along x and along y.
    Each(#[schemars(inner(range(min = 1, max = 65535)))] [u32; 2]),
}

impl Default for Stride {
    fn default() -> Self {
        Self::Both(1)
    }
}

/// The type of the result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ConvolveOutput {
    /// Floats: `gray-f32` or `rgb-f32`.
    #[default]
    F32,
    /// The type of the image, rounded to the nearest (ties to even) and saturated.
    Same,
}

/// See [`Convolve`].
pub const KIND: Kind = Kind::new::<Convolve>(
    "convolve",
    Family::Filters,
    &[Port::new("image", types::PICTURE_OR_MASK)],
    "use = \"convolve\"\nkernel = [[0, 1, 0], [1, 0, 1], [2, 1, 0]]",
);

impl Convolve {
    fn strides(&self) -> (usize, usize) {
        match self.stride {
            Stride::Both(stride) => (stride as usize, stride as usize),
            Stride::Each([x, y]) => (x as usize, y as usize),
        }
    }

    fn params(&self) -> convolve::Convolve {
        convolve::Convolve {
            weights: self.kernel.concat(),
            width: self.kernel.first().map_or(0, Vec::len),
            height: self.kernel.len(),
            anchor: self.anchor.map(|[x, y]| (x as usize, y as usize)),
            scale: self.scale,
            bias: self.bias,
            stride: self.strides(),
            flip: self.flip,
            output: match self.output {
                ConvolveOutput::F32 => convolve::ConvolveOutput::F32,
                ConvolveOutput::Same => convolve::ConvolveOutput::Same,
            },
            border: Border { mode: self.border, value: self.border_value },
        }
    }
}

impl Stage for Convolve {
    fn prepare(&mut self, _resources: &Resources) -> Result<(), ParameterError> {
        let width = self.kernel.first().map_or(0, Vec::len);
        if let Some(row) = self.kernel.iter().find(|row| row.len() != width) {
            let message = format!("wants rows of one length, got {width} and {}", row.len());
            return Err(ParameterError::new("kernel", message));
        }
        if width == 0 {
            return Err(ParameterError::new("kernel", "wants at least one weight"));
        }
        if let Some([x, y]) = self.anchor
            && (x as usize >= width || y as usize >= self.kernel.len())
        {
            let message = format!("[{x}, {y}] is not in a kernel of {width}x{}", self.kernel.len());
            return Err(ParameterError::new("anchor", message));
        }
        Ok(())
    }

    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        let is_color = inputs[0].image().is_some_and(|ty| ty.channels() == 3);
        let ty = match (self.output, is_color) {
            (ConvolveOutput::F32, true) => types::RGB_F32,
            (ConvolveOutput::F32, false) => types::GRAY_F32,
            (ConvolveOutput::Same, _) if inputs[0] == types::MASK => types::GRAY8,
            (ConvolveOutput::Same, _) => inputs[0],
        };
        Ok(vec![("image", ty)])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let params = self.params();
        let (x, y) = params.anchor.unwrap_or((params.width / 2, params.height / 2));
        let (x, y) = if self.border == BorderMode::Valid { (x as f64, y as f64) } else { (0.0, 0.0) };
        let (sx, sy) = self.strides();
        let (sx, sy) = (sx as f64, sy as f64);
        // Output pixel i lies on input pixel stride * i + anchor, centre on centre.
        let place = Affine { rows: [[sx, 0.0, x + 0.5 - 0.5 * sx], [0.0, sy, y + 0.5 - 0.5 * sy]] };
        let map = graph.map(inputs[0]).after(&place);
        let mut value = inputs[0];
        for node in convolve::nodes(graph.shape(inputs[0])?, &params)? {
            value = graph.rows_mapped(node, &[value], map)?;
        }
        Ok(vec![value])
    }
}
