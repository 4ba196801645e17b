//! Convolution of sequences.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::affine::{Affine, check_groups, once, yes};
use super::{Grads, Kind, Layer, Mode, Reach, Rng, Saved, Shape, Spec, Tensor, one};
use crate::nn::conv2d::{conv2d, conv2d_bias_grad, conv2d_input_grad, conv2d_weight_grad};
use crate::nn::{Param, Window};
use crate::{Error, Result};

/// Filters that slide along a sequence `[channels, length]`: n-grams of `kernel` words, where the
/// channels are those of an embedding. It is correlation: the filters are not flipped.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Conv1d {
    /// Number of filters, which is the number of output channels.
    #[schemars(range(min = 1))]
    pub out: usize,
    /// Filter length K.
    #[schemars(range(min = 1))]
    pub kernel: usize,
    /// Padding P with zeros at each end.
    #[serde(default)]
    pub padding: usize,
    /// Stride S.
    #[serde(default = "once")]
    #[schemars(range(min = 1))]
    pub stride: usize,
    /// Distance of neighbouring filter taps.
    #[serde(default = "once")]
    #[schemars(range(min = 1))]
    pub dilation: usize,
    /// Groups that channels and filters are divided into; a filter sees the channels of its group.
    #[serde(default = "once")]
    #[schemars(range(min = 1))]
    pub groups: usize,
    /// Whether each filter adds a number of its own.
    #[serde(default = "yes")]
    pub bias: bool,
}

/// The kind `conv1d`.
pub(super) const KIND: Kind = Kind {
    name: "conv1d",
    summary: "Filters slide along a sequence.",
    example: "use = \"conv1d\"\nout = 4\nkernel = 3\n",
    parse: super::parse::<Conv1d>,
    schema: super::schema::<Conv1d>,
};

/// Channels and length of a sequence.
fn sequence(input: &Shape) -> Result<[usize; 2]> {
    <[usize; 2]>::try_from(&**input)
        .map_err(|_| Error::shape(format!("expected a sequence `[channels, length]`, got {input}")))
}

impl Conv1d {
    /// `out` filters of `kernel` positions, without padding, stride 1.
    pub fn new(out: usize, kernel: usize) -> Self {
        Self { out, kernel, padding: 0, stride: 1, dilation: 1, groups: 1, bias: true }
    }

    /// The window over an image of one row.
    fn window(&self) -> Window {
        Window {
            kernel: [1, self.kernel],
            stride: [1, self.stride],
            padding: [0, self.padding, 0, self.padding],
            dilation: [1, self.dilation],
        }
    }

    /// The shape of the weight: `[out, channels / groups, kernel]`.
    fn weight(&self, inputs: &[Shape]) -> Result<Shape> {
        let [channels, _] = sequence(one(inputs)?)?;
        check_groups(channels, self.out, self.groups)?;
        Shape::new(&[self.out, channels / self.groups, self.kernel])
    }
}

impl Spec for Conv1d {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        self.weight(inputs)?;
        let [_, length] = sequence(one(inputs)?)?;
        Shape::new(&[self.out, self.window().output([1, length])?[1]])
    }

    fn build(&self, name: &str, inputs: &[Shape], rng: Rng) -> Result<Box<dyn Layer>> {
        self.output(inputs)?;
        let shape = self.weight(inputs)?;
        let fan_in = shape.sample().count();
        let affine = Affine::new(name, shape, self.bias.then_some(self.out), fan_in, rng)?;
        Ok(Box::new(Built { affine, window: self.window(), groups: self.groups }))
    }

    fn parameters(&self, inputs: &[Shape]) -> Result<usize> {
        Ok(self.weight(inputs)?.count() + if self.bias { self.out } else { 0 })
    }

    fn reach(&self) -> Reach {
        Reach::of(&self.window())
    }

    fn multiply_adds(&self, inputs: &[Shape]) -> Result<u64> {
        Ok(self.output(inputs)?[1] as u64 * self.weight(inputs)?.count() as u64)
    }
}

#[derive(Debug)]
struct Built {
    affine: Affine,
    window: Window,
    groups: usize,
}

/// `[a, b, l]` as images of one row, `[a, b, 1, l]`.
fn as_rows(tensor: &Tensor) -> Result<Tensor> {
    match *tensor.shape() {
        [a, b, length] => tensor.reshaped(Shape::new(&[a, b, 1, length])?),
        _ => Err(Error::shape(format!("expected `[n, channels, length]`, got {}", tensor.shape()))),
    }
}

/// `[a, b, 1, l]` as `[a, b, l]`.
fn from_rows(tensor: &Tensor) -> Result<Tensor> {
    let shape = tensor.shape();
    tensor.reshaped(Shape::new(&[shape[0], shape[1], shape[3]])?)
}

impl Layer for Built {
    fn params(&self) -> Vec<&Param> {
        self.affine.params()
    }

    fn params_mut(&mut self) -> Vec<&mut Param> {
        self.affine.params_mut()
    }

    /// # Shapes
    /// `[n, c, l]` to `[n, out, ol]`.
    fn forward(&self, inputs: &[&Tensor], mode: &Mode) -> Result<(Tensor, Saved)> {
        let x = as_rows(one(inputs)?)?;
        let weight = as_rows(&self.affine.weight.value)?;
        let y = conv2d(mode.isa, &x, &weight, self.affine.bias(), &self.window, self.groups)?;
        Ok((from_rows(&y)?, Saved::new(mode, x.shape()).with(mode, &x)))
    }

    fn backward(&self, saved: &Saved, dy: &Tensor, grads: &mut Grads, need_dx: bool) -> Result<Vec<Tensor>> {
        let (isa, dy, weight) = (saved.isa, as_rows(dy)?, as_rows(&self.affine.weight.value)?);
        let weight_grad = || {
            let dw =
                conv2d_weight_grad(isa, saved.tensor()?, &dy, weight.shape(), &self.window, self.groups)?;
            from_rows(&dw)
        };
        self.affine.add_grads(grads, weight_grad, || conv2d_bias_grad(&dy))?;
        if !need_dx {
            return Ok(Vec::new());
        }
        let dx = conv2d_input_grad(isa, &dy, &weight, saved.input, &self.window, self.groups)?;
        Ok(vec![from_rows(&dx)?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_is_counted_as_an_image_of_one_row() {
        let spec = Conv1d { padding: 2, ..Conv1d::new(100, 3) };
        let input = [Shape::new(&[300, 20]).unwrap()];
        assert_eq!(&*spec.output(&input).unwrap(), [100, 22]);
        assert_eq!(spec.parameters(&input).unwrap(), 100 * 901);
        assert_eq!(spec.multiply_adds(&input).unwrap(), 22 * 90_000);
        assert!(spec.output(&[Shape::new(&[300]).unwrap()]).is_err());
        assert!(Conv1d { groups: 7, ..spec }.output(&input).is_err());
    }
}
