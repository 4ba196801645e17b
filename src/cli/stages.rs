//! `lyncean stages`: what pipelines can be made of.

mod parameter;

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::{Exit, Outcome, console};
use crate::Error;
use crate::stage::{self, Kind, Port};

use parameter::parameters;

/// List the stages, or describe one: its inputs, its parameters with types, defaults and ranges.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The stage to describe
    name: Option<String>,
    /// Write JSON
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// Write Markdown
    #[arg(long)]
    markdown: bool,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Outcome {
    match &args.name {
        Some(name) => {
            let kind = find(name)?;
            match (args.json, args.markdown) {
                (true, _) => console::print_json(&entry(kind))?,
                (_, true) => console::print(&page(kind))?,
                _ => console::print(&describe(kind))?,
            }
        }
        None => match (args.json, args.markdown) {
            (true, _) => console::print_json(&listed().iter().map(|kind| entry(kind)).collect())?,
            (_, true) => console::print(&overview())?,
            _ => {
                let rows = listed()
                    .into_iter()
                    .map(|kind| [kind.name.to_owned(), kind.family.as_str().to_owned(), kind.summary()]);
                console::print(&console::table(["stage", "family", "what it does"], rows))?;
                console::say("`lyncean stages NAME` tells more of one");
            }
        },
    }
    Ok(Exit::Done)
}

/// All kinds by family, then by name.
fn listed() -> Vec<&'static Kind> {
    let mut kinds = stage::ALL.to_vec();
    kinds.sort_by_key(|kind| (kind.family, kind.name));
    kinds
}

fn find(name: &str) -> Result<&'static Kind, Error> {
    stage::ALL.iter().find(|kind| kind.name == name).copied().ok_or_else(|| {
        let hint = crate::document::closest(name, stage::ALL.iter().map(|kind| kind.name)).map_or_else(
            || "`lyncean stages` lists them".to_owned(),
            |name| format!("did you mean `{name}`?"),
        );
        Error::pipeline(format!("there is no stage `{name}`")).with_hint(hint)
    })
}

/// The names of the types a port takes, each once.
fn accepted(port: &Port) -> Vec<&'static str> {
    let mut names: Vec<&str> = port.accepts.iter().map(|ty| ty.as_str()).collect();
    names.dedup();
    names
}

fn port_words(port: &Port) -> String {
    let many = if port.many { ", any number" } else { "" };
    format!("{}{many}", accepted(port).join(", "))
}

fn entry(kind: &Kind) -> Json {
    let ports = kind.inputs.iter();
    let ports = ports.map(|port| json!({"name": port.name, "accepts": accepted(port), "many": port.many}));
    json!({
        "name": kind.name,
        "family": kind.family.as_str(),
        "doc": kind.doc(),
        "inputs": ports.collect::<Vec<_>>(),
        "parameters": kind.schema(),
        "example": kind.example,
    })
}

fn describe(kind: &Kind) -> String {
    let mut text = format!("{} ({})\n\n{}\n\ninputs\n", kind.name, kind.family.as_str(), kind.doc());
    // Writing to a string cannot fail.
    for port in kind.inputs {
        let _ = writeln!(text, "  {}: {}", port.name, port_words(port));
    }
    let parameters = parameters(&kind.schema());
    if !parameters.is_empty() {
        text.push_str("\nparameters\n");
    }
    for parameter in parameters {
        let _ = writeln!(text, "  {}: {}", parameter.name, parameter.facts());
        for line in parameter.doc.lines() {
            let _ = writeln!(text, "      {line}");
        }
        for (value, doc) in parameter.choices.iter().filter(|(_, doc)| !doc.is_empty()) {
            let _ = writeln!(text, "      {value}: {}", doc.replace('\n', " "));
        }
    }
    let _ = write!(text, "\nexample\n  [[stage]]\n");
    for line in kind.example.lines() {
        let _ = writeln!(text, "  {line}");
    }
    text
}

/// A Markdown table of all stages.
fn overview() -> String {
    let mut text = String::from("| stage | family | what it does |\n|---|---|---|\n");
    for kind in listed() {
        let summary = kind.summary().replace('|', "\\|");
        let _ = writeln!(text, "| `{}` | {} | {summary} |", kind.name, kind.family.as_str());
    }
    text
}

/// A stage in Markdown.
fn page(kind: &Kind) -> String {
    let mut text = format!("## {}\n\n{}\n\n", kind.name, kind.doc());
    for port in kind.inputs {
        let _ = writeln!(text, "- input `{}`: {}", port.name, port_words(port));
    }
    let parameters = parameters(&kind.schema());
    if !parameters.is_empty() {
        text.push_str("\n| parameter | values | what it is |\n|---|---|---|\n");
    }
    for parameter in parameters {
        let doc = parameter.doc.replace('\n', " ").replace('|', "\\|");
        let facts = parameter.facts().replace('|', "\\|");
        let _ = writeln!(text, "| `{}` | {facts} | {doc} |", parameter.name);
    }
    let _ = write!(text, "\n```toml\n[[stage]]\n{}\n```\n", kind.example);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_can_be_shown_in_every_way() {
        for kind in stage::ALL {
            let text = describe(kind);
            assert!(text.contains(kind.example.lines().next().unwrap()), "{text}");
            let properties = kind.schema()["properties"].as_object().map_or(0, serde_json::Map::len);
            assert_eq!(parameters(&kind.schema()).len(), properties, "{}", kind.name);
            for line in page(kind).lines().filter(|line| line.starts_with("| `")) {
                assert_eq!(line.replace("\\|", "").matches('|').count(), 4, "{line}");
            }
            assert_eq!(entry(kind)["name"], kind.name);
        }
        assert_eq!(overview().lines().count(), stage::ALL.len() + 2);
        assert!(find("gary").err().unwrap().hint().unwrap().contains("gray"));
    }
}
