//! Average pooling.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::affine::{no_padding, yes};
use super::max_pool::{grown, pool_output, pool_window};
use super::{
    Grads, Kind, Layer, Lowered, Mode, Reach, Rng, Saved, Shape, Spec, Tensor, expect_gradient, image, one,
};
use crate::Result;
use crate::kernel::nhwc::PoolKind;
use crate::nn::conv2d::axes;
use crate::nn::{Padding, Pair, Window};

/// The mean of each window.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AvgPool {
    /// Window size in pixels.
    pub kernel: Pair,
    /// Stride in pixels; the window size unless given.
    pub stride: Option<Pair>,
    /// Padding with zeros in pixels, smaller than the window.
    #[serde(default = "no_padding")]
    pub padding: Padding,
    /// Whether a last window that reaches past the padded image counts, so that sizes are rounded up.
    #[serde(default)]
    pub ceil_mode: bool,
    /// Whether zeros of the padding count as values, as in PyTorch, or the mean is of the image's
    /// values alone.
    #[serde(default = "yes")]
    pub count_include_pad: bool,
}

/// The kind `avg-pool`.
pub(super) const KIND: Kind = Kind {
    name: "avg-pool",
    summary: "The mean of each window.",
    example: "use = \"avg-pool\"\nkernel = 2\n",
    parse: super::parse::<AvgPool>,
    schema: super::schema::<AvgPool>,
};

impl AvgPool {
    /// Windows side by side.
    pub fn new(kernel: usize) -> Self {
        Self {
            kernel: Pair::One(kernel),
            stride: None,
            padding: no_padding(),
            ceil_mode: false,
            count_include_pad: true,
        }
    }

    fn window(&self) -> Window {
        pool_window(self.kernel, self.stride, self.padding)
    }
}

impl Spec for AvgPool {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        pool_output(&self.window(), self.ceil_mode, inputs)
    }

    fn build(&self, _name: &str, inputs: &[Shape], _rng: Rng) -> Result<Box<dyn Layer>> {
        self.output(inputs)?;
        Ok(Box::new(Built { window: self.window(), ceil: self.ceil_mode, count_pad: self.count_include_pad }))
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
    count_pad: bool,
}

impl Built {
    fn output(&self, input: [usize; 2]) -> Result<[usize; 2]> {
        grown(&self.window, input, self.ceil)?.output(input)
    }

    /// Calls `visit(output index, input indices of a row of its window, divisor)` for one plane,
    /// output after output, row after row.
    fn visit(
        &self,
        [height, width]: [usize; 2],
        mut visit: impl FnMut(usize, std::ops::Range<usize>, f32),
    ) -> Result<()> {
        let [rows, columns] = self.output([height, width])?;
        // What a window has of the padded image; past that nothing counts.
        let padded = |axis: usize, position: usize, len: usize| {
            let Window { kernel, stride, padding, .. } = &self.window;
            let end = len + padding[axis] + padding[axis + 2];
            end.saturating_sub(position * stride[axis]).min(kernel[axis])
        };
        for row in 0..rows {
            let down = self.window.covered(0, row, height);
            for column in 0..columns {
                let across = self.window.covered(1, column, width);
                let count = if self.count_pad {
                    padded(0, row, height) * padded(1, column, width)
                } else {
                    down.len() * across.len()
                };
                for y in down.clone() {
                    visit(
                        row * columns + column,
                        y * width + across.start..y * width + across.end,
                        count as f32,
                    );
                }
            }
        }
        Ok(())
    }
}

impl Layer for Built {
    fn lower(&self) -> Lowered {
        let kind = if self.count_pad { PoolKind::MeanWithPadding } else { PoolKind::Mean };
        Lowered::Pool { kind, window: self.window }
    }

    /// # Shapes
    /// `[n, c, h, w]` to `[n, c, oh, ow]`.
    fn forward(&self, inputs: &[&Tensor], mode: &Mode) -> Result<(Tensor, Saved)> {
        let x = *one(inputs)?;
        let [samples, channels, height, width] = axes("input", x.shape())?;
        let [rows, columns] = self.output([height, width])?;
        let mut y = Tensor::zeros(Shape::new(&[samples, channels, rows, columns])?);
        if height * width > 0 {
            let planes =
                y.data_mut().chunks_exact_mut(rows * columns).zip(x.data().chunks_exact(height * width));
            for (y, x) in planes {
                self.visit([height, width], |at, row, _| y[at] += x[row].iter().sum::<f32>())?;
                let mut last = usize::MAX;
                self.visit([height, width], |at, _, count| {
                    if at != last {
                        y[at] /= count;
                        last = at;
                    }
                })?;
            }
        }
        Ok((y, Saved::new(mode, x.shape())))
    }

    fn backward(&self, saved: &Saved, dy: &Tensor, _grads: &mut Grads, need_dx: bool) -> Result<Vec<Tensor>> {
        if !need_dx {
            return Ok(Vec::new());
        }
        let [samples, channels, height, width] = axes("input", saved.input)?;
        let [rows, columns] = self.output([height, width])?;
        expect_gradient(dy, Shape::new(&[samples, channels, rows, columns])?)?;
        let mut dx = Tensor::zeros(saved.input);
        if height * width > 0 {
            let planes =
                dx.data_mut().chunks_exact_mut(height * width).zip(dy.data().chunks_exact(rows * columns));
            for (dx, dy) in planes {
                self.visit([height, width], |at, row, count| {
                    let share = dy[at] / count;
                    dx[row].iter_mut().for_each(|dx| *dx += share);
                })?;
            }
        }
        Ok(vec![dx])
    }
}
