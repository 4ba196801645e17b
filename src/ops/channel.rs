//! One channel of a colour image.

use std::sync::Arc;

use super::Context;
use super::chain::{Chain, apply_chain};
use super::row::{RowNode, RowOut, Rows, Shape, State};
use crate::image::{Image, ImageType};
use crate::kernel::{Isa, pixel};
use crate::{Error, Result};

/// One channel of a colour image, in its depth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChannelRows {
    index: usize,
}

impl RowNode for ChannelRows {
    fn name(&self) -> &'static str {
        "channel"
    }

    fn output(&self, inputs: &[Shape]) -> Shape {
        let ty = match inputs[0].ty {
            ImageType::Rgb16 => ImageType::Gray16,
            ImageType::RgbF32 => ImageType::GrayF32,
            _ => ImageType::Gray8,
        };
        Shape { ty, ..inputs[0] }
    }

    fn is_map(&self) -> bool {
        true
    }

    fn row(&self, isa: Isa, _state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        let (y, index) = (y as isize, self.index);
        match rows.shape(0).ty {
            ImageType::Rgb16 => pixel::channel_row::<u16>(isa, rows.get(0, 0, y), index, out.row()),
            ImageType::RgbF32 => pixel::channel_row::<f32>(isa, rows.get(0, 0, y), index, out.row()),
            _ => pixel::channel_row::<u8>(isa, rows.get(0, 0, y), index, out.row()),
        }
    }
}

/// The node of `channel`.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for images without colour,
/// [`Pipeline`](crate::ErrorKind::Pipeline) for an index above 2.
pub fn nodes(input: Shape, index: usize) -> Result<Chain> {
    use ImageType::{Rgb8, Rgb16, RgbF32};
    if input.ty.channels() != 3 {
        let wanted = [Rgb8, Rgb16, RgbF32].map(|ty| format!("`{ty}`")).join(" or ");
        return Err(Error::shape(format!("`channel` wants {wanted}, got `{}`", input.ty)));
    }
    if index > 2 {
        return Err(Error::pipeline(format!("`channel` wants 0 (red), 1 (green) or 2 (blue), got {index}")));
    }
    Ok(vec![Arc::new(ChannelRows { index })])
}

/// One channel of a colour image, in its depth: 0 red, 1 green, 2 blue.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Context, channel};
///
/// let image = Image::Rgb8(Plane::filled(1, 1, [1, 2, 3]));
/// assert_eq!(channel(&image, 2, &Context::default())?.as_gray8()?.get(0, 0), 3);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for images without colour,
/// [`Pipeline`](crate::ErrorKind::Pipeline) for an index above 2,
/// [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn channel(image: &Image, index: usize, cx: &Context) -> Result<Image> {
    apply_chain(nodes(Shape::of(image), index)?, image, cx)
}
