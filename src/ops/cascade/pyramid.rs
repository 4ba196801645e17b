//! One level of the pyramid: the picture at one scale, as integral images.

use crate::image::{Plane, View};
use crate::kernel::Isa;
use crate::kernel::resize_exact::{LinearTaps, blend_exact_row, resize_exact_row};

/// Integral images of one level. All have one row and one column more than the picture, and the same
/// stride, so one offset serves each of them. Sums are modulo 2^32, which is exact for what they are
/// asked: differences over windows of at most 65,536 pixels.
pub(super) struct Integrals {
    /// Distance between rows: the picture's width plus one.
    pub(super) stride: usize,
    /// Rows of each: the picture's height plus one.
    pub(super) rows: usize,
    /// Sums over the upright quarter planes; behind them, if wanted, the tilted ones.
    pub(super) sums: Vec<u32>,
    /// Sums of squares over the upright quarter planes.
    pub(super) squares: Vec<u32>,
}

impl Integrals {
    pub(super) fn new(picture: View<u8>, tilted: bool) -> Self {
        let (stride, rows) = (picture.width() + 1, picture.height() + 1);
        let mut sums = vec![0u32; stride * rows * if tilted { 2 } else { 1 }];
        let mut squares = vec![0u32; stride * rows];
        for y in 0..picture.height() {
            let row = picture.row(y);
            let (above, below) = sums[y * stride..][..2 * stride].split_at_mut(stride);
            let (above_sq, below_sq) = squares[y * stride..][..2 * stride].split_at_mut(stride);
            let (mut sum, mut square) = (0u32, 0u32);
            for x in 0..row.len() {
                let value = u32::from(row[x]);
                sum = sum.wrapping_add(value);
                square = square.wrapping_add(value * value);
                below[x + 1] = above[x + 1].wrapping_add(sum);
                below_sq[x + 1] = above_sq[x + 1].wrapping_add(square);
            }
        }
        if tilted {
            let plane = &mut sums[stride * rows..];
            for y in 1..rows {
                tilted_row(picture, y, stride, plane);
            }
        }
        Self { stride, rows, sums, squares }
    }

    /// Where the tilted sums begin in `sums`.
    pub(super) fn tilted_start(&self) -> usize {
        self.stride * self.rows
    }
}

/// Row `y` of the tilted sums: at column `x` the sum over the triangle that opens upwards from the
/// pixel at `(x - 1, y - 1)`, all pixels `(i, j)` with `|i - x + 1| < y - j`.
fn tilted_row(picture: View<u8>, y: usize, stride: usize, plane: &mut [u32]) {
    let width = stride - 1;
    let (before, current) = plane.split_at_mut(y * stride);
    let above = &before[(y - 1) * stride..];
    let current = &mut current[..stride];
    let empty: &[u8] = &[];
    let (near, far) = (picture.row(y - 1), if y > 1 { picture.row(y - 2) } else { empty });
    // Left of the picture the triangle is the one a column further, a row higher.
    current[0] = if width > 0 { above[1] } else { 0 };
    for x in 1..stride {
        let (right, overlap) = match (x < width, y > 1) {
            (true, true) => (above[x + 1], before[(y - 2) * stride + x]),
            (true, false) => (above[x + 1], 0),
            // Right of the picture it is the overlap itself.
            (false, _) => (0, 0),
        };
        let pixels = u32::from(near[x - 1]) + far.get(x - 1).map_or(0, |&value| u32::from(value));
        current[x] = above[x - 1].wrapping_add(right).wrapping_sub(overlap).wrapping_add(pixels);
    }
}

/// The picture resized as by OpenCV's `INTER_LINEAR_EXACT`.
pub(super) fn resize(picture: View<u8>, width: usize, height: usize, isa: Isa) -> Plane<u8> {
    let mut output = Plane::new(width, height);
    if picture.width() == 0 || picture.height() == 0 {
        return output;
    }
    let columns = LinearTaps::new(picture.width(), width);
    let rows = LinearTaps::new(picture.height(), height);
    // The last two rows resized horizontally, and which they are.
    let mut first = (usize::MAX, vec![0u16; width]);
    let mut second = (usize::MAX, vec![0u16; width]);
    for y in 0..height {
        let [a, b] = rows.inputs[y].map(|row| row as usize);
        if second.0 == a {
            std::mem::swap(&mut first, &mut second);
        }
        for (held, wanted) in [(&mut first, a), (&mut second, b)] {
            if held.0 != wanted {
                isa.run(
                    #[inline(always)]
                    || resize_exact_row(picture.row(wanted), &columns, &mut held.1),
                );
                held.0 = wanted;
            }
        }
        isa.run(
            #[inline(always)]
            || blend_exact_row(&first.1, &second.1, rows.weights[y], output.row_mut(y)),
        );
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Rect;
    use crate::reference::cascade as reference;
    use proptest::prelude::*;

    /// A picture inside a larger one, so that rows do not touch.
    fn picture() -> impl Strategy<Value = (Plane<u8>, Rect)> {
        (0usize..24, 0usize..24, 0usize..3, 0usize..3).prop_flat_map(|(w, h, x, y)| {
            proptest::collection::vec(any::<u8>(), (w + x + 1) * (h + y)).prop_map(move |data| {
                (Plane::from_vec(w + x + 1, h + y, data).unwrap(), Rect::new(x, y, w, h))
            })
        })
    }

    /// Sums of position times value, modulo 2^32, for sixty sizes (`fixtures/golden/cascade/make.py`).
    #[test]
    #[cfg(feature = "files")]
    fn resizing_is_that_of_opencv() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let cases = std::fs::read(root.join("fixtures/golden/cascade/resize.json")).unwrap();
        let cases: Vec<serde_json::Value> = serde_json::from_slice(&cases).unwrap();
        let photo = image::open(root.join("fixtures/photos/chelsea.png")).unwrap().to_luma8();
        let photo = View::new(photo.as_raw(), 451, 300, 451).unwrap();
        assert_eq!(cases.len(), 60);
        for case in cases {
            let size = |key: &str| [0, 1].map(|i| case[key][i].as_u64().unwrap() as usize);
            let ([width, height], to) = (size("from"), size("to"));
            let output =
                resize(photo.crop(Rect::new(0, 0, width, height)).unwrap(), to[0], to[1], Isa::best());
            let checksum = output
                .as_slice()
                .iter()
                .zip(1u32..)
                .fold(0u32, |sum, (&value, place)| sum.wrapping_add(place.wrapping_mul(value.into())));
            assert_eq!(u64::from(checksum), case["checksum"].as_u64().unwrap(), "{case}");
        }
    }

    proptest! {
        #[test]
        fn integrals_are_sums((plane, rect) in picture()) {
            let view = plane.view().crop(rect).unwrap();
            let integrals = Integrals::new(view, true);
            for y in 0..=rect.height {
                for x in 0..=rect.width {
                    let at = y * integrals.stride + x;
                    let (sum, square) = reference::quarter_sums(view, x, y);
                    prop_assert_eq!(i64::from(integrals.sums[at]), sum);
                    prop_assert_eq!(i64::from(integrals.squares[at]), square);
                    let tilted = integrals.sums[integrals.tilted_start() + at];
                    prop_assert_eq!(i64::from(tilted), reference::triangle_sum(view, x, y), "({}, {})", x, y);
                }
            }
        }

        #[test]
        fn resizing_is_its_definition((plane, rect) in picture(), width in 0usize..40, height in 0usize..40) {
            let view = plane.view().crop(rect).unwrap();
            for isa in Isa::available() {
                prop_assert_eq!(resize(view, width, height, isa), reference::resize_exact(view, width, height));
            }
        }
    }
}
