//! Running sums along a row, several pixels at a time.
//!
//! A row is cut into blocks whose sums fit 32 bits whatever the type of the table; within a vector, sums
//! are made by adding it to itself, shifted by one lane, two and four (W. Hillis and G. Steele, 1986).
#![allow(unsafe_code, reason = "vector instructions")]

use super::{Isa, Sum};

/// Pixels of a block: sums of 16 bit stay below 2^24.
const BLOCK: usize = 256;

/// Values whose running sums are known how to make.
pub(super) trait Prefix: Copy + Into<u32> {
    /// The running sums of the first values of a block, with vectors; returns how many were made, and the
    /// sum of them is the last.
    fn vectors(isa: Isa, values: &[Self], sums: &mut [u32]) -> usize;
}

/// One row of a table: `out[x + 1] = above[x + 1] + row[0] + ... + row[x]`, and `out[0] = 0`.
pub(super) fn sum_row<T: Prefix, S: Sum<T>>(isa: Isa, row: &[T], above: &[S], out: &mut [S]) {
    assert!(above.len() == row.len() + 1 && out.len() == row.len() + 1, "sums have one column more");
    out[0] = S::default();
    let mut base = S::default();
    let mut sums = [0u32; BLOCK];
    let blocks = row.chunks(BLOCK).zip(above[1..].chunks(BLOCK)).zip(out[1..].chunks_mut(BLOCK));
    for ((values, above), out) in blocks {
        let sums = &mut sums[..values.len()];
        let done = T::vectors(isa, values, sums);
        let mut sum = done.checked_sub(1).map_or(0, |last| sums[last]);
        for (&value, out) in values[done..].iter().zip(&mut sums[done..]) {
            sum += value.into();
            *out = sum;
        }
        isa.run(
            #[inline(always)]
            || {
                for ((&sum, &above), out) in sums.iter().zip(above).zip(out) {
                    *out = above.plus(base.plus(S::small(sum)));
                }
            },
        );
        base = base.plus(S::small(sum));
    }
}

/// [`sum_row`] for the most used types, without a detour through memory where there are vectors.
pub(super) fn sum_bytes_row(isa: Isa, row: &[u8], above: &[u32], out: &mut [u32]) {
    assert!(above.len() == row.len() + 1 && out.len() == row.len() + 1, "sums have one column more");
    #[cfg(target_arch = "x86_64")]
    if isa.has_avx512() {
        out[0] = 0;
        // SAFETY: the set was just found.
        let (done, sum) = unsafe { x86::table_row::<false>(row, &above[1..], &mut out[1..], &mut []) };
        return finish(row, above, out, done, sum);
    } else if isa.has_avx2() {
        out[0] = 0;
        // SAFETY: the set was just found.
        let (done, sum) = unsafe { x86::table_row_16::<false>(row, &above[1..], &mut out[1..], &mut []) };
        return finish(row, above, out, done, sum);
    }
    sum_row(isa, row, above, out);
}

/// [`sum_bytes_row`], and each sum rounded to a float. `above` is a row of such sums: it never falls, nor leaves 32 bits.
pub(super) fn sum_bytes_floats_row(isa: Isa, row: &[u8], above: &[u32], out: &mut [u32], floats: &mut [f32]) {
    assert!(above.len() == row.len() + 1 && out.len() == row.len() + 1, "sums have one column more");
    assert!(floats.len() == out.len(), "a float for every sum");
    let mut done = 0;
    #[cfg(target_arch = "x86_64")]
    if isa.has_avx512() {
        out[0] = 0;
        floats[0] = 0.0;
        let (entries, rounded) = (&mut out[1..], &mut floats[1..]);
        // SAFETY: the set was just found.
        let (pixels, sum) = unsafe { x86::table_row::<true>(row, &above[1..], entries, rounded) };
        finish(row, above, out, pixels, sum);
        done = pixels + 1;
    } else if isa.has_avx2() && i32::try_from(u64::from(above[row.len()]) + 255 * row.len() as u64).is_ok() {
        // There is no rounding of numbers without a sign.
        out[0] = 0;
        floats[0] = 0.0;
        let (entries, rounded) = (&mut out[1..], &mut floats[1..]);
        // SAFETY: the set was just found.
        let (pixels, sum) = unsafe { x86::table_row_16::<true>(row, &above[1..], entries, rounded) };
        finish(row, above, out, pixels, sum);
        done = pixels + 1;
    }
    if done == 0 {
        sum_row(isa, row, above, out);
    }
    isa.run(
        #[inline(always)]
        || floats[done..].iter_mut().zip(&out[done..]).for_each(|(float, &sum)| *float = sum as f32),
    );
}

/// The entries from `done` on, where the pixels before sum up to `sum`.
#[cfg(target_arch = "x86_64")]
fn finish(row: &[u8], above: &[u32], out: &mut [u32], done: usize, mut sum: u32) {
    for ((&value, &above), out) in row[done..].iter().zip(&above[done + 1..]).zip(&mut out[done + 1..]) {
        sum = sum.wrapping_add(u32::from(value));
        *out = above.wrapping_add(sum);
    }
}

impl Prefix for u8 {
    fn vectors(isa: Isa, values: &[Self], sums: &mut [u32]) -> usize {
        #[cfg(target_arch = "x86_64")]
        if isa.has_avx2() {
            // SAFETY: the set was just found.
            return unsafe { x86::bytes(values, sums) };
        }
        let _ = (isa, values, sums);
        0
    }
}

impl Prefix for u16 {
    fn vectors(isa: Isa, values: &[Self], sums: &mut [u32]) -> usize {
        #[cfg(target_arch = "x86_64")]
        if isa.has_avx2() {
            // SAFETY: the set was just found.
            return unsafe { x86::words(values, sums) };
        }
        let _ = (isa, values, sums);
        0
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m128i, __m256i, _MM_HINT_T0, _mm_add_epi32, _mm_loadu_si128, _mm_prefetch, _mm_shuffle_epi32,
        _mm256_add_epi16, _mm256_add_epi32, _mm256_castsi256_si128, _mm256_cvtepi32_ps, _mm256_cvtepu8_epi16,
        _mm256_cvtepu16_epi32, _mm256_cvtsi256_si32, _mm256_extracti128_si256, _mm256_inserti128_si256,
        _mm256_loadu_si256, _mm256_permutevar8x32_epi32, _mm256_set1_epi32, _mm256_setzero_si256,
        _mm256_slli_si256, _mm256_storeu_ps, _mm256_storeu_si256, _mm512_add_epi32, _mm512_castsi512_si256,
        _mm512_cvtepu8_epi16, _mm512_cvtepu16_epi32, _mm512_cvtepu32_ps, _mm512_cvtsi512_si32,
        _mm512_extracti64x4_epi64, _mm512_loadu_si512, _mm512_permutexvar_epi32, _mm512_set1_epi32,
        _mm512_setzero_si512, _mm512_storeu_ps, _mm512_storeu_si512,
    };

    use crate::kernel::running::running_32_words;

    /// The first entries of a row of a table, and with `FLOATS` each rounded; how many, and the sum of
    /// their pixels.
    #[target_feature(enable = "avx512f,avx512bw,avx2")]
    pub(super) fn table_row<const FLOATS: bool>(
        row: &[u8],
        above: &[u32],
        out: &mut [u32],
        floats: &mut [f32],
    ) -> (usize, u32) {
        let mut base = _mm512_setzero_si512();
        let last = _mm512_set1_epi32(15);
        let blocks = row.as_chunks::<32>().0;
        let (above, out) = (above.as_chunks::<16>().0, out.as_chunks_mut::<16>().0);
        let floats = floats.as_chunks_mut::<16>().0;
        for (i, pixels) in blocks.iter().enumerate() {
            // SAFETY: the array has 32 bytes.
            let pixels = unsafe { _mm256_loadu_si256(pixels.as_ptr().cast()) };
            let sums = running_32_words(_mm512_cvtepu8_epi16(pixels));
            let halves = [_mm512_castsi512_si256(sums), _mm512_extracti64x4_epi64::<1>(sums)];
            let halves = halves.map(|half| _mm512_add_epi32(_mm512_cvtepu16_epi32(half), base));
            for (j, half) in halves.into_iter().enumerate() {
                let at = 2 * i + j;
                // SAFETY: the array has 64 bytes.
                let above = unsafe { _mm512_loadu_si512(above[at].as_ptr().cast()) };
                let entries = _mm512_add_epi32(half, above);
                // SAFETY: the array has 64 bytes.
                unsafe { _mm512_storeu_si512(out[at].as_mut_ptr().cast(), entries) };
                if FLOATS {
                    let next_row = floats[at].as_ptr().wrapping_add(row.len() + 1).cast();
                    // The row to write next is fetched while this one is computed; a hint reads nothing.
                    _mm_prefetch::<_MM_HINT_T0>(next_row);
                    let rounded = _mm512_cvtepu32_ps(entries);
                    // SAFETY: the array has 64 bytes.
                    unsafe { _mm512_storeu_ps(floats[at].as_mut_ptr(), rounded) };
                }
            }
            base = _mm512_permutexvar_epi32(last, halves[1]);
        }
        (blocks.len() * 32, _mm512_cvtsi512_si32(base).cast_unsigned())
    }

    /// As [`table_row`], sixteen pixels at a time; with `FLOATS`, sums that fit 31 bits.
    #[target_feature(enable = "avx2")]
    pub(super) fn table_row_16<const FLOATS: bool>(
        row: &[u8],
        above: &[u32],
        out: &mut [u32],
        floats: &mut [f32],
    ) -> (usize, u32) {
        let mut base = _mm256_setzero_si256();
        let blocks = row.as_chunks::<16>().0;
        let (above, out) = (above.as_chunks::<16>().0, out.as_chunks_mut::<16>().0);
        let floats = floats.as_chunks_mut::<16>().0;
        for (i, ((pixels, above), out)) in blocks.iter().zip(above).zip(out).enumerate() {
            let (low, high) = running(load(pixels));
            let halves = [_mm256_add_epi32(low, base), _mm256_add_epi32(high, base)];
            base = _mm256_add_epi32(base, last(high));
            for (half, place) in halves.into_iter().zip([0, 8]) {
                // SAFETY: eight entries from 0 or 8 on of sixteen.
                unsafe {
                    let above = _mm256_loadu_si256(above.as_ptr().add(place).cast());
                    let entries = _mm256_add_epi32(half, above);
                    _mm256_storeu_si256(out.as_mut_ptr().add(place).cast(), entries);
                    if FLOATS {
                        _mm256_storeu_ps(floats[i].as_mut_ptr().add(place), _mm256_cvtepi32_ps(entries));
                    }
                }
            }
        }
        (blocks.len() * 16, _mm256_cvtsi256_si32(base).cast_unsigned())
    }

    /// The running sums of sixteen bytes.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn running(bytes: __m128i) -> (__m256i, __m256i) {
        // Two groups of eight, each with its own running sum.
        let mut v = _mm256_cvtepu8_epi16(bytes);
        v = _mm256_add_epi16(v, _mm256_slli_si256::<2>(v));
        v = _mm256_add_epi16(v, _mm256_slli_si256::<4>(v));
        v = _mm256_add_epi16(v, _mm256_slli_si256::<8>(v));
        let low = _mm256_cvtepu16_epi32(_mm256_castsi256_si128(v));
        let high = _mm256_cvtepu16_epi32(_mm256_extracti128_si256::<1>(v));
        (low, _mm256_add_epi32(high, last(low)))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn load<T: bytemuck::Pod, const N: usize>(values: &[T; N]) -> __m128i {
        const { assert!(size_of::<T>() * N == 16) };
        // SAFETY: the array has 16 bytes.
        unsafe { _mm_loadu_si128(values.as_ptr().cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn store(v: __m256i, to: &mut [u32; 8]) {
        // SAFETY: the array has 32 bytes.
        unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), v) };
    }

    /// The last of eight lanes in all of them.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn last(v: __m256i) -> __m256i {
        _mm256_permutevar8x32_epi32(v, _mm256_set1_epi32(7))
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn bytes(values: &[u8], sums: &mut [u32]) -> usize {
        let mut base = _mm256_setzero_si256();
        let (values, sums) = (values.as_chunks::<16>().0, sums.as_chunks_mut::<8>().0);
        for (values, sums) in values.iter().zip(sums.as_chunks_mut::<2>().0) {
            let (low, high) = running(load(values));
            store(_mm256_add_epi32(low, base), &mut sums[0]);
            store(_mm256_add_epi32(high, base), &mut sums[1]);
            base = _mm256_add_epi32(base, last(high));
        }
        values.len() * 16
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn words(values: &[u16], sums: &mut [u32]) -> usize {
        let mut base = _mm256_setzero_si256();
        let (values, sums) = (values.as_chunks::<8>().0, sums.as_chunks_mut::<8>().0);
        for (values, sums) in values.iter().zip(sums) {
            let mut v = _mm256_cvtepu16_epi32(load(values));
            v = _mm256_add_epi32(v, _mm256_slli_si256::<4>(v));
            v = _mm256_add_epi32(v, _mm256_slli_si256::<8>(v));
            v = with_lower_total(v);
            store(_mm256_add_epi32(v, base), sums);
            base = _mm256_add_epi32(base, last(v));
        }
        values.len() * 8
    }

    /// The upper four lanes with lane 3 added to each.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn with_lower_total(v: __m256i) -> __m256i {
        let last = _mm_shuffle_epi32::<0xff>(_mm256_castsi256_si128(v));
        _mm256_inserti128_si256::<1>(v, _mm_add_epi32(_mm256_extracti128_si256::<1>(v), last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Prefix, S: Sum<T> + From<u32> + PartialEq + std::fmt::Debug>(value: impl Fn(usize) -> T) {
        check_rows::<T, S>(sum_row, value);
    }

    fn check_rows<T: Prefix, S: Sum<T> + From<u32> + PartialEq + std::fmt::Debug>(
        sum_row: impl Fn(Isa, &[T], &[S], &mut [S]),
        value: impl Fn(usize) -> T,
    ) {
        for width in (0..80).chain([255, 256, 257, 511, 512, 1000]) {
            let row: Vec<T> = (0..width).map(&value).collect();
            let above: Vec<S> = (0..=width as u32).map(|x| S::from(x * 977)).collect();
            let mut wanted = vec![S::default()];
            let mut sum = S::default();
            for (x, &value) in row.iter().enumerate() {
                sum = sum.plus(S::of(value));
                wanted.push(above[x + 1].plus(sum));
            }
            for isa in Isa::available() {
                let mut out = vec![S::from(7); width + 1];
                sum_row(isa, &row, &above, &mut out);
                assert_eq!(out, wanted, "{isa:?} {width}");
            }
        }
    }

    #[test]
    fn floats_are_rounded_sums() {
        for width in [0, 1, 31, 32, 33, 64, 200] {
            let row: Vec<u8> = (0..width).map(|x| (x * 89) as u8).collect();
            // Some end beyond 31 bits, others before.
            for (isa, step) in Isa::available().into_iter().flat_map(|isa| [(isa, 20_000_001), (isa, 9_001)])
            {
                let above: Vec<u32> = (0..=width as u32).map(|x| x * step).collect();
                let (mut sums, mut again) = (vec![7; width + 1], vec![7; width + 1]);
                let mut floats = vec![7.0; width + 1];
                sum_row(isa, &row, &above, &mut sums);
                sum_bytes_floats_row(isa, &row, &above, &mut again, &mut floats);
                assert_eq!(again, sums);
                assert!(
                    floats.iter().zip(&sums).all(|(&float, &sum)| float == sum as f32),
                    "{isa:?} {width}"
                );
            }
        }
    }

    #[test]
    fn sums_are_those_made_one_by_one() {
        check_rows::<u8, u32>(sum_bytes_row, |x| (x * 89) as u8);
        check_rows::<u8, u32>(sum_bytes_row, |_| 255);
        check::<u8, u32>(|x| (x * 89) as u8);
        check::<u8, u64>(|_| 255);
        check::<u16, u64>(|_| 65535);
        check::<u16, u32>(|x| (x * 40503) as u16);
        check::<u8, f64>(|x| (x * 89) as u8);
        check::<u16, f64>(|x| (x * 40503) as u16);
    }
}
