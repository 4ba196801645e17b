//! The exponential linear unit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Grads, Kind, Layer, Mode, Rng, Saved, Shape, Spec, Tensor, map, map_backward, one};
use crate::{Error, Result};

/// `x` where it is positive, else `alpha * (exp(x) - 1)` (Clevert, Unterthiner and Hochreiter, 2016).
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Elu {
    /// Minus the value that large negative inputs come near to, positive.
    #[schemars(range(min = 0.0))]
    pub alpha: f32,
}

impl Default for Elu {
    fn default() -> Self {
        Self { alpha: 1.0 }
    }
}

/// The kind `elu`.
pub(super) const KIND: Kind = Kind {
    name: "elu",
    summary: "Negative values come near to a bound.",
    example: "use = \"elu\"\nalpha = 1.0\n",
    parse: super::parse::<Elu>,
    schema: super::schema::<Elu>,
};

impl Spec for Elu {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        // A positive `alpha` makes the sign of the output that of the input.
        if !(self.alpha > 0.0 && self.alpha.is_finite()) {
            return Err(Error::pipeline(format!("`alpha` must be positive, got {}", self.alpha)));
        }
        one(inputs).copied()
    }

    fn build(&self, _name: &str, inputs: &[Shape], _rng: Rng) -> Result<Box<dyn Layer>> {
        self.output(inputs)?;
        Ok(Box::new(Built { alpha: self.alpha }))
    }
}

#[derive(Debug)]
struct Built {
    alpha: f32,
}

impl Layer for Built {
    fn forward(&self, inputs: &[&Tensor], mode: &Mode) -> Result<(Tensor, Saved)> {
        map(inputs, mode, |x| if x > 0.0 { x } else { self.alpha * libm::expm1f(x) })
    }

    fn backward(&self, saved: &Saved, dy: &Tensor, _grads: &mut Grads, need_dx: bool) -> Result<Vec<Tensor>> {
        map_backward(saved, dy, need_dx, |y| if y > 0.0 { 1.0 } else { y + self.alpha })
    }
}
