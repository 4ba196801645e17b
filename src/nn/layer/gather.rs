//! What layers share that only move values: from which place of a sample each output comes.

use super::pad::PadMode;
use super::{Grads, Layer, Mode, Saved, Shape, Tensor, expect_gradient, one};
use crate::{Error, Result};

/// One axis of the output.
#[derive(Debug)]
pub(super) struct Axis {
    /// The axis of the input that it runs along.
    pub(super) along: usize,
    /// Its length.
    pub(super) len: usize,
    /// The place on that axis for each output; none where the output is not from the input.
    pub(super) place: Place,
}

/// From a place of the output to one of the input.
#[derive(Debug)]
pub(super) enum Place {
    /// The same one.
    Same,
    /// From the first on, so far apart.
    Steps(usize, i64),
    /// After so many places, where the axis of the input has so many.
    After(usize, usize, PadMode),
}

impl Place {
    fn of(&self, to: usize) -> Option<usize> {
        match *self {
            Self::Same => Some(to),
            Self::Steps(start, step) => Some((start as i64 + to as i64 * step) as usize),
            Self::After(before, len, mode) => {
                let (at, last) = (to as i64 - before as i64, len as i64 - 1);
                match mode {
                    PadMode::Constant => (0..=last).contains(&at).then_some(at as usize),
                    PadMode::Edge => Some(at.clamp(0, last) as usize),
                    PadMode::Reflect => {
                        let at = at.rem_euclid((2 * last).max(1));
                        Some(at.min(2 * last - at) as usize)
                    }
                }
            }
        }
    }
}

/// A layer whose outputs are values of the input, or one number.
#[derive(Debug)]
pub(super) struct Gather {
    /// The shape of one input sample.
    pub(super) input: Shape,
    /// The axes of the output. Each axis of the input is in one of them.
    pub(super) axes: Vec<Axis>,
    /// What stands where nothing is gathered.
    pub(super) fill: f32,
}

impl Gather {
    fn output(&self) -> Result<Shape> {
        Shape::new(&self.axes.iter().map(|axis| axis.len).collect::<Vec<_>>())
    }

    /// For each output of a sample the input it is.
    fn places(&self) -> Vec<Option<usize>> {
        let stride = |axis: usize| self.input[axis + 1..].iter().product::<usize>();
        let mut places = vec![Some(0)];
        for axis in &self.axes {
            let stride = stride(axis.along);
            let step = |from: &Option<usize>| {
                let from = *from;
                (0..axis.len).map(move |to| Some(from? + axis.place.of(to)? * stride))
            };
            places = places.iter().flat_map(step).collect();
        }
        places
    }
}

impl Layer for Gather {
    fn forward(&self, inputs: &[&Tensor], mode: &Mode) -> Result<(Tensor, Saved)> {
        let x = *one(inputs)?;
        if x.shape().is_empty() || x.shape().sample() != self.input {
            return Err(Error::shape(format!("expected a batch of {}, got {}", self.input, x.shape())));
        }
        let (shape, places) = (self.output()?.batched(x.samples())?, self.places());
        let mut y = Vec::with_capacity(shape.count());
        for n in 0..x.samples() {
            let sample = x.sample(n);
            y.extend(places.iter().map(|at| at.map_or(self.fill, |at| sample[at])));
        }
        Ok((Tensor::from_vec(shape, y)?, Saved::new(mode, x.shape())))
    }

    fn backward(&self, saved: &Saved, dy: &Tensor, _grads: &mut Grads, need_dx: bool) -> Result<Vec<Tensor>> {
        let samples = saved.input.first().copied().unwrap_or_default();
        expect_gradient(dy, self.output()?.batched(samples)?)?;
        if !need_dx {
            return Ok(Vec::new());
        }
        let (mut dx, places) = (Tensor::zeros(saved.input), self.places());
        for (n, dx) in dx.data_mut().chunks_exact_mut(self.input.count().max(1)).enumerate() {
            for (at, dy) in places.iter().zip(dy.sample(n)) {
                if let Some(at) = *at {
                    dx[at] += dy;
                }
            }
        }
        Ok(vec![dx])
    }
}
