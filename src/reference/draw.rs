//! Drawing as a question to every pixel.

use crate::image::{Plane, View};

/// A box's outline: the pixels within its rounded edges that lie less than `line` pixels from one.
pub fn outline(
    picture: &Plane<[u8; 3]>,
    [x, y, w, h]: [f64; 4],
    line: usize,
    color: [u8; 3],
) -> Plane<[u8; 3]> {
    let round = |value: f64| (value + 0.5).floor() as i64;
    let (left, top) = (round(x), round(y));
    let (right, bottom) = (round(x + w).max(left + 1), round(y + h).max(top + 1));
    Plane::from_fn(picture.width(), picture.height(), |column, row| {
        let (i, j) = (column as i64, row as i64);
        let distances = [i - left, right - 1 - i, j - top, bottom - 1 - j];
        let nearest = distances.into_iter().min().unwrap_or(-1);
        if nearest >= 0 && nearest < line as i64 { color } else { picture.get(column, row) }
    })
}

/// A closed line through points: the pixels whose centre is at most half a line away. Points and the line's
/// width come in halves of a pixel, so that all sums are whole.
pub fn polygon(picture: &Plane<[u8; 3]>, points: &[[i64; 2]], line: i64, color: [u8; 3]) -> Plane<[u8; 3]> {
    let dot = |a: [i64; 2], b: [i64; 2]| a[0] * b[0] + a[1] * b[1];
    let less = |a: [i64; 2], b: [i64; 2]| [a[0] - b[0], a[1] - b[1]];
    // Whether a point is near the line between two others, all in halves of a pixel: four times a squared distance is
    // compared with the square of the line's width.
    let is_near = |point: [i64; 2], from: [i64; 2], to: [i64; 2]| {
        let (along, there) = (less(to, from), less(point, from));
        let square = dot(along, along);
        if dot(there, along) <= 0 || square == 0 {
            4 * dot(there, there) <= line * line
        } else if dot(there, along) >= square {
            4 * dot(less(point, to), less(point, to)) <= line * line
        } else {
            let across = there[0] * along[1] - there[1] * along[0];
            4 * across * across <= line * line * square
        }
    };
    Plane::from_fn(picture.width(), picture.height(), |column, row| {
        let centre = [2 * column as i64 + 1, 2 * row as i64 + 1];
        let mut lines = points.iter().zip(points.iter().cycle().skip(1));
        if lines.any(|(&from, &to)| is_near(centre, from, to)) { color } else { picture.get(column, row) }
    })
}

/// Inner contours: labelled pixels with a different value, or nothing, on one of four sides.
pub fn contours(
    picture: &Plane<[u8; 3]>,
    labels: View<u32>,
    color: impl Fn(u32) -> [u8; 3],
) -> Plane<[u8; 3]> {
    let at = |x: i64, y: i64| {
        let inside = x >= 0 && y >= 0 && x < labels.width() as i64 && y < labels.height() as i64;
        inside.then(|| labels.get(x as usize, y as usize))
    };
    Plane::from_fn(picture.width(), picture.height(), |column, row| {
        let (x, y) = (column as i64, row as i64);
        let label = labels.get(column, row);
        let sides = [(x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)];
        let contour = sides.into_iter().any(|(x, y)| at(x, y) != Some(label));
        if label != 0 && contour { color(label) } else { picture.get(column, row) }
    })
}
