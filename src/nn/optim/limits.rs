//! Bounds for gradients and for weights.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::nn::graph::matches;
use crate::nn::{Grads, Net};
use crate::{Error, Result};

/// Shrinks all gradients alike where their common norm is above `limit` (Pascanu, Mikolov and Bengio,
/// 2013), and gives the norm as it was. As in PyTorch, 1e-6 is added to it before the division.
pub fn clip(grads: &mut Grads, limit: f32) -> f64 {
    // In the order of the names, so that the sum is the same for any number of threads.
    let square = |values: &[f32]| values.iter().map(|&g| f64::from(g) * f64::from(g)).sum::<f64>();
    let norm = libm::sqrt(grads.iter().map(|(_, gradient)| square(gradient.data())).sum());
    let factor = (f64::from(limit) / (norm + 1e-6)) as f32;
    if factor < 1.0 {
        grads.scale(factor);
    }
    norm
}

/// Rows of a weight matrix whose norm is above a limit are shrunk to it after each step (Srivastava et
/// al., 2014; Kim, 2014, with 3).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MaxNorm {
    /// The largest norm of a row, positive.
    pub limit: f32,
    /// Which weights; `*` stands for any letters, as in `fc.*`.
    pub weights: String,
}

impl MaxNorm {
    /// Shrinks what is too large.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) when no parameter has such a name.
    pub fn apply(&self, net: &mut Net) -> Result<()> {
        let mut found = false;
        for param in net.params_mut().filter(|param| matches(&self.weights, &param.name)) {
            found = true;
            let row = param.value.shape().sample().count().max(1);
            for row in param.value.data_mut().chunks_exact_mut(row) {
                let norm = libm::sqrt(row.iter().map(|&w| f64::from(w) * f64::from(w)).sum());
                if norm > f64::from(self.limit) {
                    let factor = (f64::from(self.limit) / norm) as f32;
                    for w in row {
                        *w *= factor;
                    }
                }
            }
        }
        if found {
            return Ok(());
        }
        Err(Error::pipeline(format!("`max-norm`: no parameter is called `{}`", self.weights)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Source;
    use crate::nn::{Shape, Tensor, arch};

    #[test]
    fn gradients_are_shrunk_to_the_limit_and_small_ones_stay() {
        let of = |values: [f32; 2]| Tensor::from_vec(Shape::new(&[2]).unwrap(), values.to_vec()).unwrap();
        let mut grads = Grads::default();
        grads.add("a", of([3.0, 0.0])).unwrap();
        grads.add("b", of([0.0, -4.0])).unwrap();
        assert_eq!(clip(&mut grads, 10.0), 5.0);
        assert_eq!(grads.get("b").unwrap().data(), [0.0, -4.0]);
        assert_eq!(clip(&mut grads, 1.0), 5.0);
        let near =
            |name: &str, at: usize, wanted: f32| (grads.get(name).unwrap().data()[at] - wanted).abs() < 1e-6;
        assert!(near("a", 0, 0.6) && near("b", 1, -0.8));
    }

    #[test]
    fn rows_are_shrunk_each_on_its_own() {
        let text =
            "version = 1\nname = \"t\"\ninput = [2]\n[[layer]]\nuse = \"linear\"\nname = \"fc\"\nout = 2\n";
        let mut net = Net::blank(arch::parse(&Source::new("t", text)).unwrap()).unwrap();
        let rows = Tensor::from_vec(Shape::new(&[2, 2]).unwrap(), vec![6.0, 8.0, 1.0, 2.0]).unwrap();
        net.params_mut().next().unwrap().value = rows;
        MaxNorm { limit: 5.0, weights: "fc.weight".into() }.apply(&mut net).unwrap();
        assert_eq!(net.params().next().unwrap().value.data(), [3.0, 4.0, 1.0, 2.0]);
        assert!(MaxNorm { limit: 5.0, weights: "cf.*".into() }.apply(&mut net).is_err());
    }
}
