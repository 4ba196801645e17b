//! From an ONNX file to a net.
//!
//! Node after node, each value is either known, and then what follows from it is computed at once, or
//! what a layer gives for a batch; the operators of `map`, `sums`, `windows`, `moves` and `resize` then
//! add layers.

mod build;
mod call;
mod fold;
mod instead;
mod map;
mod moves;
mod resize;
mod sums;
mod value;
mod windows;

use std::collections::{BTreeMap, HashMap, HashSet};

use super::proto::{self, Graph, Model, Node, ValueInfo, ty};
use super::{METADATA, external};
use crate::nn::arch::Source;
use crate::nn::{Net, Shape};
use crate::{Error, Result};
use build::Builder;
use call::{Call, place};
use instead::unknown;
use value::{Flow, Known, Value};

/// What stands for the samples of a batch where the file leaves them open: a prime that no length of a
/// net is a multiple of by chance.
const OPEN_BATCH: i64 = 1_000_003;

/// The most numbers that folding makes: four times those of VGG-19.
const MOST_FOLDED: usize = 1 << 29;

/// What may be done with whole numbers that depend on the input.
const MOVES: [&str; 8] =
    ["Cast", "Flatten", "Gather", "Identity", "Reshape", "Shape", "Squeeze", "Unsqueeze"];

/// What an import is told beside the file.
///
/// ```
/// use lyncean::nn::Shape;
/// use lyncean::nn::onnx::ImportOptions;
///
/// let options = ImportOptions { input: Some(Shape::new(&[3, 224, 224])?), ..ImportOptions::default() };
/// assert!(options.outputs.is_empty());
/// # Ok::<(), lyncean::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// The shape of one sample, where the file leaves it open or another one is wanted.
    pub input: Option<Shape>,
    /// Which outputs of the file are those of the net, where it has several. Of more than one, such as the heads of a
    /// detector, the net gives all values one after another, and layers with the names of the outputs give each.
    pub outputs: Vec<String>,
    /// What the net is called; by default as the graph of the file.
    pub name: Option<String>,
    /// The files beside it that weights are in, by their names: those of [`external_files`](super::external_files).
    pub external: BTreeMap<String, Vec<u8>>,
}

/// The net of an ONNX file: its operators as layers, its constants as weights. Shapes are followed for the
/// input's size, and what depends on them alone is computed here. The first axis of the input is that of
/// the batch.
///
/// # Errors
/// [`Input`](crate::ErrorKind::Input) when the bytes are not an ONNX file;
/// [`Unsupported`](crate::ErrorKind::Unsupported) for an operator, or a use of one, that no layer stands
/// for, named with its node and with what would replace it; the problems of the net.
pub fn import(bytes: &[u8], options: &ImportOptions) -> Result<Net> {
    let mut model = proto::read(bytes)?;
    if let Some(graph) = &mut model.graph {
        external::put_back(graph, &options.external)?;
    }
    let opset = model.opset_import.iter().find(|set| is_usual(&set.domain)).map(|set| set.version);
    let (Some(opset), Some(graph)) = (opset, &model.graph) else {
        return Err(Error::input(
            "not an ONNX file: it has no graph, or does not say which operators it means",
        ));
    };
    let (input, flow, batch) = input(graph, options)?;
    let mut reader = Reader {
        values: HashMap::new(),
        uses: HashMap::new(),
        builder: Builder::new(batch),
        opset,
        aliased: HashSet::new(),
        room: MOST_FOLDED,
    };
    for tensor in &graph.initializer {
        reader.values.insert(tensor.name.clone(), Value::Known(Known::read(tensor.clone())?));
    }
    reader.values.insert(input.name.clone(), Value::Flow(flow));
    let read =
        graph.node.iter().flat_map(|node| &node.input).chain(graph.output.iter().map(|output| &output.name));
    for name in read {
        *reader.uses.entry(name).or_default() += 1;
    }
    for node in &graph.node {
        reader.node(node)?;
    }
    let mut flows = Vec::new();
    for name in outputs(graph, options)? {
        match reader.values.get(name) {
            Some(&Value::Flow(flow)) => flows.push((name, flow)),
            Some(Value::Known(_)) => {
                return Err(Error::unsupported(format!("output `{name}` does not depend on the input")));
            }
            None => return Err(Error::input(format!("no node gives the output `{name}`"))),
        }
    }
    let flow = match flows[..] {
        [(_, flow)] => flow,
        _ => reader.builder.joined(&flows)?,
    };
    let mut head = head(&model, graph, flow.shape, reader.input());
    if let Some(name) = &options.name {
        head.insert("name".into(), name.as_str().into());
    }
    reader.builder.net(head, flow)
}

/// The names of the outputs of a file.
///
/// # Errors
/// [`Input`](crate::ErrorKind::Input) when the bytes are not an ONNX file.
pub(crate) fn output_names(bytes: &[u8]) -> Result<Vec<String>> {
    let graph = proto::read(bytes)?.graph.unwrap_or_default();
    Ok(graph.output.into_iter().map(|output| output.name).collect())
}

fn is_usual(domain: &str) -> bool {
    domain.is_empty() || domain == "ai.onnx"
}

/// The input that is no constant, as a value, and the samples of its batch.
fn input<'a>(graph: &'a Graph, options: &ImportOptions) -> Result<(&'a ValueInfo, Flow, i64)> {
    let is_known = |input: &&ValueInfo| graph.initializer.iter().any(|tensor| tensor.name == input.name);
    let inputs: Vec<&ValueInfo> = graph.input.iter().filter(|input| !is_known(input)).collect();
    let [input] = inputs[..] else {
        let names: Vec<String> = inputs.iter().map(|input| format!("`{}`", input.name)).collect();
        return Err(Error::unsupported(format!(
            "a net takes one input, the file has {}: {}",
            names.len(),
            names.join(", ")
        ))
        .with_hint("make the others constants, or one input of which the graph takes slices"));
    };
    let tensor = input.r#type.as_ref().and_then(|ty| ty.tensor_type.as_ref());
    let dims =
        tensor.and_then(|tensor| tensor.shape.as_ref()).map(|shape| &shape.dim[..]).unwrap_or_default();
    let length = |at: usize| dims.get(at).and_then(|dim| dim.dim_value).filter(|&len| len > 0);
    let batch = length(0).unwrap_or(OPEN_BATCH);
    let shape = match options.input {
        Some(shape) if shape.is_empty() => {
            return Err(Error::shape("expected a sample with an axis, got a number"));
        }
        Some(shape) => shape,
        None => {
            let lengths: Option<Vec<usize>> =
                (1..dims.len()).map(|at| usize::try_from(length(at)?).ok()).collect();
            let lengths = lengths.filter(|lengths| !lengths.is_empty());
            let lengths = lengths.ok_or_else(|| {
                Error::unsupported(format!("the file leaves the shape of its input `{}` open", input.name))
                    .with_hint("say the shape of one sample: `--input 3x224x224`, or `ImportOptions::input`")
            })?;
            Shape::new(&lengths)?
        }
    };
    let is_words = tensor.is_some_and(|tensor| [ty::INT32, ty::INT64].contains(&tensor.elem_type));
    Ok((input, Flow { source: Source::Input, shape, is_words }, batch))
}

/// The names of the outputs that are wanted, at least one.
fn outputs<'a>(graph: &'a Graph, options: &'a ImportOptions) -> Result<Vec<&'a str>> {
    let names: Vec<&str> = graph.output.iter().map(|output| output.name.as_str()).collect();
    let listed = || names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let wanted: Vec<&str> = options.outputs.iter().map(String::as_str).collect();
    if let Some(missing) = wanted.iter().find(|name| !names.contains(name)) {
        return Err(Error::pipeline(format!("the file has no output `{missing}`"))
            .with_hint(format!("it has {}", listed())));
    }
    if let Some(twice) = (1..wanted.len()).find(|&at| wanted[..at].contains(&wanted[at])) {
        return Err(Error::pipeline(format!("output `{}` is taken twice", wanted[twice])));
    }
    match (&wanted[..], &names[..]) {
        ([], &[name]) => Ok(vec![name]),
        ([], []) => Err(Error::input("not an ONNX file: it has no output")),
        ([], _) => Err(Error::unsupported(format!("a net has one output, the file has {}", listed()))
            .with_hint(
                "choose one, or several that are joined: `lyncean nets import --take NAME`, or `ImportOptions::outputs`",
            )),
        _ => Ok(wanted),
    }
}

/// What the architecture says beside its layers.
fn head(model: &Model, graph: &Graph, output: Shape, input: Shape) -> toml::Table {
    let mut head = toml::Table::new();
    head.insert("version".into(), 1.into());
    let name = if graph.name.is_empty() { "onnx" } else { &graph.name };
    head.insert("name".into(), name.into());
    let lengths: Vec<i64> = input.iter().map(|&len| len as i64).collect();
    head.insert("input".into(), lengths.into());
    let entry = |key: &str| {
        model.metadata_props.iter().find(|entry| entry.key == key).map(|entry| entry.value.as_str())
    };
    for (key, short) in METADATA.into_iter().zip(["mean", "std"]) {
        let values: Option<Vec<f32>> = entry(key).and_then(|text| serde_json::from_str(text).ok());
        let is_good = |values: &Vec<f32>| {
            values.len() == input[0]
                && values.iter().all(|value| value.is_finite() && (short == "mean" || *value > 0.0))
        };
        // As short as a float may be written.
        let wide = |value: f32| value.to_string().parse::<f64>().unwrap_or_else(|_| value.into());
        if let Some(values) = values.filter(is_good) {
            head.insert(short.into(), values.into_iter().map(wide).collect::<Vec<_>>().into());
        }
    }
    let classes: Option<Vec<String>> = entry(METADATA[2]).and_then(|text| serde_json::from_str(text).ok());
    if let Some(classes) = classes.filter(|classes| *output == [classes.len()]) {
        head.insert("classes".into(), classes.into());
    }
    head
}

/// A graph as it is read.
struct Reader<'a> {
    values: HashMap<String, Value>,
    /// How often each value is read.
    uses: HashMap<&'a String, usize>,
    builder: Builder,
    opset: i64,
    /// Layers whose output has several names.
    aliased: HashSet<usize>,
    /// How many numbers folding may still make.
    room: usize,
}

impl Reader<'_> {
    /// The shape of one input sample.
    fn input(&self) -> Shape {
        let of = |value: &Value| match value {
            Value::Flow(Flow { source: Source::Input, shape, .. }) => Some(*shape),
            _ => None,
        };
        self.values.values().find_map(of).unwrap_or_default()
    }

    /// Finds what a node gives.
    fn node(&mut self, node: &Node) -> Result<()> {
        if !is_usual(&node.domain) {
            let error = Error::unsupported(format!("{} is of the domain `{}`", place(node), node.domain));
            return Err(error.with_hint("export the model with the operators of ONNX alone"));
        }
        let mut inputs = Vec::with_capacity(node.input.len());
        for name in &node.input {
            let value = self.values.get(name).cloned();
            if value.is_none() && !name.is_empty() {
                return Err(Error::input(format!(
                    "{} reads `{name}`, which no node before it gives",
                    place(node)
                )));
            }
            inputs.push(value);
        }
        let is_only_reader = match inputs.first() {
            Some(Some(Value::Flow(Flow { source: Source::Layer(from), .. }))) => {
                self.uses.get(&node.input[0]) == Some(&1) && !self.aliased.contains(from)
            }
            _ => false,
        };
        let call = Call { node, inputs, opset: self.opset, is_only_reader };
        let values = self.values_of(&call).map_err(|error| {
            // What layers say is told with the node it is said of.
            if error.message().starts_with("operator `") { error } else { error.within(place(node)) }
        })?;
        let sources = |values: &[Value]| {
            let of = |value: &Value| if let Value::Flow(flow) = value { Some(flow.source) } else { None };
            values.iter().filter_map(of).collect::<Vec<_>>()
        };
        let read = sources(&call.inputs.iter().flatten().cloned().collect::<Vec<_>>());
        self.aliased.extend(sources(&values).into_iter().filter(|source| read.contains(source)).filter_map(
            |source| {
                if let Source::Layer(layer) = source { Some(layer) } else { None }
            },
        ));
        self.values.extend(node.output.iter().cloned().zip(values).filter(|(name, _)| !name.is_empty()));
        Ok(())
    }

    fn values_of(&mut self, call: &Call<'_>) -> Result<Vec<Value>> {
        let batch = self.builder.batch;
        if fold::is_known(&call.inputs) {
            if let Some(flow) = repeated(&mut self.builder, call)? {
                return Ok(vec![Value::Flow(flow)]);
            }
            let known = fold::fold(call)?;
            let left = self.room.checked_sub(known.count());
            self.room =
                left.ok_or_else(|| Error::limit("the constants of the file grow past all measure"))?;
            return Ok(vec![Value::Known(known)]);
        }
        let flows = call.inputs.iter().flatten().filter_map(|value| match value {
            Value::Flow(flow) => Some(*flow),
            Value::Known(_) => None,
        });
        if flows.clone().any(|flow| flow.is_words) && !MOVES.contains(&call.op()) {
            return Err(
                call.unsupported("it works on whole numbers, which are words for `Gather` alone here")
            );
        }
        self.builder.wanted = wanted(call);
        let builder = &mut self.builder;
        let one = |flow: Result<Flow>| Ok(vec![Value::Flow(flow?)]);
        match call.op() {
            "Shape" => {
                let flow = call.flow(0)?;
                let sample = flow.shape.iter().map(|&len| len as i64);
                let lengths: Vec<i64> = std::iter::once(batch).chain(sample).collect();
                Ok(vec![Value::Known(Known::list(fold::part(call, &lengths)))])
            }
            "Split" => Ok(moves::split(builder, call)?.into_iter().map(Value::Flow).collect()),
            "Cast" | "Concat" | "Flatten" | "Gather" | "Identity" | "Pad" | "Reshape" | "Slice"
            | "Squeeze" | "Transpose" | "Unsqueeze" => one(moves::of(builder, call)),
            "AveragePool" | "Conv" | "ConvTranspose" | "GlobalAveragePool" | "GlobalMaxPool" | "MaxPool" => {
                one(windows::of(builder, call))
            }
            "Resize" | "Upsample" => one(resize::of(builder, call)),
            "Add" | "BatchNormalization" | "Div" | "Gemm" | "LRN" | "MatMul" | "Mul" | "ReduceMean"
            | "ReduceSum" | "Sub" | "Sum" => one(sums::of(builder, call)),
            "Clip" | "Dropout" | "Elu" | "HardSigmoid" | "HardSwish" | "LeakyRelu" | "Neg" | "PRelu"
            | "Relu" | "Selu" | "Sigmoid" | "Softmax" | "Tanh" => one(map::of(builder, call)),
            _ => Err(unknown(call.node)),
        }
    }
}

/// Numbers for one sample that are repeated for a batch, if that is what a node does.
fn repeated(builder: &mut Builder, call: &Call<'_>) -> Result<Option<Flow>> {
    if call.op() != "Expand" {
        return Ok(None);
    }
    let (known, target) = (call.known(0)?, call.known(1)?.whole()?);
    let [batch, sample @ ..] = target else { return Ok(None) };
    let is_sample = known.dims.iter().skip(1).map(|&len| len as i64).eq(sample.iter().copied());
    if *batch != builder.batch || sample.is_empty() || !is_sample {
        return Ok(None);
    }
    builder.wanted = wanted(call);
    builder.constant(known, sample.len()).map(Some)
}

/// What the layer of a node is called: as its weight says, else as the node, else as its output.
fn wanted(call: &Call<'_>) -> String {
    let node = call.node;
    let weight = node.input.get(1).map(String::as_str).unwrap_or_default();
    for ending in [".weight", ".value", ".codes"] {
        if let Some(name) = weight.strip_suffix(ending).filter(|name| !name.is_empty()) {
            // The constant of a sum bears this name, the sum its own.
            if ending == ".weight" {
                return name.to_owned();
            }
        }
    }
    let name = if node.name.is_empty() { node.output.first() } else { Some(&node.name) };
    name.cloned().unwrap_or_default()
}
