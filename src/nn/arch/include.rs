//! Files of blocks that an architecture includes, written into it.

use std::sync::Arc;

use super::builtin::INCLUDES;
use crate::document::{
    Code, Diagnostic, Diagnostics, Entry, Node, Source as Text, Table, did_you_mean, parse, read,
};

/// The most files that an architecture includes.
const MOST_FILES: usize = 32;
/// The most bytes of each.
const MOST_BYTES: u64 = 1 << 20;

/// An architecture with the blocks of the files it includes written into it.
pub(super) struct Whole {
    /// Its keys. Spans in included texts are [moved](Node::moved).
    pub(super) root: Table,
    /// Its text, without `include`.
    pub(super) text: String,
    /// The included texts, and where their spans begin.
    pub(super) included: Vec<(usize, Arc<Text>)>,
}

impl Whole {
    /// The architecture of a text and its keys.
    pub(super) fn new(text: &Text, root: Table, problems: &mut Diagnostics) -> Self {
        let Some(node) = root.get("include") else {
            return Self { root, text: text.text().to_owned(), included: Vec::new() };
        };
        let names = node.as_array().unwrap_or(std::slice::from_ref(node));
        if names.len() > MOST_FILES {
            let message = format!("`include` names {} files, at most {MOST_FILES} are read", names.len());
            problems.push(Diagnostic::new(Code::Size, node.span.clone(), message));
        }
        // Spans of different texts stay apart.
        let mut start = text.text().len() + 1;
        let (mut blocks, mut tables, mut included) = (Vec::new(), Vec::new(), Vec::new());
        for name in names.iter().take(MOST_FILES) {
            match find(text, name) {
                Ok(found) => {
                    blocks.extend(read_blocks(&found, start, problems));
                    tables.extend(toml_blocks(found.text()));
                    let len = found.text().len() + 1;
                    included.push((start, Arc::new(found)));
                    start += len;
                }
                Err(problem) => problems.push(*problem),
            }
        }
        blocks.extend(root.get("block").and_then(Node::as_array).unwrap_or_default().iter().cloned());
        let mut whole = root.without(&["include", "block"]);
        if !blocks.is_empty() {
            let span = node.span.clone();
            whole.set("block", span.clone(), Node { span, value: Entry::Array(blocks) });
        }
        Self { root: whole, text: written(text.text(), tables).unwrap_or_default(), included }
    }
}

/// The text of a file that is included.
fn find(text: &Text, name: &Node) -> Result<Text, Box<Diagnostic>> {
    let problem = |message: String| Diagnostic::new(Code::Resource, name.span.clone(), message);
    let Some(path) = name.as_str() else {
        let message = format!("`include` wants names of files, got {} `{}`", name.kind(), name.literal());
        return Err(Box::new(Diagnostic { code: Code::WrongValue, ..problem(message) }));
    };
    if let Some(builtin) = path.strip_prefix("builtin:") {
        let found = INCLUDES.iter().find(|(known, _)| *known == builtin);
        return found.map(|(_, text)| Text::new(path, *text)).ok_or_else(|| {
            let hint = did_you_mean(builtin, INCLUDES.iter().map(|(known, _)| *known));
            Box::new(problem(format!("there are no blocks `{builtin}`")).with_hint(hint))
        });
    }
    // An architecture inside of weights, or from a program, must not read what lies about.
    let Some(folder) = text.folder() else {
        let hint = "include `builtin:` blocks, or write the blocks into the text".to_owned();
        let message = format!("`{path}` cannot be included: the net is not in a file");
        return Err(Box::new(problem(message).with_hint(hint)));
    };
    let path = folder.join(path);
    let bytes = read(&path, MOST_BYTES).map_err(|error| Box::new(problem(error.to_string())))?;
    let name = path.display().to_string();
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Text::new(name, text)),
        Err(_) => Err(Box::new(problem(format!("`{name}` is not UTF-8 text")))),
    }
}

/// The blocks of an included text, whose spans begin at `start`.
fn read_blocks(text: &Text, start: usize, problems: &mut Diagnostics) -> Vec<Node> {
    let moved = |span: crate::document::Span| span.start + start..span.end + start;
    let root = match parse(text.text()) {
        Ok(root) => root,
        Err(errors) => {
            problems.extend(
                errors.into_iter().map(|error| Diagnostic { span: moved(error.span.clone()), ..error }),
            );
            return Vec::new();
        }
    };
    for (key, span, _) in root.iter().filter(|(key, ..)| !["version", "block"].contains(key)) {
        let message = format!("a file of blocks has no `{key}`");
        problems.push(
            Diagnostic::new(Code::UnknownKey, moved(span.clone()), message)
                .with_hint("it holds `version` and `[[block]]`".to_owned()),
        );
    }
    let version = root.get("version").map(|node| (node.as_integer(), node));
    if let Some((_, node)) = version.filter(|(version, _)| *version != Some(super::VERSION)) {
        let message = format!("version `{}` is not understood", node.literal());
        problems.push(
            Diagnostic::new(Code::Version, moved(node.span.clone()), message)
                .with_hint(format!("this lyncean reads version {}", super::VERSION)),
        );
    }
    let blocks = root.get("block").and_then(Node::as_array).unwrap_or_default();
    blocks.iter().cloned().map(|node| node.moved(start)).collect()
}

/// The blocks of a text as TOML.
fn toml_blocks(text: &str) -> Vec<toml::Value> {
    let mut file: toml::Table = text.parse().unwrap_or_default();
    match file.remove("block") {
        Some(toml::Value::Array(blocks)) => blocks,
        _ => Vec::new(),
    }
}

/// A text with blocks in place of its `include`; its comments are lost.
fn written(text: &str, mut blocks: Vec<toml::Value>) -> Option<String> {
    blocks.extend(toml_blocks(text));
    let mut file: toml::Table = text.parse().ok()?;
    file.remove("include");
    if !blocks.is_empty() {
        file.insert("block".into(), blocks.into());
    }
    super::text_of(file).ok()
}
