//! `lyncean completions`: what shells complete words with.

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, Exit, Outcome, console};

/// Print a completion script for a shell.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The shell
    shell: Shell,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "lyncean", &mut script);
    console::print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
