//! Linear weighting of bytes at several positions at once: sixteen gathered with AVX-512, or eight put together
//! from single loads with AVX2, where gathering is slower than they are on many machines.
#![allow(unsafe_code, reason = "gathering reads at positions that are checked apart")]
#![allow(clippy::wildcard_imports, reason = "the names of instructions are unmistakable")]
#![allow(clippy::cast_ptr_alignment, reason = "the loads and stores are the unaligned ones")]

use std::arch::x86_64::*;

use super::{BITS, GROUP, Line, ONE};
use crate::kernel::Isa;

/// Bytes of an image at most, and positions at most in units of 1/2048: what is larger is left to others.
const FARTHEST: usize = 1 << 30;
const SHIFT: i32 = BITS as i32;
/// A half of what results are divided by.
const HALF: i32 = 1 << (2 * BITS - 1);

/// An image of bytes, row after row without gaps.
#[derive(Clone, Copy)]
pub(super) struct Bytes<'a> {
    pub(super) values: &'a [u8],
    pub(super) width: usize,
    pub(super) height: usize,
}

/// Positions in units of 1/2048, in order along both axes, none of which reaches over the edge.
pub(super) struct Places {
    pub(super) x: [i32; GROUP],
    pub(super) y: [i32; GROUP],
}

/// Writes sixteen pixels; `false`, and nothing written, where they are too near to the last byte, or the set has
/// no such instructions.
#[inline(always)]
pub(super) fn bilinear(isa: Isa, image: Bytes<'_>, places: &Places, out: &mut [u8; GROUP]) -> bool {
    // SAFETY: the set has AVX-512 F, BW and VL.
    isa.has_avx512() && image.fits::<1>() && unsafe { bilinear_16(image, places.x, places.y, out) }
}

impl Bytes<'_> {
    /// Whether the image is as large as it says, and so small that places and positions fit 32 bits.
    #[inline(always)]
    fn fits<const C: usize>(self) -> bool {
        let Self { values, width, height } = self;
        let is_near = |size: usize| size < FARTHEST >> BITS;
        is_near(width) && is_near(height) && values.len() <= FARTHEST && values.len() == C * width * height
    }
}

/// Writes the first pixels of a part of a row that lie in the image with all their neighbours, as many as can be
/// found eight at a time; returns how many.
#[inline(always)]
pub(super) fn line<const C: usize>(
    isa: Isa,
    image: Bytes<'_>,
    line: Line,
    first: usize,
    out: &mut [[u8; C]],
) -> usize {
    // What is read at a place: two bytes, or, for three channels, eight.
    let read = if C == 1 { 2 } else { 8 };
    if !(C == 1 && isa.has_avx2() && !isa.has_avx512() || C == 3 && isa.has_avx2()) || !image.fits::<C>() {
        return 0;
    }
    let eights = out.as_chunks_mut::<8>().0;
    if eights.is_empty() {
        return 0;
    }
    let pixels = 8 * eights.len();
    // Positions are in order, so that their ends tell of those between.
    let ends = [first, first + pixels - 1].map(|i| line.at(i as f64));
    let lies = |ends: [f64; 2], size: usize| {
        let last = ((size as i64 - 1) << BITS) as f64;
        ends.iter().all(|&end| end >= 0.0 && end < last)
    };
    let (x, y) = (ends.map(|end| end.0), ends.map(|end| end.1));
    if !lies(x, image.width) || !lies(y, image.height) {
        return 0;
    }
    let most = |ends: [f64; 2]| ends[0].max(ends[1]) as usize >> BITS;
    if C * ((most(y) + 1) * image.width + most(x)) + read > image.values.len() {
        return 0;
    }
    for (i, eight) in eights.iter_mut().enumerate() {
        let bytes = eight.as_flattened_mut();
        // SAFETY: the set has AVX2; all places lie between the ends, and so in the image, with the bytes that are
        // read there.
        unsafe {
            let places = eight_places(image.width, line, (first + 8 * i) as f64);
            if let Ok(out) = <&mut [u8; 8]>::try_from(&mut *bytes) {
                gray(image, &places, out);
            } else if let Ok(out) = <&mut [u8; 24]>::try_from(bytes) {
                colours(image, &places, out);
            }
        }
    }
    pixels
}

/// Eight pixels: where they begin, and what is left of their positions.
struct Eight {
    starts: [u32; 8],
    u: __m256i,
    v: __m256i,
}

/// The places of eight pixels from `first` on.
#[inline]
#[target_feature(enable = "avx2")]
fn eight_places(width: usize, line: Line, first: f64) -> Eight {
    let indices = _mm256_add_pd(_mm256_set1_pd(first), _mm256_setr_pd(0.0, 1.0, 2.0, 3.0));
    let indices = [indices, _mm256_add_pd(indices, _mm256_set1_pd(4.0))];
    let along = |start: f64, step: f64| {
        // Doubling rounds nothing, so that units come out as if they were taken of positions; and of numbers
        // that are not negative the whole part is what is below.
        let (start, step) = (_mm256_set1_pd(start * f64::from(ONE)), _mm256_set1_pd(step * f64::from(ONE)));
        let [low, high] = indices.map(|indices| {
            let units = _mm256_add_pd(_mm256_mul_pd(step, indices), start);
            _mm256_cvttpd_epi32(_mm256_add_pd(units, _mm256_set1_pd(0.5)))
        });
        _mm256_set_m128i(high, low)
    };
    let (x, y) = (along(line.x, line.x_step), along(line.y, line.y_step));
    let row = _mm256_mullo_epi32(_mm256_srai_epi32::<SHIFT>(y), _mm256_set1_epi32(width as i32));
    let start = _mm256_add_epi32(row, _mm256_srai_epi32::<SHIFT>(x));
    let mut starts = [0; 8];
    // SAFETY: there are 32 bytes to write.
    unsafe { _mm256_storeu_si256(starts.as_mut_ptr().cast(), start) };
    let rest = _mm256_set1_epi32(ONE - 1);
    Eight { starts, u: _mm256_and_si256(x, rest), v: _mm256_and_si256(y, rest) }
}

/// One channel.
///
/// # Safety
/// At each place, and one row below it, two bytes of the image are there.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn gray(image: Bytes<'_>, places: &Eight, out: &mut [u8; 8]) {
    let Bytes { values, width, .. } = image;
    let pairs = |shift: usize| {
        let mut pairs = _mm_setzero_si128();
        macro_rules! insert {
            ($($i:literal)*) => {$(
                // SAFETY: the caller says that two bytes are there.
                let pair = unsafe {
                    values.as_ptr().add(places.starts[$i] as usize + shift).cast::<u16>().read_unaligned()
                };
                pairs = _mm_insert_epi16::<$i>(pairs, i32::from(pair));
            )*};
        }
        insert!(0 1 2 3 4 5 6 7);
        _mm256_cvtepu8_epi16(pairs)
    };
    let (top, bottom) = (pairs(0), pairs(width));
    let one = _mm256_set1_epi32(ONE);
    let across = _mm256_or_si256(_mm256_sub_epi32(one, places.u), _mm256_slli_epi32::<16>(places.u));
    let sum = _mm256_add_epi32(
        _mm256_mullo_epi32(_mm256_madd_epi16(top, across), _mm256_sub_epi32(one, places.v)),
        _mm256_mullo_epi32(_mm256_madd_epi16(bottom, across), places.v),
    );
    let rounded = _mm256_srli_epi32::<{ 2 * SHIFT }>(_mm256_add_epi32(sum, _mm256_set1_epi32(HALF)));
    let words = _mm_packus_epi32(_mm256_castsi256_si128(rounded), _mm256_extracti128_si256::<1>(rounded));
    // SAFETY: there are eight bytes to write.
    unsafe { _mm_storel_epi64(out.as_mut_ptr().cast(), _mm_packus_epi16(words, words)) };
}

/// Three channels.
///
/// # Safety
/// At each place, and one row below it, eight bytes of the image are there.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn colours(image: Bytes<'_>, places: &Eight, out: &mut [u8; 24]) {
    let Bytes { values, width, .. } = image;
    // The channels of both neighbours side by side.
    let order = _mm_setr_epi8(0, 3, 1, 4, 2, 5, -1, -1, 8, 11, 9, 12, 10, 13, -1, -1);
    let one = _mm256_set1_epi32(ONE);
    let (mut across, mut down) = ([0; 8], [0; 8]);
    // SAFETY: there are 32 bytes to write.
    unsafe {
        let weights = _mm256_or_si256(_mm256_sub_epi32(one, places.u), _mm256_slli_epi32::<16>(places.u));
        _mm256_storeu_si256(across.as_mut_ptr().cast(), weights);
        _mm256_storeu_si256(down.as_mut_ptr().cast(), places.v);
    }
    for i in 0..8 {
        let start = 3 * places.starts[i] as usize;
        // SAFETY: the caller says that eight bytes are there.
        let (top, bottom) = unsafe {
            let values = values.as_ptr();
            (
                values.add(start).cast::<i64>().read_unaligned(),
                values.add(start + 3 * width).cast::<i64>().read_unaligned(),
            )
        };
        let pairs = _mm256_cvtepu8_epi16(_mm_shuffle_epi8(_mm_set_epi64x(bottom, top), order));
        let lines = _mm256_madd_epi16(pairs, _mm256_set1_epi32(across[i]));
        let sum = _mm_add_epi32(
            _mm_mullo_epi32(_mm256_castsi256_si128(lines), _mm_set1_epi32(ONE - down[i])),
            _mm_mullo_epi32(_mm256_extracti128_si256::<1>(lines), _mm_set1_epi32(down[i])),
        );
        let rounded = _mm_srli_epi32::<{ 2 * SHIFT }>(_mm_add_epi32(sum, _mm_set1_epi32(HALF)));
        let bytes = _mm_packus_epi16(_mm_packus_epi32(rounded, rounded), rounded);
        let pixel = _mm_cvtsi128_si32(bytes).to_le_bytes();
        // The byte too many is the first of the next pixel.
        match out[3 * i..].first_chunk_mut::<4>() {
            Some(four) => *four = pixel,
            None => out[3 * i..].copy_from_slice(&pixel[..3]),
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn bilinear_16(image: Bytes<'_>, x: [i32; GROUP], y: [i32; GROUP], out: &mut [u8; GROUP]) -> bool {
    let Bytes { values, width, .. } = image;
    // Four bytes are read for two, so the last few places of the image are left to others.
    if values.len() < width + 4 {
        return false;
    }
    let splat = |value: usize| _mm512_set1_epi32(value as i32);
    // SAFETY: sixteen integers of 32 bits are 64 bytes.
    let (x, y) = unsafe { (_mm512_loadu_si512(x.as_ptr().cast()), _mm512_loadu_si512(y.as_ptr().cast())) };
    let (column, row) = (_mm512_srai_epi32::<BITS>(x), _mm512_srai_epi32::<BITS>(y));
    let place = _mm512_add_epi32(_mm512_mullo_epi32(row, splat(width)), column);
    if _mm512_cmple_epu32_mask(place, splat(values.len() - width - 4)) != 0xFFFF {
        return false;
    }
    let below = _mm512_add_epi32(place, splat(width));
    // SAFETY: every place, and that of the row below, has four bytes of the image behind it, as was just seen.
    let (top, bottom) = unsafe {
        let values = values.as_ptr().cast();
        (_mm512_i32gather_epi32::<1>(place, values), _mm512_i32gather_epi32::<1>(below, values))
    };
    let one = _mm512_set1_epi32(ONE);
    let rest = _mm512_set1_epi32(ONE - 1);
    let (u, v) = (_mm512_and_si512(x, rest), _mm512_and_si512(y, rest));
    let across = _mm512_or_si512(_mm512_sub_epi32(one, u), _mm512_slli_epi32::<16>(u));
    // Two neighbours as 16 bits.
    let order =
        _mm512_broadcast_i32x4(_mm_setr_epi8(0, -1, 1, -1, 4, -1, 5, -1, 8, -1, 9, -1, 12, -1, 13, -1));
    let line = |four| _mm512_madd_epi16(_mm512_shuffle_epi8(four, order), across);
    let sum = _mm512_add_epi32(
        _mm512_mullo_epi32(line(top), _mm512_sub_epi32(one, v)),
        _mm512_mullo_epi32(line(bottom), v),
    );
    let rounded = _mm512_add_epi32(sum, _mm512_set1_epi32(1 << (2 * BITS - 1)));
    let bytes = _mm512_cvtepi32_epi8(_mm512_srli_epi32::<{ 2 * BITS }>(rounded));
    // SAFETY: there are sixteen bytes to write.
    unsafe { _mm_storeu_si128(out.as_mut_ptr().cast(), bytes) };
    true
}
