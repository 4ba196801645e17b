//! Rectifier.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Grads, Kind, Layer, Lowered, Mode, Rng, Saved, Shape, Spec, Tensor, map, map_backward, one};
use crate::Result;
use crate::kernel::nhwc::Activation;

/// `y = max(x, 0)`, with slope 0 at 0 (Nair and Hinton, 2010).
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Relu {}

/// The kind `relu`.
pub(super) const KIND: Kind = Kind {
    name: "relu",
    summary: "Negative values become 0.",
    example: "use = \"relu\"\n",
    parse: super::parse::<Relu>,
    schema: super::schema::<Relu>,
};

impl Spec for Relu {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        one(inputs).copied()
    }

    fn build(&self, _name: &str, _inputs: &[Shape], _rng: Rng) -> Result<Box<dyn Layer>> {
        Ok(Box::new(*self))
    }
}

impl Layer for Relu {
    fn lower(&self) -> Lowered {
        Lowered::Activation(Activation::Relu)
    }

    fn forward(&self, inputs: &[&Tensor], mode: &Mode) -> Result<(Tensor, Saved)> {
        // Written so that NaN goes through.
        map(inputs, mode, |x| if x < 0.0 { 0.0 } else { x })
    }

    fn backward(&self, saved: &Saved, dy: &Tensor, _grads: &mut Grads, need_dx: bool) -> Result<Vec<Tensor>> {
        map_backward(saved, dy, need_dx, |y| if y > 0.0 { 1.0 } else { 0.0 })
    }
}
