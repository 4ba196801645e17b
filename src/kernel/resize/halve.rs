//! Means of cells of 2x2 pixels of three channels, two cells at a time.
#![allow(unsafe_code, reason = "vector instructions")]
#![allow(clippy::cast_ptr_alignment, reason = "the loads and stores are the unaligned ones")]

use super::Isa;

/// The first pixels of [`halve_u8_row`](super::halve_u8_row); returns how many bytes they are.
pub(super) fn colours(isa: Isa, above: &[u8], below: &[u8], out: &mut [u8]) -> usize {
    #[cfg(target_arch = "x86_64")]
    if isa.has_avx2() {
        // SAFETY: the set was just found.
        return unsafe { colours_avx2(above, below, out) };
    }
    let _ = (isa, above, below, out);
    0
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn colours_avx2(above: &[u8], below: &[u8], out: &mut [u8]) -> usize {
    use std::arch::x86_64::{
        __m128i, _mm_add_epi16, _mm_loadu_si128, _mm_maddubs_epi16, _mm_packus_epi16, _mm_set1_epi8,
        _mm_set1_epi16, _mm_setr_epi8, _mm_shuffle_epi8, _mm_srli_epi16, _mm_storel_epi64,
    };
    /// Bytes of two cells in a row, and of two pixels.
    const CELLS: usize = 12;
    const PIXELS: usize = 6;
    // A load takes sixteen bytes and a store eight: more than the cells and the pixels have.
    let loads = (above.len().min(below.len()) + CELLS).saturating_sub(16) / CELLS;
    let stores = (out.len() + PIXELS).saturating_sub(8) / PIXELS;
    let count = loads.min(stores);
    // The channels of both neighbours side by side.
    let order = _mm_setr_epi8(0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11, -1, -1, -1, -1);
    let (one, two) = (_mm_set1_epi8(1), _mm_set1_epi16(2));
    for i in 0..count {
        let pairs = |row: &[u8]| {
            let cells = row[CELLS * i..][..16].as_ptr();
            // SAFETY: the slice has the 16 bytes that are read.
            let cells = unsafe { _mm_loadu_si128(cells.cast::<__m128i>()) };
            _mm_maddubs_epi16(_mm_shuffle_epi8(cells, order), one)
        };
        let sums = _mm_add_epi16(pairs(above), pairs(below));
        let means = _mm_srli_epi16::<2>(_mm_add_epi16(sums, two));
        let pixels = out[PIXELS * i..][..8].as_mut_ptr();
        // SAFETY: the slice has the 8 bytes that are written; the two too many are written anew.
        unsafe { _mm_storel_epi64(pixels.cast::<__m128i>(), _mm_packus_epi16(means, means)) };
    }
    PIXELS * count
}

#[cfg(test)]
mod tests {
    use super::super::halve_u8_row;
    use super::Isa;

    #[test]
    fn cells_of_every_width_are_their_means() {
        for pixels in 0..50 {
            let row =
                |salt: usize| -> Vec<u8> { (0..6 * pixels).map(|i| (i * 89 + salt * i) as u8).collect() };
            let (above, below) = (row(1), row(30));
            let sum = |i: usize| u32::from(above[i]) + u32::from(below[i]);
            let wanted: Vec<u8> = (0..3 * pixels)
                .map(|i| {
                    let left = i / 3 * 6 + i % 3;
                    ((sum(left) + sum(left + 3) + 2) / 4) as u8
                })
                .collect();
            for isa in Isa::available() {
                let mut out = vec![7; 3 * pixels];
                halve_u8_row(isa, &above, &below, 3, &mut out);
                assert_eq!(out, wanted, "{isa:?} {pixels}");
            }
        }
    }
}
