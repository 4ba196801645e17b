//! The command line: it parses, prints and sets exit codes; no image maths lives here.
//!
//! One file a command, each with its `Args` and a function `run`. Results go to stdout, words to
//! stderr. Exit codes: 0 all done; 1 done, but images failed or problems were found; 2 the command
//! or the pipeline is wrong; 130 interrupted. Whoever closes the pipe has seen enough: success.

mod bench;
mod check;
mod compare;
mod completions;
mod console;
mod demo;
mod explain;
mod explain_detection;
mod graph;
mod info;
mod inputs;
mod interrupt;
mod load;
mod man;
mod nets;
mod ordered;
mod predict;
mod run;
mod schema;
mod stages;
mod train;
mod train_boxes;
mod train_calibration;
mod train_cascade;
mod train_data;
mod train_linear;
mod train_samples;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use console::Failure;

/// Computer-vision pipelines: classical stages and convolutional nets, chained in small TOML files.
#[derive(Parser)]
#[command(name = "lyncean", version, about, max_term_width = 100, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(Box<run::Args>),
    Check(check::Args),
    Explain(explain::Args),
    ExplainDetection(explain_detection::Args),
    Stages(stages::Args),
    Schema(schema::Args),
    Graph(graph::Args),
    Bench(bench::Args),
    Info(info::Args),
    Demo(demo::Args),
    Completions(completions::Args),
    Compare(compare::Args),
    Nets(nets::Args),
    Train(train::Args),
    Predict(predict::Args),
    Merge(run::MergeArgs),
    Man(man::Args),
}

/// How a command ended that could be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    /// All done.
    Done,
    /// Done, but some images failed, or problems were found.
    Imperfect,
    /// The user asked to stop.
    Interrupted,
}

/// What every command returns.
type Outcome = Result<Exit, Failure>;

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    silence_caught_panics();
    let outcome = match Cli::parse().command {
        Command::Run(args) => run::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::ExplainDetection(args) => explain_detection::run(&args),
        Command::Stages(args) => stages::run(&args),
        Command::Schema(args) => schema::run(&args),
        Command::Graph(args) => graph::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Info(args) => info::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Nets(args) => nets::run(&args),
        Command::Train(args) => train::run(&args),
        Command::Predict(args) => predict::run(&args),
        Command::Merge(args) => run::merge(&args),
        Command::Man(args) => man::run(&args),
    };
    match outcome {
        Ok(Exit::Done) | Err(Failure::ClosedPipe) => ExitCode::SUCCESS,
        Ok(Exit::Imperfect) => ExitCode::from(1),
        Ok(Exit::Interrupted) => ExitCode::from(130),
        Err(Failure::Error(error)) => {
            console::report(&error);
            ExitCode::from(2)
        }
    }
}

/// A panic that becomes an error of one image is told there; its backtrace is for those who ask.
fn silence_caught_panics() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let is_worker = std::thread::current().name() == Some(run::WORKER);
        let is_caught = is_worker || crate::image::codec::panic_is_caught();
        if !is_caught || std::env::var_os("RUST_BACKTRACE").is_some() {
            hook(info);
        }
    }));
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_declared_without_contradiction() {
        Cli::command().debug_assert();
    }
}
