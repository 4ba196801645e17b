//! Max pooling.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::affine::no_padding;
use super::{
    Grads, Kind, Layer, Lowered, Mode, Reach, Rng, Saved, Shape, Spec, Tensor, expect_gradient, image, one,
};
use crate::kernel::nhwc::PoolKind;
use crate::kernel::pool::{PoolGeometry, max_pool};
use crate::nn::conv2d::axes;
use crate::nn::parallel::for_each_piece;
use crate::nn::{Padding, Pair, Window};
use crate::parallel::prelude::*;
use crate::{Error, Result};

/// The largest value of each window. Of equal values the first in row order gets the gradient;
/// padding never wins; NaN does, as in PyTorch.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MaxPool {
    /// Window size in pixels.
    pub kernel: Pair,
    /// Stride in pixels; the window size unless given.
    pub stride: Option<Pair>,
    /// Padding in pixels, smaller than the window.
    #[serde(default = "no_padding")]
    pub padding: Padding,
    /// Whether a last window that reaches past the padded image counts, so that sizes are rounded up.
    #[serde(default)]
    pub ceil_mode: bool,
    /// Distance of neighbouring taps of a window in pixels.
    #[serde(default = "every_pixel", skip_serializing_if = "is_every_pixel")]
    pub dilation: Pair,
}

const fn every_pixel() -> Pair {
    Pair::One(1)
}

fn is_every_pixel(dilation: &Pair) -> bool {
    dilation.both() == [1, 1]
}

/// The kind `max-pool`.
pub(super) const KIND: Kind = Kind {
    name: "max-pool",
    summary: "The largest value of each window.",
    example: "use = \"max-pool\"\nkernel = 2\n",
    parse: super::parse::<MaxPool>,
    schema: super::schema::<MaxPool>,
};

impl MaxPool {
    /// Windows side by side.
    pub fn new(kernel: usize) -> Self {
        Self {
            kernel: Pair::One(kernel),
            stride: None,
            padding: no_padding(),
            ceil_mode: false,
            dilation: every_pixel(),
        }
    }

    fn window(&self) -> Window {
        let window = pool_window(self.kernel, self.stride, self.padding);
        Window { dilation: self.dilation.both(), ..window }
    }
}

/// The window of a pool, whose stride is its size unless given.
pub(super) fn pool_window(kernel: Pair, stride: Option<Pair>, padding: Padding) -> Window {
    let stride = stride.unwrap_or(kernel).both();
    Window { kernel: kernel.both(), stride, padding: padding.sides(), dilation: [1, 1] }
}

/// The window with more padding at the bottom and at the right, where `ceil` lets a last window reach
/// past the padded image. As in PyTorch, that window must begin in the image or its padding before.
pub(super) fn grown(window: &Window, input: [usize; 2], ceil: bool) -> Result<Window> {
    let mut grown = *window;
    if !ceil {
        return Ok(grown);
    }
    let (output, unused) = (window.output(input)?, window.unused(input)?);
    for axis in [0, 1] {
        let starts_inside = output[axis] * window.stride[axis] < input[axis] + window.padding[axis];
        if unused[axis] > 0 && starts_inside {
            grown.padding[axis + 2] += window.stride[axis] - unused[axis];
        }
    }
    Ok(grown)
}

/// The output of a pool, no window of which may lie in the padding alone.
pub(super) fn pool_output(window: &Window, ceil: bool, inputs: &[Shape]) -> Result<Shape> {
    let [channels, height, width] = image(one(inputs)?)?;
    not_empty([height, width])?;
    for (side, padding) in window.padding.into_iter().enumerate() {
        if padding > 0 && padding >= window.kernel[side % 2] {
            let kernel = window.kernel[side % 2];
            return Err(Error::pipeline(format!(
                "`padding` must be below the kernel of {kernel}, got {padding}"
            )));
        }
    }
    let [rows, columns] = grown(window, [height, width], ceil)?.output([height, width])?;
    for (axis, (count, len)) in [(rows, height), (columns, width)].into_iter().enumerate() {
        let taps = |at: usize| {
            let start = at * window.stride[axis];
            (0..window.kernel[axis]).map(move |k| start + k * window.dilation[axis])
        };
        let padding = window.padding[axis];
        let is_inside = |at: usize| taps(at).any(|tap| (padding..padding + len).contains(&tap));
        // Taps side by side are in the image when their window reaches it.
        if window.dilation[axis] > 1 && !(0..count).all(is_inside) {
            return Err(Error::pipeline(
                "a window has no tap in the image: take less `padding` or `dilation`",
            ));
        }
    }
    Shape::new(&[channels, rows, columns])
}

/// No window has a value in an image without pixels.
fn not_empty([height, width]: [usize; 2]) -> Result<()> {
    if height * width > 0 {
        return Ok(());
    }
    Err(Error::shape(format!("expected an image with pixels, got height {height} and width {width}")))
}

impl Spec for MaxPool {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        pool_output(&self.window(), self.ceil_mode, inputs)
    }

    fn build(&self, _name: &str, inputs: &[Shape], _rng: Rng) -> Result<Box<dyn Layer>> {
        self.output(inputs)?;
        Ok(Box::new(Built { window: self.window(), ceil: self.ceil_mode }))
    }

    fn reach(&self) -> Reach {
        Reach::of(&self.window())
    }

    fn notes(&self, inputs: &[Shape]) -> Result<Vec<String>> {
        let [_, height, width] = image(one(inputs)?)?;
        grown(&self.window(), [height, width], self.ceil_mode)?.leftovers([height, width])
    }
}

#[derive(Debug)]
struct Built {
    window: Window,
    ceil: bool,
}

impl Layer for Built {
    fn lower(&self) -> Lowered {
        match self.window.dilation {
            [1, 1] => Lowered::Pool { kind: PoolKind::Max, window: self.window },
            _ => Lowered::Opaque,
        }
    }

    /// # Shapes
    /// `[n, c, h, w]` to `[n, c, oh, ow]`.
    fn forward(&self, inputs: &[&Tensor], mode: &Mode) -> Result<(Tensor, Saved)> {
        let x = *one(inputs)?;
        let [samples, channels, height, width] = axes("input", x.shape())?;
        not_empty([height, width])?;
        let [rows, columns] = grown(&self.window, [height, width], self.ceil)?.output([height, width])?;
        let mut y = Tensor::unset(Shape::new(&[samples, channels, rows, columns])?);
        let area = rows * columns;
        let mut winners = vec![0; y.shape().count()];
        let geometry = PoolGeometry {
            input: [height, width],
            output: [rows, columns],
            kernel: self.window.kernel,
            stride: self.window.stride,
            padding: [self.window.padding[0], self.window.padding[1]],
            dilation: self.window.dilation,
        };
        let of_sample = |(x, (best, winners)): (&[f32], (&mut [f32], &mut [u32]))| {
            let outputs = best.chunks_exact_mut(area).zip(winners.chunks_exact_mut(area));
            for (plane, (best, winners)) in x.chunks_exact(height * width).zip(outputs) {
                max_pool(mode.isa, &geometry, plane, best, winners);
            }
        };
        let sample = channels.max(1) * area;
        let input = channels.max(1) * height * width;
        if crate::parallel::current_num_threads() == 1 {
            let outputs = y.data_mut().chunks_mut(sample).zip(winners.chunks_mut(sample));
            x.data().chunks(input).zip(outputs).for_each(of_sample);
        } else {
            let outputs = y.data_mut().par_chunks_mut(sample).zip(winners.par_chunks_mut(sample));
            x.data().par_chunks(input).zip(outputs).for_each(of_sample);
        }
        Ok((y, Saved { indices: winners, ..Saved::new(mode, x.shape()) }))
    }

    fn backward(&self, saved: &Saved, dy: &Tensor, _grads: &mut Grads, need_dx: bool) -> Result<Vec<Tensor>> {
        if !need_dx {
            return Ok(Vec::new());
        }
        let [samples, channels, height, width] = axes("input", saved.input)?;
        let [rows, columns] = grown(&self.window, [height, width], self.ceil)?.output([height, width])?;
        expect_gradient(dy, Shape::new(&[samples, channels, rows, columns])?)?;
        let mut dx = Tensor::zeros(saved.input);
        let (area, out_area) = (height * width, rows * columns);
        for_each_piece(dx.data_mut(), channels * area, |n, dx| {
            let len = channels * out_area;
            let winners = saved.indices[n * len..][..len].chunks_exact(out_area);
            let outputs = winners.zip(dy.sample(n).chunks_exact(out_area));
            for (dx, (winners, dy)) in dx.chunks_exact_mut(area).zip(outputs) {
                for (winner, dy) in winners.iter().zip(dy) {
                    dx[*winner as usize] += dy;
                }
            }
        });
        Ok(vec![dx])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equal_values_gets_the_gradient() {
        let input = Shape::new(&[1, 2, 4]).unwrap();
        let layer = MaxPool::new(2).build("pool", &[input], Rng::new(0)).unwrap();
        let x = Tensor::from_vec(input.batched(1).unwrap(), vec![1.0, 3.0, -2.0, -2.0, 3.0, 3.0, -2.0, -5.0])
            .unwrap();
        let (y, saved) = layer.forward(&[&x], &Mode::training(Rng::new(0))).unwrap();
        assert_eq!(y.data(), [3.0, -2.0]);
        let dx = layer.backward(&saved, &y, &mut Grads::default(), true).unwrap();
        assert_eq!(dx[0].data(), [0.0, 3.0, -2.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn nan_goes_through() {
        let input = Shape::new(&[1, 1, 3]).unwrap();
        let spec = MaxPool { kernel: Pair::Two([1, 3]), ..MaxPool::new(1) };
        let layer = spec.build("pool", &[input], Rng::new(0)).unwrap();
        for values in [[f32::NAN, 1.0, 2.0], [1.0, f32::NAN, 2.0]] {
            let x = Tensor::from_vec(input.batched(1).unwrap(), values.to_vec()).unwrap();
            assert!(layer.forward(&[&x], &Mode::inference()).unwrap().0.data()[0].is_nan());
        }
    }

    #[test]
    fn padding_as_wide_as_the_window_is_refused() {
        let spec = MaxPool { padding: Padding::All(2), ..MaxPool::new(2) };
        assert!(spec.output(&[Shape::new(&[1, 4, 4]).unwrap()]).is_err());
    }
}
