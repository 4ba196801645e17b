//! Running sums within a vector: it is added to itself, shifted by one lane, two, four, ... (W. Hillis and
//! G. Steele, 1986).
#![cfg(target_arch = "x86_64")]
#![allow(unsafe_code, reason = "vector instructions")]

use std::arch::x86_64::{
    __m512i, _mm512_add_epi16, _mm512_add_epi32, _mm512_bslli_epi128, _mm512_loadu_si512,
    _mm512_maskz_permutexvar_epi16, _mm512_maskz_permutexvar_epi32, _mm512_permutexvar_epi32,
    _mm512_set1_epi32,
};

/// For each lane of 16 bits the last lane of the group of eight that is `back` groups before its own.
const fn ends_of_words(back: usize) -> [i16; 32] {
    let mut ends = [0; 32];
    let mut lane = 8 * back;
    while lane < 32 {
        ends[lane] = ((lane / 8 - back) * 8 + 7) as i16;
        lane += 1;
    }
    ends
}

/// For each lane of 32 bits the last lane of the group of four that is `back` groups before its own.
const fn ends_of_doubles(back: usize) -> [i32; 16] {
    let mut ends = [0; 16];
    let mut lane = 4 * back;
    while lane < 16 {
        ends[lane] = ((lane / 4 - back) * 4 + 3) as i32;
        lane += 1;
    }
    ends
}

#[inline]
#[target_feature(enable = "avx512f")]
fn constant<T: bytemuck::Pod, const N: usize>(lanes: &[T; N]) -> __m512i {
    const { assert!(size_of::<T>() * N == 64) };
    // SAFETY: the array has 64 bytes; the load wants no alignment.
    unsafe { _mm512_loadu_si512(lanes.as_ptr().cast()) }
}

/// Of each lane of 16 bits the wrapping sum up to and with it.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn running_32_words(x: __m512i) -> __m512i {
    let x = _mm512_add_epi16(x, _mm512_bslli_epi128::<2>(x));
    let x = _mm512_add_epi16(x, _mm512_bslli_epi128::<4>(x));
    let x = _mm512_add_epi16(x, _mm512_bslli_epi128::<8>(x));
    let one = constant(const { &ends_of_words(1) });
    let x = _mm512_add_epi16(x, _mm512_maskz_permutexvar_epi16(0xffff_ff00, one, x));
    let two = constant(const { &ends_of_words(2) });
    _mm512_add_epi16(x, _mm512_maskz_permutexvar_epi16(0xffff_0000, two, x))
}

/// Of each lane of 32 bits the wrapping sum up to and with it.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn running_16_doubles(x: __m512i) -> __m512i {
    let x = _mm512_add_epi32(x, _mm512_bslli_epi128::<4>(x));
    let x = _mm512_add_epi32(x, _mm512_bslli_epi128::<8>(x));
    let one = constant(const { &ends_of_doubles(1) });
    let x = _mm512_add_epi32(x, _mm512_maskz_permutexvar_epi32(0xfff0, one, x));
    let two = constant(const { &ends_of_doubles(2) });
    _mm512_add_epi32(x, _mm512_maskz_permutexvar_epi32(0xff00, two, x))
}

/// The last lane everywhere.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn last_of_16_doubles(x: __m512i) -> __m512i {
    _mm512_permutexvar_epi32(_mm512_set1_epi32(15), x)
}
