//! Architecture files: a net as TOML.
//!
//! ```toml
//! version = 1
//! name = "tiny"
//! input = [1, 8, 8]      # channels, height, width
//! mean = [0.13]          # optional: subtracted from values in 0..1, one for each channel
//! std = [0.31]           # optional: what is left is divided by this
//! classes = ["o", "x"]   # optional: the names of the outputs
//!
//! [[layer]]
//! use = "conv2d"
//! name = "conv1"
//! out = 4
//! kernel = 3
//! ```
//!
//! `in` takes the name of an earlier layer, or a list of names, or `input`; without it a layer takes
//! the output of the one above. `name` defaults to the kind, numbered from the second on: `relu`,
//! `relu-2`. The output of the net is that of the last layer.

mod read;

use super::Shape;
use super::layer::{Kind, Spec};
use crate::document::{Diagnostics, Source as Text};
use crate::{Error, Result};

/// The architectures that the crate carries, as name and text.
pub static BUILTIN: &[(&str, &str)] =
    &[("lenet5", include_str!("../../../nets/lenet5.toml")), ("mlp", include_str!("../../../nets/mlp.toml"))];

/// The text of an architecture that the crate carries.
pub fn builtin(name: &str) -> Option<Text> {
    let found = BUILTIN.iter().find(|(builtin, _)| *builtin == name);
    found.map(|(name, text)| Text::new(format!("builtin:{name}"), *text))
}

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
    /// The layers; each takes its inputs from earlier ones.
    pub layers: Vec<ArchLayer>,
    /// The file's text.
    pub text: String,
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
        let mut text = self.text.clone();
        if self.classes != classes {
            let wrong = |error: &dyn std::fmt::Display| Error::pipeline(error.to_string());
            let mut file: toml::Table = text.parse().map_err(|error: toml::de::Error| wrong(&error))?;
            file.insert("classes".into(), classes.iter().map(String::as_str).collect::<Vec<_>>().into());
            // Keys of the file must come before its layers.
            if let Some(layers) = file.remove("layer") {
                file.insert("layer".into(), layers);
            }
            text = toml::to_string(&file).map_err(|error| wrong(&error))?;
        }
        parse(&Text::new(&self.name, text))
    }
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
            assert_eq!(&*arch.output(), [10]);
            assert_eq!(arch.classes.len(), 10);
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
    fn classes_are_written_into_the_text() {
        let arch = read("[[layer]]\nuse = \"flatten\"\n[[layer]]\nuse = \"linear\"\nout = 2\n").unwrap();
        let named = arch.with_classes(&["no".into(), "yes".into()]).unwrap();
        assert_eq!(named.classes, ["no", "yes"]);
        assert_eq!(named.layers.len(), 2);
        assert_eq!(named.with_classes(&named.classes).unwrap().text, named.text);
        assert!(arch.with_classes(&["only".into()]).is_err());
    }
}
