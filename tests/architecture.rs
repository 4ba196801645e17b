//! The one rule of the layers: an arrow only ever points down.

use std::path::{Path, PathBuf};

/// For each room: the rooms it may use. `error` and `document` are known everywhere above them.
const BELOW: &[(&str, &[&str])] = &[
    ("error", &["document"]),
    ("parallel", &["error"]),
    ("random", &[]),
    ("document", &["image", "error"]),
    ("image", &["error"]),
    ("kernel", &["image", "error"]),
    ("reference", &["image", "error"]),
    ("ops", &["kernel", "parallel", "random", "image", "error", "document"]),
    ("nn", &["kernel", "parallel", "random", "image", "error", "document"]),
    ("stage", &["ops", "nn", "kernel", "parallel", "image", "error", "document"]),
    ("builtin", &[]),
    ("pipeline", &["stage", "ops", "kernel", "parallel", "image", "error", "document", "builtin"]),
    (
        "eval",
        &["pipeline", "stage", "ops", "nn", "kernel", "parallel", "image", "error", "document", "builtin"],
    ),
    (
        "cli",
        &[
            "eval", "pipeline", "stage", "ops", "nn", "kernel", "parallel", "image", "error", "document",
            "builtin",
        ],
    ),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The rooms that a text uses outside its tests: what follows `crate::`.
fn used(text: &str) -> Vec<String> {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut rooms = Vec::new();
    for line in code {
        for part in line.split("crate::").skip(1) {
            let names = match part.strip_prefix('{') {
                Some(list) => list.split('}').next().unwrap_or_default(),
                None => part,
            };
            for name in names.split(',') {
                rooms.push(name.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
            }
        }
    }
    rooms
}

#[test]
fn arrows_point_down() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut seen = std::collections::BTreeSet::new();
    let mut upward = Vec::new();
    for file in files {
        let inside = file.strip_prefix(&root).unwrap();
        let first = inside.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs");
        let Some((room, below)) = BELOW.iter().find(|(room, _)| *room == first) else {
            assert!(["lib", "main", "prelude"].contains(&first), "`{first}` is no room known here");
            continue;
        };
        seen.insert(*room);
        // Modules of tests may use the definitions, wherever they are.
        if inside.file_name().is_some_and(|name| name == "tests.rs") {
            continue;
        }
        for used in used(&std::fs::read_to_string(&file).unwrap()) {
            let is_room = BELOW.iter().any(|(room, _)| *room == used);
            if is_room && used != *room && !below.contains(&used.as_str()) {
                upward.push(format!("{}: uses `{used}`", inside.display()));
            }
        }
    }
    assert!(upward.is_empty(), "arrows that point up:\n{}", upward.join("\n"));
    assert!(seen.len() >= 8, "only {seen:?} were looked at");
}

#[test]
fn the_rule_would_see_an_upward_arrow() {
    assert_eq!(used("use crate::stage::Kind;\n// crate::cli\n"), ["stage"]);
    assert_eq!(used("use crate::{Error, ops::Context};"), ["Error", "ops"]);
    assert!(used("#[cfg(test)]\nmod tests { use crate::cli::run; }").is_empty());
}
