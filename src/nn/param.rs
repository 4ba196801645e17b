//! Parameters and their gradients.

use std::collections::BTreeMap;

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
pub struct Grads(BTreeMap<String, Tensor>);

impl Grads {
    /// Adds to the gradient of a parameter, in the order of the calls.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when it differs in shape from what is there.
    pub fn add(&mut self, name: &str, gradient: Tensor) -> Result<()> {
        if let Some(sum) = self.0.get_mut(name) {
            return sum.add(&gradient).map_err(|error| error.within(name));
        }
        self.0.insert(name.to_owned(), gradient);
        Ok(())
    }

    /// The gradient of a parameter, if the loss depends on it.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.0.get(name)
    }

    /// Names and gradients, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.0.iter().map(|(name, gradient)| (name.as_str(), gradient))
    }
}
