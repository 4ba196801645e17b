//! What layers of several inputs share: shapes that spread, and layers of two inputs.

use super::{Layer, Mode, Saved, Shape, Tensor, expect_gradient};
use crate::nn::Grads;
use crate::{Error, Result};

/// The shape of inputs of one rank, where a length of 1 spreads to that of the others.
pub(super) fn spread(inputs: &[Shape]) -> Result<Shape> {
    let [first, _, ..] = inputs else {
        return Err(Error::shape(format!("expected two or more inputs, got {}", inputs.len()))
            .with_hint("name them: `in = [\"first\", \"second\"]`"));
    };
    let mut lengths = first.to_vec();
    for input in &inputs[1..] {
        let fits = |(a, b): (&usize, &usize)| a == b || *a == 1 || *b == 1;
        if input.len() != lengths.len() || !lengths.iter().zip(input.iter()).all(fits) {
            return Err(Error::shape(format!(
                "expected inputs of one shape, or with lengths of 1 that spread, got {first} and {input}"
            )));
        }
        for (len, other) in lengths.iter_mut().zip(input.iter()) {
            if *len == 1 {
                *len = *other;
            }
        }
    }
    Shape::new(&lengths)
}

/// Two shapes that must be the only ones.
pub(super) fn pair(inputs: &[Shape]) -> Result<Shape> {
    if inputs.len() != 2 {
        return Err(Error::shape(format!("expected two inputs, got {}", inputs.len()))
            .with_hint("name them: `in = [\"first\", \"second\"]`"));
    }
    spread(inputs)
}

/// For each value of a `wide` sample the place in a `small` one, which spreads over it.
pub(super) fn places(small: Shape, wide: Shape) -> Vec<usize> {
    let mut places = vec![0];
    for (axis, &len) in wide.iter().enumerate() {
        let stride = small[axis + 1..].iter().product::<usize>();
        let stride = if small[axis] == 1 { 0 } else { stride };
        places = places.iter().flat_map(|from| (0..len).map(move |at| from + at * stride)).collect();
    }
    places
}

/// A sample spread over a batch: every value where it is wanted.
pub(super) fn widened(x: &Tensor, wide: Shape) -> Result<Tensor> {
    let small = x.shape().sample();
    if small == wide {
        return Ok(x.clone());
    }
    let places = places(small, wide);
    let of = |n: usize| places.iter().map(move |&at| x.sample(n)[at]);
    Tensor::from_vec(wide.batched(x.samples())?, (0..x.samples()).flat_map(of).collect())
}

/// The gradient of what has been [`widened`].
pub(super) fn gathered(dy: &Tensor, small: Shape) -> Result<Tensor> {
    let wide = dy.shape().sample();
    if small == wide {
        return Ok(dy.clone());
    }
    let mut dx = Tensor::zeros(small.batched(dy.samples())?);
    let places = places(small, wide);
    for (n, dx) in dx.data_mut().chunks_exact_mut(small.count().max(1)).enumerate() {
        places.iter().zip(dy.sample(n)).for_each(|(&at, dy)| dx[at] += dy);
    }
    Ok(dx)
}

/// The shapes of one sample of each input, of batches of one length.
pub(super) fn samples(inputs: &[&Tensor]) -> Result<Vec<Shape>> {
    let [first, rest @ ..] = inputs else { return Err(Error::shape("expected inputs, got none")) };
    if let Some(other) = rest.iter().find(|input| input.samples() != first.samples()) {
        let (wanted, got) = (first.samples(), other.samples());
        return Err(Error::shape(format!("expected batches of one length, got {wanted} and {got}")));
    }
    Ok(inputs.iter().map(|input| input.shape().sample()).collect())
}

/// A layer of two inputs, value by value.
#[derive(Debug)]
pub(super) struct Pairwise {
    /// What it gives for two values.
    pub(super) of: fn(f32, f32) -> f32,
    /// Its derivatives for both.
    pub(super) slopes: fn(f32, f32) -> [f32; 2],
}

impl Layer for Pairwise {
    fn forward(&self, inputs: &[&Tensor], mode: &Mode) -> Result<(Tensor, Saved)> {
        let wide = pair(&samples(inputs)?)?;
        let (a, b) = (widened(inputs[0], wide)?, widened(inputs[1], wide)?);
        let y = a.data().iter().zip(b.data()).map(|(&a, &b)| (self.of)(a, b)).collect();
        let y = Tensor::from_vec(a.shape(), y)?;
        Ok((y, Saved::new(mode, a.shape()).with(mode, inputs[0]).with(mode, inputs[1])))
    }

    fn backward(&self, saved: &Saved, dy: &Tensor, _grads: &mut Grads, need_dx: bool) -> Result<Vec<Tensor>> {
        expect_gradient(dy, saved.input)?;
        if !need_dx {
            return Ok(Vec::new());
        }
        let (first, second) = (saved.kept(0)?, saved.kept(1)?);
        let wide = saved.input.sample();
        let (a, b) = (widened(first, wide)?, widened(second, wide)?);
        let pairs = a.data().iter().zip(b.data()).zip(dy.data());
        let (da, db) = pairs
            .map(|((&a, &b), &dy)| (self.slopes)(a, b).map(|slope| slope * dy))
            .map(|[da, db]| (da, db))
            .unzip();
        let gradient = |values, small: &Tensor| {
            gathered(&Tensor::from_vec(saved.input, values)?, small.shape().sample())
        };
        Ok(vec![gradient(da, first)?, gradient(db, second)?])
    }
}
