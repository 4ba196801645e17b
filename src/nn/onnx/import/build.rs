//! The layers as they are found, and how they become a net.

use std::collections::BTreeSet;

use serde::Serialize;

use super::value::{Flow, Known};
use crate::document::Source as Text;
use crate::nn::arch::{self, Source};
use crate::nn::layer::{Constant, Flatten, Reshape, Spec, Transpose};
use crate::nn::{Net, Param, Shape, Tensor};
use crate::{Error, Result};

/// A layer to be.
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) kind: &'static str,
    /// Its parameters in the architecture.
    pub(super) table: toml::Table,
    pub(super) inputs: Vec<Flow>,
    /// Its weights.
    pub(super) weights: Vec<(&'static str, Tensor)>,
}

/// The layers found so far.
pub(super) struct Builder {
    pub(super) layers: Vec<Draft>,
    /// What the layer of the node at hand would be called.
    pub(super) wanted: String,
    /// The samples of a batch, or a number that stands for them.
    pub(super) batch: i64,
    names: BTreeSet<String>,
}

/// A name as architectures allow it.
fn clean(name: &str) -> String {
    let words = name.split(['/', '\\', '.', ':']).map(|word| word.replace(['$', '*'], "_"));
    let name = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(".");
    match name.as_str() {
        "" => "layer".to_owned(),
        name if name == "input" || name.starts_with("input.") => format!("from-{name}"),
        _ => name,
    }
}

impl Builder {
    pub(super) fn new(batch: i64) -> Self {
        Self { layers: Vec::new(), wanted: String::new(), batch, names: BTreeSet::new() }
    }

    fn unique(&mut self, wanted: &str) -> String {
        let wanted = clean(wanted);
        let mut name = wanted.clone();
        let mut number = 2;
        while !self.names.insert(name.clone()) {
            name = format!("{wanted}-{number}");
            number += 1;
        }
        name
    }

    /// Adds the layer of the node at hand.
    pub(super) fn layer<S: Spec + Serialize>(
        &mut self,
        kind: &'static str,
        spec: &S,
        inputs: &[Flow],
        weights: Vec<(&'static str, Tensor)>,
    ) -> Result<Flow> {
        let wanted = self.wanted.clone();
        self.named(&wanted, kind, spec, inputs, weights)
    }

    /// Adds a layer that a node needs beside its own.
    pub(super) fn step<S: Spec + Serialize>(
        &mut self,
        kind: &'static str,
        spec: &S,
        inputs: &[Flow],
    ) -> Result<Flow> {
        self.named(kind, kind, spec, inputs, Vec::new())
    }

    fn named<S: Spec + Serialize>(
        &mut self,
        wanted: &str,
        kind: &'static str,
        spec: &S,
        inputs: &[Flow],
        weights: Vec<(&'static str, Tensor)>,
    ) -> Result<Flow> {
        let shapes: Vec<Shape> = inputs.iter().map(|flow| flow.shape).collect();
        let output = spec.output(&shapes)?;
        if output.is_empty() {
            return Err(Error::unsupported("a sample would be one number without axes")
                .with_hint("keep an axis of length 1"));
        }
        // Told here, where the node is known, and before a net would make room for weights that are not there.
        let learned = weights.iter().filter(|(name, _)| !name.starts_with("running_"));
        let (wanted_count, got): (usize, usize) =
            (spec.parameters(&shapes)?, learned.map(|(_, value)| value.shape().count()).sum());
        if wanted_count != got {
            let inputs: Vec<String> = shapes.iter().map(ToString::to_string).collect();
            return Err(Error::shape(format!(
                "samples of {} want {wanted_count} weights, got {got}",
                inputs.join(" and ")
            )));
        }
        let table = toml::Table::try_from(spec).map_err(|error| {
            Error::new(crate::ErrorKind::Internal, format!("cannot write a layer: {error}"))
        })?;
        let table = table.into_iter().map(|(key, value)| (key, tidy(value))).collect();
        let name = self.unique(wanted);
        self.layers.push(Draft { name, kind, table, inputs: inputs.to_vec(), weights });
        Ok(Flow { source: Source::Layer(self.layers.len() - 1), shape: output, is_words: false })
    }

    /// The layer that a value comes from, if it is of this kind.
    pub(super) fn origin(&mut self, flow: Flow, kind: &str) -> Option<&mut Draft> {
        match flow.source {
            Source::Layer(from) => self.layers.get_mut(from).filter(|layer| layer.kind == kind),
            Source::Input => None,
        }
    }

    /// The same values in another shape. Of several reshapes the last alone counts.
    pub(super) fn reshape(&mut self, flow: Flow, lengths: &[usize]) -> Result<Flow> {
        let shape = Shape::new(lengths)?;
        if flow.shape == shape {
            return Ok(flow);
        }
        for kind in ["flatten", "reshape"] {
            if let Some(before) = self.origin(flow, kind).map(|layer| layer.inputs[0]) {
                return self.reshape(before, lengths);
            }
        }
        let is_words = flow.is_words;
        let flow = match lengths {
            [_] => self.step("flatten", &Flatten {}, &[flow])?,
            _ => self.step("reshape", &Reshape::of(lengths), &[flow])?,
        };
        Ok(Flow { is_words, ..flow })
    }

    /// Leaves the length of an axis open where a value comes from a reshape that nothing has read yet.
    pub(super) fn leave_open(&mut self, flow: Flow, axis: usize) {
        let is_last = matches!(flow.source, Source::Layer(at) if at + 1 == self.layers.len());
        let Some(layer) = self.origin(flow, "reshape").filter(|_| is_last) else { return };
        let shape = layer.table.get_mut("shape").and_then(toml::Value::as_array_mut);
        if let Some(len) = shape.and_then(|shape| shape.get_mut(axis)) {
            *len = (-1).into();
        }
    }

    /// The values of several outputs one after another, each of a layer that bears the name of its output.
    pub(super) fn joined(&mut self, outputs: &[(&str, Flow)]) -> Result<Flow> {
        let mut named = BTreeSet::new();
        let mut flat = Vec::new();
        for &(name, flow) in outputs {
            let flow = match flow.source {
                Source::Layer(at) if named.insert(at) => {
                    if self.layers[at].name != clean(name) {
                        let name = self.unique(name);
                        self.layers[at].name = name;
                    }
                    flow
                }
                _ => self.named(name, "reshape", &Reshape::of(&flow.shape), &[flow], Vec::new())?,
            };
            flat.push(self.step("flatten", &Flatten {}, &[flow])?);
        }
        self.step("concat", &crate::nn::layer::Concat {}, &flat)
    }

    /// The axes of a sample in another order.
    pub(super) fn transpose(&mut self, flow: Flow, order: &[usize]) -> Result<Flow> {
        let lengths: Vec<usize> = order.iter().map(|&axis| flow.shape[axis]).collect();
        let long: Vec<usize> = order.iter().copied().filter(|&axis| flow.shape[axis] != 1).collect();
        if long.is_sorted() {
            return self.reshape(flow, &lengths);
        }
        if let Some(layer) = self.origin(flow, "transpose") {
            let before = layer.inputs[0];
            let orders = layer.table.get("order").and_then(toml::Value::as_array);
            let first: Vec<usize> =
                orders.into_iter().flatten().filter_map(|axis| Some(axis.as_integer()? as usize)).collect();
            let both: Vec<usize> = order.iter().filter_map(|&axis| first.get(axis).copied()).collect();
            return self.transpose(before, &both);
        }
        self.step("transpose", &Transpose { order: order.to_vec() }, &[flow])
    }

    /// Known numbers beside samples with so many axes: a layer that gives them for each sample.
    pub(super) fn constant(&mut self, known: &Known, axes: usize) -> Result<Flow> {
        let rank = axes + 1;
        if known.dims.len() > rank {
            return Err(Error::unsupported(format!(
                "constants of {:?} beside samples of {axes} axes",
                known.dims
            )));
        }
        let dims = [vec![1; rank - known.dims.len()], known.dims.clone()].concat();
        if dims[0] != 1 {
            return Err(Error::unsupported(format!(
                "constants of {dims:?} are not the same for every sample of a batch"
            ))
            .with_hint("a first axis of length 1"));
        }
        let value = Tensor::from_vec(Shape::new(&dims[1..])?, known.floats())?;
        // Of its input it takes the length of the batch alone.
        let input = Flow { source: Source::Input, shape: Shape::default(), is_words: false };
        self.layer("constant", &Constant { shape: dims[1..].to_vec() }, &[input], vec![("value", value)])
    }

    /// The net that ends with a value: what does not lead there is left out.
    pub(super) fn net(mut self, head: toml::Table, output: Flow) -> Result<Net> {
        let last = match output.source {
            Source::Layer(last) => last,
            Source::Input => {
                // A net has a layer, though this one does nothing.
                self.step("scale", &crate::nn::layer::Scale::default(), &[output])?;
                self.layers.len() - 1
            }
        };
        let mut needed = vec![false; self.layers.len()];
        needed[last] = true;
        for index in (0..=last).rev() {
            if needed[index] {
                for flow in &self.layers[index].inputs {
                    if let Source::Layer(from) = flow.source {
                        needed[from] = true;
                    }
                }
            }
        }
        let mut tables = Vec::new();
        let mut weights = std::collections::BTreeMap::new();
        let mut before = None;
        for index in (0..=last).filter(|&index| needed[index]) {
            let layer = &self.layers[index];
            let mut table = toml::Table::new();
            table.insert("use".into(), layer.kind.into());
            table.insert("name".into(), layer.name.clone().into());
            let is_next = matches!(layer.inputs[..], [flow] if before == Some(flow.source) || (before.is_none() && flow.source == Source::Input));
            if !is_next {
                let name = |flow: &Flow| match flow.source {
                    Source::Input => toml::Value::from("input"),
                    Source::Layer(from) => toml::Value::from(self.layers[from].name.clone()),
                };
                let names: Vec<toml::Value> = layer.inputs.iter().map(name).collect();
                let value = if let [name] = &names[..] { name.clone() } else { toml::Value::Array(names) };
                table.insert("in".into(), value);
            }
            table.extend(layer.table.clone());
            tables.push(toml::Value::Table(table));
            for (param, value) in &layer.weights {
                let Param { name, value } = Param::new(&layer.name, param, value.clone());
                weights.insert(name, Ok(value));
            }
            before = Some(Source::Layer(index));
        }
        let mut file = head;
        file.insert("layer".into(), toml::Value::Array(tables));
        let text = toml::to_string(&file).map_err(|error| {
            Error::new(crate::ErrorKind::Internal, format!("cannot write the net: {error}"))
        })?;
        let mut net = Net::blank(arch::parse(&Text::new("onnx", text))?)?;
        net.take(weights)?;
        Ok(net)
    }
}

/// Floats as short as they may be.
fn tidy(value: toml::Value) -> toml::Value {
    match value {
        toml::Value::Float(wide) => toml::Value::Float((wide as f32).to_string().parse().unwrap_or(wide)),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_those_of_architectures() {
        for (name, wanted) in [
            ("/features/features.0/Conv", "features.features.0.Conv"),
            ("conv1", "conv1"),
            ("", "layer"),
            ("..", "layer"),
            ("input", "from-input"),
            ("a$b*", "a_b_"),
        ] {
            assert_eq!(clean(name), wanted);
        }
    }
}
