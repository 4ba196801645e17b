//! Optimisers: what a step does with the gradients.
//!
//! A rule ([`Sgd`], [`Adam`], [`RmsProp`], [`Adadelta`]) says how one parameter moves; an [`Optimiser`]
//! applies it to a net and keeps what the rule remembers of each parameter.
//!
//! ```
//! use lyncean::nn::optim::{Adadelta, Adam, MaxNorm, Optimiser, RmsProp, Rule, clip};
//! use lyncean::nn::{Grads, Net, Shape, Tensor, arch};
//!
//! let mut net = Net::build(arch::parse(&arch::builtin("mlp").unwrap())?, 1)?;
//! let mut grads = Grads::default();
//! grads.add("fc2.bias", Tensor::from_fn(Shape::new(&[10])?, |_| 2.0))?;
//! assert!(clip(&mut grads, 1.0) > 6.0);
//! let mut optimiser = Optimiser::new(Adam::default());
//! let before = net.params().last().unwrap().value.clone();
//! optimiser.step(&mut net, &grads, 0.001)?;
//! let after = net.params().last().unwrap().value.clone();
//! assert!((before.data()[0] - after.data()[0] - 0.001).abs() < 1e-6);
//! assert_eq!((optimiser.steps(), optimiser.state().count()), (1, 2));
//! let rules: [&dyn Rule; 2] = [&RmsProp::default(), &Adadelta::default()];
//! assert!(rules.iter().all(|rule| rule.memories().len() == 2));
//! MaxNorm { limit: 3.0, weights: "fc2.weight".into() }.apply(&mut net)?;
//! # Ok::<(), lyncean::Error>(())
//! ```

mod adadelta;
mod adam;
mod limits;
mod rms_prop;
mod sgd;

use std::collections::BTreeMap;
use std::fmt;

pub use adadelta::Adadelta;
pub use adam::Adam;
pub use limits::{MaxNorm, clip};
pub use rms_prop::RmsProp;
pub use sgd::Sgd;

use super::{Grads, Net, Tensor};
use crate::Result;

/// How a parameter moves against its gradient.
pub trait Rule: fmt::Debug + Send + Sync {
    /// The names of what it remembers, a number for each element of a parameter.
    fn memories(&self) -> &'static [&'static str];

    /// Moves a parameter, at a learning rate. `step` counts from 1; `memories` start at 0.
    fn update(&self, step: u64, rate: f32, values: &mut [f32], gradient: &[f32], memories: &mut [Tensor]);
}

/// A rule at work on a net.
#[derive(Debug)]
pub struct Optimiser {
    rule: Box<dyn Rule>,
    /// By parameter.
    memories: BTreeMap<String, Vec<Tensor>>,
    steps: u64,
}

impl Optimiser {
    /// A rule that has seen nothing.
    pub fn new(rule: impl Rule + 'static) -> Self {
        Self::boxed(Box::new(rule))
    }

    /// A rule that has seen nothing.
    pub fn boxed(rule: Box<dyn Rule>) -> Self {
        Self { rule, memories: BTreeMap::new(), steps: 0 }
    }

    /// One step against the gradients, at a learning rate. Parameters without gradient stay.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when a gradient is not of its parameter's shape.
    pub fn step(&mut self, net: &mut Net, grads: &Grads, rate: f32) -> Result<()> {
        self.steps += 1;
        for param in net.params_mut() {
            let Some(gradient) = grads.get(&param.name) else { continue };
            if gradient.shape() != param.value.shape() {
                let (wanted, got) = (param.value.shape(), gradient.shape());
                let message = format!("expected a gradient of {wanted}, got {got}");
                return Err(crate::Error::shape(message).within(&param.name));
            }
            let count = self.rule.memories().len();
            let fresh = || vec![Tensor::zeros(gradient.shape()); count];
            let memories = self.memories.entry(param.name.clone()).or_insert_with(fresh);
            self.rule.update(self.steps, rate, param.value.data_mut(), gradient.data(), memories);
        }
        Ok(())
    }

    /// How many steps there have been.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// What is remembered, as `memory:parameter` and its numbers.
    pub fn state(&self) -> impl Iterator<Item = (String, &Tensor)> {
        let names = self.rule.memories();
        self.memories.iter().flat_map(move |(param, tensors)| {
            names.iter().zip(tensors).map(move |(memory, tensor)| (format!("{memory}:{param}"), tensor))
        })
    }

    /// Takes up what an earlier run remembered. False when it is not a memory of this rule, or not of
    /// the parameter's shape.
    pub fn restore(&mut self, net: &Net, name: &str, tensor: Tensor) -> bool {
        let Some((memory, param)) = name.split_once(':') else { return false };
        let Some(at) = self.rule.memories().iter().position(|known| *known == memory) else { return false };
        let Some(shape) = net.params().find(|known| known.name == param).map(|param| param.value.shape())
        else {
            return false;
        };
        let count = self.rule.memories().len();
        let memories =
            self.memories.entry(param.to_owned()).or_insert_with(|| vec![Tensor::zeros(shape); count]);
        let fits = tensor.shape() == shape;
        if fits {
            memories[at] = tensor;
        }
        fits
    }

    /// Goes on counting from an earlier run's steps.
    pub fn restore_steps(&mut self, steps: u64) {
        self.steps = steps;
    }
}
