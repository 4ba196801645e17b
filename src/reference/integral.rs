//! Summed-area tables, each entry summed from scratch.

use crate::image::{Plane, View};

/// Entry `(x, y)`: the sum of all pixels left of `x` and above `y`.
pub fn integral(image: View<u8>) -> Plane<u64> {
    sums(image, |value| value, |i, j, x, y| i < x && j < y)
}

/// The same for squares.
pub fn integral_of_squares(image: View<u8>) -> Plane<u64> {
    sums(image, |value| value * value, |i, j, x, y| i < x && j < y)
}

/// Entry `(x, y)`: the sum of the pixels `(i, j)` with `|i - x + 1| < y - j`.
pub fn integral_tilted(image: View<u8>) -> Plane<u64> {
    sums(image, |value| value, |i, j, x, y| (i - x + 1).abs() < y - j)
}

fn sums(
    image: View<u8>,
    term: impl Fn(u64) -> u64,
    inside: impl Fn(i64, i64, i64, i64) -> bool,
) -> Plane<u64> {
    Plane::from_fn(image.width() + 1, image.height() + 1, |x, y| {
        let mut sum = 0;
        for j in 0..image.height() {
            for i in 0..image.width() {
                if inside(i as i64, j as i64, x as i64, y as i64) {
                    sum += term(u64::from(image.get(i, j)));
                }
            }
        }
        sum
    })
}
