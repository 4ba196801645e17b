//! Sums over the windows of a row of windows of bytes, from row to row: whole numbers of 32 bits, which may wrap, since only their
//! differences are wanted.

use std::ops::Range;

use super::Method;
use super::quick::is_centred;
use super::windows::Sums;
use crate::image::View;
use crate::kernel::Isa;
use crate::kernel::ncc::{covariances_row, distances_row};
use crate::kernel::window_sum::{Prefix, enter_row, slide_row};

/// Sums over the windows of a row of windows, of bytes.
pub(super) struct ByteSums<'a> {
    images: Vec<View<'a, u8>>,
    w: usize,
    h: usize,
    row: Option<usize>,
    /// Of values by channel, where they are wanted, then of the squares of all: down the columns, and from the left edge on.
    parts: Vec<Part>,
}

#[derive(Clone)]
struct Part {
    columns: Vec<u32>,
    sums: Vec<u32>,
}

impl<'a> ByteSums<'a> {
    pub(super) fn new(images: Vec<View<'a, u8>>, w: usize, h: usize, method: Method) -> Self {
        let width = images[0].width();
        let count = if is_centred(method) { images.len() } else { 0 } + 1;
        Self {
            images,
            w,
            h,
            row: None,
            parts: vec![Part { columns: vec![0; width], sums: vec![0; width + 1] }; count],
        }
    }

    /// Makes the sums those of the windows with their corners in row `y`.
    pub(super) fn move_to(&mut self, isa: Isa, y: usize) {
        let is_next = y > 0 && self.row == Some(y - 1);
        let square = |value: u8| u32::from(value) * u32::from(value);
        let squares = self.parts.len() - 1;
        for (at, part) in self.parts.iter_mut().enumerate() {
            if !is_next {
                part.columns.fill(0);
            }
            for (c, image) in self.images.iter().enumerate() {
                if at != squares && at != c {
                    continue;
                }
                let rows = (y, self.h, is_next);
                if at == squares {
                    move_columns(isa, &mut part.columns, *image, rows, square);
                } else {
                    move_columns(isa, &mut part.columns, *image, rows, u32::from);
                }
            }
            u32::prefix_row(isa, &part.columns, 1, &mut part.sums);
        }
        self.row = Some(y);
    }

    /// Sums of squares, less what is left of them without the means where they are taken off.
    pub(super) fn energies(&self, isa: Isa, numbers: &mut [f64], out: &mut [f32]) {
        let sums: Vec<&[u32]> = self.parts.iter().map(|part| &part.sums[..]).collect();
        if let [sums @ .., squares] = &sums[..] {
            covariances_row(isa, squares, sums, (self.w, self.w * self.h), numbers, out);
        }
    }

    /// Squared differences without the products, given the sums of the template and its energy.
    pub(super) fn distances(
        &self,
        isa: Isa,
        (totals, own): (&[f64], f64),
        numbers: &mut [f64],
        out: &mut [f32],
    ) {
        let sums: Vec<_> = self.parts.iter().map(|part| &part.sums[..]).zip(totals.iter().copied()).collect();
        let squares = &self.parts[self.parts.len() - 1].sums;
        distances_row(isa, squares, &sums, (self.w, self.w * self.h, own), numbers, out);
    }

    /// Sums of squares.
    pub(super) fn squares(&self, isa: Isa, out: &mut [f32]) {
        let squares = &self.parts[self.parts.len() - 1].sums;
        covariances_row(isa, squares, &[], (self.w, 1), &mut [], out);
    }

    /// Some of the sums, as exact ones are kept.
    pub(super) fn exact(&self, part: Range<usize>) -> Sums<u64> {
        let of = |sums: &Part| {
            part.clone().map(|x| u64::from(sums.sums[x + self.w].wrapping_sub(sums.sums[x]))).collect()
        };
        let (squares, sums) = (&self.parts[self.parts.len() - 1], &self.parts[..self.parts.len() - 1]);
        Sums { sums: sums.iter().map(of).collect(), squares: of(squares) }
    }
}

/// Moves sums of `h` rows down the columns to those from row `y` on, by one where they are next.
fn move_columns(
    isa: Isa,
    columns: &mut [u32],
    image: View<u8>,
    (y, h, is_next): (usize, usize, bool),
    term: impl Fn(u8) -> u32 + Copy,
) {
    if is_next {
        slide_row(isa, columns, image.row(y + h - 1), image.row(y - 1), term);
        return;
    }
    for row in y..y + h {
        enter_row(isa, columns, image.row(row), term);
    }
}
