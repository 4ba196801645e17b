//! Comparing pixels with a level.

use super::Isa;
use super::pixel::Sample;

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

/// A mask: 255 where `pixel > mean - offset`, for a whole `offset`; the other way round when `inverted`.
pub fn above_u8_row(isa: Isa, pixels: &[u8], means: &[u8], offset: f32, inverted: bool, out: &mut [u8]) {
    let flip = if inverted { 255 } else { 0 };
    // Beyond these nothing changes any more.
    let offset = offset.clamp(-256.0, 256.0) as i16;
    isa.run(
        #[inline(always)]
        || {
            for ((&pixel, &mean), out) in pixels.iter().zip(means).zip(out) {
                *out = (if i16::from(pixel) - i16::from(mean) > -offset { 255u8 } else { 0 }) ^ flip;
            }
        },
    );
}

/// [`above_u8_row`] for 16 bit.
pub fn above_u16_row(isa: Isa, pixels: &[u16], means: &[u16], offset: f32, inverted: bool, out: &mut [u8]) {
    let flip = if inverted { 255 } else { 0 };
    let offset = offset.clamp(-65536.0, 65536.0) as i32;
    isa.run(
        #[inline(always)]
        || {
            for ((&pixel, &mean), out) in pixels.iter().zip(means).zip(out) {
                *out = (if i32::from(pixel) - i32::from(mean) > -offset { 255u8 } else { 0 }) ^ flip;
            }
        },
    );
}

/// [`above_u8_row`] for floats: `mean - offset` is rounded to `f32`. NaN is not above anything.
pub fn above_f32_row(isa: Isa, pixels: &[f32], means: &[f32], offset: f32, inverted: bool, out: &mut [u8]) {
    let flip = if inverted { 255 } else { 0 };
    isa.run(
        #[inline(always)]
        || {
            for ((&pixel, &mean), out) in pixels.iter().zip(means).zip(out) {
                *out = (if pixel > mean - offset { 255u8 } else { 0 }) ^ flip;
            }
        },
    );
}

/// [`above_u8_row`] with means as floats, which are rounded to the pixels' type first, ties to even.
pub fn above_rounded_row<T: Sample>(
    isa: Isa,
    pixels: &[T],
    means: &[f32],
    offset: f32,
    inverted: bool,
    out: &mut [u8],
) {
    let flip = if inverted { 255 } else { 0 };
    let offset = offset.clamp(-65536.0, 65536.0);
    isa.run(
        #[inline(always)]
        || {
            for ((&pixel, &mean), out) in pixels.iter().zip(means).zip(out) {
                // Whole numbers all: the difference is exact.
                let above = pixel.widen() - T::saturate(mean).widen() > -offset;
                *out = (if above { 255u8 } else { 0 }) ^ flip;
            }
        },
    );
}

/// How many of two levels a pixel is above. NaN is not above anything.
pub fn classify_row<T: Sample>(isa: Isa, pixels: &[T], low: f32, high: f32, out: &mut [u8]) {
    isa.run(
        #[inline(always)]
        || {
            for (&pixel, out) in pixels.iter().zip(out) {
                let value = pixel.widen();
                *out = u8::from(value > low) + u8::from(value > high);
            }
        },
    );
}
