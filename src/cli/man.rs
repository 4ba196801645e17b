//! `lyncean man`: the manual, from the declarations of the commands.

use std::path::PathBuf;

use clap::CommandFactory;

use super::{Cli, Exit, Outcome, console};
use crate::Error;

/// Print the manual page, or write one page a command into a folder.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Write `lyncean.1`, `lyncean-run.1` ... into this folder
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Outcome {
    match &args.output {
        Some(folder) => {
            let failed = |error| Error::io(folder.display(), error);
            std::fs::create_dir_all(folder).map_err(failed)?;
            clap_mangen::generate_to(Cli::command(), folder).map_err(failed)?;
        }
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page)?;
            console::print(&String::from_utf8_lossy(&page))?;
        }
    }
    Ok(Exit::Done)
}
