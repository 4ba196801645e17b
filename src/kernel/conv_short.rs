//! Correlation of bytes with small integers, without a stride: sums that fit 16 bits.

use super::Isa;
use super::conv::{Lattice, Tap, correlate};
use super::lanes::{Kernel, Lanes};

/// The greatest sum of the magnitudes of weights: times 255 it fits 16 bits.
pub const MAX_WEIGHTS: i32 = 128;

/// Sums of `weight * pixel` over all taps; `finish` makes output elements of them. The magnitudes of the weights sum
/// to [`MAX_WEIGHTS`] at the most.
pub fn correlate_short_row<O>(
    isa: Isa,
    rows: &[&[u8]],
    taps: &[Tap<i32>],
    out: &mut [O],
    finish: impl Fn(i32) -> O + Copy,
) {
    debug_assert!(taps.iter().map(|tap| tap.weight.abs()).sum::<i32>() <= MAX_WEIGHTS);
    isa.dispatch(Short { rows, taps, out, finish });
}

struct Short<'a, O, F> {
    rows: &'a [&'a [u8]],
    taps: &'a [Tap<i32>],
    out: &'a mut [O],
    finish: F,
}

/// Vectors of sums that are held in registers at once.
const SUMS: usize = 8;

impl<O, F: Fn(i32) -> O + Copy> Kernel for Short<'_, O, F> {
    fn portable(self) {
        let Self { rows, taps, out, finish } = self;
        let lattice = Lattice { channels: 1, stride: 1 };
        correlate(rows, taps, lattice, out, |weight, pixel: u8| weight * i32::from(pixel), finish);
    }

    #[inline(always)]
    fn vectors<L: Lanes>(self, l: L) {
        let n = self.out.len();
        if n < L::N {
            return self.portable();
        }
        let Self { rows, taps, out, finish } = self;
        let mut words = [0; 32 * SUMS];
        let mut x = 0;
        while x < n {
            if x + SUMS * L::N <= n {
                tile::<L, SUMS, O>(l, rows, taps, x, &mut words, out, finish);
                x += SUMS * L::N;
            } else {
                // The last one overlaps the one before it.
                tile::<L, 1, O>(l, rows, taps, x.min(n - L::N), &mut words, out, finish);
                x += L::N;
            }
        }
    }
}

/// `K` vectors of sums from pixel `x` on.
#[inline(always)]
fn tile<L: Lanes, const K: usize, O>(
    l: L,
    rows: &[&[u8]],
    taps: &[Tap<i32>],
    x: usize,
    words: &mut [i16; 32 * SUMS],
    out: &mut [O],
    finish: impl Fn(i32) -> O + Copy,
) {
    let mut sums = [l.splat(0); K];
    for tap in taps {
        let weight = l.splat(tap.weight as i16);
        let pixels = &rows[tap.row][x + tap.offset..][..K * L::N];
        for k in 0..K {
            sums[k] = l.add(sums[k], l.mul(weight, l.load_widened(&pixels[k * L::N..])));
        }
    }
    for k in 0..K {
        l.store(sums[k], &mut words[k * L::N..]);
    }
    for (out, &sum) in out[x..x + K * L::N].iter_mut().zip(&*words) {
        *out = finish(i32::from(sum));
    }
}
