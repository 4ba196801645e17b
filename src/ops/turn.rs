//! Images mirrored and turned by right angles: pixels only change places.

use super::band::{bands, fill_bands, rows_of};
use super::row::Shape;
use crate::image::{Affine, Image, Pixel, Plane, View};
use crate::kernel::pixel::reverse_row;
use crate::ops::Context;
use crate::{Error, Result};

/// Pixels of a side of the tiles that are turned at once: a tile's rows and columns stay in cache.
const TILE: usize = 32;

/// A change of places that keeps the grid of pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Turn {
    /// Left and right change places.
    FlipHorizontal,
    /// Top and bottom change places.
    FlipVertical,
    /// Turned by 180 degrees; the same as both flips.
    Half,
    /// Turned counter-clockwise by 90 degrees.
    Left,
    /// Turned clockwise by 90 degrees.
    Right,
}

impl Turn {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::FlipHorizontal, Self::FlipVertical, Self::Half, Self::Left, Self::Right];

    /// Whether width and height change places.
    pub const fn swaps_sides(self) -> bool {
        matches!(self, Self::Left | Self::Right)
    }

    /// The size of the result.
    pub const fn size(self, width: usize, height: usize) -> (usize, usize) {
        if self.swaps_sides() { (height, width) } else { (width, height) }
    }

    /// From coordinates of the result to those of an image of this size.
    pub fn map(self, width: usize, height: usize) -> Affine {
        let (w, h) = (width as f64, height as f64);
        let rows = match self {
            Self::FlipHorizontal => [[-1.0, 0.0, w], [0.0, 1.0, 0.0]],
            Self::FlipVertical => [[1.0, 0.0, 0.0], [0.0, -1.0, h]],
            Self::Half => [[-1.0, 0.0, w], [0.0, -1.0, h]],
            Self::Left => [[0.0, -1.0, w], [1.0, 0.0, 0.0]],
            Self::Right => [[0.0, 1.0, 0.0], [-1.0, 0.0, h]],
        };
        Affine { rows }
    }
}

/// Mirrors or turns an image of one plane, of any type. OpenCV's `flip` and `rotate`.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Context, Turn, turn};
///
/// let image = Image::Gray8(Plane::from_vec(2, 1, vec![1, 2])?);
/// let mirrored = turn(&image, Turn::FlipHorizontal, &Context::default())?;
/// assert_eq!(mirrored.as_gray8()?.as_slice(), [2, 1]);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for gradients, [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn turn(image: &Image, turn: Turn, cx: &Context) -> Result<Image> {
    Ok(match image {
        Image::Gray8(plane) => Image::Gray8(turn_plane(plane, turn, cx)?),
        Image::Gray16(plane) => Image::Gray16(turn_plane(plane, turn, cx)?),
        Image::GrayF32(plane) => Image::GrayF32(turn_plane(plane, turn, cx)?),
        Image::Rgb8(plane) => Image::Rgb8(turn_plane(plane, turn, cx)?),
        Image::Rgb16(plane) => Image::Rgb16(turn_plane(plane, turn, cx)?),
        Image::RgbF32(plane) => Image::RgbF32(turn_plane(plane, turn, cx)?),
        Image::Mask(plane) => Image::Mask(turn_plane(plane, turn, cx)?),
        Image::Labels(plane) => Image::Labels(turn_plane(plane, turn, cx)?),
        Image::Gradient(_) => check(Shape::of(image)).map(|()| image.clone())?,
    })
}

/// Checks that an image can be mirrored and turned.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for gradients, whose arrows would have to turn with them.
pub fn check(input: Shape) -> Result<()> {
    if input.ty.planes() == 1 {
        return Ok(());
    }
    Err(Error::shape(format!("an image of one plane is wanted, got `{}`", input.ty)))
}

fn turn_plane<T: Pixel>(plane: &Plane<T>, turn: Turn, cx: &Context) -> Result<Plane<T>> {
    let (width, height) = turn.size(plane.width(), plane.height());
    let mut out = cx.plane(width, height);
    let from = plane.view();
    fill_bands(
        &mut out,
        &bands(height, cx.threads, rows_of(cx, 1 << 20, width * size_of::<T>(), 64)),
        |band, out| {
            cx.check()?;
            if turn.swaps_sides() {
                transpose(from, turn, band.start, band.len(), out);
                return Ok(());
            }
            for (y, out) in band.zip(out.chunks_exact_mut(width.max(1))) {
                let y = if turn == Turn::FlipHorizontal { y } else { height - 1 - y };
                if turn == Turn::FlipVertical {
                    out.copy_from_slice(from.row(y));
                } else {
                    reverse_row(cx.isa, from.row(y), out);
                }
            }
            Ok(())
        },
    )?;
    Ok(out)
}

/// Rows `start..start + rows` of the image turned by a right angle, tile by tile.
fn transpose<T: Pixel>(from: View<'_, T>, turn: Turn, start: usize, rows: usize, out: &mut [T]) {
    let width = from.height();
    for top in (0..rows).step_by(TILE) {
        for left in (0..width).step_by(TILE) {
            for x in left..(left + TILE).min(width) {
                // A column of the result is a row of the image.
                let row = from.row(if turn == Turn::Left { x } else { width - 1 - x });
                let columns = start + top..start + (top + TILE).min(rows);
                let column = out[top * width + x..].iter_mut().step_by(width);
                if turn == Turn::Left {
                    let part = &row[row.len() - columns.end..row.len() - columns.start];
                    column.zip(part.iter().rev()).for_each(|(out, &value)| *out = value);
                } else {
                    column.zip(&row[columns]).for_each(|(out, &value)| *out = value);
                }
            }
        }
    }
}
