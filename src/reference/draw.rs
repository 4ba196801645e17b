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
