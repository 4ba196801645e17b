//! `lyncean schema`: what editors check pipeline files against.

use super::{Exit, Outcome, console};
use crate::{pipeline, stage};

/// Print the JSON Schema of pipeline files, for editors.
#[derive(clap::Args)]
pub(super) struct Args {}

/// Runs the command.
pub(super) fn run(_: &Args) -> Outcome {
    console::print_json(&pipeline::schema(stage::ALL))?;
    Ok(Exit::Done)
}
