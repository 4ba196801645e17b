//! Transforms of tiles of pixels, channels in lanes.

use super::Tiles;
use super::form::{Form, LANES, Lanes};
use crate::kernel::nhwc::product::{Residual, Target};
use crate::kernel::nhwc::tile::Activation;

/// Up to [`LANES`] values, then zeros.
#[inline(always)]
pub(super) fn load(values: &[f32]) -> Lanes {
    if let Some(lanes) = values.first_chunk() {
        return *lanes;
    }
    let mut lanes = [0.0; LANES];
    lanes[..values.len()].copy_from_slice(values);
    lanes
}

#[inline(always)]
pub(super) fn store(lanes: &Lanes, target: &mut [f32]) {
    if let Some(target) = target.first_chunk_mut() {
        *target = *lanes;
    } else {
        let len = target.len();
        target.copy_from_slice(&lanes[..len]);
    }
}

/// A column of a block. A closure would not be compiled for the instruction set of its caller.
#[inline(always)]
fn column_of<const R: usize, const C: usize>(rows: &[[Lanes; C]; R], column: usize) -> [Lanes; R] {
    let mut lanes = [[0.0; LANES]; R];
    for (lanes, row) in lanes.iter_mut().zip(rows) {
        *lanes = row[column];
    }
    lanes
}

/// Writes position after position, tile after tile behind those that are skipped, channel after channel.
#[inline(always)]
pub(super) fn transform_input<const N: usize, const M: usize, F: Form<N, M>>(
    tiles: &Tiles<'_>,
    [channels, across, count, deep]: [usize; 4],
    skipped: usize,
    images: &mut [f32],
) {
    for tile in 0..count {
        let corner =
            tiles.from.base + tile / across * M * tiles.from.down + tile % across * M * tiles.from.across;
        for first in (0..channels).step_by(LANES) {
            let width = LANES.min(channels - first);
            let mut rows = [[[0.0; LANES]; N]; N];
            for (i, row) in rows.iter_mut().enumerate() {
                let line = corner + i * tiles.from.down + first;
                let mut pixels = [[0.0; LANES]; N];
                for (j, pixel) in pixels.iter_mut().enumerate() {
                    *pixel = load(&tiles.image[line + j * tiles.from.across..][..width]);
                }
                *row = F::input(pixels);
            }
            for j in 0..N {
                let column = F::input(column_of(&rows, j));
                for (i, lanes) in column.iter().enumerate() {
                    let at = (i * N + j) * deep + (skipped + tile) * channels + first;
                    store(lanes, &mut images[at..][..width]);
                }
            }
        }
    }
}

#[inline(always)]
pub(super) fn transform_output<const N: usize, const M: usize, F: Form<N, M>>(
    products: &[f32],
    [across, count, lines, filters, wide]: [usize; 5],
    skipped: usize,
    bias: &[f32],
    residual: Option<&Residual<'_>>,
    activation: Activation,
    target: Target<'_>,
) {
    let Target { data: output, grid, .. } = target;
    for tile in 0..count {
        let (top, left) = (tile / across * M, tile % across * M);
        for first in (0..filters).step_by(LANES) {
            let width = LANES.min(filters - first);
            let mut rows = [[[0.0; LANES]; M]; N];
            for (i, row) in rows.iter_mut().enumerate() {
                let mut values = [[0.0; LANES]; N];
                for (j, lanes) in values.iter_mut().enumerate() {
                    *lanes =
                        load(&products[(i * N + j) * wide + (skipped + tile) * filters + first..][..width]);
                }
                *row = F::output(values);
            }
            let bias = load(&bias[first..][..LANES]);
            for j in 0..M.min(grid.columns - left) {
                let column = F::output(column_of(&rows, j));
                for (i, lanes) in column.iter().enumerate().take(lines - top) {
                    let mut lanes = *lanes;
                    for l in 0..LANES {
                        lanes[l] += bias[l];
                    }
                    if let Some(residual) = residual {
                        let at = residual.grid.base
                            + (top + i) * residual.grid.down
                            + (left + j) * residual.grid.across;
                        let beside = load(&residual.data[at + first..][..width]);
                        for l in 0..LANES {
                            lanes[l] += beside[l];
                        }
                    }
                    for value in &mut lanes {
                        *value = activation.of(*value);
                    }
                    let at = grid.base + (top + i) * grid.down + (left + j) * grid.across;
                    store(&lanes, &mut output[at + first..][..width]);
                }
            }
        }
    }
}

/// What outputs of tiles give for their products: the adjoint of [`transform_output`]. Outputs past the last line or
/// column are zeros.
#[inline(always)]
pub(super) fn transform_gradient<const N: usize, const M: usize, F: Form<N, M>>(
    tiles: &Tiles<'_>,
    [filters, across, count, wide]: [usize; 4],
    skipped: usize,
    products: &mut [f32],
) {
    for tile in 0..count {
        let (top, left) = (tile / across * M, tile % across * M);
        let corner = tiles.from.base + top * tiles.from.down + left * tiles.from.across;
        let [lines, columns] = [tiles.lines - top, tiles.from.columns - left];
        for first in (0..filters).step_by(LANES) {
            let width = LANES.min(filters - first);
            let mut rows = [[[0.0; LANES]; N]; M];
            for (i, row) in rows.iter_mut().enumerate().take(lines) {
                let line = corner + i * tiles.from.down + first;
                let mut pixels = [[0.0; LANES]; M];
                for (j, pixel) in pixels.iter_mut().enumerate().take(columns) {
                    *pixel = load(&tiles.image[line + j * tiles.from.across..][..width]);
                }
                *row = F::spread(pixels);
            }
            for j in 0..N {
                let column = F::spread(column_of(&rows, j));
                for (i, lanes) in column.iter().enumerate() {
                    let at = (i * N + j) * wide + (skipped + tile) * filters + first;
                    store(lanes, &mut products[at..][..width]);
                }
            }
        }
    }
}
