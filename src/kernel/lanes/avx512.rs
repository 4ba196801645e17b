//! Vectors of 64 bytes.
#![allow(unsafe_code, reason = "instructions beyond the target's baseline")]
#![allow(clippy::wildcard_imports, reason = "the names of instructions are unmistakable")]

use std::arch::x86_64::*;

use bytemuck::Pod;

use super::x86::{front, front_mut, mul_high, values};
use super::{Isa, Lanes};

/// 32 lanes.
#[derive(Clone, Copy)]
pub(in crate::kernel) struct Avx512(());

impl Avx512 {
    #[inline(always)]
    pub(in crate::kernel) fn new(isa: Isa) -> Self {
        debug_assert!(isa.has_avx512());
        Self(())
    }
}

mul_high!(mul_high_32, "avx512f,avx512bw", zmm_reg, __m512i);

impl Lanes for Avx512 {
    type V = __m512i;
    type Mask = __mmask32;
    type Bytes = [u8; 64];
    type Words = [u16; 32];
    type Triples = [u8; 48];
    const N: usize = 32;

    values! {
        splat(value: i16) -> __m512i = _mm512_set1_epi16(value);
        splat32(value: i32) -> __m512i = _mm512_set1_epi32(value);
        add(a: __m512i, b: __m512i) -> __m512i = _mm512_add_epi16(a, b);
        mul(a: __m512i, b: __m512i) -> __m512i = _mm512_mullo_epi16(a, b);
        mul_high(a: __m512i, b: __m512i) -> __m512i = mul_high_32(a, b);
        and(a: __m512i, b: __m512i) -> __m512i = _mm512_and_si512(a, b);
        xor(a: __m512i, b: __m512i) -> __m512i = _mm512_xor_si512(a, b);
        abs(a: __m512i) -> __m512i = _mm512_abs_epi16(a);
        greater(a: __m512i, b: __m512i) -> __mmask32 = _mm512_cmpgt_epi16_mask(a, b);
        select(mask: __mmask32, a: __m512i, b: __m512i) -> __m512i = _mm512_mask_blend_epi16(mask, b, a);
        splat_float(value: f32) -> __m512i = _mm512_castps_si512(_mm512_set1_ps(value));
        add_float(a: __m512i, b: __m512i) -> __m512i =
            _mm512_castps_si512(_mm512_add_ps(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b)));
        mul_float(a: __m512i, b: __m512i) -> __m512i =
            _mm512_castps_si512(_mm512_mul_ps(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b)));
        add32(a: __m512i, b: __m512i) -> __m512i = _mm512_add_epi32(a, b);
        sub32(a: __m512i, b: __m512i) -> __m512i = _mm512_sub_epi32(a, b);
        pair_products(a: __m512i, b: __m512i) -> __m512i = _mm512_madd_epi16(a, b);
        unpack(a: __m512i, b: __m512i) -> (__m512i, __m512i) =
            (_mm512_unpacklo_epi16(a, b), _mm512_unpackhi_epi16(a, b));
        pack(low: __m512i, high: __m512i) -> __m512i = _mm512_packs_epi32(low, high);
        byte_products(a: __m512i, b: __m512i) -> __m512i = _mm512_maddubs_epi16(a, b);
        sub(a: __m512i, b: __m512i) -> __m512i = _mm512_sub_epi16(a, b);
    }

    #[inline(always)]
    fn both(self, a: __mmask32, b: __mmask32) -> __mmask32 {
        a & b
    }

    #[inline(always)]
    fn but_not(self, a: __mmask32, b: __mmask32) -> __mmask32 {
        a & !b
    }

    #[inline(always)]
    fn select_mask(self, mask: __mmask32, a: __mmask32, b: __mmask32) -> __mmask32 {
        mask & a | !mask & b
    }

    #[inline(always)]
    fn any(self, mask: __mmask32) -> bool {
        mask != 0
    }

    #[inline(always)]
    fn running(self, v: __m512i) -> __m512i {
        // SAFETY: as for the methods above.
        unsafe { crate::kernel::running::running_32_words(v) }
    }

    #[inline(always)]
    fn shift_by(self, a: __m512i, bits: u32) -> __m512i {
        // SAFETY: as for the methods above.
        unsafe { _mm512_srl_epi16(a, _mm_cvtsi32_si128(bits.cast_signed())) }
    }

    #[inline(always)]
    fn prefetch<T: Pod>(self, from: &[T], ahead: usize) {
        let at = from.as_ptr().cast::<i8>().wrapping_add(ahead);
        // SAFETY: a hint reads nothing, and no address is wrong for it.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at) }
    }

    #[inline(always)]
    fn last(self, v: __m512i) -> __m512i {
        // SAFETY: as for the methods above.
        unsafe { _mm512_permutexvar_epi16(_mm512_set1_epi16(31), v) }
    }

    #[inline(always)]
    fn shift<const BITS: u32>(self, a: __m512i) -> __m512i {
        // SAFETY: as for the methods above.
        unsafe { _mm512_srli_epi16::<BITS>(a) }
    }

    #[inline(always)]
    fn shift32<const BITS: u32>(self, a: __m512i) -> __m512i {
        // SAFETY: as for the methods above.
        unsafe { _mm512_srli_epi32::<BITS>(a) }
    }

    #[inline(always)]
    fn bytes(self, [a, b, c, d]: [__m512i; 4]) -> __m512i {
        // SAFETY: as for the methods above.
        unsafe {
            let v = _mm512_packus_epi16(_mm512_packus_epi32(a, b), _mm512_packus_epi32(c, d));
            // Group `g` has the `g`-th four of every part.
            let order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
            _mm512_permutexvar_epi32(order, v)
        }
    }

    #[inline(always)]
    fn load<T: Pod>(self, from: &[T]) -> __m512i {
        let from = front::<T, 64>(from);
        // SAFETY: `front` asserts 64 bytes; any of them are valid integers.
        unsafe { _mm512_loadu_si512(from.cast()) }
    }

    #[inline(always)]
    fn store<T: Pod>(self, v: __m512i, to: &mut [T]) {
        let to = front_mut::<T, 64>(to);
        // SAFETY: `front_mut` asserts 64 bytes, and any bytes are valid in `T`.
        unsafe { _mm512_storeu_si512(to.cast(), v) }
    }

    #[inline(always)]
    fn load_widened(self, from: &[u8]) -> __m512i {
        let from = front::<u8, 32>(from);
        // SAFETY: `front` asserts 32 bytes.
        unsafe { _mm512_cvtepu8_epi16(_mm256_loadu_si256(from.cast())) }
    }

    #[inline(always)]
    fn store_narrowed(self, v: __m512i, to: &mut [u8]) {
        let to = front_mut::<u8, 32>(to);
        // SAFETY: `front_mut` asserts 32 bytes.
        unsafe { _mm256_storeu_si256(to.cast(), _mm512_cvtepi16_epi8(v)) }
    }

    #[inline(always)]
    fn store_negative(self, v: __m512i, flip: u8, to: &mut [u8]) {
        let to = front_mut::<u8, 32>(to);
        // SAFETY: `front_mut` asserts 32 bytes.
        unsafe {
            let mask = _mm256_movm_epi8(_mm512_movepi16_mask(v));
            _mm256_storeu_si256(to.cast(), _mm256_xor_si256(mask, _mm256_set1_epi8(flip as i8)));
        }
    }

    #[inline(always)]
    fn triple_sums(self, from: &Self::Triples, [r, g, b]: [i16; 3], start: __m512i) -> __m512i {
        // Red and green beside each other as 16 bit, then blue and zero. Bytes from 48 on are zero.
        const RED_GREEN: [u8; 64] = order([0, 48, 1, 48]);
        const BLUE: [u8; 64] = order([2, 48, 48, 48]);
        // SAFETY: as for the methods above; there are the 48 bytes that the mask lets through, and the
        // orders have 64.
        unsafe {
            let v = _mm512_maskz_loadu_epi32(0x0FFF, from.as_ptr().cast());
            let red_green = _mm512_permutexvar_epi8(_mm512_loadu_si512(RED_GREEN.as_ptr().cast()), v);
            let blue = _mm512_permutexvar_epi8(_mm512_loadu_si512(BLUE.as_ptr().cast()), v);
            let sum = _mm512_dpwssd_epi32(start, red_green, self.splat32(i32::from(r) | i32::from(g) << 16));
            _mm512_dpwssd_epi32(sum, blue, self.splat32(i32::from(b)))
        }
    }

    #[inline(always)]
    fn high_bytes(self, even: __m512i, odd: __m512i) -> __m512i {
        // SAFETY: as for the methods above.
        unsafe {
            // `a | b & c`.
            let high = _mm512_set1_epi16(0xFF00_u16.cast_signed());
            _mm512_ternarylogic_epi32::<0xF8>(_mm512_srli_epi16::<8>(even), odd, high)
        }
    }

    #[inline(always)]
    fn negative_bytes(self, even: __m512i, odd: __m512i, flip: u8) -> __m512i {
        // SAFETY: as for the methods above.
        unsafe {
            // The mask chooses between the two.
            let v = _mm512_ternarylogic_epi32::<0xCA>(
                _mm512_set1_epi16(0x00FF),
                _mm512_srai_epi16::<15>(even),
                _mm512_srai_epi16::<15>(odd),
            );
            _mm512_xor_si512(v, _mm512_set1_epi8(flip.cast_signed()))
        }
    }

    #[inline(always)]
    fn store_floats(self, v: __m512i, to: &mut [f32]) {
        let to = front_mut::<f32, 128>(to);
        // SAFETY: `front_mut` asserts 32 floats.
        unsafe {
            let (low, high) = (_mm512_castsi512_si256(v), _mm512_extracti64x4_epi64::<1>(v));
            _mm512_storeu_ps(to, _mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(low)));
            _mm512_storeu_ps(to.add(16), _mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(high)));
        }
    }

    #[inline(always)]
    fn store_roots(self, low: __m512i, high: __m512i, to: &mut [f32]) {
        let to = front_mut::<f32, 128>(to);
        // SAFETY: `front_mut` asserts 32 floats.
        unsafe {
            let first = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
            let second = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
            let root =
                |order| _mm512_sqrt_ps(_mm512_cvtepi32_ps(_mm512_permutex2var_epi64(low, order, high)));
            _mm512_storeu_ps(to, root(first));
            _mm512_storeu_ps(to.add(16), root(second));
        }
    }
}

/// The order of 16 pixels of three bytes, spread to four bytes each.
const fn order(first: [u8; 4]) -> [u8; 64] {
    let mut bytes = [0; 64];
    let mut i = 0;
    while i < 64 {
        let byte = first[i % 4];
        bytes[i] = if byte < 48 { byte + 3 * (i / 4) as u8 } else { byte };
        i += 1;
    }
    bytes
}
