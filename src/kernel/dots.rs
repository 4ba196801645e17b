//! Dot products of some vectors with many windows of one array: what a filter's gradient is.
//!
//! A tile of products shares its loads, and each product is summed in as many interleaved parts as a
//! vector has lanes, over some samples before the parts are added. AVX2 and AVX-512 fuse multiply
//! and add, the portable tile does not.
#![allow(unsafe_code, reason = "vector loads, and entering functions compiled for more instructions")]

use super::Isa;

/// Elements of a vector, over samples, that are summed in lanes before the lanes are added.
const TOGETHER: usize = 2048;

/// The vectors and windows of some samples.
#[derive(Clone, Copy, Debug)]
pub struct Dots<'a> {
    /// How many samples there are.
    pub samples: usize,
    /// Vectors of all samples: vector `v` of sample `n` at `(n * vectors + v) * len`.
    pub left: &'a [f32],
    /// Vectors of a sample.
    pub vectors: usize,
    /// Elements of a vector: a multiple of [`Dots::LANES`].
    pub len: usize,
    /// The array that windows are of: window `w` of sample `n` at `n * right_stride + offsets[w]`.
    pub right: &'a [f32],
    /// Distance between the samples of `right`.
    pub right_stride: usize,
    /// Where each window begins.
    pub offsets: &'a [usize],
}

impl Dots<'_> {
    /// What the length of vectors is a multiple of.
    pub const LANES: usize = 16;

    /// Adds to `sums[v * windows + w]` the product of vector `v` and window `w`, over all samples.
    ///
    /// # Panics
    /// When a vector or a window reaches past its array, or `sums` is too small.
    pub fn add_to(&self, isa: Isa, sums: &mut [f32]) {
        let windows = self.offsets.len();
        if self.samples == 0 || self.vectors == 0 || windows == 0 || self.len == 0 {
            return;
        }
        let last = self.offsets.iter().max().copied().unwrap_or_default();
        assert!(self.len.is_multiple_of(Self::LANES) && sums.len() >= self.vectors * windows);
        assert!(self.left.len() >= self.samples * self.vectors * self.len);
        assert!(self.right.len() >= (self.samples - 1) * self.right_stride + last + self.len);
        #[cfg(target_arch = "x86_64")]
        {
            if isa.has_avx512() {
                return isa.run(
                    #[inline(always)]
                    || self.tiles(&Avx512, sums),
                );
            }
            if isa.has_avx2() {
                return isa.run(
                    #[inline(always)]
                    || self.tiles(&Avx2, sums),
                );
            }
        }
        let _ = isa;
        self.tiles(&Portable, sums);
    }

    #[inline(always)]
    fn tiles<const V: usize, const W: usize>(&self, kernel: &impl Tile<V, W>, sums: &mut [f32]) {
        // Few enough samples at a time that the vectors of a tile stay in the first cache.
        let together = (TOGETHER / self.len).max(1);
        for n in (0..self.samples).step_by(together) {
            let part = Self {
                samples: together.min(self.samples - n),
                left: &self.left[n * self.vectors * self.len..],
                right: &self.right[n * self.right_stride..],
                ..*self
            };
            part.tiles_of_part(kernel, sums);
        }
    }

    #[inline(always)]
    fn tiles_of_part<const V: usize, const W: usize>(&self, kernel: &impl Tile<V, W>, sums: &mut [f32]) {
        let windows = self.offsets.len();
        for v in (0..self.vectors).step_by(V) {
            for w in (0..windows).step_by(W) {
                // Tiles at the edges repeat their last vector or window, and drop what it gives.
                let vectors = std::array::from_fn(|i| (v + i).min(self.vectors - 1) * self.len);
                let offsets = std::array::from_fn(|i| self.offsets[(w + i).min(windows - 1)]);
                let tile = kernel.products(self, vectors, offsets);
                for (i, row) in tile.iter().enumerate().take(self.vectors - v) {
                    for (j, product) in row.iter().enumerate().take(windows - w) {
                        sums[(v + i) * windows + w + j] += product;
                    }
                }
            }
        }
    }
}

/// A register tile of `V` vectors and `W` windows.
trait Tile<const V: usize, const W: usize> {
    /// The products over all samples, of vectors and windows that begin at these elements.
    fn products(&self, dots: &Dots, vectors: [usize; V], windows: [usize; W]) -> [[f32; W]; V];
}

struct Portable;

impl Tile<2, 2> for Portable {
    #[inline(always)]
    fn products(&self, dots: &Dots, vectors: [usize; 2], windows: [usize; 2]) -> [[f32; 2]; 2] {
        let mut parts = [[[0.0f32; 4]; 2]; 2];
        for n in 0..dots.samples {
            let left = vectors.map(|v| &dots.left[n * dots.vectors * dots.len + v..][..dots.len]);
            let right = windows.map(|w| &dots.right[n * dots.right_stride + w..][..dots.len]);
            for at in (0..dots.len).step_by(4) {
                for i in 0..2 {
                    for j in 0..2 {
                        for l in 0..4 {
                            parts[i][j][l] += left[i][at + l] * right[j][at + l];
                        }
                    }
                }
            }
        }
        parts.map(|row| row.map(|parts| (parts[0] + parts[2]) + (parts[1] + parts[3])))
    }
}

/// Made only where the token has AVX2.
#[cfg(target_arch = "x86_64")]
struct Avx2;

#[cfg(target_arch = "x86_64")]
impl Tile<3, 4> for Avx2 {
    #[inline(always)]
    fn products(&self, dots: &Dots, vectors: [usize; 3], windows: [usize; 4]) -> [[f32; 4]; 3] {
        // SAFETY: this tile is made only for a token with AVX2 and FMA; `add_to` has checked that
        // all vectors and windows lie inside their arrays.
        unsafe { products_avx2(dots, vectors, windows) }
    }
}

/// # Safety
/// Every vector and window of `dots` lies inside its array, for every sample.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn products_avx2(dots: &Dots, vectors: [usize; 3], windows: [usize; 4]) -> [[f32; 4]; 3] {
    use std::arch::x86_64::{_mm256_fmadd_ps, _mm256_loadu_ps, _mm256_setzero_ps, _mm256_storeu_ps};
    let mut parts = [[_mm256_setzero_ps(); 4]; 3];
    for n in 0..dots.samples {
        // SAFETY: the caller's promise covers every start and the `len` elements after it.
        let (left, right) = unsafe {
            let (left, right) = (dots.left.as_ptr(), dots.right.as_ptr());
            (left.add(n * dots.vectors * dots.len), right.add(n * dots.right_stride))
        };
        for at in (0..dots.len).step_by(8) {
            // SAFETY: as above; `len` is a multiple of 16.
            let (left, right) = unsafe {
                (
                    vectors.map(|v| _mm256_loadu_ps(left.add(v + at))),
                    windows.map(|w| _mm256_loadu_ps(right.add(w + at))),
                )
            };
            for i in 0..3 {
                for j in 0..4 {
                    parts[i][j] = _mm256_fmadd_ps(left[i], right[j], parts[i][j]);
                }
            }
        }
    }
    parts.map(|row| {
        row.map(|parts| {
            let mut lanes = [0.0f32; 8];
            // SAFETY: the store fills the eight lanes.
            unsafe { _mm256_storeu_ps(lanes.as_mut_ptr(), parts) };
            lanes.iter().sum()
        })
    })
}

/// Made only where the token has AVX-512.
#[cfg(target_arch = "x86_64")]
struct Avx512;

#[cfg(target_arch = "x86_64")]
impl Tile<6, 4> for Avx512 {
    #[inline(always)]
    fn products(&self, dots: &Dots, vectors: [usize; 6], windows: [usize; 4]) -> [[f32; 4]; 6] {
        // SAFETY: this tile is made only for a token with AVX-512; `add_to` has checked that all
        // vectors and windows lie inside their arrays.
        unsafe { products_avx512(dots, vectors, windows) }
    }
}

/// # Safety
/// Every vector and window of `dots` lies inside its array, for every sample.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn products_avx512(dots: &Dots, vectors: [usize; 6], windows: [usize; 4]) -> [[f32; 4]; 6] {
    use std::arch::x86_64::{_mm512_fmadd_ps, _mm512_loadu_ps, _mm512_reduce_add_ps, _mm512_setzero_ps};
    let mut parts = [[_mm512_setzero_ps(); 4]; 6];
    for n in 0..dots.samples {
        // SAFETY: the caller's promise covers every start and the `len` elements after it.
        let (left, right) = unsafe {
            let (left, right) = (dots.left.as_ptr(), dots.right.as_ptr());
            (left.add(n * dots.vectors * dots.len), right.add(n * dots.right_stride))
        };
        for at in (0..dots.len).step_by(16) {
            // SAFETY: as above; `len` is a multiple of 16.
            let (left, right) = unsafe {
                (
                    vectors.map(|v| _mm512_loadu_ps(left.add(v + at))),
                    windows.map(|w| _mm512_loadu_ps(right.add(w + at))),
                )
            };
            for i in 0..6 {
                for j in 0..4 {
                    parts[i][j] = _mm512_fmadd_ps(left[i], right[j], parts[i][j]);
                }
            }
        }
    }
    parts.map(|row| row.map(|parts| _mm512_reduce_add_ps(parts)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equals_the_definition_exactly_on_integers(
            samples in 0usize..4, vectors in 0usize..14, windows in 0usize..11, len in 0usize..5, step in 0usize..4,
        ) {
            let len = len * Dots::LANES;
            let offsets: Vec<usize> = (0..windows).map(|w| w * step).collect();
            let right_stride = windows * step + len;
            let integers = |count: usize, salt: usize| -> Vec<f32> {
                (0..count).map(|i| ((i * 7919 + salt) % 13) as f32 - 6.0).collect()
            };
            let (left, right) = (integers(samples * vectors * len, 1), integers(samples * right_stride, 5));
            let mut wanted = integers(vectors * windows, 3);
            for isa in Isa::available() {
                let mut got = integers(vectors * windows, 3);
                let dots = Dots { samples, left: &left, vectors, len, right: &right, right_stride, offsets: &offsets };
                dots.add_to(isa, &mut got);
                if isa == Isa::PORTABLE {
                    for v in 0..vectors {
                        for w in 0..windows {
                            for n in 0..samples {
                                for i in 0..len {
                                    let left = left[(n * vectors + v) * len + i];
                                    wanted[v * windows + w] += left * right[n * right_stride + offsets[w] + i];
                                }
                            }
                        }
                    }
                }
                prop_assert_eq!(&got, &wanted, "{:?}", isa);
            }
        }
    }
}
