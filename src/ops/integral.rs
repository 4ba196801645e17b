//! Summed-area tables (F. Crow, 1984): the sum over any rectangle from four numbers.
//!
//! A table has one row and one column more than its image; entry `(x, y)` is the sum of all pixels
//! left of column `x` and above row `y`. The type of the sums is the caller's choice: `u32` wraps,
//! and is right for windows whose own sum stays below 2^32 (16.8 million pixels of 8 bits); `u64`
//! holds every 8- and 16-bit image; `f64` is for floats, exact for whole numbers below 2^53.
//! Equal to `cv2.integral`, entry by entry.

use std::ops::Range;

use super::Context;
use super::band::{bands, map_bands, rows_of};
use super::row::Shape;
use super::stencil::expect_types;
use crate::Result;
use crate::image::{Image, ImageType, Pixel, Plane, Rect, View};
use crate::kernel::Isa;
pub use crate::kernel::integral::Sum;
use crate::kernel::integral::{add_row, integral_row, tilted_row};
use crate::parallel::prelude::*;

/// The table of the sums of pixels.
///
/// ```
/// use lyncean::image::{Plane, Rect};
/// use lyncean::ops::integral::{integral, window_sum};
///
/// let image = Plane::from_fn(4, 3, |x, y| (x + y) as u8);
/// let table: Plane<u32> = integral(image.view());
/// assert_eq!(window_sum::<u8, u32>(&table, Rect::new(1, 1, 2, 2)), 2 + 3 + 3 + 4);
/// ```
pub fn integral<T: Pixel, S: Pixel + Sum<T>>(image: View<T>) -> Plane<S> {
    let mut table = Plane::new(image.width() + 1, image.height() + 1);
    integral_into(image, &mut table);
    table
}

/// [`integral`] into a table that is there already, which saves the time of getting its memory.
///
/// # Panics
/// When the table does not have one row and one column more than the image.
pub fn integral_into<T: Pixel, S: Pixel + Sum<T>>(image: View<T>, table: &mut Plane<S>) {
    let columns = image.width() + 1;
    assert_eq!((table.width(), table.height()), (columns, image.height() + 1), "one row and column more");
    let isa = Isa::best();
    table.as_mut_slice()[..columns].fill(S::default());
    for y in 0..image.height() {
        let (above, below) = table.as_mut_slice()[y * columns..].split_at_mut(columns);
        S::sum_row(isa, image.row(y), above, &mut below[..columns]);
    }
}

/// The table of a gray image or mask, each sum rounded once to `gray-f32`: in units of the image, or as a
/// share of the sum of the whole image, 0..=1.
///
/// Sums are exact integers; of floats `f64`, added from left to right and from top to bottom.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for images that are not gray, [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn integral_floats(image: &Image, as_share: bool, cx: &Context) -> Result<Image> {
    let size = (image.width() + 1, image.height() + 1);
    let mut output = cx.image(ImageType::GrayF32, size.0, size.1);
    let Image::GrayF32(table) = &mut output else { unreachable!("the type that was asked for") };
    let largest = (image.width() * image.height()) as u64;
    let fits = |value: u64| u32::try_from(largest.saturating_mul(value)).is_ok();
    match image {
        Image::Gray8(plane) | Image::Mask(plane) if fits(255) => {
            floats::<u8, u32>(plane.view(), as_share, table, cx)?;
        }
        Image::Gray8(plane) | Image::Mask(plane) => {
            floats::<u8, u64>(plane.view(), as_share, table, cx)?;
        }
        Image::Gray16(plane) => floats::<u16, u64>(plane.view(), as_share, table, cx)?,
        Image::GrayF32(plane) => {
            // One band: the order of float sums is from top to bottom.
            let cx = &cx.clone().with_threads(1);
            floats::<f32, f64>(plane.view(), as_share, table, cx)?;
        }
        other => {
            let types = [ImageType::Gray8, ImageType::Gray16, ImageType::GrayF32, ImageType::Mask];
            expect_types("integral", Shape::of(other), &types)?;
        }
    }
    Ok(output)
}

/// Each band from the sums of all rows above it, in parallel.
fn floats<T, S>(image: View<T>, as_share: bool, table: &mut Plane<f32>, cx: &Context) -> Result<()>
where
    T: Pixel,
    S: Pixel + Sum<T> + ToF64,
{
    let (columns, isa) = (image.width() + 1, cx.isa);
    table.row_mut(0).fill(0.0);
    let bands = bands(image.height(), cx.threads, rows_of(cx, 2 << 20, columns * 4, 64));
    if bands.len() == 1 {
        return one_band::<T, S>(image, as_share, &mut table.as_mut_slice()[columns..], cx);
    }
    // The sums above each band, and those of the whole image: along columns first, which takes a fraction of what
    // a table does. Nothing lies below the last band.
    let mut above = vec![vec![S::default(); columns]];
    let totals = map_bands(&bands, |band| {
        cx.check()?;
        let mut sums = vec![S::default(); columns];
        if as_share || band.end < image.height() {
            band.for_each(|y| add_row(isa, image.row(y), &mut sums[1..]));
        }
        let mut sum = S::default();
        for column in &mut sums {
            sum = sum.plus(*column);
            *column = sum;
        }
        Ok(sums)
    })?;
    for total in totals {
        let last = &above[above.len() - 1];
        above.push(last.iter().zip(&total).map(|(&above, &own)| above.plus(own)).collect());
    }
    let total = above.last().and_then(|sums| sums.last()).map_or(0.0, ToF64::to_f64);
    let share = (as_share && total != 0.0).then_some(total);
    let mut rest = &mut table.as_mut_slice()[columns..];
    let mut parts = Vec::with_capacity(bands.len());
    for (band, above) in bands.iter().cloned().zip(above) {
        let (part, below) = rest.split_at_mut(band.len() * columns);
        parts.push((band, above, part));
        rest = below;
    }
    let work = |(band, mut sums, part): (Range<usize>, Vec<S>, &mut [f32])| {
        let mut next = vec![S::default(); columns];
        for (y, out) in band.zip(part.chunks_exact_mut(columns)) {
            if y % 64 == 0 {
                cx.check()?;
            }
            table_row(isa, image.row(y), share, &sums, &mut next, out);
            std::mem::swap(&mut sums, &mut next);
        }
        Ok(())
    };
    parts.into_par_iter().try_for_each(work)
}

/// A row of the table below `sums`, whose own sums are `next` afterwards.
fn table_row<T, S>(isa: Isa, row: &[T], share: Option<f64>, sums: &[S], next: &mut [S], out: &mut [f32])
where
    T: Pixel,
    S: Pixel + Sum<T> + ToF64,
{
    let Some(total) = share else { return S::sum_floats_row(isa, row, sums, next, out) };
    S::sum_row(isa, row, sums, next);
    isa.run(
        #[inline(always)]
        || out.iter_mut().zip(&*next).for_each(|(out, sum)| *out = (sum.to_f64() / total) as f32),
    );
}

/// The table without its first row, by one thread, which works in memory that is spare.
fn one_band<T, S>(image: View<T>, as_share: bool, table: &mut [f32], cx: &Context) -> Result<()>
where
    T: Pixel,
    S: Pixel + Sum<T> + ToF64,
{
    let (columns, isa) = (image.width() + 1, cx.isa);
    let (mut sums, mut next) = (cx.room::<Vec<S>>(), cx.room::<Vec<S>>());
    next.resize(columns, S::default());
    let mut share = None;
    if as_share {
        sums.clear();
        sums.resize(columns, S::default());
        for y in 0..image.height() {
            if y % 64 == 0 {
                cx.check()?;
            }
            S::sum_row(isa, image.row(y), &sums, &mut next);
            std::mem::swap(&mut *sums, &mut *next);
        }
        let total = sums.last().map_or(0.0, ToF64::to_f64);
        share = (total != 0.0).then_some(total);
    }
    sums.clear();
    sums.resize(columns, S::default());
    for (y, out) in table.chunks_exact_mut(columns).enumerate() {
        if y % 64 == 0 {
            cx.check()?;
        }
        table_row(isa, image.row(y), share, &sums, &mut next, out);
        std::mem::swap(&mut *sums, &mut *next);
    }
    Ok(())
}

/// A sum as a float, to be divided.
trait ToF64 {
    fn to_f64(&self) -> f64;
}

impl ToF64 for u32 {
    fn to_f64(&self) -> f64 {
        f64::from(*self)
    }
}

impl ToF64 for u64 {
    fn to_f64(&self) -> f64 {
        *self as f64
    }
}

impl ToF64 for f64 {
    fn to_f64(&self) -> f64 {
        *self
    }
}

/// The table of the sums of squares.
pub fn integral_of_squares<T: Pixel, S: Pixel + Sum<T>>(image: View<T>) -> Plane<S> {
    let term = S::of_square;
    let columns = image.width() + 1;
    let mut table = Plane::new(columns, image.height() + 1);
    for y in 0..image.height() {
        let (above, below) = table.as_mut_slice()[y * columns..].split_at_mut(columns);
        integral_row(image.row(y), term, above, &mut below[..columns]);
    }
    table
}

/// The table of the sums over triangles: entry `(x, y)` is the sum of the pixels `(i, j)` with
/// `|i - x + 1| < y - j`, from which rectangles turned by 45 degrees follow.
///
/// Each entry is made from differences of others; take integer sums, which are exact.
pub fn integral_tilted<T: Pixel, S: Pixel + Sum<T>>(image: View<T>) -> Plane<S> {
    let columns = image.width() + 1;
    let mut table = Plane::new(columns, image.height() + 1);
    let zeros = vec![S::default(); columns];
    for y in 0..image.height() {
        let (before, rest) = table.as_mut_slice().split_at_mut((y + 1) * columns);
        let above = &before[y * columns..];
        let (higher, row_higher) = match y.checked_sub(1) {
            None => (zeros.as_slice(), None),
            Some(higher) => (&before[higher * columns..][..columns], Some(image.row(higher))),
        };
        tilted_row(image.row(y), row_higher, above, higher, &mut rest[..columns]);
    }
    table
}

/// The sum over the pixels of `rect`, from the table of its image.
///
/// # Panics
/// When `rect` is not inside the image.
#[inline]
pub fn window_sum<T, S: Pixel + Sum<T>>(table: &Plane<S>, rect: Rect) -> S {
    let (top, bottom) = (table.row(rect.y), table.row(rect.y + rect.height));
    let (left, right) = (rect.x, rect.x + rect.width);
    bottom[right].minus(bottom[left]).minus(top[right].minus(top[left]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reference;

    fn image() -> impl Strategy<Value = Plane<u8>> {
        (0usize..14, 0usize..14).prop_flat_map(|(width, height)| {
            prop::collection::vec(any::<u8>(), width * height)
                .prop_map(move |data| Plane::from_vec(width, height, data).unwrap())
        })
    }

    proptest! {
        #[test]
        fn entries_are_sums(image in image(), crop in (0usize..5, 0usize..5)) {
            let (x, y) = (crop.0.min(image.width()), crop.1.min(image.height()));
            let view = image.view().crop(Rect::new(x, y, image.width() - x, image.height() - y)).unwrap();
            let sums = reference::integral::integral(view);
            let squares = reference::integral::integral_of_squares(view);
            let tilted = reference::integral::integral_tilted(view);
            prop_assert_eq!(&integral::<_, u64>(view), &sums);
            prop_assert_eq!(&integral_of_squares::<_, u64>(view), &squares);
            prop_assert_eq!(&integral_tilted::<_, u64>(view), &tilted);
            prop_assert_eq!(integral::<_, u32>(view), sums.map(|sum| sum as u32));
            prop_assert_eq!(integral_tilted::<_, u32>(view), tilted.map(|sum| sum as u32));
            let floats = view.to_plane().map(f32::from);
            prop_assert_eq!(integral::<_, f64>(floats.view()), sums.map(|sum| sum as f64));
            prop_assert_eq!(integral_of_squares::<_, f64>(floats.view()), squares.map(|sum| sum as f64));
        }
    }

    proptest! {
        #[test]
        fn rounded_tables_are_rounded_sums(
            seed in any::<u8>(), width in 0usize..40, height in 0usize..300, threads in 1usize..4,
        ) {
            let image = Plane::from_fn(width, height, |x, y| (x * 7 + y * 13 + (x * y) % 5) as u8 ^ seed);
            let exact = reference::integral::integral(image.view());
            let total = exact.as_slice().last().map_or(0.0, |&sum| sum as f64);
            let divisor = if total == 0.0 { 1.0 } else { total };
            let cx = Context::default().with_threads(threads).with_strip_rows(64);
            let deep = Image::Gray16(image.map(u16::from));
            let float = Image::GrayF32(image.map(f32::from));
            for image in [Image::Gray8(image), deep, float] {
                let sums = Image::GrayF32(exact.map(|sum| sum as f64 as f32));
                prop_assert_eq!(integral_floats(&image, false, &cx).unwrap(), sums);
                let shares = Image::GrayF32(exact.map(|sum| (sum as f64 / divisor) as f32));
                prop_assert_eq!(integral_floats(&image, true, &cx).unwrap(), shares);
            }
        }
    }

    #[test]
    fn differences_of_wrapped_sums_are_right() {
        // 66,000 squares of 65,535 and more pass 2^32 many times.
        let image = Plane::filled(300, 220, u16::MAX);
        let table: Plane<u32> = integral_of_squares(image.view());
        let one = window_sum::<u16, u32>(&table, Rect::new(299, 219, 1, 1));
        assert_eq!(one, u32::from(u16::MAX) * u32::from(u16::MAX));
    }
}
