//! The twin of [`crate::kernel::clahe`] and [`crate::ops::clahe()`].

use crate::image::{BorderMode, Plane};

/// Equalizes by tiles: for every pixel, the results of its four nearest tiles, blended in `f32`.
///
/// `values` is how many values a pixel can have.
pub fn clahe(plane: &Plane<u16>, values: usize, clip_limit: f64, tiles: (usize, usize)) -> Plane<u16> {
    let (width, height) = (plane.width(), plane.height());
    let fits = width % tiles.0 == 0 && height % tiles.1 == 0;
    let extra = usize::from(!fits);
    let (tile_width, tile_height) = (width / tiles.0 + extra, height / tiles.1 + extra);
    let area = (tile_width * tile_height) as f64;

    let map = |tile_x: usize, tile_y: usize| -> Vec<f32> {
        let mut counts = vec![0u64; values];
        for j in 0..tile_height {
            for i in 0..tile_width {
                let x = BorderMode::Reflect101.map((tile_x * tile_width + i) as isize, width).unwrap_or(0);
                let y = BorderMode::Reflect101.map((tile_y * tile_height + j) as isize, height).unwrap_or(0);
                counts[usize::from(plane.get(x, y))] += 1;
            }
        }
        if clip_limit > 0.0 {
            let limit = ((clip_limit * area / values as f64).floor() as u64).max(1);
            let cut: u64 = counts.iter().map(|&count| count.max(limit) - limit).sum();
            let (each, rest) = (cut / values as u64, (cut % values as u64) as usize);
            let step = (values / rest.max(1)).max(1);
            for (i, count) in counts.iter_mut().enumerate() {
                let is_first = i % step == 0 && i / step < rest;
                *count = (*count).min(limit) + each + u64::from(is_first);
            }
        }
        let scale = (values - 1) as f32 / area as f32;
        let upto = |value: usize| counts[..=value].iter().sum::<u64>();
        (0..values).map(|value| (upto(value) as f32 * scale).round_ties_even()).collect()
    };
    let mut maps = std::collections::HashMap::new();
    Plane::from_fn(width, height, |x, y| {
        let between = |at: usize, size: usize, count: usize| {
            let place = at as f32 * (1.0f32 / size as f32) - 0.5f32;
            let first = place.floor();
            let index = |tile: f32| (tile as i64).clamp(0, count as i64 - 1) as usize;
            (index(first), index(first + 1.0), place - first)
        };
        let (left, right, tx) = between(x, tile_width, tiles.0);
        let (top, bottom, ty) = between(y, tile_height, tiles.1);
        let mut entry = |tile: (usize, usize)| {
            maps.entry(tile).or_insert_with(|| map(tile.0, tile.1))[usize::from(plane.get(x, y))]
        };
        let above = entry((left, top)) * (1.0f32 - tx) + entry((right, top)) * tx;
        let below = entry((left, bottom)) * (1.0f32 - tx) + entry((right, bottom)) * tx;
        (above * (1.0f32 - ty) + below * ty).round_ties_even() as u16
    })
}
