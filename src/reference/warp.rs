//! Twins of [`crate::kernel::warp`] and of the geometry that only moves pixels.

use super::at;
use crate::image::{Affine, BorderMode, Pixel, Plane};

/// How far a cubic kernel with the parameter -0.75 reaches, in units of 1/2048.
fn keys(distance: i64) -> i64 {
    let d = (distance as f64 / 2048.0).abs();
    let weight = match d {
        d if d <= 1.0 => 1.25 * d * d * d - 2.25 * d * d + 1.0,
        d if d < 2.0 => -0.75 * d * d * d + 3.75 * d * d - 6.0 * d + 3.0,
        _ => 0.0,
    };
    (weight * 2048.0).round_ties_even() as i64
}

/// Taps along one axis: index of the input, and weight in units of 1/2048.
fn taps(position: i64, reach: i64) -> Vec<(i64, i64)> {
    let (whole, part) = (position.div_euclid(2048), position.rem_euclid(2048));
    match reach {
        0 => vec![((position + 1024).div_euclid(2048), 2048)],
        1 => vec![(whole, 2048 - part), (whole + 1, part)],
        _ => {
            let mut taps: Vec<(i64, i64)> = (-1..=2).map(|k| (whole + k, keys(k * 2048 - part))).collect();
            // What rounding left over goes to the nearest.
            let rest = 2048 - taps.iter().map(|(_, weight)| weight).sum::<i64>();
            taps[if part < 1024 { 1 } else { 2 }].1 += rest;
            taps
        }
    }
}

/// Every pixel of the result as the weighted sum of those its centre lies between, in units of 2^-22.
///
/// `map` leads from centres of the result to centres of the image; `reach` is 0 (nearest), 1 (bilinear) or
/// 2 (bicubic).
pub fn warp<T: Pixel + Into<i64>>(
    plane: &Plane<T>,
    map: Affine,
    (width, height): (usize, usize),
    reach: i64,
    (border, constant): (BorderMode, T),
) -> Vec<i64> {
    let fixed = |position: f64| (position * 2048.0 + 0.5).floor() as i64;
    let mut out = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let [[a, b, c], [d, e, f]] = map.rows;
            let (x, y) = (x as f64, y as f64);
            let (u, v) = (fixed(a * x + (b * y + c)), fixed(d * x + (e * y + f)));
            let mut sum = 0;
            for (j, down) in taps(v, reach) {
                for (i, across) in taps(u, reach) {
                    let value: i64 = at(plane, border, constant, i as isize, j as isize).into();
                    sum += value * across * down;
                }
            }
            out.push(sum);
        }
    }
    out
}

/// Resizing by a kernel that reaches `reach` pixels to each side, in real numbers, its weights scaled to
/// the sum one; beyond the edge, the edge counts.
pub fn resize<T: Pixel + Into<f64>>(
    plane: &Plane<T>,
    (width, height): (usize, usize),
    reach: i64,
    kernel: impl Fn(f64) -> f64,
) -> Vec<f64> {
    let taps = |position: usize, input: usize, output: usize| -> Vec<(usize, f64)> {
        let centre = (position as f64 + 0.5) * input as f64 / output as f64 - 0.5;
        let first = centre.floor() as i64;
        let window: Vec<i64> = (first + 1 - reach..=first + reach).collect();
        let sum: f64 = window.iter().map(|&i| kernel(i as f64 - centre)).sum();
        window
            .into_iter()
            .map(|i| (i.clamp(0, input as i64 - 1) as usize, kernel(i as f64 - centre) / sum))
            .collect()
    };
    let mut out = Vec::new();
    for y in 0..height {
        let down = taps(y, plane.height(), height);
        for x in 0..width {
            let across = taps(x, plane.width(), width);
            let mut sum = 0.0;
            for &(j, v) in &down {
                for &(i, u) in &across {
                    let value: f64 = plane.get(i, j).into();
                    sum += value * u * v;
                }
            }
            out.push(sum);
        }
    }
    out
}

/// Keys' cubic with the parameter -0.75.
pub fn cubic(x: f64) -> f64 {
    let d = x.abs();
    if d <= 1.0 {
        1.25 * d * d * d - 2.25 * d * d + 1.0
    } else if d < 2.0 {
        -0.75 * (d * d * d - 5.0 * d * d + 8.0 * d - 4.0)
    } else {
        0.0
    }
}

/// The sinc function, windowed by its main lobe stretched to four pixels.
pub fn lanczos(x: f64) -> f64 {
    let sinc =
        |x: f64| if x == 0.0 { 1.0 } else { (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x) };
    if x.abs() < 4.0 { sinc(x) * sinc(x / 4.0) } else { 0.0 }
}
