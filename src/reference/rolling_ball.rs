//! The twin of [`crate::kernel::rolling_ball`].

use crate::image::{Pixel, Plane};

/// The least of `value + radius - sqrt(radius^2 - d^2)` over all pixels at distances `d` up to the radius.
pub fn rolling_ball<T: Pixel + Into<f64>>(plane: &Plane<T>, radius: f64) -> Plane<f64> {
    let reach = radius.ceil() as i64;
    Plane::from_fn(plane.width(), plane.height(), |x, y| {
        let mut least = f64::INFINITY;
        for dy in -reach..=reach {
            for dx in -reach..=reach {
                let (i, j) = (x as i64 + dx, y as i64 + dy);
                let squares = (dx * dx + dy * dy) as f64;
                let is_inside =
                    (0..plane.width() as i64).contains(&i) && (0..plane.height() as i64).contains(&j);
                if is_inside && squares.sqrt() <= radius {
                    let value: f64 = plane.get(i as usize, j as usize).into();
                    least = least.min(value + (radius - (radius * radius - squares).max(0.0).sqrt()));
                }
            }
        }
        least
    })
}
