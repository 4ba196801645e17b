//! Where the gradient of bytes is strong: Sobel's 3x3 operator and a comparison of squares.
//!
//! Columns are smoothed and differentiated first. Even and odd pixels stand apart, as the two bytes of
//! a 16-bit lane do: taking them out needs no shuffle, and neither does putting the mask together.

use std::ops::Range;

use super::Isa;
use super::lanes::{Kernel, Lanes, inlined, stretch, stretch_mut, stretches};
use super::sobel::Above;
use crate::image::Border;

/// Elements in front of each part of the scratch: a line, so that the parts begin on one.
const LEAD: usize = 32;

/// Elements of a part of the scratch for rows of `n` pixels, with one pixel beyond each edge.
const fn part_length(n: usize) -> usize {
    LEAD + (n + 1).div_ceil(2).next_multiple_of(LEAD)
}

/// Elements of the scratch for rows of `n` pixels.
pub const fn scratch_length(n: usize) -> usize {
    4 * part_length(n)
}

/// From three rows the mask of the one between. All borders but
/// [`Valid`](crate::image::BorderMode::Valid); `scratch` has [`scratch_length`] elements.
pub fn sobel_mask_row(
    isa: Isa,
    rows: [&[u8]; 3],
    border: Border,
    above: Above,
    scratch: &mut [i16],
    out: &mut [u8],
) {
    let n = out.len();
    if n > 0 {
        let rows = rows.map(|row| &row[..n]);
        isa.for_row(n).dispatch(Mask {
            rows,
            border,
            above,
            scratch: &mut scratch[..scratch_length(n)],
            out,
        });
    }
}

struct Mask<'a> {
    rows: [&'a [u8]; 3],
    border: Border,
    above: Above,
    scratch: &'a mut [i16],
    out: &'a mut [u8],
}

/// Smoothed and differentiated columns of even pixels, then of odd ones.
const PARTS: [(usize, usize); 2] = [(0, 1), (2, 3)];

impl Mask<'_> {
    /// The smoothed and the differentiated column `x`, which may lie a pixel beyond an edge.
    #[inline(always)]
    fn column(&self, x: isize) -> (i16, i16) {
        let [a, b, c] = match self.border.mode.map(x, self.out.len()) {
            Some(x) => self.rows.map(|row| i16::from(row[x])),
            None => [i16::from(self.border.value as u8); 3],
        };
        (a + 2 * b + c, c - a)
    }

    /// Puts columns in their places.
    #[inline(always)]
    fn columns(&mut self, range: Range<isize>) {
        let part = part_length(self.out.len());
        for x in range {
            let (smooth, derive) = PARTS[x.rem_euclid(2) as usize];
            let at = (LEAD as isize + x.div_euclid(2)) as usize;
            let column = self.column(x);
            self.scratch[smooth * part + at] = column.0;
            self.scratch[derive * part + at] = column.1;
        }
    }

    #[inline(always)]
    fn pixels(&mut self, range: Range<usize>) {
        let flip = if self.above.inverted { 255 } else { 0 };
        for x in range {
            let [left, centre, right] = [-1, 0, 1].map(|k| self.column(x as isize + k));
            let dx = i32::from(right.0 - left.0);
            let dy = i32::from(left.1 + 2 * centre.1 + right.1);
            self.out[x] = (if dx * dx + dy * dy >= self.above.least { 255 } else { 0 }) ^ flip;
        }
    }
}

impl Kernel for Mask<'_> {
    fn portable(mut self) {
        self.pixels(0..self.out.len());
    }

    #[inline(always)]
    fn vectors<L: Lanes>(mut self, l: L) {
        let n = self.out.len();
        if n < 2 * L::N {
            return self.portable();
        }
        let pairs = n / 2 * 2;
        let part = part_length(n);
        // Well before vectors are loaded over them.
        self.columns(-1..0);
        self.columns(pairs as isize..n as isize + 1);
        let low = l.splat(0xFF);
        let split = inlined(
            #[inline(always)]
            |v: L::V| [l.and(v, low), l.shift::<8>(v)],
        );
        for (start, count) in stretches(pairs, 2 * L::N) {
            let rows: [&[L::Bytes]; 3] = self.rows.map(|row| stretch(row, start, count));
            let mut parts = self.scratch.chunks_exact_mut(part);
            let mut next = || -> &mut [L::Words] {
                stretch_mut(parts.next().unwrap_or_default(), LEAD + start / 2, count)
            };
            let (smooth_even, derive_even, smooth_odd, derive_odd) = (next(), next(), next(), next());
            for i in 0..count {
                let [a, b, c] =
                    [split(l.get(&rows[0][i])), split(l.get(&rows[1][i])), split(l.get(&rows[2][i]))];
                let smooth = inlined(
                    #[inline(always)]
                    |k: usize| l.add(l.add(a[k], c[k]), l.add(b[k], b[k])),
                );
                l.put(smooth(0), &mut smooth_even[i]);
                l.put(l.sub(c[0], a[0]), &mut derive_even[i]);
                l.put(smooth(1), &mut smooth_odd[i]);
                l.put(l.sub(c[1], a[1]), &mut derive_odd[i]);
            }
        }
        let least = l.splat32(self.above.least);
        let flip = if self.above.inverted { 0 } else { 255 };
        for (start, count) in stretches(pairs, 2 * L::N) {
            let at = |of: usize, shift: isize| -> &[L::Words] {
                let first = (LEAD + start / 2).wrapping_add_signed(shift);
                stretch(self.scratch, of * part + first, count)
            };
            let [smooth, derive] =
                [[at(0, 0), at(0, 1), at(2, -1), at(2, 0)], [at(1, 0), at(1, 1), at(3, -1), at(3, 0)]];
            let out: &mut [L::Bytes] = stretch_mut(self.out, start, count);
            for i in 0..count {
                let squares = inlined(
                    #[inline(always)]
                    |dx: L::V, dy: L::V| {
                        let (low, high) = l.unpack(dx, dy);
                        (l.pair_products(low, low), l.pair_products(high, high))
                    },
                );
                let [even, next_even, odd_before, odd] = smooth.map(|part| l.get(&part[i]));
                let (dx_even, dx_odd) = (l.sub(odd, odd_before), l.sub(next_even, even));
                let [even, next_even, odd_before, odd] = derive.map(|part| l.get(&part[i]));
                let dy_even = l.add(l.add(odd_before, odd), l.add(even, even));
                let dy_odd = l.add(l.add(even, next_even), l.add(odd, odd));
                // The next row, to be written.
                l.prefetch(std::slice::from_ref(&out[i]), n);
                let (even, odd) = (squares(dx_even, dy_even), squares(dx_odd, dy_odd));
                l.put(l.below_bytes(even, odd, least, flip), &mut out[i]);
            }
        }
        self.pixels(pairs..n);
    }
}
