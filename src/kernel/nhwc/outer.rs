//! Sums of outer products of pixels: what the gradient of a filter is.
#![allow(
    unsafe_code,
    reason = "vector loads and stores through pointers, and entering functions compiled for more instructions"
)]

use super::tile::{ROWS, WIDTH, by_size, height, lanes, rows};
use crate::kernel::Isa;

/// Pixels whose products are summed before the next rows: their values stay in the first cache.
const BLOCK: usize = 128;

/// Pixels of two images that belong together, some lines of `count` each.
#[derive(Clone, Copy, Debug)]
pub struct Outer<'a> {
    /// The image whose values become rows, with [`Outer::SLACK`] values past the last that is used.
    pub left: &'a [f32],
    /// Its distance of pixels.
    pub left_step: usize,
    /// How many values of its pixels.
    pub rows: usize,
    /// The image whose values become columns, with [`Outer::SLACK`] values past the last that is used.
    pub right: &'a [f32],
    /// Its distance of pixels.
    pub right_step: usize,
    /// How many values of its pixels.
    pub columns: usize,
    /// Where a line begins in both.
    pub lines: &'a [(usize, usize)],
    /// Pixels of a line.
    pub count: usize,
}

impl Outer<'_> {
    /// Values that may be read, and are not used, past the last one of either side.
    pub const SLACK: usize = WIDTH;

    /// Distance of the rows of sums.
    pub fn stride(columns: usize) -> usize {
        columns.next_multiple_of(WIDTH)
    }

    /// How many sums there are room for, of which [`add_to`](Self::add_to) leaves those past the rows and columns undefined.
    pub fn room(rows: usize, columns: usize) -> usize {
        (rows + ROWS) * Self::stride(columns)
    }

    /// `sums[r][c] += sum over lines and pixels of left[pixel][r] * right[pixel][c]`, where the rows of
    /// `sums` are a [`stride`](Self::stride) apart. Pixels are added in order.
    ///
    /// # Panics
    /// When a line reaches past its image, or `sums` has less [`room`](Self::room).
    pub fn add_to(&self, isa: Isa, sums: &mut [f32]) {
        if self.rows == 0 || self.columns == 0 || self.count == 0 || self.lines.is_empty() {
            return;
        }
        let end = |starts: usize, step: usize, values: usize| {
            starts + (self.count - 1) * step + values + Self::SLACK
        };
        let (left, right) = self.lines.iter().fold((0, 0), |(l, r), line| (l.max(line.0), r.max(line.1)));
        assert!(end(left, self.left_step, self.rows) <= self.left.len(), "a line outside of the left image");
        assert!(
            end(right, self.right_step, self.columns) <= self.right.len(),
            "a line outside of the right image"
        );
        let stride = Self::stride(self.columns);
        assert!(sums.len() >= Self::room(self.rows, self.columns), "too few sums");
        let tallest = rows(isa);
        let lanes = lanes(isa);
        // Whole lines where they are short, parts of them where they are long.
        let part = self.count.min(BLOCK);
        let together = BLOCK.div_ceil(self.count);
        for lines in self.lines.chunks(together) {
            for begin in (0..self.count).step_by(part) {
                let count = part.min(self.count - begin);
                for column in (0..self.columns).step_by(2 * lanes) {
                    let vectors = if self.columns - column > lanes { 2 } else { 1 };
                    let mut row = 0;
                    while row < self.rows {
                        let here = tallest.min(self.rows - row);
                        let job = Job {
                            left: self.left.as_ptr().wrapping_add(begin * self.left_step + row),
                            left_step: self.left_step,
                            right: self.right.as_ptr().wrapping_add(begin * self.right_step + column),
                            right_step: self.right_step,
                            lines,
                            count,
                            sums: sums[row * stride + column..].as_mut_ptr(),
                            stride,
                        };
                        // SAFETY: every line begins `SLACK` values and `count` steps before the end of its image, and
                        // a tile reads less than `SLACK` values past the last row or column; `sums` has room for
                        // the tallest tile below the last row, and for the widest in every row.
                        unsafe { run(isa, height(isa, here), vectors, &job) };
                        row += here;
                    }
                }
            }
        }
    }
}

/// One tile of sums.
///
/// # Safety of use
/// For each line and each of `count` steps as many values as the tile is tall may be read on the left, and as it
/// is wide on the right; `sums` may be read and written for as many rows and columns.
struct Job<'a> {
    left: *const f32,
    left_step: usize,
    right: *const f32,
    right_step: usize,
    lines: &'a [(usize, usize)],
    count: usize,
    sums: *mut f32,
    stride: usize,
}

/// # Safety
/// As [`Job`] says.
unsafe fn run(isa: Isa, height: usize, vectors: usize, job: &Job<'_>) {
    // SAFETY: the caller vouches for the job.
    unsafe { by_size!(isa, height, vectors, job) }
}

/// # Safety
/// As [`Job`] says, for `M` rows and `L` columns.
unsafe fn portable<const M: usize, const L: usize>(job: &Job<'_>) {
    let mut sums = [[0.0f32; L]; M];
    for (r, sums) in sums.iter_mut().enumerate() {
        // SAFETY: the tile may be read.
        *sums = unsafe { *job.sums.add(r * job.stride).cast::<[f32; L]>() };
    }
    for &(left, right) in job.lines {
        for i in 0..job.count {
            let a = job.left.wrapping_add(left + i * job.left_step);
            // SAFETY: a pixel has these values.
            let b = unsafe { &*job.right.wrapping_add(right + i * job.right_step).cast::<[f32; L]>() };
            for (r, sums) in sums.iter_mut().enumerate() {
                // SAFETY: as above.
                let a = unsafe { *a.add(r) };
                for l in 0..L {
                    sums[l] += a * b[l];
                }
            }
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        // SAFETY: the tile may be written.
        unsafe { *job.sums.add(r * job.stride).cast::<[f32; L]>() = *sums };
    }
}

#[cfg(target_arch = "x86_64")]
macro_rules! outer {
    ($name:ident, $features:literal, $lanes:literal, $zero:ident, $load:ident, $splat:ident, $fma:ident, $store:ident) => {
        /// # Safety
        /// As [`Job`] says, for `M` rows and `V` vectors of columns.
        #[target_feature(enable = $features)]
        unsafe fn $name<const M: usize, const V: usize>(job: &Job<'_>) {
            use std::arch::x86_64::{$fma, $load, $splat, $store, $zero};
            let mut sums = [[$zero(); V]; M];
            for r in 0..M {
                for v in 0..V {
                    // SAFETY: the tile may be read.
                    sums[r][v] = unsafe { $load(job.sums.add(r * job.stride + v * $lanes)) };
                }
            }
            for &(left, right) in job.lines {
                let (mut a, mut b) = (job.left.wrapping_add(left), job.right.wrapping_add(right));
                for _ in 0..job.count {
                    let mut columns = [$zero(); V];
                    for v in 0..V {
                        // SAFETY: a pixel has these values.
                        columns[v] = unsafe { $load(b.add(v * $lanes)) };
                    }
                    for r in 0..M {
                        // SAFETY: as above.
                        let row = $splat(unsafe { *a.add(r) });
                        for v in 0..V {
                            sums[r][v] = $fma(row, columns[v], sums[r][v]);
                        }
                    }
                    a = a.wrapping_add(job.left_step);
                    b = b.wrapping_add(job.right_step);
                }
            }
            for r in 0..M {
                for v in 0..V {
                    // SAFETY: the tile may be written.
                    unsafe { $store(job.sums.add(r * job.stride + v * $lanes), sums[r][v]) };
                }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
outer!(
    avx512,
    "avx512f",
    16,
    _mm512_setzero_ps,
    _mm512_loadu_ps,
    _mm512_set1_ps,
    _mm512_fmadd_ps,
    _mm512_storeu_ps
);
#[cfg(target_arch = "x86_64")]
outer!(
    avx2,
    "avx2,fma",
    8,
    _mm256_setzero_ps,
    _mm256_loadu_ps,
    _mm256_set1_ps,
    _mm256_fmadd_ps,
    _mm256_storeu_ps
);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn integers(len: usize, salt: usize) -> Vec<f32> {
        (0..len).map(|i| ((i * 7919 + salt) % 13) as f32 - 6.0).collect()
    }

    proptest! {
        #[test]
        fn equals_the_definition_exactly_on_integers(
            rows in 0usize..40, columns in 0usize..70, count in 0usize..150, lines in 0usize..4, gap in 0usize..5,
        ) {
            let (left_step, right_step) = (rows + gap, columns + 2 * gap);
            let starts: Vec<_> = (0..lines).map(|i| (i * (left_step * count + 3), i * right_step * count)).collect();
            let left = integers(lines * (left_step * count + 3) + Outer::SLACK, 1);
            let right = integers(lines * right_step * count + Outer::SLACK, 5);
            let stride = Outer::stride(columns);
            let mut wanted = integers(Outer::room(rows, columns), 3);
            for (a, b) in &starts {
                for i in 0..count {
                    for r in 0..rows {
                        for c in 0..columns {
                            wanted[r * stride + c] += left[a + i * left_step + r] * right[b + i * right_step + c];
                        }
                    }
                }
            }
            for isa in Isa::available() {
                let mut got = integers(Outer::room(rows, columns), 3);
                let (left, right) = (&left[..], &right[..]);
                Outer { left, left_step, rows, right, right_step, columns, lines: &starts, count }.add_to(isa, &mut got);
                for r in 0..rows {
                    prop_assert_eq!(&got[r * stride..][..columns], &wanted[r * stride..][..columns], "{:?} {}", isa, r);
                }
            }
        }
    }
}
