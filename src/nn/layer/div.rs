//! Quotients of layers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::broadcast::{Pairwise, pair};
use super::{Kind, Layer, Rng, Shape, Spec};
use crate::Result;

/// The first of its two inputs divided by the second. Lengths of 1 spread.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Div {}

/// The kind `div`.
pub(super) const KIND: Kind = Kind {
    name: "div",
    summary: "The quotient of its two inputs, which `in` lists.",
    example: "use = \"div\"\nin = [\"input\", \"input\"]\n",
    parse: super::parse::<Div>,
    schema: super::schema::<Div>,
};

impl Spec for Div {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        pair(inputs)
    }

    fn build(&self, _name: &str, inputs: &[Shape], _rng: Rng) -> Result<Box<dyn Layer>> {
        self.output(inputs)?;
        Ok(Box::new(Pairwise { of: |a, b| a / b, slopes: |a, b| [1.0 / b, -a / (b * b)] }))
    }
}
