//! `lyncean nets`: architectures, with shapes, parameters and multiply-adds.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::{Exit, Outcome, console};
use crate::document::Source;
use crate::nn::arch;
use crate::nn::layer::{Conv2d, Spec};
use crate::nn::{Net, Padding, Pair, Precision, Shape, Summary, onnx, summary};
use crate::{Error, Result};

/// List the built-in nets, or tell one of them (or a file's) layer by layer.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    #[command(subcommand)]
    file: Option<File>,
    /// A built-in net, or a net file
    name: Option<String>,
    /// Write JSON
    #[arg(long)]
    json: bool,
    /// The input, in place of the net's own: CHANNELSxHEIGHTxWIDTH, or HEIGHTxWIDTHxCHANNELS with
    /// `--conv-arith`
    #[arg(long, value_name = "SIZES", value_parser = sizes)]
    input: Option<Sizes>,
    /// Tell sizes and costs of one convolution
    #[arg(long, requires_all = ["input", "filters", "kernel"], conflicts_with = "name")]
    conv_arith: bool,
    /// Number of filters
    #[arg(long, value_name = "N", requires = "conv_arith")]
    filters: Option<usize>,
    /// Filter size K
    #[arg(short, long, value_name = "K", requires = "conv_arith")]
    kernel: Option<usize>,
    /// Padding P on every side
    #[arg(short, long, value_name = "P", default_value_t = 0)]
    padding: usize,
    /// Stride S
    #[arg(short, long, value_name = "S", default_value_t = 1)]
    stride: usize,
    /// Distance of neighbouring filter taps
    #[arg(short, long, value_name = "D", default_value_t = 1)]
    dilation: usize,
    /// Groups of channels and filters
    #[arg(short, long, value_name = "G", default_value_t = 1)]
    groups: usize,
}

#[derive(clap::Subcommand)]
enum File {
    /// Write a net as ONNX
    Export {
        /// Weights with their net (.safetensors); or a built-in net or a net file, with first weights
        model: String,
        /// Where to write
        #[arg(short, long, value_name = "FILE.onnx")]
        output: PathBuf,
    },
    /// Store the weights of a net with fewer bits, or with all again
    Convert {
        /// Weights with their net (.safetensors)
        model: PathBuf,
        /// How numbers are stored: `f32`; `f16`, up to 65,504; or `bf16`, as far as `f32` and coarser. Rounded to the
        /// nearest, of two alike to the even one
        #[arg(long, value_name = "TYPE", value_parser = precision)]
        dtype: Precision,
        /// Where to write
        #[arg(short, long, value_name = "FILE.safetensors")]
        output: PathBuf,
    },
    /// Read a net from ONNX and write it as safetensors
    Import {
        /// The ONNX file
        file: PathBuf,
        /// The shape of one sample, where the file leaves it open or another one is wanted
        #[arg(long, value_name = "SIZES", value_parser = sizes)]
        input: Option<Sizes>,
        /// Which output of the file is that of the net, where it has several; given more than once, all their values
        /// one after another
        #[arg(long, value_name = "NAME")]
        take: Vec<String>,
        /// What the net is called; by default as the file says
        #[arg(long)]
        name: Option<String>,
        /// Where to write
        #[arg(short, long, value_name = "FILE.safetensors")]
        output: PathBuf,
    },
}

/// Lengths with an `x` between them.
#[derive(Clone)]
struct Sizes(Vec<usize>);

fn sizes(text: &str) -> std::result::Result<Sizes, String> {
    let lengths: std::result::Result<Vec<usize>, _> = text.split('x').map(str::parse).collect();
    lengths
        .map(Sizes)
        .map_err(|_| "expected whole numbers with `x` between them, as in `3x224x224`".to_owned())
}

fn precision(text: &str) -> std::result::Result<Precision, String> {
    match text {
        "f32" => Ok(Precision::F32),
        "f16" => Ok(Precision::F16),
        "bf16" => Ok(Precision::Bf16),
        _ => Err("expected `f32`, `f16` or `bf16`".to_owned()),
    }
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Outcome {
    if let Some(file) = &args.file {
        return convert(file);
    }
    if args.conv_arith {
        return conv_arith(args);
    }
    let Some(name) = &args.name else { return list(args.json) };
    let mut arch = arch::parse(&source(name)?)?;
    if let Some(Sizes(input)) = &args.input {
        arch = arch.with_input(input)?;
    }
    let summary = summary(&arch)?;
    if args.json {
        console::print_json(&serde_json::json!(summary))?;
    } else {
        console::print(&text(&summary))?;
    }
    Ok(Exit::Done)
}

/// The seed of the first weights of a net that is written without others.
const SEED: u64 = 0;

/// Writes a net from one kind of file as another.
fn convert(file: &File) -> Outcome {
    let (net, bytes, path) = match file {
        File::Export { model, output } => {
            let path = Path::new(model);
            let net = if path.extension().is_some_and(|ending| ending == "safetensors") {
                Net::open(path)?
            } else {
                Net::build(arch::parse(&source(model)?)?, SEED)?
            };
            let bytes = onnx::export(&net)?;
            (net, bytes, output)
        }
        File::Convert { model, dtype, output } => {
            let net = Net::open(model)?;
            let bytes =
                net.to_safetensors_in(*dtype).map_err(|error| error.within(model.display().to_string()))?;
            (net, bytes, output)
        }
        File::Import { file, input, take, name, output } => {
            let input = input.as_ref().map(|Sizes(input)| Shape::new(input)).transpose()?;
            let bytes = crate::document::read(file, u64::MAX)?;
            let of_file = |error: Error| error.within(file.display().to_string());
            let folder = file.parent().unwrap_or(Path::new(""));
            let external = onnx::external_files(&bytes).map_err(of_file)?.into_iter().map(|name| {
                let bytes = crate::document::read(&folder.join(&name), u64::MAX)?;
                Ok((name, bytes))
            });
            let external = external.collect::<crate::Result<_>>()?;
            let options = onnx::ImportOptions { input, outputs: take.clone(), name: name.clone(), external };
            let net = onnx::import(&bytes, &options).map_err(of_file)?;
            let bytes = net.to_safetensors()?;
            (net, bytes, output)
        }
    };
    std::fs::write(path, bytes).map_err(|error| Error::io(path.display(), error))?;
    let arch = net.arch();
    let count: usize = net.params().map(|param| param.value.shape().count()).sum();
    let (layers, input, output) = (arch.layers.len(), shape(&arch.input), shape(&arch.output()));
    console::print(&format!(
        "{}: {layers} layers, {input} to {output}, {} parameters, written to {}\n",
        arch.name,
        grouped(count as u64),
        path.display()
    ))?;
    Ok(Exit::Done)
}

/// Sizes and costs of one convolution.
fn conv_arith(args: &Args) -> Outcome {
    let input = args.input.as_ref().map(|Sizes(input)| input.as_slice()).unwrap_or_default();
    let &[height, width, channels] = input else {
        let got = shape(input);
        return Err(Error::shape(format!("expected `--input` HEIGHTxWIDTHxCHANNELS, got `{got}`")).into());
    };
    let (filters, kernel) = (args.filters.unwrap_or_default(), args.kernel.unwrap_or_default());
    let spec = Conv2d {
        padding: Padding::All(args.padding),
        stride: Pair::One(args.stride),
        dilation: Pair::One(args.dilation),
        groups: args.groups,
        ..Conv2d::new(filters, kernel)
    };
    let inputs = [Shape::new(&[channels, height, width])?];
    let output = spec.output(&inputs)?;
    let (parameters, macs) = (spec.parameters(&inputs)?, spec.multiply_adds(&inputs)?);
    let field = args.dilation * (kernel - 1) + 1;
    let notes = spec.notes(&inputs)?;
    if args.json {
        console::print_json(&serde_json::json!({
            "input": [height, width, channels], "output": [output[1], output[2], output[0]],
            "parameters": parameters, "weights": parameters - filters, "biases": filters, "macs": macs,
            "receptive_field": field, "notes": notes,
        }))?;
        return Ok(Exit::Done);
    }
    let rows = [
        ["input".to_owned(), format!("{height}x{width}x{channels}"), "height x width x channels".to_owned()],
        [
            "output".to_owned(),
            format!("{}x{}x{filters}", output[1], output[2]),
            "(N + 2 P - D (K - 1) - 1) / S + 1, rounded down, x filters".to_owned(),
        ],
        [
            "parameters".to_owned(),
            grouped(parameters as u64),
            format!("{filters} x ({kernel} x {kernel} x {} + 1)", channels / args.groups),
        ],
        ["multiply-adds".to_owned(), grouped(macs), "weights x output positions".to_owned()],
        [
            "receptive field".to_owned(),
            format!("{field}x{field}"),
            "D (K - 1) + 1 pixels of the input".to_owned(),
        ],
    ];
    let mut text = console::table(["what", "value", "from"], rows);
    for note in &notes {
        // Writing to a string cannot fail.
        let _ = write!(text, "\nnote: {note}");
    }
    console::print(&text)?;
    Ok(Exit::Done)
}

/// The text of a built-in net, with or without `builtin:`, or of a file.
pub(super) fn source(name: &str) -> Result<Source> {
    if let Some(text) = arch::builtin(name.strip_prefix("builtin:").unwrap_or(name)) {
        return Ok(text);
    }
    let path = Path::new(name);
    if path.extension().is_none() && !path.exists() {
        let known = arch::BUILTIN.iter().map(|(name, _)| *name);
        let error = Error::pipeline(format!("there is no net `{name}`"));
        return Err(match crate::document::did_you_mean(name, known) {
            Some(hint) => error.with_hint(hint),
            None => error,
        });
    }
    Source::read(path)
}

fn list(json: bool) -> Outcome {
    let nets = arch::BUILTIN
        .iter()
        .map(|(name, text)| summary(&arch::parse(&Source::new(format!("builtin:{name}"), *text))?));
    let nets = nets.collect::<Result<Vec<Summary>>>()?;
    if json {
        let list = nets.iter().map(|net| {
            serde_json::json!({
                "name": net.name, "input": net.input, "parameters": net.parameters,
                "parameters_with_aux": net.parameters_with_aux, "macs": net.multiply_adds,
                "activation_bytes": net.activation_bytes, "peak_bytes": net.peak_bytes,
            })
        });
        console::print_json(&list.collect())?;
        return Ok(Exit::Done);
    }
    let rows = nets.iter().map(|net| {
        [net.name.clone(), shape(&net.input), grouped(net.parameters as u64), grouped(net.multiply_adds)]
    });
    console::print(&console::table(["net", "input", "parameters", "multiply-adds"], rows))?;
    Ok(Exit::Done)
}

fn text(net: &Summary) -> String {
    let rows = net.rows.iter().map(|row| {
        [
            row.name.clone(),
            row.kind.to_owned(),
            row.inputs.join(", "),
            shape(&row.output),
            grouped(row.parameters as u64),
            grouped(row.multiply_adds),
            field(row.receptive_field),
        ]
    });
    let mut text = format!("{}: input {}\n\n", net.name, shape(&net.input));
    text += &console::table(["layer", "kind", "in", "output", "parameters", "multiply-adds", "sees"], rows);
    let (parameters, multiply_adds) = (grouped(net.parameters as u64), grouped(net.multiply_adds));
    // Writing to a string cannot fail.
    let _ = writeln!(text, "\n\n{parameters} parameters, {multiply_adds} multiply-adds a sample");
    if net.parameters_with_aux > net.parameters {
        let all = grouped(net.parameters_with_aux as u64);
        let _ = writeln!(text, "{all} parameters with the auxiliary heads, which inference leaves out");
    }
    let mib = |bytes: u64| format!("{:.2} MiB", bytes as f64 / f64::from(1 << 20));
    let (all, peak) = (mib(net.activation_bytes), mib(net.peak_bytes));
    let _ = writeln!(text, "activations of a sample: {all} in training, at most {peak} at once in inference");
    for row in &net.rows {
        for note in &row.notes {
            let _ = writeln!(text, "note: {}: {note}", row.name);
        }
    }
    text
}

/// A receptive field.
fn field([height, width]: [f64; 2]) -> String {
    let whole = |side: f64| side.ceil();
    format!("{}x{}", whole(height), whole(width))
}

pub(super) fn shape(lengths: &[usize]) -> String {
    lengths.iter().map(ToString::to_string).collect::<Vec<_>>().join("x")
}

/// A number with commas between its thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_told_apart() {
        assert_eq!(
            [0, 7, 999, 1000, 61_706, 1_234_567].map(grouped),
            ["0", "7", "999", "1,000", "61,706", "1,234,567"]
        );
    }

    #[test]
    fn misspelt_nets_are_hinted_at() {
        assert_eq!(source("lenet").unwrap_err().hint(), Some("did you mean `lenet5`?"));
    }
}
