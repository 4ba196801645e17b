//! From the text of an architecture to its layers, with every problem on the way.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Arch, ArchLayer, Source};
use crate::document::{self, Code, Diagnostic, Diagnostics, Node, Source as Text, Table, did_you_mean};
use crate::nn::Shape;
use crate::nn::layer::{ALL, Kind, Spec};

/// The version of architecture files.
const VERSION: i64 = 1;

/// The keys of the file besides `version` and the layers.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Head {
    /// The name of the net.
    name: String,
    /// Channels, height and width of the input.
    #[schemars(length(min = 1, max = 5), inner(range(min = 1)))]
    input: Vec<usize>,
    /// What is subtracted from values in 0..1, for each channel.
    mean: Option<Vec<f32>>,
    /// What values are divided by after that, for each channel.
    std: Option<Vec<f32>>,
    /// The names of the outputs.
    #[serde(default)]
    classes: Vec<String>,
}

/// The keys that every layer has.
const COMMON: [&str; 3] = ["use", "name", "in"];

/// Reads a text. `None` where a problem has been added.
pub(super) fn read(text: &Text, problems: &mut Diagnostics) -> Option<Arch> {
    let root = document::parse(text.text()).map_err(|errors| problems.extend(errors)).ok()?;
    check_version(&root, problems);
    let head = read_head(&root, problems);
    let nodes = layer_nodes(&root, problems);
    let names = layer_names(nodes, problems);

    // A layer whose input is not understood is still read, only its shapes are not checked.
    let input = head.as_ref().map(|(_, input)| *input);
    let mut shapes: Vec<Option<Shape>> = Vec::new();
    let mut layers = Vec::new();
    for (index, node) in nodes.iter().enumerate() {
        let table = node.as_table()?;
        let inputs = read_inputs(table, index, &names, problems);
        let built = read_spec(table, node, &names[index], problems);
        let mut output = None;
        if let (Some(inputs), Some((kind, spec))) = (inputs, built) {
            let shape = |source: &Source| match *source {
                Source::Input => input,
                Source::Layer(from) => shapes[from],
            };
            let known: Option<Vec<Shape>> = inputs.iter().map(shape).collect();
            output = known.and_then(|known| output_shape(&*spec, &known, table, &names[index], problems));
            if let Some(output) = output {
                layers.push(ArchLayer { name: names[index].clone(), kind, spec, inputs, output });
            }
        }
        shapes.push(output);
    }
    let (head, input) = head?;
    if layers.len() != nodes.len() || nodes.is_empty() {
        return None;
    }
    let output = layers.last().map_or(input, |layer| layer.output);
    if !head.classes.is_empty() && *output != [head.classes.len()] {
        let wanted = head.classes.len();
        let message = format!("{wanted} `classes` want an output of [{wanted}], but the net gives {output}");
        problems.push(Diagnostic::new(Code::Size, span_of(&root, "classes"), message));
    }
    let channels = input.first().copied().unwrap_or_default();
    Some(Arch {
        name: head.name,
        input,
        mean: head.mean.unwrap_or_else(|| vec![0.0; channels]),
        std: head.std.unwrap_or_else(|| vec![1.0; channels]),
        classes: head.classes,
        layers,
        text: text.text().to_owned(),
    })
}

fn span_of(table: &Table, key: &str) -> document::Span {
    table.get(key).map_or(0..0, |node| node.span.clone())
}

fn check_version(root: &Table, problems: &mut Diagnostics) {
    let problem = match root.get("version") {
        Some(node) if node.as_integer() == Some(VERSION) => return,
        Some(node) => {
            let message = format!("version `{}` is not understood", node.literal());
            Diagnostic::new(Code::Version, node.span.clone(), message)
                .with_hint(format!("this lyncean reads version {VERSION}"))
        }
        None => Diagnostic::new(Code::Version, 0..0, "a net wants `version`")
            .with_hint(format!("put `version = {VERSION}` into the first line")),
    };
    problems.push(problem);
}

fn read_head(root: &Table, problems: &mut Diagnostics) -> Option<(Head, Shape)> {
    let table = root.without(&["version", "layer"]);
    let found = document::check(&table, &(0..0), &schemars::schema_for!(Head).to_value(), "a net");
    if !found.is_empty() {
        // Keys of other names do not make the rest of the head less clear.
        let is_clear = found.iter().all(|problem| problem.code == Code::UnknownKey);
        problems.extend(found);
        if !is_clear {
            return None;
        }
    }
    let unknown: Vec<&str> = table
        .iter()
        .map(|(key, ..)| key)
        .filter(|key| !["name", "input", "mean", "std", "classes"].contains(key))
        .collect();
    let head: Head = match serde_json::from_value(table.without(&unknown).to_json()) {
        Ok(head) => head,
        Err(error) => {
            problems.push(Diagnostic::new(Code::WrongValue, 0..0, format!("the net: {error}")));
            return None;
        }
    };
    let mut problem = |code, key, message: String| {
        problems.push(Diagnostic::new(code, span_of(root, key), message));
    };
    let channels = head.input.first().copied().unwrap_or_default();
    for (key, values) in [("mean", &head.mean), ("std", &head.std)] {
        if let Some(values) = values.as_ref().filter(|values| values.len() != channels) {
            let got = values.len();
            let message =
                format!("`{key}` of the net wants {channels} values, one for each channel, got {got}");
            problem(Code::WrongValue, key, message);
        }
    }
    if head.std.iter().flatten().any(|&std| std <= 0.0) {
        problem(Code::OutOfRange, "std", "`std` of the net wants positive numbers".to_owned());
    }
    match Shape::new(&head.input) {
        Ok(input) => Some((head, input)),
        Err(error) => {
            problem(Code::Size, "input", error.message().to_owned());
            None
        }
    }
}

fn layer_nodes<'a>(root: &'a Table, problems: &mut Diagnostics) -> &'a [Node] {
    match root.get("layer").map(|node| (node, node.as_array())) {
        Some((_, Some(nodes))) if !nodes.is_empty() && nodes.iter().all(|node| node.as_table().is_some()) => {
            nodes
        }
        Some((node, _)) => {
            let message = "`layer` wants tables, one a layer";
            problems.push(
                Diagnostic::new(Code::WrongValue, node.span.clone(), message)
                    .with_hint("write `[[layer]]`, with two brackets on each side".to_owned()),
            );
            &[]
        }
        None => {
            problems.push(
                Diagnostic::new(Code::Empty, 0..0, "a net wants at least one layer")
                    .with_hint("add `[[layer]]` with `use = \"conv2d\"`, say".to_owned()),
            );
            &[]
        }
    }
}

/// The name of every layer: `name`, else `use`, numbered from the second on.
fn layer_names(nodes: &[Node], problems: &mut Diagnostics) -> Vec<String> {
    let given = |node: &Node| node.as_table().and_then(|table| table.get("name")).cloned();
    let stated: Vec<String> =
        nodes.iter().filter_map(given).filter_map(|name| name.as_str().map(str::to_owned)).collect();
    let mut names: Vec<String> = Vec::new();
    for node in nodes {
        let name = if let Some(name) = given(node) {
            let text = name.as_str().unwrap_or_default();
            if text.is_empty() || text == "input" || text.contains(['.', '/', '\\']) {
                let message = format!("`name` cannot be `{}`", name.literal());
                let hint = "a name is a word without dots and slashes, and not `input`".to_owned();
                problems.push(Diagnostic::new(Code::WrongValue, name.span.clone(), message).with_hint(hint));
            } else if names.iter().any(|known| known == text) {
                let message = format!("two layers are called `{text}`");
                problems.push(Diagnostic::new(Code::DuplicateName, name.span.clone(), message));
            }
            text.to_owned()
        } else {
            let kind =
                node.as_table().and_then(|table| table.get("use")).and_then(Node::as_str).unwrap_or("layer");
            let is_taken = |name: &String| names.contains(name) || stated.contains(name);
            let numbered = (2..).map(|n| format!("{kind}-{n}"));
            std::iter::once(kind.to_owned()).chain(numbered).find(|name| !is_taken(name)).unwrap_or_default()
        };
        names.push(name);
    }
    names
}

/// What `in` names; the layer above, or the input of the net, where it says nothing.
fn read_inputs(
    table: &Table,
    index: usize,
    names: &[String],
    problems: &mut Diagnostics,
) -> Option<Vec<Source>> {
    let Some(node) = table.get("in") else {
        return Some(vec![index.checked_sub(1).map_or(Source::Input, Source::Layer)]);
    };
    let list = node.as_array().unwrap_or(std::slice::from_ref(node));
    let mut inputs = Vec::new();
    for item in list {
        let problem = match item.as_str() {
            Some("input") => {
                inputs.push(Source::Input);
                continue;
            }
            Some(name) => match names.iter().position(|known| known == name) {
                Some(found) if found < index => {
                    inputs.push(Source::Layer(found));
                    continue;
                }
                Some(_) => {
                    Diagnostic::new(Code::Order, item.span.clone(), format!("`{name}` stands further down"))
                        .with_hint(format!("a layer reads only layers above it: move `{name}` up"))
                }
                None => {
                    let known = names[..index].iter().map(String::as_str).chain(["input"]);
                    let message = format!("no layer is called `{name}`");
                    Diagnostic::new(Code::UnknownInput, item.span.clone(), message)
                        .with_hint(did_you_mean(name, known))
                }
            },
            None => {
                let message = format!("`in` wants names of layers, got {} `{}`", item.kind(), item.literal());
                Diagnostic::new(Code::WrongValue, item.span.clone(), message)
            }
        };
        problems.push(problem);
    }
    (inputs.len() == list.len()).then_some(inputs)
}

fn read_spec(
    table: &Table,
    node: &Node,
    name: &str,
    problems: &mut Diagnostics,
) -> Option<(&'static Kind, Box<dyn Spec>)> {
    let Some(used) = table.get("use") else {
        let header = node.span.start..node.span.start;
        problems.push(
            Diagnostic::new(Code::MissingKey, header, "a layer wants `use`")
                .with_hint(did_you_mean("", ALL.iter().map(|kind| kind.name))),
        );
        return None;
    };
    let wanted = used.as_str().unwrap_or_default();
    let Some(kind) = Kind::by_name(wanted) else {
        let message = format!("there is no layer `{wanted}`");
        let hint = did_you_mean(wanted, ALL.iter().map(|kind| kind.name));
        problems.push(Diagnostic::new(Code::UnknownKind, used.span.clone(), message).with_hint(hint));
        return None;
    };
    let parameters = table.without(&COMMON);
    let what = format!("layer `{name}`");
    let found = document::check(&parameters, &used.span, &(kind.schema)().to_value(), &what);
    if !found.is_empty() {
        problems.extend(found);
        return None;
    }
    match (kind.parse)(parameters.to_json()) {
        Ok(spec) => Some((kind, spec)),
        Err(error) => {
            let message = format!("{what}: {error}");
            problems.push(Diagnostic::new(Code::WrongValue, used.span.clone(), message));
            None
        }
    }
}

fn output_shape(
    spec: &dyn Spec,
    inputs: &[Shape],
    table: &Table,
    name: &str,
    problems: &mut Diagnostics,
) -> Option<Shape> {
    match spec.output(inputs) {
        Ok(output) => Some(output),
        Err(error) => {
            let code = match error.kind() {
                crate::ErrorKind::Pipeline => Code::Parameters,
                _ => Code::Size,
            };
            let message = format!("layer `{name}`: {}", error.message());
            let hint = error.hint().map(str::to_owned);
            problems.push(Diagnostic::new(code, span_of(table, "use"), message).with_hint(hint));
            None
        }
    }
}
