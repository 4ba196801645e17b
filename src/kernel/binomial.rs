//! Binomial smoothing of bytes with 3 or 5 taps, along rows first, then down the columns.
//!
//! Sums along a row are made once and serve every window that the row is in. Sums of even and of
//! odd pixels are stored apart, since a product of pairs of bytes gives either; both meet again when
//! bytes are made of them. Weights are 1, 2, 1 or 1, 4, 6, 4, 1, and 16 bits hold every sum.

use std::ops::Range;

use super::Isa;
use super::edged::Edged;
use super::lanes::{Kernel, Lanes, inlined, stretch, stretch_mut, stretches};
use crate::image::Border;

/// Elements of the sums of a row of `n` pixels: those of even pixels, then those of odd ones.
pub const fn split_length(n: usize) -> usize {
    2 * half_length(n)
}

/// Room for the even sums, whole lines of 64 bytes.
pub(super) const fn half_length(n: usize) -> usize {
    n.div_ceil(2).next_multiple_of(32)
}

/// Where the sum of pixel `x` stands among those of `n`.
#[inline(always)]
pub(super) fn place(n: usize, x: usize) -> usize {
    x / 2 + if x.is_multiple_of(2) { 0 } else { half_length(n) }
}

/// Sums along a row of `n` pixels, with what lies beyond its edges, into [`split_length(n)`](split_length)
/// elements. All borders but [`Valid`](crate::image::BorderMode::Valid).
///
/// # Panics
/// For other taps than 3 and 5.
pub fn binomial_along_row(isa: Isa, taps: usize, row: &[u8], border: Border, sums: &mut [u16]) {
    let isa = isa.for_row(row.len());
    let row = Edged { row, border };
    match taps {
        3 => isa.dispatch(Along { weights: [1, 2, 1], row, sums }),
        5 => isa.dispatch(Along { weights: [1, 4, 6, 4, 1], row, sums }),
        _ => panic!("binomial sums want 3 or 5 taps, got {taps}"),
    }
}

/// Sums of [`binomial_along_row`] down a window of rows, divided by the sum of all weights, rounded
/// halves up.
///
/// # Panics
/// For other numbers of rows than 3 and 5.
pub fn binomial_down_row(isa: Isa, sums: &[&[u16]], out: &mut [u8]) {
    let isa = isa.for_row(out.len());
    match *sums {
        [a, b, c] => isa.dispatch(Down { weights: [1, 2, 1], sums: [a, b, c], out }),
        [a, b, c, d, e] => isa.dispatch(Down { weights: [1, 4, 6, 4, 1], sums: [a, b, c, d, e], out }),
        _ => panic!("binomial sums want 3 or 5 rows, got {}", sums.len()),
    }
}

struct Along<'a, const N: usize> {
    weights: [i8; N],
    row: Edged<'a>,
    sums: &'a mut [u16],
}

impl<const N: usize> Kernel for Along<'_, N> {
    fn portable(self) {
        let n = self.row.row.len();
        for x in 0..n {
            let pixels: [u8; N] = self.row.window(x);
            self.sums[place(n, x)] = pixels
                .iter()
                .zip(self.weights)
                .map(|(&pixel, weight)| u16::from(pixel) * weight as u16)
                .sum();
        }
    }

    #[inline(always)]
    fn vectors<L: Lanes>(self, l: L) {
        let n = self.row.row.len();
        if n < 2 * L::N {
            return self.portable();
        }
        let (even, odd) = self.sums[..split_length(n)].split_at_mut(half_length(n));
        let weight = |k: isize| if (0..N as isize).contains(&k) { self.weights[k as usize] } else { 0 };
        let (mut of_even, mut of_odd) = ([l.splat(0); N], [l.splat(0); N]);
        for k in 0..=N / 2 {
            let at = 2 * k as isize;
            of_even[k] = l.splat_bytes([weight(at), weight(at + 1)]);
            of_odd[k] = l.splat_bytes([weight(at - 1), weight(at)]);
        }
        let low = l.splat(0xFF);
        self.row.tiles::<L, N>(
            l,
            #[inline(always)]
            |start, taps| {
                let count = taps[0].len();
                let even: &mut [L::Words] = stretch_mut(even, start / 2, count);
                let odd: &mut [L::Words] = stretch_mut(odd, start / 2, count);
                for i in 0..count {
                    let first = l.get(&taps[0][i]);
                    let last = l.get(&taps[N / 2][i]);
                    // The outermost weights are 1: no products, of which few can be made at once.
                    let mut a = l.add(l.byte_products(first, of_even[0]), l.and(last, low));
                    let mut b = l.add(l.shift::<8>(first), l.byte_products(last, of_odd[N / 2]));
                    for k in 1..N / 2 {
                        let next = l.get(&taps[k][i]);
                        a = l.add(a, l.byte_products(next, of_even[k]));
                        b = l.add(b, l.byte_products(next, of_odd[k]));
                    }
                    l.put(a, &mut even[i]);
                    l.put(b, &mut odd[i]);
                }
            },
        );
    }
}

struct Down<'a, const N: usize> {
    weights: [u16; N],
    sums: [&'a [u16]; N],
    out: &'a mut [u8],
}

impl<const N: usize> Down<'_, N> {
    /// Bits that the sum of all weights is shifted by.
    const SHIFT: u32 = 2 * (N as u32 - 1);

    #[inline(always)]
    fn pixels(&mut self, range: Range<usize>) {
        let n = self.out.len();
        for x in range {
            let at = place(n, x);
            let sum: u16 = (0..N).map(|k| self.sums[k][at] * self.weights[k]).sum();
            self.out[x] = ((sum + (1 << (Self::SHIFT - 1))) >> Self::SHIFT) as u8;
        }
    }
}

impl<const N: usize> Kernel for Down<'_, N> {
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
        // The sum is wanted in the high bytes.
        let up = l.splat(1 << (8 - Self::SHIFT));
        let half = l.splat(1 << 7);
        for (start, count) in stretches(pairs, 2 * L::N) {
            let mut even: [&[L::Words]; N] = [&[]; N];
            let mut odd = even;
            for k in 0..N {
                even[k] = stretch(self.sums[k], start / 2, count);
                odd[k] = stretch(self.sums[k], half_length(n) + start / 2, count);
            }
            let out: &mut [L::Bytes] = stretch_mut(self.out, start, count);
            for i in 0..count {
                let sum = inlined(
                    #[inline(always)]
                    |sums: [&[L::Words]; N]| {
                        let centre = l.get(&sums[N / 2][i]);
                        let ends = l.add(l.get(&sums[0][i]), l.get(&sums[N - 1][i]));
                        if N == 3 {
                            return l.add(half, l.mul(up, l.add(ends, l.add(centre, centre))));
                        }
                        // Doubled twice, as products take longer: 4 of the neighbours, and 4 and 2 of the centre.
                        let inner = l.add(l.add(l.get(&sums[1][i]), l.get(&sums[N - 2][i])), centre);
                        let inner = l.add(l.add(inner, inner), centre);
                        l.add(l.add(ends, half), l.add(inner, inner))
                    },
                );
                l.prefetch(std::slice::from_ref(&out[i]), n);
                l.put(l.high_bytes(sum(even), sum(odd)), &mut out[i]);
            }
        }
        self.pixels(pairs..n);
    }
}
