//! Pooling of one plane.

use super::Isa;

/// Vertical and horizontal sizes of a pool of one plane.
#[derive(Clone, Copy, Debug)]
pub struct PoolGeometry {
    /// Input height and width, neither 0.
    pub input: [usize; 2],
    /// Output height and width.
    pub output: [usize; 2],
    /// Window height and width.
    pub kernel: [usize; 2],
    /// Vertical and horizontal stride.
    pub stride: [usize; 2],
    /// Rows above and columns to the left that no value comes from. All windows reach into the image.
    pub padding: [usize; 2],
}

/// The largest value of each window, and its index in the plane: the first of equal ones in row order.
/// NaN is larger than any number.
///
/// # Panics
/// When `best` or `winners` is shorter than the output.
pub fn max_pool(isa: Isa, g: &PoolGeometry, plane: &[f32], best: &mut [f32], winners: &mut [u32]) {
    isa.run(
        #[inline(always)]
        || {
            for row in 0..g.output[0] {
                let line = row * g.output[1]..(row + 1) * g.output[1];
                max_pool_row(g, plane, row, &mut best[line.clone()], &mut winners[line]);
            }
        },
    );
}

/// One row of [`max_pool`].
#[inline(always)]
fn max_pool_row(g: &PoolGeometry, plane: &[f32], row: usize, best: &mut [f32], winners: &mut [u32]) {
    let [height, width] = g.input;
    let top = (row * g.stride[0]).saturating_sub(g.padding[0]);
    best.fill(f32::NEG_INFINITY);
    for (x, winner) in winners.iter_mut().enumerate() {
        *winner = (top * width + (x * g.stride[1]).saturating_sub(g.padding[1])) as u32;
    }
    for ky in 0..g.kernel[0] {
        let y = (row * g.stride[0] + ky).wrapping_sub(g.padding[0]);
        if y >= height {
            continue;
        }
        for kx in 0..g.kernel[1] {
            // Outputs whose tap lies in the image.
            let first = g.padding[1].saturating_sub(kx).div_ceil(g.stride[1]).min(best.len());
            let last =
                (width + g.padding[1]).saturating_sub(kx).div_ceil(g.stride[1]).clamp(first, best.len());
            if first == last {
                continue;
            }
            let start = y * width + first * g.stride[1] + kx - g.padding[1];
            let (best, winners) = (&mut best[first..last], &mut winners[first..last]);
            match g.stride[1] {
                1 => take_larger::<1>(&plane[start..], start, best, winners),
                2 => take_larger::<2>(&plane[start..], start, best, winners),
                stride => {
                    for (x, (best, winner)) in best.iter_mut().zip(winners).enumerate() {
                        take_one(plane[start + x * stride], start + x * stride, best, winner);
                    }
                }
            }
        }
    }
}

/// Takes one tap of every window of a row, where the stride is known, which vectorises.
#[inline(always)]
fn take_larger<const STRIDE: usize>(values: &[f32], start: usize, best: &mut [f32], winners: &mut [u32]) {
    let last = best.len() - 1;
    let ends = last * STRIDE;
    let (chunks, _) = values[..ends].as_chunks::<STRIDE>();
    let mut at = start as u32;
    for (values, (best, winner)) in chunks.iter().zip(best.iter_mut().zip(winners.iter_mut())) {
        let is_larger = values[0] > *best || values[0].is_nan();
        *best = if is_larger { values[0] } else { *best };
        *winner = if is_larger { at } else { *winner };
        at += STRIDE as u32;
    }
    // What follows the last value may not be there to fill a chunk.
    take_one(values[ends], start + ends, &mut best[last], &mut winners[last]);
}

#[inline(always)]
fn take_one(value: f32, at: usize, best: &mut f32, winner: &mut u32) {
    // A NaN in `best` makes the comparison false and stays.
    if value > *best || value.is_nan() {
        (*best, *winner) = (value, at as u32);
    }
}
