//! Twins of [`crate::kernel::canny`].

use super::sobel::{binomial, binomial_derivative, gradient_integer};
use crate::image::{Border, BorderMode, Plane};

/// The classes of Canny, 0, 1 or 2: gradients of replicated edges, sectors by angles, no strength
/// beyond the edge. Levels are compared with the strengths as they are: squares when `squared`.
pub fn classes(image: &Plane<u8>, size: usize, squared: bool, low: i64, high: i64) -> Plane<u8> {
    let (width, height) = (image.width(), image.height());
    let border = Border::new(BorderMode::Replicate);
    let gradient = gradient_integer(image, &binomial(size), &binomial_derivative(size), border, 0);
    let strength = |x: isize, y: isize| {
        if x < 0 || y < 0 || x >= width as isize || y >= height as isize {
            return 0;
        }
        let (dx, dy) = gradient[y as usize * width + x as usize];
        if squared { dx * dx + dy * dy } else { dx.abs() + dy.abs() }
    };
    Plane::from_fn(width, height, |x, y| {
        let (dx, dy) = gradient[y * width + x];
        let (x, y) = (x as isize, y as isize);
        let here = strength(x, y);
        // tan 22.5° = sqrt(2) - 1 to 15 bits; tan 67.5° is 2 more.
        let slope = ((std::f64::consts::SQRT_2 - 1.0) * 32768.0).round() as i64;
        let crest = if 32768 * dy.abs() < slope * dx.abs() {
            here > strength(x - 1, y) && here >= strength(x + 1, y)
        } else if 32768 * dy.abs() > (slope + 65536) * dx.abs() {
            here > strength(x, y - 1) && here >= strength(x, y + 1)
        } else {
            // Down to the right where both rise or both fall.
            let side = if (dx < 0) == (dy < 0) { 1 } else { -1 };
            here > strength(x - side, y - 1) && here > strength(x + side, y + 1)
        };
        if crest && here > low { 1 + u8::from(here > high) } else { 0 }
    })
}
