//! `lyncean nets`: architectures, with shapes, parameters and multiply-adds.

use std::fmt::Write as _;
use std::path::Path;

use super::{Exit, Outcome, console};
use crate::document::Source;
use crate::nn::arch;
use crate::nn::{Summary, summary};
use crate::{Error, Result};

/// List the built-in nets, or tell one of them (or a file's) layer by layer.
#[derive(clap::Args)]
pub(super) struct Args {
    /// A built-in net, or a net file
    name: Option<String>,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Outcome {
    let Some(name) = &args.name else { return list(args.json) };
    let summary = summary(&arch::parse(&source(name)?)?)?;
    if args.json {
        console::print_json(&serde_json::json!(summary))?;
    } else {
        console::print(&text(&summary))?;
    }
    Ok(Exit::Done)
}

/// The text of a built-in net, with or without `builtin:`, or of a file.
pub(super) fn source(name: &str) -> Result<Source> {
    if let Some(text) = arch::builtin(name.strip_prefix("builtin:").unwrap_or(name)) {
        return Ok(text);
    }
    let path = Path::new(name);
    if path.extension().is_none() && !path.exists() {
        let known = arch::BUILTIN.iter().map(|(name, _)| *name);
        let error = Error::pipeline(format!("there is no net `{name}`"));
        return Err(match crate::document::did_you_mean(name, known) {
            Some(hint) => error.with_hint(hint),
            None => error,
        });
    }
    Source::read(path)
}

fn list(json: bool) -> Outcome {
    let nets = arch::BUILTIN
        .iter()
        .map(|(name, text)| summary(&arch::parse(&Source::new(format!("builtin:{name}"), *text))?));
    let nets = nets.collect::<Result<Vec<Summary>>>()?;
    if json {
        let list = nets.iter().map(|net| {
            serde_json::json!({"name": net.name, "input": net.input, "parameters": net.parameters, "macs": net.multiply_adds})
        });
        console::print_json(&list.collect())?;
        return Ok(Exit::Done);
    }
    let rows = nets.iter().map(|net| {
        [net.name.clone(), shape(&net.input), grouped(net.parameters as u64), grouped(net.multiply_adds)]
    });
    console::print(&console::table(["net", "input", "parameters", "multiply-adds"], rows))?;
    Ok(Exit::Done)
}

fn text(net: &Summary) -> String {
    let rows = net.rows.iter().map(|row| {
        [
            row.name.clone(),
            row.kind.to_owned(),
            row.inputs.join(", "),
            shape(&row.output),
            grouped(row.parameters as u64),
            grouped(row.multiply_adds),
        ]
    });
    let mut text = format!("{}: input {}\n\n", net.name, shape(&net.input));
    text += &console::table(["layer", "kind", "in", "output", "parameters", "multiply-adds"], rows);
    let (parameters, multiply_adds) = (grouped(net.parameters as u64), grouped(net.multiply_adds));
    // Writing to a string cannot fail.
    let _ = writeln!(text, "\n\n{parameters} parameters, {multiply_adds} multiply-adds a sample");
    for row in &net.rows {
        for note in &row.notes {
            let _ = writeln!(text, "note: {}: {note}", row.name);
        }
    }
    text
}

fn shape(lengths: &[usize]) -> String {
    lengths.iter().map(ToString::to_string).collect::<Vec<_>>().join("x")
}

/// A number with commas between its thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_told_apart() {
        assert_eq!(
            [0, 7, 999, 1000, 61_706, 1_234_567].map(grouped),
            ["0", "7", "999", "1,000", "61,706", "1,234,567"]
        );
    }

    #[test]
    fn misspelt_nets_are_hinted_at() {
        assert_eq!(source("lenet").unwrap_err().hint(), Some("did you mean `lenet5`?"));
    }
}
