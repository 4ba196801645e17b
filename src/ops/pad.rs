//! Images made larger by a border.

use std::ops::Range;
use std::sync::Arc;

use super::Context;
use super::chain::{Chain, apply_chain};
use super::row::{RowNode, RowOut, Rows, Shape, State, Window};
use crate::image::{Border, BorderMode, Image, ImageType};
use crate::kernel::Isa;
use crate::{Error, Result};

/// The widest border, in pixels.
pub const MAX_PAD: usize = 65535;

/// Pixels added on each side of an image, and what stands there.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Pad {
    /// Columns on the left.
    pub left: usize,
    /// Columns on the right.
    pub right: usize,
    /// Rows above.
    pub top: usize,
    /// Rows below.
    pub bottom: usize,
    /// What stands there; not [`BorderMode::Valid`].
    pub border: Border,
}

/// Copies rows with their padding, which the executor has made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PadRows {
    pad: Pad,
}

impl RowNode for PadRows {
    fn name(&self) -> &'static str {
        "pad"
    }

    fn output(&self, inputs: &[Shape]) -> Shape {
        let Pad { left, right, top, bottom, .. } = self.pad;
        Shape::new(inputs[0].ty, left + inputs[0].width + right, top + inputs[0].height + bottom)
    }

    fn window(&self, _input: usize) -> Window {
        Window { left: self.pad.left, right: self.pad.right, border: self.pad.border }
    }

    fn rows_needed(&self, _input: usize, y: usize) -> Range<isize> {
        let y = y as isize - self.pad.top as isize;
        y..y + 1
    }

    fn row(&self, _isa: Isa, _state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        let y = y as isize - self.pad.top as isize;
        out.row::<u8>().copy_from_slice(rows.get::<u8>(0, 0, y));
    }
}

/// The node of `pad`: none where nothing is added.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for gradients, images without pixels, and masks whose border is
/// neither 0 nor 255; [`Pipeline`](crate::ErrorKind::Pipeline) for a border that adds nothing or is wider
/// than [`MAX_PAD`].
pub fn nodes(input: Shape, pad: &Pad) -> Result<Chain> {
    let Pad { left, right, top, bottom, border } = *pad;
    if input.ty.planes() > 1 {
        return Err(Error::shape(format!("`pad` wants an image of one plane, got `{}`", input.ty)));
    }
    if border.mode == BorderMode::Valid {
        return Err(Error::pipeline("`pad` wants a border that adds pixels, got `valid`"));
    }
    if [left, right, top, bottom].into_iter().any(|pixels| pixels > MAX_PAD) {
        return Err(Error::pipeline(format!("`pad` adds at most {MAX_PAD} pixels on a side")));
    }
    if input.width == 0 || input.height == 0 {
        return Err(Error::shape(format!(
            "`pad` wants pixels to start from, got {}x{}",
            input.width, input.height
        )));
    }
    let is_constant = border.mode == BorderMode::Constant;
    if input.ty == ImageType::Mask && is_constant && border.value != 0.0 && border.value != 255.0 {
        return Err(Error::shape(format!("masks hold 0 and 255 only, not {}", border.value)));
    }
    Ok(if left + right + top + bottom == 0 { Chain::new() } else { vec![Arc::new(PadRows { pad: *pad })] })
}

/// Adds pixels on each side: OpenCV's `copyMakeBorder`.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Context, Pad, pad};
///
/// let image = Image::Gray8(Plane::from_vec(2, 1, vec![1, 2])?);
/// let wide = pad(&image, &Pad { left: 1, ..Pad::default() }, &Context::default())?;
/// assert_eq!((wide.width(), wide.height()), (3, 1));
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// As [`nodes`], and [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn pad(image: &Image, pad: &Pad, cx: &Context) -> Result<Image> {
    apply_chain(nodes(Shape::of(image), pad)?, image, cx)
}
