//! A node with its inputs, as operators ask for them.

use super::super::proto::{Attribute, Node};
use super::value::{Flow, Known, Value};
use crate::{Error, Result};

/// A node with the values of its inputs.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) node: &'a Node,
    pub(super) inputs: Vec<Option<Value>>,
    /// The version of the operators.
    pub(super) opset: i64,
    /// Whether nothing else reads the first input.
    pub(super) is_only_reader: bool,
}

impl Call<'_> {
    /// The operator.
    pub(super) fn op(&self) -> &str {
        &self.node.op_type
    }

    /// An error that says what of this node is not provided.
    pub(super) fn unsupported(&self, what: impl AsRef<str>) -> Error {
        Error::unsupported(format!("{}: {}", place(self.node), what.as_ref()))
    }

    fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.node.attribute.iter().find(|attribute| attribute.name == name)
    }

    /// A whole number.
    pub(super) fn int(&self, name: &str, default: i64) -> i64 {
        self.attribute(name).and_then(|attribute| attribute.i).unwrap_or(default)
    }

    /// A number.
    pub(super) fn float(&self, name: &str, default: f32) -> f32 {
        self.attribute(name).and_then(|attribute| attribute.f).unwrap_or(default)
    }

    /// A word.
    pub(super) fn word(&self, name: &str, default: &str) -> String {
        let bytes = self.attribute(name).and_then(|attribute| attribute.s.as_deref());
        bytes.map_or_else(|| default.to_owned(), |bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// A list of whole numbers.
    pub(super) fn ints(&self, name: &str) -> Option<Vec<i64>> {
        self.attribute(name).map(|attribute| attribute.ints.clone())
    }

    /// A list of numbers.
    pub(super) fn floats(&self, name: &str) -> Option<Vec<f32>> {
        self.attribute(name).map(|attribute| attribute.floats.clone())
    }

    /// A list of sizes, one for each of `count` axes; `default` where there is none.
    pub(super) fn sizes(&self, name: &str, count: usize, default: usize) -> Result<Vec<usize>> {
        let Some(values) = self.ints(name) else { return Ok(vec![default; count]) };
        let sizes: Option<Vec<usize>> = values.iter().map(|&value| usize::try_from(value).ok()).collect();
        match sizes {
            Some(sizes) if sizes.len() == count => Ok(sizes),
            _ => {
                Err(self
                    .unsupported(format!("expected {count} sizes of 0 or more in `{name}`, got {values:?}")))
            }
        }
    }

    /// One size that has to be there.
    pub(super) fn size(&self, name: &str) -> Result<usize> {
        let value = self.int(name, -1);
        usize::try_from(value).map_err(|_| self.unsupported(format!("`{name}` is missing or below 0")))
    }

    /// An input that may be missing.
    pub(super) fn input(&self, index: usize) -> Option<&Value> {
        self.inputs.get(index).and_then(Option::as_ref)
    }

    /// An input that depends on that of the net.
    pub(super) fn flow(&self, index: usize) -> Result<Flow> {
        match self.input(index) {
            Some(Value::Flow(flow)) => Ok(*flow),
            Some(Value::Known(_)) => {
                Err(self.unsupported(format!("input {index} is constant, and must not be")))
            }
            None => Err(self.unsupported(format!("input {index} is missing"))),
        }
    }

    /// An input that has to be constant, if it is there.
    pub(super) fn known_or_none(&self, index: usize) -> Result<Option<&Known>> {
        match self.input(index) {
            Some(Value::Known(known)) => Ok(Some(known)),
            Some(Value::Flow(_)) => Err(self.unsupported(format!(
                "input {index} depends on the input of the net, where a constant is wanted"
            ))),
            None => Ok(None),
        }
    }

    /// An input that has to be constant.
    pub(super) fn known(&self, index: usize) -> Result<&Known> {
        self.known_or_none(index)?.ok_or_else(|| self.unsupported(format!("input {index} is missing")))
    }

    /// Whole numbers that older versions have in an attribute and newer ones in an input.
    pub(super) fn list(&self, name: &str, index: usize) -> Result<Option<Vec<i64>>> {
        if let Some(list) = self.ints(name) {
            return Ok(Some(list));
        }
        let known = self.known_or_none(index)?;
        known.map(|known| known.whole().map(<[i64]>::to_vec)).transpose()
    }

    /// An axis, which may count from the end, of `rank`.
    pub(super) fn axis(&self, axis: i64, rank: usize) -> Result<usize> {
        let from = if axis < 0 { axis.checked_add(rank as i64) } else { Some(axis) };
        from.and_then(|axis| usize::try_from(axis).ok())
            .filter(|&axis| axis < rank)
            .ok_or_else(|| self.unsupported(format!("there is no axis {axis} among {rank}")))
    }

    /// An axis of a sample, which is one less than that of a batch.
    pub(super) fn sample_axis(&self, axis: i64, flow: Flow) -> Result<usize> {
        match self.axis(axis, flow.shape.len() + 1)? {
            0 => Err(self.unsupported("it works along the batch, whose samples stay apart here")),
            axis => Ok(axis - 1),
        }
    }

    /// A second output, and further ones, must be read by nobody.
    pub(super) fn one_output(&self) -> Result<()> {
        match self.node.output.get(1).filter(|name| !name.is_empty()) {
            Some(name) => Err(self.unsupported(format!("its further output `{name}` is not provided"))),
            None => Ok(()),
        }
    }
}

/// Operator and name of a node, in words.
pub(super) fn place(node: &Node) -> String {
    let name = if node.name.is_empty() { node.output.first() } else { Some(&node.name) };
    format!("operator `{}` (node `{}`)", node.op_type, name.map_or("", String::as_str))
}
