//! Rows of summed-area tables.

mod prefix;

use super::Isa;

/// A number type that sums of `T` are kept in.
///
/// Integer sums wrap: a difference of sums is right as long as it fits the type itself, however
/// large the sums have grown.
pub trait Sum<T>: Copy + Default {
    /// A value as a sum of one.
    fn of(value: T) -> Self;
    /// The square of a value.
    fn of_square(value: T) -> Self;
    /// `self + other`.
    #[must_use]
    fn plus(self, other: Self) -> Self;
    /// `self - other`.
    #[must_use]
    fn minus(self, other: Self) -> Self;
    /// A sum below 2^24.
    fn small(sum: u32) -> Self;
    /// One row of a table of sums: [`integral_row`], or the same faster.
    fn sum_row(_isa: Isa, row: &[T], above: &[Self], out: &mut [Self])
    where
        T: Copy,
    {
        integral_row(row, Self::of, above, out);
    }
    /// The sum rounded to a float.
    fn round(self) -> f32;
    /// [`sum_row`](Self::sum_row), and each sum rounded.
    fn sum_floats_row(isa: Isa, row: &[T], above: &[Self], out: &mut [Self], floats: &mut [f32])
    where
        T: Copy,
    {
        Self::sum_row(isa, row, above, out);
        isa.run(
            #[inline(always)]
            || floats.iter_mut().zip(&*out).for_each(|(float, sum)| *float = sum.round()),
        );
    }
}

/// Adds the values of a row to sums of columns.
pub fn add_row<T: Copy, S: Sum<T>>(isa: Isa, row: &[T], sums: &mut [S]) {
    isa.run(
        #[inline(always)]
        || sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum = sum.plus(S::of(value))),
    );
}

macro_rules! integer_sums {
    ($($value:ty => $sum:ty, $row:path { $($more:tt)* })*) => {$(
        impl Sum<$value> for $sum {
            #[inline(always)]
            fn of(value: $value) -> Self {
                Self::from(value)
            }
            #[inline(always)]
            fn of_square(value: $value) -> Self {
                Self::from(value).wrapping_mul(Self::from(value))
            }
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
            #[inline(always)]
            fn minus(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }
            #[inline(always)]
            fn small(sum: u32) -> Self {
                Self::from(sum)
            }
            fn sum_row(isa: Isa, row: &[$value], above: &[Self], out: &mut [Self]) {
                $row(isa, row, above, out);
            }
            #[inline(always)]
            fn round(self) -> f32 {
                self as f32
            }
            $($more)*
        }
    )*};
}
// The values of 8-bit windows of up to 256 pixels.
impl Sum<u8> for u16 {
    #[inline(always)]
    fn of(value: u8) -> Self {
        Self::from(value)
    }
    #[inline(always)]
    fn of_square(value: u8) -> Self {
        Self::from(value) * Self::from(value)
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }
    #[inline(always)]
    fn small(sum: u32) -> Self {
        sum as Self
    }
    #[inline(always)]
    fn round(self) -> f32 {
        f32::from(self)
    }
}

integer_sums!(
    u8 => u32, prefix::sum_bytes_row {
        fn sum_floats_row(isa: Isa, row: &[u8], above: &[u32], out: &mut [u32], floats: &mut [f32]) {
            prefix::sum_bytes_floats_row(isa, row, above, out, floats);
        }
    }
    u8 => u64, prefix::sum_row {}
    u16 => u32, prefix::sum_row {}
    u16 => u64, prefix::sum_row {}
);

macro_rules! float_sums {
    ($($value:ty => $row:expr),*) => {$(
        impl Sum<$value> for f64 {
            #[inline(always)]
            fn of(value: $value) -> Self {
                Self::from(value)
            }
            #[inline(always)]
            fn of_square(value: $value) -> Self {
                Self::from(value) * Self::from(value)
            }
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self + other
            }
            #[inline(always)]
            fn minus(self, other: Self) -> Self {
                self - other
            }
            #[inline(always)]
            fn small(sum: u32) -> Self {
                // Signed integers are converted by one instruction everywhere.
                Self::from(sum as i32)
            }
            #[inline(always)]
            fn round(self) -> f32 {
                self as f32
            }
            fn sum_row(isa: Isa, row: &[$value], above: &[Self], out: &mut [Self]) {
                $row(isa, row, above, out);
            }
        }
    )*};
}
// Sums of whole numbers are exact in any order; those of floats are made from left to right.
float_sums!(
    u8 => prefix::sum_row,
    u16 => prefix::sum_row,
    f32 => |_, row: &[f32], above: &[f64], out: &mut [f64]| integral_row(row, f64::from, above, out)
);

/// One row of a summed-area table: `out[x + 1] = above[x + 1] + terms[0] + ... + terms[x]`, and
/// `out[0] = 0`.
///
/// # Panics
/// When `above` and `out` do not have one entry more than `row`.
#[inline]
pub fn integral_row<T: Copy, S: Sum<T>>(row: &[T], term: impl Fn(T) -> S, above: &[S], out: &mut [S]) {
    assert!(above.len() == row.len() + 1 && out.len() == row.len() + 1, "sums have one column more");
    out[0] = S::default();
    let mut sum = S::default();
    for ((value, above), out) in row.iter().zip(&above[1..]).zip(&mut out[1..]) {
        sum = sum.plus(term(*value));
        *out = above.plus(sum);
    }
}

/// Row `y` of a tilted table from the two sums rows and the two image rows above it.
///
/// `out[x]` is the sum of the pixels `(i, j)` with `|i - x + 1| < y - j`: a triangle that opens
/// upwards at 45 degrees with its tip at `(x - 1, y - 1)` (R. Lienhart and J. Maydt, 2002).
/// Where there is no second row above, `higher` is all zeros and `row_higher` empty.
///
/// # Panics
/// When the sums rows do not have one entry more than `row`.
#[inline]
pub fn tilted_row<T: Copy, S: Sum<T>>(
    row: &[T],
    row_higher: Option<&[T]>,
    above: &[S],
    higher: &[S],
    out: &mut [S],
) {
    let width = row.len();
    assert!(above.len() == width + 1 && higher.len() == width + 1 && out.len() == width + 1);
    let pixel = |x: usize| {
        let upper = row_higher.map_or(S::default(), |row| S::of(row[x]));
        S::of(row[x]).plus(upper)
    };
    // Past the edges a triangle holds what its neighbour one row up holds.
    if width == 0 {
        out[0] = S::default();
        return;
    }
    out[0] = above[1];
    for x in 1..width {
        out[x] = above[x - 1].plus(above[x + 1]).minus(higher[x]).plus(pixel(x - 1));
    }
    out[width] = above[width - 1].plus(pixel(width - 1));
}
