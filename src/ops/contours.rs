//! Contours of a mask: the pixels along the edges of its parts and of their holes.
//!
//! Border following of S. Suzuki and K. Abe (1985): equal to OpenCV's `findContours` with
//! `CHAIN_APPROX_NONE`, or `CHAIN_APPROX_SIMPLE` where straight pieces are left out.

use super::band::{Cancelled, poll};
use crate::Result;
use crate::image::{Plane, View};

/// One edge.
///
/// ```
/// use lyncean::image::Plane;
/// use lyncean::ops::contours::{Contour, contours};
///
/// let mask = Plane::from_fn(6, 5, |x, y| u8::from((1..5).contains(&x) && (1..4).contains(&y)));
/// let found: Vec<Contour> = contours(mask.view(), &|| false)?;
/// assert_eq!((found.len(), found[0].area(), found[0].simplified().points.len()), (1, 6.0, 4));
/// # Ok::<(), lyncean::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contour {
    /// Pixels of the foreground along it, as (x, y), one after the other; closed.
    pub points: Vec<(i32, i32)>,
    /// Whether it is the edge of a hole.
    pub is_hole: bool,
    /// The contour that it lies directly in: of a hole the part's, of a part that of the hole it lies in.
    pub parent: Option<usize>,
}

impl Contour {
    /// The area within the points (C. F. Gauss): `cv2.contourArea`.
    pub fn area(&self) -> f64 {
        let twice: i64 = self.steps().map(|((ax, ay), (bx, by))| ax * by - bx * ay).sum();
        twice.abs() as f64 / 2.0
    }

    /// The length of the closed line through the points: `cv2.arcLength`.
    pub fn length(&self) -> f64 {
        self.steps().map(|((ax, ay), (bx, by))| (((bx - ax).pow(2) + (by - ay).pow(2)) as f64).sqrt()).sum()
    }

    fn steps(&self) -> impl Iterator<Item = ((i64, i64), (i64, i64))> {
        let wide = |(x, y): (i32, i32)| (i64::from(x), i64::from(y));
        let next = self.points.iter().skip(1).chain(self.points.first());
        self.points.iter().zip(next).map(move |(&a, &b)| (wide(a), wide(b)))
    }

    /// The same line with its corners alone.
    #[must_use]
    pub fn simplified(&self) -> Self {
        let count = self.points.len();
        let step = |from: usize, to: usize| {
            let ((ax, ay), (bx, by)) = (self.points[from], self.points[to]);
            (bx - ax, by - ay)
        };
        let is_corner = |i: &usize| step((i + count - 1) % count, *i) != step(*i, (i + 1) % count);
        let points: Vec<_> = if count < 3 {
            self.points.clone()
        } else {
            (0..count).filter(is_corner).map(|i| self.points[i]).collect()
        };
        Self { points, ..self.clone() }
    }
}

/// Neighbours clockwise as seen on the screen, from the right.
const AROUND: [(isize, isize); 8] = [(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)];

/// All contours of the pixels that are not 0, in raster order of where they are met first.
///
/// # Errors
/// [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn contours(mask: View<u8>, cancelled: Cancelled) -> Result<Vec<Contour>> {
    let (width, height) = (mask.width() + 2, mask.height() + 2);
    // With a frame of background; later the number of the border that a pixel belongs to, negative
    // where the background follows on its right.
    let mut field = Plane::<i32>::new(width, height);
    for y in 0..mask.height() {
        for (out, &pixel) in field.row_mut(y + 1)[1..].iter_mut().zip(mask.row(y)) {
            *out = i32::from(pixel != 0);
        }
    }
    let mut found: Vec<Contour> = Vec::new();
    for y in 1..height.saturating_sub(1) {
        poll(cancelled)?;
        let mut last = 1;
        for x in 1..width - 1 {
            let value = field.get(x, y);
            if value == 0 {
                continue;
            }
            let is_outer = value == 1 && field.get(x - 1, y) == 0;
            let is_hole = !is_outer && value >= 1 && field.get(x + 1, y) == 0;
            if is_outer || is_hole {
                if is_hole && value > 1 {
                    last = value;
                }
                // The border met last on this row tells what this one lies in.
                let before = (last >= 2).then(|| last as usize - 2);
                let parent = before.and_then(|before| match found[before].is_hole == is_hole {
                    true => found[before].parent,
                    false => Some(before),
                });
                let number = found.len() as i32 + 2;
                let points = follow(&mut field, (x, y), is_hole, number);
                found.push(Contour { points, is_hole, parent });
            }
            let value = field.get(x, y);
            if value != 1 {
                last = value.abs();
            }
        }
    }
    Ok(found)
}

/// Walks along a border and marks it.
fn follow(field: &mut Plane<i32>, start: (usize, usize), is_hole: bool, number: i32) -> Vec<(i32, i32)> {
    let step = |(x, y): (usize, usize), way: usize| {
        let (dx, dy) = AROUND[way % 8];
        ((x as isize + dx) as usize, (y as isize + dy) as usize)
    };
    let point = |(x, y): (usize, usize)| (x as i32 - 1, y as i32 - 1);
    // Background lies to the left of an outer border, to the right of a hole's.
    let background = if is_hole { 0 } else { 4 };
    let is_set = |field: &Plane<i32>, (x, y): (usize, usize)| field.get(x, y) != 0;
    let first = (1..8).map(|turn| background + turn).find(|&way| is_set(field, step(start, way)));
    let Some(first) = first else {
        field.set(start.0, start.1, -number);
        return vec![point(start)];
    };
    let first = step(start, first);
    let (mut before, mut here) = (first, start);
    let mut points = Vec::new();
    loop {
        points.push(point(here));
        let from = (0..8).find(|&way| step(here, way) == before).unwrap_or_default();
        let mut saw_right = false;
        let mut next = before;
        for turn in 1..=8 {
            // Counter-clockwise.
            let way = (from + 8 - turn) % 8;
            let place = step(here, way);
            if is_set(field, place) {
                next = place;
                break;
            }
            saw_right |= way == 0;
        }
        if saw_right {
            field.set(here.0, here.1, -number);
        } else if field.get(here.0, here.1) == 1 {
            field.set(here.0, here.1, number);
        }
        if next == start && here == first {
            return points;
        }
        (before, here) = (here, next);
    }
}
