//! Two neighbours of 8 bit for eight output positions at a time, by gathered loads.
#![allow(unsafe_code, reason = "vector instructions")]

use super::{Isa, Linear};

/// The first output positions of [`linear_across_u8_row`](super::linear_across_u8_row) for one channel;
/// returns how many.
pub(super) fn across(isa: Isa, row: &[u8], taps: &Linear, out: &mut [i32]) -> usize {
    #[cfg(target_arch = "x86_64")]
    if isa.has_avx2() {
        // SAFETY: the set was just found.
        return unsafe { across_avx2(row, taps, out) };
    }
    let _ = (isa, row, taps, out);
    0
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn across_avx2(row: &[u8], taps: &Linear, out: &mut [i32]) -> usize {
    use std::arch::x86_64::{
        __m256i, _mm256_and_si256, _mm256_i32gather_epi32, _mm256_loadu_si256, _mm256_madd_epi16,
        _mm256_or_si256, _mm256_set1_epi32, _mm256_slli_epi32, _mm256_storeu_si256,
    };
    // SAFETY: the array has 32 bytes.
    let load = |from: *const __m256i| unsafe { _mm256_loadu_si256(from) };
    let (low, high) = (_mm256_set1_epi32(0xff), _mm256_set1_epi32(0xff00));
    // A load takes four bytes.
    let Some(last) = row.len().checked_sub(4).and_then(|last| u32::try_from(last).ok()) else { return 0 };
    let positions = taps.first.as_chunks::<8>().0.iter().zip(taps.fixed.as_chunks::<8>().0);
    let mut done = 0;
    for ((first, weights), out) in positions.zip(out.as_chunks_mut::<8>().0) {
        if first.iter().any(|&first| first > last) {
            break;
        }
        // SAFETY: every index was just seen to lie four bytes and more before the end of the row.
        let bytes = unsafe { _mm256_i32gather_epi32::<1>(row.as_ptr().cast(), load(first.as_ptr().cast())) };
        let pairs = _mm256_or_si256(
            _mm256_and_si256(bytes, low),
            _mm256_slli_epi32::<8>(_mm256_and_si256(bytes, high)),
        );
        let sums = _mm256_madd_epi16(pairs, load(weights.as_ptr().cast()));
        // SAFETY: the array has 32 bytes.
        unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), sums) };
        done += 8;
    }
    done
}
