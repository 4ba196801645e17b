//! Derivatives: Sobel's, Scharr's and Prewitt's operators.

use std::ops::Range;
use std::sync::Arc;

use super::Context;
use super::chain::{Chain, apply_chain};
use super::row::{RowNode, RowOut, Rows, Shape, State, Window};
use super::stencil::{Stencil, expect_types, scratch, with_window};
use crate::image::{Border, BorderMode, Image, ImageType, Pixel};
use crate::kernel::edge_mask::{scratch_length, sobel_mask_row};
use crate::kernel::line::Line;
use crate::kernel::sobel::{
    Above, Accumulator, Columns, DerivativeTaps, Derived, derivatives_row, derived_u8_row,
    least_square_above, magnitude_f32,
};
use crate::kernel::{Isa, threshold};
use crate::{Error, Result};

/// What is made of the two derivatives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum SobelOutput {
    /// `sqrt(dx² + dy²)`, `gray-f32`.
    #[default]
    Magnitude,
    /// `|dx| + |dy|`, `gray-f32`.
    L1,
    /// The derivative along x, `gray-f32`: positive where values rise to the right.
    Dx,
    /// The derivative along y, `gray-f32`: positive where values rise downwards.
    Dy,
    /// Both derivatives: `i16` for 8-bit images and sizes up to 5, where all values fit, else `f32`.
    Gradient,
    /// `atan2(dy, dx)` in radians, -π..=π, clockwise from the x axis since y points down; `gray-f32`.
    Direction,
}

/// The pair of filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Operator {
    /// Binomial smoothing across a binomial derivative.
    #[default]
    Sobel,
    /// 3, 10, 3 across -1, 0, 1: closer to the same in all directions. Size 3 alone.
    Scharr,
    /// Means across -1, 0, 1. Size 3 alone.
    Prewitt,
}

/// Parameters of [`sobel`].
#[derive(Clone, Debug, PartialEq)]
pub struct Sobel {
    /// Width and height of the window in pixels: 3, 5 or 7.
    pub size: usize,
    /// Which filters.
    pub operator: Operator,
    /// What to make of the derivatives.
    pub output: SobelOutput,
    /// What lies beyond the edge.
    pub border: Border,
}

impl Default for Sobel {
    /// The magnitude of Sobel's 3x3 operator.
    fn default() -> Self {
        Self {
            size: 3,
            operator: Operator::default(),
            output: SobelOutput::default(),
            border: Border::default(),
        }
    }
}

impl Sobel {
    fn taps(&self) -> Result<DerivativeTaps> {
        match self.operator {
            Operator::Scharr if self.size == 3 => Ok(DerivativeTaps::SCHARR),
            Operator::Prewitt if self.size == 3 => Ok(DerivativeTaps::PREWITT),
            Operator::Scharr | Operator::Prewitt => {
                let message = format!("the operators of Scharr and Prewitt want `size` 3, got {}", self.size);
                Err(Error::pipeline(message))
            }
            Operator::Sobel => DerivativeTaps::sobel(self.size)
                .ok_or_else(|| Error::pipeline(format!("`size` wants 3, 5 or 7, got {}", self.size))),
        }
    }
}

/// Derivatives are not normalised: a step of height 1 has the value that the taps sum to.
#[derive(Clone, Debug, PartialEq)]
pub struct SobelRows {
    taps: DerivativeTaps,
    output: SobelOutput,
    border: Border,
}

impl SobelRows {
    /// A node.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) when the operator has no such size.
    pub fn new(params: &Sobel) -> Result<Self> {
        Ok(Self { taps: params.taps()?, output: params.output, border: params.border })
    }

    /// The filters.
    pub fn taps(&self) -> DerivativeTaps {
        self.taps
    }

    /// What is made of the derivatives.
    pub fn output_kind(&self) -> SobelOutput {
        self.output
    }

    /// What lies beyond the edge.
    pub fn border(&self) -> Border {
        self.border
    }
}

fn stencil(taps: DerivativeTaps, border: Border) -> Stencil {
    Stencil::centred(taps.size(), taps.size(), border)
}

/// The number that derivatives of an image are computed in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// 8 bit, up to 5 taps: every derivative fits `i16`, every sum of squares `i32`.
    Narrow,
    /// 8 bit and 7 taps.
    Wide8,
    Wide16,
    Float,
}

fn depth(ty: ImageType, taps: DerivativeTaps) -> Depth {
    match ty {
        ImageType::Gray16 => Depth::Wide16,
        ImageType::GrayF32 => Depth::Float,
        _ if taps.size() <= 5 => Depth::Narrow,
        _ => Depth::Wide8,
    }
}

enum Scratch {
    I16(Columns<i16>),
    I32(Columns<i32>),
    F32(Columns<f32>),
}

fn start(taps: DerivativeTaps, input: Shape) -> Scratch {
    let length = input.width + taps.size();
    match depth(input.ty, taps) {
        Depth::Narrow => Scratch::I16(Columns::new(length)),
        Depth::Wide8 | Depth::Wide16 => Scratch::I32(Columns::new(length)),
        Depth::Float => Scratch::F32(Columns::new(length)),
    }
}

/// The window of one output row and where its derivatives are computed.
struct Work<'a, 'b> {
    isa: Isa,
    rows: &'a Rows<'b>,
    range: Range<isize>,
    taps: DerivativeTaps,
}

impl Work<'_, '_> {
    fn write<T, A, O>(self, columns: &mut Columns<A>, out: &mut [O], value: impl Fn(A, A) -> O + Copy)
    where
        T: Pixel,
        A: Accumulator + From<T>,
        O: Pixel,
    {
        with_window::<T, _>(self.rows, 0, self.range, |window| {
            derivatives_row(self.isa, window, self.taps, columns, out, value);
        });
    }

    /// Derivatives as floats.
    fn floats(self, scratch: &mut Scratch, out: &mut [f32], value: impl Fn(f32, f32) -> f32 + Copy) {
        let ty = self.rows.shape(0).ty;
        match (depth(ty, self.taps), scratch) {
            (Depth::Narrow, Scratch::I16(columns)) => self.write::<u8, _, _>(
                columns,
                out,
                #[inline(always)]
                |dx, dy| value(f32::from(dx), f32::from(dy)),
            ),
            (Depth::Wide8, Scratch::I32(columns)) => self.write::<u8, _, _>(
                columns,
                out,
                #[inline(always)]
                |dx, dy| value(dx as f32, dy as f32),
            ),
            (Depth::Wide16, Scratch::I32(columns)) => self.write::<u16, _, _>(
                columns,
                out,
                #[inline(always)]
                |dx, dy| value(dx as f32, dy as f32),
            ),
            (Depth::Float, Scratch::F32(columns)) => self.write::<f32, _, _>(columns, out, value),
            _ => unreachable!("the scratch of a derivative follows the image type"),
        }
    }
}

impl RowNode for SobelRows {
    fn name(&self) -> &'static str {
        "sobel"
    }

    fn output(&self, inputs: &[Shape]) -> Shape {
        let ty = match (self.output, depth(inputs[0].ty, self.taps)) {
            (SobelOutput::Gradient, Depth::Narrow) => ImageType::GradientI16,
            (SobelOutput::Gradient, _) => ImageType::GradientF32,
            _ => ImageType::GrayF32,
        };
        stencil(self.taps, self.border).output(inputs[0], ty)
    }

    fn window(&self, _input: usize) -> Window {
        stencil(self.taps, self.border).window()
    }

    fn rows_needed(&self, _input: usize, y: usize) -> Range<isize> {
        stencil(self.taps, self.border).rows(y)
    }

    fn start(&self, inputs: &[Shape], _output: Shape) -> State {
        Box::new(start(self.taps, inputs[0]))
    }

    fn restart(&self, _state: &mut State) -> bool {
        true
    }

    fn row(&self, isa: Isa, state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        let state: &mut Scratch = scratch(state);
        let work = || Work { isa, rows, range: self.rows_needed(0, y), taps: self.taps };
        match (self.output, &mut *state) {
            (output, Scratch::I16(columns)) if output != SobelOutput::Direction => {
                let derived = match output {
                    SobelOutput::L1 => Derived::L1(out.row()),
                    SobelOutput::Dx => Derived::Dx(out.row()),
                    SobelOutput::Dy => Derived::Dy(out.row()),
                    SobelOutput::Gradient => {
                        let [out_x, out_y] = out.rows();
                        Derived::Gradient(out_x, out_y)
                    }
                    _ => Derived::Magnitude(out.row()),
                };
                with_window(rows, 0, self.rows_needed(0, y), |window| {
                    derived_u8_row(isa, window, self.taps, columns, derived);
                });
            }
            (SobelOutput::Gradient, _) => {
                let [out_x, out_y] = out.rows();
                work().floats(state, out_x, |dx, _| dx);
                work().floats(state, out_y, |_, dy| dy);
            }
            (SobelOutput::Magnitude, _) => work().floats(
                state,
                out.row(),
                #[inline(always)]
                |dx, dy| magnitude_f32(dx, dy),
            ),
            (SobelOutput::L1, _) => work().floats(
                state,
                out.row(),
                #[inline(always)]
                |dx, dy| dx.abs() + dy.abs(),
            ),
            (SobelOutput::Dx, _) => work().floats(state, out.row(), |dx, _| dx),
            (SobelOutput::Dy, _) => work().floats(state, out.row(), |_, dy| dy),
            (SobelOutput::Direction, _) => work().floats(state, out.row(), |dx, dy| libm::atan2f(dy, dx)),
        }
    }
}

/// Magnitude followed by a fixed binary threshold, in one: what the rewrites of a plan put in the
/// place of [`SobelRows`] and [`ThresholdRows`](super::threshold::ThresholdRows).
///
/// 8-bit images compare sums of squares as integers and take no root; the mask is that of the two
/// nodes, bit for bit.
#[derive(Clone, Debug, PartialEq)]
pub struct MagnitudeThresholdRows {
    taps: DerivativeTaps,
    border: Border,
    level: f32,
    inverted: bool,
    /// Whether [`edge_mask`](crate::kernel::edge_mask) computes it, edges included.
    is_bytes: bool,
}

impl MagnitudeThresholdRows {
    /// A node in the place of a magnitude of images of type `input` and a mask, or `None` when the first
    /// makes something else.
    pub fn fuse(sobel: &SobelRows, input: ImageType, level: f32, inverted: bool) -> Option<Self> {
        let &SobelRows { taps, output, border } = sobel;
        let is_bytes = Some(taps) == DerivativeTaps::sobel(3)
            && depth(input, taps) == Depth::Narrow
            && border.mode != BorderMode::Valid;
        (output == SobelOutput::Magnitude).then_some(Self { taps, border, level, inverted, is_bytes })
    }
}

struct FusedScratch {
    least: Option<i32>,
    of: FusedColumns,
}

enum FusedColumns {
    /// Sobel's 3x3 operator on bytes.
    Bytes(Vec<Line>),
    I16(Columns<i16>),
    /// Where the magnitudes themselves are compared.
    Floats(Scratch, Vec<f32>),
}

impl RowNode for MagnitudeThresholdRows {
    fn name(&self) -> &'static str {
        "sobel+threshold"
    }

    fn output(&self, inputs: &[Shape]) -> Shape {
        stencil(self.taps, self.border).output(inputs[0], ImageType::Mask)
    }

    fn window(&self, _input: usize) -> Window {
        match self.is_bytes {
            true => Window { left: 0, right: 0, border: self.border },
            false => stencil(self.taps, self.border).window(),
        }
    }

    fn rows_needed(&self, _input: usize, y: usize) -> Range<isize> {
        stencil(self.taps, self.border).rows(y)
    }

    fn start(&self, inputs: &[Shape], output: Shape) -> State {
        let of = match start(self.taps, inputs[0]) {
            Scratch::I16(_) if self.is_bytes => {
                FusedColumns::Bytes(vec![Line::default(); scratch_length(output.width).div_ceil(32)])
            }
            Scratch::I16(columns) => FusedColumns::I16(columns),
            columns => FusedColumns::Floats(columns, vec![0.0; output.width]),
        };
        Box::new(FusedScratch { least: least_square_above(self.level), of })
    }

    fn restart(&self, _state: &mut State) -> bool {
        true
    }

    fn row(&self, isa: Isa, state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        let FusedScratch { least, of } = scratch(state);
        let range = self.rows_needed(0, y);
        let above = |least| Above { least, inverted: self.inverted };
        match (of, *least) {
            (FusedColumns::Floats(columns, magnitudes), _) => {
                let work = Work { isa, rows, range, taps: self.taps };
                work.floats(
                    columns,
                    magnitudes,
                    #[inline(always)]
                    |dx, dy| magnitude_f32(dx, dy),
                );
                threshold::mask_row(isa, magnitudes, self.level, self.inverted, out.row());
            }
            (_, None) => out.row::<u8>().fill(if self.inverted { 255 } else { 0 }),
            (FusedColumns::Bytes(lines), Some(least)) => {
                let mut window = [&[][..]; 3];
                rows.window(0, range.start, &mut window);
                let columns = bytemuck::cast_slice_mut(lines);
                sobel_mask_row(isa, window, self.border, above(least), columns, out.row());
            }
            (FusedColumns::I16(columns), Some(least)) => with_window(rows, 0, range, |window| {
                derived_u8_row(isa, window, self.taps, columns, Derived::Mask(above(least), out.row()));
            }),
        }
    }
}

/// The node of `sobel`.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for images that are not gray,
/// [`Pipeline`](crate::ErrorKind::Pipeline) when the operator has no such size.
pub fn nodes(input: Shape, params: &Sobel) -> Result<Chain> {
    use ImageType::{Gray8, Gray16, GrayF32, Mask};
    expect_types("sobel", input, &[Gray8, Gray16, GrayF32, Mask])?;
    Ok(vec![Arc::new(SobelRows::new(params)?)])
}

/// Derivatives of a gray image, and what is made of them; see [`SobelOutput`] for types.
///
/// Values are not normalised: those of an 8-bit image reach 1020 along either axis at size 3.
/// Integers are exact; floats sum columns first, then rows, from the first tap to the last.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Context, Sobel, SobelOutput, sobel};
///
/// let ramp = Image::Gray8(Plane::from_fn(5, 5, |x, _| 10 * x as u8));
/// let params = Sobel { output: SobelOutput::Dx, ..Sobel::default() };
/// let dx = sobel(&ramp, &params, &Context::default())?;
/// assert_eq!(dx.as_gray_f32()?.get(2, 2), 80.0);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for images that are not gray,
/// [`Pipeline`](crate::ErrorKind::Pipeline) when the operator has no such size,
/// [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn sobel(image: &Image, params: &Sobel, cx: &Context) -> Result<Image> {
    apply_chain(nodes(Shape::of(image), params)?, image, cx)
}
