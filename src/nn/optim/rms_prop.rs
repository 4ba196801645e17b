//! RMSprop.

use super::Rule;
use crate::nn::Tensor;

/// Each weight moves by its gradient over the root of a running mean of its square (Tieleman and Hinton,
/// 2012), with momentum if wanted: the arithmetic of `torch.optim.RMSprop`.
#[derive(Clone, Copy, Debug)]
pub struct RmsProp {
    /// How slowly the mean of the square moves, from 0 to below 1.
    pub decay: f32,
    /// What is added to the root, positive.
    pub eps: f32,
    /// Weight decay: this share of each parameter is added to its gradient.
    pub weight_decay: f32,
    /// Momentum, from 0 to below 1.
    pub momentum: f32,
}

impl Default for RmsProp {
    fn default() -> Self {
        Self { decay: 0.99, eps: 1e-8, weight_decay: 0.0, momentum: 0.0 }
    }
}

impl Rule for RmsProp {
    fn memories(&self) -> &'static [&'static str] {
        &["square", "velocity"]
    }

    fn update(&self, _step: u64, rate: f32, values: &mut [f32], gradient: &[f32], memories: &mut [Tensor]) {
        let [square, velocity] = memories else { return };
        let memories = square.data_mut().iter_mut().zip(velocity.data_mut());
        for ((value, (square, velocity)), gradient) in values.iter_mut().zip(memories).zip(gradient) {
            let gradient = gradient + self.weight_decay * *value;
            *square = *square * self.decay + gradient * gradient * (1.0 - self.decay);
            *velocity = *velocity * self.momentum + gradient / (square.sqrt() + self.eps);
            *value -= rate * *velocity;
        }
    }
}
