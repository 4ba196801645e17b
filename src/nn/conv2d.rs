//! Convolution of batches, and its three gradients, as plain functions of tensors.
//!
//! Convolution is correlation, as in every convolutional net: the filter is not flipped. Each
//! function cuts a batch by samples and groups into the products of [`crate::kernel::conv2d`].
//!
//! ```
//! use lyncean::kernel::Isa;
//! use lyncean::nn::conv2d::{conv2d, conv2d_bias_grad, conv2d_input_grad, conv2d_weight_grad};
//! use lyncean::nn::{Shape, Tensor, Window};
//!
//! // One filter of 2x2 over one picture of 3x3, from left to right and top to bottom.
//! let x = Tensor::from_fn(Shape::new(&[1, 1, 3, 3])?, |i| i as f32);
//! let weight = Tensor::from_vec(Shape::new(&[1, 1, 2, 2])?, vec![1.0, 0.0, 0.0, -1.0])?;
//! let window = Window::square(2, 0, 1);
//! let isa = Isa::best();
//! let y = conv2d(isa, &x, &weight, None, &window, 1)?;
//! assert_eq!(y.data(), [-4.0; 4]);
//!
//! // Of the sum of all outputs.
//! let dy = Tensor::from_vec(y.shape(), vec![1.0; 4])?;
//! assert_eq!(conv2d_weight_grad(isa, &x, &dy, weight.shape(), &window, 1)?.data(), [8.0, 12.0, 20.0, 24.0]);
//! assert_eq!(conv2d_input_grad(isa, &dy, &weight, x.shape(), &window, 1)?.data()[4], 0.0);
//! assert_eq!(conv2d_bias_grad(&dy)?.data(), [4.0]);
//! # Ok::<(), lyncean::Error>(())
//! ```

use super::parallel::{for_each_piece, sum_over_samples, with_scratch};
use super::{Shape, Tensor, Window, direct, winograd};
use crate::kernel::Isa;
use crate::kernel::conv2d as kernel;
use crate::kernel::norm::sum_of;
use crate::{Error, Result};

/// `y[n, o, p] = bias[o] + sum over c, k of weight[o, c, k] * x[n, c, S p + D k - P]`.
///
/// # Shapes
/// `x` is `[n, c, h, w]`, `weight` is `[o, c / groups, kh, kw]`, `bias` is `[o]`, the output is
/// `[n, o, oh, ow]` with [`Window::output`]. Filters belong to groups in order: the first `o / groups`
/// of them see the first `c / groups` channels.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) when the shapes do not fit together or the window is larger
/// than the padded image.
pub fn conv2d(
    isa: Isa,
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    window: &Window,
    groups: usize,
) -> Result<Tensor> {
    let plan = Plan::new(x.shape(), weight.shape(), window, groups)?;
    if let Some(bias) = bias {
        expect("bias", bias, &[plan.filters()])?;
    }
    if direct::fits(&plan) {
        return direct::forward(isa, &plan, x, weight, bias);
    }
    let packed: Vec<_> = (0..groups)
        .map(|group| kernel::pack_filters(isa, &plan.group, plan.weight(weight.data(), group)))
        .collect();
    let len = plan.group.filters * plan.output_area();
    let mut y = Tensor::unset(plan.output_shape()?);
    for_each_piece(y.data_mut(), groups * len, |n, sample| {
        with_scratch(|scratch| {
            for (group, filters) in packed.iter().enumerate() {
                let bias = bias.map(|bias| &bias.data()[group * plan.group.filters..]);
                let (x, y) = (plan.input(x.sample(n), group), &mut sample[group * len..][..len]);
                kernel::conv2d(isa, &plan.group, x, filters, bias, y, scratch);
            }
        });
    });
    Ok(y)
}

/// The gradient of [`conv2d`] for its input: the full convolution of `dy` with the flipped filters.
///
/// # Shapes
/// `dy` is `[n, o, oh, ow]`, `weight` is `[o, c / groups, kh, kw]`, `input` is the shape of the result.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) when the shapes do not fit together.
pub fn conv2d_input_grad(
    isa: Isa,
    dy: &Tensor,
    weight: &Tensor,
    input: Shape,
    window: &Window,
    groups: usize,
) -> Result<Tensor> {
    let plan = Plan::new(input, weight.shape(), window, groups)?;
    expect("output gradient", dy, &plan.output_shape()?)?;
    if direct::fits_input_grad(&plan) {
        return Ok(direct::input_grad(isa, &plan, dy, weight, input));
    }
    let g = plan.group;
    let turned: Vec<_> =
        (0..groups).map(|group| kernel::turn_filters(isa, &g, plan.weight(weight.data(), group))).collect();
    let len = g.channels * g.input[0] * g.input[1];
    let mut dx = Tensor::zeros(input);
    for_each_piece(dx.data_mut(), groups * len, |n, sample| {
        with_scratch(|scratch| {
            for (group, phases) in turned.iter().enumerate() {
                let (dy, dx) = (plan.gradient(dy.sample(n), group), &mut sample[group * len..][..len]);
                kernel::conv2d_input_grad(isa, &g, dy, phases, dx, scratch);
            }
        });
    });
    Ok(dx)
}

/// The gradient of [`conv2d`] for its weight: the correlation of `x` with `dy`, summed over the batch.
///
/// # Shapes
/// `x` is `[n, c, h, w]`, `dy` is `[n, o, oh, ow]`, `weight` is the shape of the result.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) when the shapes do not fit together.
pub fn conv2d_weight_grad(
    isa: Isa,
    x: &Tensor,
    dy: &Tensor,
    weight: Shape,
    window: &Window,
    groups: usize,
) -> Result<Tensor> {
    let plan = Plan::new(x.shape(), weight, window, groups)?;
    expect("output gradient", dy, &plan.output_shape()?)?;
    if direct::fits(&plan) {
        return direct::weight_grad(isa, &plan, x, dy, weight);
    }
    let len = weight.count() / groups;
    let sums = sum_over_samples(x.samples(), weight.count(), |samples, sums| {
        with_scratch(|scratch| {
            for group in 0..groups {
                let input = |n: usize| plan.input(x.sample(samples.start + n), group);
                let gradient = |n: usize| plan.gradient(dy.sample(samples.start + n), group);
                let dw = &mut sums[group * len..][..len];
                kernel::conv2d_weight_grad(isa, &plan.group, samples.len(), input, gradient, dw, scratch);
            }
        });
    });
    Tensor::from_vec(weight, sums)
}

/// The gradient of [`conv2d`] for its bias: `dy` summed over batch and positions.
///
/// # Shapes
/// `dy` is `[n, o, oh, ow]`, the result is `[o]`.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) when `dy` has not four axes.
pub fn conv2d_bias_grad(dy: &Tensor) -> Result<Tensor> {
    let [samples, filters, height, width] = axes("output gradient", dy.shape())?;
    let (area, isa) = (height * width, Isa::best());
    let sums = sum_over_samples(samples, filters, |samples, sums| {
        for n in samples {
            for (filter, sum) in sums.iter_mut().enumerate() {
                *sum += sum_of(isa, &dy.sample(n)[filter * area..][..area]);
            }
        }
    });
    Tensor::from_vec(Shape::new(&[filters])?, sums)
}

/// A convolution of a batch, checked.
pub(super) struct Plan {
    pub(super) samples: usize,
    pub(super) groups: usize,
    pub(super) group: kernel::Geometry,
}

impl Plan {
    pub(super) fn new(input: Shape, weight: Shape, window: &Window, groups: usize) -> Result<Self> {
        let [samples, channels, height, width] = axes("input", input)?;
        let [filters, group_channels, kh, kw] = axes("weight", weight)?;
        if groups == 0 || channels % groups != 0 || filters % groups != 0 {
            return Err(Error::shape(format!(
                "expected channels and filters that `groups = {groups}` divides, got {channels} and {filters}"
            )));
        }
        if [group_channels, kh, kw] != [channels / groups, window.kernel[0], window.kernel[1]] {
            return Err(Error::shape(format!(
                "expected a weight of [{filters}, {}, {}, {}], got {weight}",
                channels / groups,
                window.kernel[0],
                window.kernel[1]
            )));
        }
        let group = kernel::Geometry {
            channels: group_channels,
            input: [height, width],
            filters: filters / groups,
            output: window.output([height, width])?,
            kernel: window.kernel,
            stride: window.stride,
            padding: [window.padding[0], window.padding[1]],
            dilation: window.dilation,
        };
        Ok(Self { samples, groups, group })
    }

    fn filters(&self) -> usize {
        self.groups * self.group.filters
    }

    fn output_area(&self) -> usize {
        self.group.output[0] * self.group.output[1]
    }

    pub(super) fn output_shape(&self) -> Result<Shape> {
        Shape::new(&[self.samples, self.filters(), self.group.output[0], self.group.output[1]])
    }

    fn input<'a>(&self, sample: &'a [f32], group: usize) -> &'a [f32] {
        let len = self.group.channels * self.group.input[0] * self.group.input[1];
        &sample[group * len..][..len]
    }

    fn gradient<'a>(&self, sample: &'a [f32], group: usize) -> &'a [f32] {
        let len = self.group.filters * self.output_area();
        &sample[group * len..][..len]
    }

    fn weight<'a>(&self, weight: &'a [f32], group: usize) -> &'a [f32] {
        let len = self.group.filters * self.group.channels * self.group.kernel[0] * self.group.kernel[1];
        &weight[group * len..][..len]
    }
}

/// [`conv2d`] in training, where a few roundings more are worth a large part of the time.
pub(super) fn training(
    isa: Isa,
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    window: &Window,
    groups: usize,
) -> Result<Tensor> {
    let plan = Plan::new(x.shape(), weight.shape(), window, groups)?;
    match winograd::size(&plan) {
        Some(size) => winograd::forward(isa, &plan, size, x, weight, bias),
        None => conv2d(isa, x, weight, bias, window, groups),
    }
}

/// [`conv2d_input_grad`] after [`training`].
pub(super) fn training_input_grad(
    isa: Isa,
    dy: &Tensor,
    weight: &Tensor,
    input: Shape,
    window: &Window,
    groups: usize,
) -> Result<Tensor> {
    let plan = Plan::new(input, weight.shape(), window, groups)?;
    match winograd::size(&plan) {
        Some(size) => {
            expect("output gradient", dy, &plan.output_shape()?)?;
            winograd::input_grad(isa, &plan, size, dy, weight)
        }
        None => conv2d_input_grad(isa, dy, weight, input, window, groups),
    }
}

/// [`conv2d_weight_grad`] after [`training`].
pub(super) fn training_weight_grad(
    isa: Isa,
    x: &Tensor,
    dy: &Tensor,
    weight: Shape,
    window: &Window,
    groups: usize,
) -> Result<Tensor> {
    let plan = Plan::new(x.shape(), weight, window, groups)?;
    match winograd::size(&plan) {
        Some(size) => {
            expect("output gradient", dy, &plan.output_shape()?)?;
            winograd::weight_grad(isa, &plan, size, x, dy, weight)
        }
        None => conv2d_weight_grad(isa, x, dy, weight, window, groups),
    }
}

/// The four axes of a batch of images or filters.
pub(super) fn axes(what: &str, shape: Shape) -> Result<[usize; 4]> {
    <[usize; 4]>::try_from(&*shape)
        .map_err(|_| Error::shape(format!("expected {what} with four axes, got {shape}")))
}

fn expect(what: &str, tensor: &Tensor, wanted: &[usize]) -> Result<()> {
    if *tensor.shape() == *wanted {
        return Ok(());
    }
    Err(Error::shape(format!("expected {what} of {wanted:?}, got {}", tensor.shape())))
}
