//! Places that a search goes on at, and the rectangles that their scores are taken in.

use std::sync::Arc;

use crate::image::{Image, Plane, Rect};

/// Where windows have their centres, in pixels of a level.
#[derive(Clone, Debug)]
pub(super) enum Places {
    All,
    Near(Vec<Arc<Vec<Spot>>>),
}

/// From where to where a centre may lie, along x and y: one place, or all that lies beyond the edge of a level.
pub(super) type Spot = [[f64; 2]; 2];

/// Whether the scores of all windows of an image take no longer than those in some rectangles, which are summed directly, so many
/// windows of a row at once. All of them may go by transforms, which cost about as much as the products of so many pixels.
pub(super) fn is_dense(rects: &[Rect], image: &Image, (w, h): (usize, usize)) -> bool {
    let (together, transform) = match image {
        Image::Gray8(_) | Image::Rgb8(_) => (64, 400),
        _ => (16, 64),
    };
    // Making a rectangle ready takes as long as some more windows.
    let windows = |rect: &Rect| (rect.height * rect.width.next_multiple_of(together) + together) as f64;
    let some = rects.iter().map(windows).sum::<f64>() * (w * h) as f64;
    let all = ((image.width() - w + 1) * (image.height() - h + 1)) as f64;
    some >= all * (w * h).min(transform) as f64
}

/// Where the centre of a window of `side` pixels with its corner at `corner` lies, out of 0 to `last`.
pub(super) fn spot(corner: usize, side: usize, last: usize) -> [f64; 2] {
    let centre = corner as f64 + side as f64 / 2.0;
    [
        if corner == 0 { f64::NEG_INFINITY } else { centre },
        if corner == last { f64::INFINITY } else { centre },
    ]
}

/// The corners of windows whose centres lie within 1.5 pixels, along each axis, of a spot of the coarser level.
pub(super) fn around<'a>(
    spots: impl Iterator<Item = &'a Spot>,
    (w, h): (usize, usize),
    (columns, rows): (usize, usize),
) -> Plane<u8> {
    let mut marked = Plane::new(columns, rows);
    let range = |[low, high]: [f64; 2], side: usize, count: usize| {
        let corner = |centre: f64| 2.0 * centre - side as f64 / 2.0;
        let clamp = |corner: f64| corner.clamp(0.0, count as f64 - 1.0) as usize;
        clamp((corner(low) - 1.5).ceil())..clamp((corner(high) + 1.5).floor()) + 1
    };
    for [x, y] in spots {
        for row in range(*y, h, rows) {
            marked.row_mut(row)[range(*x, w, columns)].fill(1);
        }
    }
    marked
}

/// Width and height of the tiles that marked places are gathered in.
const TILE: (usize, usize) = (64, 16);

/// Rectangles with all marked places: what is marked in each tile, and what lies between.
pub(super) fn rects_of(marked: &Plane<u8>) -> Vec<Rect> {
    let (width, height) = (marked.width(), marked.height());
    let mut rects = Vec::new();
    for top in (0..height).step_by(TILE.1) {
        for left in (0..width).step_by(TILE.0) {
            let (mut rows, mut columns) = (None, None);
            for y in top..height.min(top + TILE.1) {
                let row = &marked.row(y)[left..width.min(left + TILE.0)];
                let Some(first) = row.iter().position(|mark| *mark != 0) else { continue };
                let last = row.iter().rposition(|mark| *mark != 0).unwrap_or(first);
                let (from, to) = columns.unwrap_or((first, last));
                columns = Some((first.min(from), last.max(to)));
                rows = Some((rows.map_or(y, |(first, _)| first), y));
            }
            if let (Some((from, to)), Some((first, last))) = (columns, rows) {
                rects.push(Rect::new(left + from, first, to + 1 - from, last + 1 - first));
            }
        }
    }
    rects
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rectangles_hold_what_is_marked_once() {
        let marked = Plane::from_fn(150, 37, |x, y| u8::from((x * 7 + y * y * 3) % 53 == 4 && x > 20));
        let rects = rects_of(&marked);
        let inside = |rect: &Rect, x: usize, y: usize| {
            (rect.x..rect.x + rect.width).contains(&x) && (rect.y..rect.y + rect.height).contains(&y)
        };
        for y in 0..37 {
            for x in 0..150 {
                let count = rects.iter().filter(|rect| inside(rect, x, y)).count();
                assert!(count <= 1 && (marked.get(x, y) == 0 || count == 1));
            }
        }
        let mut one = Plane::new(150, 37);
        one.set(70, 20, 1);
        one.set(73, 22, 1);
        assert_eq!(rects_of(&one), [Rect::new(70, 20, 4, 3)]);
        assert!(rects_of(&Plane::new(9, 9)).is_empty());
    }
}
