//! AVX-512 and AVX2.
#![allow(unsafe_code, reason = "intrinsics; a value of the types here is proof that they exist")]
#![allow(clippy::wildcard_imports, reason = "the names of instructions are unmistakable")]

use std::arch::x86_64::*;

use super::LANES;
use super::wide::Wide;
use crate::kernel::Isa;

/// One vector of 16 floats, and two of 8 doubles.
#[derive(Clone, Copy)]
pub(super) struct Avx512(());

impl Avx512 {
    /// Nothing where the set has no AVX-512.
    pub(super) fn new(isa: Isa) -> Option<Self> {
        isa.has_avx512().then_some(Self(()))
    }
}

/// Two vectors of 8 floats, and four of 4 doubles.
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

impl Avx2 {
    /// Nothing where the set has no AVX2.
    pub(super) fn new(isa: Isa) -> Option<Self> {
        isa.has_avx2().then_some(Self(()))
    }
}

/// What a body says is unsafe for want of the instructions alone.
macro_rules! with {
    ($body:expr) => {
        // SAFETY: `self` is proof of the instructions; nothing here reads or writes memory.
        unsafe { $body }
    };
}

impl Wide for Avx512 {
    type Sums = __m512i;
    type Floats = __m512;
    type Doubles = [__m512d; 2];
    type Mask = __mmask16;

    #[inline(always)]
    unsafe fn load(self, place: *const u32) -> __m512i {
        // SAFETY: as the trait says, and `self` is proof of the instructions.
        unsafe { _mm512_loadu_si512(place.cast()) }
    }
    #[inline(always)]
    fn add(self, a: __m512i, b: __m512i) -> __m512i {
        with!(_mm512_add_epi32(a, b))
    }
    #[inline(always)]
    fn sub(self, a: __m512i, b: __m512i) -> __m512i {
        with!(_mm512_sub_epi32(a, b))
    }
    #[inline(always)]
    fn floats(self, sums: __m512i) -> __m512 {
        with!(_mm512_cvtepi32_ps(sums))
    }
    #[inline(always)]
    fn splat(self, value: f32) -> __m512 {
        with!(_mm512_set1_ps(value))
    }
    #[inline(always)]
    fn plus(self, a: __m512, b: __m512) -> __m512 {
        with!(_mm512_add_ps(a, b))
    }
    #[inline(always)]
    fn times(self, a: __m512, b: __m512) -> __m512 {
        with!(_mm512_mul_ps(a, b))
    }
    #[inline(always)]
    fn below(self, a: __m512, b: __m512) -> __mmask16 {
        with!(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b))
    }
    #[inline(always)]
    fn push_bit(self, pattern: __m512i, cell: __m512i, middle: __m512i) -> __m512i {
        with!({
            let doubled = _mm512_add_epi32(pattern, pattern);
            let bit = _mm512_cmpge_epi32_mask(cell, middle);
            _mm512_mask_add_epi32(doubled, bit, doubled, _mm512_set1_epi32(1))
        })
    }
    #[inline(always)]
    fn among(self, pattern: __m512i, bits: &[u32; 8]) -> __mmask16 {
        // SAFETY: eight words are read from as many, and `self` is proof of the instructions.
        unsafe {
            let words = _mm512_castsi256_si512(_mm256_loadu_si256(bits.as_ptr().cast()));
            let word = _mm512_permutexvar_epi32(_mm512_srli_epi32::<5>(pattern), words);
            let bit =
                _mm512_sllv_epi32(_mm512_set1_epi32(1), _mm512_and_si512(pattern, _mm512_set1_epi32(31)));
            _mm512_test_epi32_mask(word, bit)
        }
    }
    #[inline(always)]
    fn to_array(self, floats: __m512) -> [f32; LANES] {
        let mut out = [0.0; LANES];
        // SAFETY: the array has room for the vector, and `self` is proof of the instructions.
        unsafe { _mm512_storeu_ps(out.as_mut_ptr(), floats) };
        out
    }
    #[inline(always)]
    fn mask(self, bits: u32) -> __mmask16 {
        bits as __mmask16
    }
    #[inline(always)]
    fn and(self, a: __mmask16, b: __mmask16) -> __mmask16 {
        a & b
    }
    #[inline(always)]
    fn and_not(self, a: __mmask16, b: __mmask16) -> __mmask16 {
        a & !b
    }
    #[inline(always)]
    fn or(self, a: __mmask16, b: __mmask16) -> __mmask16 {
        a | b
    }
    #[inline(always)]
    fn no_votes(self) -> [__m512d; 2] {
        with!([_mm512_setzero_pd(); 2])
    }
    #[inline(always)]
    fn vote(self, votes: [__m512d; 2], mask: __mmask16, yes: f64, no: f64) -> [__m512d; 2] {
        with!({
            let (yes, no) = (_mm512_set1_pd(yes), _mm512_set1_pd(no));
            [
                _mm512_add_pd(votes[0], _mm512_mask_blend_pd(mask as __mmask8, no, yes)),
                _mm512_add_pd(votes[1], _mm512_mask_blend_pd((mask >> 8) as __mmask8, no, yes)),
            ]
        })
    }
    #[inline(always)]
    fn put(self, votes: [__m512d; 2], mask: __mmask16, value: f64) -> [__m512d; 2] {
        with!({
            let value = _mm512_set1_pd(value);
            [
                _mm512_mask_mov_pd(votes[0], mask as __mmask8, value),
                _mm512_mask_mov_pd(votes[1], (mask >> 8) as __mmask8, value),
            ]
        })
    }
    #[inline(always)]
    fn plus_votes(self, a: [__m512d; 2], b: [__m512d; 2]) -> [__m512d; 2] {
        with!([_mm512_add_pd(a[0], b[0]), _mm512_add_pd(a[1], b[1])])
    }
    #[inline(always)]
    fn reached(self, votes: [__m512d; 2], threshold: f64) -> u32 {
        with!({
            let threshold = _mm512_set1_pd(threshold);
            let low = _mm512_cmp_pd_mask::<_CMP_GE_OQ>(votes[0], threshold);
            let high = _mm512_cmp_pd_mask::<_CMP_GE_OQ>(votes[1], threshold);
            u32::from(low) | u32::from(high) << 8
        })
    }
    #[inline(always)]
    fn votes_to_array(self, votes: [__m512d; 2]) -> [f64; LANES] {
        let mut out = [0.0; LANES];
        for (out, votes) in out.chunks_exact_mut(8).zip(votes) {
            // SAFETY: the chunk has room for the vector, and `self` is proof of the instructions.
            unsafe { _mm512_storeu_pd(out.as_mut_ptr(), votes) };
        }
        out
    }
    #[inline(always)]
    fn contrast(self, sums: __m512i, squares: __m512i, area: f64, flat: f64) -> (__m512, u32) {
        with!({
            let sums = [_mm512_castsi512_si256(sums), _mm512_extracti64x4_epi64::<1>(sums)];
            let squares = [_mm512_castsi512_si256(squares), _mm512_extracti64x4_epi64::<1>(squares)];
            let low = contrast_of_8(sums[0], squares[0], area, flat);
            let high = contrast_of_8(sums[1], squares[1], area, flat);
            let factors = _mm512_insertf32x8::<1>(_mm512_castps256_ps512(low.0), high.0);
            (factors, low.1 | high.1 << 8)
        })
    }
}

/// [`Wide::contrast`] of half the lanes.
#[inline(always)]
unsafe fn contrast_of_8(sums: __m256i, squares: __m256i, area: f64, flat: f64) -> (__m256, u32) {
    // SAFETY: the caller has AVX-512; memory is not touched.
    unsafe {
        let (sum, square) = (_mm512_cvtepi32_pd(sums), _mm512_cvtepu32_pd(squares));
        let variance = _mm512_sub_pd(_mm512_mul_pd(_mm512_set1_pd(area), square), _mm512_mul_pd(sum, sum));
        let factor = _mm512_cvtpd_ps(_mm512_div_pd(_mm512_set1_pd(1.0), _mm512_sqrt_pd(variance)));
        let measure = _mm512_mul_pd(_mm512_set1_pd(area), _mm512_cvtps_pd(factor));
        (factor, u32::from(_mm512_cmp_pd_mask::<_CMP_LT_OQ>(measure, _mm512_set1_pd(flat))))
    }
}

/// [`Wide::contrast`] of a quarter of the lanes.
#[inline(always)]
unsafe fn contrast_of_4(sums: __m128i, squares: __m128i, area: f64, flat: f64) -> (__m128, u32) {
    // SAFETY: the caller has AVX2; memory is not touched.
    unsafe {
        // Without a sign: moved down by 2^31, converted, moved up again, all of which is exact.
        let moved = _mm_xor_si128(squares, _mm_set1_epi32(i32::MIN));
        let square = _mm256_add_pd(_mm256_cvtepi32_pd(moved), _mm256_set1_pd(2_147_483_648.0));
        let sum = _mm256_cvtepi32_pd(sums);
        let variance = _mm256_sub_pd(_mm256_mul_pd(_mm256_set1_pd(area), square), _mm256_mul_pd(sum, sum));
        let factor = _mm256_cvtpd_ps(_mm256_div_pd(_mm256_set1_pd(1.0), _mm256_sqrt_pd(variance)));
        let measure = _mm256_mul_pd(_mm256_set1_pd(area), _mm256_cvtps_pd(factor));
        let contrasty = _mm256_cmp_pd::<_CMP_LT_OQ>(measure, _mm256_set1_pd(flat));
        (factor, _mm256_movemask_pd(contrasty) as u32)
    }
}

/// The same of half the lanes.
#[inline(always)]
unsafe fn contrast_of_two_4(sums: __m256i, squares: __m256i, area: f64, flat: f64) -> (__m256, u32) {
    // SAFETY: the caller has AVX2; memory is not touched.
    unsafe {
        let (sum, square) = (_mm256_castsi256_si128(sums), _mm256_castsi256_si128(squares));
        let low = contrast_of_4(sum, square, area, flat);
        let (sum, square) = (_mm256_extracti128_si256::<1>(sums), _mm256_extracti128_si256::<1>(squares));
        let high = contrast_of_4(sum, square, area, flat);
        (_mm256_set_m128(high.0, low.0), low.1 | high.1 << 4)
    }
}

/// The bits of half a mask.
#[inline(always)]
unsafe fn mask_of_8(bits: u32) -> __m256i {
    // SAFETY: the caller has AVX2; memory is not touched.
    unsafe {
        let places = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
        _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32(bits as i32), places), places)
    }
}

/// [`Wide::push_bit`] of half the lanes.
#[inline(always)]
unsafe fn push_bit_of_8(pattern: __m256i, cell: __m256i, middle: __m256i) -> __m256i {
    // SAFETY: the caller has AVX2; memory is not touched.
    unsafe {
        // One, less one where the middle is greater.
        let bit = _mm256_add_epi32(_mm256_set1_epi32(1), _mm256_cmpgt_epi32(middle, cell));
        _mm256_add_epi32(_mm256_add_epi32(pattern, pattern), bit)
    }
}

/// [`Wide::among`] of half the lanes.
#[inline(always)]
unsafe fn among_of_8(pattern: __m256i, words: __m256i) -> __m256i {
    // SAFETY: the caller has AVX2; memory is not touched.
    unsafe {
        let word = _mm256_permutevar8x32_epi32(words, _mm256_srli_epi32::<5>(pattern));
        let place = _mm256_and_si256(pattern, _mm256_set1_epi32(31));
        let bit = _mm256_sllv_epi32(_mm256_set1_epi32(1), place);
        _mm256_cmpeq_epi32(_mm256_and_si256(word, bit), bit)
    }
}

/// A bit for each of four lanes that is `threshold` or more.
#[inline(always)]
unsafe fn reached_of_4(votes: __m256d, threshold: __m256d) -> u32 {
    // SAFETY: the caller has AVX2; memory is not touched.
    unsafe { _mm256_movemask_pd(_mm256_cmp_pd::<_CMP_GE_OQ>(votes, threshold)) as u32 }
}

/// A lane's bits twice.
#[inline(always)]
unsafe fn doubled(half: __m128i) -> __m256d {
    // SAFETY: the caller has AVX2; memory is not touched.
    unsafe { _mm256_castsi256_pd(_mm256_cvtepi32_epi64(half)) }
}

/// The quarters of a mask as those of doubles: a lane's bits twice.
#[inline(always)]
unsafe fn quarters(mask: [__m256i; 2]) -> [__m256d; 4] {
    // SAFETY: the caller has AVX2; memory is not touched.
    unsafe {
        [
            doubled(_mm256_castsi256_si128(mask[0])),
            doubled(_mm256_extracti128_si256::<1>(mask[0])),
            doubled(_mm256_castsi256_si128(mask[1])),
            doubled(_mm256_extracti128_si256::<1>(mask[1])),
        ]
    }
}

impl Wide for Avx2 {
    type Sums = [__m256i; 2];
    type Floats = [__m256; 2];
    type Doubles = [__m256d; 4];
    type Mask = [__m256i; 2];

    #[inline(always)]
    unsafe fn load(self, place: *const u32) -> [__m256i; 2] {
        // SAFETY: as the trait says, and `self` is proof of the instructions.
        unsafe { [_mm256_loadu_si256(place.cast()), _mm256_loadu_si256(place.add(8).cast())] }
    }
    #[inline(always)]
    fn add(self, a: [__m256i; 2], b: [__m256i; 2]) -> [__m256i; 2] {
        with!([_mm256_add_epi32(a[0], b[0]), _mm256_add_epi32(a[1], b[1])])
    }
    #[inline(always)]
    fn sub(self, a: [__m256i; 2], b: [__m256i; 2]) -> [__m256i; 2] {
        with!([_mm256_sub_epi32(a[0], b[0]), _mm256_sub_epi32(a[1], b[1])])
    }
    #[inline(always)]
    fn floats(self, sums: [__m256i; 2]) -> [__m256; 2] {
        with!([_mm256_cvtepi32_ps(sums[0]), _mm256_cvtepi32_ps(sums[1])])
    }
    #[inline(always)]
    fn splat(self, value: f32) -> [__m256; 2] {
        with!([_mm256_set1_ps(value); 2])
    }
    #[inline(always)]
    fn plus(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        with!([_mm256_add_ps(a[0], b[0]), _mm256_add_ps(a[1], b[1])])
    }
    #[inline(always)]
    fn times(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        with!([_mm256_mul_ps(a[0], b[0]), _mm256_mul_ps(a[1], b[1])])
    }
    #[inline(always)]
    fn below(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256i; 2] {
        with!([
            _mm256_castps_si256(_mm256_cmp_ps::<_CMP_LT_OQ>(a[0], b[0])),
            _mm256_castps_si256(_mm256_cmp_ps::<_CMP_LT_OQ>(a[1], b[1])),
        ])
    }
    #[inline(always)]
    fn push_bit(self, pattern: [__m256i; 2], cell: [__m256i; 2], middle: [__m256i; 2]) -> [__m256i; 2] {
        with!([push_bit_of_8(pattern[0], cell[0], middle[0]), push_bit_of_8(pattern[1], cell[1], middle[1]),])
    }
    #[inline(always)]
    fn among(self, pattern: [__m256i; 2], bits: &[u32; 8]) -> [__m256i; 2] {
        // SAFETY: eight words are read from as many, and `self` is proof of the instructions.
        unsafe {
            let words = _mm256_loadu_si256(bits.as_ptr().cast());
            [among_of_8(pattern[0], words), among_of_8(pattern[1], words)]
        }
    }
    #[inline(always)]
    fn to_array(self, floats: [__m256; 2]) -> [f32; LANES] {
        let mut out = [0.0; LANES];
        for (out, floats) in out.chunks_exact_mut(8).zip(floats) {
            // SAFETY: the chunk has room for the vector, and `self` is proof of the instructions.
            unsafe { _mm256_storeu_ps(out.as_mut_ptr(), floats) };
        }
        out
    }
    #[inline(always)]
    fn mask(self, bits: u32) -> [__m256i; 2] {
        with!([mask_of_8(bits), mask_of_8(bits >> 8)])
    }
    #[inline(always)]
    fn and(self, a: [__m256i; 2], b: [__m256i; 2]) -> [__m256i; 2] {
        with!([_mm256_and_si256(a[0], b[0]), _mm256_and_si256(a[1], b[1])])
    }
    #[inline(always)]
    fn and_not(self, a: [__m256i; 2], b: [__m256i; 2]) -> [__m256i; 2] {
        with!([_mm256_andnot_si256(b[0], a[0]), _mm256_andnot_si256(b[1], a[1])])
    }
    #[inline(always)]
    fn or(self, a: [__m256i; 2], b: [__m256i; 2]) -> [__m256i; 2] {
        with!([_mm256_or_si256(a[0], b[0]), _mm256_or_si256(a[1], b[1])])
    }
    #[inline(always)]
    fn no_votes(self) -> [__m256d; 4] {
        with!([_mm256_setzero_pd(); 4])
    }
    #[inline(always)]
    fn vote(self, votes: [__m256d; 4], mask: [__m256i; 2], yes: f64, no: f64) -> [__m256d; 4] {
        with!({
            let (yes, no) = (_mm256_set1_pd(yes), _mm256_set1_pd(no));
            let [a, b, c, d] = quarters(mask);
            [
                _mm256_add_pd(votes[0], _mm256_blendv_pd(no, yes, a)),
                _mm256_add_pd(votes[1], _mm256_blendv_pd(no, yes, b)),
                _mm256_add_pd(votes[2], _mm256_blendv_pd(no, yes, c)),
                _mm256_add_pd(votes[3], _mm256_blendv_pd(no, yes, d)),
            ]
        })
    }
    #[inline(always)]
    fn put(self, votes: [__m256d; 4], mask: [__m256i; 2], value: f64) -> [__m256d; 4] {
        with!({
            let value = _mm256_set1_pd(value);
            let [a, b, c, d] = quarters(mask);
            [
                _mm256_blendv_pd(votes[0], value, a),
                _mm256_blendv_pd(votes[1], value, b),
                _mm256_blendv_pd(votes[2], value, c),
                _mm256_blendv_pd(votes[3], value, d),
            ]
        })
    }
    #[inline(always)]
    fn plus_votes(self, a: [__m256d; 4], b: [__m256d; 4]) -> [__m256d; 4] {
        with!([
            _mm256_add_pd(a[0], b[0]),
            _mm256_add_pd(a[1], b[1]),
            _mm256_add_pd(a[2], b[2]),
            _mm256_add_pd(a[3], b[3]),
        ])
    }
    #[inline(always)]
    fn reached(self, votes: [__m256d; 4], threshold: f64) -> u32 {
        with!({
            let threshold = _mm256_set1_pd(threshold);
            let [a, b, c, d] = votes;
            let (low, high) = (
                reached_of_4(a, threshold) | reached_of_4(b, threshold) << 4,
                reached_of_4(c, threshold) | reached_of_4(d, threshold) << 4,
            );
            low | high << 8
        })
    }
    #[inline(always)]
    fn votes_to_array(self, votes: [__m256d; 4]) -> [f64; LANES] {
        let mut out = [0.0; LANES];
        for (out, votes) in out.chunks_exact_mut(4).zip(votes) {
            // SAFETY: the chunk has room for the vector, and `self` is proof of the instructions.
            unsafe { _mm256_storeu_pd(out.as_mut_ptr(), votes) };
        }
        out
    }
    #[inline(always)]
    fn contrast(self, sums: [__m256i; 2], squares: [__m256i; 2], area: f64, flat: f64) -> ([__m256; 2], u32) {
        with!({
            let low = contrast_of_two_4(sums[0], squares[0], area, flat);
            let high = contrast_of_two_4(sums[1], squares[1], area, flat);
            ([low.0, high.0], low.1 | high.1 << 8)
        })
    }
}
