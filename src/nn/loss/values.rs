//! Losses of values: how far an output is from a target of its shape.

use super::Measured;
use crate::nn::Tensor;
use crate::{Error, Result};

/// The mean of `(y - t)^2`.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) when the shapes differ.
pub fn mean_squared_error(output: &Tensor, target: &Tensor) -> Result<Measured> {
    each(output, target, |y, t| (f64::from(y - t) * f64::from(y - t), 2.0 * (y - t)))
}

/// The mean of `|y - t|`; its slope is 0 where they are equal.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) when the shapes differ.
pub fn mean_absolute_error(output: &Tensor, target: &Tensor) -> Result<Measured> {
    let slope = |d: f32| if d == 0.0 { 0.0 } else { d.signum() };
    each(output, target, |y, t| (f64::from((y - t).abs()), slope(y - t)))
}

/// The mean of `-t ln p - (1 - t) ln (1 - p)` with `p = 1 / (1 + exp(-y))`: binary cross-entropy of
/// scores, computed as one so that nothing overflows. Targets are from 0 to 1.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) when the shapes differ.
pub fn binary_cross_entropy(scores: &Tensor, target: &Tensor) -> Result<Measured> {
    each(scores, target, |y, t| {
        let (y, t) = (f64::from(y), f64::from(t));
        let small = libm::exp(-y.abs());
        // 1 / (1 + exp(-y)) without the exponent of a large number.
        let p = if y >= 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) };
        (y.max(0.0) - y * t + libm::log1p(small), (p - t) as f32)
    })
}

/// The mean of a loss of each element, and the gradient from its slope.
fn each(output: &Tensor, target: &Tensor, of: impl Fn(f32, f32) -> (f64, f32)) -> Result<Measured> {
    if output.shape() != target.shape() {
        return Err(Error::shape(format!(
            "expected an output of the target's shape {}, got {}",
            target.shape(),
            output.shape()
        )));
    }
    let count = output.data().len().max(1);
    let mut sum = 0.0;
    let slopes = output.data().iter().zip(target.data()).map(|(&y, &t)| {
        let (loss, slope) = of(y, t);
        sum += loss;
        slope / count as f32
    });
    let gradient = Tensor::from_vec(output.shape(), slopes.collect())?;
    Ok(Measured { loss: sum / count as f64, correct: None, gradient })
}
