//! Sums of products of a template with every window of a row of windows, and their normalisation.
//!
//! All kernels work on blocks of neighbouring windows, whose sums stay in registers while the
//! template passes; the order of additions of a window is that of the template's pixels.
#![allow(unsafe_code, reason = "the multiply-add of 16-bit pairs has no portable name")]
#![allow(clippy::inline_always, reason = "only what is inlined is compiled for the instruction set")]
#![allow(clippy::cast_ptr_alignment, reason = "the loads and stores are the unaligned ones")]

use super::Isa;

/// Windows that are summed at once by [`dot_pairs`].
pub const BLOCK: usize = 64;

/// The most template pixels whose products with 8-bit pixels are sure to fit a `u32` sum.
pub const MAX_TAPS: usize = (u32::MAX / (255 * 255)) as usize;

/// Each pixel of a row with its right neighbour, `low | high << 16`, the last one with 0; the rest
/// of `out` is zeroed.
///
/// # Panics
/// When `out` is shorter than `row`.
pub fn pairs_row(isa: Isa, row: &[u8], out: &mut [u32]) {
    isa.run(
        #[inline(always)]
        || {
            let (used, rest) = out.split_at_mut(row.len());
            rest.fill(0);
            let Some((last, inner)) = used.split_last_mut() else { return };
            for ((out, low), high) in inner.iter_mut().zip(row).zip(&row[1..]) {
                *out = u32::from(*low) | u32::from(*high) << 16;
            }
            *last = u32::from(row[row.len() - 1]);
        },
    );
}

/// Adds to `out[x]` the sum over the rows of `taps` and its pairs `k` of
/// `taps[row][k] . image[row][x + 2k]`, the dot product of two pairs of 8-bit numbers.
///
/// `image(row)` are pairs made by [`pairs_row`]; `taps` holds rows of `columns` pairs of
/// neighbouring template pixels, together at most [`MAX_TAPS`] pixels.
///
/// # Panics
/// When a row of the image is shorter than `out.len() + BLOCK + 2 * columns`.
pub fn dot_pairs<'a>(
    isa: Isa,
    image: impl Fn(usize) -> &'a [u32],
    taps: &[u32],
    columns: usize,
    out: &mut [u64],
) {
    let mut start = 0;
    for part in out.chunks_mut(BLOCK) {
        let sums = block(isa, &image, taps, columns, start);
        for (out, sum) in part.iter_mut().zip(sums) {
            *out += u64::from(sum);
        }
        start += BLOCK;
    }
}

#[inline]
fn block<'a>(
    isa: Isa,
    image: &impl Fn(usize) -> &'a [u32],
    taps: &[u32],
    columns: usize,
    start: usize,
) -> [u32; BLOCK] {
    #[cfg(target_arch = "x86_64")]
    {
        if isa.has_avx512() {
            // SAFETY: the token proves AVX-512 F and BW.
            return unsafe { block_avx512(image, taps, columns, start) };
        }
        if isa.has_avx2() {
            // SAFETY: the token proves AVX2.
            return unsafe { block_avx2(image, taps, columns, start) };
        }
    }
    isa.run(
        #[inline(always)]
        || {
            let mut sums = [0u32; BLOCK];
            for (j, taps) in taps.chunks_exact(columns).enumerate() {
                let row = &image(j)[start..][..BLOCK + 2 * columns];
                for (k, tap) in taps.iter().enumerate() {
                    for (sum, pair) in sums.iter_mut().zip(&row[2 * k..]) {
                        let low = (pair & 0xffff) * (tap & 0xffff);
                        *sum = sum.wrapping_add(low + (pair >> 16) * (tap >> 16));
                    }
                }
            }
            sums
        },
    )
}

/// The multiply-add of pairs in vectors of eight.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn block_avx2<'a>(
    image: &impl Fn(usize) -> &'a [u32],
    taps: &[u32],
    columns: usize,
    start: usize,
) -> [u32; BLOCK] {
    use std::arch::x86_64::{
        __m256i, _mm256_add_epi32, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_set1_epi32,
        _mm256_setzero_si256, _mm256_storeu_si256,
    };
    const LANES: usize = 8;
    let mut sums = [_mm256_setzero_si256(); BLOCK / LANES];
    for (j, taps) in taps.chunks_exact(columns).enumerate() {
        let row = &image(j)[start..][..BLOCK + 2 * columns];
        for (k, tap) in taps.iter().enumerate() {
            let tap = _mm256_set1_epi32(tap.cast_signed());
            for (lane, sum) in sums.iter_mut().enumerate() {
                // SAFETY: 2k + BLOCK <= 2 columns + BLOCK, the length of `row`.
                let pairs =
                    unsafe { _mm256_loadu_si256(row.as_ptr().add(2 * k + LANES * lane).cast::<__m256i>()) };
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(pairs, tap));
            }
        }
    }
    let mut out = [0; BLOCK];
    for (lane, sum) in sums.into_iter().enumerate() {
        // SAFETY: lane < BLOCK / LANES, so that LANES numbers fit.
        unsafe { _mm256_storeu_si256(out.as_mut_ptr().add(LANES * lane).cast::<__m256i>(), sum) };
    }
    out
}

/// The multiply-add of pairs in vectors of sixteen.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw")]
fn block_avx512<'a>(
    image: &impl Fn(usize) -> &'a [u32],
    taps: &[u32],
    columns: usize,
    start: usize,
) -> [u32; BLOCK] {
    use std::arch::x86_64::{
        _mm512_add_epi32, _mm512_loadu_epi32, _mm512_madd_epi16, _mm512_set1_epi32, _mm512_setzero_si512,
        _mm512_storeu_epi32,
    };
    const LANES: usize = 16;
    let mut sums = [_mm512_setzero_si512(); BLOCK / LANES];
    for (j, taps) in taps.chunks_exact(columns).enumerate() {
        let row = &image(j)[start..][..BLOCK + 2 * columns];
        for (k, tap) in taps.iter().enumerate() {
            let tap = _mm512_set1_epi32(tap.cast_signed());
            for (lane, sum) in sums.iter_mut().enumerate() {
                // SAFETY: 2k + BLOCK <= 2 columns + BLOCK, the length of `row`.
                let pairs =
                    unsafe { _mm512_loadu_epi32(row.as_ptr().add(2 * k + LANES * lane).cast::<i32>()) };
                *sum = _mm512_add_epi32(*sum, _mm512_madd_epi16(pairs, tap));
            }
        }
    }
    let mut out = [0u32; BLOCK];
    for (lane, sum) in sums.into_iter().enumerate() {
        // SAFETY: lane < BLOCK / LANES, so that LANES numbers fit.
        unsafe { _mm512_storeu_epi32(out.as_mut_ptr().add(LANES * lane).cast::<i32>(), sum) };
    }
    out
}

/// Adds to `out[x]` the sum over the rows of the template and its pixels `i` of
/// `term(template[row][i], image[row][x + i])`.
///
/// # Panics
/// When a row of the image has fewer than `out.len() - 1` pixels more than the template.
#[inline]
pub fn sum_terms<'a, T: Copy + Default + 'a, W: Copy + 'a, S: Copy + Default + std::ops::AddAssign>(
    isa: Isa,
    image: impl Fn(usize) -> &'a [T],
    template: impl Iterator<Item = &'a [W]>,
    term: impl Fn(W, T) -> S,
    out: &mut [S],
) {
    const LANES: usize = 16;
    isa.run(
        #[inline(always)]
        || {
            for (j, taps) in template.enumerate() {
                let row = image(j);
                let (blocks, rest) = out.as_chunks_mut::<LANES>();
                let tail = blocks.len() * LANES;
                for (b, out) in blocks.iter_mut().enumerate() {
                    let mut sums = *out;
                    for (i, tap) in taps.iter().enumerate() {
                        let pixels: &[T] = &row[b * LANES + i..][..LANES];
                        for lane in 0..LANES {
                            sums[lane] += term(*tap, pixels[lane]);
                        }
                    }
                    *out = sums;
                }
                for (x, out) in rest.iter_mut().enumerate() {
                    for (tap, pixel) in taps.iter().zip(&row[tail + x..]) {
                        *out += term(*tap, *pixel);
                    }
                }
            }
        },
    );
}

/// Correlations from their numerators and the energies of the windows:
/// `numerator / (sqrt(energy) * norm)` in -1..=1, and 0 where that is no number.
pub fn correlation_row(isa: Isa, numerators: &[f64], energies: &[f64], norm: f64, out: &mut [f32]) {
    isa.run(
        #[inline(always)]
        || {
            for ((out, numerator), energy) in out.iter_mut().zip(numerators).zip(energies) {
                let ratio = numerator / (energy.sqrt() * norm);
                let known = *energy > 0.0 && norm > 0.0 && !ratio.is_nan();
                *out = if known { ratio.clamp(-1.0, 1.0) as f32 } else { 0.0 };
            }
        },
    );
}

/// The energies of windows of `span` columns and `n` pixels: `squares - Σ sums² / n`, of prefix sums along the row that
/// wrap round. Whole numbers are exact before they are rounded to `f32`: what is flat is 0.
///
/// `numbers` are as many as `out`, to work in.
///
/// # Panics
/// When a row of sums has less than `out.len() + span` numbers.
pub fn covariances_row(
    isa: Isa,
    squares: &[u32],
    sums: &[&[u32]],
    (span, n): (usize, usize),
    numbers: &mut [f64],
    out: &mut [f32],
) {
    let count = out.len();
    let n = n as f64;
    let share = 1.0 / n;
    let window = |pair: (&u32, &u32)| f64::from(pair.0.wrapping_sub(*pair.1));
    isa.run(
        #[inline(always)]
        || match sums {
            [] => {
                for (out, pair) in out.iter_mut().zip(squares[span..][..count].iter().zip(squares)) {
                    *out = window(pair) as f32;
                }
            }
            [sums] => {
                let squares = squares[span..][..count].iter().zip(squares);
                let sums = sums[span..][..count].iter().zip(*sums);
                for ((out, squares), sums) in out.iter_mut().zip(squares).zip(sums) {
                    let sum = window(sums);
                    *out = ((n * window(squares) - sum * sum) * share) as f32;
                }
            }
            _ => {
                for (number, pair) in numbers.iter_mut().zip(squares[span..][..count].iter().zip(squares)) {
                    *number = n * window(pair);
                }
                for sums in sums {
                    for (number, pair) in numbers.iter_mut().zip(sums[span..][..count].iter().zip(*sums)) {
                        let sum = window(pair);
                        *number -= sum * sum;
                    }
                }
                for (out, number) in out.iter_mut().zip(numbers) {
                    *out = (*number * share) as f32;
                }
            }
        },
    );
}

/// Divides sums of products by the norms of their windows and of the template, `1 / scale`: in -1..=1, and 0 where an energy is 0.
/// Returns whether no energy but 0 is below `least`.
pub fn quotients_row(isa: Isa, energies: &[f32], least: f32, scale: f32, scores: &mut [f32]) -> bool {
    isa.run(
        #[inline(always)]
        || {
            let mut low = 0u32;
            for (score, energy) in scores.iter_mut().zip(energies) {
                low |= u32::from(*energy < least) & u32::from(*energy > 0.0);
                let ratio = (*score * scale / energy.sqrt()).clamp(-1.0, 1.0);
                *score = if *energy > 0.0 { ratio } else { 0.0 };
            }
            low == 0
        },
    )
}

/// What is left of squared differences without the products of what lies about the means: `own`, the sum of squares of the
/// template about its means, and `squares + Σ total (total - 2 sums) / n`, of prefix sums as [`covariances_row`] takes them, each
/// with the sum of its channel of the template.
///
/// # Panics
/// As [`covariances_row`].
pub fn distances_row(
    isa: Isa,
    squares: &[u32],
    sums: &[(&[u32], f64)],
    (span, n, own): (usize, usize, f64),
    numbers: &mut [f64],
    out: &mut [f32],
) {
    let count = out.len();
    let window = |pair: (&u32, &u32)| f64::from(pair.0.wrapping_sub(*pair.1));
    isa.run(
        #[inline(always)]
        || {
            for (number, pair) in numbers.iter_mut().zip(squares[span..][..count].iter().zip(squares)) {
                *number = own + window(pair);
            }
            for (sums, total) in sums {
                let share = total / n as f64;
                for (number, pair) in numbers.iter_mut().zip(sums[span..][..count].iter().zip(*sums)) {
                    *number += share * (total - 2.0 * window(pair));
                }
            }
            for (out, number) in out.iter_mut().zip(numbers) {
                *out = *number as f32;
            }
        },
    );
}

/// Makes products squared differences, `distances` less twice the products. Returns whether all are above `least`.
pub fn differences_row(isa: Isa, distances: &[f32], least: f32, scores: &mut [f32]) -> bool {
    isa.run(
        #[inline(always)]
        || {
            let mut low = 0u32;
            for (score, distance) in scores.iter_mut().zip(distances) {
                *score = distance - 2.0 * *score;
                low |= u32::from(*score <= least);
            }
            low == 0
        },
    )
}

/// Divides squared differences by the norms of their windows and of the template, `1 / scale`, as
/// [`quotients_row`]: at most 1, which those of windows of zeros are.
pub fn shares_row(isa: Isa, energies: &[f32], scale: f32, scores: &mut [f32]) {
    isa.run(
        #[inline(always)]
        || {
            for (score, energy) in scores.iter_mut().zip(energies) {
                let share = (*score * scale / energy.sqrt()).min(1.0);
                *score = if *energy > 0.0 && scale > 0.0 { share } else { 1.0 };
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn dot_products_of_bytes_are_exact_on_every_isa(
            (width, rows, image, template) in (1usize..90, 1usize..20, 1usize..5).prop_flat_map(|(windows, w, h)| {
                let width = windows + w - 1;
                let bright = prop_oneof![Just(255u8), any::<u8>()];
                (Just(width), Just(h), prop::collection::vec(bright.clone(), width * h), prop::collection::vec(bright, w * h))
            }),
        ) {
            let w = template.len() / rows;
            let windows = width + 1 - w;
            let columns = w.div_ceil(2);
            let expected: Vec<u64> = (0..windows).map(|x| {
                let product = |j: usize, i: usize| u64::from(image[j * width + x + i]) * u64::from(template[j * w + i]);
                (0..rows).flat_map(|j| (0..w).map(move |i| product(j, i))).sum()
            }).collect();
            let mut taps = vec![0; rows * columns];
            for (taps, row) in taps.chunks_exact_mut(columns).zip(template.chunks_exact(w)) {
                for (tap, pair) in taps.iter_mut().zip(row.chunks(2)) {
                    *tap = u32::from(pair[0]) | u32::from(pair.get(1).copied().unwrap_or(0)) << 16;
                }
            }
            for isa in Isa::available() {
                let stride = windows + BLOCK + 2 * columns;
                let mut pairs = vec![7; rows * stride];
                for (pairs, row) in pairs.chunks_exact_mut(stride).zip(image.chunks_exact(width)) {
                    pairs_row(isa, row, pairs);
                }
                let mut sums = vec![0; windows];
                dot_pairs(isa, |j| &pairs[j * stride..][..stride], &taps, columns, &mut sums);
                prop_assert_eq!(&sums, &expected, "{:?}", isa);
                let mut sums = vec![0; windows];
                let term = |a: u8, b: u8| u64::from(a) * u64::from(b);
                sum_terms(isa, |j| &image[j * width..][..width], template.chunks_exact(w), term, &mut sums);
                prop_assert_eq!(&sums, &expected, "{:?}", isa);
            }
        }
    }

    #[test]
    fn correlations_are_numbers() {
        for isa in Isa::available() {
            let mut out = [9.0; 5];
            let numerators = [1.0, 1.0, 9.0, f64::NAN, -9.0];
            correlation_row(isa, &numerators, &[4.0, 0.0, 4.0, 4.0, 4.0], 1.0, &mut out);
            assert_eq!(out, [0.5, 0.0, 1.0, 0.0, -1.0]);
            correlation_row(isa, &numerators, &[4.0; 5], 0.0, &mut out);
            assert_eq!(out, [0.0; 5]);
        }
    }
}
