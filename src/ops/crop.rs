//! A rectangle of an image.

use std::ops::Range;
use std::sync::Arc;

use super::Context;
use super::chain::{Chain, apply_chain};
use super::row::{RowNode, RowOut, Rows, Shape, State};
use crate::image::{Image, Rect};
use crate::kernel::Isa;
use crate::{Error, Result};

/// Copies a rectangle, of images of any type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CropRows {
    rect: Rect,
}

impl RowNode for CropRows {
    fn name(&self) -> &'static str {
        "crop"
    }

    fn output(&self, inputs: &[Shape]) -> Shape {
        Shape::new(inputs[0].ty, self.rect.width, self.rect.height)
    }

    fn rows_needed(&self, _input: usize, y: usize) -> Range<isize> {
        let y = (y + self.rect.y) as isize;
        y..y + 1
    }

    fn row(&self, _isa: Isa, _state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        let ty = rows.shape(0).ty;
        let size = ty.pixel_size();
        let span = self.rect.x * size..(self.rect.x + self.rect.width) * size;
        let y = (y + self.rect.y) as isize;
        let planes = out.rows::<u8>();
        for (plane, out) in planes.into_iter().enumerate().take(ty.planes()) {
            out.copy_from_slice(&rows.get::<u8>(0, plane, y)[span.clone()]);
        }
    }
}

/// The node of `crop`.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) when the rectangle is not inside the image.
pub fn nodes(input: Shape, rect: Rect) -> Result<Chain> {
    let fits =
        |start: usize, length: usize, limit: usize| start.checked_add(length).is_some_and(|end| end <= limit);
    if !fits(rect.x, rect.width, input.width) || !fits(rect.y, rect.height, input.height) {
        return Err(Error::shape(format!(
            "crop {rect} is not inside the image of {}x{}",
            input.width, input.height
        )));
    }
    Ok(vec![Arc::new(CropRows { rect })])
}

/// The part of an image inside a rectangle.
///
/// ```
/// use lyncean::image::{Image, Plane, Rect};
/// use lyncean::ops::{Context, crop};
///
/// let image = Image::Gray8(Plane::from_fn(5, 4, |x, y| (10 * y + x) as u8));
/// let part = crop(&image, Rect::new(1, 2, 3, 1), &Context::default())?;
/// assert_eq!(part.as_gray8()?.as_slice(), [21, 22, 23]);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) when the rectangle is not inside the image,
/// [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn crop(image: &Image, rect: Rect, cx: &Context) -> Result<Image> {
    apply_chain(nodes(Shape::of(image), rect)?, image, cx)
}
