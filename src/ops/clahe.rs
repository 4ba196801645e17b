//! Contrast-limited adaptive histogram equalization (K. Zuiderveld, "Graphics Gems IV", 1994), as OpenCV
//! carries it out.
//!
//! Each tile of the image is equalized by its own histogram, whose counts are cut at a limit and what was
//! cut spread over all values; a pixel takes the results of its four nearest tiles, blended.

use std::ops::Range;

use super::band::{bands, fill_bands, fill_rows};
use super::row::Shape;
use super::stencil::expect_types;
use crate::image::{BorderMode, Image, ImageType, Pixel, Plane};
use crate::kernel::clahe::{Between, clahe_row, clahe_u8_row, tile_table};
use crate::kernel::histogram::count_u8_row;
use crate::kernel::pixel::Sample;
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

/// The tables of all tiles, row by row of tiles.
struct Tables<T> {
    entries: Vec<T>,
    values: usize,
}

impl<T: Pixel + Sample> Tables<T> {
    fn new(
        plane: &Plane<T>,
        grid: Grid,
        params: &Clahe,
        cx: &Context,
        count: impl Fn(&[T], &mut [u32]) + Sync,
    ) -> Result<Self> {
        let values = 1usize << (8 * size_of::<T>());
        let area = grid.size.0 * grid.size.1;
        let limit = (params.clip_limit > 0.0)
            .then(|| ((params.clip_limit * area as f64 / values as f64) as u32).max(1));
        let scale = (values - 1) as f32 / area as f32;
        let mut entries = vec![T::default(); grid.tiles.0 * grid.tiles.1 * values];
        let bands = bands(grid.tiles.1, cx.threads, 1);
        fill_rows(&mut entries, grid.tiles.0 * values, &bands, |band, entries| {
            let mut pixels = Vec::with_capacity(area);
            let mut counts = vec![0u32; values];
            for (tile_y, tables) in band.zip(entries.chunks_exact_mut(grid.tiles.0 * values)) {
                cx.check()?;
                for (tile_x, table) in tables.chunks_exact_mut(values).enumerate() {
                    pixels.clear();
                    gather(plane, grid, tile_x, tile_y, &mut pixels);
                    counts.fill(0);
                    count(&pixels, &mut counts);
                    tile_table(cx.isa, &mut counts, limit, scale, table);
                }
            }
            Ok(())
        })?;
        Ok(Self { entries, values })
    }

    /// The table of a tile.
    fn of(&self, tile: usize) -> &[T] {
        &self.entries[tile * self.values..][..self.values]
    }
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

/// Pixels of a tile from which on tables are put together by fours before they are read.
const MANY: usize = 512;

fn clahe_u8(plane: &Plane<u8>, params: &Clahe, cx: &Context) -> Result<Plane<u8>> {
    let (width, height) = (plane.width(), plane.height());
    let grid = Grid::new(width, height, params.tiles);
    let tables = Tables::new(plane, grid, params, cx, |pixels, counts| {
        if pixels.len() < MANY {
            for &pixel in pixels {
                counts[usize::from(pixel)] += 1;
            }
            return;
        }
        let mut parts = [[0u32; 256]; 4];
        count_u8_row(pixels, &mut parts);
        for (i, count) in counts.iter_mut().enumerate() {
            *count = parts.iter().map(|part| part[i]).sum();
        }
    })?;
    if grid.size.0 * grid.size.1 < MANY {
        return blended(plane, grid, &tables, cx);
    }
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
                    let tables = corners(grid, *across, down).map(|tile| tables.of(tile));
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
    let grid = Grid::new(plane.width(), plane.height(), params.tiles);
    let tables = Tables::new(plane, grid, params, cx, |pixels: &[u16], counts: &mut [u32]| {
        for &pixel in pixels {
            counts[usize::from(pixel)] += 1;
        }
    })?;
    blended(plane, grid, &tables, cx)
}

/// Pixels looked up in the tables of their four tiles.
fn blended<T: Pixel + Sample + Into<usize>>(
    plane: &Plane<T>,
    grid: Grid,
    tables: &Tables<T>,
    cx: &Context,
) -> Result<Plane<T>> {
    let (width, height) = (plane.width(), plane.height());
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
                let tables = corners(grid, *between, down).map(|tile| tables.of(tile));
                let (row, across) = (&row[range.clone()], &across[range.clone()]);
                clahe_row(cx.isa, row, tables, across, down.part, &mut out[range.clone()]);
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
