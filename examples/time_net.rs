//! Milliseconds of one picture through nets that ship, with random weights: `THREADS NET...`, ResNet-20
//! on one thread without arguments. The best of several runs, and how far from the layers one by one.
#![allow(clippy::print_stdout, reason = "a program talks")]

use std::time::Instant;

use lyncean::Error;
use lyncean::nn::{Inference, Net, Rng, Tensor, arch};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (threads, names) = match &arguments[..] {
        [threads, names @ ..] => (threads.parse()?, names.to_vec()),
        [] => (1, vec!["resnet20".to_owned()]),
    };
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    for name in names {
        let text = arch::builtin(&name).ok_or_else(|| Error::input(format!("there is no net `{name}`")))?;
        let net = Net::build(arch::parse(&text)?, 1)?;
        let shape = net.arch().input.batched(1)?;
        let x = Tensor::from_fn(shape, |i| Rng::new(1).normal(i as u64));
        let wanted = net.forward(&x)?;
        let net = Inference::new(net)?;
        let y = net.forward(&x)?;
        let largest = wanted.data().iter().fold(0.0f32, |largest, y| largest.max(y.abs()));
        let apart = y.data().iter().zip(wanted.data()).fold(0.0f32, |apart, (a, b)| apart.max((a - b).abs()));
        let (mut best, begin) = (f64::INFINITY, Instant::now());
        while begin.elapsed().as_secs_f64() < 2.0 {
            let start = Instant::now();
            net.forward(&x)?;
            best = best.min(start.elapsed().as_secs_f64() * 1e3);
        }
        println!("{name} {best:.2} ms, {:.1e} of the largest output apart", apart / largest);
    }
    Ok(())
}
