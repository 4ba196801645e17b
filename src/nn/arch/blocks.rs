//! Blocks: layers that are written once and used, and repeated, under names of their own.
//!
//! A use of a block becomes its layers, with the block's parameters put in for `$name`; what comes out
//! is a flat list of layers as if they had been written so.

use std::collections::BTreeMap;

use super::builtin::INCLUDES;
use crate::document::{
    Code, Diagnostic, Diagnostics, Entry, Node, OUTSIDE, Source as Text, Span, Table, did_you_mean,
};
use crate::nn::layer::{ALL, Kind};

/// The most layers of a net.
const MOST_LAYERS: usize = 10_000;
/// How deep blocks may use blocks.
const DEEPEST: usize = 16;
/// What a use of a block may say besides the block's parameters.
const USE_KEYS: [&str; 5] = ["use", "name", "in", "repeat", "first"];

/// A layer, flat.
pub(super) struct Item {
    /// Its full name.
    pub(super) name: String,
    /// Its keys.
    pub(super) table: Table,
    /// Where it stands.
    pub(super) span: Span,
    /// Where its inputs come from: indices of items, or the input of the net. None where a problem
    /// has been told.
    pub(super) inputs: Option<Vec<super::Source>>,
}

/// A block as a file defines it.
struct Block {
    parameters: Vec<String>,
    defaults: BTreeMap<String, Node>,
    layers: Vec<Node>,
}

/// The layers of a net without blocks.
pub(super) fn expand(root: &Table, nodes: &[Node], problems: &mut Diagnostics) -> Vec<Item> {
    let blocks = read_blocks(root, problems);
    let mut expander = Expander { blocks, items: Vec::new(), problems, is_full: false };
    let scope = Scope { prefix: "", inputs: &[super::Source::Input], arguments: None, depth: 0 };
    expander.layers(nodes, &scope);
    expander.items
}

fn read_blocks(root: &Table, problems: &mut Diagnostics) -> BTreeMap<String, Block> {
    let mut blocks = BTreeMap::new();
    let Some(node) = root.get("block") else { return blocks };
    let list = node.as_array().unwrap_or_default();
    if list.is_empty() {
        let message = "`block` wants tables, one a block";
        problems.push(
            Diagnostic::new(Code::WrongValue, node.span.clone(), message)
                .with_hint("write `[[block]]` and `[[block.layer]]`".to_owned()),
        );
    }
    for node in list {
        let Some(table) = node.as_table() else {
            problems.push(Diagnostic::new(Code::WrongValue, node.span.clone(), "a block wants a table"));
            continue;
        };
        let start = node.span.start..node.span.start;
        for (key, span, _) in table.iter() {
            if !["name", "parameters", "defaults", "layer"].contains(&key) {
                problems.push(
                    Diagnostic::new(Code::UnknownKey, span.clone(), format!("a block has no `{key}`"))
                        .with_hint(did_you_mean(key, ["name", "parameters", "defaults", "layer"])),
                );
            }
        }
        let Some(name) = table.get("name").and_then(Node::as_str).filter(|name| !name.is_empty()) else {
            problems.push(Diagnostic::new(Code::MissingKey, start, "a block wants `name`"));
            continue;
        };
        let place = table.get("name").map_or(start, |node| node.span.clone());
        if Kind::by_name(name).is_some() {
            let message = format!("a block cannot be called `{name}`, as a layer is");
            problems.push(Diagnostic::new(Code::DuplicateName, place.clone(), message));
        }
        let parameters = table.get("parameters").and_then(Node::as_array).unwrap_or_default();
        let defaults = table.get("defaults").and_then(Node::as_table).map(|table| {
            table.iter().map(|(key, _, node)| (key.to_owned(), node.clone())).collect::<BTreeMap<_, _>>()
        });
        let layers = table.get("layer").and_then(Node::as_array).unwrap_or_default();
        if layers.is_empty() || layers.iter().any(|layer| layer.as_table().is_none()) {
            problems.push(
                Diagnostic::new(
                    Code::Empty,
                    place.clone(),
                    format!("block `{name}` wants at least one layer"),
                )
                .with_hint("add `[[block.layer]]`".to_owned()),
            );
            continue;
        }
        let block = Block {
            parameters: parameters.iter().filter_map(Node::as_str).map(str::to_owned).collect(),
            defaults: defaults.unwrap_or_default(),
            layers: layers.to_vec(),
        };
        if blocks.insert(name.to_owned(), block).is_some() {
            let message = format!("two blocks are called `{name}`");
            problems.push(Diagnostic::new(Code::DuplicateName, place, message));
        }
    }
    blocks
}

/// Where layers stand: at the top of the file, or in a use of a block.
struct Scope<'a> {
    /// What comes before the names, with its dot.
    prefix: &'a str,
    /// What `input` is.
    inputs: &'a [super::Source],
    /// What is put in for `$name`.
    arguments: Option<&'a BTreeMap<String, Node>>,
    depth: usize,
}

struct Expander<'a> {
    blocks: BTreeMap<String, Block>,
    items: Vec<Item>,
    problems: &'a mut Diagnostics,
    is_full: bool,
}

impl Expander<'_> {
    /// Adds layers of one scope, and gives the output of the last.
    fn layers(&mut self, nodes: &[Node], scope: &Scope<'_>) -> Option<Vec<super::Source>> {
        let mut nodes = nodes.to_vec();
        if let Some(arguments) = scope.arguments {
            for node in &mut nodes {
                self.put_in(node, arguments);
            }
        }
        let names = self.names(&nodes);
        // The outputs of the layers and blocks of this scope so far.
        let mut known: Vec<Option<Vec<super::Source>>> = Vec::new();
        for (at, node) in nodes.iter().enumerate() {
            let span = node.span.clone();
            let Some(table) = node.as_table() else { continue };
            let inputs = self.inputs(table, at, &names, &known, scope);
            let name = format!("{}{}", scope.prefix, names[at]);
            let used = table.get("use").and_then(Node::as_str).unwrap_or_default();
            let output = if self.blocks.contains_key(used) {
                self.block(used, table, &name, inputs, scope.depth)
            } else {
                self.add(Item { name, table: table.clone(), span, inputs }).map(|source| vec![source])
            };
            known.push(output);
        }
        known.pop().flatten()
    }

    fn add(&mut self, item: Item) -> Option<super::Source> {
        if self.items.len() == MOST_LAYERS {
            if !self.is_full {
                let message = format!("the net has more than {MOST_LAYERS} layers");
                self.problems.push(Diagnostic::new(Code::Size, item.span, message));
            }
            self.is_full = true;
            return None;
        }
        if self.items.iter().any(|other| other.name == item.name) {
            let place = item.table.get("name").map_or(item.span.clone(), |node| node.span.clone());
            let message = format!("two layers are called `{}`", item.name);
            self.problems.push(Diagnostic::new(Code::DuplicateName, place, message));
        }
        self.items.push(item);
        Some(super::Source::Layer(self.items.len() - 1))
    }

    /// A use of a block: its layers once, or one after another.
    fn block(
        &mut self,
        used: &str,
        table: &Table,
        name: &str,
        inputs: Option<Vec<super::Source>>,
        depth: usize,
    ) -> Option<Vec<super::Source>> {
        let place = table.get("use").map_or(OUTSIDE, |node| node.span.clone());
        if depth == DEEPEST {
            let message = format!("block `{used}` stands {DEEPEST} blocks deep");
            self.problems.push(
                Diagnostic::new(Code::Size, place, message).with_hint("does a block use itself?".to_owned()),
            );
            return None;
        }
        let arguments = self.arguments(used, table, &place)?;
        let count = |key: &str| table.get(key).map(|node| (node, node.as_integer()));
        let (mut repeat, mut first) = (None, 0);
        match count("repeat") {
            None => {}
            Some((_, Some(times))) if (1..=1000).contains(&times) => repeat = Some(times as usize),
            Some((node, _)) => {
                let message = format!("`repeat` wants a number from 1 to 1000, got `{}`", node.literal());
                self.problems.push(Diagnostic::new(Code::WrongValue, node.span.clone(), message));
            }
        }
        match count("first") {
            None => {}
            Some((_, Some(index))) if (0..=1000).contains(&index) && repeat.is_some() => {
                first = index as usize;
            }
            Some((node, _)) => {
                let message = format!(
                    "`first` wants a number from 0 to 1000, beside `repeat`, got `{}`",
                    node.literal()
                );
                self.problems.push(Diagnostic::new(Code::WrongValue, node.span.clone(), message));
            }
        }
        let layers = self.blocks.get(used)?.layers.clone();
        let mut sources = inputs?;
        for index in 0..repeat.unwrap_or(1) {
            let prefix = match repeat {
                None => format!("{name}."),
                Some(_) => format!("{name}.{}.", first + index),
            };
            let scope =
                Scope { prefix: &prefix, inputs: &sources, arguments: Some(&arguments), depth: depth + 1 };
            sources = self.layers(&layers, &scope)?;
            if self.is_full {
                return None;
            }
        }
        Some(sources)
    }

    /// What a use of a block gives to its parameters.
    fn arguments(&mut self, used: &str, table: &Table, place: &Span) -> Option<BTreeMap<String, Node>> {
        let block = self.blocks.get(used)?;
        let mut arguments = block.defaults.clone();
        let mut found = Vec::new();
        for (key, span, node) in table.iter() {
            if USE_KEYS.contains(&key) {
                continue;
            }
            if block.parameters.iter().any(|known| known == key) || block.defaults.contains_key(key) {
                arguments.insert(key.to_owned(), node.clone());
            } else {
                let known = block.parameters.iter().chain(block.defaults.keys()).map(String::as_str);
                found.push(
                    Diagnostic::new(Code::UnknownKey, span.clone(), format!("block `{used}` has no `{key}`"))
                        .with_hint(did_you_mean(key, known)),
                );
            }
        }
        for parameter in &block.parameters {
            if !arguments.contains_key(parameter) {
                let message = format!("block `{used}` wants `{parameter}`");
                found.push(Diagnostic::new(Code::MissingKey, place.clone(), message));
            }
        }
        let is_good = found.is_empty();
        self.problems.extend(found);
        is_good.then_some(arguments)
    }

    /// Puts the arguments in for every `$name` of a value.
    fn put_in(&mut self, node: &mut Node, arguments: &BTreeMap<String, Node>) {
        match &mut node.value {
            Entry::Text(text) => {
                let Some(name) = text.strip_prefix('$') else { return };
                if let Some(argument) = arguments.get(name) {
                    *node = argument.clone();
                } else {
                    let message = format!("the block has no parameter `{name}`");
                    let hint = did_you_mean(name, arguments.keys().map(String::as_str));
                    let problem = Diagnostic::new(Code::UnknownKey, node.span.clone(), message);
                    self.problems.push(problem.with_hint(hint));
                }
            }
            Entry::Array(items) => items.iter_mut().for_each(|item| self.put_in(item, arguments)),
            Entry::Table(table) => {
                let keys: Vec<(String, Span, Node)> = table
                    .iter()
                    .map(|(key, span, node)| (key.to_owned(), span.clone(), node.clone()))
                    .collect();
                for (key, span, mut node) in keys {
                    self.put_in(&mut node, arguments);
                    table.set(&key, span, node);
                }
            }
            Entry::Integer(_) | Entry::Float(_) | Entry::Bool(_) => {}
        }
    }

    /// The names within a scope: `name`, else `use`, numbered from the second on.
    fn names(&mut self, nodes: &[Node]) -> Vec<String> {
        let given = |node: &Node| node.as_table().and_then(|table| table.get("name")).cloned();
        let stated: Vec<String> =
            nodes.iter().filter_map(given).filter_map(|name| name.as_str().map(str::to_owned)).collect();
        let mut names: Vec<String> = Vec::new();
        for node in nodes {
            let name = if let Some(name) = given(node) {
                let text = name.as_str().unwrap_or_default();
                let is_input = text == "input" || text.starts_with("input.");
                if text.split('.').any(str::is_empty) || is_input || text.contains(['/', '\\', '$', '*']) {
                    let message = format!("`name` cannot be `{}`", name.literal());
                    let hint = "a name is words with dots between them, and not `input`".to_owned();
                    let problem = Diagnostic::new(Code::WrongValue, name.span.clone(), message);
                    self.problems.push(problem.with_hint(hint));
                }
                text.to_owned()
            } else {
                let kind = node
                    .as_table()
                    .and_then(|table| table.get("use"))
                    .and_then(Node::as_str)
                    .unwrap_or("layer");
                let is_taken = |name: &String| names.contains(name) || stated.contains(name);
                let numbered = (2..).map(|n| format!("{kind}-{n}"));
                let mut candidates = std::iter::once(kind.to_owned()).chain(numbered);
                candidates.find(|name| !is_taken(name)).unwrap_or_default()
            };
            names.push(name);
        }
        names
    }

    /// What `in` names; the layer above, or the input of the scope, where it says nothing.
    fn inputs(
        &mut self,
        table: &Table,
        index: usize,
        names: &[String],
        known: &[Option<Vec<super::Source>>],
        scope: &Scope<'_>,
    ) -> Option<Vec<super::Source>> {
        let Some(node) = table.get("in") else {
            return match index.checked_sub(1) {
                Some(above) => known[above].clone(),
                None => Some(scope.inputs.to_vec()),
            };
        };
        let list = node.as_array().unwrap_or(std::slice::from_ref(node));
        let (mut inputs, mut is_good) = (Vec::new(), true);
        for item in list {
            match self.input(item, index, names, known, scope) {
                Some(sources) => inputs.extend(sources),
                None => is_good = false,
            }
        }
        is_good.then_some(inputs)
    }

    /// What one name of `in` means.
    fn input(
        &mut self,
        item: &Node,
        index: usize,
        names: &[String],
        known: &[Option<Vec<super::Source>>],
        scope: &Scope<'_>,
    ) -> Option<Vec<super::Source>> {
        let Some(name) = item.as_str() else {
            let message = format!("`in` wants names of layers, got {} `{}`", item.kind(), item.literal());
            self.problems.push(Diagnostic::new(Code::WrongValue, item.span.clone(), message));
            return None;
        };
        if name == "input" {
            return Some(scope.inputs.to_vec());
        }
        if let Some(source) =
            name.strip_prefix("input.").and_then(|at| scope.inputs.get(at.parse::<usize>().ok()?))
        {
            return Some(vec![*source]);
        }
        if let Some(found) = names.iter().position(|known| known == name) {
            if found < index {
                return known[found].clone();
            }
            let problem =
                Diagnostic::new(Code::Order, item.span.clone(), format!("`{name}` stands further down"))
                    .with_hint(format!("a layer reads only layers above it: move `{name}` up"));
            self.problems.push(problem);
            return None;
        }
        // A layer inside of a block that stands above, by its full name.
        let full = format!("{}{name}", scope.prefix);
        if let Some(found) = self.items.iter().position(|item| item.name == full) {
            return Some(vec![super::Source::Layer(found)]);
        }
        let candidates = names[..index].iter().map(String::as_str).chain(["input"]);
        let message = format!("no layer is called `{name}`");
        let hint = did_you_mean(name, candidates);
        self.problems.push(Diagnostic::new(Code::UnknownInput, item.span.clone(), message).with_hint(hint));
        None
    }
}

/// The names that `use` may have.
pub(super) fn usable(root: &Table) -> Vec<String> {
    let blocks = root.get("block").and_then(Node::as_array).unwrap_or_default();
    let names = blocks.iter().filter_map(|node| node.as_table()?.get("name")?.as_str());
    ALL.iter().map(|kind| kind.name).chain(names).map(str::to_owned).collect()
}

/// The file with the blocks of the files it includes written into it, and its text then. Blocks of
/// other files have no place in this one.
pub(super) fn include(text: &Text, root: Table, problems: &mut Diagnostics) -> (Table, String) {
    let Some(node) = root.get("include") else { return (root, text.text().to_owned()) };
    let (mut blocks, mut texts) = (Vec::new(), Vec::new());
    for item in node.as_array().unwrap_or(std::slice::from_ref(node)) {
        match included(text, item) {
            Ok((nodes, table)) => {
                blocks.extend(nodes);
                texts.extend(table);
            }
            Err((message, hint)) => {
                let problem = Diagnostic::new(Code::Resource, item.span.clone(), message);
                problems.push(problem.with_hint(hint));
            }
        }
    }
    let own = root.get("block").and_then(Node::as_array).unwrap_or_default();
    blocks.extend(own.iter().cloned());
    let mut whole = root.without(&["include", "block"]);
    if !blocks.is_empty() {
        whole.set("block", node.span.clone(), Node { span: node.span.clone(), value: Entry::Array(blocks) });
    }
    // The same in the text, whose comments are lost; keys of the file come before its tables.
    let written = text.text().parse::<toml::Table>().ok().and_then(|mut file| {
        file.remove("include");
        if let Some(toml::Value::Array(own)) = file.remove("block") {
            texts.extend(own);
        }
        let tables: Vec<_> =
            ["head", "layer"].into_iter().filter_map(|key| Some((key, file.remove(key)?))).collect();
        if !texts.is_empty() {
            file.insert("block".into(), texts.into());
        }
        file.extend(tables.into_iter().map(|(key, value)| (key.to_owned(), value)));
        toml::to_string(&file).ok()
    });
    (whole, written.unwrap_or_default())
}

type Included = (Vec<Node>, Vec<toml::Value>);

/// The blocks of a file that is included, as nodes and as TOML.
fn included(text: &Text, item: &Node) -> Result<Included, (String, Option<String>)> {
    let plain = |message: String| (message, None);
    let Some(name) = item.as_str() else {
        return Err(plain(format!(
            "`include` wants names of files, got {} `{}`",
            item.kind(),
            item.literal()
        )));
    };
    let content = if let Some(builtin) = name.strip_prefix("builtin:") {
        let found = INCLUDES.iter().find(|(known, _)| *known == builtin).map(|(_, text)| (*text).to_owned());
        found.ok_or_else(|| {
            let known = INCLUDES.iter().map(|(known, _)| *known);
            (format!("there are no blocks `{builtin}`"), did_you_mean(builtin, known))
        })?
    } else {
        let path = text.folder().map_or_else(|| name.into(), |folder| folder.join(name));
        let bytes = crate::document::read(&path, 1 << 20).map_err(|error| plain(error.to_string()))?;
        String::from_utf8(bytes).map_err(|_| plain(format!("`{name}` is not text")))?
    };
    let root = crate::document::parse(&content).map_err(|errors| {
        let first = errors.first().map(|error| error.message.clone()).unwrap_or_default();
        plain(format!("`{name}`: {first}"))
    })?;
    if let Some((key, ..)) = root.iter().find(|(key, ..)| *key != "block" && *key != "version") {
        return Err(plain(format!(
            "`{name}` holds `{key}`; a file of blocks holds `version` and `[[block]]`"
        )));
    }
    let nodes = root.get("block").and_then(Node::as_array).unwrap_or_default();
    let nodes = nodes.iter().cloned().map(Node::outside).collect();
    let file: toml::Table = content.parse().map_err(|error: toml::de::Error| plain(error.to_string()))?;
    let tables = file.get("block").and_then(toml::Value::as_array).cloned().unwrap_or_default();
    Ok((nodes, tables))
}
