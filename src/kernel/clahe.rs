//! Tables of tiles, and rows looked up in four of them each, which are blended by the distance to their tiles.
#![allow(clippy::inline_always, reason = "only what is inlined is compiled for the instruction set")]

use super::Isa;
use super::pixel::Sample;

/// Where a coordinate lies between two tiles: the first and the second of them, and the second's share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Between {
    /// The tile before.
    pub first: usize,
    /// The tile after; the same at the edges.
    pub second: usize,
    /// The share of the tile after, 0..=1.
    pub part: f32,
}

impl Between {
    /// Coordinate `at` between the centres of `tiles` tiles of `size` pixels.
    pub fn new(at: usize, size: usize, tiles: usize) -> Self {
        let place = at as f32 * (1.0 / size as f32) - 0.5;
        let floor = place.floor();
        let first = floor.max(0.0) as usize;
        let second = ((floor + 1.0) as usize).min(tiles - 1);
        Self { first, second, part: place - floor }
    }
}

/// Four entries, of the tiles above left, above right, below left, below right, blended across and then
/// down, each step rounded to `f32`.
#[inline(always)]
fn blend([a, b, c, d]: [f32; 4], across: f32, down: f32) -> f32 {
    let above = a * (1.0 - across) + b * across;
    let below = c * (1.0 - across) + d * across;
    above * (1.0 - down) + below * down
}

/// Pixels whose entries are fetched before they are blended, so that the arithmetic runs in vectors.
const CHUNK: usize = 64;

/// Pixels of 8 bit between the same four tiles, whose entries for one value stand side by side in `quads`.
pub fn clahe_u8_row(
    isa: Isa,
    pixels: &[u8],
    quads: &[[u8; 4]; 256],
    across: &[f32],
    down: f32,
    out: &mut [u8],
) {
    isa.run(
        #[inline(always)]
        || {
            let mut fetched = [0; CHUNK];
            let chunks = pixels.chunks(CHUNK).zip(across.chunks(CHUNK)).zip(out.chunks_mut(CHUNK));
            for ((pixels, across), out) in chunks {
                for (quad, &pixel) in fetched.iter_mut().zip(pixels) {
                    *quad = u32::from_le_bytes(quads[usize::from(pixel)]);
                }
                for ((&quad, &across), out) in fetched.iter().zip(across).zip(out) {
                    let entry = |shift: u32| ((quad >> shift) & 255) as i32 as f32;
                    let entries = [entry(0), entry(8), entry(16), entry(24)];
                    *out = u8::saturate(blend(entries, across, down));
                }
            }
        },
    );
}

/// Pixels between the same four tiles, each with a table of all values.
pub fn clahe_row<T: Sample + Into<usize>>(
    isa: Isa,
    pixels: &[T],
    tables: [&[T]; 4],
    across: &[f32],
    down: f32,
    out: &mut [T],
) {
    isa.run(
        #[inline(always)]
        || {
            let mut fetched = [[0.0; CHUNK]; 4];
            let chunks = pixels.chunks(CHUNK).zip(across.chunks(CHUNK)).zip(out.chunks_mut(CHUNK));
            for ((pixels, across), out) in chunks {
                for (entries, table) in fetched.iter_mut().zip(tables) {
                    for (entry, &pixel) in entries.iter_mut().zip(pixels) {
                        *entry = table[pixel.into()].widen();
                    }
                }
                let [a, b, c, d] = &fetched;
                let entries = a.iter().zip(b).zip(c.iter().zip(d));
                for ((((a, b), (c, d)), &across), out) in entries.zip(across).zip(out) {
                    *out = T::saturate(blend([*a, *b, *c, *d], across, down));
                }
            }
        },
    );
}

/// The table of a tile from its counts, which are cut at `limit`, if there is one, and summed up to each value;
/// an entry is that sum times `scale`, rounded.
pub fn tile_table<T: Sample>(isa: Isa, counts: &mut [u32], limit: Option<u32>, scale: f32, table: &mut [T]) {
    isa.run(
        #[inline(always)]
        || {
            if let Some(limit) = limit {
                clip(counts, limit);
            }
            let mut sum = 0;
            for count in counts.iter_mut() {
                sum += *count;
                *count = sum;
            }
            for (entry, &mut sum) in table.iter_mut().zip(counts) {
                *entry = T::saturate(sum as f32 * scale);
            }
        },
    );
}

/// Cuts counts at a limit and spreads what was cut evenly; the rest goes to values at even steps.
#[inline(always)]
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
