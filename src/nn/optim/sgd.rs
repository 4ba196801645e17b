//! Stochastic gradient descent with momentum.

use std::collections::BTreeMap;

use crate::Result;
use crate::nn::{Grads, Net, Tensor};

/// `g += decay * w; v = momentum * v + g; w -= rate * v`, or with Nesterov's look-ahead (Sutskever et
/// al., 2013) `w -= rate * (g + momentum * v)`: the arithmetic of `torch.optim.SGD`.
#[derive(Clone, Debug)]
pub struct Sgd {
    /// Momentum, from 0 to below 1.
    pub momentum: f32,
    /// Weight decay: this share of each parameter is added to its gradient.
    pub weight_decay: f32,
    /// Nesterov's form of the momentum.
    pub nesterov: bool,
    velocity: BTreeMap<String, Tensor>,
}

impl Sgd {
    /// An optimiser at rest.
    pub fn new(momentum: f32, weight_decay: f32, nesterov: bool) -> Self {
        Self { momentum, weight_decay, nesterov, velocity: BTreeMap::new() }
    }

    /// One step against the gradients, at a learning rate. Parameters without gradient stay.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when a gradient is not of its parameter's shape.
    pub fn step(&mut self, net: &mut Net, grads: &Grads, rate: f32) -> Result<()> {
        let (momentum, decay, nesterov) = (self.momentum, self.weight_decay, self.nesterov);
        for param in net.params_mut() {
            let Some(gradient) = grads.get(&param.name) else { continue };
            if gradient.shape() != param.value.shape() {
                let (wanted, got) = (param.value.shape(), gradient.shape());
                let message = format!("expected a gradient of {wanted}, got {got}");
                return Err(crate::Error::shape(message).within(&param.name));
            }
            let velocity =
                self.velocity.entry(param.name.clone()).or_insert_with(|| Tensor::zeros(gradient.shape()));
            let values = param.value.data_mut().iter_mut().zip(velocity.data_mut()).zip(gradient.data());
            for ((value, velocity), gradient) in values {
                let gradient = gradient + decay * *value;
                *velocity = momentum * *velocity + gradient;
                *value -= rate * if nesterov { gradient + momentum * *velocity } else { *velocity };
            }
        }
        Ok(())
    }

    /// The velocity of each parameter that has moved, by name.
    pub fn state(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.velocity.iter().map(|(name, velocity)| (name.as_str(), velocity))
    }

    /// Takes up the velocity of a parameter from an earlier run.
    pub fn restore(&mut self, name: &str, velocity: Tensor) {
        self.velocity.insert(name.to_owned(), velocity);
    }
}
