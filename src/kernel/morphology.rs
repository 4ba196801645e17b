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

/// The extremum over an element for every pixel of neighbouring output rows.
///
/// `rows` are the padded input rows, those of the first output row's element and then one more for each other
/// output row; `scratch` is three rows as long; the rows of `outs` are as much shorter as the element is wide, less
/// one pixel.
///
/// Of equal values the one that comes first in the element, row by row, is taken (there are two zeros), so that it
/// does not matter which rows are made together.
pub fn extremum_rows<T: Copy + PartialOrd>(
    isa: Isa,
    rows: &[&[T]],
    spans: &[Span],
    extremum: Extremum,
    scratch: &mut [Vec<T>; 3],
    outs: &mut [&mut [T]],
) {
    if outs.first().is_none_or(|out| out.is_empty()) {
        return;
    }
    match extremum {
        Extremum::Least => isa.run(
            #[inline(always)]
            || spans_rows(rows, spans, scratch, outs, |a, b| if b < a { b } else { a }),
        ),
        Extremum::Greatest => isa.run(
            #[inline(always)]
            || spans_rows(rows, spans, scratch, outs, |a, b| if b > a { b } else { a }),
        ),
    }
}

#[inline(always)]
fn spans_rows<T: Copy>(
    rows: &[&[T]],
    spans: &[Span],
    scratch: &mut [Vec<T>; 3],
    outs: &mut [&mut [T]],
    pick: impl Fn(T, T) -> T + Copy,
) {
    let mut done = 0;
    if let [span] = spans {
        let [column, below, wider] = scratch;
        let (pairs, _) = outs.as_chunks_mut::<2>();
        for [first, second] in pairs {
            let length = first.len() + span.length - 1;
            let under = |row: usize| &rows[done + row][span.start..][..length];
            let (column, below, wider) = (&mut column[..length], &mut below[..length], &mut wider[..length]);
            // Most rows are those of both.
            column_pair(&span.rows, under, [column, below], pick);
            along(column, wider, span.length, first, pick);
            along(below, wider, span.length, second, pick);
            done += 2;
        }
    }
    for (y, out) in outs.iter_mut().enumerate().skip(done) {
        let [column, _, wider] = &mut *scratch;
        for (index, span) in spans.iter().enumerate() {
            // The part of the rows under this span, for all of the output.
            let length = out.len() + span.length - 1;
            let under = |row: usize| &rows[y + row][span.start..][..length];
            let (column, wider) = (&mut column[..length], &mut wider[..length]);
            columns(&span.rows, under, column, pick);
            if index == 0 {
                along(column, wider, span.length, out, pick);
            } else {
                let (a, b) = widen(column, wider, span.length, out.len(), pick);
                for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
                    *out = pick(*out, pick(a, b));
                }
            }
        }
    }
}

/// The extremum of windows of `length` pixels of a row that is not wanted any more.
#[inline(always)]
fn along<T: Copy>(
    row: &mut [T],
    wider: &mut [T],
    length: usize,
    out: &mut [T],
    pick: impl Fn(T, T) -> T + Copy,
) {
    if (2..=5).contains(&length) {
        few(row, length, out, pick);
    } else {
        let (a, b) = widen(row, wider, length, out.len(), pick);
        combine(a, b, out, pick);
    }
}

/// Two rows whose extremum is that of windows of `length` pixels, `count` of them.
#[inline(always)]
fn widen<'a, T: Copy>(
    row: &'a mut [T],
    wider: &'a mut [T],
    length: usize,
    count: usize,
    pick: impl Fn(T, T) -> T + Copy,
) -> (&'a [T], &'a [T]) {
    // `from[x]` covers `covered` pixels from x on.
    let (mut from, mut to) = (row, wider);
    let mut covered = 1;
    while 2 * covered <= length {
        let count = from.len() - 2 * covered + 1;
        combine(&from[..count], &from[covered..][..count], &mut to[..count], pick);
        std::mem::swap(&mut from, &mut to);
        covered *= 2;
    }
    (&from[..count], &from[length - covered..][..count])
}

/// [`columns`] of two neighbouring rows: `rows` are those of the first.
#[inline(always)]
fn column_pair<'a, T: Copy + 'a>(
    rows: &[usize],
    under: impl Fn(usize) -> &'a [T],
    [first, second]: [&mut [T]; 2],
    pick: impl Fn(T, T) -> T + Copy,
) {
    let (top, bottom) = (under(rows[0]), under(rows[rows.len() - 1] + 1));
    match rows.len() {
        1 => {
            first.copy_from_slice(top);
            second.copy_from_slice(bottom);
        }
        3 => {
            let both = under(rows[1]).iter().zip(under(rows[2]));
            let ends = top.iter().zip(bottom);
            for (((first, second), (&a, &d)), (&b, &c)) in first.iter_mut().zip(second).zip(ends).zip(both) {
                let both = pick(b, c);
                (*first, *second) = (pick(a, both), pick(both, d));
            }
        }
        5 => {
            let inner = under(rows[1]).iter().zip(under(rows[2]));
            let inner = inner.zip(under(rows[3]).iter().zip(under(rows[4])));
            let ends = top.iter().zip(bottom);
            for (((first, second), (&a, &f)), ((&b, &c), (&d, &e))) in
                first.iter_mut().zip(second).zip(ends).zip(inner)
            {
                let both = pick(pick(b, c), pick(d, e));
                (*first, *second) = (pick(a, both), pick(both, f));
            }
        }
        _ => {
            columns(&rows[1..], under, second, pick);
            combine(top, second, first, pick);
            second.iter_mut().zip(bottom).for_each(|(second, &bottom)| *second = pick(*second, bottom));
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
