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
//! the output of the one before. `name` defaults to the kind, numbered from the second on: `relu`,
//! `relu2`. The output of the net is that of the last layer.

use serde::Deserialize;

use super::Shape;
use super::layer::{ALL, Kind, Spec};
use crate::{Error, Result};

/// The architectures that the crate carries, as name and text.
pub static BUILTIN: &[(&str, &str)] =
    &[("lenet5", include_str!("../../nets/lenet5.toml")), ("mlp", include_str!("../../nets/mlp.toml"))];

/// The text of an architecture that the crate carries.
pub fn builtin(name: &str) -> Option<&'static str> {
    BUILTIN.iter().find(|(builtin, _)| *builtin == name).map(|(_, text)| *text)
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: i64,
    name: String,
    input: Vec<usize>,
    mean: Option<Vec<f32>>,
    std: Option<Vec<f32>>,
    #[serde(default)]
    classes: Vec<String>,
    #[serde(default)]
    layer: Vec<toml::Table>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    One(String),
    Many(Vec<String>),
}

/// Reads and checks an architecture file.
///
/// # Errors
/// [`Pipeline`](crate::ErrorKind::Pipeline) with the problems, one a line.
pub fn parse(text: &str) -> Result<Arch> {
    let file: File = toml::from_str(text).map_err(|error| toml_error(&error))?;
    if file.version != 1 {
        return Err(Error::pipeline(format!("`version` must be 1, got {}", file.version)));
    }
    let input = Shape::new(&file.input)?;
    let channels = input.first().copied().unwrap_or_default();
    if input.is_empty() || input.count() == 0 {
        return Err(Error::pipeline(format!("`input` wants lengths of at least 1, got {input}")));
    }
    let per_channel = |name: &str, values: Option<Vec<f32>>, default: f32| match values {
        None => Ok(vec![default; channels]),
        Some(values) if values.len() == channels && values.iter().all(|value| value.is_finite()) => Ok(values),
        Some(values) => Err(Error::pipeline(format!(
            "`{name}` wants one finite number for each of {channels} channels, got {values:?}"
        ))),
    };
    let mut arch = Arch {
        name: file.name,
        input,
        mean: per_channel("mean", file.mean, 0.0)?,
        std: per_channel("std", file.std, 1.0)?,
        classes: file.classes,
        layers: Vec::new(),
        text: text.to_owned(),
    };
    if arch.std.iter().any(|&std| std <= 0.0) {
        return Err(Error::pipeline(format!("`std` must be positive, got {:?}", arch.std)));
    }
    for table in file.layer {
        let layer = arch.read_layer(table)?;
        arch.layers.push(layer);
    }
    let output = arch.output();
    if arch.layers.is_empty() {
        return Err(Error::pipeline("a net wants at least one `[[layer]]`"));
    }
    if !arch.classes.is_empty() && *output != [arch.classes.len()] {
        let (wanted, count) = (arch.classes.len(), arch.layers.len());
        return Err(Error::shape(format!("expected an output of [{wanted}] for the `classes`, got {output}"))
            .within(&arch.layers[count - 1].name));
    }
    Ok(arch)
}

fn toml_error(error: &toml::de::Error) -> Error {
    Error::pipeline(error.to_string().trim_end().to_owned())
}

impl Arch {
    /// The shape of one output sample.
    pub fn output(&self) -> Shape {
        self.layers.last().map_or(self.input, |layer| layer.output)
    }

    /// The shape that a source gives for one sample.
    pub fn shape(&self, source: Source) -> Shape {
        match source {
            Source::Input => self.input,
            Source::Layer(index) => self.layers[index].output,
        }
    }

    /// The shapes of the inputs of a layer for one sample.
    pub fn inputs(&self, layer: &ArchLayer) -> Vec<Shape> {
        layer.inputs.iter().map(|&source| self.shape(source)).collect()
    }

    /// The same architecture with names for its outputs, in its text too.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when the output has another length.
    pub fn with_classes(&self, classes: &[String]) -> Result<Self> {
        if self.classes == classes {
            return parse(&self.text);
        }
        let mut file: toml::Table = self.text.parse().map_err(|error| toml_error(&error))?;
        file.insert("classes".into(), classes.iter().map(String::as_str).collect::<Vec<_>>().into());
        // Keys of the file must come before its layers.
        if let Some(layers) = file.remove("layer") {
            file.insert("layer".into(), layers);
        }
        parse(&toml::to_string(&file).map_err(|error| Error::pipeline(error.to_string()))?)
    }

    fn read_layer(&self, mut table: toml::Table) -> Result<ArchLayer> {
        let number = self.layers.len() + 1;
        let take = |table: &mut toml::Table, key: &str| match table.remove(key) {
            None => Ok(None),
            Some(toml::Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(Error::pipeline(format!("`{key}` wants a string, got {other}"))
                .within(format!("layer {number}"))),
        };
        let Some(kind) = take(&mut table, "use")? else {
            return Err(Error::pipeline("`use` is missing").within(format!("layer {number}")));
        };
        let Some(kind) = Kind::by_name(&kind) else {
            let known = ALL.iter().map(|kind| format!("`{}`", kind.name)).collect::<Vec<_>>().join(", ");
            return Err(Error::pipeline(format!("there is no layer `{kind}`"))
                .within(format!("layer {number}"))
                .with_hint(format!("there are {known}")));
        };
        let name = take(&mut table, "name")?.unwrap_or_else(|| self.free_name(kind.name));
        self.read_parts(&name, kind, table).map_err(|error| error.within(name))
    }

    fn read_parts(&self, name: &str, kind: &'static Kind, mut table: toml::Table) -> Result<ArchLayer> {
        if name == "input" || self.layers.iter().any(|layer| layer.name == name) {
            return Err(Error::pipeline(format!("the name `{name}` is taken")));
        }
        if name.is_empty() || name.contains('.') {
            return Err(Error::pipeline(format!("a name wants letters and no dot, got `{name}`")));
        }
        let inputs = match table.remove("in") {
            None => vec![self.layers.len().checked_sub(1).map_or(Source::Input, Source::Layer)],
            Some(names) => match names.try_into() {
                Ok(Names::One(name)) => vec![self.source(&name)?],
                Ok(Names::Many(names)) => names.iter().map(|name| self.source(name)).collect::<Result<_>>()?,
                Err(_) => return Err(Error::pipeline("`in` wants a name or a list of names")),
            },
        };
        let spec = (kind.parse)(table).map_err(|error| toml_error(&error))?;
        let shapes: Vec<Shape> = inputs.iter().map(|&source| self.shape(source)).collect();
        let output = spec.output(&shapes)?;
        Ok(ArchLayer { name: name.to_owned(), kind, spec, inputs, output })
    }

    fn source(&self, name: &str) -> Result<Source> {
        if name == "input" {
            return Ok(Source::Input);
        }
        let found = self.layers.iter().position(|layer| layer.name == name);
        found.map(Source::Layer).ok_or_else(|| Error::pipeline(format!("there is no earlier layer `{name}`")))
    }

    fn free_name(&self, kind: &str) -> String {
        let taken = |name: &str| self.layers.iter().any(|layer| layer.name == name);
        let mut name = kind.to_owned();
        let mut number = 2;
        while taken(&name) {
            name = format!("{kind}{number}");
            number += 1;
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "version = 1\nname = \"t\"\ninput = [1, 6, 6]\n";

    fn message(layers: &str) -> String {
        parse(&format!("{HEAD}{layers}")).unwrap_err().to_string()
    }

    #[test]
    fn the_nets_that_ship_are_right() {
        for (name, text) in BUILTIN {
            let arch = parse(text).unwrap();
            assert_eq!(arch.name, *name);
            assert_eq!(&*arch.output(), [10]);
        }
    }

    #[test]
    fn layers_connect_by_name_or_in_order() {
        let text = "[[layer]]\nuse = \"relu\"\n[[layer]]\nuse = \"relu\"\nin = \"input\"\n\
                    [[layer]]\nuse = \"relu\"\nname = \"end\"\nin = [\"relu\"]\n[[layer]]\nuse = \"flatten\"\n";
        let arch = parse(&format!("{HEAD}{text}")).unwrap();
        let names: Vec<_> = arch.layers.iter().map(|layer| layer.name.as_str()).collect();
        assert_eq!(names, ["relu", "relu2", "end", "flatten"]);
        let inputs: Vec<_> = arch.layers.iter().map(|layer| layer.inputs[0]).collect();
        assert_eq!(inputs, [Source::Input, Source::Input, Source::Layer(0), Source::Layer(2)]);
        assert_eq!(&*arch.output(), [36]);
    }

    #[test]
    fn problems_name_the_layer() {
        assert!(message("[[layer]]\nuse = \"conv\"\n").starts_with("layer 1: there is no layer `conv`"));
        assert!(message("[[layer]]\nuse = \"relu\"\nname = \"a\"\nin = \"b\"\n").contains("a: there is no earlier layer `b`"));
        assert!(message("[[layer]]\nuse = \"conv2d\"\nout = 2\nkernel = 7\n").starts_with("conv2d: expected an image of height 7"));
        assert!(message("[[layer]]\nuse = \"conv2d\"\nout = 2\nkernel = 3\nsize = 1\n").contains("size"));
        assert!(message("[[layer]]\nuse = \"relu\"\n[[layer]]\nuse = \"relu\"\nname = \"relu\"\n").contains("taken"));
        assert!(message("").contains("at least one"));
        assert!(parse("version = 2\nname = \"t\"\ninput = [1]\n").is_err());
        assert!(parse("version = 1\nname = \"t\"\ninput = [1, 0, 3]\n").is_err());
    }

    #[test]
    fn classes_are_written_into_the_text() {
        let arch = parse(&format!("{HEAD}[[layer]]\nuse = \"flatten\"\n[[layer]]\nuse = \"linear\"\nout = 2\n")).unwrap();
        let named = arch.with_classes(&["no".into(), "yes".into()]).unwrap();
        assert_eq!(parse(&named.text).unwrap().classes, ["no", "yes"]);
        assert_eq!(named.layers.len(), 2);
        assert!(arch.with_classes(&["only".into()]).is_err());
    }
}
