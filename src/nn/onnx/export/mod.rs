//! From a net to an ONNX file.

mod layer;

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};

use super::METADATA;
use super::proto::{
    self, Attribute, Dimension, Entry, Graph, Model, Node, OperatorSet, TensorData, TensorShape, TensorType,
    Type, ValueInfo, attribute, ty,
};
use crate::nn::arch::{Arch, ArchLayer, Source};
use crate::nn::layer::Resize;
use crate::nn::{Net, Shape, Tensor};
use crate::{Error, Result};

/// The version of the operators that files are written with.
const OPSET: i64 = 17;
/// The first version in which `Resize` knows `antialias`.
const ANTIALIAS: i64 = 18;
/// The version of the format, one that both opsets go with.
const IR_VERSION: i64 = 8;

/// The bytes of an ONNX file of a net, for inference: opset 17 (18 where an image shrinks with `antialias`), a first axis of any length named `batch`,
/// weights as initializers with the names they have here. Layers that only heads read are left out; what
/// pictures are normalised with and the names of the outputs stand in the metadata.
///
/// # Errors
/// [`Unsupported`](crate::ErrorKind::Unsupported) when no operator of ONNX does what a layer does;
/// [`Limit`](crate::ErrorKind::Limit) when the file would have more than 2 GiB.
pub fn export(net: &Net) -> Result<Vec<u8>> {
    let arch = net.arch();
    let params = net.params().chain(net.buffers()).map(|param| (param.name.as_str(), &param.value)).collect();
    let opset = if arch.layers.iter().any(spreads_taps) { ANTIALIAS } else { OPSET };
    let mut writer =
        Writer { opset, params, nodes: Vec::new(), initializers: BTreeMap::new(), taken: BTreeSet::new() };
    // Weights keep their names; a layer that bears one of them has to take another.
    writer.taken.extend(writer.params.keys().map(|name| (*name).to_owned()));
    let input = writer.unique("input");
    let mut values: Vec<String> = Vec::with_capacity(arch.layers.len());
    for (index, (layer, needed)) in arch.layers.iter().zip(arch.needed()).enumerate() {
        let spreads = spreads(arch, index);
        let value = match needed {
            true if spreads => format!("{}.value", layer.name),
            true => writer.unique(&layer.name),
            false => String::new(),
        };
        let place = Place {
            layer,
            inputs: layer
                .inputs
                .iter()
                .map(|source| match *source {
                    Source::Input => input.clone(),
                    Source::Layer(from) => values[from].clone(),
                })
                .collect(),
            shapes: arch.inputs(layer),
            output: value.clone(),
            spreads,
        };
        if needed {
            layer::write(&mut writer, &place).map_err(|error| error.within(&layer.name))?;
        }
        values.push(value);
    }
    let json = |value: serde_json::Value| value.to_string();
    let metadata = [
        json(serde_json::json!(arch.mean)),
        json(serde_json::json!(arch.std)),
        json(serde_json::json!(arch.classes)),
    ];
    let output = values.pop().unwrap_or_default();
    proto::write(&Model {
        ir_version: IR_VERSION,
        producer_name: "lyncean".into(),
        producer_version: env!("CARGO_PKG_VERSION").into(),
        opset_import: vec![OperatorSet { domain: String::new(), version: writer.opset }],
        metadata_props: METADATA
            .iter()
            .zip(metadata)
            .map(|(key, value)| Entry { key: (*key).to_owned(), value })
            .collect(),
        graph: Some(Graph {
            name: arch.name.clone(),
            node: writer.nodes,
            initializer: writer.initializers.into_values().collect(),
            input: vec![value_info(&input, arch.input)],
            output: vec![value_info(&output, arch.output())],
        }),
    })
}

/// A value with any number of samples.
fn value_info(name: &str, sample: Shape) -> ValueInfo {
    let batch = Dimension { dim_value: None, dim_param: Some("batch".into()) };
    let lengths = sample.iter().map(|&len| Dimension { dim_value: Some(len as i64), dim_param: None });
    let shape = TensorShape { dim: std::iter::once(batch).chain(lengths).collect() };
    let tensor = TensorType { elem_type: ty::FLOAT, shape: Some(shape) };
    ValueInfo { name: name.to_owned(), r#type: Some(Type { tensor_type: Some(tensor) }) }
}

/// A layer among the values it reads and writes.
struct Place<'a> {
    layer: &'a ArchLayer,
    /// The names of its inputs.
    inputs: Vec<String>,
    /// Their shapes for one sample.
    shapes: Vec<Shape>,
    /// The name of its output.
    output: String,
    /// Whether it is one sample that spreads over the batch.
    spreads: bool,
}

/// Whether a layer shrinks images with `antialias`.
fn spreads_taps(layer: &ArchLayer) -> bool {
    let spec: &dyn Any = &*layer.spec;
    spec.downcast_ref::<Resize>().is_some_and(|resize| resize.antialias)
}

/// Whether a layer is a constant that is read by arithmetic alone, beside something that has a batch.
fn spreads(arch: &Arch, index: usize) -> bool {
    let is_constant = |layer: usize| arch.layers[layer].kind.name == "constant";
    let from = Source::Layer(index);
    let good = |reader: &ArchLayer| {
        let other = |source: &Source| match *source {
            Source::Input => true,
            Source::Layer(from) => !is_constant(from),
        };
        ["add", "div", "mul", "sub"].contains(&reader.kind.name) && reader.inputs.iter().any(other)
    };
    is_constant(index)
        && index + 1 < arch.layers.len()
        && arch.layers.iter().filter(|reader| reader.inputs.contains(&from)).all(good)
}

/// The file as it grows.
struct Writer<'a> {
    /// The version of the operators.
    opset: i64,
    /// The parameters of the net by name.
    params: BTreeMap<&'a str, &'a Tensor>,
    nodes: Vec<Node>,
    initializers: BTreeMap<String, TensorData>,
    /// Names of values.
    taken: BTreeSet<String>,
}

impl Writer<'_> {
    /// A name that no other value has.
    fn unique(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        while !self.taken.insert(name.clone()) {
            name.push('_');
        }
        name
    }

    /// Adds a node that gives `output`, named as that is.
    fn node(&mut self, op: &str, inputs: &[&str], output: &str, attribute: Vec<Attribute>) {
        self.nodes.push(Node {
            input: inputs.iter().map(|&name| name.to_owned()).collect(),
            output: vec![output.to_owned()],
            name: output.to_owned(),
            op_type: op.to_owned(),
            attribute,
            domain: String::new(),
        });
    }

    /// Adds a node on the way to the output of a layer, and gives the name of its value.
    fn step(&mut self, op: &str, inputs: &[&str], place: &Place<'_>, attribute: Vec<Attribute>) -> String {
        let value = self.unique(&format!("{}.{}", place.output, op.to_lowercase()));
        self.node(op, inputs, &value, attribute);
        value
    }

    /// A parameter of a layer, if it has one of this name.
    fn param(&self, place: &Place<'_>, name: &str) -> Option<Tensor> {
        self.params.get(format!("{}.{name}", place.layer.name).as_str()).map(|&tensor| tensor.clone())
    }

    /// A parameter as an initializer: its name.
    fn weight(&mut self, place: &Place<'_>, name: &str) -> Result<String> {
        let full = format!("{}.{name}", place.layer.name);
        let value = self.param(place, name);
        let value = value.ok_or_else(|| {
            Error::new(crate::ErrorKind::Internal, format!("the layer has no parameter `{name}`"))
        })?;
        self.initializers.insert(full.clone(), floats(&full, &value));
        Ok(full)
    }

    /// The initializers of weight and, where there is one, bias.
    fn weights(&mut self, place: &Place<'_>) -> Result<Vec<String>> {
        let mut names = vec![self.weight(place, "weight")?];
        if self.param(place, "bias").is_some() {
            names.push(self.weight(place, "bias")?);
        }
        Ok(names)
    }

    /// Further numbers that a layer needs, as an initializer: its name.
    fn numbers(&mut self, place: &Place<'_>, what: &str, values: &Tensor) -> String {
        let name = self.unique(&format!("{}.{what}", place.layer.name));
        self.initializers.insert(name.clone(), floats(&name, values));
        name
    }

    /// A list of whole numbers as an initializer: its name.
    fn integers(&mut self, place: &Place<'_>, what: &str, values: &[i64]) -> String {
        let name = self.unique(&format!("{}.{what}", place.layer.name));
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let data = TensorData {
            dims: vec![values.len() as i64],
            data_type: ty::INT64,
            name: name.clone(),
            raw_data: Some(bytes),
            ..TensorData::default()
        };
        self.initializers.insert(name.clone(), data);
        name
    }
}

fn floats(name: &str, tensor: &Tensor) -> TensorData {
    TensorData {
        dims: tensor.shape().iter().map(|&len| len as i64).collect(),
        data_type: ty::FLOAT,
        name: name.to_owned(),
        raw_data: Some(tensor.data().iter().flat_map(|value| value.to_le_bytes()).collect()),
        ..TensorData::default()
    }
}

fn int(name: &str, value: i64) -> Attribute {
    Attribute { name: name.to_owned(), i: Some(value), r#type: attribute::INT, ..Attribute::default() }
}

fn ints(name: &str, values: &[usize]) -> Attribute {
    let ints = values.iter().map(|&value| value as i64).collect();
    Attribute { name: name.to_owned(), ints, r#type: attribute::INTS, ..Attribute::default() }
}

fn float(name: &str, value: f32) -> Attribute {
    Attribute { name: name.to_owned(), f: Some(value), r#type: attribute::FLOAT, ..Attribute::default() }
}

fn word(name: &str, value: &str) -> Attribute {
    let s = Some(value.as_bytes().to_vec());
    Attribute { name: name.to_owned(), s, r#type: attribute::STRING, ..Attribute::default() }
}
