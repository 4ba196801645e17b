//! The one error type of the crate.
//!
//! An [`Error`] is opaque: [`Error::kind`] says whose fault it is, [`Error::path`] names the
//! stages or layers it came through, and its text says what, where, expected and got.

use std::fmt;

use crate::document::Diagnostics;

/// The result type of the crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Whose fault an [`Error`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An input file holds something that cannot be read as what it should be.
    Input,
    /// A pipeline or net file, or a parameter given in code, is wrong.
    Pipeline,
    /// Sizes or types of values do not fit together.
    Shape,
    /// Something is larger than the limits allow.
    Limit,
    /// The request is understood, but not provided.
    Unsupported,
    /// The environment failed: a missing file, permissions, a full disk.
    Io,
    /// The caller asked to stop.
    Cancelled,
    /// A fault of this crate, or of one it uses, that was caught.
    Internal,
}

impl ErrorKind {
    /// The kind in the words used by records: `input`, `pipeline`, `shape`, ...
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Pipeline => "pipeline",
            Self::Shape => "shape",
            Self::Limit => "limit",
            Self::Unsupported => "unsupported",
            Self::Io => "io",
            Self::Cancelled => "cancelled",
            Self::Internal => "internal",
        }
    }
}

/// What went wrong, where, and what would help.
///
/// ```
/// use lyncean::{Error, ErrorKind};
///
/// let error = Error::shape("expected 3, got 4").within("conv1").with_hint("count again");
/// assert_eq!(error.kind(), ErrorKind::Shape);
/// assert_eq!(error.to_string(), "conv1: expected 3, got 4\nhint: count again");
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    path: Vec<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
    diagnostics: Option<Diagnostics>,
}

impl Error {
    /// A new error. Messages are lower case, without a final period, literals in backticks.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            hint: None,
            path: Vec::new(),
            source: None,
            diagnostics: None,
        }))
    }

    /// An error of an input file.
    pub fn input(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Input, message)
    }

    /// An error of a pipeline, net or parameter.
    pub fn pipeline(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Pipeline, message)
    }

    /// Sizes or types that do not fit.
    pub fn shape(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Shape, message)
    }

    /// Something over a limit.
    pub fn limit(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Limit, message)
    }

    /// Something not provided.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, message)
    }

    /// A failure of the environment on a path.
    pub fn io(path: impl fmt::Display, source: std::io::Error) -> Self {
        Self::new(ErrorKind::Io, format!("`{path}`: {}", io_words(&source))).with_source(source)
    }

    /// The caller asked to stop.
    pub fn cancelled() -> Self {
        Self::new(ErrorKind::Cancelled, "cancelled")
    }

    /// Adds the hint that closes the message.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds the error this one came from.
    #[must_use]
    pub fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.0.source = Some(Box::new(source));
        self
    }

    /// Adds the problems it was made from.
    #[must_use]
    pub fn with_diagnostics(mut self, diagnostics: Diagnostics) -> Self {
        self.0.diagnostics = Some(diagnostics);
        self
    }

    /// The problems it was made from, for errors of pipeline and net files.
    pub fn diagnostics(&self) -> Option<&Diagnostics> {
        self.0.diagnostics.as_ref()
    }

    /// Adds an outer stage, layer or file to the path.
    #[must_use]
    pub fn within(mut self, name: impl Into<String>) -> Self {
        self.0.path.insert(0, name.into());
        self
    }

    /// Whose fault it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The message alone, without path and hint.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The hint, if there is one.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The stages, layers or files the error came through, outermost first.
    pub fn path(&self) -> &[String] {
        &self.0.path
    }
}

/// The operating system's reason in our words: lower case, without its number.
fn io_words(error: &std::io::Error) -> String {
    use std::io::ErrorKind as K;
    match error.kind() {
        K::NotFound => "no such file or directory".into(),
        K::PermissionDenied => "permission denied".into(),
        K::IsADirectory => "is a directory".into(),
        K::UnexpectedEof => "file ends too early".into(),
        K::StorageFull => "no space left on the device".into(),
        _ => {
            let text = error.to_string();
            let text = text.split(" (os error").next().unwrap_or_default();
            let mut letters = text.chars();
            letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for name in &self.0.path {
            write!(f, "{name}: ")?;
        }
        f.write_str(&self.0.message)?;
        if let Some(hint) = &self.0.hint {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {self}", self.0.kind.as_str())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_comes_first_and_hint_last() {
        let error = Error::shape("expected 3, got 4").within("conv1").within("net").with_hint("count again");
        assert_eq!(error.to_string(), "net: conv1: expected 3, got 4\nhint: count again");
        assert_eq!(error.kind(), ErrorKind::Shape);
    }

    #[test]
    fn io_errors_lose_their_number() {
        let error = Error::io("a.png", std::io::Error::from_raw_os_error(2));
        assert_eq!(error.to_string(), "`a.png`: no such file or directory");
    }
}
