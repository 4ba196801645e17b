//! The largest value of each channel of a sequence.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Grads, Kind, Layer, Mode, Reach, Rng, Saved, Shape, Spec, Tensor, expect_gradient, one};
use crate::{Error, Result};

/// The largest value of each channel over all positions: what a text net keeps of each filter
/// (Collobert et al., 2011; Kim, 2014). Of equal values the first gets the gradient; NaN is larger
/// than any number.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MaxOverTime {}

/// The kind `max-over-time`.
pub(super) const KIND: Kind = Kind {
    name: "max-over-time",
    summary: "The largest value of each channel of a sequence.",
    example: "use = \"max-over-time\"\n",
    parse: super::parse::<MaxOverTime>,
    schema: super::schema::<MaxOverTime>,
};

impl Spec for MaxOverTime {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let input = one(inputs)?;
        match **input {
            [channels, length] if length > 0 => Shape::new(&[channels]),
            _ => Err(Error::shape(format!("expected a sequence `[channels, length]`, got {input}"))),
        }
    }

    fn reach(&self) -> Reach {
        Reach::All
    }

    fn build(&self, _name: &str, inputs: &[Shape], _rng: Rng) -> Result<Box<dyn Layer>> {
        self.output(inputs)?;
        Ok(Box::new(Built))
    }
}

#[derive(Debug)]
struct Built;

/// The index of the first largest value.
fn first_largest(values: &[f32]) -> usize {
    let mut best = 0;
    for (at, value) in values.iter().enumerate() {
        if *value > values[best] || (value.is_nan() && !values[best].is_nan()) {
            best = at;
        }
    }
    best
}

impl Layer for Built {
    /// # Shapes
    /// `[n, c, l]` to `[n, c]`.
    fn forward(&self, inputs: &[&Tensor], mode: &Mode) -> Result<(Tensor, Saved)> {
        let x = *one(inputs)?;
        let sample = x.shape().sample();
        let shape = MaxOverTime {}.output(&[sample])?.batched(x.samples())?;
        let rows = x.data().chunks_exact(sample[1]);
        let indices: Vec<u32> = rows.clone().map(|row| first_largest(row) as u32).collect();
        let y = rows.zip(&indices).map(|(row, &at)| row[at as usize]).collect();
        Ok((Tensor::from_vec(shape, y)?, Saved { indices, ..Saved::new(mode, x.shape()) }))
    }

    fn backward(&self, saved: &Saved, dy: &Tensor, _grads: &mut Grads, need_dx: bool) -> Result<Vec<Tensor>> {
        let sample = saved.input.sample();
        expect_gradient(dy, MaxOverTime {}.output(&[sample])?.batched(saved.input[0])?)?;
        if !need_dx {
            return Ok(Vec::new());
        }
        let mut dx = Tensor::zeros(saved.input);
        let rows = dx.data_mut().chunks_exact_mut(sample[1]);
        for ((row, &at), dy) in rows.zip(&saved.indices).zip(dy.data()) {
            row[at as usize] = *dy;
        }
        Ok(vec![dx])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equal_values_is_taken() {
        assert_eq!(first_largest(&[1.0, 3.0, 3.0, 2.0]), 1);
        assert_eq!(first_largest(&[1.0, f32::NAN, 3.0, f32::NAN]), 1);
        assert!(MaxOverTime {}.output(&[Shape::new(&[2, 3, 3]).unwrap()]).is_err());
        assert!(MaxOverTime {}.output(&[Shape::new(&[2, 0]).unwrap()]).is_err());
    }
}
