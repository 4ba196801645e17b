//! Logistic function.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Grads, Kind, Layer, Mode, Rng, Saved, Shape, Spec, Tensor, map, map_backward, one};
use crate::Result;

/// `y = 1 / (1 + exp(-x))`, between 0 and 1.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sigmoid {}

/// The kind `sigmoid`.
pub(super) const KIND: Kind = Kind {
    name: "sigmoid",
    summary: "Values go through the logistic function, into 0..1.",
    example: "use = \"sigmoid\"\n",
    parse: super::parse::<Sigmoid>,
    schema: super::schema::<Sigmoid>,
};

impl Spec for Sigmoid {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        one(inputs).copied()
    }

    fn build(&self, _name: &str, _inputs: &[Shape], _rng: Rng) -> Result<Box<dyn Layer>> {
        Ok(Box::new(*self))
    }
}

impl Layer for Sigmoid {
    fn forward(&self, inputs: &[&Tensor], mode: &Mode) -> Result<(Tensor, Saved)> {
        map(inputs, mode, |x| 1.0 / (1.0 + libm::expf(-x)))
    }

    fn backward(&self, saved: &Saved, dy: &Tensor, _grads: &mut Grads, need_dx: bool) -> Result<Vec<Tensor>> {
        map_backward(saved, dy, need_dx, |y| y * (1.0 - y))
    }
}
