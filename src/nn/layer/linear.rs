//! Fully connected layer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::affine::{Affine, yes};
use super::{
    Grads, Kind, Layer, Lowered, Mode, Reach, Rng, Saved, Shape, Spec, Tensor, expect_gradient, one,
};
use crate::kernel::gemm::{Matrix, gemm};
use crate::nn::Param;
use crate::nn::parallel::{for_each_piece, with_scratch};
use crate::{Error, Result};

/// `y = W x + b`: every output sees every input.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Linear {
    /// Number of outputs.
    #[schemars(range(min = 1))]
    pub out: usize,
    /// Whether each output adds a number of its own.
    #[serde(default = "yes")]
    pub bias: bool,
}

/// The kind `linear`.
pub(super) const KIND: Kind = Kind {
    name: "linear",
    summary: "Every output is a weighted sum of all inputs.",
    example: "use = \"linear\"\nout = 10\n",
    parse: super::parse::<Linear>,
    schema: super::schema::<Linear>,
};

impl Linear {
    /// The shape of the weight: `[out, inputs]`.
    fn weight(&self, inputs: &[Shape]) -> Result<Shape> {
        let input = one(inputs)?;
        let &[features] = &**input else {
            return Err(Error::shape(format!("expected a vector `[features]`, got {input}"))
                .with_hint("put a layer with `use = \"flatten\"` before this one"));
        };
        if self.out == 0 {
            return Err(Error::pipeline("`out` must be at least 1, got 0"));
        }
        Shape::new(&[self.out, features])
    }
}

impl Spec for Linear {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        self.weight(inputs)?;
        Shape::new(&[self.out])
    }

    fn reach(&self) -> Reach {
        Reach::All
    }

    fn build(&self, name: &str, inputs: &[Shape], rng: Rng) -> Result<Box<dyn Layer>> {
        let shape = self.weight(inputs)?;
        let affine = Affine::new(name, shape, self.bias.then_some(self.out), shape[1], rng)?;
        Ok(Box::new(Built { affine }))
    }

    fn parameters(&self, inputs: &[Shape]) -> Result<usize> {
        Ok(self.weight(inputs)?.count() + if self.bias { self.out } else { 0 })
    }

    fn multiply_adds(&self, inputs: &[Shape]) -> Result<u64> {
        Ok(self.weight(inputs)?.count() as u64)
    }
}

#[derive(Debug)]
struct Built {
    affine: Affine,
}

impl Built {
    /// Outputs and inputs.
    fn sizes(&self) -> [usize; 2] {
        let shape = self.affine.weight.value.shape();
        [shape[0], shape[1]]
    }
}

/// Rows of a product for one thread. Each element is the same sum however the rows are cut.
fn rows_each(rows: usize) -> usize {
    rows.div_ceil(crate::parallel::current_num_threads()).max(1)
}

impl Layer for Built {
    fn params(&self) -> Vec<&Param> {
        self.affine.params()
    }

    fn params_mut(&mut self) -> Vec<&mut Param> {
        self.affine.params_mut()
    }

    fn lower(&self) -> Lowered {
        let Affine { weight, bias } = &self.affine;
        let bias = bias.as_ref().map(|bias| bias.value.clone());
        Lowered::Linear { weight: weight.value.clone(), bias }
    }

    /// # Shapes
    /// `[n, inputs]` to `[n, out]`.
    fn forward(&self, inputs: &[&Tensor], mode: &Mode) -> Result<(Tensor, Saved)> {
        let x = *one(inputs)?;
        let [out, features] = self.sizes();
        if x.shape().len() != 2 || x.shape()[1] != features {
            return Err(Error::shape(format!("expected an input of [n, {features}], got {}", x.shape())));
        }
        let mut y = Tensor::zeros(Shape::new(&[x.samples(), out])?);
        if let Some(bias) = self.affine.bias() {
            y.data_mut().chunks_exact_mut(out).for_each(|row| row.copy_from_slice(bias.data()));
        }
        let rows = rows_each(x.samples());
        let weight = Matrix { data: self.affine.weight.value.data(), lane_stride: features, depth_stride: 1 };
        for_each_piece(y.data_mut(), rows * out, |i, y| {
            let x = Matrix { data: &x.data()[i * rows * features..], lane_stride: features, depth_stride: 1 };
            let size = [y.len() / out, out, features];
            with_scratch(|scratch| gemm(mode.isa, size, &x, &weight, y, out, &mut scratch.gemm));
        });
        Ok((y, Saved::new(mode, x.shape()).with(mode, x)))
    }

    fn backward(&self, saved: &Saved, dy: &Tensor, grads: &mut Grads, need_dx: bool) -> Result<Vec<Tensor>> {
        let [out, features] = self.sizes();
        let x = saved.tensor()?;
        let samples = x.samples();
        expect_gradient(dy, Shape::new(&[samples, out])?)?;

        let weight_grad = || {
            let mut dw = Tensor::zeros(self.affine.weight.value.shape());
            let rows = rows_each(out);
            let right = Matrix { data: x.data(), lane_stride: 1, depth_stride: features };
            for_each_piece(dw.data_mut(), rows * features, |i, dw| {
                // Nothing to read where the batch is empty.
                let dy = dy.data().get(i * rows..).unwrap_or_default();
                let left = Matrix { data: dy, lane_stride: 1, depth_stride: out };
                let size = [dw.len() / features, features, samples];
                with_scratch(|scratch| gemm(saved.isa, size, &left, &right, dw, features, &mut scratch.gemm));
            });
            Ok(dw)
        };
        let bias_grad = || {
            let mut sums = Tensor::zeros(Shape::new(&[out])?);
            for row in dy.data().chunks_exact(out) {
                sums.data_mut().iter_mut().zip(row).for_each(|(sum, dy)| *sum += dy);
            }
            Ok(sums)
        };
        self.affine.add_grads(grads, weight_grad, bias_grad)?;
        if !need_dx {
            return Ok(Vec::new());
        }

        let mut dx = Tensor::zeros(x.shape());
        let rows = rows_each(samples);
        let right = Matrix { data: self.affine.weight.value.data(), lane_stride: 1, depth_stride: features };
        for_each_piece(dx.data_mut(), rows * features, |i, dx| {
            let left = Matrix { data: &dy.data()[i * rows * out..], lane_stride: out, depth_stride: 1 };
            let size = [dx.len() / features, features, out];
            with_scratch(|scratch| gemm(saved.isa, size, &left, &right, dx, features, &mut scratch.gemm));
        });
        Ok(vec![dx])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_must_be_flattened_first() {
        let error = Linear { out: 3, bias: true }.output(&[Shape::new(&[2, 4, 4]).unwrap()]).unwrap_err();
        assert_eq!(error.message(), "expected a vector `[features]`, got [2, 4, 4]");
        assert!(error.hint().unwrap().contains("flatten"));
        assert!(Linear { out: 0, bias: true }.output(&[Shape::new(&[4]).unwrap()]).is_err());
    }
}
