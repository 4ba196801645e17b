//! A trained linear autoencoder beside the principal components of what it learned from: `principal_components NET.safetensors
//! DATA`, for data with pictures to train and to test on. The net's code is the layer `code`.
#![allow(clippy::print_stdout, reason = "a program talks")]

use std::path::Path;

use lyncean::eval::dataset::{Dataset, Split};
use lyncean::nn::train::Examples as _;
use lyncean::nn::{Net, Tensor};
use nalgebra::{DMatrix, DVector, SymmetricEigen};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// How many pictures are worked on at once.
const BATCH: usize = 500;

/// Calls `meet` with all pictures of a data set, as batches that the net takes.
fn batches(net: &Net, data: &Dataset, mut meet: impl FnMut(&Tensor) -> Outcome<()>) -> Outcome<()> {
    let input = net.arch().input;
    for start in (0..data.len()).step_by(BATCH) {
        let mut x = Tensor::zeros(input.batched(BATCH.min(data.len() - start))?);
        for (at, picture) in x.data_mut().chunks_exact_mut(input.count()).enumerate() {
            data.read(start + at, [input[0], input[1], input[2]], picture)?;
        }
        meet(&x)?;
    }
    Ok(())
}

/// Pictures as columns.
fn columns(x: &Tensor, len: usize) -> DMatrix<f64> {
    DMatrix::from_iterator(len, x.data().len() / len, x.data().iter().map(|&value| f64::from(value)))
}

fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [net, data] = args.as_slice() else {
        println!("usage: principal_components NET.safetensors DATA");
        return Ok(());
    };
    let net = Net::open(Path::new(net))?;
    let code = net.params().find(|param| param.name == "code.bias").ok_or("the net has no layer `code`")?;
    let (code, len) = (code.value.shape()[0], net.arch().input.count());
    let train = Dataset::open(Path::new(data), Split::Train)?;

    let mut mean = DVector::<f64>::zeros(len);
    let mut products = DMatrix::<f64>::zeros(len, len);
    batches(&net, &train, |x| {
        let x = columns(x, len);
        mean += x.column_sum();
        products.gemm(1.0, &x, &x.transpose(), 1.0);
        Ok(())
    })?;
    mean /= train.len() as f64;
    products /= train.len() as f64;
    products.ger(-1.0, &mean, &mean, 1.0);
    let eigen = SymmetricEigen::new(products);
    let mut order: Vec<usize> = (0..len).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
    let axes: Vec<_> = order[..code].iter().map(|&at| eigen.eigenvectors.column(at)).collect();
    let axes = DMatrix::from_columns(&axes);

    for (name, data) in [("training", &train), ("test", &Dataset::open(Path::new(data), Split::Test)?)] {
        // Sums of squared errors, of the components and of the net.
        let mut sums = [0.0; 2];
        batches(&net, data, |x| {
            let mut apart = columns(x, len);
            apart.column_iter_mut().for_each(|mut column| column -= &mean);
            sums[0] += apart.norm_squared() - axes.tr_mul(&apart).norm_squared();
            let y = net.forward(x)?;
            sums[1] += y.data().iter().zip(x.data()).map(|(y, x)| f64::from(y - x).powi(2)).sum::<f64>();
            Ok(())
        })?;
        let [components, net] = sums.map(|sum| sum / (data.len() * len) as f64);
        println!(
            "{name}, {} pictures, code of {code}: components {components:.6}, net {net:.6}, {:+.0e} apart",
            data.len(),
            net / components - 1.0
        );
    }
    Ok(())
}
