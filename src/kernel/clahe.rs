//! Rows looked up in four tables each, which are blended by the distance to the tiles they stand for.

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
            for ((&pixel, &across), out) in pixels.iter().zip(across).zip(out) {
                let quad = u32::from_le_bytes(quads[usize::from(pixel)]);
                let entries = [0, 8, 16, 24].map(|shift| ((quad >> shift) & 255) as i32 as f32);
                *out = u8::saturate(blend(entries, across, down));
            }
        },
    );
}

/// Pixels of 16 bit between the same four tiles.
pub fn clahe_u16_row(pixels: &[u16], tables: [&[u16]; 4], across: &[f32], down: f32, out: &mut [u16]) {
    for ((&pixel, &across), out) in pixels.iter().zip(across).zip(out) {
        let entries = tables.map(|table| f32::from(table[usize::from(pixel)]));
        *out = u16::saturate(blend(entries, across, down));
    }
}
