//! Minimising a smooth function by limited-memory BFGS (D. Liu and J. Nocedal, 1989), with steps halved
//! until the value falls enough (L. Armijo, 1966).

use std::collections::VecDeque;

use crate::Result;

/// Steps that are remembered.
const MEMORY: usize = 10;

/// Halvings before a direction is given up.
const HALVINGS: usize = 40;

pub(super) struct Found {
    pub x: Vec<f64>,
    pub steps: usize,
    pub is_converged: bool,
}

/// A remembered step: how far, how the gradient changed, and one over their product.
type Pair = (Vec<f64>, Vec<f64>, f64);

fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()))
}

/// The minimum of `value`, which gives value and gradient, from `x` on. It is reached when the largest
/// slope is `tolerance` times that at the start.
pub(super) fn minimise(
    mut x: Vec<f64>,
    max_steps: usize,
    tolerance: f64,
    value: impl Fn(&[f64]) -> Result<(f64, Vec<f64>)>,
) -> Result<Found> {
    let (mut fx, mut gradient) = value(&x)?;
    let enough = tolerance * largest(&gradient);
    let mut memory: VecDeque<Pair> = VecDeque::new();
    let mut steps = 0;
    while largest(&gradient) > enough {
        if steps == max_steps {
            return Ok(Found { x, steps, is_converged: false });
        }
        let direction = direction(&gradient, &memory);
        let slope = product(&direction, &gradient);
        let mut length =
            if memory.is_empty() { 1.0 / product(&gradient, &gradient).sqrt().max(1.0) } else { 1.0 };
        let mut next = None;
        for _ in 0..HALVINGS {
            let moved: Vec<f64> = x.iter().zip(&direction).map(|(x, d)| x + length * d).collect();
            let (f_moved, g_moved) = value(&moved)?;
            if f_moved <= fx + 1e-4 * length * slope {
                next = Some((moved, f_moved, g_moved));
                break;
            }
            length /= 2.0;
        }
        // Rounding hides what is left to gain.
        let Some((moved, f_moved, g_moved)) = next else {
            return Ok(Found { x, steps, is_converged: false });
        };
        let step: Vec<f64> = moved.iter().zip(&x).map(|(new, old)| new - old).collect();
        let change: Vec<f64> = g_moved.iter().zip(&gradient).map(|(new, old)| new - old).collect();
        let curvature = product(&step, &change);
        if curvature > 1e-12 * product(&change, &change) {
            if memory.len() == MEMORY {
                memory.pop_front();
            }
            memory.push_back((step, change, 1.0 / curvature));
        }
        (x, fx, gradient) = (moved, f_moved, g_moved);
        steps += 1;
    }
    Ok(Found { x, steps, is_converged: true })
}

/// Downhill, by the curvature of the remembered steps.
fn direction(gradient: &[f64], memory: &VecDeque<Pair>) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|slope| -slope).collect();
    let mut parts = Vec::with_capacity(memory.len());
    for (step, change, rho) in memory.iter().rev() {
        let part = rho * product(step, &direction);
        direction.iter_mut().zip(change).for_each(|(d, change)| *d -= part * change);
        parts.push(part);
    }
    if let Some((_, change, rho)) = memory.back() {
        let scale = 1.0 / (rho * product(change, change));
        for d in &mut direction {
            *d *= scale;
        }
    }
    for ((step, change, rho), part) in memory.iter().zip(parts.iter().rev()) {
        let by = part - rho * product(change, &direction);
        direction.iter_mut().zip(step).for_each(|(d, step)| *d += by * step);
    }
    direction
}
