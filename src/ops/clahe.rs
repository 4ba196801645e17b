//! Contrast-limited adaptive histogram equalization (K. Zuiderveld, "Graphics Gems IV", 1994), as OpenCV
//! carries it out.
//!
//! Each tile of the image is equalized by its own histogram, whose counts are cut at a limit and what was
//! cut spread over all values; a pixel takes the results of its four nearest tiles, blended.

use std::ops::Range;

use super::band::{bands, fill_bands, map_bands};
use super::row::Shape;
use super::stencil::expect_types;
use crate::image::{BorderMode, Image, ImageType, Pixel, Plane};
use crate::kernel::clahe::{Between, clahe_u8_row, clahe_u16_row};
use crate::kernel::histogram::count_u8_row;
use crate::ops::Context;
use crate::{Error, Result};

/// Parameters of [`clahe`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clahe {
    /// The greatest count of a value in a tile, as a multiple of the mean count; 0 sets no limit.
    pub clip_limit: f64,
    /// Tiles across and down.
    pub tiles: (usize, usize),
}

impl Default for Clahe {
    /// OpenCV's: a limit of 40 and 8x8 tiles.
    fn default() -> Self {
        Self { clip_limit: 40.0, tiles: (8, 8) }
    }
}

/// No more bytes of tables are made: 1 GiB.
const MAX_BYTES: usize = 1 << 30;

/// The grid of tiles over an image, made larger below and on the right until they fit.
#[derive(Clone, Copy)]
struct Grid {
    tiles: (usize, usize),
    size: (usize, usize),
}

impl Grid {
    fn new(width: usize, height: usize, tiles: (usize, usize)) -> Self {
        // OpenCV adds a pixel a tile along an axis that fits when the other does not.
        let fits = width.is_multiple_of(tiles.0) && height.is_multiple_of(tiles.1);
        let size = |length: usize, tiles: usize| if fits { length / tiles } else { length / tiles + 1 };
        Self { tiles, size: (size(width, tiles.0), size(height, tiles.1)) }
    }

    /// The columns of each run of pixels between the same tiles.
    fn runs(&self, width: usize) -> Vec<(Range<usize>, Between)> {
        let mut runs: Vec<(Range<usize>, Between)> = Vec::new();
        for x in 0..width {
            let between = Between::new(x, self.size.0, self.tiles.0);
            match runs.last_mut() {
                Some((range, last)) if (last.first, last.second) == (between.first, between.second) => {
                    range.end = x + 1;
                }
                _ => runs.push((x..x + 1, between)),
            }
        }
        runs
    }
}

/// Checks that an image can be equalized this way.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for anything but `gray8` and `gray16`,
/// [`Pipeline`](crate::ErrorKind::Pipeline) for a limit below 0 and tiles not within 1 to 4096, [`Limit`](crate::ErrorKind::Limit) for tables over 1 GiB.
pub fn check(input: Shape, params: &Clahe) -> Result<()> {
    expect_types("clahe", input, &[ImageType::Gray8, ImageType::Gray16])?;
    let (across, down) = params.tiles;
    if !(1..=4096).contains(&across) || !(1..=4096).contains(&down) {
        return Err(Error::pipeline(format!(
            "`clahe` wants 1 to 4096 tiles a side, got {across} and {down}"
        )));
    }
    let size = input.ty.element().size();
    if across * down * (size << (8 * size)) > MAX_BYTES {
        return Err(Error::limit("the tables of so many tiles take over 1 GiB"));
    }
    if params.clip_limit < 0.0 || !params.clip_limit.is_finite() {
        return Err(Error::pipeline(format!(
            "`clahe` wants a limit of 0 or more, got {}",
            params.clip_limit
        )));
    }
    Ok(())
}

/// Equalizes a gray image by tiles: OpenCV's `CLAHE`, with 256 values for 8 bit and 65536 for 16.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Clahe, Context, clahe};
///
/// let image = Image::Gray8(Plane::from_fn(64, 64, |x, y| 100 + ((x * y) % 20) as u8));
/// let clear = clahe(&image, &Clahe::default(), &Context::default())?;
/// let most = |image: &Image| image.plane_bytes(0).iter().max().copied();
/// assert!(most(&clear) > most(&image));
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// As [`check`], and [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn clahe(image: &Image, params: &Clahe, cx: &Context) -> Result<Image> {
    check(Shape::of(image), params)?;
    if image.width() == 0 || image.height() == 0 {
        return Ok(image.clone());
    }
    match image {
        Image::Gray8(plane) => Ok(Image::Gray8(clahe_u8(plane, params, cx)?)),
        Image::Gray16(plane) => Ok(Image::Gray16(clahe_u16(plane, params, cx)?)),
        other => Err(Error::shape(format!("expected a gray image, got `{}`", other.ty()))),
    }
}

/// The table of each tile, row by row of tiles.
fn tables<T: Pixel + Into<u16>>(
    plane: &Plane<T>,
    grid: Grid,
    params: &Clahe,
    cx: &Context,
    count: impl Fn(&[T], &mut Vec<u32>) + Sync,
    entry: impl Fn(f32) -> T + Sync,
) -> Result<Vec<Vec<T>>> {
    let values = 1usize << (8 * size_of::<T>());
    let area = grid.size.0 * grid.size.1;
    let limit =
        (params.clip_limit > 0.0).then(|| ((params.clip_limit * area as f64 / values as f64) as u32).max(1));
    let scale = (values - 1) as f32 / area as f32;
    let made = map_bands(&bands(grid.tiles.1, cx.threads, 1), |band| {
        let mut made = Vec::new();
        let mut row = Vec::with_capacity(grid.size.0 * grid.size.1);
        for tile_y in band {
            cx.check()?;
            for tile_x in 0..grid.tiles.0 {
                row.clear();
                gather(plane, grid, tile_x, tile_y, &mut row);
                let mut counts = vec![0u32; values];
                count(&row, &mut counts);
                if let Some(limit) = limit {
                    clip(&mut counts, limit);
                }
                let mut sum = 0u32;
                made.push(
                    counts
                        .iter()
                        .map(|&count| {
                            sum += count;
                            entry(sum as f32 * scale)
                        })
                        .collect(),
                );
            }
        }
        Ok(made)
    })?;
    Ok(made.into_iter().flatten().collect())
}

/// The pixels of a tile; what lies beyond the image is mirrored.
fn gather<T: Pixel>(plane: &Plane<T>, grid: Grid, tile_x: usize, tile_y: usize, pixels: &mut Vec<T>) {
    let (width, height) = grid.size;
    let view = plane.view();
    let mode = BorderMode::Reflect101;
    for y in tile_y * height..(tile_y + 1) * height {
        let row = view.row(mode.map(y as isize, plane.height()).unwrap_or_default());
        let columns = tile_x * width..(tile_x + 1) * width;
        match row.get(columns.clone()) {
            Some(part) => pixels.extend_from_slice(part),
            None => pixels.extend(columns.map(|x| row[mode.map(x as isize, row.len()).unwrap_or_default()])),
        }
    }
}

/// Cuts counts at a limit and spreads what was cut evenly; the rest goes to values at even steps.
fn clip(counts: &mut [u32], limit: u32) {
    let mut cut = 0;
    for count in counts.iter_mut() {
        cut += count.saturating_sub(limit);
        *count = (*count).min(limit);
    }
    let values = counts.len() as u32;
    let (each, rest) = (cut / values, cut % values);
    for count in counts.iter_mut() {
        *count += each;
    }
    let step = values.checked_div(rest).map_or(1, |step| step.max(1)) as usize;
    for count in counts.iter_mut().step_by(step).take(rest as usize) {
        *count += 1;
    }
}

fn clahe_u8(plane: &Plane<u8>, params: &Clahe, cx: &Context) -> Result<Plane<u8>> {
    let (width, height) = (plane.width(), plane.height());
    let grid = Grid::new(width, height, params.tiles);
    let count = |pixels: &[u8], counts: &mut Vec<u32>| {
        let mut parts = [[0; 256]; 4];
        count_u8_row(pixels, &mut parts);
        for (i, count) in counts.iter_mut().enumerate() {
            *count = parts.iter().map(|part| part[i] as u32).sum();
        }
    };
    let tables = tables(plane, grid, params, cx, count, |value| value.round_ties_even() as u8)?;
    let runs = grid.runs(width);
    let across: Vec<f32> = (0..width).map(|x| Between::new(x, grid.size.0, grid.tiles.0).part).collect();
    let mut out = cx.plane(width, height);
    fill_bands(&mut out, &bands(height, cx.threads, 16), |band, out| {
        let mut quads = vec![[[0u8; 4]; 256]; runs.len()];
        let mut made = None;
        for (y, out) in band.zip(out.chunks_exact_mut(width)) {
            let down = Between::new(y, grid.size.1, grid.tiles.1);
            if made != Some((down.first, down.second)) {
                cx.check()?;
                made = Some((down.first, down.second));
                for (quads, (_, across)) in quads.iter_mut().zip(&runs) {
                    let tables = corners(grid, *across, down).map(|tile| &tables[tile]);
                    for (i, quad) in quads.iter_mut().enumerate() {
                        *quad = tables.map(|table| table[i]);
                    }
                }
            }
            let row = plane.view().row(y);
            for (quads, (range, _)) in quads.iter().zip(&runs) {
                let (row, across, out) =
                    (&row[range.clone()], &across[range.clone()], &mut out[range.clone()]);
                clahe_u8_row(cx.isa, row, quads, across, down.part, out);
            }
        }
        Ok(())
    })?;
    Ok(out)
}

fn clahe_u16(plane: &Plane<u16>, params: &Clahe, cx: &Context) -> Result<Plane<u16>> {
    let (width, height) = (plane.width(), plane.height());
    let grid = Grid::new(width, height, params.tiles);
    let count = |pixels: &[u16], counts: &mut Vec<u32>| {
        for &pixel in pixels {
            counts[usize::from(pixel)] += 1;
        }
    };
    let tables = tables(plane, grid, params, cx, count, |value| value.round_ties_even() as u16)?;
    let runs = grid.runs(width);
    let across: Vec<f32> = (0..width).map(|x| Between::new(x, grid.size.0, grid.tiles.0).part).collect();
    let mut out = cx.plane(width, height);
    fill_bands(&mut out, &bands(height, cx.threads, 16), |band, out| {
        for (y, out) in band.zip(out.chunks_exact_mut(width)) {
            if y % 64 == 0 {
                cx.check()?;
            }
            let down = Between::new(y, grid.size.1, grid.tiles.1);
            let row = plane.view().row(y);
            for (range, between) in &runs {
                let tables = corners(grid, *between, down).map(|tile| tables[tile].as_slice());
                let (row, across) = (&row[range.clone()], &across[range.clone()]);
                clahe_u16_row(row, tables, across, down.part, &mut out[range.clone()]);
            }
        }
        Ok(())
    })?;
    Ok(out)
}

/// The four tiles round a pixel: above left, above right, below left, below right.
fn corners(grid: Grid, across: Between, down: Between) -> [usize; 4] {
    let tile = |x: usize, y: usize| y * grid.tiles.0 + x;
    [
        tile(across.first, down.first),
        tile(across.second, down.first),
        tile(across.first, down.second),
        tile(across.second, down.second),
    ]
}
