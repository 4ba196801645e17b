//! Hyperbolic tangent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Grads, Kind, Layer, Mode, Rng, Saved, Shape, Spec, Tensor, map, map_backward, one};
use crate::Result;

/// `y = tanh(x)`, between -1 and 1.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tanh {}

/// The kind `tanh`.
pub(super) const KIND: Kind = Kind {
    name: "tanh",
    summary: "Values go through the hyperbolic tangent, into -1..1.",
    example: "use = \"tanh\"\n",
    parse: super::parse::<Tanh>,
    schema: super::schema::<Tanh>,
};

impl Spec for Tanh {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        one(inputs).copied()
    }

    fn build(&self, _name: &str, _inputs: &[Shape], _rng: Rng) -> Result<Box<dyn Layer>> {
        Ok(Box::new(*self))
    }
}

impl Layer for Tanh {
    fn forward(&self, inputs: &[&Tensor], mode: &Mode) -> Result<(Tensor, Saved)> {
        map(inputs, mode, libm::tanhf)
    }

    fn backward(&self, saved: &Saved, dy: &Tensor, _grads: &mut Grads, need_dx: bool) -> Result<Vec<Tensor>> {
        map_backward(saved, dy, need_dx, |y| 1.0 - y * y)
    }
}
