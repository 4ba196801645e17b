//! Turning pictures upright.

use crate::image::{Gradient, Image, Pixel, Plane};

/// How stored pixels lie with respect to the upright picture: the eight values of the EXIF tag
/// `Orientation`, named by what has to be done to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Orientation {
    /// 1: nothing.
    #[default]
    Upright,
    /// 2: mirror left and right.
    FlipHorizontal,
    /// 3: turn by 180 degrees.
    Rotate180,
    /// 4: mirror top and bottom.
    FlipVertical,
    /// 5: mirror about the diagonal from the top left.
    Transpose,
    /// 6: turn clockwise by 90 degrees.
    Rotate90,
    /// 7: mirror about the diagonal from the top right.
    Transverse,
    /// 8: turn counter-clockwise by 90 degrees.
    Rotate270,
}

impl Orientation {
    /// Every orientation, in the order of the EXIF values 1 to 8.
    pub const ALL: [Self; 8] = [
        Self::Upright,
        Self::FlipHorizontal,
        Self::Rotate180,
        Self::FlipVertical,
        Self::Transpose,
        Self::Rotate90,
        Self::Transverse,
        Self::Rotate270,
    ];

    /// The orientation of an EXIF value; what is not 1 to 8 says nothing, so upright.
    pub fn from_exif(value: u16) -> Self {
        let index = usize::from(value).wrapping_sub(1);
        Self::ALL.get(index).copied().unwrap_or_default()
    }

    /// Whether width and height change places.
    pub fn swaps_axes(self) -> bool {
        matches!(self, Self::Transpose | Self::Rotate90 | Self::Transverse | Self::Rotate270)
    }

    /// Where the upright pixel `(x, y)` is stored, in a stored picture of `width` by `height`.
    fn stored(self, x: usize, y: usize, width: usize, height: usize) -> (usize, usize) {
        match self {
            Self::Upright => (x, y),
            Self::FlipHorizontal => (width - 1 - x, y),
            Self::Rotate180 => (width - 1 - x, height - 1 - y),
            Self::FlipVertical => (x, height - 1 - y),
            Self::Transpose => (y, x),
            Self::Rotate90 => (y, height - 1 - x),
            Self::Transverse => (width - 1 - y, height - 1 - x),
            Self::Rotate270 => (width - 1 - y, x),
        }
    }
}

/// The upright plane of a stored one.
pub(super) fn plane<T: Pixel>(stored: Plane<T>, orientation: Orientation) -> Plane<T> {
    /// Side of the blocks that are turned at once, so that the column-wise reads stay in cache.
    const BLOCK: usize = 32;
    if orientation == Orientation::Upright {
        return stored;
    }
    let (w, h) = (stored.width(), stored.height());
    let (width, height) = if orientation.swaps_axes() { (h, w) } else { (w, h) };
    let mut upright = Plane::new(width, height);
    let source = stored.as_slice();
    for y0 in (0..height).step_by(BLOCK) {
        for x0 in (0..width).step_by(BLOCK) {
            for y in y0..height.min(y0 + BLOCK) {
                let row = &mut upright.row_mut(y)[x0..width.min(x0 + BLOCK)];
                for (x, pixel) in (x0..).zip(row) {
                    let (sx, sy) = orientation.stored(x, y, w, h);
                    *pixel = source[sy * w + sx];
                }
            }
        }
    }
    upright
}

/// The upright image of a stored one.
pub(super) fn image(stored: Image, orientation: Orientation) -> Image {
    match stored {
        Image::Gray8(p) => Image::Gray8(plane(p, orientation)),
        Image::Gray16(p) => Image::Gray16(plane(p, orientation)),
        Image::GrayF32(p) => Image::GrayF32(plane(p, orientation)),
        Image::Rgb8(p) => Image::Rgb8(plane(p, orientation)),
        Image::Rgb16(p) => Image::Rgb16(plane(p, orientation)),
        Image::RgbF32(p) => Image::RgbF32(plane(p, orientation)),
        Image::Mask(p) => Image::Mask(plane(p, orientation)),
        Image::Labels(p) => Image::Labels(plane(p, orientation)),
        Image::Gradient(Gradient::I16 { dx, dy }) => {
            Image::Gradient(Gradient::I16 { dx: plane(dx, orientation), dy: plane(dy, orientation) })
        }
        Image::Gradient(Gradient::F32 { dx, dy }) => {
            Image::Gradient(Gradient::F32 { dx: plane(dx, orientation), dy: plane(dy, orientation) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turned_by_hand() {
        // 1 2 3
        // 4 5 6
        let stored = Plane::from_vec(3, 2, vec![1u8, 2, 3, 4, 5, 6]).unwrap();
        let turned = |value| plane(stored.clone(), Orientation::from_exif(value)).into_vec();
        assert_eq!(turned(1), [1, 2, 3, 4, 5, 6]);
        assert_eq!(turned(2), [3, 2, 1, 6, 5, 4]);
        assert_eq!(turned(3), [6, 5, 4, 3, 2, 1]);
        assert_eq!(turned(4), [4, 5, 6, 1, 2, 3]);
        assert_eq!(turned(5), [1, 4, 2, 5, 3, 6]);
        assert_eq!(turned(6), [4, 1, 5, 2, 6, 3]);
        assert_eq!(turned(7), [6, 3, 5, 2, 4, 1]);
        assert_eq!(turned(8), [3, 6, 2, 5, 1, 4]);
        assert_eq!(plane(stored, Orientation::Rotate90).width(), 2);
    }

    #[test]
    fn four_quarter_turns_over_block_edges() {
        let stored = Plane::from_fn(67, 33, |x, y| (x * 100 + y) as u16);
        let mut turned = stored.clone();
        for _ in 0..4 {
            turned = plane(turned, Orientation::Rotate90);
        }
        assert_eq!(turned, stored);
        assert_eq!(plane(plane(stored.clone(), Orientation::Rotate90), Orientation::Rotate270), stored);
    }

    #[test]
    fn values_beyond_eight_mean_nothing() {
        for value in [0, 9, 255, u16::MAX] {
            assert_eq!(Orientation::from_exif(value), Orientation::Upright);
        }
    }
}
