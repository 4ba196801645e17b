//! Gaussian smoothing of one output row, columns first, then along the row.
//!
//! Integer images use fixed-point weights that sum to exactly one (8 fractional bits for `u8`, 16
//! for `u16`); both passes keep every bit and the result is rounded once, halves up. The weights
//! are made in [`mod@crate::ops::gaussian`]. Taps are symmetric, and an odd number.

use std::ops::Range;

use super::Isa;
use super::lanes::{Kernel, Lanes, blocks, tiles};

/// A row of interleaved channels whose neighbours lie `step` elements apart.
///
/// `rows` are the padded input rows, one a tap; `weights` the taps from the centre outwards;
/// `column` is scratch as long as a padded row; `out` is `(taps - 1) * step` elements shorter.
pub fn gaussian_u8_row(
    isa: Isa,
    rows: &[&[u8]],
    weights: &[u16],
    step: usize,
    column: &mut [u16],
    out: &mut [u8],
) {
    isa.dispatch(GaussianU8 { rows, weights, step, column, out });
}

/// [`gaussian_u8_row`] for 16 bit.
pub fn gaussian_u16_row(
    isa: Isa,
    rows: &[&[u16]],
    weights: &[u32],
    step: usize,
    column: &mut [u32],
    out: &mut [u16],
) {
    isa.run(
        #[inline(always)]
        || {
            columns(rows, weights, column, u32::from, |w, a| w * a);
            along(
                weights,
                step,
                column,
                out,
                |w, a| u64::from(w) * u64::from(a),
                |s| ((s + (1 << 31)) >> 32) as u16,
            );
        },
    );
}

/// [`gaussian_u8_row`] for floats: the centre's product first, then those of each pair's sum, going
/// outwards; every step rounded.
pub fn gaussian_f32_row(
    isa: Isa,
    rows: &[&[f32]],
    weights: &[f32],
    step: usize,
    column: &mut [f32],
    out: &mut [f32],
) {
    isa.run(
        #[inline(always)]
        || {
            columns(rows, weights, column, |a| a, |w, a| w * a);
            let radius = weights.len() - 1;
            let n = out.len().min(column.len().saturating_sub(2 * radius * step));
            for (from, out) in out[..n].chunks_mut(TILE).enumerate().map(|(i, out)| (i * TILE, out)) {
                let at = |tap: usize| &column[from + tap * step..][..out.len()];
                let mut sums = [0.0f32; TILE];
                for (sum, &centre) in sums.iter_mut().zip(at(radius)) {
                    *sum = weights[0] * centre;
                }
                for j in 1..=radius {
                    let (before, after) = (at(radius - j), at(radius + j));
                    for ((sum, &a), &b) in sums.iter_mut().zip(before).zip(after) {
                        *sum += weights[j] * (a + b);
                    }
                }
                out.copy_from_slice(&sums[..out.len()]);
            }
        },
    );
}

/// Elements whose sums are held in registers at once.
const TILE: usize = 64;

/// Sums each column of the window into `out`.
#[inline(always)]
fn columns<T: Copy, A>(
    rows: &[&[T]],
    weights: &[A],
    out: &mut [A],
    widen: impl Fn(T) -> A + Copy,
    product: impl Fn(A, A) -> A + Copy,
) where
    A: Copy + std::ops::Add<Output = A> + std::ops::AddAssign + Default,
{
    let radius = weights.len() - 1;
    let n = rows.iter().map(|row| row.len()).min().unwrap_or(0).min(out.len());
    for (from, out) in out[..n].chunks_mut(TILE).enumerate().map(|(i, out)| (i * TILE, out)) {
        let at = |tap: usize| &rows[tap][from..][..out.len()];
        let mut sums = [A::default(); TILE];
        for (sum, &centre) in sums.iter_mut().zip(at(radius)) {
            *sum = product(weights[0], widen(centre));
        }
        for j in 1..=radius {
            let (above, below) = (at(radius - j), at(radius + j));
            for ((sum, &a), &b) in sums.iter_mut().zip(above).zip(below) {
                *sum += product(weights[j], widen(a) + widen(b));
            }
        }
        out.copy_from_slice(&sums[..out.len()]);
    }
}

/// Sums along the row for integers, where the order is free.
#[inline(always)]
fn along<C: Copy, S, O: Copy>(
    weights: &[C],
    step: usize,
    column: &[C],
    out: &mut [O],
    product: impl Fn(C, C) -> S + Copy,
    finish: impl Fn(S) -> O + Copy,
) where
    S: Copy + std::ops::AddAssign + Default,
{
    let radius = weights.len() - 1;
    let n = out.len().min(column.len().saturating_sub(2 * radius * step));
    for (from, out) in out[..n].chunks_mut(TILE).enumerate().map(|(i, out)| (i * TILE, out)) {
        let mut sums = [S::default(); TILE];
        for tap in 0..=2 * radius {
            let weight = weights[tap.abs_diff(radius)];
            for (sum, &a) in sums.iter_mut().zip(&column[from + tap * step..][..out.len()]) {
                *sum += product(weight, a);
            }
        }
        for (out, &sum) in out.iter_mut().zip(&sums) {
            *out = finish(sum);
        }
    }
}

struct GaussianU8<'a> {
    rows: &'a [&'a [u8]],
    weights: &'a [u16],
    step: usize,
    column: &'a mut [u16],
    out: &'a mut [u8],
}

impl Kernel for GaussianU8<'_> {
    fn portable(self) {
        columns(self.rows, self.weights, self.column, u16::from, |w, a| w * a);
        along(
            self.weights,
            self.step,
            self.column,
            self.out,
            |w, a| u32::from(w) * u32::from(a),
            |s| ((s + (1 << 15)) >> 16) as u8,
        );
    }

    #[inline(always)]
    fn vectors<L: Lanes>(mut self, l: L) {
        if self.out.len() < L::N {
            return self.portable();
        }
        if !(2..=4).contains(&self.weights.len()) {
            // In blocks, long windows would make many columns twice.
            return self.any(l);
        }
        for block in blocks(self.out.len()) {
            match self.weights.len() {
                2 => self.fixed::<L, 3>(l, block),
                3 => self.fixed::<L, 5>(l, block),
                _ => self.fixed::<L, 7>(l, block),
            }
        }
    }
}

impl GaussianU8<'_> {
    /// Windows of a number of taps that the compiler knows.
    #[inline(always)]
    fn fixed<L: Lanes, const N: usize>(&mut self, l: L, block: Range<usize>) {
        let Self { rows, weights, step, ref mut column, ref mut out } = *self;
        let (from, out) = (block.start, &mut out[block]);
        let (radius, n) = (N / 2, out.len());
        // Binomial weights of 3 and 5 taps are sixteenths: then 16 bits hold the sum of all products.
        let sixteenths = weights.iter().all(|weight| weight % 16 == 0);
        let mut taps = [rows[0]; N];
        let mut w = [l.splat(0); N];
        for k in 0..N {
            taps[k] = &rows[k][from..][..n + (N - 1) * step];
            let weight = weights[k.abs_diff(radius)];
            w[k] = l.splat(if sixteenths { weight / 16 } else { weight } as i16);
        }
        let column = &mut column[..n + (N - 1) * step];
        let bias = l.splat(if sixteenths { 0 } else { i16::MIN });
        tiles(
            column.len(),
            L::N,
            #[inline(always)]
            |x| {
                let mut sum = l.add(bias, l.mul(l.load_widened(&taps[radius][x..]), w[radius]));
                for j in 0..radius {
                    let pair = l.add(l.load_widened(&taps[j][x..]), l.load_widened(&taps[N - 1 - j][x..]));
                    sum = l.add(sum, l.mul(pair, w[j]));
                }
                l.store(sum, &mut column[x..]);
            },
        );
        let mut taps = [&column[..0]; N];
        for k in 0..N {
            taps[k] = &column[k * step..][..n];
        }
        if sixteenths {
            let half = l.splat(1 << 7);
            tiles(
                n,
                L::N,
                #[inline(always)]
                |x| {
                    let mut sum = l.add(half, l.mul(l.load(&taps[radius][x..]), w[radius]));
                    for j in 0..radius {
                        let pair = l.add(l.load(&taps[j][x..]), l.load(&taps[N - 1 - j][x..]));
                        sum = l.add(sum, l.mul(pair, w[j]));
                    }
                    l.store_narrowed(l.shift::<8>(sum), &mut out[x..]);
                },
            );
            return;
        }
        tiles(
            n,
            L::N,
            #[inline(always)]
            |x| {
                let mut sums = Sums::start(l, l.load(&taps[radius][x..]), w[radius]);
                for j in 0..radius {
                    sums.add(l, l.load(&taps[j][x..]), l.load(&taps[N - 1 - j][x..]), w[j]);
                }
                l.store_narrowed(sums.rounded(l), &mut out[x..]);
            },
        );
    }

    /// Windows of any number of taps.
    #[inline(always)]
    fn any<L: Lanes>(self, l: L) {
        let Self { rows, weights, step, column, out } = self;
        let (radius, n) = (weights.len() - 1, out.len());
        let rows = &rows[..=2 * radius];
        let column = &mut column[..n + 2 * radius * step];
        let bias = l.splat(i16::MIN);
        tiles(
            column.len(),
            L::N,
            #[inline(always)]
            |x| {
                let centre = l.load_widened(&rows[radius][x..]);
                let mut sum = l.add(bias, l.mul(centre, l.splat(weights[0] as i16)));
                for j in 1..weights.len() {
                    let (above, below) = (&rows[radius - j][x..], &rows[radius + j][x..]);
                    let pair = l.add(l.load_widened(above), l.load_widened(below));
                    sum = l.add(sum, l.mul(pair, l.splat(weights[j] as i16)));
                }
                l.store(sum, &mut column[x..]);
            },
        );
        let column = &*column;
        tiles(
            n,
            L::N,
            #[inline(always)]
            |x| {
                let centre = &column[x + radius * step..];
                let mut sums = Sums::start(l, l.load(centre), l.splat(weights[0] as i16));
                for j in 1..weights.len() {
                    let (before, after) =
                        (&column[x + (radius - j) * step..], &column[x + (radius + j) * step..]);
                    sums.add(l, l.load(before), l.load(after), l.splat(weights[j] as i16));
                }
                l.store_narrowed(sums.rounded(l), &mut out[x..]);
            },
        );
    }
}

/// Sums of 32 bits over columns that are stored less 2¹⁵, since the product takes signed numbers.
struct Sums<V> {
    low: V,
    high: V,
}

impl<V: Copy> Sums<V> {
    #[inline(always)]
    fn start<L: Lanes<V = V>>(l: L, centre: V, weight: V) -> Self {
        // What was taken from the columns, times weights that sum to 2⁸; and a half to round.
        let start = l.splat32((1 << 23) + (1 << 15));
        let mut sums = Self { low: start, high: start };
        sums.add(l, centre, l.splat(0), weight);
        sums
    }

    #[inline(always)]
    fn add<L: Lanes<V = V>>(&mut self, l: L, a: V, b: V, weight: V) {
        let (low, high) = l.unpack(a, b);
        self.low = l.add32(self.low, l.pair_products(low, weight));
        self.high = l.add32(self.high, l.pair_products(high, weight));
    }

    #[inline(always)]
    fn rounded<L: Lanes<V = V>>(self, l: L) -> V {
        l.pack(l.shift32::<16>(self.low), l.shift32::<16>(self.high))
    }
}
