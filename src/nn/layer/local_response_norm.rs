//! Local response normalisation.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Grads, Kind, Layer, Mode, Rng, Saved, Shape, Spec, Tensor, channels, expect_gradient, one};
use crate::nn::parallel::for_each_piece;
use crate::{Error, Result};

/// `y = x / (k + alpha / size * S)^beta`, where `S` sums the squares of `size` neighbouring channels
/// at the same position (Krizhevsky, Sutskever and Hinton, 2012), in PyTorch's form: AlexNet's own
/// `alpha` of 1e-4 is not divided by `size`, so it is 5e-4 here.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct LocalResponseNorm {
    /// Channels that are summed, half of them before, half after.
    #[schemars(range(min = 1))]
    pub size: usize,
    /// Factor of the mean square.
    pub alpha: f32,
    /// Exponent.
    pub beta: f32,
    /// What is added to the mean square, positive.
    pub k: f32,
}

impl Default for LocalResponseNorm {
    fn default() -> Self {
        Self { size: 5, alpha: 1e-4, beta: 0.75, k: 1.0 }
    }
}

/// The kind `local-response-norm`.
pub(super) const KIND: Kind = Kind {
    name: "local-response-norm",
    summary: "Each value is divided by a power of the squares of neighbouring channels.",
    example: "use = \"local-response-norm\"\nsize = 5\n",
    parse: super::parse::<LocalResponseNorm>,
    schema: super::schema::<LocalResponseNorm>,
};

impl Spec for LocalResponseNorm {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let Self { size, alpha, beta, k } = *self;
        if size == 0 || !(k > 0.0 && alpha >= 0.0 && alpha.is_finite() && k.is_finite() && beta.is_finite()) {
            return Err(Error::pipeline(format!(
                "expected `size` and `k` above 0 and `alpha` of 0 or more, got {size}, {k} and {alpha}"
            )));
        }
        channels(one(inputs)?)?;
        one(inputs).copied()
    }

    fn build(&self, _name: &str, inputs: &[Shape], _rng: Rng) -> Result<Box<dyn Layer>> {
        self.output(inputs)?;
        Ok(Box::new(Built { spec: *self }))
    }
}

#[derive(Debug)]
struct Built {
    spec: LocalResponseNorm,
}

impl Built {
    /// The channels that are summed for a channel.
    fn window(&self, channel: usize, count: usize) -> std::ops::Range<usize> {
        let before = self.spec.size / 2;
        channel.saturating_sub(before)..(channel + self.spec.size - before).min(count)
    }

    /// `k + alpha / size * sum of squares`.
    fn denominators(&self, x: &[f32], [count, area]: [usize; 2], out: &mut [f32]) {
        let factor = self.spec.alpha / self.spec.size as f32;
        for (channel, out) in out.chunks_exact_mut(area.max(1)).enumerate() {
            out.fill(0.0);
            for from in self.window(channel, count) {
                let plane = &x[from * area..][..area];
                out.iter_mut().zip(plane).for_each(|(sum, x)| *sum += x * x);
            }
            for sum in out.iter_mut() {
                *sum = self.spec.k + factor * *sum;
            }
        }
    }

    /// `d^-beta`.
    fn power(&self, d: f32) -> f32 {
        // The usual exponent needs no logarithm.
        if self.spec.beta == 0.75 {
            let root = d.sqrt();
            1.0 / (root * root.sqrt())
        } else {
            libm::powf(d, -self.spec.beta)
        }
    }
}

impl Layer for Built {
    /// # Shapes
    /// `[n, c, ...]` to the same.
    fn forward(&self, inputs: &[&Tensor], mode: &Mode) -> Result<(Tensor, Saved)> {
        let x = *one(inputs)?;
        let sizes = channels(&x.shape().sample())?;
        let mut y = Tensor::zeros(x.shape());
        for_each_piece(y.data_mut(), sizes[0] * sizes[1], |n, y| {
            self.denominators(x.sample(n), sizes, y);
            y.iter_mut().zip(x.sample(n)).for_each(|(y, x)| *y = x * self.power(*y));
        });
        Ok((y, Saved::new(mode, x.shape()).with(mode, x)))
    }

    fn backward(&self, saved: &Saved, dy: &Tensor, _grads: &mut Grads, need_dx: bool) -> Result<Vec<Tensor>> {
        if !need_dx {
            return Ok(Vec::new());
        }
        let x = saved.tensor()?;
        expect_gradient(dy, x.shape())?;
        let sizes = channels(&x.shape().sample())?;
        let [count, area] = sizes;
        let factor = 2.0 * self.spec.beta * self.spec.alpha / self.spec.size as f32;
        let mut dx = Tensor::zeros(x.shape());
        for_each_piece(dx.data_mut(), count * area, |n, dx| {
            let (x, dy) = (x.sample(n), dy.sample(n));
            let mut d = vec![0.0; count * area];
            self.denominators(x, sizes, &mut d);
            // dx_i = dy_i d_i^-b - factor x_i * sum over j whose window holds i of dy_j x_j d_j^(-b - 1)
            let mut pull = vec![0.0; count * area];
            for i in 0..count * area {
                let power = self.power(d[i]);
                dx[i] = dy[i] * power;
                pull[i] = dy[i] * x[i] * power / d[i];
            }
            for channel in 0..count {
                for from in self.window(channel, count) {
                    for at in 0..area {
                        dx[from * area + at] -= factor * x[from * area + at] * pull[channel * area + at];
                    }
                }
            }
        });
        Ok(vec![dx])
    }
}
