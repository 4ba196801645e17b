//! Pixels replaced by their entry in a table of 256.
//!
//! A table of bytes fits four vectors of 64, and AVX-512 VBMI looks 64 pixels up in it at once. AVX2 shuffles
//! within sixteen bytes: the table is cut into sixteen such pieces, of which every pixel wants one. Inversion
//! needs no table.
#![allow(unsafe_code, reason = "vector instructions")]
#![allow(clippy::inline_always, reason = "only what is inlined is compiled for the instruction set")]
#![allow(clippy::cast_ptr_alignment, reason = "the loads and stores are the unaligned ones")]

use super::Isa;

/// The table of inversion.
const INVERTED: [u8; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        table[i] = 255 - i as u8;
        i += 1;
    }
    table
};

/// Every pixel replaced by its entry in a table.
pub fn table_row(isa: Isa, pixels: &[u8], table: &[u8; 256], out: &mut [u8]) {
    // Tables differ from this one in an entry of the first few, as a rule.
    if *table == INVERTED {
        return isa.run(
            #[inline(always)]
            || pixels.iter().zip(out).for_each(|(&pixel, out)| *out = !pixel),
        );
    }
    #[cfg(target_arch = "x86_64")]
    let done = if isa.has_avx512() && is_x86_feature_detected!("avx512vbmi") {
        // SAFETY: both sets were just found.
        unsafe { table_vbmi(pixels, table, out) }
    } else if isa.has_avx2() {
        // SAFETY: the token proves AVX2.
        unsafe { table_avx2(pixels, table, out) }
    } else {
        0
    };
    #[cfg(not(target_arch = "x86_64"))]
    let done = 0;
    let done = done.min(out.len());
    for (&pixel, out) in pixels[done..].iter().zip(&mut out[done..]) {
        *out = table[usize::from(pixel)];
    }
}

/// The vectors of a row; returns how many pixels they were.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn table_avx2(pixels: &[u8], table: &[u8; 256], out: &mut [u8]) -> usize {
    use std::arch::x86_64::{
        __m128i, __m256i, _mm_loadu_si128, _mm_setzero_si128, _mm_xor_si128, _mm256_broadcastsi128_si256,
        _mm256_loadu_si256, _mm256_or_si256, _mm256_set1_epi8, _mm256_shuffle_epi8, _mm256_storeu_si256,
        _mm256_subs_epi8, _mm256_xor_si256,
    };
    let (from, to) = (pixels.as_chunks::<32>().0, out.as_chunks_mut::<32>().0);
    // SAFETY: a chunk has the 16 bytes that are read.
    let load = |piece: &[u8; 16]| unsafe { _mm_loadu_si128(piece.as_ptr().cast::<__m128i>()) };
    // A shuffle takes the low four bits of an index that is not negative, and gives 0 where it is. An index
    // that is lowered by 16 from piece to piece meets, then, all pieces up to its own: each holds what it
    // changes in the sum of those before. One half of the table is met by the indices from 0, the other by
    // those from -128.
    let pieces = table.as_chunks::<16>().0;
    let half = |first: usize| {
        std::array::from_fn(|i| {
            let before = if i == 0 { _mm_setzero_si128() } else { load(&pieces[first + i - 1]) };
            _mm256_broadcastsi128_si256(_mm_xor_si128(load(&pieces[first + i]), before))
        })
    };
    let (low, high): ([__m256i; 8], [__m256i; 8]) = (half(0), half(8));
    let (step, top) = (_mm256_set1_epi8(16), _mm256_set1_epi8(-128));
    let mut done = 0;
    for (from, to) in from.iter().zip(to) {
        // SAFETY: a chunk has the 32 bytes that are read.
        let mut below = unsafe { _mm256_loadu_si256(from.as_ptr().cast::<__m256i>()) };
        let mut above = _mm256_xor_si256(below, top);
        let mut picked =
            _mm256_or_si256(_mm256_shuffle_epi8(low[0], below), _mm256_shuffle_epi8(high[0], above));
        for i in 1..8 {
            (below, above) = (_mm256_subs_epi8(below, step), _mm256_subs_epi8(above, step));
            picked = _mm256_xor_si256(picked, _mm256_shuffle_epi8(low[i], below));
            picked = _mm256_xor_si256(picked, _mm256_shuffle_epi8(high[i], above));
        }
        // SAFETY: a chunk has the 32 bytes that are written.
        unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast::<__m256i>(), picked) };
        done += 32;
    }
    done
}

/// The vectors of a row; returns how many pixels they were.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn table_vbmi(pixels: &[u8], table: &[u8; 256], out: &mut [u8]) -> usize {
    use std::arch::x86_64::{
        _mm512_loadu_si512, _mm512_mask_blend_epi8, _mm512_movepi8_mask, _mm512_permutex2var_epi8,
        _mm512_storeu_si512,
    };
    let (from, to) = (pixels.as_chunks::<64>().0, out.as_chunks_mut::<64>().0);
    // SAFETY: each reads or writes 64 bytes of a slice or chunk of 64 and more.
    let load = |bytes: &[u8]| unsafe { _mm512_loadu_si512(bytes[..64].as_ptr().cast()) };
    let [a, b, c, d] = [0, 64, 128, 192].map(|start| load(&table[start..]));
    let mut done = 0;
    for (from, to) in from.iter().zip(to) {
        let index = load(from);
        // Bit 6 of an index picks one of two vectors, bit 7 one of the two pairs.
        let low = _mm512_permutex2var_epi8(a, index, b);
        let high = _mm512_permutex2var_epi8(c, index, d);
        let picked = _mm512_mask_blend_epi8(_mm512_movepi8_mask(index), low, high);
        // SAFETY: a chunk has 64 bytes.
        unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), picked) };
        done += 64;
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_at_every_width_is_its_entry() {
        let table: [u8; 256] = std::array::from_fn(|i| (i * 167 + 13) as u8);
        for width in (0..200).chain([256, 1000]) {
            let pixels: Vec<u8> = (0..width).map(|i| (i * 37 + width) as u8).collect();
            let wanted: Vec<u8> = pixels.iter().map(|&pixel| table[usize::from(pixel)]).collect();
            for isa in Isa::available() {
                let mut out = vec![0; width];
                table_row(isa, &pixels, &table, &mut out);
                assert_eq!(out, wanted, "{isa:?} {width}");
                table_row(isa, &pixels, &INVERTED, &mut out);
                assert!(out.iter().zip(&pixels).all(|(out, pixel)| *out == 255 - pixel), "{isa:?} {width}");
            }
        }
    }
}
