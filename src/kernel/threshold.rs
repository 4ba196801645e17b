//! Comparing pixels with a level.

use super::Isa;

/// A mask: 255 where a pixel is above `level`, else 0; the other way round when `inverted`.
///
/// NaN is not above anything.
pub fn mask_row<T: Copy + PartialOrd>(isa: Isa, pixels: &[T], level: T, inverted: bool, out: &mut [u8]) {
    let flip = if inverted { 255 } else { 0 };
    isa.run(
        #[inline(always)]
        || {
            for (&pixel, out) in pixels.iter().zip(out) {
                *out = (if pixel > level { 255u8 } else { 0 }) ^ flip;
            }
        },
    );
}

/// Pixels above `level` become `above`, or stay where that is `None`; the others become `below`, or
/// stay.
pub fn select_row<T: Copy + PartialOrd>(
    isa: Isa,
    pixels: &[T],
    level: T,
    above: Option<T>,
    below: Option<T>,
    out: &mut [T],
) {
    isa.run(
        #[inline(always)]
        || {
            for (&pixel, out) in pixels.iter().zip(out) {
                *out = if pixel > level { above.unwrap_or(pixel) } else { below.unwrap_or(pixel) };
            }
        },
    );
}
