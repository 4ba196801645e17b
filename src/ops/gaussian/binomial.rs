//! Smoothing of bytes with 1, 2, 1 and 1, 4, 6, 4, 1: sums along a row are made once for all windows
//! that the row is in.

use std::ops::Range;
use std::sync::Arc;

use super::{GaussianRows, Weights};
use crate::image::{Border, BorderMode, ImageType};
use crate::kernel::Isa;
use crate::kernel::binomial::{binomial_along_row, binomial_down_row, split_length};
use crate::ops::chain::Chain;
use crate::ops::row::{RowNode, RowOut, Rows, Shape, State, Window};
use crate::ops::stencil::with_window;

/// Two nodes in the place of one, where its weights are binomial and neighbours follow each other.
pub(super) fn nodes(input: Shape, node: &GaussianRows) -> Option<Chain> {
    let Weights::U8(weights) = &node.weights else { return None };
    let taps = match weights[..] {
        [128, 64] => 3,
        [96, 64, 16] => 5,
        _ => return None,
    };
    let border = node.border;
    let fits = input.ty.channels() == 1 && border.mode != BorderMode::Valid;
    fits.then(|| -> Chain {
        vec![Arc::new(AlongRows { taps, border }), Arc::new(DownRows { taps, border, width: input.width })]
    })
}

/// Sums along rows. They are not a picture: even pixels stand first, then the odd ones.
struct AlongRows {
    taps: usize,
    border: Border,
}

impl RowNode for AlongRows {
    fn name(&self) -> &'static str {
        "gaussian-blur along"
    }

    fn output(&self, inputs: &[Shape]) -> Shape {
        Shape::new(ImageType::Gray16, split_length(inputs[0].width), inputs[0].height)
    }

    fn row(&self, isa: Isa, _state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        binomial_along_row(isa, self.taps, rows.get(0, 0, y as isize), self.border, out.row());
    }
}

/// Sums of [`AlongRows`] down the columns, as bytes.
struct DownRows {
    taps: usize,
    border: Border,
    /// Of the image.
    width: usize,
}

impl RowNode for DownRows {
    fn name(&self) -> &'static str {
        "gaussian-blur down"
    }

    fn output(&self, inputs: &[Shape]) -> Shape {
        Shape::new(ImageType::Gray8, self.width, inputs[0].height)
    }

    fn window(&self, _input: usize) -> Window {
        // A row beyond the edge is one of sums of a constant.
        let sum = (1 << (self.taps - 1)) as f32;
        let value = f32::from(self.border.value as u8) * sum;
        Window { left: 0, right: 0, border: Border { mode: self.border.mode, value } }
    }

    fn rows_needed(&self, _input: usize, y: usize) -> Range<isize> {
        let (y, radius) = (y as isize, (self.taps / 2) as isize);
        y - radius..y + radius + 1
    }

    fn row(&self, isa: Isa, _state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        with_window(rows, 0, self.rows_needed(0, y), |sums| binomial_down_row(isa, sums, out.row()));
    }
}
