//! Problems of a text, each with its place, and how they are shown.

use std::fmt;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::{OUTSIDE, Source, Span};
use crate::{Error, ErrorKind};

/// What is wrong, as a code that stays the same from version to version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// The text is not TOML.
    Syntax = 1,
    /// A key that nobody reads.
    UnknownKey,
    /// A key that must be there.
    MissingKey,
    /// A value of the wrong type, or none of those allowed.
    WrongValue,
    /// A number outside its range.
    OutOfRange,
    /// A stage or layer of that name is not known.
    UnknownKind,
    /// An input's type does not fit.
    TypeMismatch,
    /// `in` names something that is not there.
    UnknownInput,
    /// Two stages or layers of one name.
    DuplicateName,
    /// A version that is not understood.
    Version,
    /// Too many or too few inputs.
    InputCount,
    /// A file or built-in that cannot be had.
    Resource,
    /// `in` names something further down.
    Order,
    /// Parameters that do not go together.
    Parameters,
    /// Nothing to do.
    Empty,
    /// Sizes do not fit.
    Size,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "P{:03}", *self as u32)
    }
}

/// One problem at one place.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// The stable code.
    pub code: Code,
    /// What is wrong: lower case, no final period, literals in backticks.
    pub message: String,
    /// The bytes of the text that are to blame, or [`OUTSIDE`](super::OUTSIDE).
    pub span: Span,
    /// What would help.
    pub hint: Option<String>,
    /// The text that `span` is of, where it is one that the text read includes.
    pub included: Option<Arc<Source>>,
}

impl Diagnostic {
    /// A problem without a hint.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), span, hint: None, included: None }
    }

    /// Adds a hint, if there is one.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hint = hint.into();
        self
    }

    /// The problem with its line and a caret; without them when it stands outside the text. `source` is the
    /// text that was read.
    pub fn render(&self, source: &Source) -> String {
        let mut shown = if self.span == OUTSIDE {
            format!("error[{}]: {}", self.code, self.message)
        } else {
            self.snippet(self.included.as_deref().unwrap_or(source))
        };
        if let Some(hint) = &self.hint {
            shown.push_str("\nhint: ");
            shown.push_str(hint);
        }
        shown
    }

    fn snippet(&self, source: &Source) -> String {
        let text = source.text();
        let start = floor_boundary(text, self.span.start);
        let end = floor_boundary(text, self.span.end).max(start);
        // A caret of some width, but never over a line's end.
        let line_end = text[start..].find('\n').map_or(text.len(), |i| start + i);
        let end = end.min(line_end).max(start);
        let snippet = Snippet::source(text)
            .path(source.name())
            .annotation(AnnotationKind::Primary.span(start..end.max(start)));
        let code = self.code.to_string();
        let report = [Level::ERROR.primary_title(self.message.as_str()).id(code.as_str()).element(snippet)];
        let shown = Renderer::plain().render(&report);
        // Trailing blanks of the drawn margin would make texts hard to keep.
        shown.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }
}

fn floor_boundary(text: &str, byte: usize) -> usize {
    let mut byte = byte.min(text.len());
    while !text.is_char_boundary(byte) {
        byte -= 1;
    }
    byte
}

/// All problems of a text.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    source: Source,
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// No problems yet.
    pub fn new(source: Source) -> Self {
        Self { source, list: Vec::new() }
    }

    /// Adds a problem.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.list.push(diagnostic);
    }

    /// Adds problems.
    pub fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        self.list.extend(diagnostics);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Gives the problems of included texts their text. `texts` tells where the spans of each begin that the
    /// nodes of the whole have, [moved](super::Node::moved) by that many bytes, in ascending order.
    pub(crate) fn place(&mut self, texts: &[(usize, Arc<Source>)]) {
        for diagnostic in self.list.iter_mut().filter(|diagnostic| diagnostic.span != OUTSIDE) {
            let found = texts.iter().rev().find(|(start, _)| diagnostic.span.start >= *start);
            if let Some((start, text)) = found {
                diagnostic.span = diagnostic.span.start - start..diagnostic.span.end - start;
                diagnostic.included = Some(Arc::clone(text));
            }
        }
    }

    /// The problems in the order of the text, then those of the texts it includes.
    pub fn sorted(&self) -> Vec<&Diagnostic> {
        let mut list: Vec<&Diagnostic> = self.list.iter().collect();
        let text = |diagnostic: &Diagnostic| diagnostic.included.as_ref().map(|text| text.name().to_owned());
        list.sort_by_cached_key(|diagnostic| (text(diagnostic), diagnostic.span.start, diagnostic.code));
        list
    }

    /// The text they are problems of.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// All problems with carets, in the order of the text.
    pub fn render(&self) -> String {
        self.sorted()
            .iter()
            .map(|diagnostic| diagnostic.render(&self.source))
            .collect::<Vec<_>>()
            .join("\n\n")
    }

    /// An error that holds all of them, or nothing if there are none.
    pub fn into_error(self) -> Option<Error> {
        (!self.is_empty()).then(|| Error::new(ErrorKind::Pipeline, self.render()).with_diagnostics(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_shows_its_line_and_a_caret() {
        let source = Source::new("faces.toml", "version = 1\n\n[[stage]]\nuse = \"faces\"\nin = \"sobel\"\n");
        let at = source.text().find("\"sobel\"").unwrap();
        let problem = Diagnostic::new(
            Code::TypeMismatch,
            at..at + 7,
            "stage `faces` wants `gray8`, but `sobel` gives `gradient`",
        )
        .with_hint("connect `faces` to `gray`".to_owned());
        assert_eq!(
            problem.render(&source),
            "error[P007]: stage `faces` wants `gray8`, but `sobel` gives `gradient`\n \
             --> faces.toml:5:6\n  |\n5 | in = \"sobel\"\n  |      ^^^^^^^\nhint: connect `faces` to `gray`"
        );
    }

    #[test]
    fn odd_spans_do_not_panic() {
        let source = Source::new("x", "aé\n");
        for start in 0..6 {
            for end in start..7 {
                assert!(Diagnostic::new(Code::Syntax, start..end, "m").render(&source).contains("P001"));
            }
        }
        Diagnostic::new(Code::Syntax, 0..0, "m").render(&Source::new("x", ""));
    }

    #[test]
    fn what_stands_outside_the_text_has_no_caret() {
        let problem = Diagnostic::new(Code::WrongValue, OUTSIDE, "m").with_hint("h".to_owned());
        assert_eq!(problem.render(&Source::new("x", "a = 1\n")), "error[P004]: m\nhint: h");
    }
}
