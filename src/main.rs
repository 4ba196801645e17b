//! The program `lyncean`; all of it is in [`lyncean::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    lyncean::cli::main()
}
