//! Sums over the pixels of windows that a mask lets count.
#![allow(clippy::inline_always, reason = "only what is inlined is compiled for the instruction set")]

use super::correlate::Sample;
use super::score::{Accumulator, Wants};
use super::support::{Run, Support};
use super::windows::Sums;
use crate::image::View;
use crate::kernel::Isa;

/// The sums of [`WindowSums`](super::windows::WindowSums) over the runs of a mask.
///
/// Each row of the image is read once, for all rows of windows that reach it. The sum over a run of integers is the
/// difference of two sums from the row's start; of floats it is put together from sums of 1, 2, 4 ... pixels, so that
/// nothing is subtracted and no pixel outside the mask is felt. What a window adds, and in which order, depends on the
/// window alone.
pub(super) struct RunSums<'a, S> {
    support: &'a Support,
    row: Option<usize>,
    /// The sums so far of the rows of windows that are not complete, as a ring.
    pending: Vec<Sums<S>>,
    /// One row of numbers, and what sums over runs are made of.
    numbers: Vec<S>,
    parts: Vec<Vec<S>>,
    /// The sums of the current row.
    pub(super) sums: Sums<S>,
}

impl<'a, S: Accumulator> RunSums<'a, S> {
    pub(super) fn new<T: Sample<Sum = S>>(images: &[View<T>], support: &'a Support, wants: Wants) -> Self {
        let (w, h) = support.size();
        let width = images[0].width();
        let sums = Sums::new(width - w + 1, images.len(), wants);
        let longest = support.runs().iter().map(Run::len).max().unwrap_or(1);
        let parts = if S::EXACT {
            vec![vec![S::default(); width + 1]]
        } else {
            vec![vec![S::default(); width]; longest.ilog2() as usize + 1]
        };
        Self {
            support,
            row: None,
            pending: vec![sums.clone(); h],
            numbers: vec![S::default(); width],
            parts,
            sums,
        }
    }

    /// Makes the sums those of the windows with their corners in row `y`, at or after the row before.
    pub(super) fn move_to<T: Sample<Sum = S>>(&mut self, isa: Isa, images: &[View<T>], y: usize) {
        let h = self.support.size().1;
        let is_next = y > 0 && self.row == Some(y - 1);
        let first = if is_next { y + h - 1 } else { y };
        let last = images[0].height() - h;
        isa.run(
            #[inline(always)]
            || {
                for row in first..y + h {
                    // Windows that began before `y` are done.
                    let windows = y.max((row + 1).saturating_sub(h))..row.min(last) + 1;
                    if windows.contains(&row) {
                        self.pending[row % h].clear();
                    }
                    self.add_row(images, row, windows);
                }
            },
        );
        std::mem::swap(&mut self.sums, &mut self.pending[y % h]);
        self.row = Some(y);
    }

    /// Adds a row of the image to the sums of rows of windows.
    #[inline(always)]
    fn add_row<T: Sample<Sum = S>>(
        &mut self,
        images: &[View<T>],
        row: usize,
        windows: std::ops::Range<usize>,
    ) {
        let h = self.support.size().1;
        for c in 0..self.sums.sums.len() {
            for (number, value) in self.numbers.iter_mut().zip(images[c].row(row)) {
                *number = value.value();
            }
            prepare(&self.numbers, &mut self.parts);
            for y in windows.clone() {
                add_runs(self.support.row(row - y), &self.parts, &mut self.pending[y % h].sums[c]);
            }
        }
        if self.sums.squares.is_empty() {
            return;
        }
        self.numbers.fill(S::default());
        for image in images {
            for (number, value) in self.numbers.iter_mut().zip(image.row(row)) {
                *number += value.square();
            }
        }
        prepare(&self.numbers, &mut self.parts);
        for y in windows {
            add_runs(self.support.row(row - y), &self.parts, &mut self.pending[y % h].squares);
        }
    }
}

/// Makes what sums over runs are made of: integers summed from the row's start, or sums of 1, 2, 4 ... floats.
#[inline(always)]
fn prepare<S: Accumulator>(numbers: &[S], parts: &mut [Vec<S>]) {
    if S::EXACT {
        let mut sum = S::default();
        for (part, number) in parts[0][1..].iter_mut().zip(numbers) {
            sum += *number;
            *part = sum;
        }
        return;
    }
    parts[0].copy_from_slice(numbers);
    for level in 1..parts.len() {
        let (below, part) = parts.split_at_mut(level);
        let below = &below[level - 1];
        for ((part, a), b) in part[0].iter_mut().zip(below).zip(&below[1 << (level - 1)..]) {
            let mut sum = *a;
            sum += *b;
            *part = sum;
        }
    }
}

/// `out[x]` gets the sum over the runs of the numbers from `x` on.
#[inline(always)]
fn add_runs<S: Accumulator>(runs: &[Run], parts: &[Vec<S>], out: &mut [S]) {
    for run in runs {
        if S::EXACT {
            let (from, to) = (&parts[0][run.start..][..out.len()], &parts[0][run.end..][..out.len()]);
            for ((out, from), to) in out.iter_mut().zip(from).zip(to) {
                let mut sum = *to;
                sum -= *from;
                *out += sum;
            }
            continue;
        }
        let mut start = run.start;
        for (level, part) in parts.iter().enumerate() {
            if run.len() >> level & 1 == 1 {
                for (out, sum) in out.iter_mut().zip(&part[start..]) {
                    *out += *sum;
                }
                start += 1 << level;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::image::Plane;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn sums_are_those_of_masked_windows_wherever_a_band_begins(
            size in (1usize..40, 1usize..30), window in (1usize..40, 1usize..30), start in 0usize..30, seed in any::<u32>(),
            density in 1u32..5,
        ) {
            let (w, h) = (window.0.min(size.0), window.1.min(size.1));
            let mixed = |x: usize, y: usize| seed.wrapping_add((x * 31 + y) as u32).wrapping_mul(2_654_435_761);
            let image = Plane::from_fn(size.0, size.1, |x, y| (mixed(x, y) >> 24) as u8);
            let mut mask = Plane::from_fn(w, h, |x, y| u8::from(mixed(x + 7, y + 99) >> 16 & 3 < density));
            mask.set(w / 2, h / 2, 1);
            let support = Support::of(mask.view()).unwrap();
            // Outside the mask there is no number at all.
            let floats = image.map(|value| f32::from(value) * 0.37 - 9.0);
            let wants = Wants { sums: true, squares: true };
            for isa in Isa::available() {
                let mut whole = RunSums::new(&[floats.view()], &support, wants);
                let mut band = RunSums::new(&[floats.view()], &support, wants);
                let mut bytes = RunSums::new(&[image.view(), image.view()], &support, wants);
                for y in 0..=size.1 - h {
                    whole.move_to(isa, &[floats.view()], y);
                    bytes.move_to(isa, &[image.view(), image.view()], y);
                    if y >= start {
                        band.move_to(isa, &[floats.view()], y);
                        prop_assert!(band.sums == whole.sums);
                    }
                    for x in 0..=size.0 - w {
                        let over = |value: &dyn Fn(usize, usize) -> f64| -> f64 {
                            let places = (0..h).flat_map(|j| (0..w).map(move |i| (i, j)));
                            places.filter(|(i, j)| mask.get(*i, *j) != 0).map(|(i, j)| value(x + i, y + j)).sum()
                        };
                        let sum = over(&|x, y| f64::from(image.get(x, y)));
                        let squares = over(&|x, y| f64::from(image.get(x, y)).powi(2));
                        prop_assert_eq!(bytes.sums.sums[1][x] as f64, sum);
                        prop_assert_eq!(bytes.sums.squares[x] as f64, 2.0 * squares);
                        let squares = over(&|x, y| f64::from(floats.get(x, y)).powi(2));
                        prop_assert!((whole.sums.squares[x] - squares).abs() <= 1e-12 * squares);
                    }
                }
            }
        }
    }

    #[test]
    fn pixels_outside_the_mask_are_not_felt() {
        let mut image = Plane::from_fn(9, 4, |x, y| (x * 3 + y) as f32);
        image.set(4, 1, f32::NAN);
        let mask = Plane::from_vec(3, 2, vec![1u8, 0, 1, 0, 0, 1]).unwrap();
        let support = Support::of(mask.view()).unwrap();
        let mut sums = RunSums::new(&[image.view()], &support, Wants { sums: true, squares: false });
        sums.move_to(Isa::best(), &[image.view()], 1);
        let odd: Vec<usize> = (0..7).filter(|x| sums.sums.sums[0][*x].is_nan()).collect();
        assert_eq!(odd, [2, 4]);
    }
}
