//! Running sums over windows, as the state of a row node.

use std::ops::Range;

use super::row::{Rows, Shape};
use super::stencil::Stencil;
use crate::image::Pixel;
use crate::kernel::Isa;
use crate::kernel::integral::Sum;
use crate::kernel::window_sum::{Prefix, SLACK, enter_row, slide_row, widen_f64_row};

/// The rows of a window, and the one that left it: running sums take that out again.
pub(crate) fn rows_needed(stencil: &Stencil, y: usize) -> Range<isize> {
    let rows = stencil.rows(y);
    if y > 0 { rows.start - 1..rows.end } else { rows }
}

/// Integer sums of the columns of a window that slides down, and their prefix sums along the row.
pub(crate) struct IntegerSums<S> {
    columns: Vec<S>,
    sums: Vec<S>,
    /// The row that the columns are for.
    at: Option<usize>,
}

impl<S: Copy + Default> IntegerSums<S> {
    pub(crate) fn new(input: Shape, stencil: &Stencil) -> Self {
        let window = stencil.window();
        let length = (window.left + input.width + window.right) * input.ty.channels();
        Self { columns: vec![S::default(); length + SLACK], sums: Vec::new(), at: None }
    }

    /// Forgets the row that the columns are for.
    pub(crate) fn restart(&mut self) {
        self.at = None;
    }

    /// Sums of the columns for output row `y`, and [`SLACK`]; `term` is what of a pixel is summed.
    pub(crate) fn columns<T>(
        &mut self,
        isa: Isa,
        rows: &Rows<'_>,
        stencil: &Stencil,
        y: usize,
        term: impl Fn(T) -> S + Copy,
    ) -> &[S]
    where
        T: Pixel,
        S: Sum<T>,
    {
        let window = stencil.rows(y);
        if y > 0 && self.at == Some(y - 1) {
            let (entering, leaving) = (rows.get(0, 0, window.end - 1), rows.get(0, 0, window.start - 1));
            slide_row(isa, &mut self.columns, entering, leaving, term);
        } else {
            self.columns.fill(S::default());
            for row in window {
                enter_row(isa, &mut self.columns, rows.get(0, 0, row), term);
            }
        }
        self.at = Some(y);
        &self.columns
    }

    /// Prefix sums of the [`columns`](Self::columns).
    pub(crate) fn prefix<T>(
        &mut self,
        isa: Isa,
        rows: &Rows<'_>,
        stencil: &Stencil,
        y: usize,
        term: impl Fn(T) -> S + Copy,
    ) -> &[S]
    where
        T: Pixel,
        S: Sum<T> + Prefix,
    {
        self.columns(isa, rows, stencil, y, term);
        let (step, count) = (rows.shape(0).ty.channels(), self.columns.len() - SLACK);
        self.sums.resize(count + step, S::default());
        S::prefix_row(isa, &self.columns[..count], step, &mut self.sums);
        &self.sums
    }
}

/// Float sums of windows, afresh for each.
pub(crate) struct FloatSums {
    columns: Vec<f64>,
    scratch: [Vec<f64>; 2],
    out: Vec<f64>,
}

impl FloatSums {
    pub(crate) fn new(input: Shape, output: Shape, stencil: &Stencil) -> Self {
        let window = stencil.window();
        let channels = input.ty.channels();
        let row = vec![0.0; (window.left + input.width + window.right) * channels];
        Self { columns: row.clone(), scratch: [row.clone(), row], out: vec![0.0; output.width * channels] }
    }

    /// The sums of the windows of output row `y`.
    pub(crate) fn row(
        &mut self,
        isa: Isa,
        rows: &Rows<'_>,
        stencil: &Stencil,
        y: usize,
        term: impl Fn(f32) -> f64 + Copy,
    ) -> &[f64] {
        self.columns.fill(0.0);
        for row in stencil.rows(y) {
            enter_row::<f32, f64>(isa, &mut self.columns, rows.get(0, 0, row), term);
        }
        let step = rows.shape(0).ty.channels();
        widen_f64_row(isa, &self.columns, stencil.size.0, step, &mut self.scratch, &mut self.out);
        &self.out
    }
}

/// Whether sums over windows of the stencil fit 32 bits, for terms up to `largest`.
pub(crate) fn fits_u32(stencil: &Stencil, largest: u64) -> bool {
    u32::try_from((stencil.size.0 * stencil.size.1) as u64 * largest).is_ok()
}
