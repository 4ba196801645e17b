//! Thresholds that follow the light: every pixel against the mean, weighted or not, of its surroundings.

use std::ops::Range;
use std::sync::Arc;

use super::Context;
use super::box_blur::{Sums, largest};
use super::convert::{self, Convert, Depth};
use super::gaussian::{self, Gaussian};
use super::row::{RowNode, RowOut, Rows, Run, RunPlan, Shape, State, Step, Window, execute};
use super::stencil::{Stencil, expect_types};
use super::window_sum::rows_needed;
use crate::image::{Border, BorderMode, Image, ImageType};
use crate::kernel::{Isa, threshold as kernel};
use crate::{Error, ErrorKind, Result};

/// How the surroundings are weighed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Surroundings {
    /// All alike.
    #[default]
    Mean,
    /// By a Gaussian of the standard deviation `0.3 * ((size - 1) / 2 - 1) + 0.8`.
    Gaussian,
}

/// Parameters of [`adaptive_threshold`].
#[derive(Clone, Debug, PartialEq)]
pub struct Adaptive {
    /// How the surroundings are weighed.
    pub surroundings: Surroundings,
    /// Width and height of the window in pixels: odd, 3 to [`gaussian::MAX_SIZE`].
    pub size: usize,
    /// How far below the mean the level lies, in units of the image; integer images take the next integer
    /// above it, or below it when inverted, as OpenCV does.
    pub offset: f32,
    /// Whether pixels above the level are 0, and the others 255.
    pub inverted: bool,
}

impl Default for Adaptive {
    /// The mean of 31x31 pixels, less 5.
    fn default() -> Self {
        Self { surroundings: Surroundings::Mean, size: 31, offset: 5.0, inverted: false }
    }
}

/// The offset that pixels are compared with.
fn offset_of(ty: ImageType, params: &Adaptive) -> f32 {
    match ty {
        ImageType::GrayF32 => params.offset,
        _ if params.inverted => params.offset.floor(),
        _ => params.offset.ceil(),
    }
}

/// `pixel > mean - offset`, with means of the image's own type.
#[derive(Clone, Debug, PartialEq)]
struct MeanRows {
    stencil: Stencil,
    offset: f32,
    inverted: bool,
}

struct Means {
    sums: Sums,
    /// A row of means of any type: words, so that every type is aligned.
    means: Vec<u64>,
}

impl RowNode for MeanRows {
    fn name(&self) -> &'static str {
        "adaptive-threshold"
    }

    fn output(&self, inputs: &[Shape]) -> Shape {
        Shape { ty: ImageType::Mask, ..inputs[0] }
    }

    fn window(&self, _input: usize) -> Window {
        self.stencil.window()
    }

    fn rows_needed(&self, _input: usize, y: usize) -> Range<isize> {
        rows_needed(&self.stencil, y)
    }

    fn start(&self, inputs: &[Shape], output: Shape) -> State {
        let sums = Sums::new(inputs[0], output, &self.stencil, largest(inputs[0].ty));
        Box::new(Means { sums, means: vec![0; inputs[0].row_bytes().div_ceil(8)] })
    }

    fn restart(&self, state: &mut State) -> bool {
        super::stencil::scratch::<Means>(state).sums.restart();
        true
    }

    fn row(&self, isa: Isa, state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        let Means { sums, means } = super::stencil::scratch(state);
        let means: &mut [u8] = &mut bytemuck::cast_slice_mut(means)[..rows.shape(0).row_bytes()];
        sums.mean_row(isa, rows, &self.stencil, y, &mut RowOut::of(means));
        let middle = self.stencil.anchor.0..self.stencil.anchor.0 + rows.shape(0).width;
        let (y, offset, inverted) = (y as isize, self.offset, self.inverted);
        match rows.shape(0).ty {
            ImageType::GrayF32 => {
                let means = bytemuck::cast_slice(means);
                kernel::above_f32_row(isa, &rows.get(0, 0, y)[middle], means, offset, inverted, out.row());
            }
            ImageType::Gray16 => {
                let means = bytemuck::cast_slice(means);
                kernel::above_u16_row(isa, &rows.get(0, 0, y)[middle], means, offset, inverted, out.row());
            }
            _ => kernel::above_u8_row(isa, &rows.get(0, 0, y)[middle], means, offset, inverted, out.row()),
        }
    }
}

/// `pixel > surroundings - offset`, with the surroundings as floats of a second image, rounded to the type of
/// the first.
#[derive(Clone, Debug, PartialEq)]
struct AboveRows {
    offset: f32,
    inverted: bool,
}

impl RowNode for AboveRows {
    fn name(&self) -> &'static str {
        "adaptive-threshold"
    }

    fn inputs(&self) -> usize {
        2
    }

    fn output(&self, inputs: &[Shape]) -> Shape {
        Shape { ty: ImageType::Mask, ..inputs[0] }
    }

    fn is_map(&self) -> bool {
        true
    }

    fn row(&self, isa: Isa, _state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        let (y, offset, inverted) = (y as isize, self.offset, self.inverted);
        let around: &[f32] = rows.get(1, 0, y);
        match rows.shape(0).ty {
            ImageType::GrayF32 => {
                kernel::above_f32_row(isa, rows.get(0, 0, y), around, offset, inverted, out.row());
            }
            ImageType::Gray16 => {
                kernel::above_rounded_row::<u16>(isa, rows.get(0, 0, y), around, offset, inverted, out.row());
            }
            _ => kernel::above_rounded_row::<u8>(isa, rows.get(0, 0, y), around, offset, inverted, out.row()),
        }
    }
}

/// The nodes of `adaptive-threshold`, one after the other; the last one may read the image as its first input, and
/// the node before as its second.
///
/// # Errors
/// [`Shape`](ErrorKind::Shape) for images that are not gray, [`Pipeline`](ErrorKind::Pipeline) when the
/// size is out of range.
pub fn nodes(input: Shape, params: &Adaptive) -> Result<Vec<Arc<dyn RowNode>>> {
    use ImageType::{Gray8, Gray16, GrayF32, Mask};
    expect_types("adaptive-threshold", input, &[Gray8, Gray16, GrayF32, Mask])?;
    let size = params.size;
    if size.is_multiple_of(2) || !(3..=gaussian::MAX_SIZE).contains(&size) {
        let message = format!("`size` wants an odd number from 3 to {}, got {size}", gaussian::MAX_SIZE);
        return Err(Error::pipeline(message));
    }
    let (offset, inverted) = (offset_of(input.ty, params), params.inverted);
    let border = Border::new(BorderMode::Replicate);
    if params.surroundings == Surroundings::Mean {
        let stencil = Stencil::centred(size, size, border);
        return Ok(vec![Arc::new(MeanRows { stencil, offset, inverted })]);
    }
    let mut nodes = match input.ty {
        GrayF32 => Vec::new(),
        _ => convert::nodes(input, &Convert { to: Depth::F32, scale: Some(1.0), offset: 0.0 })?,
    };
    let floats = Shape { ty: GrayF32, ..input };
    nodes.extend(gaussian::nodes(floats, &Gaussian { sigma: 0.0, size: Some(size), border })?);
    nodes.push(Arc::new(AboveRows { offset, inverted }));
    Ok(nodes)
}

/// The mask of the pixels above the mean of their surroundings less an offset; the border is replicated.
///
/// Equal to OpenCV's `adaptiveThreshold` for 8 bit. Means of integers are rounded to integers first.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Adaptive, Context, adaptive_threshold};
///
/// let even = Image::Gray8(Plane::filled(9, 9, 50));
/// let params = Adaptive { size: 3, offset: 5.0, ..Adaptive::default() };
/// let mask = adaptive_threshold(&even, &params, &Context::default())?;
/// assert_eq!(mask.as_gray8()?.get(4, 4), 255);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](ErrorKind::Shape) for images that are not gray, [`Pipeline`](ErrorKind::Pipeline) when the
/// size is out of range, [`Cancelled`](ErrorKind::Cancelled).
pub fn adaptive_threshold(image: &Image, params: &Adaptive, cx: &Context) -> Result<Image> {
    let nodes = nodes(Shape::of(image), params)?;
    let last = nodes.len();
    let steps = nodes.into_iter().enumerate().map(|(i, node)| {
        let inputs = if node.inputs() == 2 { vec![0, i] } else { vec![i] };
        Step { node, inputs }
    });
    let run = Run {
        sources: vec![Shape::of(image)],
        steps: steps.collect(),
        sinks: vec![last],
        observers: Vec::new(),
    };
    let mut output = execute(&RunPlan::new(run, cx)?, &[image], cx)?;
    output.images.pop().ok_or_else(|| Error::new(ErrorKind::Internal, "a run gave no image"))
}
