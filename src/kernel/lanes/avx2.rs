//! Vectors of 32 bytes.
#![allow(unsafe_code, reason = "instructions beyond the target's baseline")]
#![allow(clippy::wildcard_imports, reason = "the names of instructions are unmistakable")]

use std::arch::x86_64::*;

use bytemuck::Pod;

use super::x86::{front, front_mut, mul_high, values};
use super::{Isa, Lanes};

/// 16 lanes.
#[derive(Clone, Copy)]
pub(in crate::kernel) struct Avx2(());

impl Avx2 {
    #[inline(always)]
    pub(in crate::kernel) fn new(isa: Isa) -> Self {
        debug_assert!(isa.has_avx2());
        Self(())
    }
}

mul_high!(mul_high_16, "avx2", ymm_reg, __m256i);

impl Lanes for Avx2 {
    type V = __m256i;
    type Mask = __m256i;
    type Bytes = [u8; 32];
    type Words = [u16; 16];
    type Triples = [u8; 24];
    const N: usize = 16;

    values! {
        splat(value: i16) -> __m256i = _mm256_set1_epi16(value);
        splat32(value: i32) -> __m256i = _mm256_set1_epi32(value);
        add(a: __m256i, b: __m256i) -> __m256i = _mm256_add_epi16(a, b);
        mul(a: __m256i, b: __m256i) -> __m256i = _mm256_mullo_epi16(a, b);
        mul_high(a: __m256i, b: __m256i) -> __m256i = mul_high_16(a, b);
        and(a: __m256i, b: __m256i) -> __m256i = _mm256_and_si256(a, b);
        xor(a: __m256i, b: __m256i) -> __m256i = _mm256_xor_si256(a, b);
        abs(a: __m256i) -> __m256i = _mm256_abs_epi16(a);
        greater(a: __m256i, b: __m256i) -> __m256i = _mm256_cmpgt_epi16(a, b);
        both(a: __m256i, b: __m256i) -> __m256i = _mm256_and_si256(a, b);
        but_not(a: __m256i, b: __m256i) -> __m256i = _mm256_andnot_si256(b, a);
        select(mask: __m256i, a: __m256i, b: __m256i) -> __m256i = _mm256_blendv_epi8(b, a, mask);
        select_mask(mask: __m256i, a: __m256i, b: __m256i) -> __m256i = _mm256_blendv_epi8(b, a, mask);
        any(mask: __m256i) -> bool = _mm256_testz_si256(mask, mask) == 0;
        splat_float(value: f32) -> __m256i = _mm256_castps_si256(_mm256_set1_ps(value));
        add_float(a: __m256i, b: __m256i) -> __m256i =
            _mm256_castps_si256(_mm256_add_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b)));
        mul_float(a: __m256i, b: __m256i) -> __m256i =
            _mm256_castps_si256(_mm256_mul_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b)));
        add32(a: __m256i, b: __m256i) -> __m256i = _mm256_add_epi32(a, b);
        sub32(a: __m256i, b: __m256i) -> __m256i = _mm256_sub_epi32(a, b);
        pair_products(a: __m256i, b: __m256i) -> __m256i = _mm256_madd_epi16(a, b);
        unpack(a: __m256i, b: __m256i) -> (__m256i, __m256i) =
            (_mm256_unpacklo_epi16(a, b), _mm256_unpackhi_epi16(a, b));
        pack(low: __m256i, high: __m256i) -> __m256i = _mm256_packs_epi32(low, high);
        byte_products(a: __m256i, b: __m256i) -> __m256i = _mm256_maddubs_epi16(a, b);
        sub(a: __m256i, b: __m256i) -> __m256i = _mm256_sub_epi16(a, b);
    }

    #[inline(always)]
    fn running(self, v: __m256i) -> __m256i {
        // SAFETY: as for the methods above.
        unsafe {
            let v = _mm256_add_epi16(v, _mm256_slli_si256::<2>(v));
            let v = _mm256_add_epi16(v, _mm256_slli_si256::<4>(v));
            let v = _mm256_add_epi16(v, _mm256_slli_si256::<8>(v));
            // The sum of the lower half is added to the upper one, there: what moves halves about costs Zen 1 eight steps.
            let last = _mm_shuffle_epi8(_mm256_castsi256_si128(v), _mm_set1_epi16(0x0f0e));
            let upper = _mm_add_epi16(_mm256_extracti128_si256::<1>(v), last);
            _mm256_inserti128_si256::<1>(v, upper)
        }
    }

    #[inline(always)]
    fn shift_by(self, a: __m256i, bits: u32) -> __m256i {
        // SAFETY: as for the methods above.
        unsafe { _mm256_srl_epi16(a, _mm_cvtsi32_si128(bits.cast_signed())) }
    }

    #[inline(always)]
    fn prefetch<T: Pod>(self, from: &[T], ahead: usize) {
        let at = from.as_ptr().cast::<i8>().wrapping_add(ahead);
        // SAFETY: a hint reads nothing, and no address is wrong for it.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at) }
    }

    #[inline(always)]
    fn last(self, v: __m256i) -> __m256i {
        // SAFETY: as for the methods above.
        unsafe {
            let upper = _mm256_extracti128_si256::<1>(v);
            _mm256_broadcastw_epi16(_mm_srli_si128::<14>(upper))
        }
    }

    #[inline(always)]
    fn shift<const BITS: u32>(self, a: __m256i) -> __m256i {
        // SAFETY: as for the methods above.
        unsafe { _mm256_srl_epi16(a, _mm_cvtsi32_si128(BITS as i32)) }
    }

    #[inline(always)]
    fn shift32<const BITS: u32>(self, a: __m256i) -> __m256i {
        // SAFETY: as for the methods above.
        unsafe { _mm256_srl_epi32(a, _mm_cvtsi32_si128(BITS as i32)) }
    }

    #[inline(always)]
    fn bytes(self, [a, b, c, d]: [__m256i; 4]) -> __m256i {
        // SAFETY: as for the methods above.
        unsafe {
            let v = _mm256_packus_epi16(_mm256_packus_epi32(a, b), _mm256_packus_epi32(c, d));
            _mm256_permutevar8x32_epi32(v, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7))
        }
    }

    #[inline(always)]
    fn load<T: Pod>(self, from: &[T]) -> __m256i {
        let from = front::<T, 32>(from);
        // SAFETY: `front` asserts 32 bytes; any of them are valid integers.
        unsafe { _mm256_loadu_si256(from.cast()) }
    }

    #[inline(always)]
    fn store<T: Pod>(self, v: __m256i, to: &mut [T]) {
        let to = front_mut::<T, 32>(to);
        // SAFETY: `front_mut` asserts 32 bytes, and any bytes are valid in `T`.
        unsafe { _mm256_storeu_si256(to.cast(), v) }
    }

    #[inline(always)]
    fn load_widened(self, from: &[u8]) -> __m256i {
        let from = front::<u8, 16>(from);
        // SAFETY: `front` asserts 16 bytes.
        unsafe { _mm256_cvtepu8_epi16(_mm_loadu_si128(from.cast())) }
    }

    #[inline(always)]
    fn store_narrowed(self, v: __m256i, to: &mut [u8]) {
        let to = front_mut::<u8, 16>(to);
        // SAFETY: `front_mut` asserts 16 bytes.
        unsafe {
            let v = _mm256_and_si256(v, _mm256_set1_epi16(255));
            let (low, high) = (_mm256_castsi256_si128(v), _mm256_extracti128_si256::<1>(v));
            _mm_storeu_si128(to.cast(), _mm_packus_epi16(low, high));
        }
    }

    #[inline(always)]
    fn store_negative(self, v: __m256i, flip: u8, to: &mut [u8]) {
        let to = front_mut::<u8, 16>(to);
        // SAFETY: `front_mut` asserts 16 bytes.
        unsafe {
            // Saturation to bytes keeps signs.
            let (low, high) = (_mm256_castsi256_si128(v), _mm256_extracti128_si256::<1>(v));
            let signs = _mm_cmpgt_epi8(_mm_setzero_si128(), _mm_packs_epi16(low, high));
            _mm_storeu_si128(to.cast(), _mm_xor_si128(signs, _mm_set1_epi8(flip as i8)));
        }
    }

    #[inline(always)]
    fn triple_sums(self, from: &Self::Triples, [r, g, b]: [i16; 3], start: __m256i) -> __m256i {
        // SAFETY: as for the methods above; there are 24 bytes: 16 from the first, and 16 up to the last,
        // which are turned so that the 12 wanted stand in front.
        unsafe {
            let low = _mm_loadu_si128(from.as_ptr().cast());
            let high = _mm_loadu_si128(from[8..].as_ptr().cast());
            let v = _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(low), _mm_srli_si128::<4>(high));
            // Red and green beside each other as 16 bit, then blue and zero.
            let order = _mm_setr_epi8(0, -1, 1, -1, 3, -1, 4, -1, 6, -1, 7, -1, 9, -1, 10, -1);
            let red_green = _mm256_shuffle_epi8(v, _mm256_broadcastsi128_si256(order));
            let order = _mm_setr_epi8(2, -1, -1, -1, 5, -1, -1, -1, 8, -1, -1, -1, 11, -1, -1, -1);
            let blue = _mm256_shuffle_epi8(v, _mm256_broadcastsi128_si256(order));
            let weights = self.splat32(i32::from(r) | i32::from(g) << 16);
            let sum = _mm256_add_epi32(start, _mm256_madd_epi16(red_green, weights));
            _mm256_add_epi32(sum, _mm256_madd_epi16(blue, self.splat32(i32::from(b))))
        }
    }

    #[inline(always)]
    fn high_bytes(self, even: __m256i, odd: __m256i) -> __m256i {
        // SAFETY: as for the methods above.
        unsafe {
            let odd = _mm256_and_si256(odd, _mm256_set1_epi16(0xFF00_u16.cast_signed()));
            _mm256_or_si256(_mm256_srli_epi16::<8>(even), odd)
        }
    }

    #[inline(always)]
    fn negative_bytes(self, even: __m256i, odd: __m256i, flip: u8) -> __m256i {
        // SAFETY: as for the methods above.
        unsafe {
            let even = _mm256_srli_epi16::<8>(_mm256_srai_epi16::<15>(even));
            let odd = _mm256_slli_epi16::<8>(_mm256_srai_epi16::<15>(odd));
            _mm256_xor_si256(_mm256_or_si256(even, odd), _mm256_set1_epi8(flip.cast_signed()))
        }
    }

    #[inline(always)]
    fn below_bytes(
        self,
        even: (__m256i, __m256i),
        odd: (__m256i, __m256i),
        least: __m256i,
        flip: u8,
    ) -> __m256i {
        // SAFETY: as for the methods above.
        unsafe {
            // Truth values of 32 bits: words of the even ones and of the odd ones in turns are those of pixels in their
            // order.
            let low = _mm256_cmpgt_epi32(least, even.0);
            let low = _mm256_blend_epi16::<0b1010_1010>(low, _mm256_cmpgt_epi32(least, odd.0));
            let high = _mm256_cmpgt_epi32(least, even.1);
            let high = _mm256_blend_epi16::<0b1010_1010>(high, _mm256_cmpgt_epi32(least, odd.1));
            _mm256_xor_si256(_mm256_packs_epi16(low, high), _mm256_set1_epi8(flip.cast_signed()))
        }
    }

    #[inline(always)]
    fn store_floats(self, v: __m256i, to: &mut [f32]) {
        let to = front_mut::<f32, 64>(to);
        // SAFETY: `front_mut` asserts 16 floats.
        unsafe {
            let (low, high) = (_mm256_castsi256_si128(v), _mm256_extracti128_si256::<1>(v));
            _mm256_storeu_ps(to, _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(low)));
            _mm256_storeu_ps(to.add(8), _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(high)));
        }
    }

    #[inline(always)]
    fn store_roots(self, low: __m256i, high: __m256i, to: &mut [f32]) {
        let to = front_mut::<f32, 64>(to);
        // SAFETY: `front_mut` asserts 16 floats.
        unsafe {
            let low = _mm256_sqrt_ps(_mm256_cvtepi32_ps(low));
            let high = _mm256_sqrt_ps(_mm256_cvtepi32_ps(high));
            // By halves: what moves halves about costs Zen 1 eight steps.
            _mm_storeu_ps(to, _mm256_castps256_ps128(low));
            _mm_storeu_ps(to.add(4), _mm256_castps256_ps128(high));
            _mm_storeu_ps(to.add(8), _mm256_extractf128_ps::<1>(low));
            _mm_storeu_ps(to.add(12), _mm256_extractf128_ps::<1>(high));
        }
    }
}
