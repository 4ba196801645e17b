//! Means of windows of 8 bit whose sums want more than 16 bits, and those of their columns do not.
#![allow(unsafe_code, reason = "vector instructions")]

use super::{F32_AREA, Prefix as _, mean_u8_row};
use crate::kernel::Isa;

/// The most rows of such a window: four columns of them together fit 15 bits.
pub const MEDIUM_ROWS: usize = 32;

/// The means of the windows of `span` neighbouring columns, each the sum of up to [`MEDIUM_ROWS`] pixels: the sums over `area`,
/// rounded to nearest, halves up, as [`mean_u8_row`] has them. `columns` has `span - 1` elements more than
/// `out`; `sums` is scratch.
///
/// # Panics
/// When `columns` are fewer.
pub fn medium_mean_u8_row(
    isa: Isa,
    columns: &[u16],
    span: usize,
    area: usize,
    sums: &mut Vec<u32>,
    out: &mut [u8],
) {
    debug_assert!(area <= F32_AREA && columns.iter().all(|&column| usize::from(column) <= 255 * MEDIUM_ROWS));
    let count = out.len();
    if count == 0 {
        return;
    }
    let columns = &columns[..count + span - 1];
    #[cfg(target_arch = "x86_64")]
    if isa.has_avx2() && !isa.has_avx512() {
        // SAFETY: the token says that the machine has AVX2.
        return unsafe { x86::means(columns, span, area, out) };
    }
    // Longer vectors are as quick with prefix sums apart.
    sums.resize(2 * columns.len() + 1, 0);
    let (wide, sums) = sums.split_at_mut(columns.len());
    isa.run(
        #[inline(always)]
        || wide.iter_mut().zip(columns).for_each(|(wide, &column)| *wide = u32::from(column)),
    );
    u32::prefix_row(isa, wide, 1, sums);
    mean_u8_row(isa, sums, span, area, out);
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m128i, __m256, __m256i, _mm_add_epi32, _mm_packs_epi32, _mm_packus_epi16, _mm_shuffle_epi32,
        _mm_storeu_si128, _mm256_add_epi16, _mm256_add_epi32, _mm256_add_ps, _mm256_castsi256_si128,
        _mm256_cvtepi16_epi32, _mm256_cvtepi32_ps, _mm256_cvtps_epi32, _mm256_cvtsi256_si32,
        _mm256_extracti128_si256, _mm256_inserti128_si256, _mm256_loadu_si256, _mm256_mul_ps,
        _mm256_set_m128i, _mm256_set1_epi32, _mm256_set1_ps, _mm256_slli_si256, _mm256_sub_epi16,
    };

    /// Sixteen means at a time: each sum is the one before, and the change by a column that enters and one that leaves.
    #[target_feature(enable = "avx2")]
    pub(super) fn means(columns: &[u16], span: usize, area: usize, out: &mut [u8]) {
        let share = 1.0 / area as f32;
        // As in `mean_u8_row`: a quarter keeps quotients off the halves.
        let mean = |sum: u32| ((sum as f32 + 0.25) * share).round_ties_even() as u8;
        let (quarter, shares) = (_mm256_set1_ps(0.25), _mm256_set1_ps(share));
        let mut sum: u32 = columns[..span].iter().map(|&column| u32::from(column)).sum();
        out[0] = mean(sum);
        let mut base = _mm256_set1_epi32(sum.cast_signed());
        let (entering, leaving) = (columns[span..].as_chunks::<16>(), columns.as_chunks::<16>().0);
        let (blocks, rest) = out[1..].as_chunks_mut::<16>();
        for ((new, old), out) in entering.0.iter().zip(leaving).zip(blocks.iter_mut()) {
            let change = _mm256_sub_epi16(load(new), load(old));
            // Sums of four changes at the most, within eight neighbours.
            let fours = _mm256_add_epi16(change, _mm256_slli_si256::<2>(change));
            let fours = _mm256_add_epi16(fours, _mm256_slli_si256::<4>(fours));
            let low = running(_mm256_castsi256_si128(fours));
            let high = running(_mm256_extracti128_si256::<1>(fours));
            let middle = _mm256_add_epi32(base, last(low));
            let low = quotients(_mm256_add_epi32(base, low), quarter, shares);
            base = _mm256_add_epi32(middle, last(high));
            let high = quotients(_mm256_add_epi32(middle, high), quarter, shares);
            // SAFETY: the array has 16 bytes; the store wants no alignment.
            unsafe { _mm_storeu_si128(out.as_mut_ptr().cast(), _mm_packus_epi16(low, high)) };
        }
        let done = blocks.len() * 16;
        sum = _mm256_cvtsi256_si32(base).cast_unsigned();
        for ((out, &new), &old) in rest.iter_mut().zip(&columns[span + done..]).zip(&columns[done..]) {
            sum = sum + u32::from(new) - u32::from(old);
            *out = mean(sum);
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    #[allow(clippy::cast_ptr_alignment, reason = "a load that wants no alignment")]
    fn load(from: &[u16; 16]) -> __m256i {
        // SAFETY: the array has 32 bytes.
        unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
    }

    /// Running sums of eight changes from those of up to four.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn running(fours: __m128i) -> __m256i {
        let fours = _mm256_cvtepi16_epi32(fours);
        // In the upper half alone: what moves halves about costs Zen 1 eight steps.
        let upper = _mm_add_epi32(_mm256_extracti128_si256::<1>(fours), _mm256_castsi256_si128(fours));
        _mm256_inserti128_si256::<1>(fours, upper)
    }

    /// `(sum + quarter) * share` of eight sums, rounded to nearest.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn quotients(sums: __m256i, quarter: __m256, share: __m256) -> __m128i {
        let means = _mm256_mul_ps(_mm256_add_ps(_mm256_cvtepi32_ps(sums), quarter), share);
        let means = _mm256_cvtps_epi32(means);
        _mm_packs_epi32(_mm256_castsi256_si128(means), _mm256_extracti128_si256::<1>(means))
    }

    /// The last of eight lanes in all of them.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn last(v: __m256i) -> __m256i {
        let last = _mm_shuffle_epi32::<0xff>(_mm256_extracti128_si256::<1>(v));
        _mm256_set_m128i(last, last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_those_of_the_sums() {
        for (width, span, height) in
            [(1, 31, 31), (2, 3, 32), (16, 17, 30), (17, 31, 31), (33, 128, 32), (300, 31, 31), (97, 64, 20)]
        {
            // Dark and bright by turns, so that changes are as large as they can be.
            let column = |i: usize| {
                if (i / 5).is_multiple_of(2) { i * 7919 % 50 } else { 255 * height - i * 7919 % 50 }
            };
            let columns: Vec<u16> = (0..width + span - 1).map(|i| column(i) as u16).collect();
            let area = span * height;
            let mean = |x: usize| (2 * (x..x + span).map(column).sum::<usize>() + area) / (2 * area);
            let wanted: Vec<u8> = (0..width).map(|x| mean(x) as u8).collect();
            for isa in Isa::available() {
                let mut out = vec![0; width];
                medium_mean_u8_row(isa, &columns, span, area, &mut Vec::new(), &mut out);
                assert_eq!(out, wanted, "{isa:?} {width} {span} {height}");
            }
        }
    }
}
