//! Connected components of a mask.
//!
//! Components are found on runs of pixels, not on pixels: each row is cut into its runs of
//! foreground, runs that touch a run of the row above are joined in a union-find forest whose
//! roots are the first runs of their components, and only at the end are labels painted.
//! Run-based two-pass labelling after L. He, Y. Chao and K. Suzuki (2008). [`Components`] is the
//! image in that form; measuring, filtering and painting start from it.

use std::ops::Range;

use super::Context;
use super::band::{Cancelled, bands, fill_bands, map_bands, poll};
use super::spare::{Furnished, Room};
use crate::image::{Image, ImageType, Plane, View};
use crate::kernel::Isa;
use crate::kernel::ccl::{paint_row, runs_row};
use crate::{Error, Result};

/// Which pixels are neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Connectivity {
    /// Left, right, above, below.
    Four,
    /// The diagonal ones as well. OpenCV's and scikit-image's default.
    #[default]
    Eight,
}

impl Connectivity {
    /// The connectivity with 4 or 8 neighbours.
    pub const fn with_neighbours(count: u32) -> Option<Self> {
        match count {
            4 => Some(Self::Four),
            8 => Some(Self::Eight),
            _ => None,
        }
    }
}

/// Pixels `start..end` of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// First column.
    pub start: u32,
    /// One past the last column.
    pub end: u32,
}

/// The connected components of an image as runs of pixels, numbered from 1 in raster order of
/// their first pixels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Components {
    width: usize,
    /// The runs, row after row, each row from left to right.
    runs: Vec<Run>,
    /// Row `y` has the runs `rows[y]..rows[y + 1]`.
    rows: Vec<u32>,
    /// The label of each run; 0 where its component was dropped.
    labels: Vec<u32>,
    count: u32,
}

/// Rows between two questions whether to stop.
const POLL_ROWS: usize = 256;

/// The connected components of the non-zero pixels of `mask`.
///
/// # Errors
/// [`Limit`](crate::ErrorKind::Limit) for more than `u32::MAX` pixels, and
/// [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn components(
    isa: Isa,
    mask: View<u8>,
    connectivity: Connectivity,
    threads: usize,
    cancelled: Cancelled,
) -> Result<Components> {
    let (width, height) = (mask.width(), mask.height());
    check_size(width, height)?;
    let reach = reach(connectivity);
    let parts = map_bands(&bands(height, threads, 64), |band| {
        let mut forest = Forest::with_rows(band.len());
        forest.add(isa, mask, band, connectivity, cancelled)?;
        Ok(forest)
    })?;
    let mut forest = Forest::with_rows(0);
    for part in parts {
        forest.append(part, reach);
    }
    Ok(forest.into_components(width))
}

/// The label of every pixel of `mask`, 0 for background, in raster order of the components' first
/// pixels, and the number of components.
///
/// Equal to `cv2.connectedComponents` and `skimage.measure.label` up to the order of labels.
///
/// # Errors
/// Those of [`components`].
pub fn label(
    isa: Isa,
    mask: View<u8>,
    connectivity: Connectivity,
    threads: usize,
    cancelled: Cancelled,
) -> Result<(Plane<u32>, u32)> {
    let components = components(isa, mask, connectivity, threads, cancelled)?;
    Ok((components.paint(threads), components.count))
}

/// How far past its ends a run touches those above and below.
fn reach(connectivity: Connectivity) -> u32 {
    u32::from(connectivity == Connectivity::Eight)
}

/// Coordinates and run numbers are `u32`.
fn check_size(width: usize, height: usize) -> Result<()> {
    match width.max(1).checked_mul(height.max(1)) {
        Some(pixels) if u32::try_from(pixels).is_ok() => Ok(()),
        _ => Err(Error::limit(format!(
            "components of an image of {width}x{height}: more than {} pixels",
            u32::MAX
        ))),
    }
}

/// [`components`] in memory that the context has to spare.
pub(crate) fn components_of<'a>(
    cx: &'a Context,
    mask: View<u8>,
    connectivity: Connectivity,
) -> Result<Room<'a, Components>> {
    let mut room = cx.room::<Components>();
    let (width, height) = (mask.width(), mask.height());
    if cx.threads > 1 {
        *room = components(cx.isa, mask, connectivity, cx.threads, &|| cx.is_cancelled())?;
        return Ok(room);
    }
    check_size(width, height)?;
    let Components { runs, rows, labels, .. } = std::mem::take(&mut *room);
    let mut forest = Forest { runs, rows, parents: labels };
    forest.clear();
    forest.add(cx.isa, mask, 0..height, connectivity, &|| cx.is_cancelled())?;
    *room = forest.into_components(width);
    Ok(room)
}

impl Furnished for Components {
    fn bytes(&self) -> usize {
        self.runs.bytes() + self.rows.bytes() + self.labels.bytes()
    }
}

impl Components {
    /// The components of an image that is labelled already: runs of equal labels, 0 is background.
    ///
    /// Labels may be any numbers; they are returned in ascending order, and component `i` (from 1)
    /// of the result is the one of the `i`-th of them.
    ///
    /// # Errors
    /// [`Limit`](crate::ErrorKind::Limit) for more than `u32::MAX` pixels.
    pub fn from_labels(plane: View<u32>) -> Result<(Self, Vec<u32>)> {
        let (width, height) = (plane.width(), plane.height());
        check_size(width, height)?;
        let mut components = Self { width, runs: Vec::new(), rows: vec![0], labels: Vec::new(), count: 0 };
        for y in 0..height {
            let mut start = 0;
            for equal in plane.row(y).chunk_by(|a, b| a == b) {
                let end = start + equal.len() as u32;
                if equal[0] != 0 {
                    components.runs.push(Run { start, end });
                    components.labels.push(equal[0]);
                }
                start = end;
            }
            components.rows.push(components.runs.len() as u32);
        }
        let mut names = components.labels.clone();
        names.sort_unstable();
        names.dedup();
        for label in &mut components.labels {
            *label = names.partition_point(|name| name < label) as u32 + 1;
        }
        components.count = names.len() as u32;
        Ok((components, names))
    }

    /// Width of the image in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height of the image in pixels.
    pub fn height(&self) -> usize {
        self.rows.len().saturating_sub(1)
    }

    /// The number of components; their labels are `1..=count`.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The runs of row `y` with their labels, from left to right.
    ///
    /// # Panics
    /// When there is no row `y`.
    pub fn row(&self, y: usize) -> impl Iterator<Item = (Run, u32)> {
        let range = self.rows[y] as usize..self.rows[y + 1] as usize;
        let labelled = self.runs[range.clone()].iter().copied().zip(self.labels[range].iter().copied());
        labelled.filter(|(_, label)| *label != 0)
    }

    /// Drops the components for which `keep(label)` is false and numbers the others anew, in order.
    pub fn retain(&mut self, mut keep: impl FnMut(u32) -> bool) {
        let mut renamed = vec![0; self.count as usize + 1];
        let mut count = 0;
        for label in 1..=self.count {
            if keep(label) {
                count += 1;
                renamed[label as usize] = count;
            }
        }
        self.count = count;
        for label in &mut self.labels {
            *label = renamed[*label as usize];
        }
    }

    /// The plane of labels.
    pub fn paint(&self, threads: usize) -> Plane<u32> {
        let mut plane = Plane::new(self.width, self.height());
        self.paint_over(&mut plane, Isa::best(), threads, |label| label);
        plane
    }

    /// A plane of `color(label)` where there is a component, and of zeros elsewhere, in memory that the context
    /// has to spare.
    pub(crate) fn paint_with<T: crate::image::Pixel>(
        &self,
        cx: &Context,
        color: impl Fn(u32) -> T + Sync,
    ) -> Plane<T> {
        let mut plane = cx.plane(self.width, self.height());
        self.paint_over(&mut plane, cx.isa, cx.threads, color);
        plane
    }

    /// [`paint_with`](Self::paint_with) over a plane of this size, whatever it holds.
    fn paint_over<T: crate::image::Pixel>(
        &self,
        plane: &mut Plane<T>,
        isa: Isa,
        threads: usize,
        color: impl Fn(u32) -> T + Sync,
    ) {
        debug_assert_eq!((plane.width(), plane.height()), (self.width, self.height()));
        let bands = bands(self.height(), threads, 64);
        let painted = fill_bands(plane, &bands, |band, pixels| {
            if self.width > 0 {
                for (y, row) in band.zip(pixels.chunks_exact_mut(self.width)) {
                    paint_row(isa, self.row(y).map(|(run, label)| (run.start, run.end, color(label))), row);
                }
            }
            Ok(())
        });
        debug_assert!(painted.is_ok(), "painting never fails");
    }

    /// The image of labels, in memory that the context has to spare.
    pub(crate) fn image(&self, cx: &Context) -> Image {
        let mut image = cx.image(ImageType::Labels, self.width, self.height());
        if let Image::Labels(plane) = &mut image {
            self.paint_over(plane, cx.isa, cx.threads, |label| label);
        }
        image
    }
}

/// Runs of pixels and the trees that join them: a parent is never after its children, so a root
/// is the first run of its component.
struct Forest {
    runs: Vec<Run>,
    rows: Vec<u32>,
    parents: Vec<u32>,
}

impl Forest {
    fn with_rows(rows: usize) -> Self {
        let mut starts = Vec::with_capacity(rows + 1);
        starts.push(0);
        Self { runs: Vec::with_capacity(4 * rows), rows: starts, parents: Vec::with_capacity(4 * rows) }
    }

    /// As one without rows, in the same memory.
    fn clear(&mut self) {
        self.runs.clear();
        self.parents.clear();
        self.rows.clear();
        self.rows.push(0);
    }

    /// Adds rows of a mask.
    fn add(
        &mut self,
        isa: Isa,
        mask: View<u8>,
        rows: Range<usize>,
        connectivity: Connectivity,
        cancelled: Cancelled,
    ) -> Result<()> {
        let reach = reach(connectivity);
        for y in rows {
            if y % POLL_ROWS == 0 {
                poll(cancelled)?;
            }
            runs_row(isa, mask.row(y), |start, end| self.runs.push(Run { start, end }));
            self.end_row(reach);
        }
        Ok(())
    }

    /// Ends a row whose runs were pushed, and joins them to those of the row before.
    fn end_row(&mut self, reach: u32) {
        let last = self.rows.len() - 1;
        let above = self.rows[last.saturating_sub(1)] as usize..self.rows[last] as usize;
        let below = above.end..self.runs.len();
        self.parents.extend(above.end as u32..self.runs.len() as u32);
        self.rows.push(self.runs.len() as u32);
        self.join(above, below, reach);
    }

    /// Joins the runs of two neighbouring rows. `reach` is how far past its ends a run touches.
    fn join(&mut self, above: Range<usize>, below: Range<usize>, reach: u32) {
        let Self { runs, parents, .. } = self;
        let mut first = above.start;
        for current in below {
            let run = runs[current];
            while first < above.end && runs[first].end + reach <= run.start {
                first += 1;
            }
            let mut root = find(parents, current as u32);
            let mut touching = first;
            while touching < above.end && runs[touching].start < run.end + reach {
                let other = find(parents, touching as u32);
                let (least, greatest) = (root.min(other), root.max(other));
                parents[greatest as usize] = least;
                root = least;
                touching += 1;
            }
            // The last one may touch the next run, too.
            first = first.max(touching.saturating_sub(1));
        }
    }

    /// Puts the rows of `below` under these.
    fn append(&mut self, below: Self, reach: u32) {
        if self.runs.is_empty() && self.rows.len() == 1 {
            *self = below;
            return;
        }
        let (rows, shift) = (self.rows.len() - 1, self.runs.len() as u32);
        self.runs.extend(below.runs);
        self.parents.extend(below.parents.iter().map(|parent| parent + shift));
        self.rows.extend(below.rows[1..].iter().map(|start| start + shift));
        if rows > 0 && rows + 1 < self.rows.len() {
            let start_of = |row: usize| self.rows[row] as usize;
            self.join(start_of(rows - 1)..start_of(rows), start_of(rows)..start_of(rows + 1), reach);
        }
    }

    fn into_components(mut self, width: usize) -> Components {
        // Parents come first, so one pass turns them into labels in place.
        let mut count = 0;
        for run in 0..self.parents.len() {
            let parent = self.parents[run] as usize;
            self.parents[run] = if parent == run {
                count += 1;
                count
            } else {
                self.parents[parent]
            };
        }
        Components { width, runs: self.runs, rows: self.rows, labels: self.parents, count }
    }
}

/// The root of a run, halving the path to it.
#[inline]
fn find(parents: &mut [u32], mut run: u32) -> u32 {
    loop {
        let parent = parents[run as usize];
        if parent == run {
            return run;
        }
        let grandparent = parents[parent as usize];
        parents[run as usize] = grandparent;
        run = grandparent;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ErrorKind;
    use crate::image::Rect;
    use crate::reference;

    const GO_ON: Cancelled = &|| false;

    /// Masks of any density, zero-size and one-pixel ones among them.
    pub(crate) fn mask() -> impl Strategy<Value = Plane<u8>> {
        (0usize..40, 0usize..200, 1u8..10).prop_flat_map(|(width, height, density)| {
            let pixel = (0u8..10, 1u8..=255).prop_map(move |(dice, on)| if dice < density { on } else { 0 });
            prop::collection::vec(pixel, width * height)
                .prop_map(move |data| Plane::from_vec(width, height, data).unwrap())
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn labels_are_those_of_flood_fills(mask in mask()) {
            for connectivity in [Connectivity::Four, Connectivity::Eight] {
                let (expected, count) = reference::label::label(mask.view(), connectivity == Connectivity::Eight);
                for isa in Isa::available() {
                    for threads in [1, 3] {
                        let got = label(isa, mask.view(), connectivity, threads, GO_ON).unwrap();
                        prop_assert_eq!(&got, &(expected.clone(), count));
                    }
                }
                let (again, names) = Components::from_labels(expected.view()).unwrap();
                prop_assert_eq!(names, (1..=count).collect::<Vec<_>>());
                prop_assert_eq!(again.paint(1), expected);
            }
        }
    }

    #[test]
    fn strided_views_are_read_inside_only() {
        let plane = Plane::from_fn(9, 6, |x, y| u8::from((x + y) % 3 == 0 || x == 8));
        let view = plane.view().crop(Rect::new(1, 1, 5, 4)).unwrap();
        let expected = reference::label::label(view.to_plane().view(), true);
        assert_eq!(label(Isa::best(), view, Connectivity::Eight, 1, GO_ON).unwrap(), expected);
    }

    #[test]
    fn retained_components_are_numbered_anew() {
        let mask = Plane::from_vec(7, 1, vec![1, 0, 2, 0, 3, 0, 4]).unwrap();
        let mut components = components(Isa::best(), mask.view(), Connectivity::Four, 1, GO_ON).unwrap();
        components.retain(|label| label % 2 == 0);
        assert_eq!(components.count(), 2);
        assert_eq!(components.paint(1).as_slice(), [0, 0, 1, 0, 0, 0, 2]);
    }

    #[test]
    fn labels_of_any_numbers_are_named() {
        let labels = Plane::from_vec(4, 2, vec![9, 9, 0, 4_000_000_000, 5, 9, 9, 9]).unwrap();
        let (components, names) = Components::from_labels(labels.view()).unwrap();
        assert_eq!(names, [5, 9, 4_000_000_000]);
        assert_eq!(components.paint(1).as_slice(), [2, 2, 0, 3, 1, 2, 2, 2]);
    }

    #[test]
    fn a_caller_can_stop_it() {
        let mask = Plane::<u8>::new(3, 3);
        let error = label(Isa::best(), mask.view(), Connectivity::Four, 1, &|| true).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
    }
}
