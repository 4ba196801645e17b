//! Histograms of oriented gradients (N. Dalal and B. Triggs, 2005): the shape of what is in a picture, as
//! one long vector for a linear classifier.
//!
//! The picture is cut into cells; each holds a histogram of the directions of its gradients, weighted by
//! their lengths, as a mean over its pixels. Overlapping blocks of cells are normalised and put one after
//! another. Equal to `skimage.feature.hog` within 1e-5: no interpolation between cells or bins and
//! no window within blocks, unlike the paper and OpenCV's `HOGDescriptor`.

use std::ops::Sub;

use super::Context;
use super::band::{bands, map_bands};
use crate::image::{Pixel, View};
use crate::kernel::hog::{Edges, add_votes_row, votes_row};
use crate::{Error, Result};

/// How the histograms of a block are normalised together; every divisor has a little added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum BlockNorm {
    /// Divided by their sum.
    L1,
    /// Divided by their sum, then the square root.
    L1Sqrt,
    /// Divided by the root of the sum of their squares.
    L2,
    /// As `L2`, cut at 0.2, then `L2` again (D. Lowe, 2004).
    #[default]
    L2Hys,
}

/// The parameters of [`hog`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hog {
    /// Bins of directions over 180 degrees.
    pub orientations: usize,
    /// Width and height of a cell in pixels.
    pub pixels_per_cell: (usize, usize),
    /// Width and height of a block in cells.
    pub cells_per_block: (usize, usize),
    /// How blocks are normalised.
    pub block_norm: BlockNorm,
    /// Whether gradients are those of the roots of the pixels; negative pixels count as 0.
    pub transform_sqrt: bool,
}

impl Default for Hog {
    /// scikit-image's: 9 orientations, cells of 8x8, blocks of 3x3, `L2Hys`, no roots.
    fn default() -> Self {
        Self {
            orientations: 9,
            pixels_per_cell: (8, 8),
            cells_per_block: (3, 3),
            block_norm: BlockNorm::L2Hys,
            transform_sqrt: false,
        }
    }
}

/// No descriptor may have more numbers.
const MAX_LEN: usize = 1 << 28;

impl Hog {
    /// Columns and rows of cells in an image of this size, and of blocks.
    fn grid(&self, width: usize, height: usize) -> Result<Grid> {
        let ((cell_w, cell_h), (block_w, block_h)) = (self.pixels_per_cell, self.cells_per_block);
        if [self.orientations, cell_w, cell_h, block_w, block_h].contains(&0) {
            return Err(Error::shape("orientations, cells and blocks must be at least 1"));
        }
        let cells = (width / cell_w, height / cell_h);
        if cells.0 < block_w || cells.1 < block_h {
            return Err(Error::shape(format!(
                "an image of {width}x{height} has {}x{} cells of {cell_w}x{cell_h} pixels, \
                 expected at least a block of {block_w}x{block_h}",
                cells.0, cells.1
            ))
            .with_hint("resize the image, or take smaller cells or blocks"));
        }
        Ok(Grid { cells, blocks: (cells.0 - block_w + 1, cells.1 - block_h + 1) })
    }

    /// How many numbers describe an image of this size:
    /// `blocks * cells_per_block * orientations`, with `cells - cells_per_block + 1` blocks each way.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when not one block fits,
    /// [`Limit`](crate::ErrorKind::Limit) for more than 2^28 numbers.
    pub fn len(&self, width: usize, height: usize) -> Result<usize> {
        let grid = self.grid(width, height)?;
        let sides = [grid.blocks.0, grid.blocks.1, self.cells_per_block.0, self.cells_per_block.1];
        let len = sides.iter().try_fold(self.orientations, |len, side| len.checked_mul(*side));
        len.filter(|len| *len <= MAX_LEN).ok_or_else(|| {
            Error::limit(format!(
                "the descriptor of an image of {width}x{height} has more than {MAX_LEN} numbers"
            ))
        })
    }
}

struct Grid {
    cells: (usize, usize),
    blocks: (usize, usize),
}

/// The pixels of [`hog`].
pub trait HogPixel: Pixel {
    /// What differences are taken in: `f64` for integers, where they are exact, and `f32` for `f32`.
    type Value: Pixel + Copy + Sub<Output = Self::Value> + Into<f64>;

    /// The pixel, or its root.
    fn value(self, take_root: bool) -> Self::Value;
}

impl HogPixel for u8 {
    type Value = f64;

    fn value(self, take_root: bool) -> f64 {
        if take_root { f64::from(self).sqrt() } else { f64::from(self) }
    }
}

impl HogPixel for u16 {
    type Value = f64;

    fn value(self, take_root: bool) -> f64 {
        if take_root { f64::from(self).sqrt() } else { f64::from(self) }
    }
}

impl HogPixel for f32 {
    type Value = f32;

    fn value(self, take_root: bool) -> f32 {
        if take_root { self.max(0.0).sqrt() } else { self }
    }
}

/// The descriptor of an image: block after block in raster order, in each cell after cell, in each
/// the bins, from direction 0 (gradient to the right) on. Every number is in 0..=1.
///
/// The last columns and rows that fill no cell do not vote. A direction a rounding error short of 180
/// degrees is in the last bin (scikit-image drops it).
///
/// # Errors
/// As [`Hog::len`], and [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn hog<T: HogPixel>(image: View<T>, params: &Hog, cx: &Context) -> Result<Vec<f32>> {
    let len = params.len(image.width(), image.height())?;
    let grid = params.grid(image.width(), image.height())?;
    let edges = Edges::new(params.orientations);
    let rows_of_cells = bands(grid.cells.1, cx.threads, 4);
    let parts = map_bands(&rows_of_cells, |band| {
        let mut cells = vec![0.0; band.len() * grid.cells.0 * params.orientations];
        let mut votes = Votes::new(image, params, &edges);
        for (row, cells) in band.zip(cells.chunks_exact_mut(grid.cells.0 * params.orientations)) {
            cx.check()?;
            votes.cell_row(row, cells, cx);
        }
        Ok(cells)
    })?;
    let cells: Vec<f64> = parts.concat();
    let mut descriptor = Vec::with_capacity(len);
    let mut block = Vec::new();
    let stride = grid.cells.0 * params.orientations;
    let run = params.cells_per_block.0 * params.orientations;
    for top in 0..grid.blocks.1 {
        cx.check()?;
        for left in 0..grid.blocks.0 {
            block.clear();
            for row in top..top + params.cells_per_block.1 {
                block.extend_from_slice(&cells[row * stride + left * params.orientations..][..run]);
            }
            normalise(&mut block, params.block_norm);
            descriptor.extend(block.iter().map(|value| *value as f32));
        }
    }
    Ok(descriptor)
}

/// Rows of values around the row that votes, and its votes.
struct Votes<'a, T: HogPixel> {
    image: View<'a, T>,
    params: &'a Hog,
    edges: &'a Edges,
    rows: [Vec<T::Value>; 3],
    bins: Vec<u32>,
    lengths: Vec<f64>,
}

impl<'a, T: HogPixel> Votes<'a, T> {
    fn new(image: View<'a, T>, params: &'a Hog, edges: &'a Edges) -> Self {
        let width = image.width();
        let rows = std::array::from_fn(|_| vec![T::Value::default(); width]);
        Self { image, params, edges, rows, bins: vec![0; width], lengths: vec![0.0; width] }
    }

    /// Reads row `y` into its place of the ring.
    fn read(&mut self, y: usize) {
        let (take_root, row) = (self.params.transform_sqrt, &mut self.rows[y % 3]);
        row.iter_mut().zip(self.image.row(y)).for_each(|(value, pixel)| *value = pixel.value(take_root));
    }

    /// The histograms of a row of cells; cells start at zero.
    fn cell_row(&mut self, row: usize, cells: &mut [f64], cx: &Context) {
        let (cell_width, cell_height) = self.params.pixels_per_cell;
        let (start, last) = (row * cell_height, self.image.height() - 1);
        (start.saturating_sub(1)..=start).for_each(|y| self.read(y));
        for y in start..start + cell_height {
            if y < last {
                self.read(y + 1);
            }
            let middle = &self.rows[y % 3];
            let is_inside = y > 0 && y < last;
            let (above, below) =
                if is_inside { (&self.rows[(y + 2) % 3], &self.rows[(y + 1) % 3]) } else { (middle, middle) };
            votes_row(cx.isa, above, middle, below, self.edges, &mut self.bins, &mut self.lengths);
            add_votes_row(&self.bins, &self.lengths, cell_width, self.params.orientations, cells);
        }
        let pixels = (cell_width * cell_height) as f64;
        for sum in cells.iter_mut() {
            *sum /= pixels;
        }
    }
}

/// Keeps divisors from being zero.
const LITTLE: f64 = 1e-5;

fn normalise(block: &mut [f64], norm: BlockNorm) {
    let divide = |block: &mut [f64], by: f64| block.iter_mut().for_each(|value| *value /= by);
    let length =
        |block: &[f64]| (block.iter().map(|value| value * value).sum::<f64>() + LITTLE * LITTLE).sqrt();
    match norm {
        BlockNorm::L1 | BlockNorm::L1Sqrt => {
            let sum: f64 = block.iter().sum();
            divide(block, sum + LITTLE);
            if norm == BlockNorm::L1Sqrt {
                for value in block.iter_mut() {
                    *value = value.sqrt();
                }
            }
        }
        BlockNorm::L2 => divide(block, length(block)),
        BlockNorm::L2Hys => {
            divide(block, length(block));
            for value in block.iter_mut() {
                *value = value.min(0.2);
            }
            divide(block, length(block));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::image::{Plane, Rect};
    use crate::kernel::Isa;
    use crate::reference;
    use crate::reference::hog::Norm;

    fn norms() -> impl Strategy<Value = (BlockNorm, Norm)> {
        prop::sample::select(vec![
            (BlockNorm::L1, Norm::L1),
            (BlockNorm::L1Sqrt, Norm::L1Sqrt),
            (BlockNorm::L2, Norm::L2),
            (BlockNorm::L2Hys, Norm::L2Hys),
        ])
    }

    /// Few levels make gradients that lie on the edges of bins, and flat places.
    fn image() -> impl Strategy<Value = Plane<u8>> {
        (1usize..40, 1usize..30, prop::sample::select(vec![1u8, 60, 127])).prop_flat_map(|(w, h, step)| {
            prop::collection::vec(0..=255 / step, w * h).prop_map(move |levels| {
                Plane::from_vec(w, h, levels.iter().map(|level| level * step).collect()).unwrap()
            })
        })
    }

    proptest! {
        #[test]
        fn descriptors_are_the_definition(
            image in image(),
            crop in (0usize..3, 0usize..3),
            orientations in 1usize..14,
            cell in (1usize..8, 1usize..8),
            block in (1usize..4, 1usize..4),
            (block_norm, norm) in norms(),
            transform_sqrt: bool,
        ) {
            // Roots of squares are whole, so that no rounding moves a gradient over the edge of a bin.
            let squared = |level: u8| (level / 16) * (level / 16);
            let image = if transform_sqrt { image.map(squared) } else { image };
            let (x, y) = (crop.0.min(image.width() - 1), crop.1.min(image.height() - 1));
            let view = image.view().crop(Rect::new(x, y, image.width() - x, image.height() - y)).unwrap();
            let params =
                Hog { orientations, pixels_per_cell: cell, cells_per_block: block, block_norm, transform_sqrt };
            let fits = view.width() / cell.0 >= block.0 && view.height() / cell.1 >= block.1;
            prop_assert_eq!(params.len(view.width(), view.height()).is_ok(), fits);
            if !fits {
                prop_assert!(hog(view, &params, &Context::default()).is_err());
                return Ok(());
            }
            let floats = view.to_plane().map(f64::from);
            let expected = reference::hog::hog(&floats, orientations, cell, block, norm, transform_sqrt);
            let first = hog(view, &params, &Context::default().with_isa(Isa::PORTABLE)).unwrap();
            prop_assert_eq!(first.len(), expected.len());
            prop_assert_eq!(first.len(), params.len(view.width(), view.height()).unwrap());
            for (got, expected) in first.iter().zip(&expected) {
                prop_assert!((f64::from(*got) - expected).abs() < 1e-6, "{} {}", got, expected);
            }
            for isa in Isa::available() {
                for threads in [1, 3] {
                    let cx = Context::default().with_isa(isa).with_threads(threads);
                    prop_assert_eq!(&hog(view, &params, &cx).unwrap(), &first);
                    let wide = view.to_plane().map(u16::from);
                    prop_assert_eq!(&hog(wide.view(), &params, &cx).unwrap(), &first);
                }
            }
        }
    }

    #[test]
    fn a_ramp_votes_for_one_direction() {
        let across = Plane::from_fn(24, 24, |x, _| 3 * x as u8);
        let params = Hog { orientations: 4, cells_per_block: (1, 1), ..Hog::default() };
        let vector = hog(across.view(), &params, &Context::default()).unwrap();
        assert_eq!(vector.len(), 9 * 4);
        assert!(vector.chunks(4).all(|bins| bins[0] > 0.99 && bins[1..] == [0.0; 3]));
        let down = Plane::from_fn(24, 24, |_, y| 200 - 3 * y as u8);
        let vector = hog(down.view(), &params, &Context::default()).unwrap();
        assert!(vector.chunks(4).all(|bins| bins[2] > 0.99 && bins[0] == 0.0));
    }
}
