//! Histogram equalization.

use std::any::Any;
use std::sync::Arc;

use super::Context;
use super::histogram::{Histogram, histogram};
use super::row::{RowNode, RowOut, Rows, Shape, State, apply};
use super::stencil::expect_types;
use crate::Result;
use crate::image::{Image, ImageType};
use crate::kernel::{Isa, table::table_row};

/// Replaces every value of an 8-bit image by its entry in a table.
#[derive(Clone, Debug, PartialEq)]
pub struct TableRows {
    name: &'static str,
    table: Arc<[u8; 256]>,
    output: ImageType,
}

impl TableRows {
    /// A node that gives `output`: a type of 8 bit with the channels of the input.
    pub fn new(name: &'static str, table: Arc<[u8; 256]>, output: ImageType) -> Self {
        Self { name, table, output }
    }

    /// The table, if nobody else has it.
    pub(crate) fn table_mut(&mut self) -> Option<&mut [u8; 256]> {
        Arc::get_mut(&mut self.table)
    }
}

impl RowNode for TableRows {
    fn name(&self) -> &'static str {
        self.name
    }

    fn output(&self, inputs: &[Shape]) -> Shape {
        Shape { ty: self.output, ..inputs[0] }
    }

    fn is_map(&self) -> bool {
        true
    }

    fn row(&self, isa: Isa, _state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        table_row(isa, rows.get(0, 0, y as isize), &self.table, out.row());
    }

    fn table(&self) -> Option<Arc<[u8; 256]>> {
        Some(Arc::clone(&self.table))
    }
}

/// Replaces every value of a 16-bit image by its entry in a table of 65536.
#[derive(Clone, Debug, PartialEq)]
pub struct Table16Rows {
    name: &'static str,
    table: Arc<[u16]>,
}

impl Table16Rows {
    /// A node of this name.
    ///
    /// # Panics
    /// When the table does not have 65536 entries.
    pub fn new(name: &'static str, table: Arc<[u16]>) -> Self {
        assert_eq!(table.len(), 65536, "16 bits have 65536 values");
        Self { name, table }
    }

    /// The table, if nobody else has it.
    pub(crate) fn table_mut(&mut self) -> Option<&mut [u16]> {
        Arc::get_mut(&mut self.table)
    }
}

impl RowNode for Table16Rows {
    fn name(&self) -> &'static str {
        self.name
    }

    fn output(&self, inputs: &[Shape]) -> Shape {
        inputs[0]
    }

    fn is_map(&self) -> bool {
        true
    }

    fn row(&self, _isa: Isa, _state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        for (&pixel, out) in rows.get::<u16>(0, 0, y as isize).iter().zip(out.row::<u16>()) {
            *out = self.table[usize::from(pixel)];
        }
    }
}

/// The map that equalizes images of this histogram: the least value becomes 0, and a value above it
/// the share of pixels up to it without those of the least, times the largest value of the type.
///
/// 8 bit is OpenCV's `equalizeHist`, computed in `f32`; 16 bit the same with 65536 values, in `f64`.
/// Rounded to nearest, ties to even. Images of one value stay as they are.
pub fn node(histogram: &Histogram) -> Arc<dyn RowNode> {
    if histogram.counts.len() == 256 {
        let mut table = [0; 256];
        table_u8(histogram, &mut table);
        Arc::new(TableRows::new("equalize", Arc::new(table), ImageType::Gray8))
    } else {
        let mut table = vec![0; 65536];
        table_u16(histogram, &mut table);
        Arc::new(Table16Rows::new("equalize", table.into()))
    }
}

/// Makes a [`node`] that there is to that of another histogram, in its memory; `false` where it cannot be.
pub(crate) fn refit(node: &mut Arc<dyn RowNode>, histogram: &Histogram) -> bool {
    let Some(node) = Arc::get_mut(node) else { return false };
    let node: &mut dyn Any = node;
    if let Some(table) = node.downcast_mut::<TableRows>().and_then(TableRows::table_mut)
        && histogram.counts.len() == 256
    {
        table_u8(histogram, table);
        return true;
    }
    if let Some(table) = node.downcast_mut::<Table16Rows>().and_then(Table16Rows::table_mut)
        && histogram.counts.len() == table.len()
    {
        table_u16(histogram, table);
        return true;
    }
    false
}

fn table_u8(histogram: &Histogram, table: &mut [u8; 256]) {
    fill(histogram, table, |sum, rest| round_u8(sum as f32 * (255.0 / rest as f32)), |i| i as u8);
}

fn table_u16(histogram: &Histogram, table: &mut [u16]) {
    fill(
        histogram,
        table,
        |sum, rest| (sum as f64 * (65535.0 / rest as f64)).round_ties_even() as u16,
        |i| i as u16,
    );
}

/// Rounds 0 to 255 to the nearest integer, ties to even, in two additions: where no instruction rounds,
/// as in the least of x86-64, `round_ties_even` is a call for each bin.
fn round_u8(value: f32) -> u8 {
    // From here on, `f32` holds integers only.
    const INTEGERS: f32 = (1 << 23) as f32;
    ((value + INTEGERS) - INTEGERS) as u8
}

/// Fills a table with a value for each sum of counts, or with `same` where all pixels are alike.
fn fill<T: Copy + Default>(
    histogram: &Histogram,
    table: &mut [T],
    value: impl Fn(u64, u64) -> T,
    same: impl Fn(usize) -> T,
) {
    let first = histogram.counts.iter().position(|&count| count > 0);
    let rest = first.map_or(0, |first| histogram.total() - histogram.counts[first]);
    let (Some(first), 1..) = (first, rest) else {
        return table.iter_mut().enumerate().for_each(|(i, entry)| *entry = same(i));
    };
    let mut sum = 0;
    table[..=first].fill(T::default());
    let mut filled = T::default();
    for (entry, &count) in table.iter_mut().zip(&histogram.counts).skip(first + 1) {
        // Empty bins, most of those of small images, keep the sum and so the value.
        if count > 0 {
            sum += count;
            filled = value(sum, rest);
        }
        *entry = filled;
    }
}

/// Checks that an image can be equalized.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for anything but `gray8` and `gray16`.
pub fn check(input: Shape) -> Result<()> {
    expect_types("equalize", input, &[ImageType::Gray8, ImageType::Gray16])
}

/// Spreads the values of a gray image so that its histogram is as even as can be.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Context, equalize};
///
/// let image = Image::Gray8(Plane::from_vec(4, 1, vec![10, 10, 20, 20])?);
/// assert_eq!(equalize(&image, &Context::default())?.as_gray8()?.as_slice(), [0, 0, 255, 255]);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for anything but `gray8` and `gray16`,
/// [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn equalize(image: &Image, cx: &Context) -> Result<Image> {
    check(Shape::of(image))?;
    apply(node(&histogram(image, cx)?), &[image], cx)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_additions_round_to_even() {
        for i in 0..=255 * 256u16 {
            let value = f32::from(i) / 256.0;
            assert_eq!(round_u8(value), value.round_ties_even() as u8, "{value}");
        }
    }
}
