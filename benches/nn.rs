//! LeNet-5 and convolutions on one thread. The peer is `benches/peers/nn_torch.py`.

#![allow(clippy::unwrap_used, reason = "a bench that panics has failed")]
#![allow(missing_docs, reason = "made by criterion's macros")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use lyncean::kernel::Isa;
use lyncean::nn::conv2d::{conv2d, conv2d_input_grad, conv2d_weight_grad};
use lyncean::nn::layer::Mode;
use lyncean::nn::loss::softmax_cross_entropy;
use lyncean::nn::optim::{Optimiser, Sgd};
use lyncean::nn::{Net, Reuse, Rng, Shape, Tensor, Window, arch};

fn normal(shape: &[usize]) -> Tensor {
    Tensor::from_fn(Shape::new(shape).unwrap(), |i| Rng::new(1).normal(i as u64))
}

fn lenet(c: &mut Criterion) {
    let mut net = Net::build(arch::parse(&arch::builtin("lenet5").unwrap()).unwrap(), 1).unwrap();
    let _reuse = Reuse::new();
    let (batch, one) = (normal(&[64, 1, 28, 28]), normal(&[1, 1, 28, 28]));
    let labels: Vec<usize> = (0..64).map(|i| i % 10).collect();
    let mut optimiser = Optimiser::new(Sgd { momentum: 0.9, weight_decay: 5e-4, nesterov: false });
    c.bench_function("lenet5 forward, batch 64", |b| b.iter(|| net.forward(black_box(&batch)).unwrap()));
    c.bench_function("lenet5 forward, batch 1", |b| b.iter(|| net.forward(black_box(&one)).unwrap()));
    c.bench_function("lenet5 training step, batch 64", |b| {
        b.iter(|| {
            let (scores, tape) = net.record(&batch, &Mode::training(Rng::new(0))).unwrap();
            let result = softmax_cross_entropy(&scores, &labels).unwrap();
            let grads = net.backward(&tape, result.gradient).unwrap();
            optimiser.step(&mut net, &grads, 1e-4).unwrap();
        });
    });
}

fn convolution(c: &mut Criterion) {
    let _reuse = Reuse::new();
    for (input, weight, window) in [
        ([64, 6, 14, 14], [16, 6, 5, 5], Window::square(5, 0, 1)),
        ([8, 64, 28, 28], [64, 64, 3, 3], Window::square(3, 1, 1)),
        ([8, 64, 28, 28], [128, 64, 3, 3], Window::square(3, 1, 2)),
    ] {
        let (x, w) = (normal(&input), normal(&weight));
        for isa in Isa::available() {
            let dy = conv2d(isa, &x, &w, None, &window, 1).unwrap();
            let mut group = c.benchmark_group(format!("conv2d {input:?} {weight:?} {isa:?}"));
            group.bench_function("forward", |b| b.iter(|| conv2d(isa, &x, &w, None, &window, 1).unwrap()));
            group.bench_function("input gradient", |b| {
                b.iter(|| conv2d_input_grad(isa, &dy, &w, x.shape(), &window, 1).unwrap());
            });
            group.bench_function("weight gradient", |b| {
                b.iter(|| conv2d_weight_grad(isa, &x, &dy, w.shape(), &window, 1).unwrap());
            });
        }
    }
}

/// All on one thread: rayon's global pool is made before anything uses it.
fn one_thread(c: &mut Criterion) {
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().unwrap();
    lenet(c);
    convolution(c);
}

criterion_group!(benches, one_thread);
criterion_main!(benches);
