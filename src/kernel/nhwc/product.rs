//! The product of pixels and filters, tile after tile.
#![allow(unsafe_code, reason = "row pointers of tiles, made here from checked offsets")]

use super::tile::{Activation, Job, ROWS, WIDTH, height, lanes, rows, run};
use crate::kernel::Isa;

/// Tiles of pixels that meet all filters before the next: their pixels stay in the second cache.
const BLOCK: usize = 8;

/// Filters packed for one instruction set: panel after panel, each `depth x lanes`, with zeros past the
/// last filter.
#[derive(Debug)]
pub struct Panels {
    isa: Isa,
    filters: usize,
    depth: usize,
    /// Where the first panel begins.
    start: usize,
    data: Vec<f32>,
}

impl Panels {
    /// Packs filters, where `weight(filter, depth)` gives the values.
    pub fn new(isa: Isa, filters: usize, depth: usize, weight: impl Fn(usize, usize) -> f32) -> Self {
        let lanes = lanes(isa);
        let mut panels =
            Self { isa, filters, depth, start: 0, data: vec![0.0; filters.next_multiple_of(lanes) * depth] };
        let mut first = 0;
        while first < filters {
            let width = panels.width(first);
            let panel = &mut panels.data[first * depth..][..width * depth];
            for (d, row) in panel.chunks_exact_mut(width).enumerate() {
                for (l, value) in row.iter_mut().enumerate().take(filters - first) {
                    *value = weight(first + l, d);
                }
            }
            first += width;
        }
        panels
    }

    /// Panels for filters that are yet to be [put](Self::put), in memory that `room` gives, `start` values from its
    /// beginning.
    pub(super) fn in_room(
        isa: Isa,
        filters: usize,
        depth: usize,
        start: usize,
        mut room: impl FnMut(usize) -> Vec<f32>,
    ) -> Self {
        let len = filters.next_multiple_of(lanes(isa)) * depth;
        Self { isa, filters, depth, start, data: room(start + len) }
    }

    /// Its memory, for others.
    pub fn into_room(self) -> Vec<f32> {
        self.data
    }

    /// Writes the values of filters from `first` on, a multiple of how many, at one depth.
    #[inline(always)]
    pub(super) fn put(&mut self, depth: usize, first: usize, values: &[f32; 16]) {
        self.whole().put(depth, first, values);
    }

    #[inline(always)]
    fn whole(&mut self) -> Part<'_> {
        Part { isa: self.isa, filters: self.filters, depth: self.depth, data: &mut self.data[self.start..] }
    }

    /// The panels of `each` filters and the next, a multiple of two vectors, to be written apart from each other.
    pub(super) fn parts(&mut self, each: usize) -> impl Iterator<Item = Part<'_>> {
        let Self { isa, filters, depth, .. } = *self;
        let data = &mut self.data[self.start..];
        let parts = data.chunks_mut((each * depth).max(1)).enumerate();
        parts.map(move |(part, data)| Part { isa, filters: filters - part * each, depth, data })
    }

    /// Lanes of the panel that begins with this filter: two vectors, or one where that is enough.
    fn width(&self, first: usize) -> usize {
        let lanes = lanes(self.isa);
        if self.filters - first > lanes { 2 * lanes } else { lanes }
    }

    /// The numbers of the filters for [`product`], with zeros past the last.
    pub fn padded(&self, values: &[f32]) -> Vec<f32> {
        let mut padded = values.to_vec();
        padded.resize(self.filters + WIDTH, 0.0);
        padded
    }

    /// How many filters.
    pub fn filters(&self) -> usize {
        self.filters
    }

    /// Values of a filter.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Values in memory.
    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// Whether there is no filter.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }
}

/// Panels that are written: those of the filters from one on.
#[derive(Debug)]
pub(super) struct Part<'a> {
    isa: Isa,
    /// How many filters there are from there on.
    filters: usize,
    depth: usize,
    data: &'a mut [f32],
}

impl Part<'_> {
    /// Writes the values of filters from `first` on, a multiple of how many, at one depth.
    #[inline(always)]
    pub(super) fn put(&mut self, depth: usize, first: usize, values: &[f32; 16]) {
        match lanes(self.isa) {
            16 => self.put_lanes::<16>(depth, first, values),
            8 => self.put_lanes::<8>(depth, first, values),
            _ => self.put_lanes::<4>(depth, first, values),
        }
    }

    #[inline(always)]
    fn put_lanes<const L: usize>(&mut self, depth: usize, first: usize, values: &[f32; 16]) {
        for (part, values) in values.as_chunks::<L>().0.iter().enumerate() {
            let filter = first + part * L;
            if filter >= self.filters {
                return;
            }
            let panel = filter / (2 * L) * (2 * L);
            let width = if self.filters - panel > L { 2 * L } else { L };
            let at = panel * self.depth + depth * width + filter - panel;
            if let Some(target) = self.data[at..].first_chunk_mut::<L>() {
                *target = *values;
            }
        }
    }
}

/// Where pixels lie: `base + image * apart + line * down + column * across`.
#[derive(Clone, Copy, Debug)]
pub struct Grid {
    /// Where the first pixel begins.
    pub base: usize,
    /// Columns of a line.
    pub columns: usize,
    /// Distance of lines.
    pub down: usize,
    /// Distance of columns.
    pub across: usize,
    /// Lines of an image.
    pub lines: usize,
    /// Distance of images.
    pub apart: usize,
}

impl Grid {
    /// The pixels of one image.
    pub fn new(base: usize, columns: usize, down: usize, across: usize) -> Self {
        Self { base, columns, down, across, lines: usize::MAX, apart: 0 }
    }

    /// Images of so many lines each.
    #[must_use]
    pub fn of_images(self, lines: usize, apart: usize) -> Self {
        Self { lines, apart, ..self }
    }

    pub(super) fn start(&self, pixel: usize) -> usize {
        let line = pixel / self.columns;
        self.base
            + line / self.lines * self.apart
            + line % self.lines * self.down
            + pixel % self.columns * self.across
    }

    /// Where the pixels from `first` on begin, the last repeated past `count` of them.
    #[inline]
    fn starts(&self, first: usize, count: usize) -> [usize; ROWS] {
        let mut starts = [0; ROWS];
        let (mut column, mut line, mut at) =
            (first % self.columns, first / self.columns % self.lines, self.start(first));
        for (i, start) in starts.iter_mut().enumerate() {
            *start = at;
            if i + 1 < count {
                column += 1;
                at += self.across;
                if column == self.columns {
                    column = 0;
                    line += 1;
                    at = at + self.down - self.columns * self.across;
                    if line == self.lines {
                        line = 0;
                        at = at + self.apart - self.lines * self.down;
                    }
                }
            }
        }
        starts
    }

    /// One past the largest start of `count` pixels; 0 without any. Images do not overlap.
    fn end(&self, count: usize) -> usize {
        if count == 0 {
            return 0;
        }
        let last = (count - 1) / self.columns;
        let columns = if last > 0 { self.columns } else { count };
        // The last image may have fewer lines than the one before.
        let image = last / self.lines;
        let within = if image > 0 { self.lines - 1 } else { last };
        self.base + image * self.apart + within * self.down + (columns - 1) * self.across + 1
    }
}

/// Pixels to multiply: each pixel's depth is `run` values at its start plus each of `runs`.
#[derive(Clone, Copy, Debug)]
pub struct Pixels<'a> {
    /// The padded image.
    pub data: &'a [f32],
    /// Where the windows of the outputs begin.
    pub grid: Grid,
    /// What follows the start, ascending.
    pub runs: &'a [usize],
    /// Values of a run.
    pub run: usize,
}

/// What is added to every output.
#[derive(Clone, Copy, Debug)]
pub struct Residual<'a> {
    /// The image.
    pub data: &'a [f32],
    /// Where the pixels of the outputs begin.
    pub grid: Grid,
}

/// Where outputs go.
#[derive(Debug)]
pub struct Target<'a> {
    /// The image.
    pub data: &'a mut [f32],
    /// Where the pixels begin.
    pub grid: Grid,
    /// How many pixels.
    pub count: usize,
}

/// Where the rows of a tile lie.
#[derive(Clone, Copy, Default)]
struct Places {
    count: usize,
    height: usize,
    from: [usize; ROWS],
    to: [usize; ROWS],
    beside: [usize; ROWS],
}

/// `target[p][f] = activation(sum of pixels[p][d] * panels[f][d] + bias[f] + residual[p][f])`.
///
/// # Panics
/// When the depth of pixels and filters differ, `bias` was not [padded](Panels::padded), or some pixel is
/// not inside its image.
pub fn product(
    isa: Isa,
    pixels: &Pixels<'_>,
    panels: &Panels,
    bias: &[f32],
    residual: Option<&Residual<'_>>,
    activation: Activation,
    target: Target<'_>,
) {
    let Target { data: output, grid, count } = target;
    let filters = panels.filters;
    if count == 0 || filters == 0 {
        return;
    }
    assert!(isa == panels.isa && pixels.runs.len() * pixels.run == panels.depth, "filters of another depth");
    let reach = pixels.runs.last().map_or(0, |last| last + pixels.run);
    assert!(pixels.runs.is_sorted(), "runs must ascend");
    assert!(pixels.grid.end(count) - 1 + reach <= pixels.data.len(), "a pixel outside of the image");
    assert!(grid.end(count) - 1 + filters <= output.len(), "an output outside of the image");
    assert!(bias.len() >= filters + WIDTH, "the bias is not padded");
    if let Some(residual) = residual {
        assert!(
            residual.grid.end(count) - 1 + filters <= residual.data.len(),
            "a residual outside of the image"
        );
    }
    let tallest = rows(isa);
    // Where the last panel is narrower than its tile, sums and residuals pass through these.
    let mut room = [[0.0f32; WIDTH]; ROWS];
    let mut added = [[0.0f32; WIDTH]; ROWS];
    let mut tiles = [Places::default(); BLOCK];
    for block in (0..count).step_by(BLOCK * tallest) {
        let block_end = count.min(block + BLOCK * tallest);
        let starts = (block..block_end).step_by(tallest);
        for (tile, pixel) in tiles.iter_mut().zip(starts) {
            let here = tallest.min(block_end - pixel);
            *tile = Places {
                count: here,
                height: height(isa, here),
                from: pixels.grid.starts(pixel, here),
                to: grid.starts(pixel, here),
                beside: residual.map_or([0; ROWS], |residual| residual.grid.starts(pixel, here)),
            };
        }
        let tiles = &tiles[..(block_end - block).div_ceil(tallest)];
        let mut first = 0;
        while first < filters {
            let width = panels.width(first);
            let valid = width.min(filters - first);
            let panel = panels.data[panels.start + first * panels.depth..].as_ptr();
            let numbers = bias[first..].as_ptr();
            for tile in tiles {
                if let (true, Some(residual)) = (valid < width, residual) {
                    for (added, &at) in added.iter_mut().zip(&tile.beside) {
                        added[..valid].copy_from_slice(&residual.data[at + first..][..valid]);
                    }
                }
                let beside = residual.map(|residual| {
                    let data = residual.data.as_ptr();
                    if valid == width {
                        tile.beside.map(|at| data.wrapping_add(at + first))
                    } else {
                        added.each_ref().map(|row| row.as_ptr())
                    }
                });
                let target = output.as_mut_ptr();
                let job = Job {
                    rows: tile.from.map(|at| pixels.data.as_ptr().wrapping_add(at)),
                    runs: pixels.runs,
                    run: pixels.run,
                    panel,
                    bias: numbers,
                    residual: beside,
                    outputs: if valid == width {
                        tile.to.map(|at| target.wrapping_add(at + first))
                    } else {
                        room.each_mut().map(|row| row.as_mut_ptr())
                    },
                    activation,
                };
                // SAFETY: starts ascend to those of the last pixel, for which the assertions above hold; past
                // `count` a tile repeats a pixel. A panel has `depth x width` values, `bias` is padded past the
                // last panel. A narrower last panel reads and writes rooms of `WIDTH` lanes.
                unsafe { run(isa, tile.height, width / lanes(isa), &job) };
                if valid < width {
                    for (room, &at) in room.iter().zip(&tile.to).take(tile.count) {
                        output[at + first..][..valid].copy_from_slice(&room[..valid]);
                    }
                }
            }
            first += width;
        }
    }
}
