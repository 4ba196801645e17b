//! A net that ships, with weights of PyTorch's, on an input from a file: `NET WEIGHTS INPUT`, where the last
//! two are safetensors files and `INPUT` holds `x`, and `y` to compare with. Without arguments: LeNet-5.
#![allow(clippy::print_stdout, reason = "a program talks")]

use lyncean::Error;
use lyncean::nn::{Net, Shape, Tensor, arch};
use safetensors::SafeTensors;

fn tensor(file: &SafeTensors<'_>, name: &str) -> Result<Tensor, Box<dyn std::error::Error>> {
    let view = file.tensor(name)?;
    let values = view.data().as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes));
    Ok(Tensor::from_vec(Shape::new(view.shape())?, values.collect())?)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, weights, input] = &arguments[..] else {
        let text = arch::builtin("lenet5").ok_or_else(|| Error::input("there is no such net"))?;
        let net = Net::build(arch::parse(&text)?, 1)?;
        println!("{}", net.forward(&Tensor::zeros(Shape::new(&[1, 1, 28, 28])?))?.shape());
        return Ok(());
    };
    let text = arch::builtin(name).ok_or_else(|| Error::input(format!("there is no net `{name}`")))?;
    let mut net = Net::blank(arch::parse(&text)?)?;
    net.load_weights(&std::fs::read(weights)?)?;
    let bytes = std::fs::read(input)?;
    let file = SafeTensors::deserialize(&bytes)?;
    let (y, wanted) = (net.forward(&tensor(&file, "x")?)?, tensor(&file, "y")?);
    let largest = wanted.data().iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
    let apart = y.data().iter().zip(wanted.data()).fold(0.0f32, |apart, (a, b)| apart.max((a - b).abs()));
    println!("{name}: {}, differs by {:.1e} of the largest output", y.shape(), apart / largest);
    Ok(())
}
