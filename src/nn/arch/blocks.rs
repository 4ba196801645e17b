//! Blocks as files define them: layers that are written once, with parameters.

use std::collections::BTreeMap;

use crate::document::{Code, Diagnostic, Diagnostics, Entry, Node, Span, Table, did_you_mean};
use crate::nn::layer::{ALL, Kind};

/// What a use of a block may say besides the block's parameters.
pub(super) const USE_KEYS: [&str; 5] = ["use", "name", "in", "repeat", "first"];
/// What a block may say.
const KEYS: [&str; 4] = ["name", "parameters", "defaults", "layer"];

/// A block.
pub(super) struct Block {
    /// What a use must say.
    parameters: Vec<String>,
    /// What it may say, and what is meant otherwise.
    defaults: BTreeMap<String, Node>,
    /// Its layers, with `$name` where parameters stand.
    pub(super) layers: Vec<Node>,
}

/// The blocks of an architecture, by name.
pub(super) fn read(root: &Table, problems: &mut Diagnostics) -> BTreeMap<String, Block> {
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
        let Some((name, place, block)) = Block::read(table, &node.span, problems) else { continue };
        if blocks.insert(name.clone(), block).is_some() {
            let message = format!("two blocks are called `{name}`");
            problems.push(Diagnostic::new(Code::DuplicateName, place, message));
        }
    }
    blocks
}

/// The names that `use` may have.
pub(super) fn usable(root: &Table) -> Vec<String> {
    let blocks = root.get("block").and_then(Node::as_array).unwrap_or_default();
    let names = blocks.iter().filter_map(|node| node.as_table()?.get("name")?.as_str());
    ALL.iter().map(|kind| kind.name).chain(names).map(str::to_owned).collect()
}

impl Block {
    /// Name, place of the name, and block; nothing where it cannot be used.
    fn read(table: &Table, span: &Span, problems: &mut Diagnostics) -> Option<(String, Span, Self)> {
        for (key, span, _) in table.iter().filter(|(key, ..)| !KEYS.contains(key)) {
            problems.push(
                Diagnostic::new(Code::UnknownKey, span.clone(), format!("a block has no `{key}`"))
                    .with_hint(did_you_mean(key, KEYS)),
            );
        }
        let Some(name) = table.get("name").and_then(Node::as_str).filter(|name| !name.is_empty()) else {
            problems.push(Diagnostic::new(
                Code::MissingKey,
                span.start..span.start,
                "a block wants `name`, a string",
            ));
            return None;
        };
        let place = table.get("name").map_or(span.clone(), |node| node.span.clone());
        if Kind::by_name(name).is_some() {
            let message = format!("a block cannot be called `{name}`, as a layer is");
            problems.push(Diagnostic::new(Code::DuplicateName, place, message));
            return None;
        }
        let parameters = parameters(name, table, problems);
        let defaults = defaults(name, table, problems);
        let layers = table.get("layer").and_then(Node::as_array).unwrap_or_default();
        if layers.is_empty() || layers.iter().any(|layer| layer.as_table().is_none()) {
            let message = format!("block `{name}` wants at least one layer");
            problems.push(
                Diagnostic::new(Code::Empty, place, message).with_hint("add `[[block.layer]]`".to_owned()),
            );
            return None;
        }
        let block = Self { parameters, defaults, layers: layers.to_vec() };
        let known: Vec<&str> = block.known().collect();
        for layer in &block.layers {
            check_references(layer, name, &known, problems);
        }
        Some((name.to_owned(), place, block))
    }

    fn known(&self) -> impl Iterator<Item = &str> {
        self.parameters.iter().chain(self.defaults.keys()).map(String::as_str)
    }

    /// What a use of the block `name` gives to its parameters.
    pub(super) fn arguments(
        &self,
        name: &str,
        table: &Table,
        place: &Span,
    ) -> Result<BTreeMap<String, Node>, Vec<Diagnostic>> {
        let (mut arguments, mut found) = (self.defaults.clone(), Vec::new());
        for (key, span, node) in table.iter().filter(|(key, ..)| !USE_KEYS.contains(key)) {
            if self.known().any(|known| known == key) {
                arguments.insert(key.to_owned(), node.clone());
            } else {
                found.push(
                    Diagnostic::new(Code::UnknownKey, span.clone(), format!("block `{name}` has no `{key}`"))
                        .with_hint(did_you_mean(key, self.known())),
                );
            }
        }
        let missing = self.parameters.iter().filter(|parameter| !arguments.contains_key(*parameter));
        found.extend(missing.map(|parameter| {
            let message = format!("block `{name}` wants `{parameter}`");
            Diagnostic::new(Code::MissingKey, place.clone(), message)
        }));
        if found.is_empty() { Ok(arguments) } else { Err(found) }
    }
}

/// Puts the arguments in for every `$name` of a value, as long as `values` lasts: lists of lists of
/// parameters grow.
pub(super) fn put_in(node: &mut Node, arguments: &BTreeMap<String, Node>, values: &mut usize) {
    match &mut node.value {
        Entry::Text(text) => {
            let Some(argument) = text.strip_prefix('$').and_then(|name| arguments.get(name)) else { return };
            *values = values.saturating_sub(argument.count());
            if *values > 0 {
                *node = argument.clone();
            }
        }
        Entry::Array(items) => items.iter_mut().for_each(|item| put_in(item, arguments, values)),
        Entry::Table(table) => table.values_mut().for_each(|node| put_in(node, arguments, values)),
        Entry::Integer(_) | Entry::Float(_) | Entry::Bool(_) => {}
    }
}

/// Every `$name` of a layer must be one of the block's.
fn check_references(node: &Node, block: &str, known: &[&str], problems: &mut Diagnostics) {
    match &node.value {
        Entry::Text(text) => {
            let Some(name) = text.strip_prefix('$').filter(|name| !known.contains(name)) else { return };
            problems.push(
                Diagnostic::new(
                    Code::UnknownKey,
                    node.span.clone(),
                    format!("block `{block}` has no parameter `{name}`"),
                )
                .with_hint(did_you_mean(name, known.iter().copied())),
            );
        }
        Entry::Array(items) => items.iter().for_each(|item| check_references(item, block, known, problems)),
        Entry::Table(table) => {
            table.iter().for_each(|(_, _, node)| check_references(node, block, known, problems));
        }
        Entry::Integer(_) | Entry::Float(_) | Entry::Bool(_) => {}
    }
}

fn parameters(block: &str, table: &Table, problems: &mut Diagnostics) -> Vec<String> {
    let Some(node) = table.get("parameters") else { return Vec::new() };
    let names: Option<Vec<&str>> = node.as_array().and_then(|list| list.iter().map(Node::as_str).collect());
    let Some(names) = names else {
        let message = format!("`parameters` of block `{block}` wants a list of names");
        problems.push(Diagnostic::new(Code::WrongValue, node.span.clone(), message).with_hint(
            "write `parameters = [\"out\"]`, and what may be left out into `defaults`".to_owned(),
        ));
        return Vec::new();
    };
    for name in &names {
        check_name(block, name, &node.span, problems);
    }
    names.into_iter().map(str::to_owned).collect()
}

fn defaults(block: &str, table: &Table, problems: &mut Diagnostics) -> BTreeMap<String, Node> {
    let Some(node) = table.get("defaults") else { return BTreeMap::new() };
    let Some(table) = node.as_table() else {
        let message = format!("`defaults` of block `{block}` wants a table");
        problems.push(
            Diagnostic::new(Code::WrongValue, node.span.clone(), message)
                .with_hint("write `defaults = { stride = 1 }`".to_owned()),
        );
        return BTreeMap::new();
    };
    for (name, span, _) in table.iter() {
        check_name(block, name, span, problems);
    }
    table.iter().map(|(key, _, node)| (key.to_owned(), node.clone())).collect()
}

/// A use could not give a value to what bears the name of one of its own keys.
fn check_name(block: &str, name: &str, place: &Span, problems: &mut Diagnostics) {
    if USE_KEYS.contains(&name) {
        let message = format!("a parameter of block `{block}` cannot be called `{name}`");
        problems.push(Diagnostic::new(Code::DuplicateName, place.clone(), message));
    }
}
