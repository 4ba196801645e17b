//! Gaussian smoothing of one output row, columns first, then along the row.
//!
//! Integer images use fixed-point weights that sum to exactly one (8 fractional bits for `u8`, 16
//! for `u16`); both passes keep every bit and the result is rounded once, halves up. The weights
//! are made in [`mod@crate::ops::gaussian`]. Taps are symmetric, and an odd number.

use super::Isa;

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
    isa.run(
        #[inline(always)]
        || {
            columns(rows, weights, column, u16::from, |w, a| w * a);
            along(
                weights,
                step,
                column,
                out,
                |w, a| u32::from(w) * u32::from(a),
                |s| ((s + (1 << 15)) >> 16) as u8,
            );
        },
    );
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
