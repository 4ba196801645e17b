//! A fixed factor and a fixed offset.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Grads, Kind, Layer, Mode, Rng, Saved, Shape, Spec, Tensor, map, map_backward, one};
use crate::{Error, Result};

/// `factor * x + offset`, with numbers that no training changes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Scale {
    /// What values are multiplied by.
    pub factor: f32,
    /// What is added after that.
    pub offset: f32,
}

impl Default for Scale {
    fn default() -> Self {
        Self { factor: 1.0, offset: 0.0 }
    }
}

/// The kind `scale`.
pub(super) const KIND: Kind = Kind {
    name: "scale",
    summary: "Values times a fixed factor, plus a fixed offset.",
    example: "use = \"scale\"\nfactor = 2.0\noffset = -1.0\n",
    parse: super::parse::<Scale>,
    schema: super::schema::<Scale>,
};

impl Spec for Scale {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        if !(self.factor.is_finite() && self.offset.is_finite()) {
            return Err(Error::pipeline(format!(
                "`factor` and `offset` must be numbers, got {} and {}",
                self.factor, self.offset
            )));
        }
        one(inputs).copied()
    }

    fn build(&self, _name: &str, inputs: &[Shape], _rng: Rng) -> Result<Box<dyn Layer>> {
        self.output(inputs)?;
        Ok(Box::new(Built { spec: *self }))
    }
}

#[derive(Debug)]
struct Built {
    spec: Scale,
}

impl Layer for Built {
    fn forward(&self, inputs: &[&Tensor], mode: &Mode) -> Result<(Tensor, Saved)> {
        map(inputs, mode, |x| self.spec.factor * x + self.spec.offset)
    }

    fn backward(&self, saved: &Saved, dy: &Tensor, _grads: &mut Grads, need_dx: bool) -> Result<Vec<Tensor>> {
        map_backward(saved, dy, need_dx, |_| self.spec.factor)
    }
}
