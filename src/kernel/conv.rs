//! Correlation of one output row with a kernel of any size.
//!
//! Integers are exact, so kernels that are products of a column and a row may be computed as two
//! passes. Floats are summed tap by tap, row by row of the kernel, taps of zero left out, every step
//! rounded.

use super::Isa;
use super::lanes::{Kernel, Lanes};
use super::pixel::Sample;

/// A tap of a kernel: where its pixels stand, and their weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tap<W> {
    /// Row of the kernel.
    pub row: usize,
    /// Elements from the start of the padded row.
    pub offset: usize,
    /// The weight, never zero.
    pub weight: W,
}

/// How output pixels lie on a row: `channels` interleaved, `stride` input pixels apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lattice {
    /// Elements of a pixel.
    pub channels: usize,
    /// Input pixels from one output pixel to the next.
    pub stride: usize,
}

/// Elements whose sums are held in registers at once; a multiple of one and of three channels.
const TILE: usize = 96;

/// Sums of `weight * pixel` over all taps as integers; `finish` makes output elements of them.
pub fn correlate_integer_row<T, O>(
    isa: Isa,
    rows: &[&[T]],
    taps: &[Tap<i32>],
    lattice: Lattice,
    out: &mut [O],
    finish: impl Fn(i32) -> O + Copy,
) where
    T: Copy + Into<i32>,
{
    isa.run(
        #[inline(always)]
        || correlate(rows, taps, lattice, out, |weight, pixel: T| weight * pixel.into(), finish),
    );
}

/// [`correlate_integer_row`] for a kernel that is `down` times `across`, columns first.
pub fn correlate_factored_row<T, O>(
    isa: Isa,
    rows: &[&[T]],
    down: &[Tap<i32>],
    across: &[Tap<i32>],
    lattice: Lattice,
    column: &mut [i32],
    out: &mut [O],
    finish: impl Fn(i32) -> O + Copy,
) where
    T: Copy + Into<i32>,
{
    let column = &mut column[..rows.first().map_or(0, |row| row.len())];
    let dense = Lattice { channels: lattice.channels, stride: 1 };
    isa.run(
        #[inline(always)]
        || {
            correlate(rows, down, dense, column, |weight, pixel: T| weight * pixel.into(), |sum| sum);
            correlate(&[&*column], across, lattice, out, |weight, sum| weight * sum, finish);
        },
    );
}

/// Sums of `weight * pixel` over all taps as floats.
pub fn correlate_float_row<T: Sample, O>(
    isa: Isa,
    rows: &[&[T]],
    taps: &[Tap<f32>],
    lattice: Lattice,
    out: &mut [O],
    finish: impl Fn(f32) -> O + Copy,
) {
    isa.run(
        #[inline(always)]
        || correlate(rows, taps, lattice, out, |weight, pixel: T| weight * pixel.widen(), finish),
    );
}

/// [`correlate_float_row`] of floats without a stride.
pub fn correlate_dense_row<O>(
    isa: Isa,
    rows: &[&[f32]],
    taps: &[Tap<f32>],
    out: &mut [O],
    finish: impl Fn(f32) -> O + Copy,
) {
    isa.dispatch(Dense { rows, taps, out, finish });
}

struct Dense<'a, O, F> {
    rows: &'a [&'a [f32]],
    taps: &'a [Tap<f32>],
    out: &'a mut [O],
    finish: F,
}

/// Vectors of sums that are held in registers at once, of sixteen at the least: the more, the less often a weight
/// is fetched.
const SUMS: usize = 12;

impl<O, F: Fn(f32) -> O + Copy> Kernel for Dense<'_, O, F> {
    fn portable(self) {
        let Self { rows, taps, out, finish } = self;
        let lattice = Lattice { channels: 1, stride: 1 };
        correlate(rows, taps, lattice, out, |weight, pixel: f32| weight * pixel, finish);
    }

    #[inline(always)]
    fn vectors<L: Lanes>(self, l: L) {
        let Self { rows, taps, out, finish } = self;
        // Floats of a vector.
        let lanes = L::N / 2;
        let n = out.len();
        let Some((first, more)) = taps.split_first() else {
            return out.fill_with(
                #[inline(always)]
                || finish(0.0),
            );
        };
        let tiles = Tiles { rows, first: *first, more };
        if n >= SUMS * lanes {
            tiles.cover::<L, SUMS, O>(l, out, finish);
        } else if n >= SUMS / 2 * lanes {
            tiles.cover::<L, { SUMS / 2 }, O>(l, out, finish);
        } else if n >= lanes {
            tiles.cover::<L, 1, O>(l, out, finish);
        } else {
            for (x, out) in out.iter_mut().enumerate() {
                let mut sum = first.weight * rows[first.row][x + first.offset];
                for tap in more {
                    sum += tap.weight * rows[tap.row][x + tap.offset];
                }
                *out = finish(sum);
            }
        }
    }
}

/// What tiles of a row are summed from.
#[derive(Clone, Copy)]
struct Tiles<'a> {
    rows: &'a [&'a [f32]],
    first: Tap<f32>,
    more: &'a [Tap<f32>],
}

impl Tiles<'_> {
    /// Covers a row with tiles of `K` vectors, no more of them than it has. The last one overlaps the one before
    /// it: pixel by pixel, a rest takes longer than ten tiles.
    #[inline(always)]
    fn cover<L: Lanes, const K: usize, O>(self, l: L, out: &mut [O], finish: impl Fn(f32) -> O + Copy) {
        let Self { rows, first, more } = self;
        let (n, lanes, tile) = (out.len(), L::N / 2, K * (L::N / 2));
        let mut sums = [0.0f32; 16 * SUMS];
        let mut x = 0;
        while x + tile <= n {
            let weight = l.splat_float(first.weight);
            let pixels = &rows[first.row][x + first.offset..][..tile];
            let mut tile_sums = [weight; K];
            for k in 0..K {
                tile_sums[k] = l.mul_float(weight, l.load(&pixels[k * lanes..]));
            }
            for tap in more {
                let weight = l.splat_float(tap.weight);
                let pixels = &rows[tap.row][x + tap.offset..][..tile];
                for k in 0..K {
                    let product = l.mul_float(weight, l.load(&pixels[k * lanes..]));
                    tile_sums[k] = l.add_float(tile_sums[k], product);
                }
            }
            for k in 0..K {
                l.store(tile_sums[k], &mut sums[k * lanes..]);
            }
            for (out, &sum) in out[x..x + tile].iter_mut().zip(&sums) {
                *out = finish(sum);
            }
            x = if x + tile < n { (x + tile).min(n - tile) } else { n };
        }
    }
}

/// Tap by tap, for tiles of a row.
#[inline(always)]
pub(super) fn correlate<T: Copy, W: Copy, S, O>(
    rows: &[&[T]],
    taps: &[Tap<W>],
    lattice: Lattice,
    out: &mut [O],
    product: impl Fn(W, T) -> S + Copy,
    finish: impl Fn(S) -> O + Copy,
) where
    S: Copy + Default + std::ops::AddAssign,
{
    let Lattice { channels, stride } = lattice;
    for (tile, out) in out.chunks_mut(TILE).enumerate() {
        let start = tile * TILE;
        let mut sums = [S::default(); TILE];
        let sums = &mut sums[..out.len()];
        for (index, tap) in taps.iter().enumerate() {
            let row = rows[tap.row];
            if stride == 1 {
                let pixels = &row[start + tap.offset..][..out.len()];
                // The first product starts the sum: adding it to zero would turn -0 into 0.
                if index == 0 {
                    for (sum, &pixel) in sums.iter_mut().zip(pixels) {
                        *sum = product(tap.weight, pixel);
                    }
                } else {
                    for (sum, &pixel) in sums.iter_mut().zip(pixels) {
                        *sum += product(tap.weight, pixel);
                    }
                }
            } else {
                for (element, sum) in sums.iter_mut().enumerate() {
                    let (x, channel) = ((start + element) / channels, (start + element) % channels);
                    let value = product(tap.weight, row[x * stride * channels + channel + tap.offset]);
                    if index == 0 {
                        *sum = value;
                    } else {
                        *sum += value;
                    }
                }
            }
        }
        for (out, &sum) in out.iter_mut().zip(sums.iter()) {
            *out = finish(sum);
        }
    }
}
