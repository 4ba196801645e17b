//! Eight floats of 64 bits, as vectors of the instruction set.
#![allow(unsafe_code, reason = "instructions beyond the target's baseline")]
#![allow(clippy::wildcard_imports, reason = "the names of instructions are unmistakable")]
#![allow(clippy::inline_always, reason = "only what is inlined is compiled for the instruction set")]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use super::LANES;
use crate::kernel::Isa;

/// A set of vector instructions, as proof that they may be used. None fuses multiplication and addition.
pub(super) trait Eight: Copy {
    type V: Copy;
    fn load(self, from: &[f64; LANES]) -> Self::V;
    fn store(self, v: Self::V, to: &mut [f64; LANES]);
    fn splat(self, value: f64) -> Self::V;
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// Lane `j` of vector `i` becomes lane `i` of vector `j`.
    fn transpose(self, rows: [Self::V; LANES]) -> [Self::V; LANES];
}

/// What works with any vectors.
pub(super) trait Work {
    fn run<E: Eight>(self, eight: E);
}

impl Isa {
    #[inline]
    pub(super) fn with_eight(self, work: impl Work) {
        #[cfg(target_arch = "x86_64")]
        {
            if self.has_avx512() {
                return self.run(
                    #[inline(always)]
                    || work.run(Avx512(())),
                );
            }
            if self.has_avx2() {
                return self.run(
                    #[inline(always)]
                    || work.run(Avx2(())),
                );
            }
        }
        work.run(Portable);
    }
}

#[derive(Clone, Copy)]
struct Portable;

impl Eight for Portable {
    type V = [f64; LANES];

    #[inline(always)]
    fn load(self, from: &[f64; LANES]) -> Self::V {
        *from
    }

    #[inline(always)]
    fn store(self, v: Self::V, to: &mut [f64; LANES]) {
        *to = v;
    }

    #[inline(always)]
    fn splat(self, value: f64) -> Self::V {
        [value; LANES]
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
    fn transpose(self, rows: [Self::V; LANES]) -> [Self::V; LANES] {
        std::array::from_fn(|j| std::array::from_fn(|i| rows[i][j]))
    }
}

/// Made only where the token has AVX2.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
struct Avx2(());

#[cfg(target_arch = "x86_64")]
impl Eight for Avx2 {
    type V = [__m256d; 2];

    #[inline(always)]
    fn load(self, from: &[f64; LANES]) -> Self::V {
        // SAFETY: a value of this type exists only where AVX2 does; the array holds both halves.
        unsafe { [_mm256_loadu_pd(from.as_ptr()), _mm256_loadu_pd(from.as_ptr().add(4))] }
    }

    #[inline(always)]
    fn store(self, [low, high]: Self::V, to: &mut [f64; LANES]) {
        // SAFETY: as for `load`.
        unsafe {
            _mm256_storeu_pd(to.as_mut_ptr(), low);
            _mm256_storeu_pd(to.as_mut_ptr().add(4), high);
        }
    }

    #[inline(always)]
    fn splat(self, value: f64) -> Self::V {
        // SAFETY: a value of this type exists only where AVX2 does.
        unsafe { [_mm256_set1_pd(value); 2] }
    }

    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: as for `splat`.
        unsafe { [_mm256_add_pd(a[0], b[0]), _mm256_add_pd(a[1], b[1])] }
    }

    #[inline(always)]
    fn sub(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: as for `splat`.
        unsafe { [_mm256_sub_pd(a[0], b[0]), _mm256_sub_pd(a[1], b[1])] }
    }

    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: as for `splat`.
        unsafe { [_mm256_mul_pd(a[0], b[0]), _mm256_mul_pd(a[1], b[1])] }
    }

    #[inline(always)]
    fn transpose(self, rows: [Self::V; LANES]) -> [Self::V; LANES] {
        // SAFETY: as for `splat`.
        let four = |[a, b, c, d]: [__m256d; 4]| unsafe {
            let (ab, cd) = (_mm256_unpacklo_pd(a, b), _mm256_unpacklo_pd(c, d));
            let (ab_odd, cd_odd) = (_mm256_unpackhi_pd(a, b), _mm256_unpackhi_pd(c, d));
            [
                _mm256_permute2f128_pd::<0x20>(ab, cd),
                _mm256_permute2f128_pd::<0x20>(ab_odd, cd_odd),
                _mm256_permute2f128_pd::<0x31>(ab, cd),
                _mm256_permute2f128_pd::<0x31>(ab_odd, cd_odd),
            ]
        };
        let quarter = |row: usize, half: usize| four(std::array::from_fn(|i| rows[row + i][half]));
        let quarters = [[quarter(0, 0), quarter(4, 0)], [quarter(0, 1), quarter(4, 1)]];
        std::array::from_fn(|j| [quarters[j / 4][0][j % 4], quarters[j / 4][1][j % 4]])
    }
}

/// Made only where the token has AVX-512.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
struct Avx512(());

#[cfg(target_arch = "x86_64")]
impl Eight for Avx512 {
    type V = __m512d;

    #[inline(always)]
    fn load(self, from: &[f64; LANES]) -> Self::V {
        // SAFETY: a value of this type exists only where AVX-512 does; the array is as long as a vector.
        unsafe { _mm512_loadu_pd(from.as_ptr()) }
    }

    #[inline(always)]
    fn store(self, v: Self::V, to: &mut [f64; LANES]) {
        // SAFETY: as for `load`.
        unsafe { _mm512_storeu_pd(to.as_mut_ptr(), v) }
    }

    #[inline(always)]
    fn splat(self, value: f64) -> Self::V {
        // SAFETY: a value of this type exists only where AVX-512 does.
        unsafe { _mm512_set1_pd(value) }
    }

    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: as for `splat`.
        unsafe { _mm512_add_pd(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: as for `splat`.
        unsafe { _mm512_sub_pd(a, b) }
    }

    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: as for `splat`.
        unsafe { _mm512_mul_pd(a, b) }
    }

    #[inline(always)]
    fn transpose(self, rows: [Self::V; LANES]) -> [Self::V; LANES] {
        // SAFETY: as for `splat`.
        unsafe {
            // Pairs of rows: columns 0 2 4 6 in `even`, 1 3 5 7 in `odd`, two lanes each.
            let even: [__m512d; 4] =
                std::array::from_fn(|i| _mm512_unpacklo_pd(rows[2 * i], rows[2 * i + 1]));
            let odd: [__m512d; 4] = std::array::from_fn(|i| _mm512_unpackhi_pd(rows[2 * i], rows[2 * i + 1]));
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
            let (even, odd) = (group(even), group(odd));
            std::array::from_fn(|j| if j % 2 == 0 { even[j / 2] } else { odd[j / 2] })
        }
    }
}
