//! Vectors of 16-bit integers, for kernels whose loops the compiler does not vectorise well.
//!
//! A kernel is written once, over [`Lanes`], and runs with AVX2 and AVX-512; [`Isa::dispatch`]
//! picks. A value of a type of `Lanes` is proof that the machine has the instructions, so its
//! methods are safe to call. Lanes keep the layout of the processor: what works "in groups" works
//! within each group of 16 bytes, and two such steps (unpack, then pack) give the order back.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod x86;

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
                    || kernel.vectors(avx512::Avx512::new(self)),
                );
            }
            if self.has_avx2() {
                return self.run(
                    #[inline(always)]
                    || kernel.vectors(avx2::Avx2::new(self)),
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
    /// As many bytes as a vector has.
    type Bytes: Pod;
    /// As many 16-bit integers.
    type Words: Pod;
    /// `N / 2` pixels of three bytes.
    type Triples: Pod;
    /// 16-bit lanes of a vector.
    const N: usize;

    /// The first elements of a slice, as many bytes as a vector has.
    fn load<T: Pod>(self, from: &[T]) -> Self::V;
    /// To the front of a slice.
    fn store<T: Pod>(self, v: Self::V, to: &mut [T]);
    /// `N` bytes, each widened to 16 bits.
    fn load_widened(self, from: &[u8]) -> Self::V;
    /// [`load`](Self::load) of a value as large as a vector.
    #[inline(always)]
    fn get<T: Pod>(self, from: &T) -> Self::V {
        self.load(std::slice::from_ref(from))
    }
    /// [`store`](Self::store) to a value as large as a vector.
    #[inline(always)]
    fn put<T: Pod>(self, v: Self::V, to: &mut T) {
        self.store(v, std::slice::from_mut(to));
    }
    /// Of each pixel the weighted sum on top of `start`, 32 bits.
    fn triple_sums(self, from: &Self::Triples, weights: [i16; 3], start: Self::V) -> Self::V;
    /// The low byte of each 16-bit lane, to the first `N` bytes of a slice.
    fn store_narrowed(self, v: Self::V, to: &mut [u8]);
    /// For each 16-bit lane 255 where it is negative, else 0, exclusive-ored with `flip`; `N` bytes.
    fn store_negative(self, v: Self::V, flip: u8, to: &mut [u8]);
    /// The high bytes of 16-bit lanes, those of `even` and of `odd` in turns.
    fn high_bytes(self, even: Self::V, odd: Self::V) -> Self::V;
    /// For 16-bit lanes of `even` and of `odd` in turns a byte: 255 where it is negative, else 0; exclusive-ored
    /// with `flip`.
    fn negative_bytes(self, even: Self::V, odd: Self::V, flip: u8) -> Self::V;
    /// For 32-bit lanes of `even` and of `odd` in turns, each as [`unpack`](Self::unpack) leaves them, a byte: 255 where
    /// it is below `least`, at a distance that fits, else 0; exclusive-ored with `flip`.
    #[inline(always)]
    fn below_bytes(
        self,
        even: (Self::V, Self::V),
        odd: (Self::V, Self::V),
        least: Self::V,
        flip: u8,
    ) -> Self::V {
        let even = self.pack(self.sub32(even.0, least), self.sub32(even.1, least));
        let odd = self.pack(self.sub32(odd.0, least), self.sub32(odd.1, least));
        self.negative_bytes(even, odd, flip)
    }
    /// The signed 16-bit lanes as floats; `N` of them.
    fn store_floats(self, v: Self::V, to: &mut [f32]);
    /// The square roots of signed 32-bit lanes, `low` and `high` as [`unpack`](Self::unpack) leaves
    /// them; `N` floats.
    fn store_roots(self, low: Self::V, high: Self::V, to: &mut [f32]);

    /// One 16-bit value everywhere.
    fn splat(self, value: i16) -> Self::V;
    /// One 32-bit value everywhere.
    fn splat32(self, value: i32) -> Self::V;
    /// Two bytes in turns.
    #[inline(always)]
    fn splat_bytes(self, [even, odd]: [i8; 2]) -> Self::V {
        self.splat(i16::from_le_bytes([even.cast_unsigned(), odd.cast_unsigned()]))
    }

    /// Wrapping sums of 16-bit lanes.
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    /// The low halves of products of 16-bit lanes.
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// The high halves of unsigned products of 16-bit lanes.
    fn mul_high(self, a: Self::V, b: Self::V) -> Self::V;
    /// And, bit for bit.
    fn and(self, a: Self::V, b: Self::V) -> Self::V;
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

    /// Products of unsigned bytes of `a` and signed ones of `b`, each neighbouring two summed to 16 bits,
    /// saturated.
    fn byte_products(self, a: Self::V, b: Self::V) -> Self::V;
    /// Wrapping differences of 16-bit lanes.
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;

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
    assert!(n >= size, "a row of {n} is shorter than a tile of {size}");
    // Compared this way round, the compiler sees that tiles end within slices of `n` and drops their checks.
    let last = n - size;
    let mut x = 0;
    while x <= last {
        tile(x);
        x += size;
    }
    if x < n {
        tile(last);
    }
}

/// Starts and numbers of vectors of `size` elements that cover `0..n`: all that lie side by side, then one more,
/// that overlaps, for a rest. Asks for `n >= size`.
#[inline(always)]
pub(super) fn stretches(n: usize, size: usize) -> impl Iterator<Item = (usize, usize)> {
    debug_assert!(n >= size);
    let rest = (!n.is_multiple_of(size)).then_some((n - size, 1));
    std::iter::once((0, n / size)).chain(rest)
}

/// So many values from `start` on. Loops over `0..count` of slices made here check no bounds.
#[inline(always)]
pub(super) fn stretch<T: Pod, V: Pod>(row: &[T], start: usize, count: usize) -> &[V] {
    &bytemuck::cast_slice(&row[start..start + count * size_of::<V>() / size_of::<T>()])[..count]
}

/// [`stretch`], to write to.
#[inline(always)]
pub(super) fn stretch_mut<T: Pod, V: Pod>(row: &mut [T], start: usize, count: usize) -> &mut [V] {
    &mut bytemuck::cast_slice_mut(&mut row[start..start + count * size_of::<V>() / size_of::<T>()])[..count]
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
