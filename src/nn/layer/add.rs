//! Sums of layers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::broadcast::{gathered, samples, spread, widened};
use super::{Grads, Kind, Layer, Lowered, Mode, Rng, Saved, Shape, Spec, Tensor, expect_gradient};
use crate::{Error, Result};

/// The sum of two or more inputs of one shape: what closes a residual connection (He, Zhang, Ren and
/// Sun, 2016). Lengths of 1 spread.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Add {}

/// The kind `add`.
pub(super) const KIND: Kind = Kind {
    name: "add",
    summary: "The sum of its inputs, which `in` lists.",
    example: "use = \"add\"\nin = [\"input\", \"input\"]\n",
    parse: super::parse::<Add>,
    schema: super::schema::<Add>,
};

impl Spec for Add {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        spread(inputs)
    }

    fn build(&self, _name: &str, inputs: &[Shape], _rng: Rng) -> Result<Box<dyn Layer>> {
        self.output(inputs)?;
        Ok(Box::new(Built { inputs: inputs.to_vec() }))
    }
}

#[derive(Debug)]
struct Built {
    /// The shapes of one sample of each input.
    inputs: Vec<Shape>,
}

impl Layer for Built {
    fn lower(&self) -> Lowered {
        if self.inputs.windows(2).all(|pair| pair[0] == pair[1]) { Lowered::Sum } else { Lowered::Opaque }
    }

    fn forward(&self, inputs: &[&Tensor], mode: &Mode) -> Result<(Tensor, Saved)> {
        let wide = spread(&samples(inputs)?)?;
        let [first, rest @ ..] = inputs else { return Err(Error::shape("expected inputs, got none")) };
        let mut sum = widened(first, wide)?;
        for term in rest {
            sum.add(&widened(term, wide)?)?;
        }
        let saved = Saved::new(mode, sum.shape());
        Ok((sum, saved))
    }

    fn backward(&self, saved: &Saved, dy: &Tensor, _grads: &mut Grads, need_dx: bool) -> Result<Vec<Tensor>> {
        expect_gradient(dy, saved.input)?;
        if !need_dx {
            return Ok(Vec::new());
        }
        self.inputs.iter().map(|&small| gathered(dy, small)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_must_be_two_of_one_shape() {
        let shape = |side: usize| Shape::new(&[2, side, side]).unwrap();
        assert_eq!(Add {}.output(&[shape(3), shape(3), shape(3)]).unwrap(), shape(3));
        assert!(Add {}.output(&[shape(3)]).is_err());
        let error = Add {}.output(&[shape(3), shape(3), shape(4)]).unwrap_err();
        assert_eq!(
            error.message(),
            "expected inputs of one shape, or with lengths of 1 that spread, got [2, 3, 3] and [2, 4, 4]"
        );
        assert_eq!(Add {}.output(&[shape(3), shape(1)]).unwrap(), shape(3));
    }
}
