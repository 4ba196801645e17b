//! Parameters and their gradients.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Tensor;
use crate::Result;

/// A tensor that training changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// `layer.param`, as in `conv1.weight`.
    pub name: String,
    /// The values.
    pub value: Tensor,
}

impl Param {
    /// A parameter of a layer.
    pub fn new(layer: &str, name: &str, value: Tensor) -> Self {
        Self { name: format!("{layer}.{name}"), value }
    }
}

/// Gradients by the name of the parameter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grads {
    sums: BTreeMap<String, Tensor>,
    frozen: Arc<BTreeSet<String>>,
}

impl Grads {
    /// No gradients yet, and none to come for parameters of these names.
    pub fn without(frozen: Arc<BTreeSet<String>>) -> Self {
        Self { sums: BTreeMap::new(), frozen }
    }

    /// Whether the gradient of a parameter is wanted: it is not frozen.
    pub fn wants(&self, name: &str) -> bool {
        !self.frozen.contains(name)
    }

    /// Adds to the gradient of a parameter, in the order of the calls.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when it differs in shape from what is there.
    pub fn add(&mut self, name: &str, gradient: Tensor) -> Result<()> {
        if let Some(sum) = self.sums.get_mut(name) {
            return sum.add(&gradient).map_err(|error| error.within(name));
        }
        self.sums.insert(name.to_owned(), gradient);
        Ok(())
    }

    /// The gradient of a parameter, if the loss depends on it.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.sums.get(name)
    }

    /// Multiplies all gradients.
    pub fn scale(&mut self, factor: f32) {
        for gradient in self.sums.values_mut() {
            gradient.data_mut().iter_mut().for_each(|value| *value *= factor);
        }
    }

    /// Names and gradients, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.sums.iter().map(|(name, gradient)| (name.as_str(), gradient))
    }
}
