//! Medians by sorting.

use super::{at, placement};
use crate::image::{Border, Pixel, Plane};

/// The middle of the sorted values of every window of `size` pixels along both axes, an odd number.
pub fn median<T: Pixel + PartialOrd>(plane: &Plane<T>, size: usize, border: Border, constant: T) -> Plane<T> {
    let (width, height, left, top) = placement(plane, (size, size), (size / 2, size / 2), border);
    Plane::from_fn(width, height, |x, y| {
        let mut values = Vec::new();
        for dy in 0..size {
            for dx in 0..size {
                let (x, y) = ((x + dx) as isize + left, (y + dy) as isize + top);
                values.push(at(plane, border.mode, constant, x, y));
            }
        }
        values.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
        values[values.len() / 2]
    })
}
