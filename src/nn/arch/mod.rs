//! Architecture files: a net as TOML.
//!
//! ```toml
//! version = 1
//! name = "tiny"
//! input = [1, 8, 8]      # channels, height, width
//! mean = [0.13]          # optional: subtracted from values in 0..1, one for each channel
//! std = [0.31]           # optional: what is left is divided by this
//! classes = ["o", "x"]   # optional: the names of the outputs, or of their channels
//!
//! [[layer]]
//! use = "conv2d"
//! name = "conv1"
//! out = 4
//! kernel = 3
//! ```
//!
//! Layers that come again are written once, as a block, and used like a layer:
//!
//! ```toml
//! [[block]]
//! name = "conv-relu"
//! parameters = ["out"]           # what a use must say
//! defaults = { kernel = 3 }      # what it may say
//!
//! [[block.layer]]
//! use = "conv2d"
//! name = "conv"
//! out = "$out"
//! kernel = "$kernel"
//!
//! [[block.layer]]
//! use = "relu"
//!
//! [[layer]]
//! use = "conv-relu"
//! name = "trunk"
//! out = 8
//! repeat = 2                     # trunk.0.conv, trunk.0.relu, trunk.1.conv, trunk.1.relu
//! ```
//!
//! With `first = 1` the numbers begin there; without `repeat` there is none: `trunk.conv`. In a block
//! `in` names its own layers, `input` is what the block is given (`input.0` and so on, where that is
//! several), and its output is that of its last layer. `include` names files of blocks.
//!
//! Outputs that training looks at beside the last layer, such as Inception's auxiliary classifiers, are
//! heads: `[[head]]` with `layer` and the `weight` of its loss. Layers that only heads need are not
//! computed in inference.
//!
//! ```
//! use lyncean::document::Source;
//! use lyncean::nn::arch::{self, Head};
//!
//! let text = "version = 1\nname = \"two\"\ninput = [4]\n[[head]]\nlayer = \"early\"\nweight = 0.3\n\
//!     [[layer]]\nuse = \"linear\"\nname = \"trunk\"\nout = 8\n[[layer]]\nuse = \"linear\"\nname = \"early\"\nout = 2\n\
//!     [[layer]]\nuse = \"linear\"\nname = \"late\"\nin = \"trunk\"\nout = 2\n";
//! let net = arch::parse(&Source::new("two.toml", text))?;
//! assert_eq!(net.heads, [Head { layer: 1, weight: 0.3 }]);
//! assert_eq!(net.needed(), [true, false, true]);
//! # Ok::<(), lyncean::Error>(())
//! ```
//!
//! `in` takes the name of an earlier layer, or a list of names, or `input`; without it a layer takes
//! the output of the one above. `name` defaults to the kind, numbered from the second on: `relu`,
//! `relu-2`. The output of the net is that of the last layer.

mod blocks;
mod builtin;
mod expand;
mod include;
mod read;

pub use builtin::{BUILTIN, builtin};

use super::Shape;
use super::layer::{Kind, Spec};
use crate::document::{Diagnostics, Source as Text};
use crate::{Error, Result};

/// The version of architecture files.
const VERSION: i64 = 1;

/// A checked architecture: every layer known, every shape computed.
#[derive(Debug)]
pub struct Arch {
    /// The name of the net.
    pub name: String,
    /// The shape of one input sample, `[channels, height, width]`.
    pub input: Shape,
    /// What is subtracted from values in 0..1, by channel.
    pub mean: Vec<f32>,
    /// What values are divided by after that, by channel.
    pub std: Vec<f32>,
    /// The names of the outputs, or none.
    pub classes: Vec<String>,
    /// The words that a net for text knows, by number, or none.
    pub words: Vec<String>,
    /// The layers; each takes its inputs from earlier ones.
    pub layers: Vec<ArchLayer>,
    /// Outputs that training looks at beside the last layer's.
    pub heads: Vec<Head>,
    /// The file's text, with what it includes written into it.
    pub text: String,
}

/// An output that training looks at beside the net's, such as an auxiliary classifier (Szegedy et al.,
/// 2015).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Head {
    /// The layer whose output it is.
    pub layer: usize,
    /// What its loss is multiplied by.
    pub weight: f32,
}

/// One layer of an architecture.
#[derive(Debug)]
pub struct ArchLayer {
    /// Its name, unique in the net.
    pub name: String,
    /// Its kind.
    pub kind: &'static Kind,
    /// Its parameters.
    pub spec: Box<dyn Spec>,
    /// Its parameters, as the file gives them.
    pub parameters: serde_json::Value,
    /// Where its inputs come from.
    pub inputs: Vec<Source>,
    /// The shape of one output sample.
    pub output: Shape,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The input of the net.
    Input,
    /// The output of the layer with this index.
    Layer(usize),
}

/// Reads and checks an architecture file.
///
/// # Errors
/// [`Pipeline`](crate::ErrorKind::Pipeline) with all problems, each with its line and a caret.
pub fn parse(text: &Text) -> Result<Arch> {
    let mut problems = Diagnostics::new(text.clone());
    let arch = read::read(text, &mut problems);
    match (arch, problems.into_error()) {
        (Some(arch), None) => Ok(arch),
        (_, Some(error)) => Err(error),
        (None, None) => Err(Error::pipeline(format!("`{}` cannot be understood", text.name()))),
    }
}

impl Arch {
    /// The shape of one output sample.
    pub fn output(&self) -> Shape {
        self.layers.last().map_or(self.input, |layer| layer.output)
    }

    /// For every layer whether the output of the net depends on it. Heads do not count.
    pub fn needed(&self) -> Vec<bool> {
        let mut needed = vec![false; self.layers.len()];
        if let Some(last) = needed.last_mut() {
            *last = true;
        }
        for (index, layer) in self.layers.iter().enumerate().rev() {
            if needed[index] {
                for source in &layer.inputs {
                    if let Source::Layer(from) = *source {
                        needed[from] = true;
                    }
                }
            }
        }
        needed
    }

    /// The index of a layer by its name.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) with the closest name, when there is no such layer.
    pub(crate) fn find(&self, layer: &str) -> Result<usize> {
        let names = || self.layers.iter().map(|layer| layer.name.as_str());
        names().position(|name| name == layer).ok_or_else(|| {
            let error = Error::pipeline(format!("net `{}` has no layer `{layer}`", self.name));
            let hint = crate::document::did_you_mean(layer, names());
            error.with_hint(hint.unwrap_or_else(|| "`lyncean nets NAME` lists the layers".to_owned()))
        })
    }

    /// As [`find`](Self::find), for a layer that is computed in inference.
    ///
    /// # Errors
    /// As [`find`](Self::find), and when only heads read the layer.
    pub(crate) fn find_needed(&self, layer: &str) -> Result<usize> {
        let at = self.find(layer)?;
        if self.needed()[at] {
            return Ok(at);
        }
        Err(Error::pipeline(format!("layer `{layer}` of net `{}` is not computed in inference", self.name))
            .with_hint("only heads of training read it; take a layer that leads to the output"))
    }

    /// The shapes of the inputs of a layer for one sample.
    pub fn inputs(&self, layer: &ArchLayer) -> Vec<Shape> {
        let shape = |source: &Source| match *source {
            Source::Input => self.input,
            Source::Layer(index) => self.layers[index].output,
        };
        layer.inputs.iter().map(shape).collect()
    }

    /// The same architecture with names for its outputs, in its text too.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) when the output has another length.
    pub fn with_classes(&self, classes: &[String]) -> Result<Self> {
        if self.classes == classes {
            return parse(&Text::new(&self.name, &*self.text));
        }
        self.with("classes", classes.iter().map(String::as_str).collect::<Vec<_>>().into())
    }

    /// The same architecture for inputs of another shape, in its text too.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) when the layers do not take it.
    pub fn with_input(&self, input: &[usize]) -> Result<Self> {
        self.with("input", input.iter().map(|&len| len as i64).collect::<Vec<_>>().into())
    }

    /// The same architecture for a vocabulary, in its text too: every `embedding` that stands in the file as a
    /// layer of its own gets as many vectors.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) when an embedding of a block has another number of vectors.
    pub fn with_words(&self, words: &[String]) -> Result<Self> {
        self.edited(|file| {
            file.insert("words".into(), words.iter().map(String::as_str).collect::<Vec<_>>().into());
            for layer in layers_of(file) {
                if layer.get("use").and_then(toml::Value::as_str) == Some("embedding") {
                    layer.insert("count".into(), (words.len() as i64).into());
                }
            }
        })
    }

    /// The same architecture with so many outputs, in its text too: the last layer's `out` is changed, where
    /// it has one, and names of classes go.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) when the layers do not take it.
    pub fn with_outputs(&self, count: usize) -> Result<Self> {
        self.edited(|file| {
            file.remove("classes");
            let last = layers_of(file).last();
            if let Some(out) = last.and_then(|layer| layer.get_mut("out")).filter(|out| out.is_integer()) {
                *out = (count as i64).into();
            }
        })
    }

    /// The same layers, which give the values of some of them one after another, and the shape of one sample of
    /// each of those. Names of classes and heads of training go.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) when there is no such layer.
    pub(crate) fn joined(&self, names: &[String]) -> Result<(Self, Vec<Shape>)> {
        for name in names {
            // Within the net the last layer of a block bears a longer name than the block.
            let of_block = format!("{name}.");
            if !self.layers.iter().any(|layer| layer.name.starts_with(&of_block)) {
                self.find(name)?;
            }
        }
        let joined = self.edited(|file| {
            file.remove("classes");
            file.remove("head");
            let flat = |name: &String| format!("{name}.values");
            let layer = |kind: &str, name: String, inputs: toml::Value| {
                let keys = [("use", kind.into()), ("name", name.into()), ("in", inputs)];
                toml::Value::Table(keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
            };
            let mut added: Vec<toml::Value> =
                names.iter().map(|name| layer("flatten", flat(name), name.as_str().into())).collect();
            if names.len() > 1 {
                let all: Vec<toml::Value> = names.iter().map(|name| flat(name).into()).collect();
                added.push(layer("concat", "joined.values".into(), all.into()));
            }
            if let Some(layers) = file.get_mut("layer").and_then(toml::Value::as_array_mut) {
                layers.extend(added);
            }
        })?;
        let first = joined.layers.len() - names.len() - usize::from(names.len() > 1);
        let shapes = joined.layers[first..][..names.len()].iter().map(|layer| joined.inputs(layer)[0]);
        let shapes = shapes.collect();
        Ok((joined, shapes))
    }

    /// The architecture of the same text, but for a key of the file.
    fn with(&self, key: &str, value: toml::Value) -> Result<Self> {
        self.edited(|file| drop(file.insert(key.into(), value)))
    }

    /// The architecture of the same text with a change.
    fn edited(&self, change: impl FnOnce(&mut toml::Table)) -> Result<Self> {
        let wrong = |error: &dyn std::fmt::Display| Error::pipeline(error.to_string());
        let mut file: toml::Table = self.text.parse().map_err(|error: toml::de::Error| wrong(&error))?;
        change(&mut file);
        let text = text_of(file).map_err(|error| wrong(&error))?;
        parse(&Text::new(&self.name, text))
    }
}

/// The layers of a file, as they stand there.
fn layers_of(file: &mut toml::Table) -> impl Iterator<Item = &mut toml::Table> {
    let layers = file.get_mut("layer").and_then(toml::Value::as_array_mut);
    layers.into_iter().flatten().filter_map(toml::Value::as_table_mut)
}

/// The text of a file's keys, with its tables behind them.
fn text_of(mut file: toml::Table) -> std::result::Result<String, toml::ser::Error> {
    for key in ["block", "head", "layer"] {
        if let Some(tables) = file.remove(key) {
            file.insert(key.into(), tables);
        }
    }
    toml::to_string(&file)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "version = 1\nname = \"t\"\ninput = [1, 6, 6]\n";

    fn read(layers: &str) -> Result<Arch> {
        parse(&Text::new("t.toml", format!("{HEAD}{layers}")))
    }

    fn messages(text: &str) -> Vec<String> {
        let error = parse(&Text::new("t.toml", text)).unwrap_err();
        error.diagnostics().unwrap().sorted().iter().map(|d| format!("{} {}", d.code, d.message)).collect()
    }

    #[test]
    fn the_nets_that_ship_are_right() {
        for (name, _) in BUILTIN {
            let arch = parse(&builtin(name).unwrap()).unwrap();
            assert_eq!(arch.name, *name);
            // What is stored with weights is the same net.
            let again = parse(&Text::new("again", &*arch.text)).unwrap();
            assert_eq!(again.layers.len(), arch.layers.len());
        }
        assert!(builtin("lenet6").is_none());
    }

    #[test]
    fn layers_connect_by_name_or_in_order() {
        let arch = read(
            "[[layer]]\nuse = \"relu\"\n[[layer]]\nuse = \"relu\"\nin = \"input\"\n\
             [[layer]]\nuse = \"relu\"\nname = \"end\"\nin = [\"relu\"]\n[[layer]]\nuse = \"flatten\"\n",
        )
        .unwrap();
        let names: Vec<_> = arch.layers.iter().map(|layer| layer.name.as_str()).collect();
        assert_eq!(names, ["relu", "relu-2", "end", "flatten"]);
        let inputs: Vec<_> = arch.layers.iter().map(|layer| layer.inputs[0]).collect();
        assert_eq!(inputs, [Source::Input, Source::Input, Source::Layer(0), Source::Layer(2)]);
        assert_eq!(&*arch.output(), [36]);
    }

    #[test]
    fn a_problem_shows_its_place() {
        let error = read("[[layer]]\nuse = \"conv2d\"\nout = 2\nkernel = 7\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "error[P016]: layer `conv2d`: expected an image of height 7 or more with its padding for a kernel of 7, \
             got 6 + 0 + 0 = 6\n --> t.toml:5:7\n  |\n5 | use = \"conv2d\"\n  |       ^^^^^^^^\n\
             hint: a smaller `kernel`, more `padding`, or less stride and pooling before this layer"
        );
    }

    #[test]
    fn all_problems_come_at_once() {
        let text = "version = 2\nname = \"t\"\ninput = [1, 6, 6]\nmeen = [0.1]\n\
            [[layer]]\nuse = \"conv\"\n\
            [[layer]]\nuse = \"conv2d\"\nname = \"a\"\nin = \"input\"\nout = 0\nkernal = 3\n\
            [[layer]]\nuse = \"relu\"\nname = \"a\"\nin = \"b\"\n\
            [[layer]]\nuse = \"linear\"\nin = \"input\"\nout = 3\n\
            [[layer]]\nuse = \"relu\"\nin = [\"input\", \"late\"]\n\
            [[layer]]\nuse = \"relu\"\nname = \"late\"\n[[layer]]\nname = \"x\"\n";
        assert_eq!(
            messages(text),
            [
                "P010 version `2` is not understood",
                "P002 a net has no `meen`",
                "P006 there is no layer `conv`",
                "P003 layer `a` wants `kernel`",
                "P005 `out` of layer `a` wants at least 1, got `0`",
                "P002 layer `a` has no `kernal`",
                "P009 two layers are called `a`",
                "P008 no layer is called `b`",
                "P016 layer `linear`: expected a vector `[features]`, got [1, 6, 6]",
                "P013 `late` stands further down",
                "P003 a layer wants `use`",
            ]
        );
    }

    #[test]
    fn the_head_is_checked() {
        let with = |line: &str| messages(&format!("{HEAD}{line}\n[[layer]]\nuse = \"flatten\"\n"));
        assert_eq!(
            with("mean = [0.1, 0.2]"),
            ["P004 `mean` of the net wants 1 values, one for each channel, got 2"]
        );
        assert_eq!(with("std = [0.0]"), ["P005 `std` of the net wants positive numbers"]);
        assert_eq!(
            with("classes = [\"a\"]"),
            ["P016 1 `classes` want an output of [1], but the net gives [36]"]
        );
        assert_eq!(messages(HEAD), ["P015 a net wants at least one layer"]);
        assert_eq!(messages("version = 1\nname = \"t\"\ninput = [0]\n[[layer]]\nuse = \"relu\"\n").len(), 1);
        assert_eq!(messages("version = 1\n[[layer]]\nuse = \"relu\"\n").len(), 2);
        assert_eq!(messages("version = ").len(), 1);
        let huge = "version = 1\nname = \"t\"\ninput = [1000000000, 1000000000]\n[[layer]]\nuse = \"relu\"\n";
        assert!(messages(huge)[0].contains("has more than"));
    }

    #[test]
    fn layers_are_found_by_name() {
        let head = format!("{HEAD}[[head]]\nlayer = \"early\"\nweight = 0.5\n");
        let text = format!(
            "{head}[[layer]]\nuse = \"relu\"\nname = \"stem\"\n[[layer]]\nuse = \"flatten\"\nname = \"early\"\n[[layer]]\nuse = \"flatten\"\nin = \"stem\"\n"
        );
        let arch = parse(&Text::new("t.toml", text)).unwrap();
        assert_eq!((arch.find("early").unwrap(), arch.find_needed("stem").unwrap()), (1, 0));
        let error = arch.find_needed("stam").unwrap_err();
        assert_eq!(
            (error.message(), error.hint()),
            ("net `t` has no layer `stam`", Some("did you mean `stem`?"))
        );
        let error = arch.find_needed("early").unwrap_err();
        assert_eq!(error.message(), "layer `early` of net `t` is not computed in inference");
        assert!(arch.find("stam").is_err());
    }

    #[test]
    fn classes_are_written_into_the_text() {
        let arch = read("[[layer]]\nuse = \"flatten\"\n[[layer]]\nuse = \"linear\"\nout = 2\n").unwrap();
        let named = arch.with_classes(&["no".into(), "yes".into()]).unwrap();
        assert_eq!(named.classes, ["no", "yes"]);
        assert_eq!(named.layers.len(), 2);
        assert_eq!(named.with_classes(&named.classes).unwrap().text, named.text);
        assert!(arch.with_classes(&["only".into()]).is_err());
    }

    #[test]
    fn vectors_follow_the_words_and_outputs_the_classes() {
        let arch = parse(&builtin("textcnn-multichannel").unwrap()).unwrap();
        let words = ["<pad>", "<unk>", "\"quoted\""].map(str::to_owned);
        let fitted = arch.with_words(&words).unwrap().with_outputs(6).unwrap();
        assert_eq!((&*fitted.words, &*fitted.output()), (&words[..], [6].as_slice()));
        let count = |name: &str| {
            let layer = fitted.layers.iter().find(|layer| layer.name == name).unwrap();
            layer.spec.parameters(&fitted.inputs(layer)).unwrap() / 300
        };
        assert_eq!([count("still"), count("words")], [3, 3]);
        let wrong = fitted.text.replace("count = 3", "count = 4");
        assert_eq!(messages(&wrong)[0], "P016 3 `words` want `count = 3` of layer `still`, got 4");
    }
}
