//! Differences of layers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::broadcast::{Pairwise, pair};
use super::{Kind, Layer, Rng, Shape, Spec};
use crate::Result;

/// The first of its two inputs less the second. Lengths of 1 spread.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sub {}

/// The kind `sub`.
pub(super) const KIND: Kind = Kind {
    name: "sub",
    summary: "The difference of its two inputs, which `in` lists.",
    example: "use = \"sub\"\nin = [\"input\", \"input\"]\n",
    parse: super::parse::<Sub>,
    schema: super::schema::<Sub>,
};

impl Spec for Sub {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        pair(inputs)
    }

    fn build(&self, _name: &str, inputs: &[Shape], _rng: Rng) -> Result<Box<dyn Layer>> {
        self.output(inputs)?;
        Ok(Box::new(Pairwise { of: |a, b| a - b, slopes: |_, _| [1.0, -1.0] }))
    }
}
