//! Another shape for the same values.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Grads, Kind, Layer, Mode, Rng, Saved, Shape, Spec, Tensor, one};
use crate::Result;

/// The same values in another shape, which has as many of them. One length may be -1: it is what the others leave,
/// so that the layer fits inputs of several sizes.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Reshape {
    /// The shape of one sample; -1 stands for what is left.
    #[schemars(length(min = 1, max = 5), inner(range(min = -1)))]
    pub shape: Vec<i64>,
}

/// The kind `reshape`.
pub(super) const KIND: Kind = Kind {
    name: "reshape",
    summary: "The same values in another shape.",
    example: "use = \"reshape\"\nshape = [2, 3, 3]\n",
    parse: super::parse::<Reshape>,
    schema: super::schema::<Reshape>,
};

impl Reshape {
    /// A shape without a length that is left open.
    #[cfg(feature = "onnx")]
    pub(crate) fn of(lengths: &[usize]) -> Self {
        Self { shape: lengths.iter().map(|&len| len as i64).collect() }
    }

    /// The lengths for inputs of so many values.
    fn lengths(&self, count: usize) -> Result<Vec<usize>> {
        let told = self.shape.iter().filter(|len| **len >= 0);
        let rest = told.fold(1usize, |product, &len| product.saturating_mul(len as usize));
        let wrong = |what: String| crate::Error::shape(what).with_hint("one length may be -1: what is left");
        if self.shape.iter().any(|len| *len < -1) || self.shape.iter().filter(|len| **len < 0).count() > 1 {
            return Err(wrong(format!("`shape` cannot be {:?}", self.shape)));
        }
        if self.shape.contains(&-1) && (rest == 0 || !count.is_multiple_of(rest)) {
            return Err(wrong(format!("{count} values cannot be shared out evenly to {:?}", self.shape)));
        }
        Ok(self.shape.iter().map(|&len| usize::try_from(len).unwrap_or(count / rest.max(1))).collect())
    }
}

impl Spec for Reshape {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let input = one(inputs)?;
        let shape = Shape::new(&self.lengths(input.count())?)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_length_may_be_left_open() {
        let gives = |shape: &[i64], input: &[usize]| {
            Reshape { shape: shape.to_vec() }
                .output(&[Shape::new(input).unwrap()])
                .map(|shape| shape.to_vec())
        };
        assert_eq!(gives(&[-1, 4], &[4, 3, 5]).unwrap(), [15, 4]);
        assert_eq!(gives(&[4, -1, 2], &[6, 4]).unwrap(), [4, 3, 2]);
        assert_eq!(gives(&[2, 12], &[6, 4]).unwrap(), [2, 12]);
        for wrong in [&[-1, 5][..], &[-1, -1], &[-2, 12], &[-1, 0], &[2, 11]] {
            assert!(gives(wrong, &[6, 4]).is_err(), "{wrong:?}");
        }
    }
}
