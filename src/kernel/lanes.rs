//! Vectors of 16-bit integers, for kernels whose loops the compiler does not vectorise well.
//!
//! A kernel is written once, over [`Lanes`], and runs with AVX2 and AVX-512; [`Isa::dispatch`]
//! picks. A value of a type of `Lanes` is proof that the machine has the instructions, so its
//! methods are safe to call. Lanes keep the layout of the processor: what works "in groups" works
//! within each group of 16 bytes, and two such steps (unpack, then pack) give the order back.

use std::ops::Range;

use bytemuck::Pod;

use super::Isa;

/// A kernel in two forms that give the same bits.
pub(super) trait Kernel {
    /// With plain loops.
    fn portable(self);
    /// With vectors.
    fn vectors<L: Lanes>(self, lanes: L);
}

impl Isa {
    /// Runs the form of a kernel that this set has.
    #[inline]
    pub(super) fn dispatch(self, kernel: impl Kernel) {
        #[cfg(target_arch = "x86_64")]
        {
            if self.has_avx512() {
                return self.run(
                    #[inline(always)]
                    || kernel.vectors(x86::Avx512::new(self)),
                );
            }
            if self.has_avx2() {
                return self.run(
                    #[inline(always)]
                    || kernel.vectors(x86::Avx2::new(self)),
                );
            }
        }
        kernel.portable();
    }
}

/// A set of vector instructions, as proof that they may be used.
pub(super) trait Lanes: Copy {
    /// A vector: integers of 8, 16 or 32 bits, or floats.
    type V: Copy;
    /// A truth value for every 16-bit lane.
    type Mask: Copy;
    /// 16-bit lanes of a vector.
    const N: usize;

    /// The first elements of a slice, as many bytes as a vector has.
    fn load<T: Pod>(self, from: &[T]) -> Self::V;
    /// To the front of a slice.
    fn store<T: Pod>(self, v: Self::V, to: &mut [T]);
    /// `N` bytes, each widened to 16 bits.
    fn load_widened(self, from: &[u8]) -> Self::V;
    /// The next `2 * N` bytes of pixels of three: 12 bytes into each group of 16, the rest anything.
    fn load_triples(self, from: &[u8]) -> Self::V;
    /// The low byte of each 16-bit lane, to the first `N` bytes of a slice.
    fn store_narrowed(self, v: Self::V, to: &mut [u8]);
    /// For each 16-bit lane 255 where it is negative, else 0, exclusive-ored with `flip`; `N` bytes.
    fn store_negative(self, v: Self::V, flip: u8, to: &mut [u8]);
    /// The signed 16-bit lanes as floats; `N` of them.
    fn store_floats(self, v: Self::V, to: &mut [f32]);
    /// The square roots of signed 32-bit lanes, `low` and `high` as [`unpack`](Self::unpack) leaves
    /// them; `N` floats.
    fn store_roots(self, low: Self::V, high: Self::V, to: &mut [f32]);

    /// One 16-bit value everywhere.
    fn splat(self, value: i16) -> Self::V;
    /// One 32-bit value everywhere.
    fn splat32(self, value: i32) -> Self::V;
    /// The same 16 bytes in each group.
    fn groups(self, pattern: [i8; 16]) -> Self::V;

    /// Wrapping sums of 16-bit lanes.
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    /// The low halves of products of 16-bit lanes.
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// The high halves of unsigned products of 16-bit lanes.
    fn mul_high(self, a: Self::V, b: Self::V) -> Self::V;
    /// Exclusive or.
    fn xor(self, a: Self::V, b: Self::V) -> Self::V;
    /// Magnitudes of signed 16-bit lanes.
    fn abs(self, a: Self::V) -> Self::V;
    /// Unsigned 16-bit lanes shifted down.
    fn shift<const BITS: u32>(self, a: Self::V) -> Self::V;
    /// Wrapping sums of 32-bit lanes.
    fn add32(self, a: Self::V, b: Self::V) -> Self::V;
    /// Wrapping differences of 32-bit lanes.
    fn sub32(self, a: Self::V, b: Self::V) -> Self::V;
    /// Unsigned 32-bit lanes shifted down.
    fn shift32<const BITS: u32>(self, a: Self::V) -> Self::V;
    /// Signed products of 16-bit lanes, each neighbouring two summed to 32 bits.
    fn pair_products(self, a: Self::V, b: Self::V) -> Self::V;

    /// Where signed 16-bit lanes of `a` are greater.
    fn greater(self, a: Self::V, b: Self::V) -> Self::Mask;
    /// Where both hold.
    fn both(self, a: Self::Mask, b: Self::Mask) -> Self::Mask;
    /// Where the first holds and the second does not.
    fn but_not(self, a: Self::Mask, b: Self::Mask) -> Self::Mask;
    /// Of 16-bit lanes those of `a` where the mask holds, else those of `b`.
    fn select(self, mask: Self::Mask, a: Self::V, b: Self::V) -> Self::V;
    /// [`select`](Self::select) for masks.
    fn select_mask(self, mask: Self::Mask, a: Self::Mask, b: Self::Mask) -> Self::Mask;
    /// Whether it holds anywhere.
    fn any(self, mask: Self::Mask) -> bool;

    /// Unsigned 16-bit lanes shifted down by a number that the compiler does not know.
    fn shift_by(self, a: Self::V, bits: u32) -> Self::V;

    /// Of each 16-bit lane the wrapping sum up to and with it.
    fn running(self, v: Self::V) -> Self::V;
    /// The last 16-bit lane everywhere.
    fn last(self, v: Self::V) -> Self::V;

    /// Asks for the bytes that lie `ahead` of the front of a slice, whether they are part of it or not: what
    /// is next in memory is often what is wanted next.
    fn prefetch<T: Pod>(self, from: &[T], ahead: usize);

    /// One float everywhere.
    fn splat_float(self, value: f32) -> Self::V;
    /// Sums of floats.
    fn add_float(self, a: Self::V, b: Self::V) -> Self::V;
    /// Products of floats.
    fn mul_float(self, a: Self::V, b: Self::V) -> Self::V;

    /// 16-bit lanes of `a` and `b` in turns: of the lower and of the upper half of each group.
    fn unpack(self, a: Self::V, b: Self::V) -> (Self::V, Self::V);
    /// 32-bit lanes to signed 16 bits, saturated; undoes [`unpack`](Self::unpack).
    fn pack(self, low: Self::V, high: Self::V) -> Self::V;
    /// Four vectors of 32-bit lanes of 0 to 255, one after the other, to bytes in their order.
    fn bytes(self, parts: [Self::V; 4]) -> Self::V;
    /// In each group, the bytes that `from` counts; 0 for -1.
    fn shuffle(self, v: Self::V, from: Self::V) -> Self::V;
}

/// Its argument. A closure that has a name can bear no attribute; on the way through here it can,
/// and what is not inlined is not compiled for the instruction set.
#[inline(always)]
pub(super) fn inlined<F>(closure: F) -> F {
    closure
}

/// Parts of a row, so short that what is kept of them between two passes stays in the first cache beside the
/// rows of a window. Each but that of a short row is longer than any vector.
#[inline(always)]
pub(super) fn blocks(n: usize) -> impl Iterator<Item = Range<usize>> {
    const BLOCK: usize = 1024;
    const LINE: usize = 64;
    let count = n.div_ceil(BLOCK).max(1);
    let start = move |i: usize| if i == count { n } else { i * n / count / LINE * LINE };
    (0..count).map(move |i| start(i)..start(i + 1))
}

/// Runs `tile` for starts that cover `0..n` in steps of `size`, the last ones overlapping. Asks for
/// `n >= size`.
#[inline(always)]
pub(super) fn tiles(n: usize, size: usize, mut tile: impl FnMut(usize)) {
    debug_assert!(n >= size);
    let mut x = 0;
    while x + size <= n {
        tile(x);
        x += size;
    }
    if x < n {
        tile(n - size);
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    #![allow(unsafe_code, reason = "instructions beyond the target's baseline")]
    #![allow(clippy::wildcard_imports, reason = "the names of instructions are unmistakable")]

    use std::arch::x86_64::*;

    use bytemuck::Pod;

    use super::{Isa, Lanes};

    /// 32 lanes.
    #[derive(Clone, Copy)]
    pub(super) struct Avx512(());

    /// 16 lanes.
    #[derive(Clone, Copy)]
    pub(super) struct Avx2(());

    impl Avx512 {
        #[inline(always)]
        pub(super) fn new(isa: Isa) -> Self {
            debug_assert!(isa.has_avx512());
            Self(())
        }
    }

    impl Avx2 {
        #[inline(always)]
        pub(super) fn new(isa: Isa) -> Self {
            debug_assert!(isa.has_avx2());
            Self(())
        }
    }

    /// A pointer to the front of a slice that has so many bytes.
    #[inline(always)]
    fn front<T: Pod, const BYTES: usize>(from: &[T]) -> *const T {
        assert!(size_of_val(from) >= BYTES);
        from.as_ptr()
    }

    /// [`front`], to write to.
    #[inline(always)]
    fn front_mut<T: Pod, const BYTES: usize>(to: &mut [T]) -> *mut T {
        assert!(size_of_val(to) >= BYTES);
        to.as_mut_ptr()
    }

    /// Methods that are one instruction on values.
    // As an intrinsic it is a product of wider numbers to the compiler, which moves the widening of what
    // stays the same out of a loop, and then no longer knows the instruction again.
    macro_rules! mul_high {
        ($name:ident, $features:literal, $class:ident, $vector:ty) => {
            #[inline]
            #[target_feature(enable = $features)]
            fn $name(a: $vector, b: $vector) -> $vector {
                let product: $vector;
                // SAFETY: the instruction reads and writes these registers alone.
                unsafe {
                    std::arch::asm!(
                        "vpmulhuw {product}, {a}, {b}",
                        product = lateout($class) product,
                        a = in($class) a,
                        b = in($class) b,
                        options(pure, nomem, nostack, preserves_flags),
                    );
                }
                product
            }
        };
    }
    mul_high!(mul_high_32, "avx512f,avx512bw", zmm_reg, __m512i);
    mul_high!(mul_high_16, "avx2", ymm_reg, __m256i);

    macro_rules! values {
        ($($name:ident($($arg:ident: $ty:ty),*) -> $out:ty = $body:expr;)*) => {$(
            #[inline(always)]
            fn $name(self, $($arg: $ty),*) -> $out {
                // SAFETY: a value of this type exists only where the instructions do.
                unsafe { $body }
            }
        )*};
    }

    impl Lanes for Avx512 {
        type V = __m512i;
        type Mask = __mmask32;
        const N: usize = 32;

        values! {
            splat(value: i16) -> __m512i = _mm512_set1_epi16(value);
            splat32(value: i32) -> __m512i = _mm512_set1_epi32(value);
            add(a: __m512i, b: __m512i) -> __m512i = _mm512_add_epi16(a, b);
            mul(a: __m512i, b: __m512i) -> __m512i = _mm512_mullo_epi16(a, b);
            mul_high(a: __m512i, b: __m512i) -> __m512i = mul_high_32(a, b);
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
            shuffle(v: __m512i, from: __m512i) -> __m512i = _mm512_shuffle_epi8(v, from);
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
        fn groups(self, pattern: [i8; 16]) -> __m512i {
            // SAFETY: as for the methods above; 16 bytes are read from 16.
            unsafe { _mm512_broadcast_i32x4(_mm_loadu_si128(pattern.as_ptr().cast())) }
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
        fn load_triples(self, from: &[u8]) -> __m512i {
            let from = front::<u8, 48>(from);
            // SAFETY: `front` asserts the 48 bytes that the mask lets through.
            unsafe {
                let v = _mm512_maskz_loadu_epi32(0x0FFF, from.cast());
                let order = _mm512_setr_epi32(0, 1, 2, 3, 3, 4, 5, 6, 6, 7, 8, 9, 9, 10, 11, 12);
                _mm512_permutexvar_epi32(order, v)
            }
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

    impl Lanes for Avx2 {
        type V = __m256i;
        type Mask = __m256i;
        const N: usize = 16;

        values! {
            splat(value: i16) -> __m256i = _mm256_set1_epi16(value);
            splat32(value: i32) -> __m256i = _mm256_set1_epi32(value);
            add(a: __m256i, b: __m256i) -> __m256i = _mm256_add_epi16(a, b);
            mul(a: __m256i, b: __m256i) -> __m256i = _mm256_mullo_epi16(a, b);
            mul_high(a: __m256i, b: __m256i) -> __m256i = mul_high_16(a, b);
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
            shuffle(v: __m256i, from: __m256i) -> __m256i = _mm256_shuffle_epi8(v, from);
        }

        #[inline(always)]
        fn running(self, v: __m256i) -> __m256i {
            // SAFETY: as for the methods above.
            unsafe {
                let v = _mm256_add_epi16(v, _mm256_slli_si256::<2>(v));
                let v = _mm256_add_epi16(v, _mm256_slli_si256::<4>(v));
                let v = _mm256_add_epi16(v, _mm256_slli_si256::<8>(v));
                // The sum of the lower half is added to the upper one.
                let lower = _mm256_permute2x128_si256::<0x08>(v, v);
                _mm256_add_epi16(v, _mm256_shuffle_epi8(lower, _mm256_set1_epi16(0x0f0e)))
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
                let upper = _mm256_permute2x128_si256::<0x11>(v, v);
                _mm256_shuffle_epi8(upper, _mm256_set1_epi16(0x0f0e))
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
        fn groups(self, pattern: [i8; 16]) -> __m256i {
            // SAFETY: as for the methods above; 16 bytes are read from 16.
            unsafe { _mm256_broadcastsi128_si256(_mm_loadu_si128(pattern.as_ptr().cast())) }
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
        fn load_triples(self, from: &[u8]) -> __m256i {
            let from = front::<u8, 24>(from);
            // SAFETY: `front` asserts 24 bytes: 16 from the first, and 16 up to the last, which are
            // turned so that the 12 wanted stand in front.
            unsafe {
                let low = _mm_loadu_si128(from.cast());
                let high = _mm_loadu_si128(from.add(8).cast());
                _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(low), _mm_srli_si128::<4>(high))
            }
        }

        #[inline(always)]
        fn store_narrowed(self, v: __m256i, to: &mut [u8]) {
            let to = front_mut::<u8, 16>(to);
            // SAFETY: `front_mut` asserts 16 bytes.
            unsafe {
                let v = _mm256_and_si256(v, _mm256_set1_epi16(255));
                let v = _mm256_permute4x64_epi64::<0b1000>(_mm256_packus_epi16(v, v));
                _mm_storeu_si128(to.cast(), _mm256_castsi256_si128(v));
            }
        }

        #[inline(always)]
        fn store_negative(self, v: __m256i, flip: u8, to: &mut [u8]) {
            let to = front_mut::<u8, 16>(to);
            // SAFETY: `front_mut` asserts 16 bytes.
            unsafe {
                let v = _mm256_srai_epi16::<15>(v);
                let v = _mm256_permute4x64_epi64::<0b1000>(_mm256_packs_epi16(v, v));
                let v = _mm_xor_si128(_mm256_castsi256_si128(v), _mm_set1_epi8(flip as i8));
                _mm_storeu_si128(to.cast(), v);
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
                let first = _mm256_permute2x128_si256::<0x20>(low, high);
                let second = _mm256_permute2x128_si256::<0x31>(low, high);
                _mm256_storeu_ps(to, _mm256_sqrt_ps(_mm256_cvtepi32_ps(first)));
                _mm256_storeu_ps(to.add(8), _mm256_sqrt_ps(_mm256_cvtepi32_ps(second)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_cover_a_row_once() {
        for n in [0, 1, 63, 1000, 1024, 1025, 2048, 4096, 10_007] {
            let all: Vec<usize> = blocks(n).flatten().collect();
            assert_eq!(all, (0..n).collect::<Vec<_>>());
            assert!(n <= 1024 || blocks(n).all(|block| (256..1088).contains(&block.len())), "{n}");
        }
    }
}
