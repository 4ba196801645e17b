//! The leaky rectifier.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Grads, Kind, Layer, Lowered, Mode, Rng, Saved, Shape, Spec, Tensor, expect_gradient, one};
use crate::kernel::nhwc::Activation;
use crate::nn::parallel::{map_elements, zip_elements};
use crate::{Error, Result};

/// `x` where it is positive, else `slope * x` (Maas, Hannun and Ng, 2013).
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct LeakyRelu {
    /// What negative values are multiplied by.
    pub slope: f32,
}

impl Default for LeakyRelu {
    fn default() -> Self {
        Self { slope: 0.01 }
    }
}

/// The kind `leaky-relu`.
pub(super) const KIND: Kind = Kind {
    name: "leaky-relu",
    summary: "Negative values shrink.",
    example: "use = \"leaky-relu\"\nslope = 0.1\n",
    parse: super::parse::<LeakyRelu>,
    schema: super::schema::<LeakyRelu>,
};

impl Spec for LeakyRelu {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        if !self.slope.is_finite() {
            return Err(Error::pipeline(format!("`slope` must be a number, got {}", self.slope)));
        }
        one(inputs).copied()
    }

    fn build(&self, _name: &str, inputs: &[Shape], _rng: Rng) -> Result<Box<dyn Layer>> {
        self.output(inputs)?;
        Ok(Box::new(Built { slope: self.slope }))
    }
}

#[derive(Debug)]
struct Built {
    slope: f32,
}

impl Built {
    fn factor(&self, x: f32) -> f32 {
        if x > 0.0 { 1.0 } else { self.slope }
    }
}

impl Layer for Built {
    fn lower(&self) -> Lowered {
        // A maximum of `x` and `slope * x` for these slopes alone.
        if (0.0..=1.0).contains(&self.slope) {
            return Lowered::Activation(Activation::Leaky(self.slope));
        }
        Lowered::Opaque
    }

    fn forward(&self, inputs: &[&Tensor], mode: &Mode) -> Result<(Tensor, Saved)> {
        let x = *one(inputs)?;
        let y = map_elements(mode.isa, x.data(), |x| x * self.factor(x));
        Ok((Tensor::from_vec(x.shape(), y)?, Saved::new(mode, x.shape()).with(mode, x)))
    }

    fn backward(&self, saved: &Saved, dy: &Tensor, _grads: &mut Grads, need_dx: bool) -> Result<Vec<Tensor>> {
        if !need_dx {
            return Ok(Vec::new());
        }
        let x = saved.tensor()?;
        expect_gradient(dy, x.shape())?;
        let dx = zip_elements(saved.isa, x.data(), dy.data(), |x, dy| dy * self.factor(x));
        Ok(vec![Tensor::from_vec(dy.shape(), dx)?])
    }
}
