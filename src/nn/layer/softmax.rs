//! Softmax as a layer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Grads, Kind, Layer, Mode, Rng, Saved, Shape, Spec, Tensor, channels, expect_gradient, one};
use crate::Result;
use crate::nn::loss::softmax;

/// `exp(x) / sum of exp(x)` over the channels, at every position. The losses of classifiers hold
/// their own: a net that is trained with one ends without this layer.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Softmax {}

/// The kind `softmax`.
pub(super) const KIND: Kind = Kind {
    name: "softmax",
    summary: "Scores become probabilities over the channels.",
    example: "use = \"softmax\"\n",
    parse: super::parse::<Softmax>,
    schema: super::schema::<Softmax>,
};

impl Spec for Softmax {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        channels(one(inputs)?)?;
        one(inputs).copied()
    }

    fn build(&self, _name: &str, inputs: &[Shape], _rng: Rng) -> Result<Box<dyn Layer>> {
        self.output(inputs)?;
        Ok(Box::new(Built))
    }
}

#[derive(Debug)]
struct Built;

impl Layer for Built {
    fn forward(&self, inputs: &[&Tensor], mode: &Mode) -> Result<(Tensor, Saved)> {
        let x = *one(inputs)?;
        let y = softmax(x)?;
        let saved = Saved::new(mode, x.shape()).with(mode, &y);
        Ok((y, saved))
    }

    fn backward(&self, saved: &Saved, dy: &Tensor, _grads: &mut Grads, need_dx: bool) -> Result<Vec<Tensor>> {
        if !need_dx {
            return Ok(Vec::new());
        }
        let y = saved.tensor()?;
        expect_gradient(dy, y.shape())?;
        let [count, area] = channels(&y.shape().sample())?;
        let mut dx = dy.clone();
        let samples = dx.data_mut().chunks_exact_mut((count * area).max(1)).enumerate();
        for (n, dx) in samples {
            let y = y.sample(n);
            for at in 0..area {
                let places = || (0..count).map(|channel| channel * area + at);
                let along: f32 = places().map(|i| dx[i] * y[i]).sum();
                places().for_each(|i| dx[i] = y[i] * (dx[i] - along));
            }
        }
        Ok(vec![dx])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_position_sums_to_one() {
        let shape = Shape::new(&[3, 2]).unwrap();
        let layer = Softmax {}.build("it", &[shape], Rng::new(0)).unwrap();
        let x = Tensor::from_fn(shape.batched(2).unwrap(), |i| (i * i % 7) as f32 * 30.0);
        let y = layer.forward(&[&x], &Mode::inference()).unwrap().0;
        for (n, at) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let sum: f32 = (0..3).map(|c| y.sample(n)[c * 2 + at]).sum();
            assert!((sum - 1.0).abs() < 1e-6, "{sum}");
        }
    }
}
