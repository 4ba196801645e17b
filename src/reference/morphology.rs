//! Twins of [`crate::kernel::morphology`].

use crate::image::{Pixel, Plane};

/// The least (or greatest) of the pixels under an element that are in the image; the element is a
/// list of offsets from the output's pixel. Where it covers none, `none`.
pub fn extremum<T: Pixel + PartialOrd>(
    plane: &Plane<T>,
    offsets: &[(isize, isize)],
    greatest: bool,
    none: T,
) -> Plane<T> {
    Plane::from_fn(plane.width(), plane.height(), |x, y| {
        let mut best: Option<T> = None;
        for (dx, dy) in offsets {
            let (x, y) = (x as isize + dx, y as isize + dy);
            if x >= 0 && y >= 0 && (x as usize) < plane.width() && (y as usize) < plane.height() {
                let value = plane.get(x as usize, y as usize);
                best = match best {
                    Some(best) if (greatest && best >= value) || (!greatest && best <= value) => Some(best),
                    _ => Some(value),
                };
            }
        }
        best.unwrap_or(none)
    })
}

/// The pixels of an element, by their equations: `rect`, `cross`, or the ellipse whose half axes are
/// half of width and height, rounded down.
pub fn element(shape: &str, width: usize, height: usize) -> Vec<(isize, isize)> {
    let (a, b) = ((width / 2) as isize, (height / 2) as isize);
    let mut offsets = Vec::new();
    for y in 0..height as isize {
        for x in 0..width as isize {
            let (dx, dy) = (x - a, y - b);
            let inside = match shape {
                "rect" => true,
                "cross" => dx == 0 || dy == 0,
                _ => {
                    // Half the chord at this height, rounded to whole pixels.
                    let half = if b == 0 {
                        0.0
                    } else {
                        a as f64 * (1.0 - (dy * dy) as f64 / (b * b) as f64).max(0.0).sqrt()
                    };
                    dx.abs() as f64 <= half.round_ties_even()
                }
            };
            if inside || (width, height) == (1, 1) {
                offsets.push((dx, dy));
            }
        }
    }
    offsets
}
