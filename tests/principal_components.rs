//! A linear autoencoder comes to the principal components of its pictures (Baldi and Hornik, 1989), which are made here in
//! another way: by the eigenvectors of the covariance, of `nalgebra`.

use std::path::Path;

use lyncean::document::Source;
use lyncean::eval::dataset::Dataset;
use lyncean::nn::layer::Mode;
use lyncean::nn::loss::mean_squared_error;
use lyncean::nn::optim::{Adam, Optimiser};
use lyncean::nn::train::Examples as _;
use lyncean::nn::{Net, Rng, Shape, Tensor, arch};
use nalgebra::{DMatrix, SymmetricEigen};

/// The digits that ship as 7x7 numbers each, every one the mean of 4x4 pixels.
fn digits() -> Tensor {
    let digits =
        Dataset::open_for_test(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/digits")).unwrap();
    let mut values = Vec::new();
    let mut picture = vec![0.0; 28 * 28];
    for index in 0..digits.len() {
        digits.read(index, [1, 28, 28], &mut picture).unwrap();
        let block = |at: usize| (0..16).map(move |i| (at / 7 * 4 + i / 4) * 28 + at % 7 * 4 + i % 4);
        values.extend((0..49).map(|at| block(at).map(|pixel| picture[pixel]).sum::<f32>() / 16.0));
    }
    Tensor::from_vec(Shape::new(&[digits.len(), 49]).unwrap(), values).unwrap()
}

/// The mean squared error of a number after a code of so many components.
fn of_components(x: &Tensor, code: usize) -> f64 {
    let [count, len] = [x.shape()[0], x.shape()[1]];
    let mut rows = DMatrix::from_row_iterator(count, len, x.data().iter().map(|&value| f64::from(value)));
    let mean = rows.row_mean();
    rows.row_iter_mut().for_each(|mut row| row -= &mean);
    // What is lost is the variance along all other axes.
    let mut variances: Vec<f64> =
        SymmetricEigen::new(rows.transpose() * &rows).eigenvalues.iter().copied().collect();
    variances.sort_by(f64::total_cmp);
    variances[..len - code].iter().sum::<f64>() / (count * len) as f64
}

#[test]
fn a_linear_autoencoder_finds_the_principal_components() {
    let x = digits();
    for code in [2, 6] {
        let wanted = of_components(&x, code);
        let text = format!(
            "version = 1\nname = \"linear\"\ninput = [49]\n[[layer]]\nuse = \"linear\"\nname = \"code\"\nout = {code}\n\
             [[layer]]\nuse = \"linear\"\nname = \"decoder\"\nout = 49\n"
        );
        let mut net = Net::build(arch::parse(&Source::new("linear.toml", text)).unwrap(), 3).unwrap();
        let mut optimiser = Optimiser::new(Adam::default());
        let steps = 1500;
        for step in 0..steps {
            let (y, tape) = net.record(&x, &Mode::training(Rng::new(1))).unwrap();
            let loss = mean_squared_error(&y, &x).unwrap();
            let grads = net.backward(&tape, loss.gradient).unwrap();
            // Down to nothing, as the half of a cosine.
            let rate = 0.01 * (1.0 + (std::f32::consts::PI * step as f32 / steps as f32).cos());
            optimiser.step(&mut net, &grads, rate).unwrap();
        }
        let found = mean_squared_error(&net.forward(&x).unwrap(), &x).unwrap().loss;
        let apart = found / wanted - 1.0;
        // No linear code of this size is better than the components.
        assert!((-1e-5..1e-3).contains(&apart), "code of {code}: {found} and {wanted}, {apart:e} apart");
    }
}
