//! Rectangles of pixels.

use std::fmt;

/// A half-open rectangle of pixels: columns `x..x + width`, rows `y..y + height`.
///
/// ```
/// use lyncean::image::Rect;
///
/// let rect = Rect::new(1, 2, 3, 4);
/// assert_eq!((rect.x + rect.width, rect.y + rect.height), (4, 6));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Rect {
    /// First column.
    pub x: usize,
    /// First row.
    pub y: usize,
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
}

impl Rect {
    /// A rectangle from its corner and size.
    pub const fn new(x: usize, y: usize, width: usize, height: usize) -> Self {
        Self { x, y, width, height }
    }

    /// Number of pixels.
    pub const fn area(&self) -> usize {
        self.width * self.height
    }
}

impl fmt::Display for Rect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}, {}, {}, {}]", self.x, self.y, self.width, self.height)
    }
}
