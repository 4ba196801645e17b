//! Edge linking as a fixpoint.

use crate::image::{Plane, View};

/// [`hysteresis_of`] eight neighbours.
pub fn hysteresis(classes: View<u8>) -> Plane<u8> {
    hysteresis_of(classes, true)
}

/// Strong pixels (2 and more) are edges, and weak ones (1) with an edge among their eight, or four,
/// neighbours, again and again until nothing changes. 255 for edges, else 0.
pub fn hysteresis_of(classes: View<u8>, eight: bool) -> Plane<u8> {
    let (w, h) = (classes.width() as i64, classes.height() as i64);
    let mut edges =
        Plane::from_fn(
            classes.width(),
            classes.height(),
            |x, y| {
                if classes.get(x, y) >= 2 { 255 } else { 0 }
            },
        );
    loop {
        let before = edges.clone();
        let is_edge =
            |x: i64, y: i64| x >= 0 && y >= 0 && x < w && y < h && before.get(x as usize, y as usize) == 255;
        for y in 0..h {
            for x in 0..w {
                let near = (-1..=1)
                    .any(|dy| (-1..=1).any(|dx| (eight || dx == 0 || dy == 0) && is_edge(x + dx, y + dy)));
                if near && classes.get(x as usize, y as usize) == 1 {
                    edges.set(x as usize, y as usize, 255);
                }
            }
        }
        if edges == before {
            return edges;
        }
    }
}
