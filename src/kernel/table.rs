//! Pixels replaced by their entry in a table of 256.
//!
//! A table of bytes fits four vectors of 64, and AVX-512 VBMI looks 64 pixels up in it at once. Other
//! sets have no such instruction; there, one load a pixel is as good as comparing in sixteen steps.
#![allow(unsafe_code, reason = "vector instructions")]

use super::Isa;

/// Every pixel replaced by its entry in a table.
pub fn table_row(isa: Isa, pixels: &[u8], table: &[u8; 256], out: &mut [u8]) {
    #[cfg(target_arch = "x86_64")]
    let done = if isa.has_avx512() && is_x86_feature_detected!("avx512vbmi") {
        // SAFETY: both sets were just found.
        unsafe { table_vbmi(pixels, table, out) }
    } else {
        0
    };
    #[cfg(not(target_arch = "x86_64"))]
    let (done, _) = (0, isa);
    for (&pixel, out) in pixels.iter().zip(out).skip(done) {
        *out = table[usize::from(pixel)];
    }
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
            }
        }
    }
}
