//! Register tiles: the sums of a small block of the product, all in registers.
#![allow(
    unsafe_code,
    reason = "vector loads and stores, and entering functions compiled for more instructions"
)]

/// A register tile of `MR` rows and `NR` columns.
pub(super) trait Tile<const MR: usize, const NR: usize> {
    /// `tile = A B` for one panel of each side.
    fn multiply<'b>(
        &self,
        a: &[[f32; MR]],
        b: impl Iterator<Item = &'b [f32; NR]>,
        tile: &mut [[f32; NR]; MR],
    );
}

pub(super) struct Portable;

impl Tile<4, 8> for Portable {
    #[inline(always)]
    fn multiply<'b>(&self, a: &[[f32; 4]], b: impl Iterator<Item = &'b [f32; 8]>, tile: &mut [[f32; 8]; 4]) {
        let mut sums = [[0.0f32; 8]; 4];
        for (a, b) in a.iter().zip(b) {
            for r in 0..4 {
                for l in 0..8 {
                    sums[r][l] += a[r] * b[l];
                }
            }
        }
        *tile = sums;
    }
}

/// Made only where the token has AVX2.
#[cfg(target_arch = "x86_64")]
pub(super) struct Avx2;

#[cfg(target_arch = "x86_64")]
impl Tile<6, 16> for Avx2 {
    #[inline(always)]
    fn multiply<'b>(
        &self,
        a: &[[f32; 6]],
        b: impl Iterator<Item = &'b [f32; 16]>,
        tile: &mut [[f32; 16]; 6],
    ) {
        // SAFETY: `gemm` makes this tile only for a token with AVX2 and FMA.
        unsafe { multiply_avx2(a, b, tile) }
    }
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2,fma")]
fn multiply_avx2<'b>(a: &[[f32; 6]], b: impl Iterator<Item = &'b [f32; 16]>, tile: &mut [[f32; 16]; 6]) {
    use std::arch::x86_64::{
        _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_set1_ps, _mm256_setzero_ps, _mm256_storeu_ps,
    };
    let mut sums = [[_mm256_setzero_ps(); 2]; 6];
    for (a, b) in a.iter().zip(b) {
        // SAFETY: both loads lie inside the sixteen lanes of `b`.
        let b = unsafe { [_mm256_loadu_ps(b.as_ptr()), _mm256_loadu_ps(b.as_ptr().add(8))] };
        for r in 0..6 {
            let a = _mm256_set1_ps(a[r]);
            for v in 0..2 {
                sums[r][v] = _mm256_fmadd_ps(a, b[v], sums[r][v]);
            }
        }
    }
    for (row, sums) in tile.iter_mut().zip(sums) {
        // SAFETY: both stores lie inside the sixteen lanes of the row.
        unsafe {
            _mm256_storeu_ps(row.as_mut_ptr(), sums[0]);
            _mm256_storeu_ps(row.as_mut_ptr().add(8), sums[1]);
        }
    }
}

/// Made only where the token has AVX-512.
#[cfg(target_arch = "x86_64")]
pub(super) struct Avx512;

#[cfg(target_arch = "x86_64")]
impl Tile<8, 32> for Avx512 {
    #[inline(always)]
    fn multiply<'b>(
        &self,
        a: &[[f32; 8]],
        b: impl Iterator<Item = &'b [f32; 32]>,
        tile: &mut [[f32; 32]; 8],
    ) {
        // SAFETY: `gemm` makes this tile only for a token with AVX-512.
        unsafe { multiply_avx512(a, b, tile) }
    }
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f")]
fn multiply_avx512<'b>(a: &[[f32; 8]], b: impl Iterator<Item = &'b [f32; 32]>, tile: &mut [[f32; 32]; 8]) {
    use std::arch::x86_64::{
        _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_setzero_ps, _mm512_storeu_ps,
    };
    let mut sums = [[_mm512_setzero_ps(); 2]; 8];
    for (a, b) in a.iter().zip(b) {
        // SAFETY: both loads lie inside the thirty-two lanes of `b`.
        let b = unsafe { [_mm512_loadu_ps(b.as_ptr()), _mm512_loadu_ps(b.as_ptr().add(16))] };
        for r in 0..8 {
            let a = _mm512_set1_ps(a[r]);
            for v in 0..2 {
                sums[r][v] = _mm512_fmadd_ps(a, b[v], sums[r][v]);
            }
        }
    }
    for (row, sums) in tile.iter_mut().zip(sums) {
        // SAFETY: both stores lie inside the thirty-two lanes of the row.
        unsafe {
            _mm512_storeu_ps(row.as_mut_ptr(), sums[0]);
            _mm512_storeu_ps(row.as_mut_ptr().add(16), sums[1]);
        }
    }
}
