//! Gray from colour.

use std::sync::Arc;

use super::chain::{Chain, apply_chain};
use super::row::{RowNode, RowOut, Rows, Shape, State};
use super::stencil::expect_types;
use super::{Context, chain};
use crate::Result;
use crate::image::{Image, ImageType};
use crate::kernel::{Isa, pixel};

/// Luma of colour images, in the depth of the input: `rgb8` gives `gray8`, `rgb16` `gray16`,
/// `rgb-f32` `gray-f32`.
///
/// Integers use the fixed-point weights [`pixel::GRAY_WEIGHTS`] and are OpenCV's to the bit; floats
/// use [`pixel::GRAY_WEIGHTS_F32`].
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct GrayRows;

impl RowNode for GrayRows {
    fn name(&self) -> &'static str {
        "gray"
    }

    fn output(&self, inputs: &[Shape]) -> Shape {
        Shape { ty: gray_type(inputs[0].ty), ..inputs[0] }
    }

    fn is_map(&self) -> bool {
        true
    }

    fn row(&self, isa: Isa, _state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        let y = y as isize;
        match rows.shape(0).ty {
            ImageType::Rgb8 => pixel::gray_u8_row(isa, rows.get(0, 0, y), out.row()),
            ImageType::Rgb16 => pixel::gray_u16_row(isa, rows.get(0, 0, y), out.row()),
            ImageType::RgbF32 => pixel::gray_f32_row(isa, rows.get(0, 0, y), out.row()),
            _ => out.row::<u8>().copy_from_slice(rows.get(0, 0, y)),
        }
    }
}

/// The type of the gray of an image.
pub(crate) fn gray_type(ty: ImageType) -> ImageType {
    match ty {
        ImageType::Rgb8 => ImageType::Gray8,
        ImageType::Rgb16 => ImageType::Gray16,
        ImageType::RgbF32 => ImageType::GrayF32,
        gray => gray,
    }
}

/// The nodes of `gray`: none where the image is gray already.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for labels and gradients.
pub fn nodes(input: Shape) -> Result<chain::Chain> {
    expect_types("gray", input, &[ImageType::READ.as_slice(), &[ImageType::Mask]].concat())?;
    Ok(if input.ty.channels() == 3 { vec![Arc::new(GrayRows)] } else { Chain::new() })
}

/// Gray from colour, in the depth of the input; gray images and masks come back as they are.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for labels and gradients, [`Cancelled`](crate::ErrorKind::Cancelled).
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{self, Context};
///
/// let red = Image::Rgb8(Plane::filled(2, 2, [255, 0, 0]));
/// let gray = ops::gray(&red, &Context::default())?;
/// assert_eq!(gray.as_gray8()?.get(0, 0), 76);
/// # Ok::<(), lyncean::Error>(())
/// ```
pub fn gray(image: &Image, cx: &Context) -> Result<Image> {
    apply_chain(nodes(Shape::of(image))?, image, cx)
}
