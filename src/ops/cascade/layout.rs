//! Where the entries of an integral image lie.

/// The layout of integral images of one level: rows one after the other, and within a row first the columns whose
/// number leaves no rest by `phases`, then those that leave 1, and so on. So windows that begin `phases` columns apart
/// read neighbouring entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    columns: usize,
    rows: usize,
    phases: usize,
    /// Entries of one phase in a row.
    run: usize,
}

impl Layout {
    /// Of a picture of `width` by `height` pixels: integral images have a row and a column more.
    pub(super) fn new(width: usize, height: usize, phases: usize) -> Self {
        let columns = width + 1;
        Self { columns, rows: height + 1, phases, run: columns.div_ceil(phases) }
    }

    /// Columns, one more than the picture has.
    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// Rows, one more than the picture has.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Entries from one row to the next.
    pub(super) fn stride(&self) -> usize {
        self.run * self.phases
    }

    /// Entries of an image.
    pub(super) fn len(&self) -> usize {
        self.stride() * self.rows
    }

    /// Where an entry lies. That of a sum of places is the sum of where they lie, if one of them is a multiple of
    /// `phases` in its column.
    pub(super) fn at(&self, x: usize, y: usize) -> usize {
        y * self.stride() + (x % self.phases) * self.run + x / self.phases
    }

    /// Brings a row of values, column by column, to its place.
    pub(super) fn put_row(&self, row: &[u32], out: &mut [u32]) {
        if self.phases == 1 {
            out.copy_from_slice(row);
            return;
        }
        for (phase, out) in out.chunks_exact_mut(self.run).enumerate() {
            for (out, value) in out.iter_mut().zip(row.iter().skip(phase).step_by(self.phases)) {
                *out = *value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_entry_has_a_place_of_its_own(width in 0usize..40, height in 0usize..5, phases in 1usize..5) {
            let layout = Layout::new(width, height, phases);
            let mut out = vec![u32::MAX; layout.len()];
            for y in 0..layout.rows() {
                let row: Vec<u32> = (0..layout.columns()).map(|x| (y * 100 + x) as u32).collect();
                layout.put_row(&row, &mut out[y * layout.stride()..][..layout.stride()]);
            }
            for y in 0..layout.rows() {
                for x in 0..layout.columns() {
                    prop_assert_eq!(out[layout.at(x, y)], (y * 100 + x) as u32);
                    let base = x / phases * phases;
                    prop_assert_eq!(layout.at(x, y), layout.at(base, y) + layout.at(x - base, 0));
                }
            }
        }
    }
}
