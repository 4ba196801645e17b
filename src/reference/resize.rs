//! Twins of [`crate::kernel::resize`], in real numbers.

use crate::image::{Pixel, Plane};

/// Between the four nearest centres; beyond the edge, the edge counts.
pub fn bilinear<T: Pixel + Into<f64>>(plane: &Plane<T>, width: usize, height: usize) -> Vec<f64> {
    let value = |x: i64, y: i64| -> f64 {
        let x = x.clamp(0, plane.width() as i64 - 1) as usize;
        let y = y.clamp(0, plane.height() as i64 - 1) as usize;
        plane.get(x, y).into()
    };
    let mut out = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let cx = (x as f64 + 0.5) * plane.width() as f64 / width as f64 - 0.5;
            let cy = (y as f64 + 0.5) * plane.height() as f64 / height as f64 - 0.5;
            let (x, y) = (cx.floor(), cy.floor());
            let (tx, ty) = (cx - x, cy - y);
            let (x, y) = (x as i64, y as i64);
            let above = value(x, y) * (1.0 - tx) + value(x + 1, y) * tx;
            let below = value(x, y + 1) * (1.0 - tx) + value(x + 1, y + 1) * tx;
            out.push(above * (1.0 - ty) + below * ty);
        }
    }
    out
}

/// The mean over each output pixel's cell, by the area of its overlap with every pixel.
pub fn area<T: Pixel + Into<f64>>(plane: &Plane<T>, width: usize, height: usize) -> Vec<f64> {
    let overlap = |n: usize, m: usize, output: usize, input: usize| {
        let (n, m) = (n as f64, m as f64);
        let start = (output as f64 * n / m).max(input as f64);
        let end = ((output as f64 + 1.0) * n / m).min(input as f64 + 1.0);
        (end - start).max(0.0)
    };
    let cell = plane.width() as f64 / width as f64 * plane.height() as f64 / height as f64;
    let mut out = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let mut sum = 0.0;
            for v in 0..plane.height() {
                let down = overlap(plane.height(), height, y, v);
                for u in 0..plane.width() {
                    let across = if down > 0.0 { overlap(plane.width(), width, x, u) } else { 0.0 };
                    let pixel: f64 = plane.get(u, v).into();
                    sum += pixel * down * across;
                }
            }
            out.push(sum / cell);
        }
    }
    out
}
