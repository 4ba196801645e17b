//! Measures of regions that depend on their outline: perimeter and convex hull.
//!
//! Names and formulas are those of `skimage.measure.regionprops`. Regions may touch each other: each is
//! measured as if it were alone.

use super::band::{Cancelled, poll};
use super::label::{Components, Run};
use crate::Result;
use crate::image::{Plane, View};

/// Rows between two questions whether to stop.
const POLL_ROWS: usize = 64;

/// The perimeter of each region of a plane of labels `1..=count`, in pixels, the first that of label 1.
///
/// Pixels of the region with a 4-neighbour outside of it are its border; each counts 1, √2 or their mean
/// after the border pixels round it (K. Benkrid and D. Crookes 2000).
///
/// # Errors
/// [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn perimeters(labels: View<u32>, count: u32, cancelled: Cancelled) -> Result<Vec<f64>> {
    let (width, height) = (labels.width(), labels.height());
    let at = |x: isize, y: isize| {
        let is_inside = (0..width as isize).contains(&x) && (0..height as isize).contains(&y);
        if is_inside { labels.row(y as usize)[x as usize] } else { 0 }
    };
    let mut border = Plane::<u8>::new(width, height);
    for y in 0..height {
        if y % POLL_ROWS == 0 {
            poll(cancelled)?;
        }
        let row = labels.row(y);
        for (x, out) in border.row_mut(y).iter_mut().enumerate() {
            let label = row[x];
            let (i, j) = (x as isize, y as isize);
            let is_border = label != 0
                && [(i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)].iter().any(|&(i, j)| at(i, j) != label);
            *out = u8::from(is_border);
        }
    }
    // Whole steps, diagonal ones, and those between: counted apart, so that no order of sums matters.
    let mut steps = vec![[0u64; 3]; count as usize];
    for y in 0..height {
        if y % POLL_ROWS == 0 {
            poll(cancelled)?;
        }
        for (x, &is_border) in border.row(y).iter().enumerate() {
            if is_border == 0 {
                continue;
            }
            let label = labels.row(y)[x];
            let (i, j) = (x as isize, y as isize);
            let near = |places: [(isize, isize); 4]| {
                let is_one =
                    |&(i, j): &(isize, isize)| at(i, j) == label && border.get(i as usize, j as usize) == 1;
                places.iter().filter(|place| is_one(place)).count()
            };
            let sides = near([(i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)]);
            let corners = near([(i - 1, j - 1), (i + 1, j - 1), (i - 1, j + 1), (i + 1, j + 1)]);
            let kind = match 1 + 2 * sides + 10 * corners {
                5 | 7 | 15 | 17 | 25 | 27 => 0,
                21 | 33 => 1,
                13 | 23 => 2,
                _ => continue,
            };
            steps[label as usize - 1][kind] += 1;
        }
    }
    let root = std::f64::consts::SQRT_2;
    let length = |[whole, diagonal, between]: [u64; 3]| {
        whole as f64 + diagonal as f64 * root + between as f64 * f64::midpoint(1.0, root)
    };
    Ok(steps.into_iter().map(length).collect())
}

/// A point in halves of a pixel.
type Point = (i64, i64);

/// The pixels of the convex hull of each region, the first that of label 1: those whose centres lie in or on the
/// hull of the middles of all pixel sides.
///
/// # Errors
/// [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn convex_areas(components: &Components, cancelled: Cancelled) -> Result<Vec<u64>> {
    let count = components.count() as usize;
    let mut sides: Vec<Vec<Point>> = vec![Vec::new(); count];
    // Per label: the row that it was last seen in, counted from 1, and its place there.
    let mut seen = vec![(0, 0); count + 1];
    let mut row: Vec<(u32, Run)> = Vec::new();
    for y in 0..components.height() {
        if y % POLL_ROWS == 0 {
            poll(cancelled)?;
        }
        row.clear();
        for (run, label) in components.row(y) {
            let (at, place) = seen[label as usize];
            if at == y + 1 {
                row[place].1.end = run.end;
            } else {
                seen[label as usize] = (y + 1, row.len());
                row.push((label, run));
            }
        }
        for &(label, Run { start, end }) in &row {
            let (left, right, y) = (2 * i64::from(start), 2 * i64::from(end - 1), 2 * y as i64);
            let points =
                [(left - 1, y), (right + 1, y), (left, y - 1), (left, y + 1), (right, y - 1), (right, y + 1)];
            sides[label as usize - 1].extend(points);
        }
    }
    let area = |(index, points): (usize, Vec<Point>)| {
        if index.is_multiple_of(1 << 10) {
            poll(cancelled)?;
        }
        Ok(centres(&hull(points)))
    };
    sides.into_iter().enumerate().map(area).collect()
}

/// The corners of the convex hull, counter-clockwise in coordinates whose y points up (A. Andrew 1979).
fn hull(mut points: Vec<Point>) -> Vec<Point> {
    points.sort_unstable();
    points.dedup();
    let turn = |a: Point, b: Point, c: Point| (b.0 - a.0) * (c.1 - a.1) - (b.1 - a.1) * (c.0 - a.0);
    let half = |points: &mut dyn Iterator<Item = Point>| {
        let mut chain: Vec<Point> = Vec::new();
        for point in points {
            while let [.., a, b] = chain[..]
                && turn(a, b, point) <= 0
            {
                chain.pop();
            }
            chain.push(point);
        }
        chain.pop();
        chain
    };
    let mut corners = half(&mut points.iter().copied());
    corners.extend(half(&mut points.iter().rev().copied()));
    corners
}

/// How many points of even coordinates lie in or on a convex polygon.
fn centres(corners: &[Point]) -> u64 {
    let rows = corners.iter().map(|corner| corner.1);
    let (Some(top), Some(bottom)) = (rows.clone().min(), rows.max()) else { return 0 };
    let mut count = 0;
    for y in (top..=bottom).filter(|y| y % 2 == 0) {
        // The ends of the row as whole numbers: the least x in it, and the greatest.
        let (mut first, mut last) = (i64::MAX, i64::MIN);
        for (index, &(ax, ay)) in corners.iter().enumerate() {
            let (bx, by) = corners[(index + 1) % corners.len()];
            if y < ay.min(by) || y > ay.max(by) {
                continue;
            }
            if ay == by {
                first = first.min(ax.min(bx));
                last = last.max(ax.max(bx));
                continue;
            }
            let (mut top, mut bottom) = ((bx - ax) * (y - ay), by - ay);
            if bottom < 0 {
                (top, bottom) = (-top, -bottom);
            }
            first = first.min(ax - (-top).div_euclid(bottom));
            last = last.max(ax + top.div_euclid(bottom));
        }
        let (first, last) = ((first + 1).div_euclid(2), last.div_euclid(2));
        count += (last - first + 1).max(0) as u64;
    }
    count
}
