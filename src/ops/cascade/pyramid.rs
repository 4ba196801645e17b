//! One level of the pyramid: the picture at one scale, as integral images.

use super::layout::Layout;
use super::model::{Cascade, Features};
use crate::image::{Plane, View};
use crate::kernel::Isa;
use crate::kernel::cascade::LANES;
use crate::kernel::integral::{Sum, integral_row, tilted_row};
use crate::kernel::resize_exact::{LinearTaps, blend_exact_row, resize_exact_row};

/// Integral images of one level, all in the same [`Layout`], so that one offset serves each of them. Sums are modulo
/// 2^32, which is exact for what they are asked: differences over windows of at most 65,536 pixels.
pub(super) struct Integrals {
    pub(super) layout: Layout,
    /// Sums over the upright quarter planes; behind them, if wanted, the tilted ones; behind all, entries that are read
    /// for windows that are not there.
    pub(super) sums: Vec<u32>,
    /// Sums of squares over the upright quarter planes, if wanted, and as many entries behind.
    pub(super) squares: Vec<u32>,
}

/// Which integral images are wanted beside the plain one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wants {
    pub(super) tilted: bool,
    pub(super) squares: bool,
}

impl Wants {
    /// What a cascade asks for.
    pub(super) fn of(cascade: &Cascade) -> Self {
        Self { tilted: cascade.has_tilted(), squares: matches!(cascade.features(), Features::Haar(_)) }
    }
}

impl Integrals {
    pub(super) fn new(picture: View<u8>, wants: Wants, phases: usize, isa: Isa) -> Self {
        let layout = Layout::new(picture.width(), picture.height(), phases);
        let (columns, stride) = (layout.columns(), layout.stride());
        let mut sums = vec![0u32; layout.len() * if wants.tilted { 2 } else { 1 } + LANES];
        let mut squares = vec![0u32; if wants.squares { layout.len() + LANES } else { 0 }];
        // The row above and the one that is made, column by column.
        let (mut above, mut below) = (vec![0u32; columns], vec![0u32; columns]);
        let (mut above_sq, mut below_sq) = (vec![0u32; columns], vec![0u32; columns]);
        for y in 0..picture.height() {
            let row = picture.row(y);
            <u32 as Sum<u8>>::sum_row(isa, row, &above, &mut below);
            layout.put_row(&below, &mut sums[(y + 1) * stride..][..stride]);
            std::mem::swap(&mut above, &mut below);
            if wants.squares {
                integral_row(row, <u32 as Sum<u8>>::of_square, &above_sq, &mut below_sq);
                layout.put_row(&below_sq, &mut squares[(y + 1) * stride..][..stride]);
                std::mem::swap(&mut above_sq, &mut below_sq);
            }
        }
        if wants.tilted {
            let mut rows = [above, below, vec![0; columns]];
            rows[0].fill(0);
            rows[1].fill(0);
            for y in 1..=picture.height() {
                let [before, above, current] = &mut rows;
                let higher = (y > 1).then(|| picture.row(y - 2));
                tilted_row(picture.row(y - 1), higher, above, before, current);
                layout.put_row(current, &mut sums[layout.len() + y * stride..][..stride]);
                rows.rotate_left(1);
            }
        }
        Self { layout, sums, squares }
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
        fn integrals_are_sums((plane, rect) in picture(), phases in 1usize..4) {
            let view = plane.view().crop(rect).unwrap();
            let integrals = Integrals::new(view, Wants { tilted: true, squares: true }, phases, Isa::best());
            for y in 0..=rect.height {
                for x in 0..=rect.width {
                    let at = integrals.layout.at(x, y);
                    let (sum, square) = reference::quarter_sums(view, x, y);
                    prop_assert_eq!(i64::from(integrals.sums[at]), sum);
                    prop_assert_eq!(i64::from(integrals.squares[at]), square);
                    let tilted = integrals.sums[integrals.layout.len() + at];
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
