//! Multinomial logistic regression: the probabilities of the training labels made as large as the
//! penalty on the weights lets them.

use super::dot::{add, dot};
use super::{Samples, Training, lbfgs};
use crate::Result;
use crate::ops::band::{Cancelled, poll};
use crate::parallel::prelude::*;

/// Samples whose gradients are summed as one, before the sums are added in order.
const TOGETHER: usize = 512;

/// Turns scores into probabilities; the largest score is taken away first, so that nothing overflows.
/// Returns the logarithm of the sum of the exponentials of the scores.
pub(super) fn softmax(scores: &mut [f64]) -> f64 {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    for score in scores.iter_mut() {
        *score = libm::exp(*score - largest);
    }
    let sum: f64 = scores.iter().sum();
    for power in scores.iter_mut() {
        *power /= sum;
    }
    largest + libm::log(sum)
}

/// A row a class, its weights and then its bias; the steps taken, and whether they led to the end.
pub(super) fn train(
    samples: Samples,
    classes: usize,
    params: &Training,
    cancelled: Cancelled,
) -> Result<(Vec<f64>, usize, bool)> {
    let start = vec![0.0; classes * (samples.features + 1)];
    let found = lbfgs::minimise(start, params.max_iterations, params.tolerance, |rows| {
        poll(cancelled)?;
        Ok(objective(samples, classes, params.c, rows))
    })?;
    Ok((found.x, found.steps, found.is_converged))
}

/// The value to be minimised, and its gradient.
fn objective(samples: Samples, classes: usize, c: f64, rows: &[f64]) -> (f64, Vec<f64>) {
    let (d, row) = (samples.features, samples.features + 1);
    let part = |group: usize| {
        let (mut loss, mut gradient) = (0.0, vec![0.0; rows.len()]);
        let mut scores = vec![0.0; classes];
        for i in group * TOGETHER..samples.len().min((group + 1) * TOGETHER) {
            let (x, label) = (samples.vector(i), samples.labels[i]);
            for (score, row) in scores.iter_mut().zip(rows.chunks_exact(row)) {
                *score = dot(&row[..d], x) + row[d];
            }
            let own = scores[label];
            loss += softmax(&mut scores) - own;
            scores[label] -= 1.0;
            for (&residual, row) in scores.iter().zip(gradient.chunks_exact_mut(row)) {
                add(&mut row[..d], residual, x);
                row[d] += residual;
            }
        }
        (loss, gradient)
    };
    let groups = samples.len().div_ceil(TOGETHER);
    let parts: Vec<(f64, Vec<f64>)> = (0..groups).into_par_iter().map(part).collect();
    let (mut loss, mut gradient) = (0.0, vec![0.0; rows.len()]);
    for (part_loss, part) in &parts {
        loss += part_loss;
        gradient.iter_mut().zip(part).for_each(|(sum, value)| *sum += value);
    }
    let mut squares = 0.0;
    for (gradient, weights) in gradient.chunks_exact_mut(row).zip(rows.chunks_exact(row)) {
        for (j, gradient) in gradient.iter_mut().enumerate() {
            *gradient *= c;
            if j < d {
                *gradient += weights[j];
                squares += weights[j] * weights[j];
            }
        }
    }
    (c * loss + squares / 2.0, gradient)
}

#[cfg(test)]
mod tests {
    use super::super::tests::clouds;
    use super::*;

    #[test]
    fn the_gradient_is_that_of_the_value() {
        let (values, labels) = clouds(600);
        let samples = Samples::new(&values, 3, &labels).unwrap();
        let rows: Vec<f64> = (0..12).map(|i| f64::from(i * 5 % 7) / 7.0 - 0.4).collect();
        let (_, gradient) = objective(samples, 3, 0.7, &rows);
        for at in 0..12 {
            let value = |by: f64| {
                let mut moved = rows.clone();
                moved[at] += by;
                objective(samples, 3, 0.7, &moved).0
            };
            let slope = (value(1e-5) - value(-1e-5)) / 2e-5;
            assert!((slope - gradient[at]).abs() < 1e-5 * slope.abs().max(1.0), "{slope} {}", gradient[at]);
        }
    }

    #[test]
    fn the_solution_has_no_slope_and_counts_come_out() {
        let (values, labels) = clouds(600);
        let samples = Samples::new(&values, 3, &labels).unwrap();
        let params = Training { tolerance: 1e-9, ..Training::default() };
        let (rows, _, is_converged) = train(samples, 3, &params, &|| false).unwrap();
        assert!(is_converged);
        let (_, gradient) = objective(samples, 3, 1.0, &rows);
        assert!(gradient.iter().all(|slope| slope.abs() < 1e-6), "{gradient:?}");
        // The bias is free: the probabilities of a class sum to its count.
        let expected = |class: usize| {
            let of = |i: usize| {
                let x = &values[3 * i..3 * i + 3];
                let score = |c: usize| {
                    (0..3).map(|j| rows[4 * c + j] * f64::from(x[j])).sum::<f64>() + rows[4 * c + 3]
                };
                score(class).exp() / (0..3).map(|c| score(c).exp()).sum::<f64>()
            };
            (0..600).map(of).sum::<f64>()
        };
        for class in 0..3 {
            let count = labels.iter().filter(|label| **label == class).count() as f64;
            assert!((expected(class) - count).abs() < 1e-5);
        }
    }
}
