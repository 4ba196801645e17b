//! From windows that overlap to objects: groups of similar windows, averaged.

use super::scan::Detection;
use crate::image::Rect;
use crate::{Error, Result};

/// A window that passed the cascade, in pixels of the picture; it may reach past its edges.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Window {
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) width: i64,
    pub(super) height: i64,
    /// How far the votes of the last stages were above their thresholds.
    pub(super) margin: f64,
}

impl Window {
    fn is_similar(&self, other: &Self, eps: f64) -> bool {
        let sides = self.width.min(other.width) + self.height.min(other.height);
        let most = eps * sides as f64 * 0.5;
        let near = |a: i64, b: i64| (a - b).abs() as f64 <= most;
        near(self.x, other.x)
            && near(self.y, other.y)
            && near(self.x + self.width, other.x + other.width)
            && near(self.y + self.height, other.y + other.height)
    }
}

/// Windows that agree: the average of their edges, their number and the sum of their margins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Group {
    pub(super) window: Window,
    pub(super) neighbors: u32,
}

/// Joins similar windows, whose edges lie apart by no more than `eps` of their size, drops groups of no more than
/// so many windows and small ones inside others. Where that is not given every window is a group of its own.
pub(super) fn group(
    windows: Vec<Window>,
    more_than: Option<u32>,
    eps: f64,
    cancelled: &(dyn Fn() -> bool + Sync),
) -> Result<Vec<Group>> {
    let Some(more_than) = more_than else {
        return Ok(windows.into_iter().map(|window| Group { window, neighbors: 1 }).collect());
    };
    let mut groups = averages(&windows, &classes(&windows, eps, cancelled)?);
    groups.retain(|group| group.neighbors > more_than);
    let mut kept = Vec::new();
    for (index, inner) in groups.iter().enumerate() {
        if cancelled() {
            return Err(Error::cancelled());
        }
        let mut others = groups.iter().enumerate().filter(|&(other, _)| other != index);
        if !others.any(|(_, outer)| is_inside(inner, outer, eps)) {
            kept.push(*inner);
        }
    }
    Ok(kept)
}

/// Whether `inner` lies in `outer`, widened by `eps` of its size on each side, and has less to say.
fn is_inside(inner: &Group, outer: &Group, eps: f64) -> bool {
    let (a, b) = (&inner.window, &outer.window);
    let dx = (b.width as f64 * eps).round_ties_even() as i64;
    let dy = (b.height as f64 * eps).round_ties_even() as i64;
    a.x >= b.x - dx
        && a.y >= b.y - dy
        && a.x + a.width <= b.x + b.width + dx
        && a.y + a.height <= b.y + b.height + dy
        && (outer.neighbors > inner.neighbors.max(3) || inner.neighbors < 3)
}

/// The class of each window: the finest partition in which similar windows share a class.
fn classes(windows: &[Window], eps: f64, cancelled: &(dyn Fn() -> bool + Sync)) -> Result<Vec<usize>> {
    let mut order: Vec<usize> = (0..windows.len()).collect();
    order.sort_by_key(|&index| windows[index].x);
    let mut parents: Vec<usize> = (0..windows.len()).collect();
    for (place, &index) in order.iter().enumerate() {
        if cancelled() {
            return Err(Error::cancelled());
        }
        let window = &windows[index];
        // No window may be further to the right than this, whatever its own size.
        let reach = window.x as f64 + eps * (window.width + window.height) as f64 * 0.5;
        for &other in order[place + 1..].iter().take_while(|&&other| windows[other].x as f64 <= reach) {
            if window.is_similar(&windows[other], eps) {
                let (a, b) = (root(&mut parents, index), root(&mut parents, other));
                let (low, high) = (a.min(b), a.max(b));
                parents[high] = low;
            }
        }
    }
    Ok((0..windows.len()).map(|index| root(&mut parents, index)).collect())
}

fn root(parents: &mut [usize], mut index: usize) -> usize {
    while parents[index] != index {
        parents[index] = parents[parents[index]];
        index = parents[index];
    }
    index
}

/// The average of each class, edges rounded as OpenCV rounds them, in order of their first windows.
fn averages(windows: &[Window], classes: &[usize]) -> Vec<Group> {
    let empty = Window { x: 0, y: 0, width: 0, height: 0, margin: 0.0 };
    let mut sums = vec![Group { window: empty, neighbors: 0 }; windows.len()];
    for (window, &class) in windows.iter().zip(classes) {
        let Group { window: sum, neighbors } = &mut sums[class];
        sum.x += window.x;
        sum.y += window.y;
        sum.width += window.width;
        sum.height += window.height;
        sum.margin += window.margin;
        *neighbors += 1;
    }
    sums.retain(|group| group.neighbors > 0);
    for Group { window, neighbors } in &mut sums {
        let share = 1.0 / *neighbors as f32;
        for edge in [&mut window.x, &mut window.y, &mut window.width, &mut window.height] {
            *edge = (*edge as f32 * share).round_ties_even() as i64;
        }
    }
    sums
}

/// The part of a group's box inside a picture, or nothing if none is.
pub(super) fn clip(group: Group, width: usize, height: usize) -> Option<Detection> {
    let Group { window, neighbors } = group;
    let (left, top) = (window.x.max(0), window.y.max(0));
    let right = (window.x + window.width).min(width as i64);
    let bottom = (window.y + window.height).min(height as i64);
    (left < right && top < bottom).then(|| Detection {
        rect: Rect::new(left as usize, top as usize, (right - left) as usize, (bottom - top) as usize),
        neighbors,
        score: window.margin,
        probability: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::cascade as reference;
    use proptest::prelude::*;

    fn window(x: i64, y: i64, width: i64, height: i64) -> Window {
        Window { x, y, width, height, margin: 0.5 }
    }

    #[test]
    fn a_chain_of_similar_windows_is_one_group() {
        let windows: Vec<_> = (0..5).map(|i| window(10 + 3 * i, 7, 20, 20)).collect();
        let groups = group(windows, Some(4), 0.2, &|| false).unwrap();
        assert_eq!(groups, [Group { window: Window { margin: 2.5, ..window(16, 7, 20, 20) }, neighbors: 5 }]);
    }

    #[test]
    fn halves_are_rounded_to_even() {
        let windows = vec![window(0, 2, 20, 21), window(1, 3, 21, 22)];
        let groups = group(windows, Some(1), 0.2, &|| false).unwrap();
        let Window { x, y, width, height, .. } = groups[0].window;
        assert_eq!([x, y, width, height], [0, 2, 20, 22]);
    }

    #[test]
    fn boxes_are_clipped_to_the_picture() {
        let make = |x, y| clip(Group { window: window(x, y, 20, 20), neighbors: 1 }, 30, 25);
        assert_eq!(make(11, 6).unwrap().rect, Rect::new(11, 6, 19, 19));
        assert_eq!(make(30, 0), None);
    }

    #[test]
    fn grouping_can_be_cancelled() {
        let error = group(vec![window(0, 0, 20, 20); 2], Some(1), 0.2, &|| true).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Cancelled);
    }

    proptest! {
        #[test]
        fn groups_are_their_definition(
            boxes in proptest::collection::vec((0i64..60, 0i64..60, 5i64..30, 5i64..30), 0..50),
            min_neighbors in 1u32..4,
        ) {
            let windows: Vec<Window> = boxes.iter().map(|&(x, y, w, h)| window(x, y, w, h)).collect();
            let plain: Vec<[i64; 4]> = boxes.iter().map(|&(x, y, w, h)| [x, y, w, h]).collect();
            let mut found: Vec<_> = group(windows, Some(min_neighbors), 0.2, &|| false)
                .unwrap()
                .iter()
                .map(|g| ([g.window.x, g.window.y, g.window.width, g.window.height], g.neighbors as usize))
                .collect();
            let mut expected = reference::group_boxes(&plain, min_neighbors as usize);
            found.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }
}
