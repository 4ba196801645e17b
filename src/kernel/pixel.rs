//! Pixels by themselves: gray from colour, channels, conversions between number types.
//!
//! No neighbours are looked at here, and no tables are built.

use super::Isa;

/// Weights of red, green and blue in luma (ITU-R BT.601), as 15-bit fixed point: OpenCV's integers.
pub const GRAY_WEIGHTS: [u32; 3] = [9798, 19235, 3735];

/// Fractional bits of [`GRAY_WEIGHTS`]; they sum to `1 << GRAY_SHIFT`.
pub const GRAY_SHIFT: u32 = 15;

/// Weights of red, green and blue in luma for float images.
pub const GRAY_WEIGHTS_F32: [f32; 3] = [0.299, 0.587, 0.114];

/// Gray from interleaved red, green and blue, rounded to nearest with halves up.
pub fn gray_u8_row(isa: Isa, rgb: &[u8], out: &mut [u8]) {
    isa.run(
        #[inline(always)]
        || gray_integer(rgb, out, |value| value as u8),
    );
}

/// [`gray_u8_row`] for 16 bit.
pub fn gray_u16_row(isa: Isa, rgb: &[u16], out: &mut [u16]) {
    isa.run(
        #[inline(always)]
        || gray_integer(rgb, out, |value| value as u16),
    );
}

/// Gray from floats: `(0.299 r + 0.587 g) + 0.114 b`, every step rounded.
pub fn gray_f32_row(isa: Isa, rgb: &[f32], out: &mut [f32]) {
    let [r, g, b] = GRAY_WEIGHTS_F32;
    isa.run(
        #[inline(always)]
        || {
            for (pixel, out) in rgb.as_chunks::<3>().0.iter().zip(out) {
                *out = r * pixel[0] + g * pixel[1] + b * pixel[2];
            }
        },
    );
}

#[inline(always)]
fn gray_integer<T: Copy + Into<u32>>(rgb: &[T], out: &mut [T], narrow: impl Fn(u32) -> T) {
    let [r, g, b] = GRAY_WEIGHTS;
    for (pixel, out) in rgb.as_chunks::<3>().0.iter().zip(out) {
        let sum = r * pixel[0].into() + g * pixel[1].into() + b * pixel[2].into();
        *out = narrow((sum + (1 << (GRAY_SHIFT - 1))) >> GRAY_SHIFT);
    }
}
