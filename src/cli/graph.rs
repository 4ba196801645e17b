//! `lyncean graph`: a pipeline as a drawing.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::ValueEnum;

use super::{Exit, Outcome, console, load};

/// Print the stages of a pipeline and what feeds them, as a graph.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Pipeline file, or `builtin:NAME`
    pipeline: PathBuf,
    /// The language of the graph
    #[arg(long, value_name = "LANGUAGE", default_value = "dot")]
    format: Language,
}

#[derive(Clone, Copy, ValueEnum)]
enum Language {
    /// Graphviz: `lyncean graph p.toml | dot -Tsvg > p.svg`
    Dot,
    /// Mermaid, which many sites draw inside Markdown
    Mermaid,
}

/// A stage: name, kind, what it reads.
type Stage = (String, &'static str, Vec<String>);

/// Runs the command.
pub(super) fn run(args: &Args) -> Outcome {
    let stages = load::pipeline(&args.pipeline, &[])?.connections();
    console::print(&match args.format {
        Language::Dot => dot(&stages),
        Language::Mermaid => mermaid(&stages),
    })?;
    Ok(Exit::Done)
}

/// From number, to number, output: 0 is the picture as read, then the stages.
fn edges(stages: &[Stage]) -> Vec<(usize, usize, &str)> {
    let mut edges = Vec::new();
    for (to, (_, _, inputs)) in stages.iter().enumerate() {
        for input in inputs {
            let (name, output) = input.split_once('.').unwrap_or((input, ""));
            let from = stages.iter().position(|(known, ..)| known == name).map_or(0, |at| at + 1);
            edges.push((from, to + 1, output));
        }
    }
    edges
}

/// The name, and the kind where it is another word.
fn label(name: &str, kind: &str, line_break: &str) -> String {
    if name == kind { name.to_owned() } else { format!("{name}{line_break}{kind}") }
}

fn dot(stages: &[Stage]) -> String {
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let mut text = String::from("digraph pipeline {\n  node [shape=box, style=rounded];\n");
    // Writing to a string cannot fail.
    let _ = writeln!(text, "  n0 [label=\"input\", shape=ellipse];");
    for (at, (name, kind, _)) in stages.iter().enumerate() {
        let _ = writeln!(text, "  n{} [label=\"{}\"];", at + 1, label(&quoted(name), kind, "\\n"));
    }
    for (from, to, output) in edges(stages) {
        let shown =
            if output.is_empty() { String::new() } else { format!(" [label=\"{}\"]", quoted(output)) };
        let _ = writeln!(text, "  n{from} -> n{to}{shown};");
    }
    text.push_str("}\n");
    text
}

fn mermaid(stages: &[Stage]) -> String {
    let quoted = |text: &str| text.replace('#', "#35;").replace('"', "#quot;");
    let mut text = String::from("flowchart LR\n  n0([\"input\"])\n");
    for (at, (name, kind, _)) in stages.iter().enumerate() {
        let _ = writeln!(text, "  n{}[\"{}\"]", at + 1, label(&quoted(name), kind, "<br>"));
    }
    for (from, to, output) in edges(stages) {
        let shown = if output.is_empty() { String::new() } else { format!("|\"{}\"|", quoted(output)) };
        let _ = writeln!(text, "  n{from} -->{shown} n{to}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stages() -> Vec<Stage> {
        vec![
            ("gray".into(), "gray", vec!["input".into()]),
            ("a \"b\"".into(), "label", vec!["gray".into()]),
            ("draw".into(), "draw", vec!["input.alpha".into(), "a \"b\".objects".into()]),
        ]
    }

    #[test]
    fn graphviz() {
        let text = dot(&stages());
        assert!(text.contains("  n2 [label=\"a \\\"b\\\"\\nlabel\"];\n"), "{text}");
        assert!(text.contains("  n0 -> n1;\n  n1 -> n2;\n"), "{text}");
        assert!(
            text.ends_with("  n0 -> n3 [label=\"alpha\"];\n  n2 -> n3 [label=\"objects\"];\n}\n"),
            "{text}"
        );
    }

    #[test]
    fn mermaid_too() {
        let text = mermaid(&stages());
        assert!(text.starts_with("flowchart LR\n  n0([\"input\"])\n  n1[\"gray\"]\n"), "{text}");
        assert!(text.ends_with("  n0 -->|\"alpha\"| n3\n  n2 -->|\"objects\"| n3\n"), "{text}");
    }
}
