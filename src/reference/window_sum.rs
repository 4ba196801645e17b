//! Means over windows, and the thresholds made of them, one pixel at a time.

use super::{at, placement};
use crate::image::{Border, Pixel, Plane};

/// The sums of the values of a window, and of their squares, and how many there are, for every output pixel.
pub fn sums<T: Pixel + Into<f64>>(
    plane: &Plane<T>,
    size: (usize, usize),
    border: Border,
    constant: T,
) -> (usize, usize, Vec<[f64; 2]>) {
    let (width, height, left, top) = placement(plane, size, (size.0 / 2, size.1 / 2), border);
    let mut all = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let mut sums = [0.0; 2];
            for dy in 0..size.1 {
                for dx in 0..size.0 {
                    let (x, y) = ((x + dx) as isize + left, (y + dy) as isize + top);
                    let value: f64 = at(plane, border.mode, constant, x, y).into();
                    sums[0] += value;
                    sums[1] += value * value;
                }
            }
            all.push(sums);
        }
    }
    (width, height, all)
}

/// The mean of integers, rounded to nearest, halves up.
pub fn rounded_mean(sum: f64, area: usize) -> i64 {
    let (sum, area) = (sum as i64, area as i64);
    (2 * sum + area).div_euclid(2 * area)
}

/// Mean and standard deviation.
pub fn mean_and_deviation([sum, squares]: [f64; 2], area: usize) -> (f64, f64) {
    let mean = sum / area as f64;
    (mean, (squares / area as f64 - mean * mean).max(0.0).sqrt())
}
