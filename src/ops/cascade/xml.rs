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
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SMALL: &str = r#"<?xml version="1.0"?>
<opencv_storage>
<cascade type_id="opencv-cascade-classifier"><stageType>BOOST</stageType>
  <featureType>HAAR</featureType>
  <height>20</height>
  <width>24</width>
  <featureParams><maxCatCount>0</maxCatCount></featureParams>
  <stages>
    <_><maxWeakCount>2</maxWeakCount>
      <stageThreshold>-1.5e-01</stageThreshold>
      <weakClassifiers>
        <_><internalNodes>0 -1 1 -2.5e-1</internalNodes>
          <leafValues>1. -.5</leafValues></_>
        <_><internalNodes>1 0 0 .5 -1 -2 1 7</internalNodes>
          <leafValues>1 2 3</leafValues></_></weakClassifiers></_></stages>
  <features>
    <_><rects><_>0 0 24 20 -1.</_><_>1 2 3 4 2.</_></rects></_>
    <_><rects><!-- turned --><_>5 0 4 5 1</_></rects>
      <tilted>1</tilted></_></features></cascade>
</opencv_storage>
"#;

    fn read(text: &str) -> Result<Cascade> {
        Cascade::from_bytes(text.as_bytes())
    }

    fn refused(from: &str, to: &str) -> String {
        assert!(SMALL.contains(from), "{from}");
        read(&SMALL.replacen(from, to, 1)).unwrap_err().to_string()
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        use std::io::Write;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_small_file_says_what_it_says() {
        let cascade = read(SMALL).unwrap();
        assert_eq!((cascade.width(), cascade.height()), (24, 20));
        assert!(cascade.has_tilted());
        let Features::Haar(features) = cascade.features() else { panic!("Haar features") };
        assert_eq!(features[0].rects.len(), 2);
        let rect = FeatureRect { x: 5, y: 0, width: 4, height: 5, weight: 1.0 };
        assert_eq!(features[1], Feature { rects: vec![rect], tilted: true });
        let stage = &cascade.stages()[0];
        assert_eq!(stage.threshold, -0.15);
        let (left, right) = (Branch::Leaf(1.0), Branch::Leaf(-0.5));
        assert_eq!(
            stage.trees[0].nodes,
            [Node { feature: 1, question: Question::Below(-0.25), left, right }]
        );
        let nodes = [
            Node {
                feature: 0,
                question: Question::Below(0.5),
                left: Branch::Node(1),
                right: Branch::Leaf(1.0),
            },
            Node {
                feature: 1,
                question: Question::Below(7.0),
                left: Branch::Leaf(2.0),
                right: Branch::Leaf(3.0),
            },
        ];
        assert_eq!(stage.trees[1].nodes, nodes);
        assert_eq!(Cascade::from_bytes(&gzip(SMALL.as_bytes())).unwrap(), cascade);
    }

    #[test]
    fn the_models_that_ship_are_read() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
        for (name, size, stages, features) in [("default", 24, 25, 2913), ("alt2", 20, 20, 2094)] {
            let bytes = std::fs::read(root.join(format!("frontalface-{name}.xml.gz"))).unwrap();
            let cascade = Cascade::from_bytes(&bytes).unwrap();
            assert_eq!((cascade.width(), cascade.height()), (size, size));
            assert_eq!((cascade.stages().len(), cascade.features().len()), (stages, features));
            assert!(!cascade.has_tilted());
        }
    }

    #[test]
    fn faults_say_where_and_what() {
        let cases = [
            ("<opencv_storage>", "<storage>", "expected XML"),
            ("BOOST", "FOREST", "line 3: expected the `stageType` `BOOST`, got `FOREST`"),
            ("HAAR", "HARE", "line 3: expected the `featureType` `HAAR` or `LBP`, got `HARE`"),
            ("<width>24", "<width>2", "line 3: expected a window of 3x3 to 65536 pixels, got 2x20"),
            ("<width>24", "<width>", "line 6: expected a whole number for `width`, got ``"),
            ("<width>24", "<width>99999999999999999999", "line 6: expected a whole number for `width`"),
            ("<maxCatCount>0", "<maxCatCount>256", "line 7: expected no categories"),
            ("-1.5e-01", "low", "line 10: expected a number for `stageThreshold`, got `low`"),
            ("-1.5e-01", "1e99", "line 10: expected a number for `stageThreshold`, got `1e99`"),
            ("0 -1 1 -2.5e-1", "0 -1 1", "line 12: expected nodes `left right feature threshold`, got 3"),
            ("0 -1 1 -2.5e-1", "0 -2 1 0", "line 12: expected one of 2 leaves, got branch `-2`"),
            ("0 -1 1 -2.5e-1", "0 -1 2 0", "line 9: stage 0: weak classifier 0: node 0: expected a feature"),
            ("1 0 0 .5", "2 0 0 .5", "weak classifier 1: node 0: expected a branch to a later node"),
            ("1 0 0 .5", "-2147483648 0 0 .5", "expected one of 3 leaves, got branch `-2147483648`"),
            (
                "5 0 4 5 1",
                "5 0 4 5",
                "line 18: expected a rectangle `x y width height weight`, got 4 numbers",
            ),
            ("5 0 4 5 1", "4 0 4 5 1", "line 18: feature 1: tilted rectangle `4 0 4 5` is not inside"),
            ("5 0 4 5 1", "5 0 4 5 NaN", "line 18: expected a number for `weight`, got `NaN`"),
            ("5 0 4 5 1", "-5 0 4 5 1", "line 18: expected a whole number for `x`, got `-5`"),
            ("features>", "marks>", "expected XML"),
            ("<leafValues>1 2 3</leafValues>", "", "line 14: expected `leafValues` in `_`, got none"),
        ];
        for (from, to, expected) in cases {
            let message = refused(from, to);
            assert!(message.starts_with("cascade") && message.contains(expected), "{message}");
        }
        let empty = read("<opencv_storage> </opencv_storage>").unwrap_err();
        assert_eq!(empty.to_string(), "cascade, line 1: expected a cascade, got nothing");
        assert!(
            read("<a/>").unwrap_err().to_string().contains("expected the root `opencv_storage`, got `a`")
        );
        assert_eq!(read("").unwrap_err().kind(), ErrorKind::Input);
    }

    #[test]
    fn other_kinds_are_named() {
        let error = read(&SMALL.replace("HAAR", "HOG")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains("`HOG`"), "{error}");
        assert!(refused("HAAR", "LBP").contains("expected 256 categories"));
    }

    #[test]
    fn patterns_are_read() {
        let text = SMALL
            .replace("HAAR", "LBP")
            .replace("<maxCatCount>0", "<maxCatCount>256")
            .replace("<internalNodes>0 -1 1 -2.5e-1<", "<internalNodes>0 -1 1 -1 0 1 2 3 4 5 -2147483648<")
            .replace("<_><internalNodes>1 0 0 .5 -1 -2 1 7</internalNodes>\n          <leafValues>1 2 3</leafValues></_>", "")
            .replace("<rects><_>0 0 24 20 -1.</_><_>1 2 3 4 2.</_></rects>", "<rect>0 0 8 6</rect>")
            .replace("<rects><!-- turned --><_>5 0 4 5 1</_></rects>\n      <tilted>1</tilted>", "<rect>3 2 7 6</rect>");
        let cascade = read(&text).unwrap();
        let block = |x, y, width, height| PatternBlock { x, y, width, height };
        assert_eq!(cascade.features(), &Features::Lbp(vec![block(0, 0, 8, 6), block(3, 2, 7, 6)]));
        let node = cascade.stages()[0].trees[0].nodes[0];
        assert_eq!(node.question, Question::Among([u32::MAX, 0, 1, 2, 3, 4, 5, 1 << 31]));
        let error = read(&text.replace("3 2 7 6", "4 2 7 6")).unwrap_err();
        assert!(error.to_string().contains("feature 1: 3x3 cells of `4 2 7 6` are not inside"), "{error}");
        let error = read(&text.replace("4 5 -2147483648", "4 5")).unwrap_err();
        assert!(error.to_string().contains("pattern7`, got 10 numbers"), "{error}");
    }

    #[test]
    fn the_layout_from_before_is_read() {
        let old = r#"<opencv_storage><x type_id="opencv-haar-classifier"><size>24 20</size><stages><_><trees>
            <_><_><feature><rects><_>0 0 24 20 -1.</_><_>1 2 3 4 2.</_></rects><tilted>0</tilted></feature>
                <threshold>-2.5e-1</threshold><left_val>1.</left_val><right_val>-.5</right_val></_></_>
            <_><_><feature><rects><_>5 0 4 5 1</_></rects><tilted>1</tilted></feature>
                <threshold>.5</threshold><left_node>1</left_node><right_val>3.</right_val></_>
               <_><feature><rects><_>0 0 2 2 1</_></rects><tilted>0</tilted></feature>
                <threshold>7</threshold><left_val>1</left_val><right_val>2</right_val></_></_></trees>
            <stage_threshold>-1.5e-01</stage_threshold><parent>-1</parent><next>-1</next></_></stages></x></opencv_storage>"#;
        let cascade = read(old).unwrap();
        assert_eq!((cascade.width(), cascade.height(), cascade.features().len()), (24, 20, 3));
        let [stage] = cascade.stages() else { panic!("one stage") };
        assert_eq!(stage.threshold, -0.15);
        let (left, right) = (Branch::Node(1), Branch::Leaf(3.0));
        assert_eq!(stage.trees[1].nodes[0], Node { feature: 1, question: Question::Below(0.5), left, right });
        assert_eq!(stage.trees[1].nodes[1].left, Branch::Leaf(1.0));
        for (from, to, message) in [
            ("<size>24 20<", "<size>24<", "expected a size `width height`, got 1 numbers"),
            ("0 0 24 20 -1.", "0 0 25 20 -1.", "stage 0: rectangle `0 0 25 20` is not inside"),
            ("<left_node>1<", "<left_node>0<", "expected a branch to a later node"),
            ("<right_val>3.</right_val>", "", "expected `right_node`"),
        ] {
            let error = read(&old.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn a_calibration_is_read() {
        let with = |text: &str| {
            read(&SMALL.replace("</cascade>", &format!("<calibration>{text}</calibration></cascade>")))
        };
        let calibration = Calibration { slope: 0.5, intercept: -2.25 };
        assert_eq!(with("0.5 -2.25").unwrap().calibration(), Some(calibration));
        assert!((calibration.probability(4.5f64.exp() - 1.0) - 0.5).abs() < 1e-12);
        assert!(calibration.probability(9f64.exp()) > 0.9);
        for wrong in ["", "1", "1 2 3", "0 1", "-1 2", "nan 0", "1 inf"] {
            assert_eq!(with(wrong).unwrap_err().kind(), ErrorKind::Input, "{wrong}");
        }
    }

    #[test]
    fn bombs_are_refused() {
        let entities = r#"<!DOCTYPE a [<!ENTITY b "b">]><opencv_storage>&b;</opencv_storage>"#;
        assert_eq!(read(entities).unwrap_err().kind(), ErrorKind::Input);
        assert!(read(&"<_>".repeat(1 << 20)).is_err());
        let attributes = (0..100).map(|i| format!("a{i}=''")).collect::<Vec<_>>().join(" ");
        assert_eq!(read(&format!("<opencv_storage {attributes}/>")).unwrap_err().kind(), ErrorKind::Limit);
        let spaces = gzip(&vec![b' '; MAX_TEXT + 1]);
        assert!(spaces.len() < 100_000);
        assert_eq!(Cascade::from_bytes(&spaces).unwrap_err().kind(), ErrorKind::Limit);
        let cut = gzip(SMALL.as_bytes());
        assert_eq!(Cascade::from_bytes(&cut[..cut.len() / 2]).unwrap_err().kind(), ErrorKind::Input);
        assert_eq!(Cascade::from_bytes(&[0xff, 0xfe, 0x41]).unwrap_err().kind(), ErrorKind::Input);
    }

    proptest! {
        /// Any spoilt byte gives a cascade or an error, and a cascade can be run.
        #[test]
        fn spoilt_bytes_do_no_harm(at in 0..SMALL.len(), byte: u8, cut in 0..SMALL.len()) {
            let mut bytes = SMALL.as_bytes().to_vec();
            bytes[at] = byte;
            if let Ok(cascade) = Cascade::from_bytes(&bytes) {
                let picture = crate::image::Plane::from_fn(40, 40, |x, y| (x * y) as u8);
                cascade.detect(picture.view(), &super::super::Params::default()).unwrap();
            }
            prop_assert!(Cascade::from_bytes(&SMALL.as_bytes()[..cut.min(SMALL.len() - 20)]).is_err());
        }
    }
}
