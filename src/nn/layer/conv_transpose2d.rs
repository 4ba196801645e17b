//! Transposed convolution.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::affine::{Affine, check_groups, every_pixel, no_padding, once, yes};
use super::{Grads, Kind, Layer, Mode, Reach, Rng, Saved, Shape, Spec, Tensor, expect_gradient, image, one};
use crate::nn::conv2d::{axes, conv2d, conv2d_bias_grad, conv2d_input_grad, conv2d_weight_grad};
use crate::nn::{Padding, Pair, Param, Window};
use crate::{Error, Result};

/// The input gradient of a convolution as a layer: each input value spreads a filter over the output
/// (Zeiler, Taylor and Fergus, 2011). Output `(N - 1) S - 2 P + D (K - 1) + 1 + output padding`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ConvTranspose2d {
    /// Number of output channels.
    #[schemars(range(min = 1))]
    pub out: usize,
    /// Filter size K in pixels.
    pub kernel: Pair,
    /// Pixels P that are cut from every side of the output.
    #[serde(default = "no_padding")]
    pub padding: Padding,
    /// Rows at the bottom and columns at the right that the output grows by, below the stride: of the
    /// sizes whose convolution has the input's size, which one it is.
    #[serde(default = "no_growth")]
    pub output_padding: Pair,
    /// Distance S of neighbouring filters in the output, in pixels.
    #[serde(default = "every_pixel")]
    pub stride: Pair,
    /// Distance of neighbouring filter taps in pixels.
    #[serde(default = "every_pixel")]
    pub dilation: Pair,
    /// Groups that channels and filters are divided into.
    #[serde(default = "once")]
    #[schemars(range(min = 1))]
    pub groups: usize,
    /// Whether each output channel adds a number of its own.
    #[serde(default = "yes")]
    pub bias: bool,
}

fn no_growth() -> Pair {
    Pair::One(0)
}

/// The kind `conv-transpose2d`.
pub(super) const KIND: Kind = Kind {
    name: "conv-transpose2d",
    summary: "Each value spreads a filter over a larger image.",
    example: "use = \"conv-transpose2d\"\nout = 3\nkernel = 2\nstride = 2\n",
    parse: super::parse::<ConvTranspose2d>,
    schema: super::schema::<ConvTranspose2d>,
};

impl ConvTranspose2d {
    /// `out` filters of `kernel` by `kernel` pixels, `stride` apart, without padding.
    pub fn new(out: usize, kernel: usize, stride: usize) -> Self {
        Self {
            out,
            kernel: Pair::One(kernel),
            padding: no_padding(),
            output_padding: no_growth(),
            stride: Pair::One(stride),
            dilation: every_pixel(),
            groups: 1,
            bias: true,
        }
    }

    /// The window of the convolution whose input gradient this is.
    fn window(&self) -> Window {
        Window {
            kernel: self.kernel.both(),
            stride: self.stride.both(),
            padding: self.padding.sides(),
            dilation: self.dilation.both(),
        }
    }

    /// Height and width of the output.
    fn size(&self, input: [usize; 2]) -> Result<[usize; 2]> {
        let (window, growth) = (self.window(), self.output_padding.both());
        let mut output = [0; 2];
        for axis in [0, 1] {
            let (kernel, stride, dilation) =
                (window.kernel[axis], window.stride[axis], window.dilation[axis]);
            let padding = window.padding[axis] + window.padding[axis + 2];
            if kernel == 0 || stride == 0 || dilation == 0 {
                return Err(Error::pipeline("`kernel`, `stride` and `dilation` must be at least 1"));
            }
            let largest = [kernel, stride, dilation, input[axis], padding].into_iter().max();
            if largest > Some(1 << 24) {
                return Err(Error::limit(
                    "kernel, stride, dilation, padding and image are limited to 16777216",
                ));
            }
            if growth[axis] >= stride {
                return Err(Error::pipeline(format!(
                    "`output-padding` must be below the stride of {stride}, got {}",
                    growth[axis]
                )));
            }
            let reach = dilation * (kernel - 1) + 1;
            let full = input[axis].saturating_sub(1) * stride + reach + growth[axis];
            match full.checked_sub(padding) {
                Some(len) if input[axis] > 0 && len > 0 => output[axis] = len,
                _ => {
                    return Err(Error::shape(format!(
                        "expected an output of 1 or more, got {full} - {padding} from {}",
                        input[axis]
                    )));
                }
            }
        }
        Ok(output)
    }

    /// The shape of the weight: `[channels, out / groups, kernel, kernel]`.
    fn weight(&self, inputs: &[Shape]) -> Result<Shape> {
        let [channels, ..] = image(one(inputs)?)?;
        check_groups(channels, self.out, self.groups)?;
        let [height, width] = self.window().kernel;
        Shape::new(&[channels, self.out / self.groups, height, width])
    }
}

impl Spec for ConvTranspose2d {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        self.weight(inputs)?;
        let [_, height, width] = image(one(inputs)?)?;
        let [height, width] = self.size([height, width])?;
        Shape::new(&[self.out, height, width])
    }

    fn reach(&self) -> Reach {
        let Window { kernel, stride, dilation, .. } = self.window();
        let size = [0, 1].map(|axis| (dilation[axis] * (kernel[axis] - 1) + 1).div_ceil(stride[axis]) as f64);
        Reach::Window { size, step: stride.map(|stride| 1.0 / stride as f64) }
    }

    fn build(&self, name: &str, inputs: &[Shape], rng: Rng) -> Result<Box<dyn Layer>> {
        self.output(inputs)?;
        let shape = self.weight(inputs)?;
        let fan_in = shape.sample().count();
        let affine = Affine::new(name, shape, self.bias.then_some(self.out), fan_in, rng)?;
        Ok(Box::new(Built { affine, spec: *self }))
    }

    fn parameters(&self, inputs: &[Shape]) -> Result<usize> {
        Ok(self.weight(inputs)?.count() + if self.bias { self.out } else { 0 })
    }

    fn multiply_adds(&self, inputs: &[Shape]) -> Result<u64> {
        let positions = one(inputs)?.sample().count() as u64;
        Ok(positions * self.weight(inputs)?.count() as u64)
    }
}

#[derive(Debug)]
struct Built {
    affine: Affine,
    spec: ConvTranspose2d,
}

impl Layer for Built {
    fn params(&self) -> Vec<&Param> {
        self.affine.params()
    }

    fn params_mut(&mut self) -> Vec<&mut Param> {
        self.affine.params_mut()
    }

    /// # Shapes
    /// `[n, c, h, w]` to `[n, out, oh, ow]`.
    fn forward(&self, inputs: &[&Tensor], mode: &Mode) -> Result<(Tensor, Saved)> {
        let x = *one(inputs)?;
        let [samples, _, height, width] = axes("input", x.shape())?;
        let [rows, columns] = self.spec.size([height, width])?;
        let shape = Shape::new(&[samples, self.spec.out, rows, columns])?;
        let window = self.spec.window();
        let mut y =
            conv2d_input_grad(mode.isa, x, &self.affine.weight.value, shape, &window, self.spec.groups)?;
        if let Some(bias) = self.affine.bias() {
            let planes = y.data_mut().chunks_exact_mut(rows * columns);
            for (plane, bias) in planes.zip(bias.data().iter().cycle()) {
                for value in plane {
                    *value += bias;
                }
            }
        }
        Ok((y, Saved::new(mode, x.shape()).with(mode, x)))
    }

    fn backward(&self, saved: &Saved, dy: &Tensor, grads: &mut Grads, need_dx: bool) -> Result<Vec<Tensor>> {
        let (isa, window, groups, weight) =
            (saved.isa, &self.spec.window(), self.spec.groups, &self.affine.weight.value);
        let [samples, _, height, width] = axes("input", saved.input)?;
        let [rows, columns] = self.spec.size([height, width])?;
        expect_gradient(dy, Shape::new(&[samples, self.spec.out, rows, columns])?)?;
        // The roles of input and output are changed: `dy` is what the filters see.
        let weight_grad = || conv2d_weight_grad(isa, dy, saved.tensor()?, weight.shape(), window, groups);
        self.affine.add_grads(grads, weight_grad, || conv2d_bias_grad(dy))?;
        if !need_dx {
            return Ok(Vec::new());
        }
        Ok(vec![conv2d(isa, dy, weight, None, window, groups)?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_undo_those_of_a_convolution() {
        let spec = ConvTranspose2d {
            padding: Padding::All(1),
            output_padding: Pair::One(1),
            ..ConvTranspose2d::new(4, 3, 2)
        };
        let input = [Shape::new(&[2, 7, 5]).unwrap()];
        assert_eq!(&*spec.output(&input).unwrap(), [4, 14, 10]);
        assert_eq!(spec.window().output([14, 10]).unwrap(), [7, 5]);
        assert_eq!(spec.parameters(&input).unwrap(), 2 * 4 * 9 + 4);
        assert_eq!(spec.multiply_adds(&input).unwrap(), 35 * 72);
        assert!(ConvTranspose2d { output_padding: Pair::One(2), ..spec }.output(&input).is_err());
        assert!(ConvTranspose2d { padding: Padding::All(9), ..spec }.output(&input).is_err());
    }
}
