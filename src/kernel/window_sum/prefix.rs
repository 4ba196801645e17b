//! Prefix sums of columns, several at a time.
//!
//! Within a vector, sums are made by adding it to itself, shifted by one lane, two, four, ... (W. Hillis
//! and G. Steele, 1986); from vector to vector one addition is carried.
#![allow(unsafe_code, reason = "vector instructions")]

use crate::kernel::Isa;

/// Integers that sums are kept in; they wrap.
pub trait Prefix: Copy + Default {
    /// `self - other`, wrapping.
    #[must_use]
    fn less(self, other: Self) -> Self;
    /// As a float.
    fn float(self) -> f64;
    /// As a small number: sums below 2^31 alone.
    fn low(self) -> i32;
    /// `sums[i + step] = sums[i] + columns[i]`, the first `step` sums 0: one prefix sum a channel.
    fn prefix_row(isa: Isa, columns: &[Self], step: usize, sums: &mut [Self]);
}

macro_rules! prefix {
    ($($number:ty, $float:expr);*) => {$(
        impl Prefix for $number {
            #[inline(always)]
            fn less(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }
            #[inline(always)]
            fn float(self) -> f64 {
                $float(self)
            }
            #[inline(always)]
            fn low(self) -> i32 {
                self as i32
            }
            fn prefix_row(isa: Isa, columns: &[Self], step: usize, sums: &mut [Self]) {
                let done = if step == 1 { <$number as Vectors>::prefix(isa, columns, sums) } else { 0 };
                prefix(columns, step, done, sums, Self::wrapping_add);
            }
        }
    )*};
}
prefix!(u32, f64::from; u64, |sum| sum as f64);

/// The sums from `done` on, where there are some; without any, the first `step` of them are zero.
fn prefix<S: Copy + Default>(
    columns: &[S],
    step: usize,
    done: usize,
    sums: &mut [S],
    add: impl Fn(S, S) -> S,
) {
    if done == 0 {
        sums[..step].fill(S::default());
    }
    for i in done..columns.len() {
        sums[i + step] = add(sums[i], columns[i]);
    }
}

/// The vector form of one prefix sum.
trait Vectors: Sized {
    /// Makes the sums of the first columns; returns of how many. Without any, `sums` is as it was.
    fn prefix(_isa: Isa, _columns: &[Self], _sums: &mut [Self]) -> usize {
        0
    }
}

impl Vectors for u64 {}

#[cfg(not(target_arch = "x86_64"))]
impl Vectors for u32 {}

#[cfg(target_arch = "x86_64")]
macro_rules! vectors {
    ($number:ty, $avx512:path, $avx2:path) => {
        impl Vectors for $number {
            fn prefix(isa: Isa, columns: &[Self], sums: &mut [Self]) -> usize {
                if isa.has_avx512() {
                    // SAFETY: the token says that the machine has AVX-512.
                    unsafe { $avx512(columns, sums) }
                } else if isa.has_avx2() {
                    // SAFETY: the token says that the machine has AVX2.
                    unsafe { $avx2(columns, sums) }
                } else {
                    0
                }
            }
        }
    };
}
#[cfg(target_arch = "x86_64")]
vectors!(u32, x86::doubles_avx512, x86::doubles_avx2);

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m256i, __m512i, _mm_add_epi32, _mm_shuffle_epi32, _mm256_add_epi32, _mm256_castsi256_si128,
        _mm256_extracti128_si256, _mm256_inserti128_si256, _mm256_loadu_si256, _mm256_permutevar8x32_epi32,
        _mm256_set1_epi32, _mm256_setzero_si256, _mm256_slli_si256, _mm256_storeu_si256, _mm512_add_epi32,
        _mm512_loadu_si512, _mm512_setzero_si512, _mm512_storeu_si512,
    };

    use crate::kernel::running::{last_of_16_doubles, running_16_doubles};

    /// A prefix sum in blocks of `$lanes`. `$within` makes the sums of a vector, `$last` puts the last of
    /// them into all lanes.
    macro_rules! prefix {
        ($name:ident, $features:literal, $number:ty, $lanes:literal, $vector:ty,
         $load:ident, $store:ident, $add:ident, $zero:ident, $within:ident, $last:ident) => {
            #[target_feature(enable = $features)]
            #[allow(clippy::cast_ptr_alignment, reason = "loads and stores that want no alignment")]
            pub(super) fn $name(columns: &[$number], sums: &mut [$number]) -> usize {
                let (blocks, _) = columns.as_chunks::<$lanes>();
                if blocks.is_empty() {
                    return 0;
                }
                sums[0] = 0;
                let (places, _) = sums[1..].as_chunks_mut::<$lanes>();
                let mut carry: $vector = $zero();
                for (block, place) in blocks.iter().zip(places) {
                    // SAFETY: the array has the bytes of a vector; the load wants no alignment.
                    let x: $vector = $within(unsafe { $load(block.as_ptr().cast()) });
                    // SAFETY: as for the load.
                    unsafe { $store(place.as_mut_ptr().cast(), $add(x, carry)) };
                    carry = $add(carry, $last(x));
                }
                blocks.len() * $lanes
            }
        };
    }

    prefix!(
        doubles_avx512,
        "avx512f,avx512bw",
        u32,
        16,
        __m512i,
        _mm512_loadu_si512,
        _mm512_storeu_si512,
        _mm512_add_epi32,
        _mm512_setzero_si512,
        running_16_doubles,
        last_of_16_doubles
    );
    prefix!(
        doubles_avx2,
        "avx2",
        u32,
        8,
        __m256i,
        _mm256_loadu_si256,
        _mm256_storeu_si256,
        _mm256_add_epi32,
        _mm256_setzero_si256,
        within_8_doubles,
        last_of_8_doubles
    );

    #[inline]
    #[target_feature(enable = "avx2")]
    fn within_8_doubles(x: __m256i) -> __m256i {
        let x = _mm256_add_epi32(x, _mm256_slli_si256::<4>(x));
        let x = _mm256_add_epi32(x, _mm256_slli_si256::<8>(x));
        let last = _mm_shuffle_epi32::<0xff>(_mm256_castsi256_si128(x));
        _mm256_inserti128_si256::<1>(x, _mm_add_epi32(_mm256_extracti128_si256::<1>(x), last))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn last_of_8_doubles(x: __m256i) -> __m256i {
        _mm256_permutevar8x32_epi32(x, _mm256_set1_epi32(7))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<S: Prefix + PartialEq + std::fmt::Debug>(value: impl Fn(usize) -> S, zero: S) {
        for width in (0..80).chain([127, 128, 129, 1000]) {
            for step in [1, 3] {
                let columns: Vec<S> = (0..width).map(&value).collect();
                for isa in Isa::available() {
                    let mut sums = vec![value(5); width + step];
                    S::prefix_row(isa, &columns, step, &mut sums);
                    assert!(sums[..step].iter().all(|sum| *sum == zero));
                    for (i, column) in columns.iter().enumerate() {
                        assert_eq!(sums[i + step].less(sums[i]), *column, "{isa:?} {width} {step} {i}");
                    }
                }
            }
        }
    }

    #[test]
    fn differences_of_sums_are_the_columns() {
        check(|i| (i as u32).wrapping_mul(2_654_435_761), 0);
        check(|i| (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15), 0);
    }
}
