//! Means along axes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Grads, Kind, Layer, Mode, Reach, Rng, Saved, Shape, Spec, Tensor, expect_gradient, one};
use crate::{Error, Result};

/// The mean along some axes, whose length becomes 1. For that of each channel there is
/// `global-avg-pool`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Mean {
    /// Axes of a sample: 0 is that of the channels.
    #[schemars(length(min = 1, max = 5))]
    pub axes: Vec<usize>,
}

/// The kind `mean`.
pub(super) const KIND: Kind = Kind {
    name: "mean",
    summary: "The mean along some axes, whose length becomes 1.",
    example: "use = \"mean\"\naxes = [0]\n",
    parse: super::parse::<Mean>,
    schema: super::schema::<Mean>,
};

impl Spec for Mean {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let input = one(inputs)?;
        let mut lengths = input.to_vec();
        for &axis in &self.axes {
            match lengths.get_mut(axis) {
                Some(len) if *len > 0 => *len = 1,
                _ => {
                    return Err(Error::shape(format!(
                        "expected an input with values along axes {:?}, got {input}",
                        self.axes
                    )));
                }
            }
        }
        Shape::new(&lengths)
    }

    fn reach(&self) -> Reach {
        Reach::All
    }

    fn build(&self, _name: &str, inputs: &[Shape], _rng: Rng) -> Result<Box<dyn Layer>> {
        let (input, output) = (*one(inputs)?, self.output(inputs)?);
        Ok(Box::new(Built { input, output }))
    }
}

#[derive(Debug)]
struct Built {
    /// The shape of one input sample.
    input: Shape,
    /// The shape of one output sample.
    output: Shape,
}

impl Built {
    /// For each input of a sample the output that it is part of.
    fn places(&self) -> Vec<usize> {
        super::broadcast::places(self.output, self.input)
    }

    /// How many inputs an output is the mean of.
    fn share(&self) -> f64 {
        (self.input.count() / self.output.count().max(1)) as f64
    }
}

impl Layer for Built {
    fn forward(&self, inputs: &[&Tensor], mode: &Mode) -> Result<(Tensor, Saved)> {
        let x = *one(inputs)?;
        if x.shape().is_empty() || x.shape().sample() != self.input {
            return Err(Error::shape(format!("expected a batch of {}, got {}", self.input, x.shape())));
        }
        let (shape, places) = (self.output.batched(x.samples())?, self.places());
        let mut y = Vec::with_capacity(shape.count());
        for n in 0..x.samples() {
            let mut sums = vec![0.0f64; self.output.count()];
            places.iter().zip(x.sample(n)).for_each(|(&at, &x)| sums[at] += f64::from(x));
            y.extend(sums.into_iter().map(|sum| (sum / self.share()) as f32));
        }
        Ok((Tensor::from_vec(shape, y)?, Saved::new(mode, x.shape())))
    }

    fn backward(&self, saved: &Saved, dy: &Tensor, _grads: &mut Grads, need_dx: bool) -> Result<Vec<Tensor>> {
        let samples = saved.input.first().copied().unwrap_or_default();
        expect_gradient(dy, self.output.batched(samples)?)?;
        if !need_dx {
            return Ok(Vec::new());
        }
        let (places, share) = (self.places(), self.share() as f32);
        let of = |n: usize| places.iter().map(move |&at| dy.sample(n)[at] / share);
        let dx = (0..samples).flat_map(of).collect();
        Ok(vec![Tensor::from_vec(saved.input, dx)?])
    }
}
