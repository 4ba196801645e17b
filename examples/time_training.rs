//! Milliseconds of a training step of nets that ship: `THREADS BATCH NET...`, LeNet-5 with 64 digits on one
//! thread without arguments. The best of several steps.
#![allow(clippy::print_stdout, reason = "a program talks")]

use std::time::Instant;

use lyncean::Error;
use lyncean::nn::layer::Mode;
use lyncean::nn::loss::softmax_cross_entropy;
use lyncean::nn::optim::{Optimiser, Sgd};
use lyncean::nn::{Net, Reuse, Rng, Tensor, arch};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (threads, batch, names) = match &arguments[..] {
        [threads, batch, names @ ..] => (threads.parse()?, batch.parse()?, names.to_vec()),
        _ => (1, 64, vec!["lenet5".to_owned()]),
    };
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    let _reuse = Reuse::new();
    for name in names {
        let text = arch::builtin(&name).ok_or_else(|| Error::input(format!("there is no net `{name}`")))?;
        let mut net = Net::build(arch::parse(&text)?, 1)?;
        let x = Tensor::from_fn(net.arch().input.batched(batch)?, |i| Rng::new(1).normal(i as u64));
        let labels: Vec<usize> = (0..batch).map(|i| i % 10).collect();
        let mut optimiser = Optimiser::new(Sgd { momentum: 0.9, weight_decay: 5e-4, nesterov: false });
        let (mut best, begin) = (f64::INFINITY, Instant::now());
        while begin.elapsed().as_secs_f64() < 4.0 {
            let start = Instant::now();
            let (scores, tape) = net.record(&x, &Mode::training(Rng::new(0)))?;
            let result = softmax_cross_entropy(&scores, &labels)?;
            let grads = net.backward(&tape, result.gradient)?;
            optimiser.step(&mut net, &grads, 1e-4)?;
            net.commit(&tape);
            best = best.min(start.elapsed().as_secs_f64() * 1e3);
        }
        println!("{name} {best:.3} ms");
    }
    Ok(())
}
