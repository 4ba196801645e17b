//! Pixels by themselves: gray from colour, channels, conversions between number types.
//!
//! No neighbours are looked at here, and no tables are built.

use super::Isa;
use super::lanes::{Kernel, Lanes, inlined, stretch, stretch_mut, stretches};

/// Weights of red, green and blue in luma (ITU-R BT.601), as 15-bit fixed point: OpenCV's integers.
pub const GRAY_WEIGHTS: [u32; 3] = [9798, 19235, 3735];

/// Fractional bits of [`GRAY_WEIGHTS`]; they sum to `1 << GRAY_SHIFT`.
pub const GRAY_SHIFT: u32 = 15;

/// Weights of red, green and blue in luma for float images.
pub const GRAY_WEIGHTS_F32: [f32; 3] = [0.299, 0.587, 0.114];

/// Gray from interleaved red, green and blue, rounded to nearest with halves up.
pub fn gray_u8_row(isa: Isa, rgb: &[u8], out: &mut [u8]) {
    isa.dispatch(GrayU8 { rgb, out });
}

struct GrayU8<'a> {
    rgb: &'a [u8],
    out: &'a mut [u8],
}

impl Kernel for GrayU8<'_> {
    fn portable(self) {
        gray_integer(self.rgb, self.out, |value| value as u8);
    }

    #[inline(always)]
    fn vectors<L: Lanes>(self, l: L) {
        let n = self.out.len().min(self.rgb.len() / 3);
        if n < 2 * L::N {
            return self.portable();
        }
        let (rgb, out) = (&self.rgb[..3 * n], &mut self.out[..n]);
        let weights = GRAY_WEIGHTS.map(|weight| weight as i16);
        let half = l.splat32(1 << (GRAY_SHIFT - 1));
        for (start, count) in stretches(n, 2 * L::N) {
            let pixels: &[[L::Triples; 4]] = stretch(rgb, 3 * start, count);
            let out: &mut [L::Bytes] = stretch_mut(out, start, count);
            for (pixels, out) in pixels.iter().zip(out) {
                // The next row, which follows in memory: it comes while this one is computed, and while
                // other operations of a run work on rows in cache.
                for line in (0..6 * L::N).step_by(64) {
                    l.prefetch(pixels, 3 * n + line);
                }
                let part = inlined(
                    #[inline(always)]
                    |i: usize| l.shift32::<GRAY_SHIFT>(l.triple_sums(&pixels[i], weights, half)),
                );
                l.put(l.bytes([part(0), part(1), part(2), part(3)]), out);
            }
        }
    }
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

/// One channel of interleaved colour.
pub fn channel_row<T: Copy>(isa: Isa, rgb: &[T], index: usize, out: &mut [T]) {
    isa.run(
        #[inline(always)]
        || {
            for (pixel, out) in rgb.as_chunks::<3>().0.iter().zip(out) {
                *out = pixel[index];
            }
        },
    );
}

/// Number types of picture elements, to convert between.
pub trait Sample: Copy {
    /// As a float, exact.
    fn widen(self) -> f32;
    /// From a float: rounded to nearest, ties to even, and saturated; NaN becomes 0. Floats stay.
    fn saturate(value: f32) -> Self;
}

impl Sample for u8 {
    #[inline(always)]
    fn widen(self) -> f32 {
        f32::from(self)
    }
    #[inline(always)]
    fn saturate(value: f32) -> Self {
        round(value, 255.0) as Self
    }
}

impl Sample for u16 {
    #[inline(always)]
    fn widen(self) -> f32 {
        f32::from(self)
    }
    #[inline(always)]
    fn saturate(value: f32) -> Self {
        round(value, 65535.0) as Self
    }
}

impl Sample for f32 {
    #[inline(always)]
    fn widen(self) -> f32 {
        self
    }
    #[inline(always)]
    fn saturate(value: f32) -> Self {
        value
    }
}

/// The nearest of the integers 0 to `largest`, ties to even.
#[inline(always)]
fn round(value: f32, largest: f32) -> i32 {
    // Adding 2²³ leaves no fractional bits, so the processor's own rounding does the work: baseline
    // x86 has no instruction for it. NaN fails the first comparison.
    const SHIFT: f32 = 8_388_608.0;
    let value = if value > 0.0 { value } else { 0.0 };
    let value = if value < largest { value } else { largest };
    ((value + SHIFT).to_bits() - SHIFT.to_bits()) as i32
}

/// As floats, exact.
pub fn widen_row<T: Sample>(isa: Isa, pixels: &[T], out: &mut [f32]) {
    isa.run(
        #[inline(always)]
        || {
            for (&pixel, out) in pixels.iter().zip(out) {
                *out = pixel.widen();
            }
        },
    );
}

/// `value * scale + offset`, both steps rounded to `f32`, into another number type.
pub fn convert_row<S: Sample, T: Sample>(isa: Isa, pixels: &[S], scale: f32, offset: f32, out: &mut [T]) {
    isa.run(
        #[inline(always)]
        || {
            for (&pixel, out) in pixels.iter().zip(out) {
                *out = T::saturate(pixel.widen() * scale + offset);
            }
        },
    );
}

/// The distance of two images' values, in their type.
pub fn absolute_difference_row<T>(isa: Isa, a: &[T], b: &[T], out: &mut [T])
where
    T: Copy + PartialOrd + std::ops::Sub<Output = T>,
{
    isa.run(
        #[inline(always)]
        || {
            for ((&a, &b), out) in a.iter().zip(b).zip(out) {
                *out = if a > b { a - b } else { b - a };
            }
        },
    );
}

/// `a - b`, or 0 where that is negative.
pub fn excess_row<T>(isa: Isa, a: &[T], b: &[T], out: &mut [T])
where
    T: Copy + PartialOrd + Default + std::ops::Sub<Output = T>,
{
    isa.run(
        #[inline(always)]
        || {
            for ((&a, &b), out) in a.iter().zip(b).zip(out) {
                *out = if a > b { a - b } else { T::default() };
            }
        },
    );
}

/// `a - b` as floats.
pub fn signed_difference_row<T: Sample>(isa: Isa, a: &[T], b: &[T], out: &mut [f32]) {
    isa.run(
        #[inline(always)]
        || {
            for ((&a, &b), out) in a.iter().zip(b).zip(out) {
                *out = a.widen() - b.widen();
            }
        },
    );
}

/// Pixels in the opposite order.
pub fn reverse_row<T: Copy>(isa: Isa, pixels: &[T], out: &mut [T]) {
    isa.run(
        #[inline(always)]
        || {
            for (&pixel, out) in pixels.iter().rev().zip(out) {
                *out = pixel;
            }
        },
    );
}
