//! First values of weights.

use super::{Rng, Shape, Tensor};

/// Uniform in `-1 / sqrt(fan_in) .. 1 / sqrt(fan_in)` (LeCun, Bottou, Orr and Müller, 1998), PyTorch's
/// default for the weights and biases of convolutions and linear layers. `fan_in` is the number of
/// products that an output sums.
pub fn fan_in_uniform(shape: Shape, fan_in: usize, rng: Rng) -> Tensor {
    if rng.is_blank() {
        return Tensor::zeros(shape);
    }
    let bound = 1.0 / (fan_in.max(1) as f32).sqrt();
    Tensor::from_fn(shape, |i| rng.between(i as u64, -bound, bound))
}
