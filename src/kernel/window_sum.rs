//! Sums over windows from running sums: columns slide down from row to row, and along a row the sums of
//! columns are differences of a prefix sum (M. McDonnell 1981). The cost does not depend on the window.
//!
//! Integers alone run on, and wrap: a window's own sum must fit the type. Floats are summed afresh for
//! each window, by doubling, in one order.
#![allow(unsafe_code, reason = "the prefix sum across lanes is written with intrinsics")]
#![allow(clippy::cast_ptr_alignment, reason = "loads and stores that want no alignment")]

use super::Isa;
use super::integral::Sum;

/// Takes a row into the sums of columns, and another one out; `term` is what of a pixel is summed.
pub fn slide_row<T: Copy, S: Sum<T>>(
    isa: Isa,
    columns: &mut [S],
    entering: &[T],
    leaving: &[T],
    term: impl Fn(T) -> S + Copy,
) {
    isa.run(
        #[inline(always)]
        || {
            for ((column, &new), &old) in columns.iter_mut().zip(entering).zip(leaving) {
                *column = column.plus(term(new)).minus(term(old));
            }
        },
    );
}

/// Takes a row into the sums of columns.
pub fn enter_row<T: Copy, S: Sum<T>>(isa: Isa, columns: &mut [S], row: &[T], term: impl Fn(T) -> S + Copy) {
    isa.run(
        #[inline(always)]
        || {
            for (column, &new) in columns.iter_mut().zip(row) {
                *column = column.plus(term(new));
            }
        },
    );
}

/// Integers that sums are kept in.
pub trait Prefix: Copy + Default {
    /// `self - other`, wrapping.
    #[must_use]
    fn less(self, other: Self) -> Self;
    /// As a float.
    fn float(self) -> f64;
    /// As a small number: sums below 2^31 alone.
    fn low(self) -> i32;
    /// `sums[i + step] = sums[i] + columns[i]`, the first `step` sums 0: one prefix sum a channel.
    fn prefix_row(isa: Isa, columns: &[Self], step: usize, sums: &mut [Self]);
}

impl Prefix for u32 {
    #[inline(always)]
    fn less(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }
    #[inline(always)]
    fn float(self) -> f64 {
        f64::from(self)
    }
    #[inline(always)]
    fn low(self) -> i32 {
        self as i32
    }
    fn prefix_row(isa: Isa, columns: &[Self], step: usize, sums: &mut [Self]) {
        #[cfg(target_arch = "x86_64")]
        if step == 1 && isa.has_avx2() {
            // SAFETY: the token says that the machine has AVX2.
            unsafe { prefix_avx2(columns, sums) };
            return;
        }
        let _ = isa;
        prefix(columns, step, sums, Self::wrapping_add);
    }
}

impl Prefix for u64 {
    #[inline(always)]
    fn less(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }
    #[inline(always)]
    fn float(self) -> f64 {
        self as f64
    }
    #[inline(always)]
    fn low(self) -> i32 {
        self as i32
    }
    fn prefix_row(_isa: Isa, columns: &[Self], step: usize, sums: &mut [Self]) {
        prefix(columns, step, sums, Self::wrapping_add);
    }
}

fn prefix<S: Copy + Default>(columns: &[S], step: usize, sums: &mut [S], add: impl Fn(S, S) -> S) {
    sums[..step].fill(S::default());
    for channel in 0..step {
        let mut sum = S::default();
        let from = (step + channel).min(sums.len());
        let places = sums[from..].iter_mut().step_by(step);
        for (&column, place) in columns[channel.min(columns.len())..].iter().step_by(step).zip(places) {
            sum = add(sum, column);
            *place = sum;
        }
    }
}

/// Eight lanes at a time; what is carried from eight to eight is one addition.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn prefix_avx2(columns: &[u32], sums: &mut [u32]) {
    use std::arch::x86_64::{
        __m256i, _mm256_add_epi32, _mm256_extract_epi32, _mm256_loadu_si256, _mm256_permute2x128_si256,
        _mm256_permutevar8x32_epi32, _mm256_set1_epi32, _mm256_setzero_si256, _mm256_shuffle_epi32,
        _mm256_slli_si256, _mm256_storeu_si256,
    };
    sums[0] = 0;
    let count = columns.len();
    let sums = &mut sums[1..=count];
    let mut carry = _mm256_setzero_si256();
    let last = _mm256_set1_epi32(7);
    let (eights, rest) = columns.as_chunks::<8>();
    let (places, tail) = sums.as_chunks_mut::<8>();
    for (eight, place) in eights.iter().zip(places) {
        // SAFETY: the array holds 32 bytes; the load wants no alignment.
        let mut x = unsafe { _mm256_loadu_si256(eight.as_ptr().cast::<__m256i>()) };
        x = _mm256_add_epi32(x, _mm256_slli_si256::<4>(x));
        x = _mm256_add_epi32(x, _mm256_slli_si256::<8>(x));
        // The sum of the lower four is added to the upper four.
        let lower = _mm256_shuffle_epi32::<0xff>(_mm256_permute2x128_si256::<0x08>(x, x));
        x = _mm256_add_epi32(x, lower);
        let with_carry = _mm256_add_epi32(x, carry);
        // SAFETY: as for the load.
        unsafe { _mm256_storeu_si256(place.as_mut_ptr().cast::<__m256i>(), with_carry) };
        carry = _mm256_add_epi32(carry, _mm256_permutevar8x32_epi32(x, last));
    }
    let mut sum = _mm256_extract_epi32::<0>(carry) as u32;
    for (&column, place) in rest.iter().zip(tail) {
        sum = sum.wrapping_add(column);
        *place = sum;
    }
}

/// Windows of up to this many pixels have means of 8 bit in `f32`: the error of the quotient stays below
/// the quarter of a step that is put between it and a half.
pub const F32_AREA: usize = 4096;

/// The means of 8-bit windows: the sum of `span` elements from each prefix on over `area`, rounded to nearest,
/// halves up. `span` is the width of a window times the channels.
pub fn mean_u8_row<S: Prefix>(isa: Isa, sums: &[S], span: usize, area: usize, out: &mut [u8]) {
    // A quarter keeps quotients off the halves; adding 2^23 or 2^52 leaves no fraction, so the
    // processor's own rounding does the work.
    let count = out.len();
    if count == 0 {
        return;
    }
    isa.run(
        #[inline(always)]
        || {
            let pairs = sums[span..][..count].iter().zip(&sums[..count]);
            if area <= F32_AREA {
                const WHOLE: f32 = 8_388_608.0;
                let share = 1.0 / area as f32;
                for ((&to, &from), out) in pairs.zip(out) {
                    *out = ((to.less(from).low() as f32 + 0.25) * share + WHOLE).to_bits() as u8;
                }
            } else {
                const WHOLE: f64 = 4_503_599_627_370_496.0;
                let share = 1.0 / area as f64;
                for ((&to, &from), out) in pairs.zip(out) {
                    *out = ((to.less(from).float() + 0.25) * share + WHOLE).to_bits() as u8;
                }
            }
        },
    );
}

/// [`mean_u8_row`] for 16 bit.
pub fn mean_u16_row<S: Prefix>(isa: Isa, sums: &[S], span: usize, area: usize, out: &mut [u16]) {
    const WHOLE: f64 = 4_503_599_627_370_496.0;
    let count = out.len();
    if count == 0 {
        return;
    }
    let share = 1.0 / area as f64;
    isa.run(
        #[inline(always)]
        || {
            for ((&to, &from), out) in sums[span..][..count].iter().zip(&sums[..count]).zip(out) {
                *out = ((to.less(from).float() + 0.25) * share + WHOLE).to_bits() as u16;
            }
        },
    );
}

/// Sums of floats over `span` neighbours `step` elements apart, afresh for each: spans of 1, 2, 4, ... are sums of
/// two halves, and those that make up the span are added from the shortest on.
///
/// `scratch` are two rows as long as `columns`; `out` is `(span - 1) * step` shorter.
pub fn widen_f64_row(
    isa: Isa,
    columns: &[f64],
    span: usize,
    step: usize,
    scratch: &mut [Vec<f64>; 2],
    out: &mut [f64],
) {
    let count = out.len();
    if count == 0 {
        return;
    }
    isa.run(
        #[inline(always)]
        || {
            let [from, to] = scratch;
            let (mut from, mut to) = (&mut from[..columns.len()], &mut to[..columns.len()]);
            from.copy_from_slice(columns);
            out.fill(0.0);
            let (mut length, mut done) = (1, 0);
            loop {
                if span & length != 0 {
                    for (out, &part) in out.iter_mut().zip(&from[done * step..]) {
                        *out += part;
                    }
                    done += length;
                }
                if 2 * length > span {
                    return;
                }
                let valid = columns.len() + step - 2 * length * step;
                let halves = from[..valid].iter().zip(&from[length * step..]);
                for (to, (&low, &high)) in to.iter_mut().zip(halves) {
                    *to = low + high;
                }
                std::mem::swap(&mut from, &mut to);
                length *= 2;
            }
        },
    );
}
