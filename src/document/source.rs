//! A text and where it came from.

use std::path::{Path, PathBuf};

/// The text of a file, with the name that messages give it.
///
/// ```
/// use lyncean::document::Source;
///
/// let source = Source::new("inline", "a = 1\nb = 2");
/// assert_eq!(source.line_column(6), (2, 1));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    name: String,
    text: String,
    folder: Option<PathBuf>,
}

impl Source {
    /// A text that came from no file, called `name` in messages.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into(), folder: None }
    }

    /// The same text, with relative paths inside it starting from `folder`.
    #[must_use]
    pub fn with_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Reads a file; relative paths inside it start from its folder.
    ///
    /// # Errors
    /// [`Io`](crate::ErrorKind::Io) when the file cannot be read, [`Pipeline`](crate::ErrorKind::Pipeline)
    /// when it is not UTF-8, [`Unsupported`](crate::ErrorKind::Unsupported) without the feature `files`.
    pub fn read(path: &Path) -> crate::Result<Self> {
        let bytes = super::read(path, u64::MAX)?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            crate::Error::pipeline(format!(
                "`{}`: not UTF-8 text: byte {at} fits no character",
                path.display()
            ))
        })?;
        let folder = path.parent().map(Path::to_path_buf);
        Ok(Self { name: path.display().to_string(), text, folder })
    }

    /// What messages call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The folder that relative paths start from; `None` for texts that came from no file.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// Line and column of a byte, both from 1, columns in characters.
    pub fn line_column(&self, byte: usize) -> (usize, usize) {
        let mut byte = byte.min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        let before = &self.text[..byte];
        let start = before.rfind('\n').map_or(0, |i| i + 1);
        (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
    }
}
