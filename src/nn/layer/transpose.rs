//! Another order of the axes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::gather::{Axis, Gather, Place};
use super::{Kind, Layer, Rng, Shape, Spec, one};
use crate::{Error, Result};

/// The axes of a sample in another order.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Transpose {
    /// Which axis of the input each axis of the output is; 0 is that of the channels.
    #[schemars(length(min = 1, max = 5))]
    pub order: Vec<usize>,
}

/// The kind `transpose`.
pub(super) const KIND: Kind = Kind {
    name: "transpose",
    summary: "The axes of a sample in another order.",
    example: "use = \"transpose\"\norder = [1, 0]\n",
    parse: super::parse::<Transpose>,
    schema: super::schema::<Transpose>,
};

impl Spec for Transpose {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let input = one(inputs)?;
        let mut sorted = self.order.clone();
        sorted.sort_unstable();
        if !sorted.into_iter().eq(0..input.len()) {
            return Err(Error::shape(format!(
                "expected each axis of {input} once in `order`, got {:?}",
                self.order
            )));
        }
        Shape::new(&self.order.iter().map(|&axis| input[axis]).collect::<Vec<_>>())
    }

    fn build(&self, _name: &str, inputs: &[Shape], _rng: Rng) -> Result<Box<dyn Layer>> {
        let output = self.output(inputs)?;
        let axes = self.order.iter().zip(output.iter());
        let axes = axes.map(|(&along, &len)| Axis { along, len, place: Place::Same }).collect();
        Ok(Box::new(Gather { input: *one(inputs)?, axes, fill: 0.0 }))
    }
}
