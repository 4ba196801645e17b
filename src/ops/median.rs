//! Medians of square windows.

use std::ops::Range;
use std::sync::Arc;

use super::Context;
use super::chain::{Chain, apply_chain};
use super::row::{RowNode, RowOut, Rows, Shape, State, Window};
use super::stencil::{Stencil, expect_types, scratch, with_window};
use super::window_sum;
use crate::image::{Border, BorderMode, Element, Image, ImageType, Pixel};
use crate::kernel::Isa;
use crate::kernel::median::{Histograms, Ordered, median3_row, median5_row};
use crate::{Error, Result};

/// The largest window, in pixels along either axis: counts of its pixels fit 16 bits.
pub const MAX_SIZE: usize = 255;

/// The median of a window, channel by channel, in the type of the image.
#[derive(Clone, Debug, PartialEq)]
pub struct MedianRows {
    stencil: Stencil,
}

impl MedianRows {
    fn size(&self) -> usize {
        self.stencil.size.0
    }

    fn has_histograms(&self, element: Element) -> bool {
        element == Element::U8 && self.size() > 5
    }

    fn write<T: Pixel + Ordered>(
        &self,
        isa: Isa,
        columns: &mut [Vec<T>],
        rows: &Rows<'_>,
        y: usize,
        order: impl Fn(&T, &T) -> std::cmp::Ordering + Copy,
        out: &mut RowOut<'_>,
    ) {
        let step = rows.shape(0).ty.channels();
        let (size, out) = (self.size(), out.row::<T>());
        with_window::<T, _>(rows, 0, self.stencil.rows(y), |window| match window {
            &[a, b, c] => median3_row(isa, [a, b, c], step, columns, out),
            &[a, b, c, d, e] => median5_row(isa, [a, b, c, d, e], step, out),
            window => {
                let [values, ..] = columns else { return };
                for (x, out) in out.iter_mut().enumerate() {
                    values.clear();
                    for row in window {
                        values.extend(row[x..].iter().step_by(step).take(size));
                    }
                    let middle = values.len() / 2;
                    *out = *values.select_nth_unstable_by(middle, order).1;
                }
            }
        });
    }
}

/// Histograms of the columns, and the row they are for.
struct Sliding {
    histograms: Histograms,
    at: Option<usize>,
}

impl RowNode for MedianRows {
    fn name(&self) -> &'static str {
        "median"
    }

    fn output(&self, inputs: &[Shape]) -> Shape {
        // A constant beyond the edge may be anything: then a mask becomes gray.
        let constant = self.stencil.border.mode == BorderMode::Constant;
        let ty = match inputs[0].ty {
            ImageType::Mask if constant => ImageType::Gray8,
            ty => ty,
        };
        self.stencil.output(inputs[0], ty)
    }

    fn window(&self, _input: usize) -> Window {
        self.stencil.window()
    }

    fn rows_needed(&self, _input: usize, y: usize) -> Range<isize> {
        // Histograms take out the row that left.
        if self.size() > 5 { window_sum::rows_needed(&self.stencil, y) } else { self.stencil.rows(y) }
    }

    fn start(&self, inputs: &[Shape], _output: Shape) -> State {
        fn columns<T: Pixel>(count: usize, length: usize) -> State {
            Box::new(vec![vec![T::default(); length]; count])
        }
        let length = (inputs[0].width + self.size()) * inputs[0].ty.channels();
        let element = inputs[0].ty.element();
        // For other sizes one row of scratch becomes the window's values.
        let (count, length) = if self.size() <= 5 { (3, length) } else { (1, 0) };
        match element {
            _ if self.has_histograms(element) => {
                let length = (inputs[0].width + self.size()) * inputs[0].ty.channels();
                Box::new(Sliding { histograms: Histograms::new(length), at: None })
            }
            Element::U16 => columns::<u16>(count, length),
            Element::F32 => columns::<f32>(count, length),
            _ => columns::<u8>(count, length),
        }
    }

    fn restart(&self, state: &mut State) -> bool {
        // Only histograms are carried from row to row.
        if let Some(sliding) = state.downcast_mut::<Sliding>() {
            sliding.at = None;
        }
        true
    }

    fn row(&self, isa: Isa, state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        match rows.shape(0).ty.element() {
            element if self.has_histograms(element) => {
                let Sliding { histograms, at } = scratch(state);
                let window = self.stencil.rows(y);
                if y > 0 && *at == Some(y - 1) {
                    let (new, old) = (rows.get(0, 0, window.end - 1), rows.get(0, 0, window.start - 1));
                    histograms.enter_and_leave(isa, new, old);
                } else {
                    histograms.clear();
                    for row in window {
                        histograms.enter(isa, rows.get(0, 0, row));
                    }
                }
                *at = Some(y);
                histograms.median_row(isa, self.stencil.size, rows.shape(0).ty.channels(), out.row());
            }
            Element::U16 => self.write(isa, scratch::<Vec<Vec<u16>>>(state), rows, y, Ord::cmp, out),
            Element::F32 => self.write(isa, scratch::<Vec<Vec<f32>>>(state), rows, y, f32::total_cmp, out),
            _ => self.write(isa, scratch::<Vec<Vec<u8>>>(state), rows, y, Ord::cmp, out),
        }
    }
}

/// The node of `median`.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for labels and gradients, [`Pipeline`](crate::ErrorKind::Pipeline)
/// when the size is even or beyond [`MAX_SIZE`].
pub fn nodes(input: Shape, size: usize, border: Border) -> Result<Chain> {
    expect_types("median", input, &[ImageType::READ.as_slice(), &[ImageType::Mask]].concat())?;
    if size.is_multiple_of(2) || size > MAX_SIZE {
        return Err(Error::pipeline(format!("`size` wants an odd number up to {MAX_SIZE}, got {size}")));
    }
    Ok(vec![Arc::new(MedianRows { stencil: Stencil::centred(size, size, border) })])
}

/// Parameters of [`median`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Median {
    /// Width and height of the window in pixels, odd.
    pub size: usize,
    /// What lies beyond the edge.
    pub border: Border,
}

impl Default for Median {
    /// 3x3, with the edge going on beyond it.
    fn default() -> Self {
        Self { size: 3, border: BorderMode::Replicate.into() }
    }
}

/// The median of windows of `size` pixels along both axes, in the type of the image.
///
/// With [`BorderMode::Replicate`] equal to OpenCV's `medianBlur`. Sizes 3 and
/// 5 are networks for every type; beyond, 8 bit takes a time that does not depend on the size, and the time of 16
/// bit and floats grows with the window's area. NaN has no order: what becomes of it is not defined.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Context, Median, median};
///
/// let image = Image::Gray8(Plane::from_fn(3, 3, |x, y| if (x, y) == (1, 1) { 200 } else { 10 }));
/// let clean = median(&image, &Median::default(), &Context::default())?;
/// assert_eq!(clean.as_gray8()?.get(1, 1), 10);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for labels and gradients, [`Pipeline`](crate::ErrorKind::Pipeline)
/// when the size is even or beyond [`MAX_SIZE`], [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn median(image: &Image, params: &Median, cx: &Context) -> Result<Image> {
    apply_chain(nodes(Shape::of(image), params.size, params.border)?, image, cx)
}
