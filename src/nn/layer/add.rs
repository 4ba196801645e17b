//! Sums of layers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Grads, Kind, Layer, Lowered, Mode, Rng, Saved, Shape, Spec, Tensor, expect_gradient};
use crate::{Error, Result};

/// The sum of two or more inputs of one shape: what closes a residual connection (He, Zhang, Ren and
/// Sun, 2016).
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
        let [first, second, rest @ ..] = inputs else {
            return Err(Error::shape(format!("expected two or more inputs, got {}", inputs.len()))
                .with_hint("name them: `in = [\"first\", \"second\"]`"));
        };
        match std::iter::once(second).chain(rest).find(|input| *input != first) {
            Some(other) => {
                Err(Error::shape(format!("expected inputs of one shape, got {first} and {other}")))
            }
            None => Ok(*first),
        }
    }

    fn build(&self, _name: &str, _inputs: &[Shape], _rng: Rng) -> Result<Box<dyn Layer>> {
        Ok(Box::new(Built))
    }
}

#[derive(Debug)]
struct Built;

impl Layer for Built {
    fn lower(&self) -> Lowered {
        Lowered::Sum
    }

    fn forward(&self, inputs: &[&Tensor], mode: &Mode) -> Result<(Tensor, Saved)> {
        let [first, rest @ ..] = inputs else { return Err(Error::shape("expected inputs, got none")) };
        // Shared with its owner, so that the first sum goes to memory of its own.
        let mut sum = (*first).clone();
        for term in rest {
            sum.add(term)?;
        }
        let saved = Saved::new(mode, first.shape());
        Ok((sum, Saved { indices: vec![inputs.len() as u32], ..saved }))
    }

    fn backward(&self, saved: &Saved, dy: &Tensor, _grads: &mut Grads, need_dx: bool) -> Result<Vec<Tensor>> {
        expect_gradient(dy, saved.input)?;
        let inputs = saved.indices.first().copied().unwrap_or_default();
        Ok(if need_dx { vec![dy.clone(); inputs as usize] } else { Vec::new() })
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
        assert_eq!(error.message(), "expected inputs of one shape, got [2, 3, 3] and [2, 4, 4]");
    }
}
