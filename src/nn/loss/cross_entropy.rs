//! Cross-entropy with smoothed labels and weights of the classes.

use super::{Measured, softmax, softmax_cross_entropy};
use crate::nn::Tensor;
use crate::{Error, Result};

/// Forms of [`cross_entropy`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CrossEntropyOptions {
    /// Share of the target that all classes get alike, from 0 to 1 (Szegedy et al., 2016).
    pub smoothing: f32,
    /// A weight for each class, or none.
    pub weights: Vec<f32>,
}

/// Cross-entropy of softmax over scores against labels. With weights it is the mean weighted by those of
/// the labels, and smoothing shares out weighted parts, as in PyTorch.
///
/// # Shapes
/// `scores` is `[n, classes]`, with one label for each of the `n`.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) when the shapes do not fit or a label is not a class;
/// [`Pipeline`](crate::ErrorKind::Pipeline) when the options do not fit.
pub fn cross_entropy(scores: &Tensor, labels: &[usize], options: &CrossEntropyOptions) -> Result<Measured> {
    let plain = softmax_cross_entropy(scores, labels)?;
    let CrossEntropyOptions { smoothing, weights } = options;
    if *smoothing == 0.0 && weights.is_empty() {
        return Ok(Measured { loss: plain.loss, correct: Some(plain.correct), gradient: plain.gradient });
    }
    let classes = scores.shape()[1];
    if !(0.0..=1.0).contains(smoothing) || !(weights.is_empty() || weights.len() == classes) {
        return Err(Error::pipeline(format!(
            "expected a smoothing from 0 to 1 and a weight for each of {classes} classes or none, got {smoothing} and {}",
            weights.len()
        )));
    }
    let weight = |class: usize| weights.get(class).copied().unwrap_or(1.0);
    let total: f64 = labels.iter().map(|&label| f64::from(weight(label))).sum();
    let (share, all) = (smoothing / classes as f32, (0..classes).map(weight).sum::<f32>());
    let (mut loss, mut gradient) = (0.0, softmax(scores)?);
    for ((row, scores), &label) in
        gradient.data_mut().chunks_exact_mut(classes).zip(scores.data().chunks_exact(classes)).zip(labels)
    {
        let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f64 = scores.iter().map(|score| libm::exp(f64::from(score - largest))).sum();
        // The target of class c times its weight; together `whole`.
        let part =
            |class: usize| weight(class) * (share + if class == label { 1.0 - smoothing } else { 0.0 });
        let whole = share * all + (1.0 - smoothing) * weight(label);
        for (class, (p, score)) in row.iter_mut().zip(scores).enumerate() {
            loss += f64::from(part(class)) * (libm::log(sum) - f64::from(score - largest));
            *p = ((f64::from(whole * *p) - f64::from(part(class))) / total.max(f64::MIN_POSITIVE)) as f32;
        }
    }
    Ok(Measured { loss: loss / total.max(f64::MIN_POSITIVE), correct: Some(plain.correct), gradient })
}
