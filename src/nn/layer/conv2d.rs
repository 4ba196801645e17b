//! Convolution.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::affine::{Affine, check_groups, every_pixel, no_padding, once, yes};
use super::{Grads, Kind, Layer, Lowered, Mode, Reach, Rng, Saved, Shape, Spec, Tensor, image, one};
use crate::nn::conv2d::{conv2d, conv2d_bias_grad, training, training_input_grad, training_weight_grad};
use crate::nn::{Padding, Pair, Param, Window};
use crate::{Error, Result};

/// Filters that slide over an image and each give one feature map. It is correlation: the filters are
/// not flipped.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Conv2d {
    /// Number of filters, which is the number of output channels.
    #[schemars(range(min = 1))]
    pub out: usize,
    /// Filter size K in pixels.
    pub kernel: Pair,
    /// Padding P with zeros, in pixels.
    #[serde(default = "no_padding")]
    pub padding: Padding,
    /// Stride S in pixels.
    #[serde(default = "every_pixel")]
    pub stride: Pair,
    /// Distance of neighbouring filter taps in pixels.
    #[serde(default = "every_pixel")]
    pub dilation: Pair,
    /// Groups that channels and filters are divided into; a filter sees the channels of its group.
    #[serde(default = "once")]
    #[schemars(range(min = 1))]
    pub groups: usize,
    /// Whether each filter adds a number of its own.
    #[serde(default = "yes")]
    pub bias: bool,
    /// Which channels each filter sees, where it is not all of its group.
    pub connections: Option<Connections>,
}

/// The kind `conv2d`.
pub(super) const KIND: Kind = Kind {
    name: "conv2d",
    summary: "Filters slide over the image and each give a feature map.",
    example: "use = \"conv2d\"\nout = 6\nkernel = 5\npadding = 2\n",
    parse: super::parse::<Conv2d>,
    schema: super::schema::<Conv2d>,
};

impl Conv2d {
    /// `out` filters of `kernel` by `kernel` pixels, without padding, stride 1.
    pub fn new(out: usize, kernel: usize) -> Self {
        Self {
            out,
            kernel: Pair::One(kernel),
            padding: no_padding(),
            stride: every_pixel(),
            dilation: every_pixel(),
            groups: 1,
            bias: true,
            connections: None,
        }
    }

    fn window(&self) -> Window {
        Window {
            kernel: self.kernel.both(),
            stride: self.stride.both(),
            padding: self.padding.sides(),
            dilation: self.dilation.both(),
        }
    }

    /// The shape of the weight: `[out, channels / groups, kernel, kernel]`.
    fn weight(&self, inputs: &[Shape]) -> Result<Shape> {
        let [channels, ..] = image(one(inputs)?)?;
        check_groups(channels, self.out, self.groups)?;
        let [height, width] = self.window().kernel;
        if let Some(connections) = self.connections {
            let wanted = [connections.table().len(), connections.channels(), 1];
            if [self.out, channels, self.groups] != wanted {
                return Err(Error::shape(format!(
                    "expected 16 filters over 6 channels in one group for `connections`, got {} over {channels} in {}",
                    self.out, self.groups
                )));
            }
            return Shape::new(&[connections.places().count(), height, width]);
        }
        Shape::new(&[self.out, channels / self.groups, height, width])
    }
}

/// Which channels each filter sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Connections {
    /// The table of LeNet-5's third layer (LeCun, Bottou, Bengio and Haffner, 1998, table I): 16
    /// filters over 6 maps, six of three neighbours, nine of four, one of all; 60 kernels.
    LenetC3,
}

impl Connections {
    /// The channels of each filter.
    fn table(self) -> &'static [&'static [usize]] {
        match self {
            Self::LenetC3 => &[
                &[0, 1, 2],
                &[1, 2, 3],
                &[2, 3, 4],
                &[3, 4, 5],
                &[0, 4, 5],
                &[0, 1, 5],
                &[0, 1, 2, 3],
                &[1, 2, 3, 4],
                &[2, 3, 4, 5],
                &[0, 3, 4, 5],
                &[0, 1, 4, 5],
                &[0, 1, 2, 5],
                &[0, 1, 3, 4],
                &[1, 2, 4, 5],
                &[0, 2, 3, 5],
                &[0, 1, 2, 3, 4, 5],
            ],
        }
    }

    /// Channels in all.
    fn channels(self) -> usize {
        match self {
            Self::LenetC3 => 6,
        }
    }

    /// Kernels `[connections, height, width]` as `[filters, channels, height, width]`, with zeros where a
    /// filter does not see a channel.
    pub(in crate::nn) fn dense(self, kernels: &Tensor) -> Result<Tensor> {
        let shape = kernels.shape();
        let &[_, height, width] = &*shape else {
            return Err(Error::shape(format!(
                "expected kernels `[connections, height, width]`, got {shape}"
            )));
        };
        let mut dense = Tensor::zeros(Shape::new(&[self.table().len(), self.channels(), height, width])?);
        let taps = height * width;
        for (kernel, at) in kernels.data().chunks_exact(taps.max(1)).zip(self.places()) {
            dense.data_mut()[at * taps..][..taps].copy_from_slice(kernel);
        }
        Ok(dense)
    }

    /// Where the kernels of all connections lie among `filters x channels`, in order.
    fn places(self) -> impl Iterator<Item = usize> {
        let channels = self.channels();
        let filters = self.table().iter().enumerate();
        filters.flat_map(move |(filter, seen)| seen.iter().map(move |channel| filter * channels + channel))
    }
}

impl Spec for Conv2d {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        self.weight(inputs)?;
        let [_, height, width] = image(one(inputs)?)?;
        let [height, width] = self.window().output([height, width])?;
        Shape::new(&[self.out, height, width])
    }

    fn build(&self, name: &str, inputs: &[Shape], rng: Rng) -> Result<Box<dyn Layer>> {
        self.output(inputs)?;
        let shape = self.weight(inputs)?;
        // The filters of the C3 table that see least see three channels.
        let fan_in = shape.sample().count() * if self.connections.is_some() { 3 } else { 1 };
        let affine = Affine::new(name, shape, self.bias.then_some(self.out), fan_in, rng)?;
        Ok(Box::new(Built {
            affine,
            window: self.window(),
            groups: self.groups,
            connections: self.connections,
        }))
    }

    fn parameters(&self, inputs: &[Shape]) -> Result<usize> {
        Ok(self.weight(inputs)?.count() + if self.bias { self.out } else { 0 })
    }

    fn multiply_adds(&self, inputs: &[Shape]) -> Result<u64> {
        let positions = self.output(inputs)?.sample().count() as u64;
        Ok(positions * self.weight(inputs)?.count() as u64)
    }

    fn reach(&self) -> Reach {
        Reach::of(&self.window())
    }

    fn notes(&self, inputs: &[Shape]) -> Result<Vec<String>> {
        let [_, height, width] = image(one(inputs)?)?;
        self.window().leftovers([height, width])
    }
}

#[derive(Debug)]
struct Built {
    affine: Affine,
    window: Window,
    groups: usize,
    connections: Option<Connections>,
}

impl Built {
    /// The weight as `[out, channels / groups, kernel, kernel]`, with zeros where a filter does not
    /// see a channel.
    fn filters(&self) -> Result<Tensor> {
        let weight = &self.affine.weight.value;
        self.connections.map_or_else(|| Ok(weight.clone()), |connections| connections.dense(weight))
    }

    /// The gradient of the weight from that of [`filters`](Self::filters).
    fn packed(&self, dense: Tensor) -> Result<Tensor> {
        let Some(connections) = self.connections else { return Ok(dense) };
        let taps = self.window.kernel[0] * self.window.kernel[1];
        let kernels = connections.places().flat_map(|at| dense.data()[at * taps..][..taps].iter().copied());
        Tensor::from_vec(self.affine.weight.value.shape(), kernels.collect())
    }
}

impl Layer for Built {
    fn params(&self) -> Vec<&Param> {
        self.affine.params()
    }

    fn params_mut(&mut self) -> Vec<&mut Param> {
        self.affine.params_mut()
    }

    fn lower(&self) -> Lowered {
        let Ok(weight) = self.filters() else { return Lowered::Opaque };
        let (window, groups) = (self.window, self.groups);
        Lowered::Convolution { weight, bias: self.affine.bias().cloned(), window, groups }
    }

    /// # Shapes
    /// `[n, c, h, w]` to `[n, out, oh, ow]`.
    fn forward(&self, inputs: &[&Tensor], mode: &Mode) -> Result<(Tensor, Saved)> {
        let x = *one(inputs)?;
        let of = if mode.training.is_some() { training } else { conv2d };
        let y = of(mode.isa, x, &self.filters()?, self.affine.bias(), &self.window, self.groups)?;
        Ok((y, Saved::new(mode, x.shape()).with(mode, x)))
    }

    fn backward(&self, saved: &Saved, dy: &Tensor, grads: &mut Grads, need_dx: bool) -> Result<Vec<Tensor>> {
        let (isa, window, groups) = (saved.isa, &self.window, self.groups);
        let weight = || {
            let shape = self.filters()?.shape();
            self.packed(training_weight_grad(isa, saved.tensor()?, dy, shape, window, groups)?)
        };
        self.affine.add_grads(grads, weight, || conv2d_bias_grad(dy))?;
        if !need_dx {
            return Ok(Vec::new());
        }
        Ok(vec![training_input_grad(isa, dy, &self.filters()?, saved.input, window, groups)?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lecture_counts_parameters_and_columns() {
        let spec = Conv2d { padding: Padding::All(1), stride: Pair::One(2), ..Conv2d::new(20, 5) };
        let input = [Shape::new(&[3, 32, 32]).unwrap()];
        assert_eq!(&*spec.output(&input).unwrap(), [20, 15, 15]);
        assert_eq!(spec.parameters(&input).unwrap(), 1520);
        assert_eq!(spec.multiply_adds(&input).unwrap(), 15 * 15 * 1500);
        assert_eq!(
            spec.notes(&input).unwrap(),
            [
                "height (32 + 2 - 5) / 2 + 1 = 15.5 is floored to 15: the last row of the padded input is not used",
                "width (32 + 2 - 5) / 2 + 1 = 15.5 is floored to 15: the last column of the padded input is not used",
            ]
        );
    }

    #[test]
    fn the_c3_table_is_lecuns() {
        let spec = Conv2d { connections: Some(Connections::LenetC3), ..Conv2d::new(16, 5) };
        let input = [Shape::new(&[6, 14, 14]).unwrap()];
        assert_eq!(spec.parameters(&input).unwrap(), 1516);
        assert_eq!(&*spec.output(&input).unwrap(), [16, 10, 10]);
        assert_eq!(spec.multiply_adds(&input).unwrap(), 60 * 25 * 100);
        assert!(spec.output(&[Shape::new(&[5, 14, 14]).unwrap()]).is_err());
        // Every map goes to ten filters, and no filter has the table of another.
        let table = Connections::LenetC3.table();
        assert!((0..6).all(|map| table.iter().filter(|seen| seen.contains(&map)).count() == 10));
        assert_eq!(table.iter().collect::<std::collections::BTreeSet<_>>().len(), 16);
    }

    #[test]
    fn wrong_parameters_are_named() {
        let input = [Shape::new(&[3, 8, 8]).unwrap()];
        let error = Conv2d { groups: 2, ..Conv2d::new(4, 3) }.output(&input).unwrap_err();
        assert!(error.message().contains("`groups = 2` divides, got 3 and 4"), "{error}");
        assert!(Conv2d::new(0, 3).output(&input).is_err());
        assert!(Conv2d::new(4, 9).output(&input).is_err());
        assert!(Conv2d::new(4, 3).output(&[Shape::new(&[7]).unwrap()]).is_err());
        assert!(Conv2d::new(usize::MAX, 3).output(&input).is_err());
    }
}
