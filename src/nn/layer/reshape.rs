//! Another shape for the same values.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Grads, Kind, Layer, Mode, Rng, Saved, Shape, Spec, Tensor, one};
use crate::Result;

/// The same values in another shape, which has as many of them.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Reshape {
    /// The shape of one sample.
    #[schemars(length(min = 1, max = 5))]
    pub shape: Vec<usize>,
}

/// The kind `reshape`.
pub(super) const KIND: Kind = Kind {
    name: "reshape",
    summary: "The same values in another shape.",
    example: "use = \"reshape\"\nshape = [2, 3, 3]\n",
    parse: super::parse::<Reshape>,
    schema: super::schema::<Reshape>,
};

impl Spec for Reshape {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let (input, shape) = (one(inputs)?, Shape::new(&self.shape)?);
        if input.count() != shape.count() {
            let (wanted, got) = (shape.count(), input.count());
            return Err(crate::Error::shape(format!(
                "expected an input of {wanted} values for {shape}, got {input} with {got}"
            )));
        }
        Ok(shape)
    }

    fn build(&self, _name: &str, inputs: &[Shape], _rng: Rng) -> Result<Box<dyn Layer>> {
        Ok(Box::new(Built { shape: self.output(inputs)? }))
    }
}

#[derive(Debug)]
struct Built {
    shape: Shape,
}

impl Layer for Built {
    fn forward(&self, inputs: &[&Tensor], mode: &Mode) -> Result<(Tensor, Saved)> {
        let x = *one(inputs)?;
        Ok((x.reshaped(self.shape.batched(x.samples())?)?, Saved::new(mode, x.shape())))
    }

    fn backward(&self, saved: &Saved, dy: &Tensor, _grads: &mut Grads, need_dx: bool) -> Result<Vec<Tensor>> {
        Ok(if need_dx { vec![dy.reshaped(saved.input)?] } else { Vec::new() })
    }
}
