//! Every public item that a user would call is shown in an example of the docs: its own, one of its methods', or
//! one in which its name stands. Rustdoc tells coverage on nightly only, so the sources are read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Rooms of the crate that users call. `kernel` and `reference` are the inside, and may change at any time.
const ROOMS: [&str; 8] = ["document", "error.rs", "eval", "image", "nn", "ops", "pipeline", "stage"];

/// Blocks that stages are built of, by the ends of their names: nodes of rows and what makes them, checks of
/// parameters. A program calls the operation instead, whose example it is.
const BLOCKS: [&str; 6] = ["Rows", "nodes", "node", "check", "check_classes", "Reduction"];

/// Further items without an example, and why.
const WITHOUT: &[(&str, &str)] = &[
    (
        "Branch Feature FeatureRect Features PatternBlock Question Tree Verdict",
        "the parts of a cascade, which a file brings",
    ),
    ("Answer Explanation StageVote WeakVote", "what `Cascade::explain` gives"),
    (
        "Accumulator Channels Dot DotBytes DotFloats DotWords How Sample Settle Support",
        "steps of `match_template`",
    ),
    (
        "Angles Scales TemplateEntry TemplateList TemplateTable",
        "parameters of `match-template`, written in TOML",
    ),
    ("Detection", "what `Cascade::detect` gives"),
    (
        "RowSink RowSource RowsOut RunOutput RunPlan Step Workspace execute execute_in",
        "the executor below pipelines",
    ),
    ("apply_chain chain_output", "operations that are chains of nodes"),
    ("convex_areas perimeters", "measures of `label` with `shape`"),
    ("default_size element_spans fixed_weights output_length", "formulas behind parameters, told in words"),
    ("from_centres rotation warp_affine Warp", "`ops::warp` behind the stages `rotate` and `warp-affine`"),
    ("hysteresis hysteresis_of squared_distances", "on views; the operation on images has the example"),
    ("integral_floats integral_into integral_of_squares integral_tilted", "forms of `integral`"),
    ("nodes_of_element", "a block like `nodes`"),
    (
        "BlockNorm ClassOutput ConvolveOutput ElementShape IsaName Labelled Operator Statistics Surroundings ThresholdType",
        "choices of a parameter and plain results, listed with their meaning",
    ),
    (
        "Finish Iterations Meta Size",
        "for stages of this crate; other stages are made of closures and `Whole`",
    ),
    ("HogPixel", "which pixels an operation takes"),
    ("AvgPool Dropout Flatten Linear MaxPool Relu Sigmoid Tanh", "layers, by their lines in `nets/`"),
    ("Layer Lowered Saved", "for layers of this crate; the registry is closed"),
    ("Augment fan_in_uniform", "used by training alone"),
];

#[test]
fn public_items_are_shown_in_examples() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = sources(&root);
    let mut shown = BTreeSet::new();
    for path in &files {
        words_of_examples(&std::fs::read_to_string(path).unwrap(), &mut shown);
    }
    let excused: BTreeSet<&str> = WITHOUT.iter().flat_map(|(names, _)| names.split(' ')).collect();
    let mut missing = Vec::new();
    let mut used = BTreeSet::new();
    for path in &files {
        let inner = path.strip_prefix(&root).unwrap();
        let room = inner.components().next().unwrap().as_os_str().to_str().unwrap();
        if !ROOMS.contains(&room) {
            continue;
        }
        let text = std::fs::read_to_string(path).unwrap();
        // The parameters of a stage are written in TOML; `KIND` has the example, which is run.
        if text.contains("pub const KIND: Kind") {
            continue;
        }
        for name in items_without_example(&text) {
            if shown.contains(&name) || BLOCKS.iter().any(|block| name.ends_with(block)) {
                continue;
            }
            match excused.get(name.as_str()) {
                Some(name) => drop(used.insert(*name)),
                None => missing.push(format!("{name} ({})", inner.display())),
            }
        }
    }
    assert!(missing.is_empty(), "no example shows {}", missing.join(", "));
    let idle: Vec<&&str> = excused.difference(&used).collect();
    assert!(idle.is_empty(), "these are shown by now: {idle:?}");
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn doc(line: &str) -> Option<&str> {
    let line = line.trim_start();
    line.strip_prefix("///").or(line.strip_prefix("//!"))
}

/// The names in the code of doc comments.
fn words_of_examples(text: &str, into: &mut BTreeSet<String>) {
    let mut is_code = false;
    for line in text.lines() {
        match doc(line) {
            Some(line) if line.trim_start().starts_with("```") => is_code = !is_code,
            Some(line) if is_code => {
                let words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
                into.extend(words.filter(|word| !word.is_empty()).map(str::to_owned));
            }
            Some(_) => {}
            None => is_code = false,
        }
    }
}

/// Public functions and types at the outer level of a file that have no example, nor one at a method.
fn items_without_example(text: &str) -> Vec<String> {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let (mut items, mut with): (Vec<String>, BTreeSet<String>) = Default::default();
    let mut has_example = false;
    let mut owner = String::new();
    for line in text.lines() {
        if let Some(line) = doc(line) {
            has_example |= line.contains("```");
            continue;
        }
        if line.trim_start().starts_with("#[") {
            continue;
        }
        let name_after = |prefix: &str| {
            let rest = line.strip_prefix(prefix)?;
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            (!name.is_empty()).then_some(name)
        };
        let item = ["pub fn ", "pub const fn ", "pub struct ", "pub enum ", "pub trait "]
            .iter()
            .find_map(|p| name_after(p));
        if let Some(name) = item {
            owner.clone_from(&name);
            if has_example {
                with.insert(name.clone());
            }
            items.push(name);
        } else if line.starts_with("impl") {
            let subject = line.split(" for ").last().unwrap_or(line).trim_start_matches("impl");
            let subject = if subject.starts_with('<') {
                subject.split_once("> ").map_or("", |(_, rest)| rest)
            } else {
                subject
            };
            owner = subject.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        } else if has_example && line.starts_with("    ") && line.contains("fn ") {
            with.insert(owner.clone());
        }
        if !line.trim().is_empty() {
            has_example = false;
        }
    }
    items.retain(|name| !with.contains(name));
    items
}
