//! Which pixels of a template count: its support.

use std::ops::Range;

use crate::image::{Pixel, View};
use crate::{Error, Result};

/// The pixels of a template that are compared, as runs along its rows.
pub struct Support {
    width: usize,
    height: usize,
    runs: Vec<Run>,
    /// Which runs each row has.
    rows: Vec<Range<usize>>,
    count: usize,
}

/// Pixels `start..end` of row `y`.
#[derive(Clone, Copy)]
pub(super) struct Run {
    pub(super) y: usize,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Run {
    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }

    /// Its pixels.
    pub(super) fn of<'a, T: Pixel>(&self, template: View<'a, T>) -> &'a [T] {
        &template.row(self.y)[self.start..self.end]
    }

    /// The pixels of an image that it meets in the windows with their corners in row `y`: from those of the first window on.
    pub(super) fn from<'a, T: Pixel>(&self, image: View<'a, T>, y: usize) -> &'a [T] {
        &image.row(y + self.y)[self.start..]
    }
}

impl Support {
    /// Every pixel.
    pub(super) fn full(width: usize, height: usize) -> Self {
        let runs = (0..height).map(|y| Run { y, start: 0, end: width }).collect();
        Self { width, height, runs, rows: (0..height).map(|y| y..y + 1).collect(), count: width * height }
    }

    /// The pixels where `mask` is not 0.
    pub(super) fn of(mask: View<u8>) -> Result<Self> {
        let (width, height) = (mask.width(), mask.height());
        let (mut runs, mut rows) = (Vec::new(), Vec::with_capacity(height));
        for y in 0..height {
            let (row, first) = (mask.row(y), runs.len());
            let mut x = 0;
            while let Some(skipped) = row[x..].iter().position(|value| *value != 0) {
                let start = x + skipped;
                let end = row[start..].iter().position(|value| *value == 0).map_or(width, |run| start + run);
                runs.push(Run { y, start, end });
                x = end;
            }
            rows.push(first..runs.len());
        }
        let count = runs.iter().map(Run::len).sum();
        if count == 0 {
            return Err(Error::shape(format!("the mask of {width}x{height} is 0 everywhere"))
                .with_hint("pixels that are not 0 are compared"));
        }
        Ok(Self { width, height, runs, rows, count })
    }

    /// How many pixels count; at least one.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Whether all do.
    pub(super) fn is_full(&self) -> bool {
        self.count == self.width * self.height
    }

    /// Width and height of the template.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// All runs, row by row.
    pub(super) fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// The runs of a row.
    pub(super) fn row(&self, y: usize) -> &[Run] {
        &self.runs[self.rows[y].clone()]
    }

    /// The parts of a row that count between two columns.
    pub(super) fn within(&self, y: usize, columns: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let part = move |run: &Run| run.start.max(columns.start)..run.end.min(columns.end);
        self.row(y).iter().map(part).filter(|part| !part.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Plane;

    #[test]
    fn runs_cover_what_is_not_zero() {
        let mask = Plane::from_vec(5, 3, vec![0, 1, 255, 0, 7, 0, 0, 0, 0, 0, 9, 9, 9, 9, 9]).unwrap();
        let support = Support::of(mask.view()).unwrap();
        let runs: Vec<_> = support.runs().iter().map(|run| (run.y, run.start..run.end)).collect();
        assert_eq!(runs, [(0, 1..3), (0, 4..5), (2, 0..5)]);
        assert_eq!((support.count(), support.is_full(), support.size()), (8, false, (5, 3)));
        assert_eq!(support.within(0, 2..5).collect::<Vec<_>>(), [2..3, 4..5]);
        assert_eq!(support.within(1, 0..5).count(), 0);
        assert!(Support::of(Plane::filled(4, 2, 1u8).view()).unwrap().is_full());
        let error = Support::of(Plane::<u8>::new(4, 2).view()).err().unwrap();
        assert_eq!(error.message(), "the mask of 4x2 is 0 everywhere");
    }
}
