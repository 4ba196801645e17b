//! Nets and ONNX files of a folder, for the scripts that ask ONNX Runtime: `export FOLDER [NET ...]` writes
//! built-in nets with random weights, `check FOLDER` reads each `NAME.onnx` and compares with the output `y` for the
//! input `x` of `NAME.safetensors`. Without arguments: LeNet-5, there and back.
#![allow(clippy::print_stdout, reason = "a program talks")]

use std::path::Path;

use lyncean::Error;
use lyncean::nn::onnx::{ImportOptions, export, import};
use lyncean::nn::{Net, Rng, Shape, Tensor, arch};
use safetensors::SafeTensors;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// A built-in net with numbers of its own in all places.
fn net(name: &str) -> Outcome<Net> {
    let text = arch::builtin(name).ok_or_else(|| Error::input(format!("there is no net `{name}`")))?;
    let mut net = Net::build(arch::parse(&text)?, 1)?;
    let rng = Rng::new(2);
    for (at, buffer) in net.buffers_mut().enumerate() {
        let (low, high) = if buffer.name.ends_with("mean") { (-0.1, 0.1) } else { (0.8, 1.2) };
        if buffer.name.contains("running") {
            buffer.value =
                Tensor::from_fn(buffer.value.shape(), |i| rng.between((at * 4099 + i) as u64, low, high));
        }
    }
    for (at, param) in net.params_mut().enumerate().filter(|(_, param)| param.value.shape().len() == 1) {
        let own = param.value.clone();
        let shift = |i: usize| own.data()[i] + rng.between((at * 8191 + i) as u64, -0.1, 0.1);
        param.value = Tensor::from_fn(own.shape(), shift);
    }
    Ok(net)
}

fn tensor(file: &SafeTensors<'_>, name: &str) -> Outcome<Tensor> {
    let view = file.tensor(name)?;
    let values = view.data().as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes));
    Ok(Tensor::from_vec(Shape::new(view.shape())?, values.collect())?)
}

/// The largest difference, of the largest output.
fn apart(net: &Net, x: &Tensor, wanted: &Tensor) -> Result<f32, Error> {
    let y = net.forward(x)?;
    if y.shape() != wanted.shape() {
        return Err(Error::shape(format!("gives {}, wanted {}", y.shape(), wanted.shape())));
    }
    let largest = wanted.data().iter().fold(f32::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
    let differences = y.data().iter().zip(wanted.data());
    Ok(differences.fold(0.0f32, |apart, (a, b)| {
        if a == b || a.is_nan() && b.is_nan() { apart } else { apart.max((a - b).abs()) }
    }) / largest)
}

fn check(folder: &Path) -> Outcome<()> {
    let mut files: Vec<_> = std::fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    for path in files.iter().filter(|path| path.extension().is_some_and(|ending| ending == "onnx")) {
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        let bytes = std::fs::read(path.with_extension("safetensors"))?;
        let file = SafeTensors::deserialize(&bytes)?;
        let (x, y) = (tensor(&file, "x")?, tensor(&file, "y")?);
        let options = ImportOptions { input: Some(x.shape().sample()), ..ImportOptions::default() };
        let found = import(&std::fs::read(path)?, &options).and_then(|net| apart(&net, &x, &y));
        let found = match found {
            Ok(apart) => format!("{apart:e}"),
            Err(error) => format!("refused {}", error.to_string().replace('\n', " ")),
        };
        // Of a file that `export` has written, the net itself too.
        let own = match path.with_extension("net").exists() {
            true => format!("\t{:e}", apart(&net(name)?, &x, &y)?),
            false => String::new(),
        };
        println!("{name}\t{found}{own}");
    }
    Ok(())
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["check", folder] => check(Path::new(folder))?,
        ["export", folder, names @ ..] => {
            for name in arch::BUILTIN
                .iter()
                .map(|(name, _)| *name)
                .filter(|name| names.is_empty() || names.contains(name))
            {
                match export(&net(name)?) {
                    Ok(bytes) => {
                        std::fs::write(Path::new(folder).join(format!("{name}.onnx")), bytes)?;
                        std::fs::write(Path::new(folder).join(format!("{name}.net")), "")?;
                    }
                    Err(error) => println!("{name}\tno export: {error}"),
                }
            }
        }
        _ => {
            let net = net("lenet5")?;
            let again = import(&export(&net)?, &ImportOptions::default())?;
            let x = Tensor::from_fn(Shape::new(&[1, 1, 28, 28])?, |i| (i % 5) as f32);
            println!("the same outputs: {}", net.forward(&x)? == again.forward(&x)?);
        }
    }
    Ok(())
}
