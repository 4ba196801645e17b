//! Distances to fixed codes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Grads, Kind, Layer, Mode, Reach, Rng, Saved, Shape, Spec, Tensor, expect_gradient, one};
use crate::nn::Param;
use crate::{Error, Result};

/// Minus the squared distance to a fixed code of -1 and 1 for each output, halved: the last layer of the
/// first LeNet-5 (LeCun, Bottou, Bengio and Haffner, 1998), with random codes, which the paper allows, in
/// place of little pictures of the digits. The nearest code has the largest output, as scores have.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RadialBasis {
    /// Number of outputs.
    #[schemars(range(min = 1))]
    pub out: usize,
}

/// The kind `radial-basis`.
pub(super) const KIND: Kind = Kind {
    name: "radial-basis",
    summary: "How near the input is to a fixed code for each output.",
    example: "use = \"radial-basis\"\nout = 10\n",
    parse: super::parse::<RadialBasis>,
    schema: super::schema::<RadialBasis>,
};

impl Spec for RadialBasis {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let input = one(inputs)?;
        if input.len() != 1 {
            return Err(Error::shape(format!("expected a vector `[features]`, got {input}"))
                .with_hint("put a layer with `use = \"flatten\"` before this one"));
        }
        if self.out == 0 {
            return Err(Error::pipeline("`out` must be at least 1, got 0"));
        }
        Shape::new(&[self.out])
    }

    fn reach(&self) -> Reach {
        Reach::All
    }

    fn build(&self, name: &str, inputs: &[Shape], rng: Rng) -> Result<Box<dyn Layer>> {
        self.output(inputs)?;
        let rng = rng.stream("codes");
        let shape = Shape::new(&[self.out, one(inputs)?.count()])?;
        let code = |i: usize| if rng.uniform(i as u64) < 0.5 { -1.0 } else { 1.0 };
        Ok(Box::new(Built { codes: Param::new(name, "codes", Tensor::from_fn(shape, code)) }))
    }

    fn multiply_adds(&self, inputs: &[Shape]) -> Result<u64> {
        Ok((self.out * one(inputs)?.count()) as u64)
    }
}

#[derive(Debug)]
struct Built {
    codes: Param,
}

impl Layer for Built {
    fn buffers(&self) -> Vec<&Param> {
        vec![&self.codes]
    }

    fn buffers_mut(&mut self) -> Vec<&mut Param> {
        vec![&mut self.codes]
    }

    /// # Shapes
    /// `[n, inputs]` to `[n, out]`.
    fn forward(&self, inputs: &[&Tensor], mode: &Mode) -> Result<(Tensor, Saved)> {
        let x = *one(inputs)?;
        let codes = &self.codes.value;
        let (out, features) = (codes.shape()[0], codes.shape()[1]);
        if x.shape().len() != 2 || x.shape()[1] != features {
            return Err(Error::shape(format!("expected an input of [n, {features}], got {}", x.shape())));
        }
        let mut y = Vec::with_capacity(x.samples() * out);
        for n in 0..x.samples() {
            for code in 0..out {
                let pairs = x.sample(n).iter().zip(codes.sample(code));
                y.push(-0.5 * pairs.map(|(x, code)| (x - code) * (x - code)).sum::<f32>());
            }
        }
        let y = Tensor::from_vec(Shape::new(&[x.samples(), out])?, y)?;
        Ok((y, Saved::new(mode, x.shape()).with(mode, x)))
    }

    fn backward(&self, saved: &Saved, dy: &Tensor, _grads: &mut Grads, need_dx: bool) -> Result<Vec<Tensor>> {
        let (x, codes) = (saved.tensor()?, &self.codes.value);
        expect_gradient(dy, Shape::new(&[x.samples(), codes.shape()[0]])?)?;
        if !need_dx {
            return Ok(Vec::new());
        }
        let mut dx = Tensor::zeros(x.shape());
        let features = codes.shape()[1];
        for (n, dx) in dx.data_mut().chunks_exact_mut(features.max(1)).enumerate() {
            for (code, dy) in dy.sample(n).iter().enumerate() {
                for ((dx, x), code) in dx.iter_mut().zip(x.sample(n)).zip(codes.sample(code)) {
                    *dx -= dy * (x - code);
                }
            }
        }
        Ok(vec![dx])
    }
}
