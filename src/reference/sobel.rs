//! Twins of [`crate::kernel::sobel`]: the whole window at once.

use super::{at, placement};
use crate::image::{Border, Pixel, Plane};

/// Taps of a binomial of so many elements: a row of Pascal's triangle.
pub fn binomial(size: usize) -> Vec<i64> {
    let mut row = vec![1];
    for _ in 1..size {
        let mut next = vec![1];
        next.extend(row.windows(2).map(|pair| pair[0] + pair[1]));
        next.push(1);
        row = next;
    }
    row
}

/// A binomial derivative: the difference of neighbours smoothed by a binomial two taps shorter.
pub fn binomial_derivative(size: usize) -> Vec<i64> {
    let smooth = binomial(size - 2);
    let mut taps = vec![0; size];
    for (i, &tap) in smooth.iter().enumerate() {
        taps[i] -= tap;
        taps[i + 2] += tap;
    }
    taps
}

/// Both derivatives of integers, exact, row by row.
pub fn gradient_integer<T: Pixel + Into<i64>>(
    plane: &Plane<T>,
    smooth: &[i64],
    derive: &[i64],
    border: Border,
    constant: T,
) -> Vec<(i64, i64)> {
    let n = smooth.len();
    let (width, height, left, top) = placement(plane, (n, n), (n / 2, n / 2), border);
    let mut out = Vec::new();
    for y in 0..height as isize {
        for x in 0..width as isize {
            let (mut dx, mut dy) = (0, 0);
            for j in 0..n {
                for i in 0..n {
                    let (x, y) = (x + left + i as isize, y + top + j as isize);
                    let pixel: i64 = at(plane, border.mode, constant, x, y).into();
                    dx += derive[i] * smooth[j] * pixel;
                    dy += smooth[i] * derive[j] * pixel;
                }
            }
            out.push((dx, dy));
        }
    }
    out
}

/// Both derivatives of floats in the documented order: columns from the top, then rows from the
/// left, zero taps left out, each step rounded to `f32`.
pub fn gradient_f32(plane: &Plane<f32>, smooth: &[i64], derive: &[i64], border: Border) -> Vec<(f32, f32)> {
    let n = smooth.len();
    let (width, height, left, top) = placement(plane, (n, n), (n / 2, n / 2), border);
    let sum = |taps: &[i64], value: &dyn Fn(usize) -> f32| {
        let mut products =
            (0..n).filter(|&k| taps[k] != 0).map(|k| taps[k] as f32 * value(k)).collect::<Vec<_>>();
        let first = products.remove(0);
        products.into_iter().fold(first, |sum, product| sum + product)
    };
    let mut out = Vec::new();
    for y in 0..height as isize {
        for x in 0..width as isize {
            let pixel = |i: usize, j: usize| {
                at(plane, border.mode, border.value, x + left + i as isize, y + top + j as isize)
            };
            let dx = sum(derive, &|i| sum(smooth, &|j| pixel(i, j)));
            let dy = sum(smooth, &|i| sum(derive, &|j| pixel(i, j)));
            out.push((dx, dy));
        }
    }
    out
}
