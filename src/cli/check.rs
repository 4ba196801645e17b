//! `lyncean check`: all problems of pipeline files.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use super::{Exit, Outcome, console, load};
use crate::document::{Diagnostic, Source};
use crate::pipeline::Pipeline;
use crate::{Error, ErrorKind};

/// Report all problems of pipeline files, each with its place.
///
/// For a good file the types of pictures it takes are written to stdout. Exit code: 0 when all
/// files are good, 1 when there are problems.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Pipeline files, or `builtin:NAME`
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Write a JSON list, one object a file, problems included
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Outcome {
    let mut exit = Exit::Done;
    let mut unread = None;
    let mut list = Vec::new();
    for path in &args.files {
        let loaded = load::pipeline(path, &[]);
        if loaded.is_err() {
            exit = Exit::Imperfect;
        }
        if args.json {
            list.push(entry(&path.display().to_string(), &loaded));
            continue;
        }
        match loaded {
            Ok(pipeline) => {
                let types: Vec<&str> = pipeline.accepted().iter().map(|ty| ty.as_str()).collect();
                console::print(&format!("{}: takes {}", path.display(), types.join(", ")))?;
            }
            // The command names a file that is not there: that is no problem of a pipeline.
            Err(error) if error.kind() == ErrorKind::Io && unread.is_none() => unread = Some(error),
            Err(error) => {
                console::report(&error);
                console::say("");
            }
        }
    }
    if args.json {
        console::print_json(&Json::Array(list))?;
    }
    unread.map_or(Ok(exit), |error| Err(error.into()))
}

fn entry(file: &str, loaded: &Result<Pipeline, Error>) -> Json {
    match loaded {
        Ok(pipeline) => {
            let types: Vec<&str> = pipeline.accepted().iter().map(|ty| ty.as_str()).collect();
            json!({"file": file, "status": "ok", "accepts": types, "problems": []})
        }
        Err(error) => {
            let problems = match error.diagnostics() {
                Some(found) => found.sorted().into_iter().map(|one| problem(one, found.source())).collect(),
                None => vec![json!({"message": error.message(), "hint": error.hint()})],
            };
            json!({"file": file, "status": "error", "problems": problems})
        }
    }
}

/// A problem with the places where it begins and ends, both from 1, columns in characters.
fn problem(found: &Diagnostic, source: &Source) -> Json {
    let (line, column) = source.line_column(found.span.start);
    let (end_line, end_column) = source.line_column(found.span.end);
    json!({
        "code": found.code.to_string(),
        "message": found.message,
        "hint": found.hint,
        "line": line,
        "column": column,
        "end-line": end_line,
        "end-column": end_column,
    })
}
