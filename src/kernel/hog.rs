//! Rows of votes for histograms of oriented gradients: the length of each gradient, and the bin of its
//! direction.
//!
//! No angle is ever computed: directions are told apart by which side of the edges between bins they
//! lie on. That takes two products an edge, vectorises, and is exact where a gradient lies on an edge at 45,
//! 90 or 135 degrees, the only edges but 0 that the whole numbers can reach.

use std::ops::Sub;

use super::Isa;

/// The edges between bins of directions, as cosine and sine; direction 0 is right, 90 degrees is down,
/// and opposite directions are the same.
#[derive(Clone, Debug)]
pub struct Edges(Vec<[f64; 2]>);

impl Edges {
    /// The edges between `bins` bins of equal width over 180 degrees, without the one at 0.
    pub fn new(bins: usize) -> Self {
        Self((1..bins).map(|edge| direction(edge, bins)).collect())
    }

    /// The number of bins.
    pub fn bins(&self) -> usize {
        self.0.len() + 1
    }
}

/// Cosine and sine of `180 * edge / bins` degrees: exact zeros, and exactly equal where they should be.
fn direction(edge: usize, bins: usize) -> [f64; 2] {
    let diagonal = std::f64::consts::FRAC_1_SQRT_2;
    match 4 * edge {
        at if at == bins => [diagonal, diagonal],
        at if at == 2 * bins => [0.0, 1.0],
        at if at == 3 * bins => [-diagonal, diagonal],
        _ => {
            let angle = std::f64::consts::PI * edge as f64 / bins as f64;
            [libm::cos(angle), libm::sin(angle)]
        }
    }
}

/// Pixels that are voted on together: whole vectors of every instruction set.
const TOGETHER: usize = 16;

/// The votes of one row: into `bins` the bin of each pixel's gradient, into `lengths` its length.
///
/// The gradient is the difference of the two neighbours, across and down, in the type of the pixels; it
/// is 0 across in the first and the last column, and 0 down where `above` and `below` are one row.
///
/// # Panics
/// When the rows differ in length.
pub fn votes_row<S>(
    isa: Isa,
    above: &[S],
    row: &[S],
    below: &[S],
    edges: &Edges,
    bins: &mut [u32],
    lengths: &mut [f64],
) where
    S: Copy + Sub<Output = S> + Into<f64>,
{
    let width = row.len();
    assert!([above.len(), below.len(), bins.len(), lengths.len()] == [width; 4]);
    isa.run(
        #[inline(always)]
        || {
            for start in (0..width).step_by(TOGETHER) {
                let count = TOGETHER.min(width - start);
                let (mut gx, mut gy) = ([0.0f64; TOGETHER], [0.0f64; TOGETHER]);
                for i in 0..count {
                    let x = start + i;
                    gy[i] = (below[x] - above[x]).into();
                    if x > 0 && x + 1 < width {
                        gx[i] = (row[x + 1] - row[x - 1]).into();
                    }
                }
                let (counts, roots) = votes(gx, gy, &edges.0);
                bins[start..start + count].copy_from_slice(&counts[..count]);
                lengths[start..start + count].copy_from_slice(&roots[..count]);
            }
        },
    );
}

#[inline(always)]
fn votes(
    mut gx: [f64; TOGETHER],
    mut gy: [f64; TOGETHER],
    edges: &[[f64; 2]],
) -> ([u32; TOGETHER], [f64; TOGETHER]) {
    let mut lengths = [0.0; TOGETHER];
    for i in 0..TOGETHER {
        lengths[i] = (gx[i] * gx[i] + gy[i] * gy[i]).sqrt();
        // Into the half plane of 0 up to, and without, 180 degrees.
        let is_below = (gy[i] < 0.0) | ((gy[i] == 0.0) & (gx[i] < 0.0));
        let sign = if is_below { -1.0 } else { 1.0 };
        gx[i] *= sign;
        gy[i] *= sign;
    }
    let mut counts = [0.0f64; TOGETHER];
    for &[cos, sin] in edges {
        for i in 0..TOGETHER {
            counts[i] += if cos * gy[i] >= sin * gx[i] { 1.0 } else { 0.0 };
        }
    }
    (counts.map(|count| count as u32), lengths)
}

/// Adds the votes of a row to the histograms of the cells it passes, from left to right: cell `c` has
/// its bins at `c * bins_per_cell`. Pixels right of the last cell do not vote.
pub fn add_votes_row(
    bins: &[u32],
    lengths: &[f64],
    cell_width: usize,
    bins_per_cell: usize,
    cells: &mut [f64],
) {
    let pixels = bins.chunks_exact(cell_width).zip(lengths.chunks_exact(cell_width));
    for ((bins, lengths), cell) in pixels.zip(cells.chunks_exact_mut(bins_per_cell)) {
        for (&bin, &length) in bins.iter().zip(lengths) {
            cell[bin as usize] += length;
        }
    }
}
