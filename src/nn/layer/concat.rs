//! Joining of layers along their channels.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Grads, Kind, Layer, Lowered, Mode, Rng, Saved, Shape, Spec, Tensor, expect_gradient};
use crate::{Error, Result};

/// Two or more inputs one after another along the channels: what joins the branches of an Inception
/// block (Szegedy et al., 2015).
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Concat {}

/// The kind `concat`.
pub(super) const KIND: Kind = Kind {
    name: "concat",
    summary: "Its inputs, which `in` lists, one after another along the channels.",
    example: "use = \"concat\"\nin = [\"input\", \"input\"]\n",
    parse: super::parse::<Concat>,
    schema: super::schema::<Concat>,
};

impl Spec for Concat {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let [first, _, ..] = inputs else {
            return Err(Error::shape(format!("expected two or more inputs, got {}", inputs.len()))
                .with_hint("name them: `in = [\"first\", \"second\"]`"));
        };
        if let Some(other) = inputs
            .iter()
            .find(|input| input.is_empty() || input.len() != first.len() || input[1..] != first[1..])
        {
            return Err(Error::shape(format!(
                "expected inputs that differ in their channels alone, got {first} and {other}"
            )));
        }
        let mut lengths = first.to_vec();
        lengths[0] = inputs.iter().map(|input| input[0]).sum();
        Shape::new(&lengths)
    }

    fn build(&self, _name: &str, inputs: &[Shape], _rng: Rng) -> Result<Box<dyn Layer>> {
        self.output(inputs)?;
        Ok(Box::new(Built { inputs: inputs.to_vec() }))
    }
}

#[derive(Debug)]
struct Built {
    /// The shapes of one sample of each input.
    inputs: Vec<Shape>,
}

impl Layer for Built {
    fn lower(&self) -> Lowered {
        Lowered::Concat
    }

    /// # Shapes
    /// `[n, c1, ...]`, `[n, c2, ...]`, ... to `[n, c1 + c2 + ..., ...]`.
    fn forward(&self, inputs: &[&Tensor], mode: &Mode) -> Result<(Tensor, Saved)> {
        let samples: Vec<Shape> = inputs.iter().map(|input| input.shape().sample()).collect();
        let shape = Concat {}.output(&samples)?;
        let batch = inputs.first().map_or(0, |input| input.samples());
        if let Some(other) = inputs.iter().find(|input| input.samples() != batch) {
            return Err(Error::shape(format!(
                "expected batches of one length, got {batch} and {}",
                other.samples()
            )));
        }
        let mut y = Vec::with_capacity(batch * shape.count());
        for n in 0..batch {
            for input in inputs {
                y.extend_from_slice(input.sample(n));
            }
        }
        let y = Tensor::from_vec(shape.batched(batch)?, y)?;
        let saved = Saved::new(mode, y.shape());
        let indices = samples.iter().map(|sample| sample[0] as u32).collect();
        Ok((y, Saved { indices, ..saved }))
    }

    fn backward(&self, saved: &Saved, dy: &Tensor, _grads: &mut Grads, need_dx: bool) -> Result<Vec<Tensor>> {
        expect_gradient(dy, saved.input)?;
        if !need_dx {
            return Ok(Vec::new());
        }
        let mut start = 0;
        let mut gradients = Vec::with_capacity(self.inputs.len());
        // The sizes of this batch's inputs, which may differ from those the net was built for.
        let area = saved.input[2..].iter().product::<usize>();
        for &count in &saved.indices {
            let mut lengths = saved.input.to_vec();
            lengths[1] = count as usize;
            let len = count as usize * area;
            let part = (0..dy.samples()).flat_map(|n| dy.sample(n)[start..start + len].iter().copied());
            gradients.push(Tensor::from_vec(Shape::new(&lengths)?, part.collect())?);
            start += len;
        }
        Ok(gradients)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_follow_each_other() {
        let shape = |lengths: &[usize]| Shape::new(lengths).unwrap();
        let inputs = [shape(&[1, 2, 2]), shape(&[2, 2, 2])];
        assert_eq!(Concat {}.output(&inputs).unwrap(), shape(&[3, 2, 2]));
        let layer = Concat {}.build("it", &inputs, Rng::new(0)).unwrap();
        let a = Tensor::from_fn(inputs[0].batched(2).unwrap(), |i| i as f32);
        let b = Tensor::from_fn(inputs[1].batched(2).unwrap(), |i| 100.0 + i as f32);
        let (y, saved) = layer.forward(&[&a, &b], &Mode::training(Rng::new(0))).unwrap();
        assert_eq!(y.sample(1)[3..6], [7.0, 108.0, 109.0]);
        let dx = layer.backward(&saved, &y, &mut Grads::default(), true).unwrap();
        assert_eq!(dx, [a, b]);
        let error = Concat {}.output(&[shape(&[1, 2, 2]), shape(&[1, 2, 3])]).unwrap_err();
        assert!(error.message().contains("[1, 2, 2] and [1, 2, 3]"), "{error}");
    }
}
