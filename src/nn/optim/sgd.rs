//! Stochastic gradient descent with momentum.

use super::Rule;
use crate::nn::Tensor;

/// `g += decay * w; v = momentum * v + g; w -= rate * v`, or with Nesterov's look-ahead (Sutskever et
/// al., 2013) `w -= rate * (g + momentum * v)`: the arithmetic of `torch.optim.SGD`.
#[derive(Clone, Copy, Debug)]
pub struct Sgd {
    /// Momentum, from 0 to below 1.
    pub momentum: f32,
    /// Weight decay: this share of each parameter is added to its gradient.
    pub weight_decay: f32,
    /// Nesterov's form of the momentum.
    pub nesterov: bool,
}

impl Rule for Sgd {
    fn memories(&self) -> &'static [&'static str] {
        &["velocity"]
    }

    fn update(&self, _step: u64, rate: f32, values: &mut [f32], gradient: &[f32], memories: &mut [Tensor]) {
        let [velocity] = memories else { return };
        for ((value, velocity), gradient) in values.iter_mut().zip(velocity.data_mut()).zip(gradient) {
            let gradient = gradient + self.weight_decay * *value;
            *velocity = self.momentum * *velocity + gradient;
            *value -= rate * if self.nesterov { gradient + self.momentum * *velocity } else { *velocity };
        }
    }
}
