//! Distances from the background, by looking at every pixel.

use crate::image::{Plane, View};

/// The least squared distance of each pixel from a background pixel, `None` without one.
pub fn squared_distances(mask: View<u8>) -> Option<Plane<u64>> {
    let (width, height) = (mask.width(), mask.height());
    let zeros: Vec<(usize, usize)> = (0..height)
        .flat_map(|y| (0..width).map(move |x| (x, y)))
        .filter(|&(x, y)| mask.row(y)[x] == 0)
        .collect();
    let square = |x: usize, y: usize| {
        zeros
            .iter()
            .map(|&(a, b)| (a.abs_diff(x) * a.abs_diff(x) + b.abs_diff(y) * b.abs_diff(y)) as u64)
            .min()
    };
    if zeros.is_empty() && width * height > 0 {
        return None;
    }
    Some(Plane::from_fn(width, height, |x, y| square(x, y).unwrap_or_default()))
}
