//! Transforms of tiles of pixels, channels in lanes.

use super::Tiles;
use super::form::{Form, LANES, Lanes, sum};
use crate::kernel::nhwc::product::{Grid, Residual, Target};
use crate::kernel::nhwc::tile::Activation;

/// Up to [`LANES`] values, then zeros.
#[inline(always)]
pub(super) fn load(values: &[f32]) -> Lanes {
    if values.len() >= LANES {
        load_lanes::<true>(values, LANES)
    } else {
        load_lanes::<false>(values, values.len())
    }
}

/// The first [`LANES`] values, or the first `width` and then zeros. Loops for both in one place become a copy of a length
/// that the compiler does not know.
#[inline(always)]
fn load_lanes<const WHOLE: bool>(values: &[f32], width: usize) -> Lanes {
    let mut lanes = [0.0; LANES];
    if WHOLE {
        lanes.copy_from_slice(&values[..LANES]);
    } else {
        lanes[..width].copy_from_slice(&values[..width]);
    }
    lanes
}

/// As [`load_lanes`].
#[inline(always)]
fn store_lanes<const WHOLE: bool>(lanes: &Lanes, target: &mut [f32], width: usize) {
    if WHOLE {
        target[..LANES].copy_from_slice(lanes);
    } else {
        target[..width].copy_from_slice(&lanes[..width]);
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
            let at = (skipped + tile) * channels + first;
            if width == LANES {
                input_group::<N, M, F, true>(tiles, corner + first, width, deep, at, images);
            } else {
                input_group::<N, M, F, false>(tiles, corner + first, width, deep, at, images);
            }
        }
    }
}

#[inline(always)]
fn input_group<const N: usize, const M: usize, F: Form<N, M>, const WHOLE: bool>(
    tiles: &Tiles<'_>,
    corner: usize,
    width: usize,
    deep: usize,
    at: usize,
    images: &mut [f32],
) {
    let mut rows = [[[0.0; LANES]; N]; N];
    for (i, row) in rows.iter_mut().enumerate() {
        let line = &tiles.image[corner + i * tiles.from.down..];
        let mut pixels = [[0.0; LANES]; N];
        for (j, pixel) in pixels.iter_mut().enumerate() {
            *pixel = load_lanes::<WHOLE>(&line[j * tiles.from.across..], width);
        }
        *row = F::input(pixels);
    }
    for j in 0..N {
        let column = F::input(column_of(&rows, j));
        for (i, lanes) in column.iter().enumerate() {
            store_lanes::<WHOLE>(lanes, &mut images[(i * N + j) * deep + at..], width);
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
            let from = (skipped + tile) * filters + first;
            let sides = [M.min(lines - top), M.min(grid.columns - left)];
            let at = |grid: &Grid| grid.base + top * grid.down + left * grid.across + first;
            let residual = residual.map(|residual| (&residual.data[at(&residual.grid)..], &residual.grid));
            let output = &mut output[at(&grid)..];
            let bias = load_lanes::<true>(&bias[first..], LANES);
            let group = (&products[from..], wide, width);
            if width == LANES {
                output_group::<N, M, F, true>(group, &bias, residual, activation, output, &grid, sides);
            } else {
                output_group::<N, M, F, false>(group, &bias, residual, activation, output, &grid, sides);
            }
        }
    }
}

#[inline(always)]
fn output_group<const N: usize, const M: usize, F: Form<N, M>, const WHOLE: bool>(
    (products, wide, width): (&[f32], usize, usize),
    bias: &Lanes,
    residual: Option<(&[f32], &Grid)>,
    activation: Activation,
    output: &mut [f32],
    grid: &Grid,
    [lines, columns]: [usize; 2],
) {
    let mut rows = [[[0.0; LANES]; M]; N];
    for (i, row) in rows.iter_mut().enumerate() {
        let mut values = [[0.0; LANES]; N];
        for (j, lanes) in values.iter_mut().enumerate() {
            *lanes = load_lanes::<WHOLE>(&products[(i * N + j) * wide..], width);
        }
        *row = F::output(values);
    }
    for j in 0..columns {
        let column = F::output(column_of(&rows, j));
        for (i, lanes) in column.iter().enumerate().take(lines) {
            let mut lanes = sum([(1.0, lanes), (1.0, bias)]);
            if let Some((data, grid)) = residual {
                let beside = load_lanes::<WHOLE>(&data[i * grid.down + j * grid.across..], width);
                lanes = sum([(1.0, &lanes), (1.0, &beside)]);
            }
            for value in &mut lanes {
                *value = activation.of(*value);
            }
            store_lanes::<WHOLE>(&lanes, &mut output[i * grid.down + j * grid.across..], width);
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
            let image = &tiles.image[corner + first..];
            let group = (image, &tiles.from, width);
            let at = (skipped + tile) * filters + first;
            if width == LANES {
                gradient_group::<N, M, F, true>(group, [lines, columns], wide, at, products);
            } else {
                gradient_group::<N, M, F, false>(group, [lines, columns], wide, at, products);
            }
        }
    }
}

#[inline(always)]
fn gradient_group<const N: usize, const M: usize, F: Form<N, M>, const WHOLE: bool>(
    (image, grid, width): (&[f32], &Grid, usize),
    [lines, columns]: [usize; 2],
    wide: usize,
    at: usize,
    products: &mut [f32],
) {
    let mut rows = [[[0.0; LANES]; N]; M];
    for (i, row) in rows.iter_mut().enumerate().take(lines) {
        let mut pixels = [[0.0; LANES]; M];
        for (j, pixel) in pixels.iter_mut().enumerate().take(columns) {
            *pixel = load_lanes::<WHOLE>(&image[i * grid.down + j * grid.across..], width);
        }
        *row = F::spread(pixels);
    }
    for j in 0..N {
        let column = F::spread(column_of(&rows, j));
        for (i, lanes) in column.iter().enumerate() {
            store_lanes::<WHOLE>(lanes, &mut products[(i * N + j) * wide + at..], width);
        }
    }
}
