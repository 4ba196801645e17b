//! From the text of an architecture to its layers, with every problem on the way.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;

use super::blocks;
use super::expand::{Item, expand};
use super::include::Whole;
use super::{Arch, ArchLayer, Head, Source, VERSION};
use crate::document::{self, Code, Diagnostic, Diagnostics, Node, Source as Text, Table, did_you_mean};
use crate::nn::Shape;
use crate::nn::layer::{Kind, Spec};

/// The keys of the file besides `version` and the layers.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct HeadKeys {
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
    /// The words that a net for text knows, by number; word 0 fills up, word 1 stands for all others.
    #[serde(default)]
    words: Vec<String>,
}

/// An output that training looks at too, as the file has it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct HeadTable {
    /// The layer whose output it is.
    layer: String,
    /// What its loss is multiplied by.
    #[schemars(range(min = 0.0))]
    weight: f32,
}

/// The keys that every layer has.
const COMMON: [&str; 3] = ["use", "name", "in"];

/// Reads a text. `None` where a problem has been added.
pub(super) fn read(text: &Text, problems: &mut Diagnostics) -> Option<Arch> {
    let root = document::parse(text.text()).map_err(|errors| problems.extend(errors)).ok()?;
    let whole = Whole::new(text, root, problems);
    let arch = build(&whole.root, whole.text, problems);
    problems.place(&whole.included);
    arch
}

fn build(root: &Table, text: String, problems: &mut Diagnostics) -> Option<Arch> {
    check_version(root, problems);
    let head = read_head(root, problems);
    let blocks = blocks::read(root, problems);
    let items = expand(&blocks, layer_nodes(root, problems), problems);
    let usable = blocks::usable(root);

    // A layer whose input is not understood is still read, only its shapes are not checked.
    let input = head.as_ref().map(|(_, input)| *input);
    let mut shapes: Vec<Option<Shape>> = Vec::new();
    let mut layers = Vec::new();
    let count = items.len();
    let mut told = BTreeSet::new();
    for Item { name, table, span, inputs } in items {
        let mut found = Vec::new();
        let built = read_spec(&table, &span, &name, &usable, &mut found);
        let mut output = None;
        if let (Some(inputs), Some((kind, spec))) = (inputs, built) {
            let shape = |source: &Source| match *source {
                Source::Input => input,
                Source::Layer(from) => shapes[from],
            };
            let known: Option<Vec<Shape>> = inputs.iter().map(shape).collect();
            output = known.and_then(|known| output_shape(&*spec, &known, &table, &name, &mut found));
            if let Some(output) = output {
                let parameters = table.without(&COMMON).to_json();
                layers.push(ArchLayer { name: name.clone(), kind, spec, parameters, inputs, output });
            }
        }
        shapes.push(output);
        // What a block says of its layer at one use it says at the next, too.
        found.retain(|problem| {
            told.insert((problem.code, problem.span.start, problem.message.replace(&name, "")))
        });
        problems.extend(found);
    }
    let (head, input) = head?;
    let is_whole = layers.len() == count && count > 0;
    let heads = if is_whole { read_heads(root, &layers, problems) } else { Vec::new() };
    if !is_whole {
        return None;
    }
    let output = layers.last().map_or(input, |layer| layer.output);
    // A number for each class, or one for each class and pixel.
    let has_classes = matches!(*output, [classes] | [classes, _, _] if classes == head.classes.len());
    if !head.classes.is_empty() && !has_classes {
        let wanted = head.classes.len();
        let message = format!("{wanted} `classes` want an output of [{wanted}], but the net gives {output}");
        problems.push(Diagnostic::new(Code::Size, span_of(root, "classes"), message));
    }
    check_words(root, &head.words, input, &layers, problems);
    let channels = input.first().copied().unwrap_or_default();
    Some(Arch {
        name: head.name,
        input,
        mean: head.mean.unwrap_or_else(|| vec![0.0; channels]),
        std: head.std.unwrap_or_else(|| vec![1.0; channels]),
        classes: head.classes,
        words: head.words,
        layers,
        heads,
        text,
    })
}

/// Where a net says its words, the vectors of words must be as many.
fn check_words(
    root: &Table,
    words: &[String],
    input: Shape,
    layers: &[ArchLayer],
    problems: &mut Diagnostics,
) {
    let reads_words = |layer: &&ArchLayer| layer.kind.name == "embedding" && layer.inputs == [Source::Input];
    for layer in layers.iter().filter(reads_words).filter(|_| !words.is_empty()) {
        let size = layer.output.first().copied().unwrap_or(1).max(1);
        let count = layer.spec.parameters(&[input]).unwrap_or_default() / size;
        if count != words.len() {
            let (wanted, name) = (words.len(), &layer.name);
            let message = format!("{wanted} `words` want `count = {wanted}` of layer `{name}`, got {count}");
            problems.push(Diagnostic::new(Code::Size, span_of(root, "words"), message));
        }
    }
}

/// The outputs that training looks at beside the net's.
fn read_heads(root: &Table, layers: &[ArchLayer], problems: &mut Diagnostics) -> Vec<Head> {
    let mut heads = Vec::new();
    for node in root.get("head").and_then(Node::as_array).unwrap_or_default() {
        let Some(table) = node.as_table() else {
            problems.push(Diagnostic::new(Code::WrongValue, node.span.clone(), "a head wants a table"));
            continue;
        };
        let found =
            document::check(table, &node.span, &schemars::schema_for!(HeadTable).to_value(), "a head");
        let is_good = found.is_empty();
        problems.extend(found);
        let Some(head) = is_good.then(|| serde_json::from_value::<HeadTable>(table.to_json()).ok()).flatten()
        else {
            continue;
        };
        match layers.iter().position(|layer| layer.name == head.layer) {
            Some(layer) if layer + 1 < layers.len() => heads.push(Head { layer, weight: head.weight }),
            found => {
                let (message, hint) = if found.is_some() {
                    let hint = "put its layers above the last of the net, which says with `in` what it reads";
                    (format!("`{}` is the output of the net already", head.layer), Some(hint.to_owned()))
                } else {
                    let hint = did_you_mean(&head.layer, layers.iter().map(|layer| layer.name.as_str()));
                    (format!("no layer is called `{}`", head.layer), hint)
                };
                let place = table.get("layer").map_or(0..0, |node| node.span.clone());
                problems.push(Diagnostic::new(Code::UnknownInput, place, message).with_hint(hint));
            }
        }
    }
    // The order in which a pass meets them.
    heads.sort_by_key(|head| head.layer);
    heads
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

fn read_head(root: &Table, problems: &mut Diagnostics) -> Option<(HeadKeys, Shape)> {
    let table = root.without(&["version", "layer", "block", "head"]);
    let found = document::check(&table, &(0..0), &schemars::schema_for!(HeadKeys).to_value(), "a net");
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
        .filter(|key| !["name", "input", "mean", "std", "classes", "words"].contains(key))
        .collect();
    let head: HeadKeys = match serde_json::from_value(table.without(&unknown).to_json()) {
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

fn read_spec(
    table: &Table,
    place: &document::Span,
    name: &str,
    usable: &[String],
    problems: &mut Vec<Diagnostic>,
) -> Option<(&'static Kind, Box<dyn Spec>)> {
    let Some(used) = table.get("use") else {
        let header = place.start..place.start;
        problems.push(
            Diagnostic::new(Code::MissingKey, header, "a layer wants `use`")
                .with_hint(did_you_mean("", usable.iter().map(String::as_str))),
        );
        return None;
    };
    let wanted = used.as_str().unwrap_or_default();
    let Some(kind) = Kind::by_name(wanted) else {
        let message = format!("there is no layer `{wanted}`");
        let hint = did_you_mean(wanted, usable.iter().map(String::as_str));
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
    problems: &mut Vec<Diagnostic>,
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
