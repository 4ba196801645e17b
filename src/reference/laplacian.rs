//! Second derivatives, with the whole window at once.

use super::{at, placement};
use crate::image::{Border, Pixel, Plane};

/// The sum of products with the weights of a square window, for every output pixel.
pub fn correlate<T: Pixel + Into<f64>>(
    plane: &Plane<T>,
    weights: &[f64],
    size: usize,
    border: Border,
    constant: T,
) -> Vec<f64> {
    let (width, height, left, top) = placement(plane, (size, size), (size / 2, size / 2), border);
    let mut out = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let mut sum = 0.0;
            for (i, weight) in weights.iter().enumerate() {
                let (x, y) = ((x + i % size) as isize + left, (y + i / size) as isize + top);
                sum += weight * at(plane, border.mode, constant, x, y).into();
            }
            out.push(sum);
        }
    }
    out
}

/// `(x² + y² - 2 sigma²) / sigma⁴` times the Gaussian, which sums to 1 over the window.
pub fn laplacian_of_gaussian(sigma: f64) -> (usize, Vec<f64>) {
    let radius = (4.0 * sigma + 0.5).floor() as i64;
    let size = 2 * radius as usize + 1;
    let square = |i: usize| {
        let (x, y) = (i as i64 % size as i64 - radius, i as i64 / size as i64 - radius);
        (x * x + y * y) as f64
    };
    let heights: Vec<f64> = (0..size * size).map(|i| (-square(i) / (2.0 * sigma * sigma)).exp()).collect();
    let total: f64 = heights.iter().sum();
    let curve = |i: usize| (square(i) - 2.0 * sigma * sigma) / sigma.powi(4);
    (size, (0..size * size).map(|i| curve(i) * heights[i] / total).collect())
}
