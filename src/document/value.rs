//! TOML as a tree that remembers where everything stood.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Code, Diagnostic};

/// Bytes of a text.
pub type Span = Range<usize>;

/// The place of what does not stand in the text, but was set from outside.
pub const OUTSIDE: Span = usize::MAX..usize::MAX;

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub value: Entry,
}

/// A TOML value.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// A string.
    Text(String),
    /// An integer.
    Integer(i64),
    /// A float.
    Float(f64),
    /// `true` or `false`.
    Bool(bool),
    /// A list.
    Array(Vec<Node>),
    /// Keys and values in the order of the text.
    Table(Table),
}

/// A table: keys with their places, and values.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Table {
    entries: Vec<(String, Span, Node)>,
}

impl Table {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries.iter().find(|(name, ..)| name == key).map(|(_, _, node)| node)
    }

    /// Keys, their places, and values, in the order of the text.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Span, &Node)> {
        self.entries.iter().map(|(key, span, node)| (key.as_str(), span, node))
    }

    /// The values to change, in the order of the text.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut Node> {
        self.entries.iter_mut().map(|(_, _, node)| node)
    }

    /// Sets a key, with the place that messages are to show.
    pub fn set(&mut self, key: &str, span: Span, node: Node) {
        match self.entries.iter_mut().find(|(name, ..)| name == key) {
            Some(entry) => entry.2 = node,
            None => self.entries.push((key.to_owned(), span, node)),
        }
    }

    /// The table without some keys.
    #[must_use]
    pub fn without(&self, keys: &[&str]) -> Self {
        Self {
            entries: self.entries.iter().filter(|(key, ..)| !keys.contains(&key.as_str())).cloned().collect(),
        }
    }

    /// The table as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        let pairs = self.entries.iter().map(|(key, _, node)| (key.clone(), node.to_json()));
        serde_json::Value::Object(pairs.collect())
    }
}

impl Node {
    /// The string, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        if let Entry::Text(text) = &self.value { Some(text) } else { None }
    }

    /// The integer, if it is one.
    pub fn as_integer(&self) -> Option<i64> {
        if let Entry::Integer(value) = self.value { Some(value) } else { None }
    }

    /// The table, if it is one.
    pub fn as_table(&self) -> Option<&Table> {
        if let Entry::Table(table) = &self.value { Some(table) } else { None }
    }

    /// The list, if it is one.
    pub fn as_array(&self) -> Option<&[Node]> {
        if let Entry::Array(list) = &self.value { Some(list) } else { None }
    }

    /// A JSON value, set from [outside](OUTSIDE) any text; `None` for null, and for what holds one, which TOML lacks.
    pub fn from_json(json: &serde_json::Value) -> Option<Self> {
        use serde_json::Value as Json;
        let value = match json {
            Json::Null => return None,
            Json::Bool(value) => Entry::Bool(*value),
            Json::Number(number) => number
                .as_i64()
                .map_or_else(|| Entry::Float(number.as_f64().unwrap_or(f64::NAN)), Entry::Integer),
            Json::String(text) => Entry::Text(text.clone()),
            Json::Array(list) => Entry::Array(list.iter().map(Self::from_json).collect::<Option<_>>()?),
            Json::Object(pairs) => {
                let entry =
                    |(key, value): (&String, &Json)| Some((key.clone(), OUTSIDE, Self::from_json(value)?));
                Entry::Table(Table { entries: pairs.iter().map(entry).collect::<Option<_>>()? })
            }
        };
        Some(Self { span: OUTSIDE, value })
    }

    /// The value as JSON; floats that JSON lacks (infinities, NaN) become null.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Entry::Text(text) => text.clone().into(),
            Entry::Integer(value) => (*value).into(),
            Entry::Float(value) => (*value).into(),
            Entry::Bool(value) => (*value).into(),
            Entry::Array(list) => list.iter().map(Self::to_json).collect(),
            Entry::Table(table) => table.to_json(),
        }
    }

    /// The same value, set from [outside](OUTSIDE) the text.
    #[must_use]
    pub fn outside(self) -> Self {
        self.with_spans(&|_| OUTSIDE)
    }

    /// The same value in a text that has `bytes` bytes before it.
    #[must_use]
    pub(crate) fn moved(self, bytes: usize) -> Self {
        self.with_spans(&|span| span.start + bytes..span.end + bytes)
    }

    fn with_spans(self, place: &impl Fn(Span) -> Span) -> Self {
        let value = match self.value {
            Entry::Array(list) => Entry::Array(list.into_iter().map(|node| node.with_spans(place)).collect()),
            Entry::Table(table) => {
                let entries = table.entries.into_iter();
                let entries = entries.map(|(key, span, node)| (key, place(span), node.with_spans(place)));
                Entry::Table(Table { entries: entries.collect() })
            }
            plain => plain,
        };
        Self { span: place(self.span), value }
    }

    /// The number of values in this one, itself among them.
    pub(crate) fn count(&self) -> usize {
        match &self.value {
            Entry::Array(list) => 1 + list.iter().map(Self::count).sum::<usize>(),
            Entry::Table(table) => 1 + table.iter().map(|(_, _, node)| node.count()).sum::<usize>(),
            _ => 1,
        }
    }

    /// The kind of value in words, as in `got a string`.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Entry::Text(_) => "a string",
            Entry::Integer(_) => "an integer",
            Entry::Float(_) => "a float",
            Entry::Bool(_) => "a boolean",
            Entry::Array(_) => "an array",
            Entry::Table(_) => "a table",
        }
    }

    /// The value as it would be written.
    pub fn literal(&self) -> String {
        match &self.value {
            Entry::Text(text) => format!("\"{text}\""),
            Entry::Array(_) => "[...]".to_owned(),
            Entry::Table(_) => "{...}".to_owned(),
            _ => self.to_json().to_string(),
        }
    }
}

/// Parses a text; all syntax errors at once.
///
/// # Errors
/// The problems, each with its place.
pub fn parse(text: &str) -> Result<Table, Vec<Diagnostic>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut problems: Vec<Diagnostic> = errors
        .iter()
        .map(|error| {
            let span = error.span().unwrap_or(0..0);
            Diagnostic::new(Code::Syntax, span, one_line(error.message()))
        })
        .collect();
    let table = convert_table(table.into_inner(), &mut problems);
    if problems.is_empty() { Ok(table) } else { Err(problems) }
}

fn one_line(message: &str) -> String {
    message.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(", ")
}

fn convert_table(table: DeTable<'_>, problems: &mut Vec<Diagnostic>) -> Table {
    let mut entries: Vec<(String, Span, Node)> = table
        .into_iter()
        .map(|(key, value)| {
            let span = key.span();
            (key.into_inner().into_owned(), span, convert(value, problems))
        })
        .collect();
    entries.sort_by_key(|(_, span, _)| span.start);
    Table { entries }
}

fn convert(value: Spanned<DeValue<'_>>, problems: &mut Vec<Diagnostic>) -> Node {
    let span = value.span();
    let mut wrong = |message: String| {
        problems.push(Diagnostic::new(Code::Syntax, span.clone(), message));
        Entry::Bool(false)
    };
    let value = match value.into_inner() {
        DeValue::String(text) => Entry::Text(text.into_owned()),
        DeValue::Integer(digits) => {
            match i64::from_str_radix(&digits.as_str().replace('_', ""), digits.radix()) {
                Ok(value) => Entry::Integer(value),
                Err(_) => wrong(format!("`{digits}` does not fit into 64 bits")),
            }
        }
        DeValue::Float(digits) => match digits.as_str().replace('_', "").parse() {
            Ok(value) => Entry::Float(value),
            Err(_) => wrong(format!("`{digits}` is no number")),
        },
        DeValue::Boolean(value) => Entry::Bool(value),
        DeValue::Datetime(_) => wrong("dates have no meaning here".to_owned()),
        DeValue::Array(list) => {
            Entry::Array(list.into_iter().map(|value| convert(value, problems)).collect())
        }
        DeValue::Table(table) => Entry::Table(convert_table(table, problems)),
    };
    Node { span, value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_remember_their_places() {
        let text = "version = 1\n[[stage]]\nuse = 'x'\nsizes = [1, 2.5, true]\n";
        let table = parse(text).unwrap();
        assert_eq!(table.get("version").unwrap().as_integer(), Some(1));
        let stage = &table.get("stage").unwrap().as_array().unwrap()[0];
        let (key, span, node) = stage.as_table().unwrap().iter().nth(1).unwrap();
        assert_eq!((key, &text[span.clone()]), ("sizes", "sizes"));
        assert_eq!(&text[node.span.clone()], "[1, 2.5, true]");
        assert_eq!(node.to_json(), serde_json::json!([1, 2.5, true]));
    }

    #[test]
    fn broken_text_gives_places_and_never_panics() {
        assert!(!parse("a = [1, 2\nb = ").unwrap_err().is_empty());
        assert!(parse("a = 99999999999999999999").is_err());
        assert!(parse("d = 1979-05-27").is_err());
    }
}
