//! Means over rectangles.

use std::ops::Range;
use std::sync::Arc;

use super::Context;
use super::chain::{Chain, apply_chain};
use super::row::{RowNode, RowOut, Rows, Shape, State, Window};
use super::stencil::{Stencil, expect_types, scratch};
use super::window_sum::{FloatSums, IntegerSums, fits_u32, rows_needed};
use crate::image::{Border, Element, Image, ImageType};
use crate::kernel::Isa;
use crate::kernel::window_sum::{
    F32_AREA, MEDIUM_ROWS, Reciprocal, mean_u8_row, mean_u16_row, medium_mean_u8_row, small_mean_u8_row,
};
use crate::{Error, Result};

/// The largest window, in pixels along either axis.
pub const MAX_SIZE: usize = 4095;

/// The mean of a window, in the type of the image; masks give `gray8`.
///
/// Integers are summed exactly and rounded once, halves up; floats are summed in `f64` and divided.
#[derive(Clone, Debug, PartialEq)]
pub struct BoxRows {
    stencil: Stencil,
}

/// Sums of a strip.
pub(crate) enum Sums {
    /// Of 8 bit, in windows so small that 16 bits hold a sum.
    Small(IntegerSums<u16>, Reciprocal),
    /// Of gray images of 8 bit, in windows whose columns fit 16 bits; with scratch for their sums.
    Medium(IntegerSums<u16>, Vec<u32>),
    Narrow(IntegerSums<u32>),
    Wide(IntegerSums<u64>),
    Float(FloatSums),
}

impl Sums {
    pub(crate) fn new(input: Shape, output: Shape, stencil: &Stencil, largest: u64) -> Self {
        match input.ty.element() {
            Element::F32 => Self::Float(FloatSums::new(input, output, stencil)),
            Element::U8 if let Some(reciprocal) = Reciprocal::of(stencil.size.0 * stencil.size.1) => {
                Self::Small(IntegerSums::new(input, stencil), reciprocal)
            }
            Element::U8
                if input.ty.channels() == 1
                    && stencil.size.1 <= MEDIUM_ROWS
                    && stencil.size.0 * stencil.size.1 <= F32_AREA =>
            {
                Self::Medium(IntegerSums::new(input, stencil), Vec::new())
            }
            _ if fits_u32(stencil, largest) => Self::Narrow(IntegerSums::new(input, stencil)),
            _ => Self::Wide(IntegerSums::new(input, stencil)),
        }
    }

    /// Makes them ready for another strip.
    pub(crate) fn restart(&mut self) {
        match self {
            Self::Small(sums, _) | Self::Medium(sums, _) => sums.restart(),
            Self::Narrow(sums) => sums.restart(),
            Self::Wide(sums) => sums.restart(),
            // Those are summed afresh for each row.
            Self::Float(_) => {}
        }
    }

    /// The means of one output row.
    pub(crate) fn mean_row(
        &mut self,
        isa: Isa,
        rows: &Rows<'_>,
        stencil: &Stencil,
        y: usize,
        out: &mut RowOut<'_>,
    ) {
        let span = stencil.size.0 * rows.shape(0).ty.channels();
        let area = stencil.size.0 * stencil.size.1;
        match (self, rows.shape(0).ty.element()) {
            (Self::Small(sums, reciprocal), _) => {
                let columns = sums.columns::<u8>(isa, rows, stencil, y, u16::from);
                let step = rows.shape(0).ty.channels();
                small_mean_u8_row(isa, columns, stencil.size.0, step, *reciprocal, out.row());
            }
            (Self::Medium(sums, scratch), _) => {
                let columns = sums.columns::<u8>(isa, rows, stencil, y, u16::from);
                medium_mean_u8_row(isa, columns, stencil.size.0, area, scratch, out.row());
            }
            (Self::Narrow(sums), Element::U16) => {
                let sums = sums.prefix::<u16>(isa, rows, stencil, y, u32::from);
                mean_u16_row(isa, sums, span, area, out.row());
            }
            (Self::Wide(sums), Element::U16) => {
                let sums = sums.prefix::<u16>(isa, rows, stencil, y, u64::from);
                mean_u16_row(isa, sums, span, area, out.row());
            }
            (Self::Narrow(sums), _) => {
                mean_u8_row(isa, sums.prefix::<u8>(isa, rows, stencil, y, u32::from), span, area, out.row());
            }
            (Self::Wide(sums), _) => {
                mean_u8_row(isa, sums.prefix::<u8>(isa, rows, stencil, y, u64::from), span, area, out.row());
            }
            (Self::Float(sums), _) => {
                let sums = sums.row(isa, rows, stencil, y, f64::from);
                for (out, sum) in out.row::<f32>().iter_mut().zip(sums) {
                    *out = (sum / area as f64) as f32;
                }
            }
        }
    }
}

/// The largest value of the integers of a type.
pub(crate) fn largest(ty: ImageType) -> u64 {
    if ty.element() == Element::U16 { 65535 } else { 255 }
}

impl RowNode for BoxRows {
    fn name(&self) -> &'static str {
        "box-blur"
    }

    fn output(&self, inputs: &[Shape]) -> Shape {
        let ty = if inputs[0].ty == ImageType::Mask { ImageType::Gray8 } else { inputs[0].ty };
        self.stencil.output(inputs[0], ty)
    }

    fn window(&self, _input: usize) -> Window {
        self.stencil.window()
    }

    fn rows_needed(&self, _input: usize, y: usize) -> Range<isize> {
        rows_needed(&self.stencil, y)
    }

    fn start(&self, inputs: &[Shape], output: Shape) -> State {
        Box::new(Sums::new(inputs[0], output, &self.stencil, largest(inputs[0].ty)))
    }

    fn restart(&self, state: &mut State) -> bool {
        scratch::<Sums>(state).restart();
        true
    }

    fn row(&self, isa: Isa, state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        scratch::<Sums>(state).mean_row(isa, rows, &self.stencil, y, out);
    }
}

/// The node of `box-blur`; of even sizes the window reaches one pixel farther left and up.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for labels and gradients, [`Pipeline`](crate::ErrorKind::Pipeline)
/// for a window without pixels or beyond [`MAX_SIZE`].
pub fn nodes(input: Shape, (width, height): (usize, usize), border: Border) -> Result<Chain> {
    expect_types("box-blur", input, &[ImageType::READ.as_slice(), &[ImageType::Mask]].concat())?;
    if width == 0 || height == 0 || width.max(height) > MAX_SIZE {
        return Err(Error::pipeline(format!(
            "`size` wants 1x1 to {MAX_SIZE}x{MAX_SIZE} pixels, got {width}x{height}"
        )));
    }
    Ok(vec![Arc::new(BoxRows { stencil: Stencil::centred(width, height, border) })])
}

/// Parameters of [`box_blur`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoxBlur {
    /// Width and height of the window in pixels.
    pub size: (usize, usize),
    /// What lies beyond the edge.
    pub border: Border,
}

impl Default for BoxBlur {
    /// 3x3, mirrored at the edge.
    fn default() -> Self {
        Self { size: (3, 3), border: Border::default() }
    }
}

/// The mean over rectangles of `size` (width and height in pixels), in the type of the image; masks give `gray8`.
///
/// The time does not depend on the size for integers. Equal to OpenCV's `blur`, but that it may round
/// halves down where the window has an even number of pixels.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{BoxBlur, Context, box_blur};
///
/// let image = Image::Gray8(Plane::from_fn(3, 3, |x, y| if (x, y) == (1, 1) { 90 } else { 0 }));
/// let smooth = box_blur(&image, &BoxBlur::default(), &Context::default())?;
/// assert_eq!(smooth.as_gray8()?.get(1, 1), 10);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for labels and gradients, [`Pipeline`](crate::ErrorKind::Pipeline)
/// for a window without pixels or beyond [`MAX_SIZE`], [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn box_blur(image: &Image, params: &BoxBlur, cx: &Context) -> Result<Image> {
    apply_chain(nodes(Shape::of(image), params.size, params.border)?, image, cx)
}
