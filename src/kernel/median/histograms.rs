//! Medians of large windows of 8 bit, in a time that does not depend on the window.
//!
//! A histogram a column slides down, one of the window slides along (S. Perreault and P. Hébert 2007). All are
//! cumulative: a value in or out is one addition of a vector, and finding a rank is one comparison, without branches.
#![allow(unsafe_code, reason = "the bits of a comparison have no portable name")]
#![allow(clippy::inline_always, reason = "only what is inlined is compiled for the instruction set")]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m256i, _mm256_add_epi16, _mm256_cmpeq_epi16, _mm256_loadu_si256, _mm256_movemask_epi8,
    _mm256_set1_epi16, _mm256_setzero_si256, _mm256_storeu_si256, _mm256_sub_epi16, _mm256_subs_epu16,
};

use super::Isa;

/// Bins of a coarse histogram, and bins of a fine one to each of them.
const BINS: usize = 16;

/// How many values are in each bin or one below it.
type Counts = [u16; BINS];

/// What a value adds: to its bin and all above.
const STEPS: [Counts; BINS] = {
    let mut steps = [[0; BINS]; BINS];
    let mut bin = 0;
    while bin < BINS {
        let mut above = bin;
        while above < BINS {
            steps[bin][above] = 1;
            above += 1;
        }
        bin += 1;
    }
    steps
};

/// Histograms of the columns of a window that slides down 8-bit rows, and of the window that slides along.
pub struct Histograms {
    /// Per element of a padded row: how many of the window's rows have a value, by its upper four bits...
    coarse: Vec<Counts>,
    /// ... and, for each of these, by the lower four.
    fine: Vec<[Counts; BINS]>,
}

impl Histograms {
    /// No rows yet; `length` elements in a padded row.
    pub fn new(length: usize) -> Self {
        Self { coarse: vec![[0; BINS]; length], fine: vec![[[0; BINS]; BINS]; length] }
    }

    /// Forgets all rows.
    pub fn clear(&mut self) {
        self.coarse.fill([0; BINS]);
        self.fine.fill([[0; BINS]; BINS]);
    }

    /// Takes a row in.
    pub fn enter(&mut self, isa: Isa, row: &[u8]) {
        isa.run(
            #[inline(always)]
            || {
                for ((coarse, fine), &value) in self.coarse.iter_mut().zip(&mut self.fine).zip(row) {
                    let (upper, lower) = bins(value);
                    add(coarse, &STEPS[upper]);
                    add(&mut fine[upper], &STEPS[lower]);
                }
            },
        );
    }

    /// Takes a row in, and another out that was taken in.
    pub fn enter_and_leave(&mut self, isa: Isa, row: &[u8], old: &[u8]) {
        isa.run(
            #[inline(always)]
            || {
                let rows = row.iter().zip(old);
                for ((coarse, fine), (&value, &old)) in self.coarse.iter_mut().zip(&mut self.fine).zip(rows) {
                    let ((upper, lower), (old_upper, old_lower)) = (bins(value), bins(old));
                    for i in 0..BINS {
                        let change = STEPS[upper][i].wrapping_sub(STEPS[old_upper][i]);
                        coarse[i] = coarse[i].wrapping_add(change);
                    }
                    add(&mut fine[upper], &STEPS[lower]);
                    take(&mut fine[old_upper], &STEPS[old_lower]);
                }
            },
        );
    }

    /// Medians of windows of `width` columns (odd) and as many rows as were taken in, `height` of them (odd), at most 65535
    /// pixels; neighbours lie `step` elements apart.
    pub fn median_row(&self, isa: Isa, (width, height): (usize, usize), step: usize, out: &mut [u8]) {
        for channel in 0..step.min(out.len()) {
            #[cfg(target_arch = "x86_64")]
            if isa.has_avx2() {
                isa.run(
                    #[inline(always)]
                    || self.channel_row(Avx2(()), (width, height), step, channel, out),
                );
                continue;
            }
            self.channel_row(Portable, (width, height), step, channel, out);
        }
        let _ = isa;
    }

    #[inline(always)]
    fn channel_row<V: Vectors>(
        &self,
        v: V,
        (width, height): (usize, usize),
        step: usize,
        channel: usize,
        out: &mut [u8],
    ) {
        let at = |column: usize| column * step + channel;
        let mut coarse = v.load(&[0; BINS]);
        for column in 0..width - 1 {
            coarse = v.add(coarse, v.load(&self.coarse[at(column)]));
        }
        // Fine histograms lag behind until they are asked for: each knows the window it is for.
        let mut fine = [[0u16; BINS]; BINS];
        let mut reached = [0usize; BINS];
        let wanted = (width * height / 2) as u16;
        // With no counts in front of it the first bin is like the others.
        let mut counts = [0u16; 2 * BINS];
        for (x, out) in out[channel..].iter_mut().step_by(step).enumerate() {
            coarse = v.add(coarse, v.load(&self.coarse[at(x + width - 1)]));
            let Some(stored) = counts.last_chunk_mut::<BINS>() else { return };
            v.store(coarse, stored);
            let upper = v.up_to(coarse, wanted) % BINS;
            let below = counts[BINS - 1 + upper];
            // `reached` is where the columns end that are in.
            let (mut segment, start) = if reached[upper] <= x {
                (v.load(&[0; BINS]), x)
            } else {
                (v.load(&fine[upper]), reached[upper])
            };
            if start == x {
                for column in x..x + width {
                    segment = v.add(segment, v.load(&self.fine[at(column)][upper]));
                }
            } else {
                for column in start..x + width {
                    let (new, old) = (&self.fine[at(column)][upper], &self.fine[at(column - width)][upper]);
                    segment = v.sub(v.add(segment, v.load(new)), v.load(old));
                }
            }
            v.store(segment, &mut fine[upper]);
            reached[upper] = x + width;
            *out = (BINS * upper + v.up_to(segment, wanted - below)) as u8;
            coarse = v.sub(coarse, v.load(&self.coarse[at(x)]));
        }
    }
}

#[inline(always)]
fn bins(value: u8) -> (usize, usize) {
    (usize::from(value >> 4), usize::from(value & 15))
}

#[inline(always)]
fn add(sums: &mut Counts, counts: &Counts) {
    for (sum, count) in sums.iter_mut().zip(counts) {
        *sum = sum.wrapping_add(*count);
    }
}

#[inline(always)]
fn take(sums: &mut Counts, counts: &Counts) {
    for (sum, count) in sums.iter_mut().zip(counts) {
        *sum = sum.wrapping_sub(*count);
    }
}

/// [`Counts`] in registers.
trait Vectors: Copy {
    type V: Copy;
    fn load(self, from: &Counts) -> Self::V;
    fn store(self, v: Self::V, to: &mut Counts);
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    /// How many bins have counts of at most `rank`: the bin where the value of that rank lies.
    fn up_to(self, counts: Self::V, rank: u16) -> usize;
}

#[derive(Clone, Copy)]
struct Portable;

impl Vectors for Portable {
    type V = Counts;

    #[inline(always)]
    fn load(self, from: &Counts) -> Counts {
        *from
    }

    #[inline(always)]
    fn store(self, v: Counts, to: &mut Counts) {
        *to = v;
    }

    #[inline(always)]
    fn add(self, mut a: Counts, b: Counts) -> Counts {
        add(&mut a, &b);
        a
    }

    #[inline(always)]
    fn sub(self, mut a: Counts, b: Counts) -> Counts {
        take(&mut a, &b);
        a
    }

    #[inline(always)]
    fn up_to(self, counts: Counts, rank: u16) -> usize {
        counts.iter().map(|count| usize::from(*count <= rank)).sum()
    }
}

/// Made only where the token has AVX2.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
struct Avx2(());

#[cfg(target_arch = "x86_64")]
impl Vectors for Avx2 {
    type V = __m256i;

    #[inline(always)]
    fn load(self, from: &Counts) -> __m256i {
        // SAFETY: a value of this type exists only where AVX2 does; sixteen integers of 16 bits are 32 bytes.
        unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store(self, v: __m256i, to: &mut Counts) {
        // SAFETY: as for `load`.
        unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), v) }
    }

    #[inline(always)]
    fn add(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: a value of this type exists only where AVX2 does.
        unsafe { _mm256_add_epi16(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: as for `add`.
        unsafe { _mm256_sub_epi16(a, b) }
    }

    #[inline(always)]
    fn up_to(self, counts: __m256i, rank: u16) -> usize {
        // SAFETY: as for `add`.
        let within = unsafe {
            let over = _mm256_subs_epu16(counts, _mm256_set1_epi16(rank.cast_signed()));
            _mm256_movemask_epi8(_mm256_cmpeq_epi16(over, _mm256_setzero_si256()))
        };
        within.count_ones() as usize / 2
    }
}
