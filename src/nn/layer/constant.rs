//! Numbers that do not depend on the input.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Grads, Kind, Layer, Mode, Reach, Rng, Saved, Shape, Spec, Tensor, expect_gradient, one};
use crate::nn::Param;
use crate::{Error, Result};

/// The same learned numbers for every sample, to add to or multiply with what layers give. Of its input
/// it takes the length of the batch alone.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Constant {
    /// The shape of the numbers. Lengths of 1 spread in `add`, `sub`, `mul` and `div`.
    #[schemars(length(min = 1, max = 5))]
    pub shape: Vec<usize>,
}

/// The kind `constant`.
pub(super) const KIND: Kind = Kind {
    name: "constant",
    summary: "The same learned numbers for every sample.",
    example: "use = \"constant\"\nshape = [3, 1, 1]\n",
    parse: super::parse::<Constant>,
    schema: super::schema::<Constant>,
};

impl Spec for Constant {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        one(inputs)?;
        Shape::new(&self.shape)
    }

    fn reach(&self) -> Reach {
        Reach::All
    }

    fn build(&self, name: &str, inputs: &[Shape], _rng: Rng) -> Result<Box<dyn Layer>> {
        Ok(Box::new(Built { value: Param::new(name, "value", Tensor::zeros(self.output(inputs)?)) }))
    }

    fn parameters(&self, inputs: &[Shape]) -> Result<usize> {
        Ok(self.output(inputs)?.count())
    }
}

#[derive(Debug)]
struct Built {
    value: Param,
}

impl Layer for Built {
    fn params(&self) -> Vec<&Param> {
        vec![&self.value]
    }

    fn params_mut(&mut self) -> Vec<&mut Param> {
        vec![&mut self.value]
    }

    fn forward(&self, inputs: &[&Tensor], mode: &Mode) -> Result<(Tensor, Saved)> {
        let x = *one(inputs)?;
        if x.shape().is_empty() {
            return Err(Error::shape("expected a batch, got a number"));
        }
        let shape = self.value.value.shape().batched(x.samples())?;
        let y = self.value.value.data().repeat(x.samples());
        Ok((Tensor::from_vec(shape, y)?, Saved::new(mode, x.shape())))
    }

    fn backward(&self, saved: &Saved, dy: &Tensor, grads: &mut Grads, need_dx: bool) -> Result<Vec<Tensor>> {
        let samples = saved.input.first().copied().unwrap_or_default();
        let shape = self.value.value.shape();
        expect_gradient(dy, shape.batched(samples)?)?;
        if grads.wants(&self.value.name) {
            let mut sum = Tensor::zeros(shape);
            for n in 0..samples {
                sum.data_mut().iter_mut().zip(dy.sample(n)).for_each(|(sum, dy)| *sum += dy);
            }
            grads.add(&self.value.name, sum)?;
        }
        Ok(if need_dx { vec![Tensor::zeros(saved.input)] } else { Vec::new() })
    }
}
