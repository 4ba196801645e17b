//! Measures of one region, pixel by pixel.

use crate::image::{Rect, View};

/// What the definition says of a region.
#[derive(Clone, Debug)]
pub struct Region {
    /// Number of pixels.
    pub area: u64,
    /// The rectangle round it.
    pub bbox: Rect,
    /// Mean (x, y).
    pub centroid: (f64, f64),
    /// Mean of dx², dx dy, dy² about the centroid, y downwards.
    pub covariance: [f64; 3],
    /// Mean value.
    pub mean: f64,
    /// Least value.
    pub min: f64,
    /// Greatest value.
    pub max: f64,
}

/// The region of all pixels with the label `label`, of which there is at least one.
pub fn region(labels: View<u32>, label: u32, image: View<u8>) -> Region {
    let mut pixels = Vec::new();
    for y in 0..labels.height() {
        for x in 0..labels.width() {
            if labels.get(x, y) == label {
                pixels.push((x, y, f64::from(image.get(x, y))));
            }
        }
    }
    let n = pixels.len() as f64;
    let mean = |value: &dyn Fn(f64, f64, f64) -> f64| {
        pixels.iter().map(|&(x, y, v)| value(x as f64, y as f64, v)).sum::<f64>() / n
    };
    let (cx, cy) = (mean(&|x, _, _| x), mean(&|_, y, _| y));
    let least = |value: &dyn Fn(&(usize, usize, f64)) -> usize| pixels.iter().map(value).min().unwrap_or(0);
    let greatest =
        |value: &dyn Fn(&(usize, usize, f64)) -> usize| pixels.iter().map(value).max().unwrap_or(0);
    let (left, top) = (least(&|p| p.0), least(&|p| p.1));
    let (right, bottom) = (greatest(&|p| p.0), greatest(&|p| p.1));
    Region {
        area: pixels.len() as u64,
        bbox: Rect::new(left, top, right + 1 - left, bottom + 1 - top),
        centroid: (cx, cy),
        covariance: [
            mean(&|x, _, _| (x - cx) * (x - cx)),
            mean(&|x, y, _| (x - cx) * (y - cy)),
            mean(&|_, y, _| (y - cy) * (y - cy)),
        ],
        mean: mean(&|_, _, v| v),
        min: pixels.iter().map(|p| p.2).fold(f64::INFINITY, f64::min),
        max: pixels.iter().map(|p| p.2).fold(f64::NEG_INFINITY, f64::max),
    }
}
