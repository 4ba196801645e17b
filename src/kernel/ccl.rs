//! Runs of foreground pixels, found 64 pixels at a time, and painted.
//!
//! A row is turned into words of one bit a pixel; where a bit differs from its left neighbour a
//! run begins or ends. Joining the runs of neighbouring rows is the business of `ops::label`.
//! Painting goes from left to right in whole vectors: what is written too far right is written over
//! by the gap or the run that follows.
#![allow(unsafe_code, reason = "masks of compared bytes have no portable instruction")]
#![allow(clippy::inline_always, reason = "only what is inlined is compiled for the instruction set")]
#![allow(clippy::cast_ptr_alignment, reason = "the loads and stores are the unaligned ones")]

use super::Isa;

/// Pixels of a word.
const WORD: usize = 64;

/// Calls `found(start, end)` for every maximal run `start..end` of non-zero pixels, left to right.
///
/// Rows are at most `u32::MAX` pixels long.
pub fn runs_row(isa: Isa, row: &[u8], found: impl FnMut(u32, u32)) {
    #[cfg(target_arch = "x86_64")]
    {
        if isa.has_avx512() {
            return isa.run(
                #[inline(always)]
                || {
                    scan(
                        row,
                        #[inline(always)]
                        // SAFETY: the token proves AVX-512 F and BW.
                        |pixels| unsafe { bits_avx512(pixels) },
                        found,
                    );
                },
            );
        }
        if isa.has_avx2() {
            return isa.run(
                #[inline(always)]
                || {
                    scan(
                        row,
                        #[inline(always)]
                        // SAFETY: the token proves AVX2.
                        |pixels| unsafe { bits_avx2(pixels) },
                        found,
                    );
                },
            );
        }
    }
    isa.run(
        #[inline(always)]
        || scan(row, bits_portable, found),
    );
}

/// Writes runs `(start, end, value)`, which come from left to right, and the default between them.
///
/// # Panics
/// When a run reaches beyond the row.
pub fn paint_row<T: Copy + Default>(isa: Isa, runs: impl Iterator<Item = (u32, u32, T)>, row: &mut [T]) {
    isa.run(
        #[inline(always)]
        || match size_of::<T>() {
            1 => paint_cleared(runs, row),
            _ => paint_gaps(runs, row),
        },
    );
}

/// Paints the gaps between runs as well.
#[inline(always)]
fn paint_gaps<T: Copy + Default>(runs: impl Iterator<Item = (u32, u32, T)>, row: &mut [T]) {
    let mut x = 0;
    for (start, end, value) in runs {
        stretch::<_, 8>(row, x, start as usize, T::default());
        stretch::<_, 8>(row, start as usize, end as usize, value);
        x = end as usize;
    }
    let end = row.len();
    stretch::<_, 8>(row, x, end, T::default());
}

/// Clears a row, which for bytes is done sooner than gap by gap, and paints the runs.
#[inline(always)]
fn paint_cleared<T: Copy + Default>(runs: impl Iterator<Item = (u32, u32, T)>, row: &mut [T]) {
    row.fill(T::default());
    for (start, end, value) in runs {
        let written = stretch::<_, 32>(row, start as usize, end as usize, value);
        stretch::<_, 32>(row, end as usize, written, T::default());
    }
}

/// Writes `value` from `start` to `end` and, where there is room, somewhat further; returns how far.
#[inline(always)]
fn stretch<T: Copy, const VECTOR: usize>(row: &mut [T], start: usize, end: usize, value: T) -> usize {
    let mut x = start;
    while x < end && x + VECTOR <= row.len() {
        row[x..x + VECTOR].copy_from_slice(&[value; VECTOR]);
        x += VECTOR;
    }
    if x < end {
        row[x..end].fill(value);
        x = end;
    }
    x
}

#[inline(always)]
fn scan(row: &[u8], bits_of: impl Fn(&[u8; WORD]) -> u64, mut found: impl FnMut(u32, u32)) {
    let mut inside = false;
    let mut start = 0;
    let mut word = |bits: u64, base: u32| {
        let mut edges = bits ^ (bits << 1 | u64::from(inside));
        while edges != 0 {
            let x = base + edges.trailing_zeros();
            edges &= edges - 1;
            if inside {
                found(start, x);
            }
            inside = !inside;
            start = x;
        }
    };
    let (words, rest) = row.as_chunks::<WORD>();
    let mut base = 0;
    for pixels in words {
        word(bits_of(pixels), base);
        base += WORD as u32;
    }
    if !rest.is_empty() {
        let mut pixels = [0; WORD];
        pixels[..rest.len()].copy_from_slice(rest);
        word(bits_of(&pixels), base);
    }
    if inside {
        found(start, row.len() as u32);
    }
}

/// Bit `i` is set where `pixels[i]` is not zero.
#[inline(always)]
fn bits_portable(pixels: &[u8; WORD]) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let mut bits = 0;
    for (i, eight) in pixels.as_chunks::<8>().0.iter().enumerate() {
        let eight = u64::from_le_bytes(*eight);
        // The top bit of each byte: carried into it by the lower ones, or set already.
        let tops = (((eight & LOW) + LOW) | eight) & !LOW;
        // The product gathers bit 8k of the left factor in bit 56 + k; no two of its terms meet.
        let gathered = (tops >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        bits |= gathered << (8 * i);
    }
    bits
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
fn bits_avx2(pixels: &[u8; WORD]) -> u64 {
    use std::arch::x86_64::{
        __m256i, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_setzero_si256,
    };
    let zeros = |half: &[u8]| {
        assert!(half.len() == WORD / 2);
        // SAFETY: the slice holds the 32 bytes that are read, and the load has no alignment.
        let bytes = unsafe { _mm256_loadu_si256(half.as_ptr().cast::<__m256i>()) };
        _mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_setzero_si256())).cast_unsigned()
    };
    let (left, right) = pixels.split_at(WORD / 2);
    !(u64::from(zeros(left)) | u64::from(zeros(right)) << 32)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn bits_avx512(pixels: &[u8; WORD]) -> u64 {
    use std::arch::x86_64::{__m512i, _mm512_loadu_si512, _mm512_test_epi8_mask};
    // SAFETY: the array holds the 64 bytes that are read, and the load has no alignment.
    let bytes = unsafe { _mm512_loadu_si512(pixels.as_ptr().cast::<__m512i>()) };
    _mm512_test_epi8_mask(bytes, bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn naive(row: &[u8]) -> Vec<(u32, u32)> {
        let mut runs: Vec<(u32, u32)> = Vec::new();
        for (x, _) in row.iter().enumerate().filter(|(_, value)| **value != 0) {
            match runs.last_mut() {
                Some((_, end)) if *end == x as u32 => *end += 1,
                _ => runs.push((x as u32, x as u32 + 1)),
            }
        }
        runs
    }

    proptest! {
        #[test]
        fn runs_are_those_of_the_definition(
            row in prop::collection::vec(prop_oneof![Just(0u8), Just(0), Just(1), Just(128), any::<u8>()], 0..300),
        ) {
            for isa in Isa::available() {
                let mut runs = Vec::new();
                runs_row(isa, &row, |start, end| runs.push((start, end)));
                prop_assert_eq!(&runs, &naive(&row), "{:?}", isa);
            }
        }
    }

    proptest! {
        #[test]
        fn painted_rows_have_each_run_and_nothing_else(
            row in prop::collection::vec(prop_oneof![Just(0u8), Just(0), Just(1), Just(1)], 0..100),
            lengths in prop::collection::vec(1usize..20, 100),
        ) {
            // Runs of one to some twenty pixels, so that vectors reach over ends.
            let row: Vec<u8> = row.iter().zip(lengths).flat_map(|(&value, n)| vec![value; n]).collect();
            let runs = naive(&row);
            let labelled = || (1u32..).zip(&runs).map(|(label, &(start, end))| (start, end, label));
            let mut expected = vec![0; row.len()];
            for (start, end, label) in labelled() {
                expected[start as usize..end as usize].fill(label);
            }
            for isa in Isa::available() {
                let mut painted = vec![7u32; row.len()];
                paint_row(isa, labelled(), &mut painted);
                prop_assert_eq!(&painted, &expected, "{:?}", isa);
                let low = |label: u32| label as u8;
                let mut bytes = vec![7u8; row.len()];
                paint_row(isa, labelled().map(|(start, end, label)| (start, end, low(label))), &mut bytes);
                prop_assert!(bytes.iter().zip(&expected).all(|(byte, label)| *byte == low(*label)), "{:?}", isa);
            }
        }
    }

    #[test]
    fn full_and_empty_rows() {
        for isa in Isa::available() {
            for len in [0, 1, 63, 64, 65, 128, 200] {
                let mut runs = Vec::new();
                runs_row(isa, &vec![255; len], |start, end| runs.push((start, end)));
                assert_eq!(runs, if len == 0 { vec![] } else { vec![(0, len as u32)] });
                runs_row(isa, &vec![0; len], |_, _| panic!("no run here"));
            }
        }
    }
}
