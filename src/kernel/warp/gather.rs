//! Linear weighting of bytes at sixteen positions at once, gathered with AVX-512.
#![allow(unsafe_code, reason = "gathering reads at positions that are checked apart")]
#![allow(clippy::wildcard_imports, reason = "the names of instructions are unmistakable")]

use std::arch::x86_64::*;

use super::{BITS, GROUP, ONE};
use crate::kernel::Isa;

/// The greatest position; images that reach beyond it are left to others.
pub(super) const FARTHEST: i32 = 1 << 30;

/// An image of bytes, row after row without gaps.
#[derive(Clone, Copy)]
pub(super) struct Bytes<'a> {
    pub(super) values: &'a [u8],
    pub(super) width: usize,
    pub(super) height: usize,
}

/// Writes the pixels at positions in units of 1/2048; `false`, and nothing written, where one of them reaches
/// over the edge, or the set has no such instructions.
#[inline(always)]
pub(super) fn bilinear(
    isa: Isa,
    image: Bytes<'_>,
    x: [i32; GROUP],
    y: [i32; GROUP],
    out: &mut [u8; GROUP],
) -> bool {
    // SAFETY: the set has AVX-512 F, BW and VL.
    isa.has_avx512() && unsafe { bilinear_16(image, x, y, out) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn bilinear_16(image: Bytes<'_>, x: [i32; GROUP], y: [i32; GROUP], out: &mut [u8; GROUP]) -> bool {
    let Bytes { values, width, height } = image;
    // Four bytes are read for two, so the last few places of the image are left to others.
    let near = |size: usize| size < (FARTHEST >> BITS) as usize;
    let fits =
        near(width) && near(height) && i32::try_from(values.len()).is_ok() && values.len() == width * height;
    if !fits || width < 2 || height < 2 || values.len() < width + 4 {
        return false;
    }
    let splat = |value: usize| _mm512_set1_epi32(value as i32);
    // SAFETY: sixteen integers of 32 bits are 64 bytes.
    let (x, y) = unsafe { (_mm512_loadu_si512(x.as_ptr().cast()), _mm512_loadu_si512(y.as_ptr().cast())) };
    let (column, row) = (_mm512_srai_epi32::<BITS>(x), _mm512_srai_epi32::<BITS>(y));
    // Without signs what is left of the image is far to the right of it.
    let inside =
        _mm512_cmple_epu32_mask(column, splat(width - 2)) & _mm512_cmple_epu32_mask(row, splat(height - 2));
    if inside != 0xFFFF {
        return false;
    }
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
