//! Which windows are background, and random ones of them.

use crate::eval::dataset::LabelledBox;
use crate::nn::Rng;

/// Places that are tried for a window before it is given up.
const TRIES: u64 = 64;
/// The share of a box that a window of background contains at most.
const MOST_CONTAINED: f64 = 0.5;

/// Whether a window overlaps no box by `overlap`, intersection over union, or more, contains at most half of each, and
/// lies less than `overlap` of itself on what is neither object nor background.
pub(super) fn is_background(window: [f64; 4], boxes: &[LabelledBox], overlap: f64) -> bool {
    boxes.iter().all(|found| {
        let bounds = found.bounds();
        let side = |axis: usize| {
            let end = (window[axis] + window[axis + 2]).min(bounds[axis] + bounds[axis + 2]);
            (end - window[axis].max(bounds[axis])).max(0.0)
        };
        let both = side(0) * side(1);
        let (own, other) = (window[2] * window[3], bounds[2] * bounds[3]);
        let is_apart = both < overlap * (own + other - both) && both <= MOST_CONTAINED * other;
        both == 0.0 || is_apart && (!found.is_ignored() || both < overlap * own)
    })
}

/// Up to `count` windows of background in a picture of a width and height, for a net of channels, height and width.
pub(super) fn draw(
    rng: Rng,
    size: [usize; 2],
    shape: [usize; 3],
    boxes: &[LabelledBox],
    overlap: f64,
    count: usize,
) -> Vec<[f64; 4]> {
    let [_, net_height, net_width] = shape.map(|side| side as f64);
    let [width, height] = size.map(|side| side as f64);
    // Smaller windows than the net's have fewer pixels than it sees.
    let largest = (width / net_width).min(height / net_height);
    let smallest = largest.min(1.0);
    let mut found = Vec::new();
    for number in 0..count {
        let rng = rng.substream(number as u64);
        for attempt in 0..TRIES {
            let scale = smallest * libm::pow(largest / smallest, f64::from(rng.uniform(3 * attempt)));
            let side = |net: f64, most: usize| ((net * scale).round() as usize).clamp(1, most);
            let (wide, high) = (side(net_width, size[0]), side(net_height, size[1]));
            let x = rng.below(3 * attempt + 1, size[0] - wide + 1);
            let y = rng.below(3 * attempt + 2, size[1] - high + 1);
            let window = [x, y, wide, high].map(|value| value as f64);
            if is_background(window, boxes, overlap) {
                found.push(window);
                break;
            }
        }
    }
    found
}
