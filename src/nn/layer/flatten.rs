//! From images to vectors.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Grads, Kind, Layer, Lowered, Mode, Rng, Saved, Shape, Spec, Tensor, one};
use crate::Result;

/// All axes of a sample become one: channel after channel, row after row.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Flatten {}

/// The kind `flatten`.
pub(super) const KIND: Kind = Kind {
    name: "flatten",
    summary: "The axes of a sample become one, channel after channel, row after row.",
    example: "use = \"flatten\"\n",
    parse: super::parse::<Flatten>,
    schema: super::schema::<Flatten>,
};

impl Spec for Flatten {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        Shape::new(&[one(inputs)?.count()])
    }

    fn build(&self, _name: &str, _inputs: &[Shape], _rng: Rng) -> Result<Box<dyn Layer>> {
        Ok(Box::new(*self))
    }
}

impl Layer for Flatten {
    fn lower(&self) -> Lowered {
        Lowered::Flatten
    }

    fn forward(&self, inputs: &[&Tensor], mode: &Mode) -> Result<(Tensor, Saved)> {
        let x = *one(inputs)?;
        let flat = Shape::new(&[x.samples(), x.shape().sample().count()])?;
        Ok((x.reshaped(flat)?, Saved::new(mode, x.shape())))
    }

    fn backward(&self, saved: &Saved, dy: &Tensor, _grads: &mut Grads, need_dx: bool) -> Result<Vec<Tensor>> {
        if need_dx { Ok(vec![dy.reshaped(saved.input)?]) } else { Ok(Vec::new()) }
    }
}
