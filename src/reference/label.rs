//! Connected components by flood fills.

use crate::image::{Plane, View};

/// Labels and their number: in raster order, every pixel that has none yet starts a flood.
pub fn label(mask: View<u8>, diagonals: bool) -> (Plane<u32>, u32) {
    let (w, h) = (mask.width() as i64, mask.height() as i64);
    let mut labels = Plane::new(mask.width(), mask.height());
    let mut count = 0;
    for y in 0..h {
        for x in 0..w {
            let mut flood = vec![(x, y)];
            let before = count;
            while let Some((x, y)) = flood.pop() {
                if x < 0 || y < 0 || x >= w || y >= h {
                    continue;
                }
                let (column, row) = (x as usize, y as usize);
                if mask.get(column, row) == 0 || labels.get(column, row) != 0 {
                    continue;
                }
                count = before + 1;
                labels.set(column, row, count);
                for (dx, dy) in [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)] {
                    if diagonals || dx * dy == 0 {
                        flood.push((x + dx, y + dy));
                    }
                }
            }
        }
    }
    (labels, count)
}
