//! Labelled sentences: lines with a label, CSV, JSON lines.

use std::path::{Path, PathBuf};

use super::csv::{Csv, place};
use crate::nn::arch::Arch;
use crate::nn::text::{Vocabulary, tokenize};
use crate::nn::train::Examples;
use crate::{Error, Result};

/// How files of sentences are read.
#[derive(Clone, Copy, Debug)]
pub struct TextOptions {
    /// How often a word must occur to be in the vocabulary; rarer ones are unknown.
    pub min_count: usize,
    /// Whether labels end at the first `:`, as TREC's coarse ones do: `DESC` of `DESC:manner`.
    pub coarse: bool,
}

impl Default for TextOptions {
    fn default() -> Self {
        Self { min_count: 1, coarse: false }
    }
}

/// Labelled sentences, in memory.
///
/// The ending of a file says how it is read; each example below is the same sentence:
///
/// - `.csv`: columns `label` and `text` among others: `DESC,"What is a ""caliper"" ?"`;
/// - `.jsonl`: an object a line: `{"label": "DESC", "text": "What is a \"caliper\" ?"}`;
/// - anything else: a label, a blank and the words in each line: `DESC What is a "caliper" ?`.
///
/// Lines without words in them are passed over. Bytes that are not UTF-8 are taken as ISO 8859-1, line by line.
///
/// ```
/// use lyncean::eval::dataset::{TextOptions, Texts};
/// use lyncean::nn::arch;
///
/// let folder = tempfile::tempdir().unwrap();
/// let path = folder.path().join("train.txt");
/// std::fs::write(&path, "good a fine film\nbad a dull film\n").unwrap();
/// let options = TextOptions { min_count: 1, coarse: false };
/// let texts = Texts::open(&path, &options)?;
/// assert_eq!((texts.len(), texts.longest(), texts.vocabulary().words().len()), (2, 3, 6));
/// let net = arch::parse(&arch::builtin("textcnn-rand").unwrap())?;
/// let fitted = texts.fit(&net, Some(texts.longest()))?;
/// assert_eq!((&*fitted.input, &*fitted.output(), fitted.words.len()), ([3].as_slice(), [2].as_slice(), 6));
/// // Judging is by the words and classes of training.
/// assert_eq!(texts.open_like(&path, &options)?.cut(2), 2);
/// # Ok::<(), lyncean::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Texts {
    classes: Vec<String>,
    labels: Vec<usize>,
    sentences: Vec<Vec<String>>,
    vocabulary: Vocabulary,
}

impl Texts {
    /// Reads the sentences of a file. Classes are sorted by name; the vocabulary is that of all sentences.
    ///
    /// # Errors
    /// [`Io`](crate::ErrorKind::Io), and [`Input`](crate::ErrorKind::Input) with the line that is not understood.
    pub fn open(path: &Path, options: &TextOptions) -> Result<Self> {
        let lines = read(path, options)?;
        let mut classes: Vec<String> = lines.iter().map(|line| line.label.clone()).collect();
        classes.sort();
        classes.dedup();
        let vocabulary = Vocabulary::of(lines.iter().map(|line| line.tokens.as_slice()), options.min_count);
        Self::labelled(path, lines, classes, vocabulary)
    }

    /// Reads the sentences of another file, such as the test's, with the classes and words of this one.
    ///
    /// # Errors
    /// As [`open`](Self::open), and [`Input`](crate::ErrorKind::Input) with the line of a label that is none here.
    pub fn open_like(&self, path: &Path, options: &TextOptions) -> Result<Self> {
        Self::labelled(path, read(path, options)?, self.classes.clone(), self.vocabulary.clone())
    }

    fn labelled(path: &Path, lines: Vec<Line>, classes: Vec<String>, vocabulary: Vocabulary) -> Result<Self> {
        let (mut labels, mut sentences) = (Vec::new(), Vec::new());
        for Line { number, label, tokens } in lines {
            let Ok(class) = classes.binary_search(&label) else {
                let known = classes.join("`, `");
                return Err(Error::input(format!("expected a label of training, `{known}`, got `{label}`"))
                    .within(place(path, number)));
            };
            labels.push(class);
            sentences.push(tokens);
        }
        Ok(Self { classes, labels, sentences, vocabulary })
    }

    /// Whether a path is one of a file that holds sentences: by its ending, and of CSV by its columns.
    pub fn is_text(path: &Path) -> bool {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_lowercase();
        match ending.as_str() {
            "csv" => decoded(path)
                .and_then(|lines| Csv::parse(&lines.join("\n"), path))
                .is_ok_and(|csv| csv.has("text")),
            _ => path.is_file(),
        }
    }

    /// The train or test file of a folder, as `train.txt`, `train.csv` or `train.jsonl`.
    pub fn find(folder: &Path, split: super::Split) -> Option<PathBuf> {
        ["txt", "csv", "jsonl"]
            .into_iter()
            .map(|ending| folder.join(split.folder()).with_extension(ending))
            .find(|path| path.is_file() && Self::is_text(path))
    }

    /// How many sentences there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The words that are known.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// Words of the longest sentence.
    pub fn longest(&self) -> usize {
        self.sentences.iter().map(Vec::len).max().unwrap_or_default()
    }

    /// How many sentences have more words than `length`: their ends are not seen.
    pub fn cut(&self, length: usize) -> usize {
        self.sentences.iter().filter(|sentence| sentence.len() > length).count()
    }

    /// An architecture for these sentences: with the words, as many outputs as there are classes, and an input of
    /// `length` words, or as many as the net has.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when the net does not take words, and problems of the layers.
    pub fn fit(&self, arch: &Arch, length: Option<usize>) -> Result<Arch> {
        let takes_words = arch.layers.iter().any(|layer| layer.kind.name == "embedding");
        if arch.input.len() != 1 || !takes_words {
            let (name, input) = (&arch.name, arch.input);
            return Err(Error::shape(format!(
                "net `{name}` takes {input} and has no `embedding`, but the examples are text"
            ))
            .with_hint("a net for text is `textcnn-rand`"));
        }
        let fitted = arch.with_words(self.vocabulary.words())?.with_outputs(self.classes.len())?;
        match length {
            Some(length) if *fitted.input != [length] => fitted.with_input(&[length.max(1)]),
            _ => Ok(fitted),
        }
    }
}

impl Examples for Texts {
    fn len(&self) -> usize {
        self.len()
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn label(&self, index: usize) -> usize {
        self.labels[index]
    }

    fn read(&self, _index: usize, shape: [usize; 3], _values: &mut [f32]) -> Result<()> {
        Err(Error::shape(format!("the net wants pictures of {shape:?}, the examples are text")))
    }

    fn read_words(&self, index: usize, values: &mut [f32]) -> Result<()> {
        self.vocabulary.encode(&self.sentences[index], values);
        Ok(())
    }
}

struct Line {
    number: usize,
    label: String,
    tokens: Vec<String>,
}

/// The lines of a file, from whatever encoding.
fn decoded(path: &Path) -> Result<Vec<String>> {
    const MOST: u64 = 1 << 32;
    let bytes = crate::document::read(path, MOST)?;
    let text = |line: &[u8]| match std::str::from_utf8(line) {
        Ok(text) => text.to_owned(),
        // The first 256 code points are those of ISO 8859-1.
        Err(_) => line.iter().map(|&byte| char::from(byte)).collect(),
    };
    Ok(bytes.split(|&byte| byte == b'\n').map(text).collect())
}

fn read(path: &Path, options: &TextOptions) -> Result<Vec<Line>> {
    let lines = decoded(path)?;
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_lowercase();
    let pairs = match ending.as_str() {
        "csv" => from_csv(&lines.join("\n"), path),
        "jsonl" | "ndjson" => from_json(&lines, path),
        _ => from_lines(&lines, path),
    }?;
    let line = |(number, label, text): (usize, String, String)| {
        let label = match label.split_once(':') {
            Some((coarse, _)) if options.coarse => coarse.to_owned(),
            _ => label,
        };
        Line { number, label, tokens: tokenize(&text) }
    };
    let lines: Vec<Line> = pairs.into_iter().map(line).filter(|line| !line.tokens.is_empty()).collect();
    if lines.is_empty() {
        return Err(Error::input("expected labelled sentences, got none").within(path.display().to_string()));
    }
    Ok(lines)
}

/// A line's number, its label and its text.
type Pair = (usize, String, String);

fn from_csv(text: &str, path: &Path) -> Result<Vec<Pair>> {
    let csv = Csv::parse(text, path)?;
    let (label, text) = (csv.column("label", path)?, csv.column("text", path)?);
    Ok(csv.rows().map(|(line, row)| (line, row[label].trim().to_owned(), row[text].clone())).collect())
}

fn from_json(lines: &[String], path: &Path) -> Result<Vec<Pair>> {
    let mut pairs = Vec::new();
    for (line, text) in (1..).zip(lines).filter(|(_, text)| !text.trim().is_empty()) {
        let wrong = |message: String| {
            Error::input(message)
                .within(place(path, line))
                .with_hint("write `{\"label\": \"...\", \"text\": \"...\"}` in each line")
        };
        let object: serde_json::Value = serde_json::from_str(text)
            .map_err(|error| wrong(format!("expected an object of JSON: {error}")))?;
        let label = match &object["label"] {
            serde_json::Value::String(label) => label.clone(),
            serde_json::Value::Number(label) => label.to_string(),
            other => return Err(wrong(format!("expected a `label`, got `{other}`"))),
        };
        let sentence = object["text"].as_str();
        let sentence =
            sentence.ok_or_else(|| wrong(format!("expected a `text`, got `{}`", object["text"])))?;
        pairs.push((line, label, sentence.to_owned()));
    }
    Ok(pairs)
}

fn from_lines(lines: &[String], path: &Path) -> Result<Vec<Pair>> {
    let mut pairs = Vec::new();
    for (line, text) in (1..).zip(lines).filter(|(_, text)| !text.trim().is_empty()) {
        let Some((label, sentence)) = text.trim().split_once(char::is_whitespace) else {
            return Err(Error::input(format!("expected a label, a blank and words, got `{}`", text.trim()))
                .within(place(path, line)));
        };
        pairs.push((line, label.to_owned(), sentence.to_owned()));
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(name: &str, content: impl AsRef<[u8]>, coarse: bool) -> Result<Texts> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        Texts::open(&path, &TextOptions { coarse, ..TextOptions::default() })
    }

    #[test]
    fn every_format_gives_the_same_sentences() {
        let lines = "DESC:def What is a \"caliper\" ?\n\nHUM:ind Who, then ?\n";
        let csv = "text,label\n\"What is a \"\"caliper\"\" ?\",DESC:def\n\"Who, then ?\",HUM:ind\n";
        let json = "{\"label\": \"DESC:def\", \"text\": \"What is a \\\"caliper\\\" ?\"}\n\
            {\"text\": \"Who, then ?\", \"label\": \"HUM:ind\"}";
        for (name, content) in [("t.txt", lines), ("t.csv", csv), ("t.jsonl", json)] {
            let texts = open(name, content, false).unwrap();
            assert_eq!(texts.classes, ["DESC:def", "HUM:ind"], "{name}");
            assert_eq!(texts.sentences[0], ["what", "is", "a", "caliper", "?"], "{name}");
            assert_eq!(texts.sentences[1], ["who", ",", "then", "?"], "{name}");
            let texts = open(name, content, true).unwrap();
            assert_eq!((texts.classes.join(" "), texts.label(1)), ("DESC HUM".into(), 1), "{name}");
            let mut values = [9.0; 6];
            texts.read_words(1, &mut values).unwrap();
            let words = values.map(|value| texts.vocabulary.words()[value as usize].as_str());
            assert_eq!(words, ["who", ",", "then", "?", "<pad>", "<pad>"], "{name}");
        }
        assert_eq!(open("t.txt", b"a cr\xe8me\n", false).unwrap().sentences[0], ["cr\u{e8}me"]);
    }

    #[test]
    fn problems_name_the_line() {
        let message = |name: &str, content: &str| open(name, content, false).unwrap_err().to_string();
        let with = |name: &str, content: &str, wanted: &str| {
            let message = message(name, content);
            assert!(message.contains(wanted), "{message}");
        };
        with("t.txt", "a b\nalone\n", "t.txt:2: expected a label, a blank and words, got `alone`");
        with("t.csv", "label,words\n", "t.csv:1: expected a column `text`, got `label,words`");
        with("t.jsonl", "\n{\"label\": 3}", "t.jsonl:2: expected a `text`, got `null`");
        with("t.jsonl", "{", "t.jsonl:1: expected an object of JSON");
        with("t.txt", "\n", "expected labelled sentences, got none");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.txt");
        std::fs::write(&path, "c x\n").unwrap();
        let texts = open("t.txt", "a x\nb x\n", false).unwrap();
        let error = texts.open_like(&path, &TextOptions::default()).unwrap_err().to_string();
        assert!(error.ends_with("test.txt:1: expected a label of training, `a`, `b`, got `c`"), "{error}");
    }
}
