//! `lyncean graph`: a pipeline or a net as a drawing.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::{Exit, Outcome, console, load, nets};
use crate::Result;
use crate::document::{self, Source as Text};
use crate::nn::arch::{self, Arch, Source};

/// Print the stages of a pipeline, or the layers of a net, and what feeds them, as a graph.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Pipeline or net: a file, or `builtin:NAME`; for built-in nets NAME will do
    #[arg(value_name = "PIPELINE|NET")]
    file: PathBuf,
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

/// What is drawn: boxes, and arrows between them.
struct Drawing {
    title: &'static str,
    /// The text of the input.
    input: Vec<String>,
    boxes: Vec<Node>,
    /// From number, to number, text: 0 is the input, then the boxes.
    arrows: Vec<(usize, usize, String)>,
}

/// A stage or a layer.
struct Node {
    /// The text, line by line.
    lines: Vec<String>,
    /// Whether only training needs it.
    is_auxiliary: bool,
}

/// A stage: name, kind, what it reads.
type Stage = (String, &'static str, Vec<String>);

/// Runs the command.
pub(super) fn run(args: &Args) -> Outcome {
    let drawing = match net(&args.file)? {
        Some(text) => of_net(&arch::parse(&text)?),
        None => of_stages(&load::pipeline(&args.file, &[])?.connections()),
    };
    console::print(&match args.format {
        Language::Dot => dot(&drawing),
        Language::Mermaid => mermaid(&drawing),
    })?;
    Ok(Exit::Done)
}

/// The text of a net, if that is what the word means.
fn net(word: &Path) -> Result<Option<Text>> {
    let name = word.to_str().unwrap_or_default();
    let is_pipeline = |name: &str| crate::builtin::PIPELINES.iter().any(|(known, _)| *known == name);
    match name.strip_prefix("builtin:") {
        Some(name) if is_pipeline(name) => Ok(None),
        Some(name) => Ok(arch::builtin(name)),
        None if word.is_file() => {
            let text = Text::read(word)?;
            // What is not TOML is told of as a pipeline.
            let root = document::parse(text.text()).unwrap_or_default();
            Ok((root.get("layer").is_some() && root.get("stage").is_none()).then_some(text))
        }
        None if arch::builtin(name).is_some() => Ok(Some(nets::source(name)?)),
        None => Ok(None),
    }
}

fn of_stages(stages: &[Stage]) -> Drawing {
    let mut arrows = Vec::new();
    for (to, (_, _, inputs)) in stages.iter().enumerate() {
        for input in inputs {
            let (name, output) = input.split_once('.').unwrap_or((input, ""));
            let from = stages.iter().position(|(known, ..)| known == name).map_or(0, |at| at + 1);
            arrows.push((from, to + 1, output.to_owned()));
        }
    }
    let boxes = stages.iter().map(|(name, kind, _)| Node { lines: label(name, kind), is_auxiliary: false });
    Drawing { title: "pipeline", input: vec!["input".to_owned()], boxes: boxes.collect(), arrows }
}

/// Layers with the shapes of their outputs.
fn of_net(arch: &Arch) -> Drawing {
    let mut arrows = Vec::new();
    for (to, layer) in arch.layers.iter().enumerate() {
        for source in &layer.inputs {
            let from = match *source {
                Source::Input => 0,
                Source::Layer(from) => from + 1,
            };
            arrows.push((from, to + 1, String::new()));
        }
    }
    let boxes = arch.layers.iter().zip(arch.needed()).map(|(layer, is_needed)| {
        let mut lines = label(&layer.name, layer.kind.name);
        lines.push(nets::shape(&layer.output));
        Node { lines, is_auxiliary: !is_needed }
    });
    let input = vec!["input".to_owned(), nets::shape(&arch.input)];
    Drawing { title: "net", input, boxes: boxes.collect(), arrows }
}

/// The name, and the kind where it is another word.
fn label(name: &str, kind: &str) -> Vec<String> {
    let lines = if name == kind { vec![name] } else { vec![name, kind] };
    lines.into_iter().map(str::to_owned).collect()
}

fn dot(drawing: &Drawing) -> String {
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let joined = |lines: &[String]| lines.iter().map(|line| quoted(line)).collect::<Vec<_>>().join("\\n");
    let mut text = format!("digraph {} {{\n  node [shape=box, style=rounded];\n", drawing.title);
    // Writing to a string cannot fail.
    let _ = writeln!(text, "  n0 [label=\"{}\", shape=ellipse];", joined(&drawing.input));
    for (at, Node { lines, is_auxiliary }) in drawing.boxes.iter().enumerate() {
        let style = if *is_auxiliary { ", style=\"rounded,dashed\"" } else { "" };
        let _ = writeln!(text, "  n{} [label=\"{}\"{style}];", at + 1, joined(lines));
    }
    for (from, to, label) in &drawing.arrows {
        let shown = if label.is_empty() { String::new() } else { format!(" [label=\"{}\"]", quoted(label)) };
        let _ = writeln!(text, "  n{from} -> n{to}{shown};");
    }
    text.push_str("}\n");
    text
}

fn mermaid(drawing: &Drawing) -> String {
    let quoted = |text: &str| text.replace('#', "#35;").replace('"', "#quot;");
    let joined = |lines: &[String]| lines.iter().map(|line| quoted(line)).collect::<Vec<_>>().join("<br>");
    let mut text = format!("flowchart LR\n  n0([\"{}\"])\n", joined(&drawing.input));
    for (at, Node { lines, .. }) in drawing.boxes.iter().enumerate() {
        let _ = writeln!(text, "  n{}[\"{}\"]", at + 1, joined(lines));
    }
    for (from, to, label) in &drawing.arrows {
        let shown = if label.is_empty() { String::new() } else { format!("|\"{}\"|", quoted(label)) };
        let _ = writeln!(text, "  n{from} -->{shown} n{to}");
    }
    let auxiliary = drawing.boxes.iter().enumerate().filter(|(_, one)| one.is_auxiliary);
    let auxiliary: Vec<String> = auxiliary.map(|(at, _)| format!("n{}", at + 1)).collect();
    if !auxiliary.is_empty() {
        let _ = writeln!(text, "  classDef auxiliary stroke-dasharray: 5 5");
        let _ = writeln!(text, "  class {} auxiliary", auxiliary.join(","));
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
        let text = dot(&of_stages(&stages()));
        assert!(text.contains("  n2 [label=\"a \\\"b\\\"\\nlabel\"];\n"), "{text}");
        assert!(text.contains("  n0 -> n1;\n  n1 -> n2;\n"), "{text}");
        assert!(
            text.ends_with("  n0 -> n3 [label=\"alpha\"];\n  n2 -> n3 [label=\"objects\"];\n}\n"),
            "{text}"
        );
    }

    #[test]
    fn mermaid_too() {
        let text = mermaid(&of_stages(&stages()));
        assert!(text.starts_with("flowchart LR\n  n0([\"input\"])\n  n1[\"gray\"]\n"), "{text}");
        assert!(text.ends_with("  n0 -->|\"alpha\"| n3\n  n2 -->|\"objects\"| n3\n"), "{text}");
    }

    const FORK: &str = "version = 1\nname = \"t\"\ninput = [1, 4, 4]\n[[head]]\nlayer = \"early\"\nweight = 0.3\n\
        [[layer]]\nuse = \"flatten\"\n[[layer]]\nuse = \"linear\"\nname = \"early\"\nout = 2\n\
        [[layer]]\nuse = \"linear\"\nname = \"a.late\"\nin = \"flatten\"\nout = 2\n";

    #[test]
    fn nets_show_shapes_and_what_training_alone_needs() {
        let net = of_net(&arch::parse(&Text::new("t", FORK)).unwrap());
        assert_eq!(
            dot(&net),
            "digraph net {\n  node [shape=box, style=rounded];\n  n0 [label=\"input\\n1x4x4\", shape=ellipse];\n  \
             n1 [label=\"flatten\\n16\"];\n  n2 [label=\"early\\nlinear\\n2\", style=\"rounded,dashed\"];\n  \
             n3 [label=\"a.late\\nlinear\\n2\"];\n  n0 -> n1;\n  n1 -> n2;\n  n1 -> n3;\n}\n"
        );
        let text = mermaid(&net);
        assert!(
            text.ends_with("  n1 --> n3\n  classDef auxiliary stroke-dasharray: 5 5\n  class n2 auxiliary\n")
        );
    }

    #[test]
    fn files_and_names_are_nets_or_pipelines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("net.toml");
        std::fs::write(&path, FORK).unwrap();
        let is_net = |word: &Path| net(word).unwrap().is_some();
        assert!(is_net(&path) && is_net(Path::new("lenet5")) && is_net(Path::new("builtin:lenet5")));
        std::fs::write(&path, "version = 1\n[[stage]]\nuse = \"gray\"\n").unwrap();
        assert!(!is_net(&path) && !is_net(Path::new("builtin:edges")) && !is_net(Path::new("lenet6")));
    }
}
