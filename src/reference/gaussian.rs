//! Twins of [`crate::kernel::gaussian`]: the whole window at once.

use super::{at, placement};
use crate::image::{Border, Pixel, Plane};

/// Samples of a Gaussian that sum to 1. For sigma 0 binomial coefficients, which are what sizes up to 5 are
/// smoothed with then.
pub fn weights(size: usize, sigma: f64) -> Vec<f64> {
    if sigma == 0.0 {
        let mut row = vec![0.0; size];
        row[0] = 1.0;
        for power in 1..size {
            for i in (1..=power).rev() {
                row[i] += row[i - 1];
            }
        }
        let sum: f64 = row.iter().sum();
        return row.iter().map(|coefficient| coefficient / sum).collect();
    }
    let centre = (size as f64 - 1.0) / 2.0;
    let samples: Vec<f64> =
        (0..size).map(|i| (-(i as f64 - centre).powi(2) / (2.0 * sigma * sigma)).exp()).collect();
    let sum: f64 = samples.iter().sum();
    samples.iter().map(|sample| sample / sum).collect()
}

/// Samples in units of `1 / one`: errors of rounding move inwards, the centre makes the sum exact.
pub fn fixed_weights(size: usize, sigma: f64, one: i64) -> Vec<i64> {
    let exact = weights(size, sigma);
    let mut fixed = vec![0; size];
    let mut carried = 0.0;
    for i in 0..size / 2 {
        let wanted = exact[i] * one as f64 + carried;
        fixed[i] = wanted.round_ties_even() as i64;
        carried = wanted - fixed[i] as f64;
        fixed[size - 1 - i] = fixed[i];
    }
    fixed[size / 2] = one - fixed.iter().sum::<i64>();
    fixed
}

/// The window's products with the outer product of `weights`, in units of `1 / one²`, rounded half
/// up, row by row. One channel.
pub fn gaussian_integer<T: Pixel + Into<i64>>(
    plane: &Plane<T>,
    weights: &[i64],
    one: i64,
    border: Border,
    constant: T,
) -> Vec<i64> {
    let size = weights.len();
    let (width, height, left, top) = placement(plane, (size, size), (size / 2, size / 2), border);
    let value = |x: usize, y: usize| {
        let mut sum = 0i128;
        for j in 0..size {
            for i in 0..size {
                let (x, y) = (x as isize + left + i as isize, y as isize + top + j as isize);
                let pixel: i64 = at(plane, border.mode, constant, x, y).into();
                sum += i128::from(weights[j]) * i128::from(weights[i]) * i128::from(pixel);
            }
        }
        let unit = i128::from(one) * i128::from(one);
        (sum + unit / 2).div_euclid(unit) as i64
    };
    (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| value(x, y)).collect()
}

/// Floats in the documented order: the columns of the window, then the row of their sums, each from
/// the centre outwards in pairs, each step rounded to `f32`.
pub fn gaussian_f32(plane: &Plane<f32>, weights: &[f32], border: Border) -> Plane<f32> {
    let size = weights.len();
    let radius = size / 2;
    let (width, height, left, top) = placement(plane, (size, size), (radius, radius), border);
    let outwards = |value: &dyn Fn(usize) -> f32| {
        let mut sum = weights[radius] * value(radius);
        for j in 1..=radius {
            let pair = value(radius - j) + value(radius + j);
            sum += weights[radius + j] * pair;
        }
        sum
    };
    Plane::from_fn(width, height, |x, y| {
        outwards(&|i| {
            outwards(&|j| {
                let (x, y) = (x as isize + left + i as isize, y as isize + top + j as isize);
                at(plane, border.mode, border.value, x, y)
            })
        })
    })
}
