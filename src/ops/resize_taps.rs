//! Resizing with windows of four or eight pixels a side, as a row node.

use std::ops::Range;

use super::row::{RowNode, RowOut, Rows, Shape, State};
use super::stencil::scratch;
use crate::image::{Element, Pixel};
use crate::kernel::Isa;
use crate::kernel::pixel::Sample;
use crate::kernel::resize_taps::{
    Taps, taps_across_row, taps_across_u8_row, taps_down_row, taps_down_u8_row,
};

/// Every output pixel is a weighted sum of `N` x `N` of the input.
#[derive(Clone, Debug, PartialEq)]
pub struct TapRows<const N: usize> {
    output: Shape,
    across: Taps<N>,
    down: Taps<N>,
}

/// Rows of the input, resized across, and which they are.
struct Cache<A, const N: usize> {
    rows: [Vec<A>; N],
    of: [Option<u32>; N],
}

impl<A: Clone + Default, const N: usize> Cache<A, N> {
    fn new(elements: usize) -> Self {
        Self { rows: std::array::from_fn(|_| vec![A::default(); elements]), of: [None; N] }
    }
}

impl<const N: usize> TapRows<N> {
    /// A node from one shape to another, by the weights of `kernel`.
    pub fn new(input: Shape, output: Shape, kernel: impl Fn(f32) -> [f32; N]) -> Self {
        let across = Taps::new(input.width, output.width, &kernel);
        Self { output, across, down: Taps::new(input.height, output.height, kernel) }
    }

    /// The resized rows that output row `y` blends; each stands where its number points, so that those of
    /// the row before are found again.
    fn window<'s, T: Pixel, A>(
        &self,
        cache: &'s mut Cache<A, N>,
        rows: &Rows<'_>,
        y: usize,
        across: impl Fn(&[T], &mut [A]),
    ) -> [&'s [A]; N] {
        let wanted = self.down.inputs[y];
        for row in wanted {
            let slot = row as usize % N;
            if cache.of[slot] != Some(row) {
                across(rows.get(0, 0, row as isize), &mut cache.rows[slot]);
                cache.of[slot] = Some(row);
            }
        }
        wanted.map(|row| cache.rows[row as usize % N].as_slice())
    }

    fn floats<T: Pixel + Sample>(
        &self,
        isa: Isa,
        state: &mut State,
        rows: &Rows<'_>,
        y: usize,
        out: &mut RowOut<'_>,
    ) {
        let channels = self.output.ty.channels();
        let window = self.window::<T, f32>(scratch(state), rows, y, |row, out| {
            taps_across_row(row, &self.across, channels, out);
        });
        taps_down_row::<T, N>(isa, window, self.down.weights[y], out.row());
    }
}

impl<const N: usize> RowNode for TapRows<N> {
    fn name(&self) -> &'static str {
        "resize"
    }

    fn output(&self, _inputs: &[Shape]) -> Shape {
        self.output
    }

    fn rows_needed(&self, _input: usize, y: usize) -> Range<isize> {
        let inputs = self.down.inputs[y];
        inputs[0] as isize..inputs[N - 1] as isize + 1
    }

    fn start(&self, _inputs: &[Shape], output: Shape) -> State {
        let elements = output.width * output.ty.channels();
        match output.ty.element() {
            Element::U8 => Box::new(Cache::<i32, N>::new(elements)),
            _ => Box::new(Cache::<f32, N>::new(elements)),
        }
    }

    fn restart(&self, state: &mut State) -> bool {
        if let Some(cache) = state.downcast_mut::<Cache<i32, N>>() {
            cache.of = [None; N];
        } else if let Some(cache) = state.downcast_mut::<Cache<f32, N>>() {
            cache.of = [None; N];
        }
        true
    }

    fn row(&self, isa: Isa, state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        let channels = self.output.ty.channels();
        match self.output.ty.element() {
            Element::U8 => {
                let window = self.window::<u8, i32>(scratch(state), rows, y, |row, out| {
                    taps_across_u8_row(row, &self.across, channels, out);
                });
                taps_down_u8_row(isa, window, self.down.fixed[y], out.row());
            }
            Element::U16 => self.floats::<u16>(isa, state, rows, y, out),
            _ => self.floats::<f32>(isa, state, rows, y, out),
        }
    }
}
