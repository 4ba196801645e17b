//! Least and greatest values of windows that are made of one span a row.
//!
//! Spans are widened by doubling (M. van Herk 1992 has fewer comparisons, but these are vectors): a
//! window of `n` pixels takes `log2(n)` passes over a row in cache.

use super::Isa;

/// Takes the least (erosion) or the greatest value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Extremum {
    /// Of two values the lower one.
    Least,
    /// Of two values the higher one.
    Greatest,
}

/// One span of a structuring element and the rows that have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// First pixel, from the left of the element.
    pub start: usize,
    /// Pixels, at least 1.
    pub length: usize,
    /// Rows of the element that have this span, from its top.
    pub rows: Vec<usize>,
}

/// The extremum over an element for every pixel of an output row.
///
/// `rows` are the padded input rows, one a row of the element; `scratch` is two rows as long;
/// `out` is as much shorter as the element is wide, less one pixel.
pub fn extremum_row<T: Copy + PartialOrd>(
    isa: Isa,
    rows: &[&[T]],
    spans: &[Span],
    extremum: Extremum,
    scratch: &mut [Vec<T>; 2],
    out: &mut [T],
) {
    if out.is_empty() {
        return;
    }
    match extremum {
        Extremum::Least => isa.run(
            #[inline(always)]
            || spans_row(rows, spans, scratch, out, |a, b| if b < a { b } else { a }),
        ),
        Extremum::Greatest => isa.run(
            #[inline(always)]
            || spans_row(rows, spans, scratch, out, |a, b| if b > a { b } else { a }),
        ),
    }
}

#[inline(always)]
fn spans_row<T: Copy>(
    rows: &[&[T]],
    spans: &[Span],
    [column, wider]: &mut [Vec<T>; 2],
    out: &mut [T],
    pick: impl Fn(T, T) -> T + Copy,
) {
    for (index, span) in spans.iter().enumerate() {
        // The part of the rows under this span, for all of the output.
        let length = out.len() + span.length - 1;
        let under = |row: usize| &rows[row][span.start..][..length];
        let column = &mut column[..length];
        let wider = &mut wider[..length];
        columns(&span.rows, under, column, pick);
        if index == 0 && (2..=5).contains(&span.length) {
            few(column, span.length, out, pick);
            continue;
        }
        // `from[x]` covers `covered` pixels from x on.
        let (mut from, mut to) = (column, wider);
        let mut covered = 1;
        while 2 * covered <= span.length {
            let count = length - 2 * covered + 1;
            combine(&from[..count], &from[covered..][..count], &mut to[..count], pick);
            std::mem::swap(&mut from, &mut to);
            covered *= 2;
        }
        let count = out.len();
        let (a, b) = (&from[..count], &from[span.length - covered..][..count]);
        if index == 0 {
            combine(a, b, out, pick);
        } else {
            for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
                *out = pick(*out, pick(a, b));
            }
        }
    }
}

/// The extremum of each column; up to five rows, and then four more, in one pass each.
#[inline(always)]
fn columns<'a, T: Copy + 'a>(
    rows: &[usize],
    under: impl Fn(usize) -> &'a [T],
    out: &mut [T],
    pick: impl Fn(T, T) -> T + Copy,
) {
    // A row that is named again changes nothing.
    let at = |index: usize| under(rows[index.min(rows.len() - 1)]);
    match rows.len() {
        1 => out.copy_from_slice(at(0)),
        2 => combine(at(0), at(1), out, pick),
        3 => {
            for (((out, &a), &b), &c) in out.iter_mut().zip(at(0)).zip(at(1)).zip(at(2)) {
                *out = pick(pick(a, b), c);
            }
        }
        _ => {
            for (((((out, &a), &b), &c), &d), &e) in
                out.iter_mut().zip(at(0)).zip(at(1)).zip(at(2)).zip(at(3)).zip(at(4))
            {
                *out = pick(pick(pick(a, b), pick(c, d)), e);
            }
        }
    }
    for first in (5..rows.len()).step_by(4) {
        let [b, c, d, e] = std::array::from_fn(|i| at(first + i));
        for ((((out, &b), &c), &d), &e) in out.iter_mut().zip(b).zip(c).zip(d).zip(e) {
            *out = pick(pick(pick(*out, b), pick(c, d)), e);
        }
    }
}

/// Windows of two to five pixels in one pass.
#[inline(always)]
fn few<T: Copy>(from: &[T], length: usize, out: &mut [T], pick: impl Fn(T, T) -> T + Copy) {
    let count = out.len();
    let at = |shift: usize| &from[shift.min(length - 1)..][..count];
    if length <= 3 {
        for (((out, &a), &b), &c) in out.iter_mut().zip(at(0)).zip(at(1)).zip(at(2)) {
            *out = pick(pick(a, b), c);
        }
        return;
    }
    for (((((out, &a), &b), &c), &d), &e) in
        out.iter_mut().zip(at(0)).zip(at(1)).zip(at(2)).zip(at(3)).zip(at(4))
    {
        *out = pick(pick(pick(a, b), pick(c, d)), e);
    }
}

#[inline(always)]
fn combine<T: Copy>(a: &[T], b: &[T], out: &mut [T], pick: impl Fn(T, T) -> T + Copy) {
    for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *out = pick(a, b);
    }
}
