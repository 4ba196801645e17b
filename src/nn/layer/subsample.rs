//! The trainable subsampling of the first LeNet-5.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Grads, Kind, Layer, Mode, Reach, Rng, Saved, Shape, Spec, Tensor, expect_gradient, image, one};
use crate::kernel::norm::sum_of;
use crate::nn::conv2d::axes;
use crate::nn::init::fan_in_uniform;
use crate::nn::{Param, Window};
use crate::{Error, Result};

/// The sum of each window of `factor` by `factor` pixels, times a weight plus a bias of its map, both
/// learned: the layers S2 and S4 of LeNet-5 (LeCun, Bottou, Bengio and Haffner, 1998), before their
/// squashing function.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Subsample {
    /// Side of a window and distance of neighbouring ones, in pixels.
    #[schemars(range(min = 1))]
    pub factor: usize,
}

impl Default for Subsample {
    fn default() -> Self {
        Self { factor: 2 }
    }
}

/// The kind `subsample`.
pub(super) const KIND: Kind = Kind {
    name: "subsample",
    summary: "Sums of windows, with a learned scale and shift for each map.",
    example: "use = \"subsample\"\nfactor = 2\n",
    parse: super::parse::<Subsample>,
    schema: super::schema::<Subsample>,
};

impl Subsample {
    fn window(self) -> Window {
        Window::square(self.factor, 0, self.factor)
    }
}

impl Spec for Subsample {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let [channels, height, width] = image(one(inputs)?)?;
        let [height, width] = self.window().output([height, width])?;
        Shape::new(&[channels, height, width])
    }

    fn build(&self, name: &str, inputs: &[Shape], rng: Rng) -> Result<Box<dyn Layer>> {
        let shape = Shape::new(&[self.output(inputs)?[0]])?;
        let of = |param: &str| {
            let value = fan_in_uniform(shape, self.factor * self.factor, rng.stream(param));
            Param::new(name, param, value)
        };
        Ok(Box::new(Built { weight: of("weight"), bias: of("bias"), factor: self.factor }))
    }

    fn parameters(&self, inputs: &[Shape]) -> Result<usize> {
        Ok(2 * self.output(inputs)?[0])
    }

    fn multiply_adds(&self, inputs: &[Shape]) -> Result<u64> {
        Ok(self.output(inputs)?.count() as u64)
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
    weight: Param,
    bias: Param,
    factor: usize,
}

impl Built {
    fn output(&self, input: Shape) -> Result<Shape> {
        let output = Subsample { factor: self.factor }.output(&[input.sample()])?;
        if output[0] != self.weight.value.data().len() {
            let wanted = self.weight.value.data().len();
            return Err(Error::shape(format!("expected an input of [n, {wanted}, h, w], got {input}")));
        }
        output.batched(input[0])
    }
}

impl Layer for Built {
    fn params(&self) -> Vec<&Param> {
        vec![&self.weight, &self.bias]
    }

    fn params_mut(&mut self) -> Vec<&mut Param> {
        vec![&mut self.weight, &mut self.bias]
    }

    /// # Shapes
    /// `[n, c, h, w]` to `[n, c, h / factor, w / factor]`, rounded down.
    fn forward(&self, inputs: &[&Tensor], mode: &Mode) -> Result<(Tensor, Saved)> {
        let x = *one(inputs)?;
        let [_, count, height, width] = axes("input", x.shape())?;
        let shape = self.output(x.shape())?;
        let (rows, columns, factor) = (shape[2], shape[3], self.factor);
        let mut sums = Tensor::zeros(shape);
        let planes =
            sums.data_mut().chunks_exact_mut(rows * columns).zip(x.data().chunks_exact(height * width));
        for (sums, x) in planes {
            for (y, line) in x.chunks_exact(width).take(rows * factor).enumerate() {
                for (sum, values) in
                    sums[y / factor * columns..][..columns].iter_mut().zip(line.chunks_exact(factor))
                {
                    *sum += values.iter().sum::<f32>();
                }
            }
        }
        let mut y = sums.clone();
        for (at, plane) in y.data_mut().chunks_exact_mut(rows * columns).enumerate() {
            let (weight, bias) = (self.weight.value.data()[at % count], self.bias.value.data()[at % count]);
            for sum in plane {
                *sum = *sum * weight + bias;
            }
        }
        Ok((y, Saved::new(mode, x.shape()).with(mode, &sums)))
    }

    fn backward(&self, saved: &Saved, dy: &Tensor, grads: &mut Grads, need_dx: bool) -> Result<Vec<Tensor>> {
        let sums = saved.tensor()?;
        expect_gradient(dy, sums.shape())?;
        let [_, count, height, width] = axes("input", saved.input)?;
        let (rows, columns, factor) = (sums.shape()[2], sums.shape()[3], self.factor);
        let area = rows * columns;
        let (mut dw, mut db) =
            (Tensor::zeros(self.weight.value.shape()), Tensor::zeros(self.bias.value.shape()));
        for (at, (dy, sums)) in dy.data().chunks_exact(area).zip(sums.data().chunks_exact(area)).enumerate() {
            dw.data_mut()[at % count] += dy.iter().zip(sums).map(|(dy, sum)| dy * sum).sum::<f32>();
            db.data_mut()[at % count] += sum_of(saved.isa, dy);
        }
        for (param, gradient) in [(&self.weight, dw), (&self.bias, db)] {
            if grads.wants(&param.name) {
                grads.add(&param.name, gradient)?;
            }
        }
        if !need_dx {
            return Ok(Vec::new());
        }
        let mut dx = Tensor::zeros(saved.input);
        let planes = dx.data_mut().chunks_exact_mut(height * width).zip(dy.data().chunks_exact(area));
        for (at, (dx, dy)) in planes.enumerate() {
            let weight = self.weight.value.data()[at % count];
            for (y, line) in dx.chunks_exact_mut(width).take(rows * factor).enumerate() {
                let dy = &dy[y / factor * columns..][..columns];
                for (values, dy) in line.chunks_exact_mut(factor).zip(dy) {
                    values.fill(weight * dy);
                }
            }
        }
        Ok(vec![dx])
    }
}
