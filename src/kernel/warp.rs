//! Rows of an image seen through an affine map.
//!
//! Positions are rounded to 1/2048 pixel. Integers are weighted in whole numbers, exactly, and rounded
//! once, half up; floats in `f32`, along rows first.

use super::pixel::Sample;
use crate::image::{Border, Pixel};

/// Fractional bits of positions and weights.
pub const BITS: u32 = 11;
const ONE: i64 = 1 << BITS;

/// How values between pixels are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Taps {
    /// The nearest centre, halves up.
    Nearest,
    /// Linear between the four nearest centres.
    #[default]
    Bilinear,
    /// Cubic over the 4x4 nearest centres (R. Keys 1981, with the parameter -0.75).
    Bicubic,
}

/// Where one row of the result lies in the image, in pixel centres: `(x + x_step * i, y + y_step * i)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// Column of the first pixel.
    pub x: f64,
    /// Columns from one pixel to the next.
    pub x_step: f64,
    /// Row of the first pixel.
    pub y: f64,
    /// Rows from one pixel to the next.
    pub y_step: f64,
}

/// Values that can be weighted.
pub trait Weighted: Sample + Pixel {
    /// The sum of a 4x4 (or smaller) window of values by `across` and `down`, in units of 1/2048 each.
    fn blend<const N: usize>(values: &[[Self; N]; N], across: [i64; N], down: [i64; N]) -> Self;
}

macro_rules! integers {
    ($($integer:ty),*) => {$(
        impl Weighted for $integer {
            #[inline(always)]
            fn blend<const N: usize>(values: &[[Self; N]; N], across: [i64; N], down: [i64; N]) -> Self {
                let mut sum = 0;
                for (row, weight) in values.iter().zip(down) {
                    let mut line = 0;
                    for (&value, weight) in row.iter().zip(across) {
                        line += i64::from(value) * weight;
                    }
                    sum += line * weight;
                }
                ((sum + (1 << (2 * BITS - 1))) >> (2 * BITS)).clamp(0, i64::from(Self::MAX)) as Self
            }
        }
    )*};
}
integers!(u8, u16);

impl Weighted for f32 {
    #[inline(always)]
    fn blend<const N: usize>(values: &[[Self; N]; N], across: [i64; N], down: [i64; N]) -> Self {
        const UNIT: f32 = 1.0 / ONE as f32;
        let (across, down) = (across.map(|w| w as Self * UNIT), down.map(|w| w as Self * UNIT));
        let mut sum = 0.0;
        for (row, weight) in values.iter().zip(down) {
            let mut line = 0.0;
            for (&value, weight) in row.iter().zip(across) {
                line += value * weight;
            }
            sum += line * weight;
        }
        sum
    }
}

/// The weights of the two neighbours.
#[inline(always)]
fn linear(part: i64) -> [i64; 2] {
    [ONE - part, part]
}

/// The weights of the four neighbours; rounding is settled by the nearest, so that they sum to one.
#[inline(always)]
pub fn cubic(part: i64) -> [i64; 4] {
    let t = part as f64 / ONE as f64;
    let weight = |d: f64| {
        const A: f64 = -0.75;
        let w = if d <= 1.0 {
            ((A + 2.0) * d - (A + 3.0)) * d * d + 1.0
        } else {
            ((d - 5.0) * d + 8.0) * d * A - 4.0 * A
        };
        (w * ONE as f64).round_ties_even() as i64
    };
    let mut weights = [weight(1.0 + t), weight(t), weight(1.0 - t), weight(2.0 - t)];
    let rest = ONE - weights.iter().sum::<i64>();
    weights[if 2 * part < ONE { 1 } else { 2 }] += rest;
    weights
}

/// The image that is looked at.
#[derive(Clone, Copy)]
pub struct Source<'a, T> {
    /// Values, row after row without gaps.
    pub values: &'a [T],
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// What lies beyond the edge.
    pub border: Border,
    /// Its constant in the type of the values.
    pub constant: T,
}

impl<T: Weighted> Source<'_, T> {
    /// The `N` x `N` window whose top left is `(x, y)`, of one channel.
    #[inline(always)]
    fn window<const N: usize, const C: usize>(&self, x: i64, y: i64, channel: usize) -> [[T; N]; N] {
        let is_inside =
            x >= 0 && y >= 0 && x + (N as i64) <= self.width as i64 && y + (N as i64) <= self.height as i64;
        if is_inside {
            let start = (y as usize * self.width + x as usize) * C + channel;
            return std::array::from_fn(|j| {
                let row = &self.values[start + j * self.width * C..];
                std::array::from_fn(|i| row[i * C])
            });
        }
        let mode = self.border.mode;
        std::array::from_fn(|j| {
            std::array::from_fn(|i| {
                let x = mode.map(x as isize + i as isize, self.width);
                let y = mode.map(y as isize + j as isize, self.height);
                x.zip(y).map_or(self.constant, |(x, y)| self.values[(y * self.width + x) * C + channel])
            })
        })
    }
}

/// Positions in units of 1/2048, kept where sums cannot overflow.
#[inline(always)]
fn fixed(position: f64) -> i64 {
    (position.clamp(-1e12, 1e12) * ONE as f64 + 0.5).floor() as i64
}

/// One row of the result, pixels of `C` values.
pub fn warp_row<T: Weighted, const C: usize>(source: &Source<'_, T>, line: Line, taps: Taps, out: &mut [T]) {
    for (i, out) in out.as_chunks_mut::<C>().0.iter_mut().enumerate() {
        let i = i as f64;
        let (x, y) = (fixed(line.x_step * i + line.x), fixed(line.y_step * i + line.y));
        match taps {
            Taps::Nearest => {
                let (x, y) = ((x + ONE / 2) >> BITS, (y + ONE / 2) >> BITS);
                for (c, out) in out.iter_mut().enumerate() {
                    *out = source.window::<1, C>(x, y, c)[0][0];
                }
            }
            Taps::Bilinear => {
                let (across, down) = (linear(x & (ONE - 1)), linear(y & (ONE - 1)));
                for (c, out) in out.iter_mut().enumerate() {
                    *out = T::blend(&source.window::<2, C>(x >> BITS, y >> BITS, c), across, down);
                }
            }
            Taps::Bicubic => {
                let (across, down) = (cubic(x & (ONE - 1)), cubic(y & (ONE - 1)));
                for (c, out) in out.iter_mut().enumerate() {
                    let window = source.window::<4, C>((x >> BITS) - 1, (y >> BITS) - 1, c);
                    *out = T::blend(&window, across, down);
                }
            }
        }
    }
}
