//! Batch normalisation.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Grads, Kind, Layer, Lowered, Mode, Rng, Saved, Shape, Spec, Tensor, channels, expect_gradient, one,
};
use crate::kernel::Isa;
use crate::kernel::norm::{dot_of, squares_from, sum_of};
use crate::nn::Param;
use crate::nn::parallel::for_each_piece;
use crate::parallel::prelude::*;
use crate::{Error, Result};

/// Each channel gets mean 0 and variance 1 over the batch, then a scale and a shift that are learned
/// (Ioffe and Szegedy, 2015). Inference works with running statistics. Takes `[channels]`,
/// `[channels, length]` and `[channels, height, width]`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct BatchNorm {
    /// What is added to the variance before its root, positive.
    #[schemars(range(min = 0.0))]
    pub eps: f32,
    /// Share by which the running statistics move towards those of a batch, from 0 to 1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub momentum: f32,
}

impl Default for BatchNorm {
    fn default() -> Self {
        Self { eps: 1e-5, momentum: 0.1 }
    }
}

/// The kind `batch-norm`.
pub(super) const KIND: Kind = Kind {
    name: "batch-norm",
    summary: "Each channel gets mean 0 and variance 1 over the batch, then a learned scale and shift.",
    example: "use = \"batch-norm\"\n",
    parse: super::parse::<BatchNorm>,
    schema: super::schema::<BatchNorm>,
};

impl Spec for BatchNorm {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        if !(self.eps > 0.0 && self.eps.is_finite() && (0.0..=1.0).contains(&self.momentum)) {
            return Err(Error::pipeline(format!(
                "`eps` must be positive and `momentum` from 0 to 1, got {} and {}",
                self.eps, self.momentum
            )));
        }
        channels(one(inputs)?)?;
        one(inputs).copied()
    }

    fn build(&self, name: &str, inputs: &[Shape], _rng: Rng) -> Result<Box<dyn Layer>> {
        let shape = Shape::new(&[channels(&self.output(inputs)?)?[0]])?;
        let of = |param: &str, value: f32| Param::new(name, param, Tensor::from_fn(shape, |_| value));
        Ok(Box::new(Built {
            weight: of("weight", 1.0),
            bias: of("bias", 0.0),
            mean: of("running_mean", 0.0),
            variance: of("running_var", 1.0),
            spec: *self,
        }))
    }

    fn parameters(&self, inputs: &[Shape]) -> Result<usize> {
        Ok(2 * channels(one(inputs)?)?[0])
    }
}

#[derive(Debug)]
struct Built {
    weight: Param,
    bias: Param,
    mean: Param,
    variance: Param,
    spec: BatchNorm,
}

/// What a pass in training works with, for each channel.
struct Statistics {
    mean: Vec<f32>,
    variance: Vec<f32>,
}

/// Values of a channel over the whole batch, plane after plane.
fn planes(x: &Tensor, channel: usize, [count, area]: [usize; 2]) -> impl Iterator<Item = &[f32]> {
    let starts = (0..x.samples()).map(move |n| (n * count + channel) * area);
    starts.map(move |start| &x.data()[start..][..area])
}

/// `f` of every channel, in parallel.
fn of_channels<T: Send>(count: usize, f: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
    if crate::parallel::current_num_threads() == 1 {
        return (0..count).map(f).collect();
    }
    (0..count).into_par_iter().map(f).collect()
}

impl Statistics {
    fn of_batch(isa: Isa, x: &Tensor, sizes: [usize; 2]) -> Self {
        let count = (x.samples() * sizes[1]).max(1) as f64;
        let found = of_channels(sizes[0], |channel| {
            let sum: f64 = planes(x, channel, sizes).map(|plane| f64::from(sum_of(isa, plane))).sum();
            let mean = (sum / count) as f32;
            let squares: f64 =
                planes(x, channel, sizes).map(|plane| f64::from(squares_from(isa, plane, mean))).sum();
            (mean, (squares / count) as f32)
        });
        let (mean, variance) = found.into_iter().unzip();
        Self { mean, variance }
    }
}

impl Built {
    fn deviation(&self, variance: f32) -> f32 {
        (variance + self.spec.eps).sqrt()
    }

    /// Scale and shift of each channel.
    fn factors(&self, mean: &[f32], variance: &[f32]) -> Vec<(f32, f32)> {
        let (weight, bias) = (self.weight.value.data(), self.bias.value.data());
        let of = |c: usize| {
            let scale = weight[c] / self.deviation(variance[c]);
            (scale, bias[c] - mean[c] * scale)
        };
        (0..mean.len()).map(of).collect()
    }
}

impl Layer for Built {
    fn params(&self) -> Vec<&Param> {
        vec![&self.weight, &self.bias]
    }

    fn params_mut(&mut self) -> Vec<&mut Param> {
        vec![&mut self.weight, &mut self.bias]
    }

    fn buffers(&self) -> Vec<&Param> {
        vec![&self.mean, &self.variance]
    }

    fn buffers_mut(&mut self) -> Vec<&mut Param> {
        vec![&mut self.mean, &mut self.variance]
    }

    fn commit(&mut self, saved: &Saved) {
        // Without a count the pass worked with what the buffers hold already.
        let ([.., statistics], Some(&count)) = (&saved.tensors[..], saved.indices.first()) else { return };
        let channels = self.mean.value.data().len();
        let (mean, variance) = statistics.data().split_at(channels);
        // The running variance is that of a larger population: n / (n - 1) of the batch's.
        let larger = (f64::from(count) / f64::from(count - 1).max(1.0)) as f32;
        let share = self.spec.momentum;
        let toward = |old: &mut f32, new: f32| *old = (1.0 - share) * *old + share * new;
        self.mean.value.data_mut().iter_mut().zip(mean).for_each(|(old, new)| toward(old, *new));
        let pairs = self.variance.value.data_mut().iter_mut().zip(variance);
        pairs.for_each(|(old, new)| toward(old, *new * larger));
    }

    fn lower(&self) -> Lowered {
        let (scale, shift) =
            self.factors(self.mean.value.data(), self.variance.value.data()).into_iter().unzip();
        Lowered::Scale { scale, shift }
    }

    /// # Shapes
    /// `[n, c, ...]` to the same.
    fn forward(&self, inputs: &[&Tensor], mode: &Mode) -> Result<(Tensor, Saved)> {
        let x = *one(inputs)?;
        let sizes = channels(&x.shape().sample())?;
        let [count, area] = sizes;
        if count != self.mean.value.data().len() {
            let wanted = self.mean.value.data().len();
            return Err(Error::shape(format!("expected an input of [n, {wanted}, ...], got {}", x.shape())));
        }
        let learns = mode.training.is_some() && !mode.frozen;
        if learns && x.samples() * area == 1 {
            return Err(Error::shape("expected more than one value a channel in training, got 1")
                .with_hint("a larger batch, or a frozen norm"));
        }
        let Statistics { mean, variance } = if learns {
            Statistics::of_batch(mode.isa, x, sizes)
        } else {
            let of = |param: &Param| param.value.data().to_vec();
            Statistics { mean: of(&self.mean), variance: of(&self.variance) }
        };
        let factors = self.factors(&mean, &variance);
        let mut y = Tensor::unset(x.shape());
        for_each_piece(y.data_mut(), count * area, |n, sample| {
            let planes = sample.chunks_exact_mut(area.max(1)).zip(x.sample(n).chunks_exact(area.max(1)));
            for ((y, x), &(scale, shift)) in planes.zip(&factors) {
                mode.isa.run(
                    #[inline(always)]
                    || y.iter_mut().zip(x).for_each(|(y, x)| *y = x * scale + shift),
                );
            }
        });
        let mut saved = Saved::new(mode, x.shape()).with(mode, x);
        if mode.keep {
            saved.tensors.push(Tensor::from_vec(Shape::new(&[2, count])?, [mean, variance].concat())?);
            // Running statistics are constants: the gradient does not go through them.
            saved.indices = if learns { vec![(x.samples() * area) as u32] } else { Vec::new() };
        }
        Ok((y, saved))
    }

    fn backward(&self, saved: &Saved, dy: &Tensor, grads: &mut Grads, need_dx: bool) -> Result<Vec<Tensor>> {
        let (x, statistics) = (saved.kept(0)?, saved.kept(1)?);
        expect_gradient(dy, saved.input)?;
        let sizes = channels(&saved.input.sample())?;
        let [count, area] = sizes;
        let (mean, variance) = statistics.data().split_at(count);
        // Of every channel the sums of dy and of dy (x - mean) / deviation.
        let sums = of_channels(count, |c| {
            let (mut plain, mut along) = (0.0f64, 0.0f64);
            for (x, dy) in planes(x, c, sizes).zip(planes(dy, c, sizes)) {
                plain += f64::from(sum_of(saved.isa, dy));
                along += f64::from(dot_of(saved.isa, x, dy, mean[c]));
            }
            (plain, along / f64::from(self.deviation(variance[c])))
        });
        let shape = self.weight.value.shape();
        if grads.wants(&self.weight.name) {
            let along = sums.iter().map(|(_, along)| *along as f32).collect();
            grads.add(&self.weight.name, Tensor::from_vec(shape, along)?)?;
        }
        if grads.wants(&self.bias.name) {
            let plain = sums.iter().map(|(plain, _)| *plain as f32).collect();
            grads.add(&self.bias.name, Tensor::from_vec(shape, plain)?)?;
        }
        if !need_dx {
            return Ok(Vec::new());
        }
        // dx = w / s (dy - mean(dy) - x_hat mean(dy x_hat)); without the means for running statistics.
        let batch = saved.indices.first().map(|&n| f64::from(n));
        let factors: Vec<[f32; 4]> = (0..count)
            .map(|c| {
                let deviation = self.deviation(variance[c]);
                let scale = self.weight.value.data()[c] / deviation;
                let Some(n) = batch else { return [scale, 0.0, 0.0, 0.0] };
                let slope = (sums[c].1 / n / f64::from(deviation)) as f32;
                [scale, (sums[c].0 / n) as f32, slope, mean[c]]
            })
            .collect();
        let mut dx = Tensor::unset(dy.shape());
        for_each_piece(dx.data_mut(), count * area, |n, sample| {
            let planes = x.sample(n).chunks_exact(area.max(1)).zip(dy.sample(n).chunks_exact(area.max(1)));
            let planes = sample.chunks_exact_mut(area.max(1)).zip(planes);
            for ((dx, (x, dy)), &[scale, shift, slope, mean]) in planes.zip(&factors) {
                let of = |(x, dy): (&f32, &f32)| (dy - shift - (x - mean) * slope) * scale;
                saved.isa.run(
                    #[inline(always)]
                    || dx.iter_mut().zip(x.iter().zip(dy)).for_each(|(dx, pair)| *dx = of(pair)),
                );
            }
        });
        Ok(vec![dx])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built() -> Box<dyn Layer> {
        BatchNorm::default().build("bn", &[Shape::new(&[2, 3]).unwrap()], Rng::new(0)).unwrap()
    }

    fn batch() -> Tensor {
        Tensor::from_fn(Shape::new(&[4, 2, 3]).unwrap(), |i| ((i * 7) % 11) as f32)
    }

    #[test]
    fn statistics_move_when_committed_and_rest_when_frozen() {
        let (mut layer, x) = (built(), batch());
        let (y, saved) = layer.forward(&[&x], &Mode::training(Rng::new(0))).unwrap();
        for channel in 0..2 {
            let values: Vec<f32> = planes(&y, channel, [2, 3]).flatten().copied().collect();
            let mean = values.iter().sum::<f32>() / 12.0;
            let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / 12.0;
            assert!(mean.abs() < 1e-6 && (variance - 1.0).abs() < 1e-4, "{mean} {variance}");
        }
        assert_eq!(layer.buffers()[0].value.data(), [0.0, 0.0]);
        layer.commit(&saved);
        let seen: Vec<f32> = planes(&x, 1, [2, 3]).flatten().copied().collect();
        let mean = seen.iter().sum::<f32>() / 12.0;
        let variance = seen.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / 11.0;
        assert!((layer.buffers()[0].value.data()[1] - 0.1 * mean).abs() < 1e-6);
        assert!((layer.buffers()[1].value.data()[1] - (0.9 + 0.1 * variance)).abs() < 1e-5);
        let frozen = Mode { frozen: true, ..Mode::training(Rng::new(0)) };
        let inference = layer.forward(&[&x], &Mode::inference()).unwrap().0;
        assert_eq!(layer.forward(&[&x], &frozen).unwrap().0, inference);
        assert_ne!(inference, y);
    }

    #[test]
    fn a_frozen_norm_scales_the_gradient_alone() {
        let (mut layer, x) = (built(), batch());
        layer.buffers_mut()[1].value = Tensor::from_fn(Shape::new(&[2]).unwrap(), |c| 3.0 + c as f32);
        layer.params_mut()[0].value = Tensor::from_fn(Shape::new(&[2]).unwrap(), |c| 1.0 - 3.0 * c as f32);
        let frozen = Mode { frozen: true, ..Mode::training(Rng::new(0)) };
        let (_, saved) = layer.forward(&[&x], &frozen).unwrap();
        let dy = Tensor::from_fn(x.shape(), |i| ((i * 5) % 13) as f32 - 6.0);
        let dx = layer.backward(&saved, &dy, &mut Grads::default(), true).unwrap();
        for (i, (dx, dy)) in dx[0].data().iter().zip(dy.data()).enumerate() {
            let scale = [1.0 / 3.00001f32.sqrt(), -2.0 / 4.00001f32.sqrt()][i / 3 % 2];
            assert!((dx - scale * dy).abs() < 1e-5, "{i}: {dx}");
        }
        layer.commit(&saved);
        assert_eq!(layer.buffers()[1].value.data(), [3.0, 4.0]);
    }

    #[test]
    fn one_value_a_channel_cannot_be_normalised() {
        let layer = BatchNorm::default().build("bn", &[Shape::new(&[2]).unwrap()], Rng::new(0)).unwrap();
        let x = Tensor::zeros(Shape::new(&[1, 2]).unwrap());
        assert!(layer.forward(&[&x], &Mode::training(Rng::new(0))).is_err());
        assert!(layer.forward(&[&x], &Mode::inference()).is_ok());
        assert!(BatchNorm { eps: 0.0, ..BatchNorm::default() }.output(&[x.shape()]).is_err());
    }
}
