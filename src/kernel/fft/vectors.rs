//! Floats side by side, as vectors of the instruction set.
#![allow(unsafe_code, reason = "instructions beyond the target's baseline")]
#![allow(clippy::wildcard_imports, reason = "the names of instructions are unmistakable")]
#![allow(clippy::inline_always, reason = "only what is inlined is compiled for the instruction set")]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;
use std::fmt::Debug;
use std::ops::{Add, Mul, Neg, Sub};

use super::Cell;
use crate::kernel::Isa;

/// Floats that are transformed `N` columns side by side: eight of `f64`, sixteen of `f32`.
pub trait Real<const N: usize>:
    Copy
    + Default
    + Debug
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Neg<Output = Self>
{
    /// The nearest one.
    fn of(value: f64) -> Self;
    /// The same number.
    fn to_f64(self) -> f64;
    #[doc(hidden)]
    fn with_vectors(isa: Isa, work: impl Work<Self, N>);
}

/// A set of vector instructions, as proof that they may be used. None fuses multiplication and addition.
pub trait Vectors<F, const N: usize>: Copy {
    /// Some of the `N` numbers.
    type V: Copy;
    /// Vectors that hold all of them. Working on one after the other keeps all of a butterfly in registers.
    const PARTS: usize;
    fn load(self, from: &[F; N], part: usize) -> Self::V;
    fn store(self, v: Self::V, to: &mut [F; N], part: usize);
    fn splat(self, value: F) -> Self::V;
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// Column `j` of cell `i` becomes column `i` of cell `j`.
    fn transpose(self, from: &[Cell<F, N>; N], to: &mut [Cell<F, N>; N]);
}

/// What works with any vectors.
pub trait Work<F, const N: usize> {
    fn run<E: Vectors<F, N>>(self, vectors: E);
}

macro_rules! real {
    ($real:ty, $lanes:expr) => {
        impl Real<$lanes> for $real {
            #[inline(always)]
            fn of(value: f64) -> Self {
                value as Self
            }

            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }

            #[inline]
            fn with_vectors(isa: Isa, work: impl Work<Self, $lanes>) {
                #[cfg(target_arch = "x86_64")]
                {
                    if isa.has_avx512() {
                        return isa.run(
                            #[inline(always)]
                            || work.run(Avx512(())),
                        );
                    }
                    if isa.has_avx2() {
                        return isa.run(
                            #[inline(always)]
                            || work.run(Avx2(())),
                        );
                    }
                }
                let _ = isa;
                work.run(Portable);
            }
        }
    };
}
real!(f64, 8);
real!(f32, 16);

#[derive(Clone, Copy)]
struct Portable;

/// Numbers that are worked on at a time where no vectors are named.
const FEW: usize = 4;

impl<F: Real<N>, const N: usize> Vectors<F, N> for Portable {
    type V = [F; FEW];
    const PARTS: usize = N / FEW;

    #[inline(always)]
    fn load(self, from: &[F; N], part: usize) -> Self::V {
        from.as_chunks().0[part]
    }

    #[inline(always)]
    fn store(self, v: Self::V, to: &mut [F; N], part: usize) {
        to.as_chunks_mut().0[part] = v;
    }

    #[inline(always)]
    fn splat(self, value: F) -> Self::V {
        [value; FEW]
    }

    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        std::array::from_fn(|i| a[i] + b[i])
    }

    #[inline(always)]
    fn sub(self, a: Self::V, b: Self::V) -> Self::V {
        std::array::from_fn(|i| a[i] - b[i])
    }

    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        std::array::from_fn(|i| a[i] * b[i])
    }

    #[inline(always)]
    fn transpose(self, from: &[Cell<F, N>; N], to: &mut [Cell<F, N>; N]) {
        for (i, from) in from.iter().enumerate() {
            for (j, to) in to.iter_mut().enumerate() {
                (to[0][i], to[1][i]) = (from[0][j], from[1][j]);
            }
        }
    }
}

/// Made only where the token has AVX2.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
struct Avx2(());

/// Made only where the token has AVX-512.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
struct Avx512(());

/// Loads, stores and arithmetic of vectors of `$width` numbers.
#[cfg(target_arch = "x86_64")]
macro_rules! arithmetic {
    ($real:ty, $lanes:expr, $v:ty, $width:expr, $load:ident, $store:ident, $set1:ident, $add:ident, $sub:ident, $mul:ident) => {
        type V = $v;
        const PARTS: usize = $lanes / $width;

        #[inline(always)]
        fn load(self, from: &[$real; $lanes], part: usize) -> Self::V {
            let from: &[$real; $width] = &from.as_chunks().0[part];
            // SAFETY: a value of this type exists only where its instructions do; the array is as long as a vector.
            unsafe { $load(from.as_ptr()) }
        }

        #[inline(always)]
        fn store(self, v: Self::V, to: &mut [$real; $lanes], part: usize) {
            let to: &mut [$real; $width] = &mut to.as_chunks_mut().0[part];
            // SAFETY: as for `load`.
            unsafe { $store(to.as_mut_ptr(), v) }
        }

        #[inline(always)]
        fn splat(self, value: $real) -> Self::V {
            // SAFETY: a value of this type exists only where its instructions do.
            unsafe { $set1(value) }
        }

        #[inline(always)]
        fn add(self, a: Self::V, b: Self::V) -> Self::V {
            // SAFETY: as for `splat`.
            unsafe { $add(a, b) }
        }

        #[inline(always)]
        fn sub(self, a: Self::V, b: Self::V) -> Self::V {
            // SAFETY: as for `splat`.
            unsafe { $sub(a, b) }
        }

        #[inline(always)]
        fn mul(self, a: Self::V, b: Self::V) -> Self::V {
            // SAFETY: as for `splat`.
            unsafe { $mul(a, b) }
        }
    };
}

#[cfg(target_arch = "x86_64")]
impl Vectors<f64, 8> for Avx2 {
    arithmetic!(
        f64,
        8,
        __m256d,
        4,
        _mm256_loadu_pd,
        _mm256_storeu_pd,
        _mm256_set1_pd,
        _mm256_add_pd,
        _mm256_sub_pd,
        _mm256_mul_pd
    );

    #[inline(always)]
    fn transpose(self, from: &[Cell<f64, 8>; 8], to: &mut [Cell<f64, 8>; 8]) {
        for at in 0..8 {
            let (im, row, column) = (at / 4, at / 2 % 2 * 4, at % 2 * 4);
            // SAFETY: a value of this type exists only where AVX2 does; slices are as long as what is read.
            let columns = unsafe {
                // Two columns of a row, and of the row two below.
                let halves = |i: usize, j: usize| {
                    let low = from[row + i][im][column + j..][..2].as_ptr();
                    let high = from[row + i + 2][im][column + j..][..2].as_ptr();
                    _mm256_insertf128_pd::<1>(_mm256_castpd128_pd256(_mm_loadu_pd(low)), _mm_loadu_pd(high))
                };
                let (a, b, c, d) = (halves(0, 0), halves(1, 0), halves(0, 2), halves(1, 2));
                [
                    _mm256_unpacklo_pd(a, b),
                    _mm256_unpackhi_pd(a, b),
                    _mm256_unpacklo_pd(c, d),
                    _mm256_unpackhi_pd(c, d),
                ]
            };
            for (v, to) in columns.into_iter().zip(&mut to[column..column + 4]) {
                self.store(v, &mut to[im], row / 4);
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
impl Vectors<f32, 16> for Avx2 {
    arithmetic!(
        f32,
        16,
        __m256,
        8,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_set1_ps,
        _mm256_add_ps,
        _mm256_sub_ps,
        _mm256_mul_ps
    );

    #[inline(always)]
    fn transpose(self, from: &[Cell<f32, 16>; 16], to: &mut [Cell<f32, 16>; 16]) {
        for at in 0..8 {
            let (im, row, column) = (at / 4, at / 2 % 2 * 8, at % 2 * 8);
            // SAFETY: a value of this type exists only where AVX2 does; slices are as long as what is read.
            let columns = unsafe {
                // Four columns of a row, and of the row four below: what is exchanged across halves is so by loads, for the
                // instructions that do it between vectors take Zen 1 eight steps each.
                let halves = |i: usize, j: usize| {
                    let low = from[row + i][im][column + j..][..4].as_ptr();
                    let high = from[row + i + 4][im][column + j..][..4].as_ptr();
                    _mm256_insertf128_ps::<1>(_mm256_castps128_ps256(_mm_loadu_ps(low)), _mm_loadu_ps(high))
                };
                let [a, b, c, d] = four_rows([halves(0, 0), halves(1, 0), halves(2, 0), halves(3, 0)]);
                let [e, f, g, h] = four_rows([halves(0, 4), halves(1, 4), halves(2, 4), halves(3, 4)]);
                [a, b, c, d, e, f, g, h]
            };
            for (v, to) in columns.into_iter().zip(&mut to[column..column + 8]) {
                self.store(v, &mut to[im], row / 8);
            }
        }
    }
}

/// Of each half of four rows: its four columns.
///
/// # Safety
/// Wants AVX.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn four_rows([a, b, c, d]: [__m256; 4]) -> [__m256; 4] {
    // SAFETY: the caller's promise.
    unsafe {
        let (ab, cd) = (_mm256_unpacklo_ps(a, b), _mm256_unpacklo_ps(c, d));
        let (ab_high, cd_high) = (_mm256_unpackhi_ps(a, b), _mm256_unpackhi_ps(c, d));
        [
            _mm256_shuffle_ps::<0x44>(ab, cd),
            _mm256_shuffle_ps::<0xee>(ab, cd),
            _mm256_shuffle_ps::<0x44>(ab_high, cd_high),
            _mm256_shuffle_ps::<0xee>(ab_high, cd_high),
        ]
    }
}

#[cfg(target_arch = "x86_64")]
impl Vectors<f64, 8> for Avx512 {
    arithmetic!(
        f64,
        8,
        __m512d,
        8,
        _mm512_loadu_pd,
        _mm512_storeu_pd,
        _mm512_set1_pd,
        _mm512_add_pd,
        _mm512_sub_pd,
        _mm512_mul_pd
    );

    #[inline(always)]
    fn transpose(self, from: &[Cell<f64, 8>; 8], to: &mut [Cell<f64, 8>; 8]) {
        for im in 0..2 {
            let mut rows = [Vectors::<f64, 8>::splat(self, 0.0); 8];
            for (v, from) in rows.iter_mut().zip(from) {
                *v = self.load(&from[im], 0);
            }
            // SAFETY: as for `splat`.
            let (even, odd) = unsafe {
                // Pairs of rows: columns 0 2 4 6 in `even`, 1 3 5 7 in `odd`, two lanes each.
                let even: [__m512d; 4] =
                    std::array::from_fn(|i| _mm512_unpacklo_pd(rows[2 * i], rows[2 * i + 1]));
                let odd: [__m512d; 4] =
                    std::array::from_fn(|i| _mm512_unpackhi_pd(rows[2 * i], rows[2 * i + 1]));
                let group = |v: [__m512d; 4]| {
                    // Columns 0 and 4 of rows 0 to 4, then 2 and 6.
                    let low =
                        [_mm512_shuffle_f64x2::<0x88>(v[0], v[1]), _mm512_shuffle_f64x2::<0xdd>(v[0], v[1])];
                    let high =
                        [_mm512_shuffle_f64x2::<0x88>(v[2], v[3]), _mm512_shuffle_f64x2::<0xdd>(v[2], v[3])];
                    [
                        _mm512_shuffle_f64x2::<0x88>(low[0], high[0]),
                        _mm512_shuffle_f64x2::<0x88>(low[1], high[1]),
                        _mm512_shuffle_f64x2::<0xdd>(low[0], high[0]),
                        _mm512_shuffle_f64x2::<0xdd>(low[1], high[1]),
                    ]
                };
                (group(even), group(odd))
            };
            for (j, to) in to.iter_mut().enumerate() {
                self.store(if j % 2 == 0 { even[j / 2] } else { odd[j / 2] }, &mut to[im], 0);
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
impl Vectors<f32, 16> for Avx512 {
    arithmetic!(
        f32,
        16,
        __m512,
        16,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        _mm512_set1_ps,
        _mm512_add_ps,
        _mm512_sub_ps,
        _mm512_mul_ps
    );

    /// By quarters, as with AVX2, which every such machine has.
    #[inline(always)]
    fn transpose(self, from: &[Cell<f32, 16>; 16], to: &mut [Cell<f32, 16>; 16]) {
        Avx2(()).transpose(from, to);
    }
}
