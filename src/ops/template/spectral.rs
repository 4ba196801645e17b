//! Sums of products by Fourier transforms of blocks: overlap-save.
//!
//! Two neighbouring blocks are transformed as the real and the imaginary part of one. The transforms are of
//! 64-bit floats, and a correlation `c` of blocks `x` with a template `t` errs by at most
//! `16 L 2^-53 ‖x‖ ‖t‖` after `L` levels (R. Brent, C. Percival and P. Zimmermann, 2007, theorem 5.1, with
//! roots of unity that err by one unit in the last place; a butterfly of four rounds no more often than two of two).
//!
//! Sums of integers that err by less than a half are rounded, and so are exact. Where 16-bit pixels are too large
//! for that, their bytes are transformed apart. Sums of floats come with their bound; where it is too large next
//! to a window's own norm, as beside pixels far brighter or not finite, the window is summed directly.
#![allow(clippy::inline_always, reason = "only what is inlined is compiled for the instruction set")]

use super::correlate::{Dot, How, Sample};
use super::plan::Plan;
use super::score::Accumulator;
use super::support::Support;
use super::windows::Sums;
use crate::Result;
use crate::image::{Rect, View};
use crate::kernel::Isa;
use crate::kernel::fft::{Block, Correlator, Lines, Spectrum};
use crate::ops::band::{Cancelled, poll};

/// Templates of more pieces than this are transformed anew for every row of blocks, to bound the memory.
const KEPT: usize = 4;

/// How much of the product of norms, or of a squared difference, a float sum may be wrong.
const TOLERANCE: f64 = 1e-8;

/// Templates ready to be correlated with blocks of an image.
pub(super) struct Spectral<'a, T: Sample> {
    isa: Isa,
    images: &'a [View<'a, T>],
    templates: &'a [View<'a, T>],
    support: &'a Support,
    means: Vec<f64>,
    how: How,
    plan: Plan,
    correlator: Correlator<f64, 8>,
    tiles: Vec<Tile>,
    kept: Vec<Vec<Spectrum<f64, 8>>>,
    /// Whether bytes are transformed apart.
    apart: bool,
    /// The sum of all squares of the templates.
    energy: f64,
}

/// A piece of the templates.
struct Tile {
    x: usize,
    y: usize,
    width: usize,
    height: usize,
}

/// What a band of rows needs to work in.
pub(super) struct Room {
    blocks: Vec<Block<f64, 8>>,
    lines: Lines<f64, 8>,
    /// For each pair of blocks `(C ‖x‖)²`: with the template's norm the square of the bound.
    errors: Vec<f64>,
}

impl<'a, T: Sample> Spectral<'a, T> {
    pub(super) fn new(
        isa: Isa,
        images: &'a [View<'a, T>],
        (templates, support): (&'a [View<'a, T>], &'a Support),
        dots: &[T::Dot],
        how: How,
        plan: Plan,
    ) -> Self {
        let (w, h) = support.size();
        let mut tiles = Vec::new();
        for y in (0..h).step_by(plan.tile.1) {
            for x in (0..w).step_by(plan.tile.0) {
                let (width, height) = (plan.tile.0.min(w - x), plan.tile.1.min(h - y));
                tiles.push(Tile { x, y, width, height });
            }
        }
        let means = dots.iter().map(Dot::mean).collect();
        let correlator = Correlator::new(plan.block.0, plan.block.1);
        let energy = dots.iter().map(|dot| dot.totals().1.to_f64()).sum();
        let mut spectral = Self {
            isa,
            images,
            templates,
            support,
            means,
            how,
            plan,
            correlator,
            tiles,
            kept: Vec::new(),
            apart: false,
            energy,
        };
        // Both blocks of a pair, as far from zero as their pixels can be.
        let largest = T::MIDDLE * T::MIDDLE * 2.0 * (plan.block.0 * plan.block.1 * templates.len()) as f64;
        spectral.apart = <T::Sum as Accumulator>::EXACT && spectral.factor() * largest * energy >= 0.16;
        if spectral.tiles.len() <= KEPT {
            let mut room = spectral.room();
            spectral.kept = spectral.tiles.iter().map(|tile| spectral.spectra(tile, &mut room)).collect();
        }
        spectral
    }

    /// Rows of windows that a row of blocks gives.
    pub(super) fn rows(&self) -> usize {
        self.plan.windows.1
    }

    pub(super) fn room(&self) -> Room {
        Room {
            blocks: vec![self.correlator.block(); self.images.len()],
            lines: self.correlator.lines(),
            errors: Vec::new(),
        }
    }

    /// The square of what the product of norms is multiplied with for the bound.
    fn factor(&self) -> f64 {
        let levels = self.plan.levels();
        (8.0 * f64::from(levels) * f64::EPSILON).powi(2)
    }

    fn spectra(&self, tile: &Tile, room: &mut Room) -> Vec<Spectrum<f64, 8>> {
        let mut spectra = Vec::with_capacity(self.templates.len());
        let mut numbers = vec![0.0; tile.width];
        for (template, mean) in self.templates.iter().zip(&self.means) {
            let block = &mut room.blocks[0];
            for y in 0..tile.height {
                numbers.fill(0.0);
                for part in self.support.within(tile.y + y, tile.x..tile.x + tile.width) {
                    let values = &template.row(tile.y + y)[part.clone()];
                    for (number, value) in numbers[part.start - tile.x..].iter_mut().zip(values) {
                        *number = value.value().to_f64() - mean;
                    }
                }
                block.set_row(self.isa, y, &numbers, &[], |number, _| number);
            }
            block.clear_from(tile.height);
            spectra.push(self.correlator.spectrum(self.isa, block, &mut room.lines));
        }
        spectra
    }

    /// Sets `out` to the sums of products of all windows with their corners in rows `y` to `y + rows`, row by row.
    pub(super) fn sums(
        &self,
        y: usize,
        rows: usize,
        room: &mut Room,
        out: &mut [T::Sum],
        cancelled: Cancelled,
    ) -> Result<()> {
        out.fill(T::Sum::default());
        let columns = out.len() / rows;
        let across = self.plan.windows.0;
        let pairs = columns.div_ceil(2 * across);
        room.errors.clear();
        room.errors.resize(pairs, 0.0);
        for (t, tile) in self.tiles.iter().enumerate() {
            let made;
            let spectra = match self.kept.get(t) {
                Some(spectra) => spectra,
                None => {
                    made = self.spectra(tile, room);
                    &made
                }
            };
            let piece = (tile, &spectra[..], self.offset(tile));
            for pair in 0..pairs {
                poll(cancelled)?;
                self.add_pair(piece, pair, (y, rows), room, out);
            }
        }
        Ok(())
    }

    /// Sets what `out`, rows as those of [`sums`](Self::sums), has for the windows of one pair of blocks, of a template in one piece.
    pub(super) fn set_pair(
        &self,
        pair: usize,
        (y, rows): (usize, usize),
        room: &mut Room,
        out: &mut [T::Sum],
    ) {
        let columns = out.len() / rows;
        let across = 2 * self.plan.windows.0;
        for out in out.chunks_exact_mut(columns) {
            out[pair * across..columns.min((pair + 1) * across)].fill(T::Sum::default());
        }
        room.errors.resize(columns.div_ceil(across), 0.0);
        for (tile, spectra) in self.tiles.iter().zip(&self.kept) {
            self.add_pair((tile, spectra, self.offset(tile)), pair, (y, rows), room, out);
        }
    }

    /// Adds the sums of a piece of the template over the windows of a pair of blocks.
    fn add_pair(
        &self,
        (tile, spectra, offset): (&Tile, &[Spectrum<f64, 8>], T::Sum),
        pair: usize,
        (y, rows): (usize, usize),
        room: &mut Room,
        out: &mut [T::Sum],
    ) {
        let columns = out.len() / rows;
        let across = self.plan.windows.0;
        let starts = [2 * pair * across, (2 * pair + 1) * across];
        if self.apart {
            for start in starts {
                self.fill(tile, [start; 2], (y, rows), room, |value, part| {
                    let [high, low] = value.bytes();
                    if part == 0 { high } else { low }
                });
                self.correlator.correlate(self.isa, &mut room.blocks, spectra, &mut room.lines, across);
                self.add(&room.blocks[0], start, columns, out, |sum, high, low| {
                    sum.add_rounded(256.0 * T::Sum::rounded(high) + T::Sum::rounded(low), offset);
                });
            }
            return;
        }
        let squares = self.fill(tile, starts, (y, rows), room, |value, _| value.value().to_f64() - T::MIDDLE);
        room.errors[pair] += self.factor() * squares;
        self.correlator.correlate(self.isa, &mut room.blocks, spectra, &mut room.lines, across);
        self.add(&room.blocks[0], starts[0], columns, out, |sum, re, _| sum.add_rounded(re, offset));
        self.add(&room.blocks[0], starts[1], columns, out, |sum, _, im| sum.add_rounded(im, offset));
    }

    /// What was subtracted from the pixels of a window, times the template.
    fn offset(&self, tile: &Tile) -> T::Sum {
        let mut total = T::Sum::default();
        if !<T::Sum as Accumulator>::EXACT {
            return total;
        }
        for template in self.templates {
            for y in 0..tile.height {
                for part in self.support.within(tile.y + y, tile.x..tile.x + tile.width) {
                    for value in &template.row(tile.y + y)[part] {
                        total += value.value();
                    }
                }
            }
        }
        total.times(T::MIDDLE_SUM)
    }

    /// Fills the blocks with what the windows of a tile reach that begin in these columns. Returns the sum of squares.
    fn fill(
        &self,
        tile: &Tile,
        starts: [usize; 2],
        (y, rows): (usize, usize),
        room: &mut Room,
        number: impl Fn(T, usize) -> f64 + Copy,
    ) -> f64 {
        let mut squares = 0.0;
        let length = self.plan.windows.0 + tile.width - 1;
        for (image, block) in self.images.iter().zip(&mut room.blocks) {
            for row in 0..rows + tile.height - 1 {
                let line = image.row(y + tile.y + row);
                let part = |start: usize| {
                    let from = line.len().min(start + tile.x);
                    &line[from..line.len().min(from + length)]
                };
                squares += block.set_row(self.isa, row, part(starts[0]), part(starts[1]), number);
            }
            block.clear_from(rows + tile.height - 1);
        }
        squares
    }

    /// Adds what a block has for the windows from column `start` on.
    fn add(
        &self,
        block: &Block<f64, 8>,
        start: usize,
        columns: usize,
        out: &mut [T::Sum],
        add: impl Fn(&mut T::Sum, f64, f64) + Copy,
    ) {
        if start >= columns {
            return;
        }
        let end = columns.min(start + self.plan.windows.0);
        for (y, out) in out.chunks_exact_mut(columns).enumerate() {
            block.add_row(self.isa, y, &mut out[start..end], add);
        }
    }

    /// Makes a row of sums what the scores are made of, and sums directly where the bound is too large.
    pub(super) fn settle(
        &self,
        y: usize,
        room: &Room,
        windows: &Sums<T::Sum>,
        normed: bool,
        dots: &[T::Dot],
        cross: &mut [T::Sum],
    ) {
        if <T::Sum as Accumulator>::EXACT {
            return;
        }
        let across = 2 * self.plan.windows.0;
        let n = self.support.count();
        for ((pair, cross), error) in cross.chunks_mut(across).enumerate().zip(&room.errors) {
            let start = pair * across;
            let part = start..start + cross.len();
            let squares = &windows.squares[part.clone()];
            let sums: Vec<&[T::Sum]> = windows.sums.iter().map(|sums| &sums[part.clone()]).collect();
            let close = self.isa.run(
                #[inline(always)]
                || match self.how {
                    How::Differences => T::Sum::settle_differences(cross, squares, self.energy, *error, n),
                    How::Centred if normed => T::Sum::is_close_to_centred(squares, &sums, *error, n),
                    _ => T::Sum::is_close(cross, squares, *error),
                },
            );
            if !close {
                cross.fill(T::Sum::default());
                let (w, h) = self.support.size();
                let reach = Rect::new(start, y, cross.len() + w - 1, h);
                for (dot, image) in dots.iter().zip(self.images) {
                    let Ok(image) = image.crop(reach) else { continue };
                    dot.row(self.isa, image, 0, &mut dot.scratch(reach.width), cross);
                }
            }
        }
    }
}

/// Whether a row of sums may stand: always, where they are exact.
pub trait Settle: Sized {
    /// For products that become squared differences.
    fn settle_differences(
        _cross: &mut [Self],
        _squares: &[Self],
        _energy: f64,
        _error: f64,
        _n: usize,
    ) -> bool {
        true
    }
    /// For normalised coefficients.
    fn is_close_to_centred(_squares: &[Self], _sums: &[&[Self]], _error: f64, _n: usize) -> bool {
        true
    }
    /// For other sums.
    fn is_close(_cross: &mut [Self], _squares: &[Self], _error: f64) -> bool {
        true
    }
}

impl Settle for u64 {}

/// Whether `a <= b`; what is no number is not.
#[inline(always)]
fn is_at_most(a: f64, b: f64) -> bool {
    a <= b
}

impl Settle for f64 {
    /// Products become squared differences.
    #[inline(always)]
    fn settle_differences(cross: &mut [f64], squares: &[f64], energy: f64, error: f64, n: usize) -> bool {
        let bound = 2.0 * (error * energy).sqrt();
        let rounding = 4.0 * n as f64 * f64::EPSILON;
        let mut far = 0u32;
        for (cross, squares) in cross.iter_mut().zip(squares) {
            let both = energy + squares;
            let difference = both - 2.0 * *cross;
            far |= u32::from(!is_at_most(bound + rounding * both, TOLERANCE * difference));
            *cross = difference;
        }
        far == 0
    }

    /// The norm is that of the window less its means. Flat windows have a score without their sums.
    #[inline(always)]
    fn is_close_to_centred(squares: &[f64], sums: &[&[f64]], error: f64, n: usize) -> bool {
        // All n-fold, as in the scores.
        let noise = f64::noise(n as f64, n * sums.len());
        let least = n as f64 * error / (TOLERANCE * TOLERANCE);
        let mut far = 0u32;
        for (x, squares) in squares.iter().enumerate() {
            let mut rest = n as f64 * squares;
            for sums in sums {
                rest -= sums[x] * sums[x];
            }
            far |= u32::from(!(is_at_most(least, rest) | is_at_most(rest, noise * squares)));
        }
        far == 0
    }

    /// Windows of zeros get sums of zero.
    #[inline(always)]
    fn is_close(cross: &mut [f64], squares: &[f64], error: f64) -> bool {
        let least = error / (TOLERANCE * TOLERANCE);
        let mut far = 0u32;
        for (cross, squares) in cross.iter_mut().zip(squares) {
            far |= u32::from(!is_at_most(least, *squares) & (*squares != 0.0));
            *cross = if *squares == 0.0 { 0.0 } else { *cross };
        }
        far == 0
    }
}
