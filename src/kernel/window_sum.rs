//! Sums over windows from running sums: columns slide down from row to row, and along a row the sums of
//! columns are differences of a prefix sum (M. McDonnell 1981). The cost does not depend on the window.
//!
//! Integers alone run on, and wrap: a window's own sum must fit the type. Floats are summed afresh for
//! each window, by doubling, in one order.

mod mean;
mod medium;
mod prefix;

use super::Isa;
use super::integral::Sum;
pub use mean::{Reciprocal, SLACK, small_mean_u8_row};
pub use medium::{MEDIUM_ROWS, medium_mean_u8_row};
pub use prefix::Prefix;

/// Takes a row into the sums of columns, and another one out; `term` is what of a pixel is summed.
pub fn slide_row<T: Copy, S: Sum<T>>(
    isa: Isa,
    columns: &mut [S],
    entering: &[T],
    leaving: &[T],
    term: impl Fn(T) -> S + Copy,
) {
    isa.run(
        #[inline(always)]
        || {
            for ((column, &new), &old) in columns.iter_mut().zip(entering).zip(leaving) {
                *column = column.plus(term(new)).minus(term(old));
            }
        },
    );
}

/// Takes a row into the sums of columns.
pub fn enter_row<T: Copy, S: Sum<T>>(isa: Isa, columns: &mut [S], row: &[T], term: impl Fn(T) -> S + Copy) {
    isa.run(
        #[inline(always)]
        || {
            for (column, &new) in columns.iter_mut().zip(row) {
                *column = column.plus(term(new));
            }
        },
    );
}

/// Windows of up to this many pixels have means of 8 bit in `f32`: the error of the quotient stays below
/// the quarter of a step that is put between it and a half.
pub const F32_AREA: usize = 4096;

/// The means of 8-bit windows: the sum of `span` elements from each prefix on over `area`, rounded to nearest,
/// halves up. `span` is the width of a window times the channels.
pub fn mean_u8_row<S: Prefix>(isa: Isa, sums: &[S], span: usize, area: usize, out: &mut [u8]) {
    // A quarter keeps quotients off the halves; adding 2^23 or 2^52 leaves no fraction, so the
    // processor's own rounding does the work.
    let count = out.len();
    if count == 0 {
        return;
    }
    isa.run(
        #[inline(always)]
        || {
            let pairs = sums[span..][..count].iter().zip(&sums[..count]);
            if area <= F32_AREA {
                const WHOLE: f32 = 8_388_608.0;
                let share = 1.0 / area as f32;
                for ((&to, &from), out) in pairs.zip(out) {
                    *out = ((to.less(from).low() as f32 + 0.25) * share + WHOLE).to_bits() as u8;
                }
            } else {
                const WHOLE: f64 = 4_503_599_627_370_496.0;
                let share = 1.0 / area as f64;
                for ((&to, &from), out) in pairs.zip(out) {
                    *out = ((to.less(from).float() + 0.25) * share + WHOLE).to_bits() as u8;
                }
            }
        },
    );
}

/// [`mean_u8_row`] for 16 bit.
pub fn mean_u16_row<S: Prefix>(isa: Isa, sums: &[S], span: usize, area: usize, out: &mut [u16]) {
    const WHOLE: f64 = 4_503_599_627_370_496.0;
    let count = out.len();
    if count == 0 {
        return;
    }
    let share = 1.0 / area as f64;
    isa.run(
        #[inline(always)]
        || {
            for ((&to, &from), out) in sums[span..][..count].iter().zip(&sums[..count]).zip(out) {
                *out = ((to.less(from).float() + 0.25) * share + WHOLE).to_bits() as u16;
            }
        },
    );
}

/// Sums of floats over `span` neighbours `step` elements apart, afresh for each: spans of 1, 2, 4, ... are sums of
/// two halves, and those that make up the span are added from the shortest on.
///
/// `scratch` are two rows as long as `columns`; `out` is `(span - 1) * step` shorter.
pub fn widen_f64_row(
    isa: Isa,
    columns: &[f64],
    span: usize,
    step: usize,
    scratch: &mut [Vec<f64>; 2],
    out: &mut [f64],
) {
    let count = out.len();
    if count == 0 {
        return;
    }
    isa.run(
        #[inline(always)]
        || {
            let [from, to] = scratch;
            let (mut from, mut to) = (&mut from[..columns.len()], &mut to[..columns.len()]);
            from.copy_from_slice(columns);
            out.fill(0.0);
            let (mut length, mut done) = (1, 0);
            loop {
                if span & length != 0 {
                    for (out, &part) in out.iter_mut().zip(&from[done * step..]) {
                        *out += part;
                    }
                    done += length;
                }
                if 2 * length > span {
                    return;
                }
                let valid = columns.len() + step - 2 * length * step;
                let halves = from[..valid].iter().zip(&from[length * step..]);
                for (to, (&low, &high)) in to.iter_mut().zip(halves) {
                    *to = low + high;
                }
                std::mem::swap(&mut from, &mut to);
                length *= 2;
            }
        },
    );
}
