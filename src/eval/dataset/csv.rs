//! Tables of comma-separated values (RFC 4180): a header, quoted fields, line breaks inside quotes.

use std::path::Path;

use crate::{Error, Result};

/// A table whose columns are known by name.
#[derive(Debug)]
pub(super) struct Csv {
    header: Vec<String>,
    /// Each row with the line that it begins in, from 1.
    rows: Vec<(usize, Vec<String>)>,
}

impl Csv {
    /// Reads a file.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let bytes = crate::document::read(path, 1 << 32)?;
        Self::parse(&String::from_utf8_lossy(&bytes), path)
    }

    /// Reads a file's text.
    pub(super) fn parse(text: &str, path: &Path) -> Result<Self> {
        let mut rows = split(text).map_err(|line| {
            Error::input("expected the end of a quoted field, got the end of the file")
                .within(place(path, line))
        })?;
        if rows.is_empty() {
            return Err(Error::input("expected a header with the names of columns, got an empty file")
                .within(path.display().to_string()));
        }
        let (_, header) = rows.remove(0);
        let header: Vec<String> = header.iter().map(|name| name.trim().to_lowercase()).collect();
        if let Some((line, row)) = rows.iter().find(|(_, row)| row.len() != header.len()) {
            let (wanted, got) = (header.len(), row.len());
            return Err(Error::input(format!("expected {wanted} fields as in the header, got {got}"))
                .within(place(path, *line))
                .with_hint("put fields with commas in them in quotes"));
        }
        Ok(Self { header, rows })
    }

    /// Whether there is a column of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.header.iter().any(|column| column == name)
    }

    /// The index of a column.
    pub(super) fn column(&self, name: &str, path: &Path) -> Result<usize> {
        self.header.iter().position(|column| column == name).ok_or_else(|| {
            let got = self.header.join(",");
            Error::input(format!("expected a column `{name}`, got `{got}`")).within(place(path, 1))
        })
    }

    /// The rows, each with the line that it begins in.
    pub(super) fn rows(&self) -> impl Iterator<Item = (usize, &[String])> {
        self.rows.iter().map(|(line, row)| (*line, row.as_slice()))
    }
}

/// A place in a file, as `file:line`.
pub(super) fn place(path: &Path, line: usize) -> String {
    format!("{}:{line}", path.display())
}

/// The fields of all rows that are not empty; of a quote that does not end, its line.
fn split(text: &str) -> std::result::Result<Vec<(usize, Vec<String>)>, usize> {
    let (mut rows, mut row, mut field) = (Vec::new(), Vec::new(), String::new());
    let (mut line, mut start) = (1, 1);
    let mut quoted_since = None;
    let mut signs = text.strip_prefix('\u{feff}').unwrap_or(text).chars().peekable();
    while let Some(sign) = signs.next() {
        line += usize::from(sign == '\n');
        match (sign, quoted_since) {
            ('"', Some(_)) if signs.peek() == Some(&'"') => {
                field.push('"');
                signs.next();
            }
            ('"', Some(_)) => quoted_since = None,
            (_, Some(_)) => field.push(sign),
            ('"', None) if field.is_empty() => quoted_since = Some(line),
            (',', None) => row.push(std::mem::take(&mut field)),
            ('\r', None) if signs.peek() == Some(&'\n') => {}
            ('\n', None) => {
                row.push(std::mem::take(&mut field));
                let row = std::mem::take(&mut row);
                if row.len() > 1 || !row[0].is_empty() {
                    rows.push((start, row));
                }
                start = line;
            }
            (_, None) => field.push(sign),
        }
    }
    if let Some(line) = quoted_since {
        return Err(line);
    }
    if !field.is_empty() || !row.is_empty() {
        row.push(field);
        rows.push((start, row));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_commas_and_line_breaks_are_understood() {
        let text = "\u{feff}Label,text\r\na,\"one, \"\"two\"\"\nthree\"\r\n\nb,\nc,it's \"x\"";
        let csv = Csv::parse(text, Path::new("t.csv")).unwrap();
        let rows: Vec<_> = csv.rows().map(|(line, row)| (line, row.join("|"))).collect();
        let wanted = [(2, "a|one, \"two\"\nthree"), (5, "b|"), (6, "c|it's \"x\"")];
        assert_eq!(rows, wanted.map(|(line, row)| (line, row.to_owned())));
        assert!(csv.has("label") && csv.column("text", Path::new("t.csv")).unwrap() == 1);
    }

    #[test]
    fn broken_tables_name_the_line() {
        let message = |text: &str| Csv::parse(text, Path::new("t.csv")).unwrap_err().to_string();
        assert_eq!(
            message("a,b\n1,2\n3\n"),
            "t.csv:3: expected 2 fields as in the header, got 1\nhint: put fields with commas in them in quotes"
        );
        assert!(message("a\n\"b\n\n").starts_with("t.csv:2: expected the end of a quoted field"));
        assert!(message("").contains("got an empty file"));
    }
}
