//! A row of bytes with what lies beyond its edges, for kernels that make it up themselves.
//!
//! Padding in memory is a few bytes written just before vectors are read over them, which the
//! processor can not forward: it waits until all is in the cache. Here only the first and the last
//! vectors are put together, aside.

use super::lanes::{Lanes, stretch};
use crate::image::Border;

/// The row and its border.
#[derive(Clone, Copy)]
pub(super) struct Edged<'a> {
    pub(super) row: &'a [u8],
    pub(super) border: Border,
}

impl Edged<'_> {
    #[inline(always)]
    fn at(&self, x: isize) -> u8 {
        let inside = self.border.mode.map(x, self.row.len());
        inside.map_or(self.border.value as u8, |x| self.row[x])
    }

    /// The pixels of a window about `x`.
    #[inline(always)]
    pub(super) fn window<const N: usize>(&self, x: usize) -> [u8; N] {
        std::array::from_fn(|k| self.at(x as isize + k as isize - (N / 2) as isize))
    }

    /// Calls `body` for stretches of `2 * L::N` pixels that cover the row, and for a row of odd length the pixel
    /// after it: with the even pixel that a stretch starts at, and vectors of pixels from every second tap of `N`
    /// on, as many as the stretch is long, so that tap `k` of vector `i` of slice `j` is that of pixel
    /// `start + 2 * L::N * i`, `2 * j` pixels on. Asks for a row of `2 * L::N` pixels.
    #[inline(always)]
    pub(super) fn tiles<L: Lanes, const N: usize>(
        &self,
        _: L,
        mut body: impl FnMut(usize, [&[L::Bytes]; N]),
    ) {
        let (n, size, radius) = (self.row.len(), 2 * L::N, N / 2);
        let pairs = n.next_multiple_of(2);
        // Those whose windows lie in the row.
        let inner = (n - radius) / size;
        let mut start = 0;
        while start < pairs {
            let mut taps: [&[L::Bytes]; N] = [&[]; N];
            if start == size && inner > 1 {
                let count = inner - 1;
                for k in 0..=N / 2 {
                    taps[k] = stretch(self.row, start + 2 * k - radius, count);
                }
                body(start, taps);
                start += count * size;
                continue;
            }
            let from = start.min(pairs - size);
            let mut bytes = [0; 80];
            self.copy(from as isize - radius as isize, &mut bytes[..size + 2 * radius]);
            for k in 0..=N / 2 {
                taps[k] = stretch(&bytes, 2 * k, 1);
            }
            body(from, taps);
            start = from + size;
        }
    }

    /// The pixels from `first` on, which may lie outside.
    #[inline(always)]
    fn copy(&self, first: isize, bytes: &mut [u8]) {
        let length = bytes.len();
        let outside = |x: isize| (x - first).clamp(0, length as isize) as usize;
        let (left, right) = (outside(0), outside(self.row.len() as isize));
        let inside = (first + left as isize) as usize;
        bytes[left..right].copy_from_slice(&self.row[inside..inside + right - left]);
        for k in (0..left).chain(right..length) {
            bytes[k] = self.at(first + k as isize);
        }
    }
}
