//! Adadelta.

use super::Rule;
use crate::nn::Tensor;

/// Each weight moves by its gradient, in the unit of its own earlier moves (Zeiler, 2012): the arithmetic
/// of `torch.optim.Adadelta`. Its learning rate is usually 1.
#[derive(Clone, Copy, Debug)]
pub struct Adadelta {
    /// How slowly the means of the squares move, from 0 to below 1.
    pub decay: f32,
    /// What is added under the roots, positive.
    pub eps: f32,
    /// Weight decay: this share of each parameter is added to its gradient.
    pub weight_decay: f32,
}

impl Default for Adadelta {
    fn default() -> Self {
        Self { decay: 0.9, eps: 1e-6, weight_decay: 0.0 }
    }
}

impl Rule for Adadelta {
    fn memories(&self) -> &'static [&'static str] {
        &["square", "moved"]
    }

    fn update(&self, _step: u64, rate: f32, values: &mut [f32], gradient: &[f32], memories: &mut [Tensor]) {
        let [square, moved] = memories else { return };
        let toward = |old: f32, new: f32| old * self.decay + new * new * (1.0 - self.decay);
        let memories = square.data_mut().iter_mut().zip(moved.data_mut());
        for ((value, (square, moved)), gradient) in values.iter_mut().zip(memories).zip(gradient) {
            let gradient = gradient + self.weight_decay * *value;
            *square = toward(*square, gradient);
            let delta = (*moved + self.eps).sqrt() / (*square + self.eps).sqrt() * gradient;
            *moved = toward(*moved, delta);
            *value -= rate * delta;
        }
    }
}
