//! Reads OpenCV's cascade files, plain or gzipped: the layout written since 2.0, here, and the one from before, in
//! `xml/old.rs`.
//!
//! The bytes come from outside: sizes are bounded, document type definitions are refused, and every
//! fault says in which line it is, what was expected and what was found.

mod old;

use std::io::Read;

use roxmltree::{Document, Node as Element, ParsingOptions};

use super::model::{
    self, Branch, Calibration, Cascade, Feature, FeatureRect, Features, Node, PatternBlock, Question, Stage,
    Tree,
};
use crate::document::check_attributes;
use crate::{Error, ErrorKind, Result};

/// The longest XML text that is read, in bytes: ten times the largest cascade OpenCV ships.
const MAX_TEXT: usize = 32 << 20;
/// The most XML nodes that are kept.
const MAX_NODES: u32 = 2 << 20;

impl Cascade {
    /// Reads a cascade from the bytes of an OpenCV XML file, plain or gzipped.
    ///
    /// # Errors
    /// [`Input`](crate::ErrorKind::Input) for bytes that are no such file, with the line;
    /// [`Unsupported`](crate::ErrorKind::Unsupported) for features other than Haar's and local binary patterns;
    /// [`Limit`](crate::ErrorKind::Limit) for more than 32 MiB of text.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let inflated;
        let bytes = if bytes.starts_with(&[0x1f, 0x8b]) {
            inflated = inflate(bytes)?;
            &inflated
        } else {
            bytes
        };
        if bytes.len() > MAX_TEXT {
            return Err(Error::limit(format!("cascade: expected at most {MAX_TEXT} bytes of XML, got more")));
        }
        let text = std::str::from_utf8(bytes).map_err(|e| {
            Error::input(format!("cascade: expected UTF-8 text, got other bytes at {}", e.valid_up_to()))
        })?;
        check_attributes(text).map_err(|error| error.within("cascade"))?;
        let options =
            ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, ..ParsingOptions::default() };
        let document = Document::parse_with_options(text, options)
            .map_err(|e| Error::input(format!("cascade: expected XML: {e}")))?;
        Reader { document: &document }.cascade()
    }
}

fn inflate(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(bytes)
        .take(MAX_TEXT as u64 + 1)
        .read_to_end(&mut text)
        .map_err(|e| Error::input(format!("cascade: expected gzip data: {e}")))?;
    Ok(text)
}

/// What the features are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Haar,
    Lbp,
}

/// The document, to tell where an element stands.
struct Reader<'a, 'input> {
    document: &'a Document<'input>,
}

impl<'a, 'input> Reader<'a, 'input> {
    fn cascade(&self) -> Result<Cascade> {
        let storage = self.document.root_element();
        if !storage.has_tag_name("opencv_storage") {
            return Err(self.fault(
                storage,
                format!("expected the root `opencv_storage`, got `{}`", storage.tag_name().name()),
            ));
        }
        let root = storage
            .children()
            .find(Element::is_element)
            .ok_or_else(|| self.fault(storage, "expected a cascade, got nothing"))?;
        if root.attribute("type_id") == Some(old::TYPE) || (find(root, "size").is_some()) {
            return self.old_cascade(root);
        }
        let kind = self.kind(root)?;

        let width: usize = self.number(self.child(root, "width")?, "width")?;
        let height: usize = self.number(self.child(root, "height")?, "height")?;
        model::check_window(width, height).map_err(|e| self.at(root, &e))?;

        let list: Vec<_> = items(self.child(root, "features")?).collect();
        let features = match kind {
            Kind::Haar => Features::Haar(list.iter().map(|item| self.feature(*item)).collect::<Result<_>>()?),
            Kind::Lbp => Features::Lbp(list.iter().map(|item| self.block(*item)).collect::<Result<_>>()?),
        };
        for (index, item) in list.iter().enumerate() {
            model::check_feature(&features, index, width, height)
                .map_err(|e| self.at(*item, &e.within(format!("feature {index}"))))?;
        }
        let stages = items(self.child(root, "stages")?)
            .enumerate()
            .map(|(index, item)| {
                let stage = self.stage(item, kind)?;
                model::check_stage(&stage, &features)
                    .map_err(|e| self.at(item, &e.within(format!("stage {index}"))))?;
                Ok(stage)
            })
            .collect::<Result<Vec<_>>>()?;
        let cascade = Cascade::new(width, height, features, stages).map_err(|e| self.at(root, &e))?;
        match find(root, "calibration") {
            Some(element) => {
                let calibration = self.calibration(element)?;
                cascade.with_calibration(calibration).map_err(|e| self.at(element, &e))
            }
            None => Ok(cascade),
        }
    }

    /// Tells cascades of other kinds from those that are read, and from files that are none.
    fn kind(&self, root: Element<'a, 'input>) -> Result<Kind> {
        let stage_type = word(self.child(root, "stageType")?);
        if stage_type != "BOOST" {
            return Err(self.fault(root, format!("expected the `stageType` `BOOST`, got `{stage_type}`")));
        }
        let kind = match word(self.child(root, "featureType")?) {
            "HAAR" => Kind::Haar,
            "LBP" => Kind::Lbp,
            "HOG" => {
                let message = "cascades with `HOG` features are not read, only `HAAR` and `LBP`";
                return Err(self.unsupported(root, message));
            }
            kind => {
                let message = format!("expected the `featureType` `HAAR` or `LBP`, got `{kind}`");
                return Err(self.fault(root, message));
            }
        };
        // The element around it is misspelt in some files, so it is looked for by its own name.
        let categories = root.children().filter(Element::is_element).find_map(|e| find(e, "maxCatCount"));
        let count = match categories {
            Some(element) => Some((element, self.number::<u32>(element, "maxCatCount")?)),
            None => None,
        };
        match (kind, count) {
            (Kind::Haar, Some((element, count))) if count != 0 => {
                Err(self.fault(element, "expected no categories with Haar features"))
            }
            (Kind::Lbp, Some((element, count))) if count != 256 => {
                Err(self.fault(element, format!("expected 256 categories with patterns, got {count}")))
            }
            _ => Ok(kind),
        }
    }

    /// What this project writes beside what OpenCV reads: a slope and an intercept.
    fn calibration(&self, element: Element<'a, 'input>) -> Result<Calibration> {
        let numbers = words(element).map(str::parse::<f64>).collect::<Result<Vec<_>, _>>();
        match numbers.as_deref() {
            Ok(&[slope, intercept]) => Ok(Calibration { slope, intercept }),
            _ => Err(self.fault(element, "expected a calibration `slope intercept`")),
        }
    }

    fn block(&self, item: Element<'a, 'input>) -> Result<PatternBlock> {
        let element = self.child(item, "rect")?;
        let words: Vec<&str> = words(element).collect();
        let [x, y, width, height] = words[..] else {
            let message = format!("expected a cell `x y width height`, got {} numbers", words.len());
            return Err(self.fault(element, message));
        };
        Ok(PatternBlock {
            x: self.parse(element, x, "x")?,
            y: self.parse(element, y, "y")?,
            width: self.parse(element, width, "width")?,
            height: self.parse(element, height, "height")?,
        })
    }

    fn feature(&self, item: Element<'a, 'input>) -> Result<Feature> {
        let rects = items(self.child(item, "rects")?)
            .map(|rect| {
                let words: Vec<&str> = words(rect).collect();
                let [x, y, width, height, weight] = words[..] else {
                    return Err(self.fault(
                        rect,
                        format!(
                            "expected a rectangle `x y width height weight`, got {} numbers",
                            words.len()
                        ),
                    ));
                };
                Ok(FeatureRect {
                    x: self.parse(rect, x, "x")?,
                    y: self.parse(rect, y, "y")?,
                    width: self.parse(rect, width, "width")?,
                    height: self.parse(rect, height, "height")?,
                    weight: self.real(rect, weight, "weight")?,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let tilted = match find(item, "tilted") {
            Some(element) => self.number::<i32>(element, "tilted")? != 0,
            None => false,
        };
        Ok(Feature { rects, tilted })
    }

    fn stage(&self, item: Element<'a, 'input>, kind: Kind) -> Result<Stage> {
        let element = self.child(item, "stageThreshold")?;
        let threshold = self.real(element, word(element), "stageThreshold")?;
        let trees = items(self.child(item, "weakClassifiers")?)
            .map(|tree| self.tree(tree, kind))
            .collect::<Result<Vec<_>>>()?;
        Ok(Stage { trees, threshold })
    }

    /// A tree: its nodes as `left right feature threshold`, or with eight words of patterns in place of the
    /// threshold, where a branch above zero is a node and any other the negated index of a leaf.
    fn tree(&self, item: Element<'a, 'input>, kind: Kind) -> Result<Tree> {
        let element = self.child(item, "leafValues")?;
        let leaves =
            words(element).map(|word| self.real(element, word, "leaf")).collect::<Result<Vec<f32>>>()?;

        let element = self.child(item, "internalNodes")?;
        let words: Vec<&str> = words(element).collect();
        let (size, form) = match kind {
            Kind::Haar => (4, "left right feature threshold"),
            Kind::Lbp => (11, "left right feature pattern0 .. pattern7"),
        };
        if words.is_empty() || !words.len().is_multiple_of(size) {
            return Err(self.fault(element, format!("expected nodes `{form}`, got {} numbers", words.len())));
        }
        let branch = |word: &str| -> Result<Branch> {
            let index: i32 = self.parse(element, word, "branch")?;
            match usize::try_from(index) {
                Ok(node) if node > 0 => Ok(Branch::Node(node)),
                _ => leaves.get(index.unsigned_abs() as usize).map(|&vote| Branch::Leaf(vote)).ok_or_else(
                    || {
                        self.fault(
                            element,
                            format!("expected one of {} leaves, got branch `{index}`", leaves.len()),
                        )
                    },
                ),
            }
        };
        let nodes = words
            .chunks_exact(size)
            .map(|node| {
                let question = match kind {
                    Kind::Haar => Question::Below(self.real(element, node[3], "threshold")?),
                    Kind::Lbp => {
                        let mut patterns = [0; 8];
                        for (bits, word) in patterns.iter_mut().zip(&node[3..]) {
                            *bits = self.parse::<i32>(element, word, "patterns")? as u32;
                        }
                        Question::Among(patterns)
                    }
                };
                Ok(Node {
                    left: branch(node[0])?,
                    right: branch(node[1])?,
                    feature: self.parse(element, node[2], "feature")?,
                    question,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Tree { nodes })
    }

    fn child(&self, parent: Element<'a, 'input>, name: &str) -> Result<Element<'a, 'input>> {
        find(parent, name).ok_or_else(|| {
            self.fault(parent, format!("expected `{name}` in `{}`, got none", parent.tag_name().name()))
        })
    }

    fn number<T: std::str::FromStr>(&self, element: Element<'a, 'input>, what: &str) -> Result<T> {
        self.parse(element, word(element), what)
    }

    fn parse<T: std::str::FromStr>(&self, element: Element, word: &str, what: &str) -> Result<T> {
        word.parse().map_err(|_| {
            self.fault(element, format!("expected a whole number for `{what}`, got `{}`", shorten(word)))
        })
    }

    /// A real number, rounded to `f64` and from there to `f32`, as OpenCV reads it.
    fn real(&self, element: Element, word: &str, what: &str) -> Result<f32> {
        match word.parse::<f64>().map(|value| value as f32) {
            Ok(value) if value.is_finite() => Ok(value),
            _ => Err(self.fault(element, format!("expected a number for `{what}`, got `{}`", shorten(word)))),
        }
    }

    fn fault(&self, element: Element, message: impl std::fmt::Display) -> Error {
        Error::input(format!("cascade, line {}: {message}", self.line(element)))
    }

    fn unsupported(&self, element: Element, message: &str) -> Error {
        Error::new(ErrorKind::Unsupported, format!("cascade, line {}: {message}", self.line(element)))
    }

    /// A fault that the model found, with the place it stands at.
    fn at(&self, element: Element, error: &Error) -> Error {
        self.fault(element, error)
    }

    fn line(&self, element: Element) -> u32 {
        self.document.text_pos_at(element.range().start).row
    }
}

fn find<'a, 'input>(parent: Element<'a, 'input>, name: &str) -> Option<Element<'a, 'input>> {
    parent.children().find(|child| child.has_tag_name(name))
}

/// The members of a list, which OpenCV writes as elements named `_`.
fn items<'a, 'input>(list: Element<'a, 'input>) -> impl Iterator<Item = Element<'a, 'input>> {
    list.children().filter(|child| child.has_tag_name("_"))
}

/// The words in an element's own text.
fn words<'a>(element: Element<'a, '_>) -> impl Iterator<Item = &'a str> {
    element
        .children()
        .filter(Element::is_text)
        .filter_map(|text| text.text())
        .flat_map(str::split_ascii_whitespace)
}

/// The only word in an element, or nothing.
fn word<'a>(element: Element<'a, '_>) -> &'a str {
    words(element).next().unwrap_or_default()
}

/// A word fit to be quoted in a message.
fn shorten(word: &str) -> String {
    if word.chars().count() > 40 { word.chars().take(40).chain("...".chars()).collect() } else { word.into() }
}

#[cfg(test)]
mod tests;
