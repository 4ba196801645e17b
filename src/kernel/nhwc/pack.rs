//! Filters as they lie in memory, packed for products.

use super::layout::{SIDE, columns};
use super::product::Panels;
use crate::kernel::Isa;

/// Packs `[filters, channels, taps]`. The depth of a filter is tap after tap all channels. `room` gives memory for so
/// many values, whatever they are.
///
/// # Panics
/// When there are fewer weights.
pub fn pack(
    isa: Isa,
    weight: &[f32],
    [filters, channels, taps]: [usize; 3],
    room: impl FnMut(usize) -> Vec<f32>,
) -> Panels {
    let depth = channels * taps;
    let mut panels = Panels::in_room(isa, filters, depth, 0, room);
    for first in (0..filters).step_by(SIDE) {
        let rows = SIDE.min(filters - first);
        for at in (0..depth).step_by(SIDE) {
            let count = SIDE.min(depth - at);
            let block = columns(isa, [rows, count], (&weight[first * depth + at..], depth));
            for (lanes, at) in block.iter().zip(at..at + count) {
                panels.put(at % taps * channels + at / taps, first, lanes);
            }
        }
    }
    panels
}

/// Packs `[filters, channels, taps]` with filters and channels in each other's place. The depth of a channel is all
/// filters for each of some taps, in the order given.
///
/// # Panics
/// When there are fewer weights, or no such tap.
pub fn pack_turned(
    isa: Isa,
    weight: &[f32],
    [filters, channels, taps]: [usize; 3],
    order: &[usize],
    room: impl FnMut(usize) -> Vec<f32>,
) -> Panels {
    let mut panels = Panels::in_room(isa, channels, filters * order.len(), 0, room);
    for filter in 0..filters {
        let weight = &weight[filter * channels * taps..][..channels * taps];
        for first in (0..channels).step_by(SIDE) {
            let rows = SIDE.min(channels - first);
            for tap in (0..taps).step_by(SIDE) {
                let count = SIDE.min(taps - tap);
                let block = columns(isa, [rows, count], (&weight[first * taps + tap..], taps));
                for (i, wanted) in order.iter().enumerate() {
                    if (tap..tap + count).contains(wanted) {
                        panels.put(i * filters + filter, first, &block[wanted - tap]);
                    }
                }
            }
        }
    }
    panels
}

/// Adds sums of outer products to `gradient` of `[filters, channels, taps]`: `at(tap)` says where the sums of a tap begin,
/// of which there are a row of filters for each channel, `stride` apart.
///
/// # Panics
/// When there are fewer sums than that.
pub fn unpack(
    isa: Isa,
    sums: &[f32],
    stride: usize,
    at: impl Fn(usize) -> usize,
    [filters, channels, taps]: [usize; 3],
    gradient: &mut [f32],
) {
    for first in (0..filters).step_by(SIDE) {
        let rows = SIDE.min(filters - first);
        for channel in 0..channels {
            for tap in (0..taps).step_by(SIDE) {
                let count = SIDE.min(taps - tap);
                let mut block = [[0.0; SIDE]; SIDE];
                for (lanes, tap) in block.iter_mut().zip(tap..tap + count) {
                    lanes[..rows].copy_from_slice(&sums[at(tap) + channel * stride + first..][..rows]);
                }
                let turned = columns(isa, [count, rows], (block.as_flattened(), SIDE));
                for (r, values) in turned.iter().enumerate().take(rows) {
                    let start = ((first + r) * channels + channel) * taps + tap;
                    for (target, value) in gradient[start..][..count].iter_mut().zip(values) {
                        *target += value;
                    }
                }
            }
        }
    }
}
