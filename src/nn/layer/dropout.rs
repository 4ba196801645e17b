//! Dropout.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Grads, Kind, Layer, Lowered, Mode, Rng, Saved, Shape, Spec, Tensor, expect_gradient, one};
use crate::nn::parallel::zip_elements;
use crate::{Error, Result};

/// In training each value becomes 0 with probability `p`, and the others grow by `1 / (1 - p)`, so that
/// nothing has to change in inference (Srivastava et al., 2014).
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Dropout {
    /// Probability of a value to become 0, from 0 to below 1.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub p: f32,
}

impl Default for Dropout {
    fn default() -> Self {
        Self { p: 0.5 }
    }
}

/// The kind `dropout`.
pub(super) const KIND: Kind = Kind {
    name: "dropout",
    summary: "In training, random values become 0.",
    example: "use = \"dropout\"\np = 0.25\n",
    parse: super::parse::<Dropout>,
    schema: super::schema::<Dropout>,
};

impl Spec for Dropout {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        if !(0.0..1.0).contains(&self.p) {
            return Err(Error::pipeline(format!("`p` must be from 0 to below 1, got {}", self.p)));
        }
        one(inputs).copied()
    }

    fn build(&self, name: &str, inputs: &[Shape], _rng: Rng) -> Result<Box<dyn Layer>> {
        self.output(inputs)?;
        Ok(Box::new(Built { name: name.to_owned(), p: self.p }))
    }
}

#[derive(Debug)]
struct Built {
    name: String,
    p: f32,
}

impl Layer for Built {
    fn lower(&self) -> Lowered {
        Lowered::Identity
    }

    fn forward(&self, inputs: &[&Tensor], mode: &Mode) -> Result<(Tensor, Saved)> {
        let x = *one(inputs)?;
        let saved = Saved::new(mode, x.shape());
        let Some(rng) = mode.training else { return Ok((x.clone(), saved)) };
        let (rng, scale) = (rng.stream(&self.name), 1.0 / (1.0 - self.p));
        let factor = |i: usize| if rng.uniform(i as u64) < self.p { 0.0 } else { scale };
        let factors = Tensor::from_fn(x.shape(), factor);
        let y = zip_elements(mode.isa, x.data(), factors.data(), |x, f| x * f);
        Ok((Tensor::from_vec(x.shape(), y)?, saved.with(mode, &factors)))
    }

    fn backward(&self, saved: &Saved, dy: &Tensor, _grads: &mut Grads, need_dx: bool) -> Result<Vec<Tensor>> {
        if !need_dx {
            return Ok(Vec::new());
        }
        let factors = saved.tensor()?;
        expect_gradient(dy, factors.shape())?;
        let dx = zip_elements(saved.isa, dy.data(), factors.data(), |dy, f| dy * f);
        Ok(vec![Tensor::from_vec(dy.shape(), dx)?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_dropped_in_training_alone() {
        let shape = Shape::new(&[4000]).unwrap();
        let layer = Dropout { p: 0.25 }.build("drop", &[shape], Rng::new(0)).unwrap();
        let x = Tensor::from_fn(shape.batched(1).unwrap(), |_| 3.0);
        let (y, _) = layer.forward(&[&x], &Mode::inference()).unwrap();
        assert_eq!(y, x);
        let (y, saved) = layer.forward(&[&x], &Mode::training(Rng::new(5))).unwrap();
        assert!(y.data().iter().all(|&v| v == 0.0 || v == 4.0));
        let dropped = y.data().iter().filter(|&&v| v == 0.0).count();
        assert!((900..1100).contains(&dropped), "{dropped}");
        let dx = layer.backward(&saved, &x, &mut Grads::default(), true).unwrap();
        assert_eq!(dx[0], y);
        let (again, _) = layer.forward(&[&x], &Mode::training(Rng::new(5))).unwrap();
        assert_eq!(again, y);
        assert!(Dropout { p: 1.0 }.output(&[shape]).is_err());
    }
}
