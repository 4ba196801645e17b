//! From layers and uses of blocks to a flat list of layers, as if they had been written so.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Source;
use super::blocks::{Block, put_in};
use crate::document::{Code, Diagnostic, Diagnostics, Node, OUTSIDE, Span, Table, did_you_mean};

/// The most layers of a net, and the most uses of blocks; those that fail add no layers.
const MOST: usize = 10_000;
/// The most values of all layers together, with those on the way: a parameter may hold lists of others.
const MOST_VALUES: usize = 2_000_000;
/// How deep blocks may use blocks.
const DEEPEST: usize = 16;

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
    pub(super) inputs: Option<Vec<Source>>,
}

/// The layers of a net without blocks.
pub(super) fn expand(
    blocks: &BTreeMap<String, Block>,
    nodes: &[Node],
    problems: &mut Diagnostics,
) -> Vec<Item> {
    let mut expander = Expander {
        blocks,
        items: Vec::new(),
        known: HashMap::new(),
        doubled: BTreeSet::new(),
        told: BTreeSet::new(),
        uses: 0,
        values: MOST_VALUES,
        problems,
    };
    let scope = Scope { prefix: "", inputs: &[Source::Input], site: None, stack: &[] };
    expander.layers(nodes, &scope);
    // What the last layer was one too many of.
    expander.is_full(&nodes.last().map_or(OUTSIDE, |node| node.span.clone()));
    expander.items
}

/// Where layers stand: at the top of the file, or in a use of a block.
struct Scope<'a> {
    /// What comes before the names, with its dot.
    prefix: &'a str,
    /// What `input` is.
    inputs: &'a [Source],
    /// The use at the top of the file.
    site: Option<&'a Span>,
    /// The blocks that stand in each other here.
    stack: &'a [&'a str],
}

struct Expander<'a> {
    blocks: &'a BTreeMap<String, Block>,
    items: Vec<Item>,
    /// The items by name.
    known: HashMap<String, usize>,
    /// The places whose names were taken already.
    doubled: BTreeSet<usize>,
    /// What has been told: a block says the same at each use.
    told: BTreeSet<(Code, usize, String)>,
    uses: usize,
    /// How many values may still be made.
    values: usize,
    problems: &'a mut Diagnostics,
}

impl Expander<'_> {
    fn tell(&mut self, problem: Diagnostic) {
        if self.told.insert((problem.code, problem.span.start, problem.message.clone())) {
            self.problems.push(problem);
        }
    }

    /// Whether the net is as large as nets may be. Tells it the first time.
    fn is_full(&mut self, place: &Span) -> bool {
        let is_full = self.items.len() > MOST || self.uses > MOST || self.values == 0;
        if is_full && self.told.insert((Code::Size, OUTSIDE.start, String::new())) {
            let message = format!("the net has more than {MOST} layers, uses of blocks, or values to match");
            self.problems.push(Diagnostic::new(Code::Size, place.clone(), message));
        }
        is_full
    }

    /// Adds layers of one scope, and gives the output of the last.
    fn layers(&mut self, nodes: &[Node], scope: &Scope<'_>) -> Option<Vec<Source>> {
        let names = self.names(nodes);
        let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, name) in names.iter().enumerate() {
            places.entry(name).or_default().push(at);
        }
        // The outputs of the layers and blocks of this scope so far.
        let mut known: Vec<Option<Vec<Source>>> = Vec::with_capacity(nodes.len());
        for (at, node) in nodes.iter().enumerate() {
            self.afford(node.count());
            if self.is_full(&node.span) {
                return None;
            }
            let Some(table) = node.as_table() else { continue };
            let inputs = self.inputs(table, at, &places, &known, scope);
            let name = format!("{}{}", scope.prefix, names[at]);
            let used = table.get("use").and_then(Node::as_str).unwrap_or_default();
            let output = match self.blocks.get_key_value(used) {
                Some((used, block)) => self.block(used, block, node, &name, inputs, scope),
                None => Some(vec![self.add(name, table, node, inputs, scope)]),
            };
            known.push(output);
        }
        known.pop().flatten()
    }

    fn add(
        &mut self,
        name: String,
        table: &Table,
        node: &Node,
        inputs: Option<Vec<Source>>,
        scope: &Scope<'_>,
    ) -> Source {
        let index = self.items.len();
        if self.known.insert(name.clone(), index).is_some() {
            // Of a block, the use is to blame, and it is told once.
            let own = table.get("name").map_or(&node.span, |name| &name.span);
            let place = scope.site.unwrap_or(own);
            if self.doubled.insert(place.start) {
                let message = format!("two layers are called `{name}`");
                self.tell(Diagnostic::new(Code::DuplicateName, place.clone(), message));
            }
        }
        self.items.push(Item { name, table: table.clone(), span: node.span.clone(), inputs });
        Source::Layer(index)
    }

    /// A use of a block: its layers once, or one after another.
    fn block(
        &mut self,
        used: &str,
        block: &Block,
        node: &Node,
        name: &str,
        inputs: Option<Vec<Source>>,
        scope: &Scope<'_>,
    ) -> Option<Vec<Source>> {
        self.uses += 1;
        let table = node.as_table()?;
        let place = table.get("use").map_or(OUTSIDE, |node| node.span.clone());
        let stack: Vec<&str> = scope.stack.iter().copied().chain([used]).collect();
        if scope.stack.contains(&used) {
            let names: Vec<String> = stack.iter().map(|name| format!("`{name}`")).collect();
            let path = format!("{} uses {}", names[0], names[1..].join(", which uses "));
            let problem = Diagnostic::new(Code::Order, place, format!("block `{used}` uses itself"));
            self.tell(problem.with_hint(path));
            return None;
        }
        if scope.stack.len() == DEEPEST {
            let message = format!("block `{used}` stands more than {DEEPEST} blocks deep");
            self.tell(Diagnostic::new(Code::Size, place, message));
            return None;
        }
        let repeat = self.number(table, "repeat", 1);
        let first = self.number(table, "first", 0);
        if let (Some(_), None) = (first, repeat) {
            let place = table.get("first").map_or(OUTSIDE, |node| node.span.clone());
            let message = "`first` stands beside `repeat`";
            self.tell(Diagnostic::new(Code::Parameters, place, message));
        }
        let arguments = match block.arguments(used, table, &place) {
            Ok(arguments) => arguments,
            Err(found) => {
                for problem in found {
                    self.tell(problem);
                }
                return None;
            }
        };
        let mut sources = inputs?;
        let mut layers = block.layers.clone();
        for layer in &mut layers {
            put_in(layer, &arguments, &mut self.values);
        }
        let own = table.get("name").map_or(&place, |name| &name.span);
        for index in 0..repeat.unwrap_or(1) {
            self.uses += usize::from(index > 0);
            if self.is_full(&place) {
                return None;
            }
            let prefix = match repeat {
                None => format!("{name}."),
                Some(_) => format!("{name}.{}.", first.unwrap_or(0) + index),
            };
            let site = scope.site.or(Some(own));
            sources =
                self.layers(&layers, &Scope { prefix: &prefix, inputs: &sources, site, stack: &stack })?;
        }
        Some(sources)
    }

    /// A whole number of a use, from `least` to 1000.
    fn number(&mut self, table: &Table, key: &str, least: i64) -> Option<usize> {
        let node = table.get(key)?;
        let number = node.as_integer().filter(|number| (least..=1000).contains(number));
        if number.is_none() {
            let message =
                format!("`{key}` wants a whole number from {least} to 1000, got `{}`", node.literal());
            self.tell(Diagnostic::new(Code::WrongValue, node.span.clone(), message));
        }
        number.and_then(|number| usize::try_from(number).ok())
    }

    /// The names within a scope: `name`, else `use`, numbered from the second on.
    fn names(&mut self, nodes: &[Node]) -> Vec<String> {
        let key = |node: &Node, key: &str| node.as_table().and_then(|table| table.get(key)).cloned();
        let given = nodes.iter().filter_map(|node| key(node, "name"));
        let mut taken: BTreeSet<String> = given.filter_map(|name| name.as_str().map(str::to_owned)).collect();
        // The next number of each kind.
        let mut next: HashMap<String, usize> = HashMap::new();
        let mut names = Vec::with_capacity(nodes.len());
        for node in nodes {
            if let Some(name) = key(node, "name") {
                self.check_name(&name);
                names.push(name.as_str().unwrap_or_default().to_owned());
                continue;
            }
            let used = key(node, "use");
            let kind = used.as_ref().and_then(Node::as_str).unwrap_or("layer").to_owned();
            let number = next.entry(kind.clone()).or_insert(1);
            let name = loop {
                let name = if *number == 1 { kind.clone() } else { format!("{kind}-{number}") };
                *number += 1;
                if taken.insert(name.clone()) {
                    break name;
                }
            };
            names.push(name);
        }
        names
    }

    fn check_name(&mut self, name: &Node) {
        let text = name.as_str().unwrap_or_default();
        let is_input = text == "input" || text.starts_with("input.");
        if text.split('.').any(str::is_empty) || is_input || text.contains(['/', '\\', '$', '*']) {
            let message = format!("`name` cannot be `{}`", name.literal());
            let hint = "a name is words with dots between them, and not `input`".to_owned();
            let problem = Diagnostic::new(Code::WrongValue, name.span.clone(), message);
            self.tell(problem.with_hint(hint));
        }
    }

    /// What `in` names; the layer above, or the input of the scope, where it says nothing.
    fn inputs(
        &mut self,
        table: &Table,
        index: usize,
        places: &HashMap<&str, Vec<usize>>,
        known: &[Option<Vec<Source>>],
        scope: &Scope<'_>,
    ) -> Option<Vec<Source>> {
        let Some(node) = table.get("in") else {
            let sources = match index.checked_sub(1) {
                Some(above) => known[above].as_deref()?,
                None => scope.inputs,
            };
            return self.afford(sources.len()).then(|| sources.to_vec());
        };
        let list = node.as_array().unwrap_or(std::slice::from_ref(node));
        let (mut inputs, mut is_good) = (Vec::new(), true);
        for item in list {
            match self.input(item, index, places, known, scope) {
                Some(sources) if self.afford(sources.len()) => inputs.extend(sources),
                _ => is_good = false,
            }
        }
        is_good.then_some(inputs)
    }

    /// Whether so many values may still be made: a list of the inputs of a block may name the same ones again and
    /// again.
    fn afford(&mut self, count: usize) -> bool {
        self.values = self.values.saturating_sub(count);
        self.values > 0
    }

    /// What one name of `in` means.
    fn input(
        &mut self,
        item: &Node,
        index: usize,
        places: &HashMap<&str, Vec<usize>>,
        known: &[Option<Vec<Source>>],
        scope: &Scope<'_>,
    ) -> Option<Vec<Source>> {
        let Some(name) = item.as_str() else {
            let message = format!("`in` wants names of layers, got {} `{}`", item.kind(), item.literal());
            self.tell(Diagnostic::new(Code::WrongValue, item.span.clone(), message));
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
        if let Some(places) = places.get(name) {
            let above = places.partition_point(|&place| place < index);
            if above == 1 {
                return known[places[0]].clone();
            }
            let place = item.span.clone();
            let problem = if above == 0 {
                Diagnostic::new(Code::Order, place, format!("`{name}` stands further down"))
                    .with_hint(format!("a layer reads only layers above it: move `{name}` up"))
            } else {
                let message = format!("more than one layer above is called `{name}`");
                Diagnostic::new(Code::DuplicateName, place, message)
                    .with_hint(format!("name the layer inside, as in `{name}.relu`"))
            };
            self.tell(problem);
            return None;
        }
        // A layer inside of a block that stands above, by its full name.
        if let Some(&found) = self.known.get(&format!("{}{name}", scope.prefix)) {
            return Some(vec![Source::Layer(found)]);
        }
        let above = places.iter().filter(|(_, places)| places[0] < index);
        let mut candidates: Vec<&str> = above.map(|(name, _)| *name).chain(["input"]).collect();
        candidates.sort_unstable();
        let message = format!("no layer is called `{name}`");
        let hint = did_you_mean(name, candidates);
        self.tell(Diagnostic::new(Code::UnknownInput, item.span.clone(), message).with_hint(hint));
        None
    }
}
