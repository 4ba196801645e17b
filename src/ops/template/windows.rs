//! Sums over the windows of a row of windows.
#![allow(clippy::inline_always, reason = "only what is inlined is compiled for the instruction set")]

use super::correlate::Sample;
use super::runs::RunSums;
use super::score::{Accumulator, Wants};
use super::support::Support;
use crate::image::View;
use crate::kernel::Isa;

/// Sums of values, channel by channel, and of squares, of all channels together, over every window
/// of a row of windows.
///
/// First down the columns, then along the row, by doubling. Sums of integers move from row to row. Sums of floats
/// are never subtracted from, for that would leave their error: a window's columns are the lower rest of one group of
/// as many rows as the window has, and the upper part of the next group (M. van Herk, 1992). Groups lie at
/// the same rows wherever a band begins, so that sums do not depend on it.
pub(super) struct WindowSums<S> {
    w: usize,
    h: usize,
    row: Option<usize>,
    columns: Columns<S>,
    /// Of floats: the rests of the group of the current row, from that row on, the last one first.
    rests: Vec<Columns<S>>,
    /// The part of the next group.
    part: Columns<S>,
    /// Sums of 1, 2, 4 ... columns, in turns.
    doubled: [Vec<S>; 2],
    /// The sums of the current row.
    pub(super) sums: Sums<S>,
}

/// Sums over the windows of a row of windows.
#[derive(Clone, PartialEq)]
pub(super) struct Sums<S> {
    /// Of values, by channel.
    pub(super) sums: Vec<Vec<S>>,
    /// Of squares, of all channels together.
    pub(super) squares: Vec<S>,
}

impl<S: Accumulator> Sums<S> {
    /// Zeros, none of what is not wanted.
    pub(super) fn new(windows: usize, channels: usize, wants: Wants) -> Self {
        let zeros = |wanted: bool| vec![S::default(); if wanted { windows } else { 0 }];
        Self { sums: vec![zeros(true); if wants.sums { channels } else { 0 }], squares: zeros(wants.squares) }
    }

    pub(super) fn clear(&mut self) {
        for sums in &mut self.sums {
            sums.fill(S::default());
        }
        self.squares.fill(S::default());
    }
}

/// The sums over all pixels of windows, or over those of a mask.
pub(super) enum Windows<'a, S> {
    Full(WindowSums<S>),
    Masked(RunSums<'a, S>),
}

impl<'a, S: Accumulator> Windows<'a, S> {
    pub(super) fn new<T: Sample<Sum = S>>(images: &[View<T>], support: &'a Support, wants: Wants) -> Self {
        if support.is_full() {
            let (w, h) = support.size();
            Self::Full(WindowSums::new(images, w, h, wants))
        } else {
            Self::Masked(RunSums::new(images, support, wants))
        }
    }

    /// The sums of the windows with their corners in row `y`, at or after the row before.
    pub(super) fn move_to<T: Sample<Sum = S>>(&mut self, isa: Isa, images: &[View<T>], y: usize) -> &Sums<S> {
        match self {
            Self::Full(windows) => {
                windows.move_to(isa, images, y);
                &windows.sums
            }
            Self::Masked(windows) => {
                windows.move_to(isa, images, y);
                &windows.sums
            }
        }
    }
}

/// Sums down the columns.
type Columns<S> = Sums<S>;

impl<S: Accumulator> Sums<S> {
    #[inline(always)]
    fn change<T: Sample<Sum = S>>(&mut self, images: &[View<T>], y: usize, change: impl Fn(&mut S, S)) {
        for (c, image) in images.iter().enumerate() {
            let row = image.row(y);
            if let Some(sums) = self.sums.get_mut(c) {
                for (sum, value) in sums.iter_mut().zip(row) {
                    change(sum, value.value());
                }
            }
            for (sum, value) in self.squares.iter_mut().zip(row) {
                change(sum, value.square());
            }
        }
    }

    #[inline(always)]
    fn add<T: Sample<Sum = S>>(&mut self, images: &[View<T>], y: usize) {
        self.change(images, y, |sum, value| *sum += value);
    }

    /// Makes these the sums of others.
    #[inline(always)]
    fn set_to_sum(&mut self, a: &Self, b: &Self) {
        let parts = self.sums.iter_mut().chain([&mut self.squares]);
        let others = a.sums.iter().chain([&a.squares]).zip(b.sums.iter().chain([&b.squares]));
        for (part, (a, b)) in parts.zip(others) {
            for ((out, a), b) in part.iter_mut().zip(a).zip(b) {
                let mut sum = *a;
                sum += *b;
                *out = sum;
            }
        }
    }
}

impl<S: Accumulator> WindowSums<S> {
    pub(super) fn new<T: Sample<Sum = S>>(images: &[View<T>], w: usize, h: usize, wants: Wants) -> Self {
        let (width, windows) = (images[0].width(), images[0].width() - w + 1);
        let columns = Columns::new(width, images.len(), wants);
        Self {
            w,
            h,
            row: None,
            part: columns.clone(),
            rests: Vec::new(),
            doubled: [vec![S::default(); width], vec![S::default(); width]],
            sums: Sums::new(windows, images.len(), wants),
            columns,
        }
    }

    /// Makes the sums those of the windows with their corners in row `y`, at or after the row before.
    pub(super) fn move_to<T: Sample<Sum = S>>(&mut self, isa: Isa, images: &[View<T>], y: usize) {
        isa.run(
            #[inline(always)]
            || {
                if S::EXACT {
                    self.move_columns(images, y);
                } else {
                    self.join_columns(images, y);
                }
                let columns = self.columns.sums.iter().chain([&self.columns.squares]);
                let sums = self.sums.sums.iter_mut().chain([&mut self.sums.squares]);
                for (columns, out) in columns.zip(sums) {
                    along(columns, self.w, &mut self.doubled, out);
                }
            },
        );
        self.row = Some(y);
    }

    #[inline(always)]
    fn move_columns<T: Sample<Sum = S>>(&mut self, images: &[View<T>], y: usize) {
        if y > 0 && self.row == Some(y - 1) {
            self.columns.add(images, y + self.h - 1);
            self.columns.change(images, y - 1, |sum, value| *sum -= value);
            return;
        }
        self.columns.clear();
        for row in y..y + self.h {
            self.columns.add(images, row);
        }
    }

    #[inline(always)]
    fn join_columns<T: Sample<Sum = S>>(&mut self, images: &[View<T>], y: usize) {
        let next = y / self.h * self.h + self.h;
        if self.row.is_none_or(|row| row < next - self.h || row + 1 != y) {
            // Rows of windows below the last one need no rest.
            let last = images[0].height() - self.h;
            let mut rest = std::mem::replace(&mut self.columns, self.part.clone());
            rest.clear();
            self.rests.clear();
            for row in (y..next).rev() {
                rest.add(images, row);
                if row <= last {
                    self.rests.push(rest.clone());
                }
            }
            self.part.clear();
            for row in next..y + self.h {
                self.part.add(images, row);
            }
        } else {
            self.part.add(images, y + self.h - 1);
        }
        if let Some(rest) = self.rests.pop() {
            self.columns.set_to_sum(&rest, &self.part);
        }
    }
}

/// `out[x] = columns[x] + ... + columns[x + w - 1]`, from sums of 1, 2, 4 ... columns.
#[inline(always)]
fn along<S: Accumulator>(columns: &[S], w: usize, [doubled, next]: &mut [Vec<S>; 2], out: &mut [S]) {
    if out.is_empty() {
        return;
    }
    let (mut doubled, mut next) = (&mut doubled[..], &mut next[..]);
    let (mut done, mut length) = (0, 1);
    level(columns, w, length, &mut done, doubled, out);
    while done < w {
        length *= 2;
        level(doubled, w, length, &mut done, next, out);
        (doubled, next) = (next, doubled);
    }
}

/// Adds the sums of `length` columns that the window has beyond the first `done`, and makes those of twice as many.
#[inline(always)]
fn level<S: Accumulator>(
    sums: &[S],
    w: usize,
    length: usize,
    done: &mut usize,
    next: &mut [S],
    out: &mut [S],
) {
    if w & length != 0 {
        let from = &sums[*done..][..out.len()];
        if *done == 0 {
            out.copy_from_slice(from);
        } else {
            for (out, sum) in out.iter_mut().zip(from) {
                *out += *sum;
            }
        }
        *done += length;
    }
    if *done < w {
        // The last sums would reach over the edge; no window has them.
        for ((next, a), b) in next.iter_mut().zip(sums).zip(&sums[length..]) {
            let mut sum = *a;
            sum += *b;
            *next = sum;
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
        fn sums_are_those_of_windows_wherever_a_band_begins(
            size in (1usize..40, 1usize..30), window in (1usize..40, 1usize..30), start in 0usize..30, seed in any::<u32>(),
        ) {
            let (w, h) = (window.0.min(size.0), window.1.min(size.1));
            let image = Plane::from_fn(size.0, size.1, |x, y| {
                (seed.wrapping_add((x * 31 + y) as u32).wrapping_mul(2_654_435_761) >> 24) as u8
            });
            let floats = image.map(|value| f32::from(value) * 0.37 - 9.0);
            let wants = Wants { sums: true, squares: true };
            let last = size.1 - h;
            for isa in Isa::available() {
                let mut whole = WindowSums::new(&[floats.view()], w, h, wants);
                let mut band = WindowSums::new(&[floats.view()], w, h, wants);
                let mut bytes = WindowSums::new(&[image.view()], w, h, wants);
                for y in 0..=last {
                    whole.move_to(isa, &[floats.view()], y);
                    bytes.move_to(isa, &[image.view()], y);
                    if y >= start {
                        band.move_to(isa, &[floats.view()], y);
                        prop_assert!(band.sums == whole.sums);
                    }
                    for x in 0..=size.0 - w {
                        let over = |value: &dyn Fn(usize, usize) -> f64| -> f64 {
                            (y..y + h).map(|y| (x..x + w).map(|x| value(x, y)).sum::<f64>()).sum()
                        };
                        let sum = over(&|x, y| f64::from(image.get(x, y)));
                        let squares = over(&|x, y| f64::from(floats.get(x, y)).powi(2));
                        prop_assert_eq!(bytes.sums.sums[0][x] as f64, sum);
                        prop_assert!((whole.sums.squares[x] - squares).abs() <= 1e-12 * squares);
                    }
                }
            }
        }
    }
}
