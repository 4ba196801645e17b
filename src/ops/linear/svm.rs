//! Support vector machines by dual coordinate descent (C.-J. Hsieh, K.-W. Chang, C.-J. Lin, S. S.
//! Keerthi and S. Sundararajan, 2008), squared hinge loss, the bias as the weight of a constant 1.

use super::dot::{add, dot};
use super::{Samples, Training};
use crate::Result;
use crate::ops::band::{Cancelled, poll};
use crate::random::Random;

/// One class against the rest.
pub(super) struct Machine {
    /// The weights, then the bias.
    pub weights: Vec<f64>,
    pub passes: usize,
    pub is_converged: bool,
    /// The dual variables, one a sample.
    #[cfg(test)]
    pub alphas: Vec<f64>,
}

pub(super) fn train(
    samples: Samples,
    class: usize,
    params: &Training,
    cancelled: Cancelled,
) -> Result<Machine> {
    let (n, d) = (samples.len(), samples.features);
    // What the squared loss adds to the diagonal of the dual problem.
    let added = 0.5 / params.c;
    let sign = |i: usize| if samples.labels[i] == class { 1.0 } else { -1.0 };
    let norm = |i: usize| dot(samples.vector(i), samples.vector(i)) + 1.0 + added;
    let diagonal: Vec<f64> = (0..n).map(norm).collect();
    let (mut weights, mut bias) = (vec![0.0; d], 0.0);
    let mut alphas = vec![0.0; n];
    let mut order: Vec<usize> = (0..n).collect();
    let (random, mut drawn) = (Random::new(params.seed), 0);
    let (mut passes, mut is_converged) = (0, false);
    while passes < params.max_iterations && !is_converged {
        for left in (1..n).rev() {
            order.swap(left, random.below(drawn, left + 1));
            drawn += 1;
        }
        let (mut least, mut largest) = (f64::INFINITY, f64::NEG_INFINITY);
        for (turn, &i) in order.iter().enumerate() {
            if turn % 1024 == 0 {
                poll(cancelled)?;
            }
            let (y, alpha) = (sign(i), alphas[i]);
            let slope = y * (dot(&weights, samples.vector(i)) + bias) - 1.0 + added * alpha;
            let projected = if alpha == 0.0 { slope.min(0.0) } else { slope };
            least = least.min(projected);
            largest = largest.max(projected);
            if projected != 0.0 {
                alphas[i] = (alpha - slope / diagonal[i]).max(0.0);
                let step = (alphas[i] - alpha) * y;
                add(&mut weights, step, samples.vector(i));
                bias += step;
            }
        }
        passes += 1;
        is_converged = largest - least <= params.tolerance;
    }
    weights.push(bias);
    Ok(Machine {
        weights,
        passes,
        is_converged,
        #[cfg(test)]
        alphas,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::clouds;
    use super::*;

    /// What is minimised and what is maximised meet at the solution, and nowhere else.
    #[test]
    fn the_duality_gap_closes() {
        let (values, labels) = clouds(240);
        let samples = Samples::new(&values, 3, &labels).unwrap();
        for (class, c) in [(0, 0.1), (1, 1.0), (2, 3.0)] {
            let params = Training { c, tolerance: 1e-7, max_iterations: 20_000, ..Training::default() };
            let machine = train(samples, class, &params, &|| false).unwrap();
            assert!(machine.is_converged);
            let length: f64 = machine.weights.iter().map(|w| w * w).sum();
            let mut losses = 0.0;
            for i in 0..240 {
                let x = &values[3 * i..3 * i + 3];
                let score =
                    (0..3).map(|j| machine.weights[j] * f64::from(x[j])).sum::<f64>() + machine.weights[3];
                let y = if labels[i] == class { 1.0 } else { -1.0 };
                losses += (1.0 - y * score).max(0.0).powi(2);
            }
            let primal = length / 2.0 + c * losses;
            let squares: f64 = machine.alphas.iter().map(|alpha| alpha * alpha).sum();
            let dual = machine.alphas.iter().sum::<f64>() - f64::midpoint(length, squares / (2.0 * c));
            assert!(machine.alphas.iter().all(|alpha| *alpha >= 0.0));
            assert!((-1e-12..1e-6).contains(&((primal - dual) / primal)), "{primal} {dual}");
        }
    }
}
