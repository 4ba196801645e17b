//! Words to stderr, data to stdout.

use std::io::{self, BufWriter, Write};

use crate::Error;

/// Why a command was not carried out.
pub(super) enum Failure {
    /// The command, the pipeline or the environment is wrong.
    Error(Error),
    /// Nobody reads stdout any more.
    ClosedPipe,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// Errors of writing to stdout; files have names and make errors of their own.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ClosedPipe,
            _ => Self::Error(Error::io("stdout", error)),
        }
    }
}

/// Writes a text to stdout and ends it with a line break.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    out.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    Ok(out.flush()?)
}

/// Writes indented JSON to stdout.
pub(super) fn print_json(json: &serde_json::Value) -> Result<(), Failure> {
    print(&format!("{json:#}"))
}

/// Writes a line to stderr. Words that cannot be written are lost, and nothing else.
pub(super) fn say(words: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{words}");
}

/// Writes a warning to stderr.
pub(super) fn warn(words: &str) {
    say(&format!("\x1b[1;33mwarning\x1b[0m: {words}"));
}

/// Writes an error to stderr: the problems of a file with carets, anything else in a line with its
/// hint below.
pub(super) fn report(error: &Error) {
    say(&error_text(error));
}

/// An error in the words of [`report`].
pub(super) fn error_text(error: &Error) -> String {
    match error.diagnostics() {
        Some(problems) => problems.render(),
        None => format!("\x1b[1;31merror\x1b[0m: {error}"),
    }
}

/// A table without lines: columns are told apart by blanks. Cells are never wrapped, so that
/// every row stays one line.
pub(super) fn table<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_content_arrangement(comfy_table::ContentArrangement::Disabled);
    table.set_header(header);
    table.add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let lines = table.to_string();
    lines.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}
