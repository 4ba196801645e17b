//! Products of layers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::broadcast::{Pairwise, pair};
use super::{Kind, Layer, Rng, Shape, Spec};
use crate::Result;

/// The product of its two inputs, which `in` lists: what a gate does (Hu, Shen and Sun, 2018). Lengths of 1 spread.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Mul {}

/// The kind `mul`.
pub(super) const KIND: Kind = Kind {
    name: "mul",
    summary: "The product of its two inputs, which `in` lists.",
    example: "use = \"mul\"\nin = [\"input\", \"input\"]\n",
    parse: super::parse::<Mul>,
    schema: super::schema::<Mul>,
};

impl Spec for Mul {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        pair(inputs)
    }

    fn build(&self, _name: &str, inputs: &[Shape], _rng: Rng) -> Result<Box<dyn Layer>> {
        self.output(inputs)?;
        Ok(Box::new(Pairwise { of: |a, b| a * b, slopes: |a, b| [b, a] }))
    }
}
