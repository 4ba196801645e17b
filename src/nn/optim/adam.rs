//! Adam, and its form with decoupled weight decay.

use super::Rule;
use crate::nn::Tensor;

/// Adam (Kingma and Ba, 2015): each weight moves by a running mean of its gradient over the root of a
/// running mean of its square. With `decoupled`, the weight decay shrinks the weights themselves
/// (AdamW, Loshchilov and Hutter, 2019) and is not part of the gradient. The arithmetic of
/// `torch.optim.Adam` and `torch.optim.AdamW`.
#[derive(Clone, Copy, Debug)]
pub struct Adam {
    /// How slowly the mean of the gradient moves, from 0 to below 1.
    pub beta1: f32,
    /// How slowly the mean of its square moves, from 0 to below 1.
    pub beta2: f32,
    /// What is added to the root, positive.
    pub eps: f32,
    /// Weight decay.
    pub weight_decay: f32,
    /// Whether the decay is apart from the gradient.
    pub decoupled: bool,
}

impl Default for Adam {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.0, decoupled: false }
    }
}

impl Rule for Adam {
    fn memories(&self) -> &'static [&'static str] {
        &["mean", "square"]
    }

    fn update(&self, step: u64, rate: f32, values: &mut [f32], gradient: &[f32], memories: &mut [Tensor]) {
        let [mean, square] = memories else { return };
        let unbiased = |beta: f32| 1.0 - libm::pow(f64::from(beta), step as f64);
        let rate_now = (f64::from(rate) / unbiased(self.beta1)) as f32;
        let root = libm::sqrt(unbiased(self.beta2)) as f32;
        let (in_gradient, shrink) =
            if self.decoupled { (0.0, 1.0 - rate * self.weight_decay) } else { (self.weight_decay, 1.0) };
        let memories = mean.data_mut().iter_mut().zip(square.data_mut());
        for ((value, (mean, square)), gradient) in values.iter_mut().zip(memories).zip(gradient) {
            *value *= shrink;
            let gradient = gradient + in_gradient * *value;
            *mean += (gradient - *mean) * (1.0 - self.beta1);
            *square = *square * self.beta2 + gradient * gradient * (1.0 - self.beta2);
            *value -= rate_now * *mean / (square.sqrt() / root + self.eps);
        }
    }
}
