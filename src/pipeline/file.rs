//! From a text to stages with their references; every problem is reported, none is fatal alone.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::document::{
    self, Code, Diagnostic, Diagnostics, Entry, Node, OUTSIDE, Resources, Source, Span, Table, did_you_mean,
};
use crate::image::ImageType;
use crate::kernel::Isa;
use crate::ops::Context;
use crate::stage::{Kind, Stage};

/// The version of the file format that this crate understands.
pub(super) const VERSION: i64 = 1;

/// The values of `[input] decode`.
pub(super) const DECODE: [&str; 2] = ["stored", "gray"];

/// A pipeline file: its stages in order, each reading only what stands above it.
pub(super) struct File {
    pub stages: Vec<StageDecl>,
    pub schedule: Schedule,
    pub input: Input,
}

/// What `[input]` says of the pictures.
#[derive(Clone, Copy, Default)]
pub(super) struct Input {
    /// The type that is promised.
    pub ty: Option<ImageType>,
    /// Whether they are turned to gray at once.
    pub is_gray: bool,
}

/// A stage as it stands in a file.
pub(super) struct StageDecl {
    pub name: String,
    pub kind: &'static Kind,
    pub inputs: Vec<Reference>,
    pub stage: Box<dyn Stage>,
    /// The parameters that were given.
    pub parameters: serde_json::Value,
    /// Names and fingerprints of the resources it was prepared with.
    #[cfg_attr(not(feature = "files"), expect(dead_code, reason = "the cache alone asks"))]
    pub resources: BTreeMap<String, String>,
    /// Where `use` stands.
    pub span: Span,
}

/// What an input refers to.
#[derive(Clone)]
pub(super) struct Reference {
    /// The stage, or `None` for the picture as read.
    pub stage: Option<usize>,
    /// The output after the dot.
    pub output: Option<String>,
    pub span: Span,
}

/// How a pipeline is carried out. It changes speed only: results are the same bit for bit.
///
/// ```
/// use lyncean::pipeline::Pipeline;
///
/// let text = "version = 1\n[[stage]]\nuse = \"invert\"\n[schedule]\nthreads = 2\nisa = \"portable\"";
/// let pipeline = Pipeline::from_toml(text)?;
/// assert_eq!((pipeline.schedule().threads, pipeline.schedule().strip_rows), (Some(2), None));
/// # Ok::<(), lyncean::Error>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Schedule {
    /// Threads inside one image; by default those the caller asks for.
    #[schemars(range(min = 1, max = 1024))]
    pub threads: Option<u32>,
    /// Rows of a strip; by default chosen from threads and size.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub strip_rows: Option<u32>,
    /// Whether chains of row operations run strip by strip (true), or each over the whole image.
    pub fuse: Option<bool>,
    /// Instruction set: the best there is, unless capped here.
    pub isa: Option<IsaName>,
}

/// An instruction set by name. One that this machine lacks is replaced by the best it has below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IsaName {
    /// What every processor of the architecture has.
    Portable,
    /// AVX2.
    Avx2,
    /// AVX-512 F, BW, CD, DQ, VL.
    Avx512,
}

impl Schedule {
    /// A context with this schedule applied.
    pub(super) fn apply(&self, mut cx: Context) -> Context {
        if let Some(threads) = self.threads {
            cx.threads = threads as usize;
        }
        if let Some(rows) = self.strip_rows {
            cx.strip_rows = Some(rows as usize);
        }
        let names: &[&str] = match self.isa {
            None => return cx,
            Some(IsaName::Portable) => &["portable"],
            Some(IsaName::Avx2) => &["avx2", "portable"],
            Some(IsaName::Avx512) => &["avx512", "avx2", "portable"],
        };
        if let Some(isa) = names.iter().find_map(|name| Isa::by_name(name)) {
            cx.isa = isa;
        }
        cx
    }
}

/// Reads a text. `None` when so little is understood that types cannot be checked.
pub(super) fn read(
    source: &Source,
    kinds: &[&'static Kind],
    resources: &Resources,
    overrides: &[(String, String)],
    problems: &mut Diagnostics,
) -> Option<File> {
    let mut root = match document::parse(source.text()) {
        Ok(root) => root,
        Err(errors) => {
            problems.extend(errors);
            return None;
        }
    };
    for (path, value) in overrides {
        override_parameter(&mut root, path, value, problems);
    }
    check_root(&root, problems);
    let schedule = read_schedule(&root, problems);
    let input = read_input(&root, problems);
    let nodes = root.get("stage").and_then(Node::as_array).unwrap_or_default();
    let names = stage_names(nodes, problems);

    let mut stages = Vec::new();
    for (index, node) in nodes.iter().enumerate() {
        let Some(table) = node.as_table() else { continue };
        let inputs = read_inputs(table, index, &names, problems);
        let own = resources.apart();
        let read = read_stage(table, node, &names[index], kinds, &own, problems);
        let used = own.used();
        resources.note(&used);
        if let Some((kind, stage, span)) = read {
            count_inputs(kind, &inputs, &names[index], table, &span, problems);
            let parameters = table.without(&["use", "name", "in"]).to_json();
            let name = names[index].clone();
            stages.push(StageDecl { name, kind, inputs, stage, parameters, resources: used, span });
        }
    }
    (stages.len() == nodes.len() && !nodes.is_empty()).then_some(File { stages, schedule, input })
}

fn check_root(root: &Table, problems: &mut Diagnostics) {
    for (key, span, _) in root.iter() {
        let known = ["version", "stage", "schedule", "input"];
        if !known.contains(&key) {
            let message = format!("a pipeline has no `{key}`");
            problems.push(
                Diagnostic::new(Code::UnknownKey, span.clone(), message).with_hint(did_you_mean(key, known)),
            );
        }
    }
    match root.get("version") {
        None => problems.push(
            Diagnostic::new(Code::Version, 0..0, "a pipeline wants `version`")
                .with_hint(format!("put `version = {VERSION}` into the first line")),
        ),
        Some(node) if node.as_integer() != Some(VERSION) => {
            let message = format!("version `{}` is not understood", node.literal());
            let hint = format!("this lyncean reads version {VERSION}");
            problems.push(Diagnostic::new(Code::Version, node.span.clone(), message).with_hint(hint));
        }
        Some(_) => {}
    }
    match root.get("stage") {
        None => problems.push(
            Diagnostic::new(Code::Empty, 0..0, "a pipeline wants at least one stage").with_hint(
                "add `[[stage]]` with `use = \"gray\"`, say; `lyncean stages` lists them".to_owned(),
            ),
        ),
        Some(node)
            if node.as_array().is_none_or(|list| list.iter().any(|node| node.as_table().is_none())) =>
        {
            problems.push(
                Diagnostic::new(Code::WrongValue, node.span.clone(), "`stage` wants tables, one a stage")
                    .with_hint("write `[[stage]]`, with two brackets on each side".to_owned()),
            );
        }
        Some(_) => {}
    }
}

fn read_schedule(root: &Table, problems: &mut Diagnostics) -> Schedule {
    let Some(node) = root.get("schedule") else { return Schedule::default() };
    let schema = schemars::schema_for!(Schedule).to_value();
    let found = match node.as_table() {
        Some(table) => document::check(table, &node.span, &schema, "`[schedule]`"),
        None => vec![Diagnostic::new(Code::WrongValue, node.span.clone(), "`schedule` wants a table")],
    };
    let is_good = found.is_empty();
    problems.extend(found);
    if is_good { serde_json::from_value(node.to_json()).unwrap_or_default() } else { Schedule::default() }
}

fn read_input(root: &Table, problems: &mut Diagnostics) -> Input {
    let Some(node) = root.get("input") else { return Input::default() };
    let Some(table) = node.as_table() else {
        problems.push(Diagnostic::new(Code::WrongValue, node.span.clone(), "`input` wants a table"));
        return Input::default();
    };
    let known = ["type", "decode"];
    for (key, span, _) in table.iter().filter(|(key, ..)| !known.contains(key)) {
        let message = format!("`[input]` has no `{key}`");
        problems.push(
            Diagnostic::new(Code::UnknownKey, span.clone(), message).with_hint(did_you_mean(key, known)),
        );
    }
    let mut choice = |key: &str, names: &[&str]| {
        let node = table.get(key)?;
        let found = names.iter().position(|name| Some(*name) == node.as_str());
        if found.is_none() {
            let message = format!("`{key}` of `[input]` cannot be `{}`", node.literal());
            let hint = did_you_mean(node.as_str().unwrap_or_default(), names.iter().copied());
            problems.push(Diagnostic::new(Code::WrongValue, node.span.clone(), message).with_hint(hint));
        }
        found
    };
    let ty = choice("type", &ImageType::READ.map(ImageType::as_str)).map(|index| ImageType::READ[index]);
    let is_gray = choice("decode", &DECODE) == Some(1);
    Input { ty, is_gray }
}

/// The name of every stage: `name`, else `use`, numbered from the second on.
fn stage_names(nodes: &[Node], problems: &mut Diagnostics) -> Vec<String> {
    let given: Vec<Option<&Node>> =
        nodes.iter().map(|node| node.as_table().and_then(|table| table.get("name"))).collect();
    let mut names: Vec<String> = Vec::new();
    for (node, name) in nodes.iter().zip(&given) {
        let table = node.as_table();
        if let Some(name) = name {
            let text = name.as_str().unwrap_or_default();
            if text.is_empty() || text == "input" || text.contains(['.', '/', '\\']) {
                let message = format!("`name` cannot be `{}`", name.literal());
                let hint = "a name is a word without dots and slashes, and not `input`".to_owned();
                problems.push(Diagnostic::new(Code::WrongValue, name.span.clone(), message).with_hint(hint));
            } else if names.iter().any(|known| known == text) {
                let message = format!("two stages are called `{text}`");
                problems.push(Diagnostic::new(Code::DuplicateName, name.span.clone(), message));
            }
            names.push(text.to_owned());
        } else {
            let kind = table.and_then(|table| table.get("use")).and_then(Node::as_str).unwrap_or("stage");
            let is_taken = |name: &str| {
                names.iter().any(|known| known == name)
                    || given.iter().flatten().any(|given| given.as_str() == Some(name))
            };
            let numbered = (2..).map(|n| format!("{kind}-{n}"));
            let name = std::iter::once(kind.to_owned()).chain(numbered).find(|name| !is_taken(name));
            names.push(name.unwrap_or_default());
        }
    }
    names
}

/// What `in` names; the stage above, or the picture, where it says nothing.
fn read_inputs(table: &Table, index: usize, names: &[String], problems: &mut Diagnostics) -> Vec<Reference> {
    let Some(node) = table.get("in") else {
        let span = table.get("use").map_or(0..0, |node| node.span.clone());
        return vec![Reference { stage: index.checked_sub(1), output: None, span }];
    };
    let list = match &node.value {
        Entry::Array(list) => list.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let mut inputs = Vec::new();
    for item in list {
        let Some(text) = item.as_str() else {
            let message = format!("`in` wants names of stages, got {} `{}`", item.kind(), item.literal());
            problems.push(Diagnostic::new(Code::WrongValue, item.span.clone(), message));
            continue;
        };
        let (name, output) = match text.split_once('.') {
            Some((name, output)) => (name, Some(output.to_owned())),
            None => (text, None),
        };
        let stage = if name == "input" {
            None
        } else if let Some(found) = names[..index].iter().position(|known| known == name) {
            Some(found)
        } else {
            let problem = if names[index..].iter().any(|known| known == name) {
                let message = format!("`{name}` stands further down");
                Diagnostic::new(Code::Order, item.span.clone(), message)
                    .with_hint(format!("a stage reads only stages above it: move `{name}` up"))
            } else {
                let known = names[..index].iter().map(String::as_str).chain(["input"]);
                Diagnostic::new(Code::UnknownInput, item.span.clone(), format!("no stage is called `{name}`"))
                    .with_hint(did_you_mean(name, known))
            };
            problems.push(problem);
            continue;
        };
        inputs.push(Reference { stage, output, span: item.span.clone() });
    }
    inputs
}

pub(super) type Built = (&'static Kind, Box<dyn Stage>, Span);

pub(super) fn read_stage(
    table: &Table,
    node: &Node,
    name: &str,
    kinds: &[&'static Kind],
    resources: &Resources,
    problems: &mut Diagnostics,
) -> Option<Built> {
    let header = node.span.start..node.span.start;
    let Some(used) = table.get("use") else {
        let hint = "`use = \"gray\"`, say; `lyncean stages` lists them".to_owned();
        problems.push(Diagnostic::new(Code::MissingKey, header, "a stage wants `use`").with_hint(hint));
        return None;
    };
    let wanted = used.as_str().unwrap_or_default();
    let Some(kind) = kinds.iter().find(|kind| kind.name == wanted) else {
        let message = format!("there is no stage `{wanted}`");
        let hint = document::closest(wanted, kinds.iter().map(|kind| kind.name)).map_or_else(
            || "`lyncean stages` lists them".to_owned(),
            |name| format!("did you mean `{name}`?"),
        );
        problems.push(Diagnostic::new(Code::UnknownKind, used.span.clone(), message).with_hint(hint));
        return None;
    };
    let parameters = table.without(&["use", "name", "in"]);
    let what = format!("stage `{name}`");
    let found = document::check(&parameters, &used.span, &kind.schema(), &what);
    if !found.is_empty() {
        problems.extend(found);
        return None;
    }
    let mut stage = match kind.build(parameters.to_json()) {
        Ok(stage) => stage,
        Err(error) => {
            let message = format!("{what}: {error}");
            problems.push(Diagnostic::new(Code::WrongValue, used.span.clone(), message));
            return None;
        }
    };
    if let Err(problem) = stage.prepare(resources) {
        let span = parameters.get(problem.key).map_or_else(|| used.span.clone(), |node| node.span.clone());
        let code = match problem.error.kind() {
            crate::ErrorKind::Pipeline => Code::Parameters,
            _ => Code::Resource,
        };
        let mut message = format!("`{}` of {what}: {}", problem.key, problem.error.message());
        for line in ["\n", "\r"] {
            message = message.replace(line, " ");
        }
        let hint = problem.error.hint().map(str::to_owned);
        problems.push(Diagnostic::new(code, span, message).with_hint(hint));
        return None;
    }
    Some((kind, stage, used.span.clone()))
}

fn count_inputs(
    kind: &Kind,
    inputs: &[Reference],
    name: &str,
    table: &Table,
    span: &Span,
    problems: &mut Diagnostics,
) {
    let stated = table.get("in").map_or(0, |node| node.as_array().map_or(1, <[Node]>::len));
    if stated > inputs.len() {
        // Some references were wrong and are reported.
        return;
    }
    if let Some(message) = wrong_count(kind, name, inputs.len()) {
        let span = table.get("in").map_or_else(|| span.clone(), |node| node.span.clone());
        let is_short = inputs.len() < kind.inputs.iter().filter(|port| !port.many).count();
        let hint = is_short.then(|| "name them: `in = [\"first\", \"second\"]`".to_owned());
        problems.push(Diagnostic::new(Code::InputCount, span, message).with_hint(hint));
    }
}

/// What is wrong with so many inputs, if anything is.
pub(super) fn wrong_count(kind: &Kind, name: &str, count: usize) -> Option<String> {
    let takes_many = kind.inputs.last().is_some_and(|port| port.many);
    let least = kind.inputs.iter().filter(|port| !port.many).count();
    let fits = if takes_many { count >= least } else { count == least };
    let ports: Vec<&str> = kind.inputs.iter().map(|port| port.name).collect();
    let wanted = if takes_many { format!("at least {least}") } else { least.to_string() };
    (!fits).then(|| format!("stage `{name}` wants {wanted} inputs ({}), got {count}", ports.join(", ")))
}

/// Sets `stage.key` (or `schedule.key`) over what the text says.
fn override_parameter(root: &mut Table, path: &str, value: &str, problems: &mut Diagnostics) {
    let mut fail = |message: String, hint: Option<String>| {
        problems.push(Diagnostic::new(Code::UnknownKey, OUTSIDE, message).with_hint(hint));
    };
    let Some((target, key)) = path.split_once('.') else {
        fail(format!("`{path}` does not name a parameter"), Some("write `stage.key=value`".to_owned()));
        return;
    };
    let parsed =
        document::parse(&format!("value = {value}")).ok().and_then(|table| table.get("value").cloned());
    let text = || Node { span: OUTSIDE, value: Entry::Text(value.to_owned()) };
    let value = parsed.unwrap_or_else(text).outside();
    if ["schedule", "input"].contains(&target) {
        let mut table = root.get(target).and_then(Node::as_table).cloned().unwrap_or_default();
        table.set(key, OUTSIDE, value);
        root.set(target, OUTSIDE, Node { span: OUTSIDE, value: Entry::Table(table) });
        return;
    }
    let Some(node) = root.get("stage") else { return };
    let (span, Some(stages)) = (node.span.clone(), node.as_array()) else { return };
    let mut stages = stages.to_vec();
    let mut ignored = Diagnostics::default();
    let names = stage_names(&stages, &mut ignored);
    let Some(index) = names.iter().position(|name| name == target) else {
        let known = names.iter().map(String::as_str).chain(["schedule", "input"]);
        fail(format!("`{path}`: no stage is called `{target}`"), did_you_mean(target, known));
        return;
    };
    if let Entry::Table(table) = &mut stages[index].value {
        table.set(key, OUTSIDE, value);
    }
    root.set("stage", span.clone(), Node { span, value: Entry::Array(stages) });
}
