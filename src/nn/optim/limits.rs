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
