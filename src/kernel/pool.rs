//! Pooling of one plane.
#![allow(
    unsafe_code,
    reason = "vector loads and stores, and entering functions compiled for more instructions"
)]

use super::Isa;

/// Vertical and horizontal sizes of a pool of one plane.
#[derive(Clone, Copy, Debug)]
pub struct PoolGeometry {
    /// Input height and width, neither 0.
    pub input: [usize; 2],
    /// Output height and width.
    pub output: [usize; 2],
    /// Window height and width.
    pub kernel: [usize; 2],
    /// Vertical and horizontal stride.
    pub stride: [usize; 2],
    /// Rows above and columns to the left that no value comes from. All windows have a tap in the image.
    pub padding: [usize; 2],
    /// Vertical and horizontal distance of neighbouring taps.
    pub dilation: [usize; 2],
}

/// The largest value of each window, and its index in the plane: the first of equal ones in row order.
/// NaN is larger than any number.
///
/// # Panics
/// When `best` or `winners` is shorter than the output.
pub fn max_pool(isa: Isa, g: &PoolGeometry, plane: &[f32], best: &mut [f32], winners: &mut [u32]) {
    let [rows, columns] = g.output;
    let is_halved = g.kernel == [2, 2] && g.stride == [2, 2] && g.padding == [0, 0] && g.dilation == [1, 1];
    #[cfg(target_arch = "x86_64")]
    if is_halved && isa.has_avx2() && 2 * rows <= g.input[0] && 2 * columns <= g.input[1] {
        assert!(plane.len() >= g.input[0] * g.input[1] && best.len().min(winners.len()) >= rows * columns);
        if isa.has_avx512() {
            // SAFETY: the set is there; all windows lie in the plane, and all outputs in `best` and `winners`.
            unsafe { halve_avx512(g, plane, best, winners) };
            return;
        }
        if columns >= 4 {
            // SAFETY: as above, and rows have four outputs.
            unsafe { halve_avx2(g, plane, best, winners) };
            return;
        }
    }
    let _ = is_halved;
    isa.run(
        #[inline(always)]
        || {
            for row in 0..g.output[0] {
                let line = row * g.output[1]..(row + 1) * g.output[1];
                max_pool_row(g, plane, row, &mut best[line.clone()], &mut winners[line]);
            }
        },
    );
}

/// [`max_pool`] of windows of two by two that share no pixel.
///
/// # Safety
/// Every window lies in the plane, and `best` and `winners` have every output.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn halve_avx512(g: &PoolGeometry, plane: &[f32], best: &mut [f32], winners: &mut [u32]) {
    use std::arch::x86_64::{
        _CMP_GT_OQ, _CMP_UNORD_Q, _mm512_add_epi32, _mm512_cmp_ps_mask, _mm512_mask_mov_epi32,
        _mm512_mask_mov_ps, _mm512_mask_storeu_epi32, _mm512_mask_storeu_ps, _mm512_maskz_loadu_ps,
        _mm512_permutex2var_ps, _mm512_set1_epi32, _mm512_setr_epi32, _mm512_setzero_ps,
    };
    let even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    let odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
    let [rows, columns] = g.output;
    let width = g.input[1];
    for row in 0..rows {
        for column in (0..columns).step_by(16) {
            let count = (columns - column).min(16);
            let mask = (u32::MAX >> (32 - count)) as u16;
            // Twice as many pixels.
            let pixels = u32::MAX >> (32 - 2 * count);
            let (low, high) = (pixels as u16, (pixels >> 16) as u16);
            let start = 2 * row * width + 2 * column;
            let mut taps = [_mm512_setzero_ps(); 4];
            for line in 0..2 {
                // SAFETY: lanes that are masked out are not read.
                let (a, b) = unsafe {
                    let from = plane.as_ptr().add(start + line * width);
                    (_mm512_maskz_loadu_ps(low, from), _mm512_maskz_loadu_ps(high, from.wrapping_add(16)))
                };
                taps[2 * line] = _mm512_permutex2var_ps(a, even, b);
                taps[2 * line + 1] = _mm512_permutex2var_ps(a, odd, b);
            }
            let mut largest = taps[0];
            let mut at = _mm512_add_epi32(_mm512_set1_epi32(start as i32), even);
            let first = at;
            for (tap, offset) in taps.iter().zip([0, 1, width, width + 1]).skip(1) {
                // As `take_one` has it.
                let larger = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(*tap, largest)
                    | _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(*tap, *tap);
                largest = _mm512_mask_mov_ps(largest, larger, *tap);
                let here = _mm512_add_epi32(first, _mm512_set1_epi32(offset as i32));
                at = _mm512_mask_mov_epi32(at, larger, here);
            }
            let output = row * columns + column;
            // SAFETY: `count` outputs from here on are there.
            unsafe {
                _mm512_mask_storeu_ps(best.as_mut_ptr().add(output), mask, largest);
                _mm512_mask_storeu_epi32(winners.as_mut_ptr().add(output).cast(), mask, at);
            }
        }
    }
}

/// [`max_pool`] of windows of two by two that share no pixel.
///
/// # Safety
/// Every window lies in the plane, `best` and `winners` have every output, and there are at least four in a row.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn halve_avx2(g: &PoolGeometry, plane: &[f32], best: &mut [f32], winners: &mut [u32]) {
    let [rows, columns] = g.output;
    let width = g.input[1];
    for row in 0..rows {
        let mut column = 0;
        while column < columns {
            // What is left of a row overlaps what was done, with the same outputs.
            let is_wide = columns >= 8 && columns - column > 4;
            let count = if is_wide { 8 } else { 4 };
            let here = column.min(columns - count);
            let start = 2 * row * width + 2 * here;
            // SAFETY: two rows of twice as many pixels are in the plane, and so many outputs in both slices.
            unsafe {
                let from = plane.as_ptr().add(start);
                let best = best.as_mut_ptr().add(row * columns + here);
                let winners = winners.as_mut_ptr().add(row * columns + here).cast();
                if is_wide {
                    halve::eight(from, width, start as i32, best, winners);
                } else {
                    halve::four(from, width, start as i32, best, winners);
                }
            }
            column = here + count;
        }
    }
}

/// Some windows of two by two beside each other.
#[cfg(target_arch = "x86_64")]
mod halve {
    #![allow(clippy::wildcard_imports, reason = "the names of instructions are unmistakable")]
    use std::arch::x86_64::*;

    macro_rules! halve {
        ($name:ident, $halves:ident, $places:expr, $shuffle:ident, $compare:ident, $or:ident, $blend:ident,
         $as_floats:ident, $as_integers:ident, $splat:ident, $add:ident, $store:ident, $store_integers:ident) => {
            /// # Safety
            /// Two rows of twice as many pixels may be read, and so many outputs written.
            #[inline]
            #[target_feature(enable = "avx2")]
            pub(super) unsafe fn $name(
                from: *const f32,
                width: usize,
                start: i32,
                best: *mut f32,
                winners: *mut i32,
            ) {
                // SAFETY: the caller's promise.
                let (above, below) = unsafe { ($halves(from), $halves(from.add(width))) };
                let mut largest = $shuffle::<0x88>(above.0, above.1);
                let first = $add($splat(start), $places);
                let mut at = first;
                for (tap, offset) in [
                    ($shuffle::<0xdd>(above.0, above.1), 1),
                    ($shuffle::<0x88>(below.0, below.1), width as i32),
                    ($shuffle::<0xdd>(below.0, below.1), width as i32 + 1),
                ] {
                    // As `take_one` has it.
                    let larger =
                        $or($compare::<_CMP_GT_OQ>(tap, largest), $compare::<_CMP_UNORD_Q>(tap, tap));
                    largest = $blend(largest, tap, larger);
                    let here = $as_floats($add(first, $splat(offset)));
                    at = $as_integers($blend($as_floats(at), here, larger));
                }
                // SAFETY: the caller's promise.
                unsafe {
                    $store(best, largest);
                    $store_integers(winners.cast(), at);
                }
            }
        };
    }
    halve!(
        eight,
        sixteen_pixels,
        _mm256_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14),
        _mm256_shuffle_ps,
        _mm256_cmp_ps,
        _mm256_or_ps,
        _mm256_blendv_ps,
        _mm256_castsi256_ps,
        _mm256_castps_si256,
        _mm256_set1_epi32,
        _mm256_add_epi32,
        _mm256_storeu_ps,
        _mm256_storeu_si256
    );
    halve!(
        four,
        eight_pixels,
        _mm_setr_epi32(0, 2, 4, 6),
        _mm_shuffle_ps,
        _mm_cmp_ps,
        _mm_or_ps,
        _mm_blendv_ps,
        _mm_castsi128_ps,
        _mm_castps_si128,
        _mm_set1_epi32,
        _mm_add_epi32,
        _mm_storeu_ps,
        _mm_storeu_si128
    );

    /// Pixels 0 to 4 and 8 to 12, and the others: the even ones of both in turn are in their order.
    ///
    /// # Safety
    /// Sixteen pixels may be read.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn sixteen_pixels(from: *const f32) -> (__m256, __m256) {
        // SAFETY: the caller's promise.
        let [a, b, c, d] = unsafe {
            [
                _mm_loadu_ps(from),
                _mm_loadu_ps(from.add(4)),
                _mm_loadu_ps(from.add(8)),
                _mm_loadu_ps(from.add(12)),
            ]
        };
        (_mm256_set_m128(c, a), _mm256_set_m128(d, b))
    }

    /// # Safety
    /// Eight pixels may be read.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn eight_pixels(from: *const f32) -> (__m128, __m128) {
        // SAFETY: the caller's promise.
        unsafe { (_mm_loadu_ps(from), _mm_loadu_ps(from.add(4))) }
    }
}

/// One row of [`max_pool`].
#[inline(always)]
fn max_pool_row(g: &PoolGeometry, plane: &[f32], row: usize, best: &mut [f32], winners: &mut [u32]) {
    let [height, width] = g.input;
    // The first tap in the image: that of a window without anything larger than the least.
    let first = |axis: usize, at: usize| {
        let (start, padding, dilation) = (at * g.stride[axis], g.padding[axis], g.dilation[axis]);
        start + padding.saturating_sub(start).div_ceil(dilation) * dilation - padding
    };
    let top = first(0, row);
    best.fill(f32::NEG_INFINITY);
    for (x, winner) in winners.iter_mut().enumerate() {
        *winner = (top * width + first(1, x)) as u32;
    }
    for ky in 0..g.kernel[0] {
        let y = (row * g.stride[0] + ky * g.dilation[0]).wrapping_sub(g.padding[0]);
        if y >= height {
            continue;
        }
        for kx in (0..g.kernel[1]).map(|kx| kx * g.dilation[1]) {
            // Outputs whose tap lies in the image.
            let first = g.padding[1].saturating_sub(kx).div_ceil(g.stride[1]).min(best.len());
            let last =
                (width + g.padding[1]).saturating_sub(kx).div_ceil(g.stride[1]).clamp(first, best.len());
            if first == last {
                continue;
            }
            let start = y * width + first * g.stride[1] + kx - g.padding[1];
            let (best, winners) = (&mut best[first..last], &mut winners[first..last]);
            match g.stride[1] {
                1 => take_larger::<1>(&plane[start..], start, best, winners),
                2 => take_larger::<2>(&plane[start..], start, best, winners),
                stride => {
                    for (x, (best, winner)) in best.iter_mut().zip(winners).enumerate() {
                        take_one(plane[start + x * stride], start + x * stride, best, winner);
                    }
                }
            }
        }
    }
}

/// Takes one tap of every window of a row, where the stride is known, which vectorises.
#[inline(always)]
fn take_larger<const STRIDE: usize>(values: &[f32], start: usize, best: &mut [f32], winners: &mut [u32]) {
    let last = best.len() - 1;
    let ends = last * STRIDE;
    let (chunks, _) = values[..ends].as_chunks::<STRIDE>();
    let mut at = start as u32;
    for (values, (best, winner)) in chunks.iter().zip(best.iter_mut().zip(winners.iter_mut())) {
        let is_larger = values[0] > *best || values[0].is_nan();
        *best = if is_larger { values[0] } else { *best };
        *winner = if is_larger { at } else { *winner };
        at += STRIDE as u32;
    }
    // What follows the last value may not be there to fill a chunk.
    take_one(values[ends], start + ends, &mut best[last], &mut winners[last]);
}

#[inline(always)]
fn take_one(value: f32, at: usize, best: &mut f32, winner: &mut u32) {
    // A NaN in `best` makes the comparison false and stays.
    if value > *best || value.is_nan() {
        (*best, *winner) = (value, at as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The first of the largest values of a window, or its last NaN.
    fn naive(g: &PoolGeometry, plane: &[f32], row: usize, column: usize) -> (f32, u32) {
        let mut found: Option<(f32, u32)> = None;
        for ky in 0..g.kernel[0] {
            for kx in 0..g.kernel[1] {
                let y = (row * g.stride[0] + ky).wrapping_sub(g.padding[0]);
                let x = (column * g.stride[1] + kx).wrapping_sub(g.padding[1]);
                if y < g.input[0] && x < g.input[1] {
                    let value = plane[y * g.input[1] + x];
                    if found.is_none_or(|(best, _)| value > best || value.is_nan()) {
                        found = Some((value, (y * g.input[1] + x) as u32));
                    }
                }
            }
        }
        found.unwrap()
    }

    proptest! {
        #[test]
        fn equals_the_definition_on_every_instruction_set(
            height in 2usize..9, width in 2usize..80, halves in any::<bool>(), kernel in prop::array::uniform2(1usize..4),
            stride in prop::array::uniform2(1usize..4), salt in 0usize..1000,
        ) {
            let (kernel, stride) = if halves { ([2, 2], [2, 2]) } else { (kernel, stride) };
            prop_assume!(kernel[0] <= height && kernel[1] <= width);
            let output = [0, 1].map(|axis| ([height, width][axis] - kernel[axis]) / stride[axis] + 1);
            let g = PoolGeometry { input: [height, width], output, kernel, stride, padding: [0, 0], dilation: [1, 1] };
            // Equal ones, NaN and infinities among them.
            let value = |i: usize| match (i * 7919 + salt) % 23 {
                0 => f32::NAN,
                1 => f32::NEG_INFINITY,
                2 => f32::INFINITY,
                n => (n % 6) as f32 - 3.0,
            };
            let plane: Vec<f32> = (0..height * width).map(value).collect();
            for isa in Isa::available() {
                let mut best = vec![0.0; output[0] * output[1]];
                let mut winners = vec![0; best.len()];
                max_pool(isa, &g, &plane, &mut best, &mut winners);
                for (at, (best, winner)) in best.iter().zip(&winners).enumerate() {
                    let (value, place) = naive(&g, &plane, at / output[1], at % output[1]);
                    prop_assert_eq!(best.to_bits(), value.to_bits(), "{:?} {}", isa, at);
                    prop_assert_eq!(*winner, place, "{:?} {}", isa, at);
                }
            }
        }
    }
}
