//! Softmax and cross-entropy, the loss of classifiers.

use crate::nn::Tensor;
use crate::{Error, Result};

/// What [`softmax_cross_entropy`] gives.
#[derive(Clone, Debug)]
pub struct CrossEntropy {
    /// Mean over the batch of `-ln p(label)`; 0 for an empty batch.
    pub loss: f64,
    /// Samples whose label has the largest score; of equal scores the first counts.
    pub correct: usize,
    /// The gradient of the loss for the scores: `(p - 1 at the label) / n`.
    pub gradient: Tensor,
}

/// The mean cross-entropy of softmax over scores, computed as one so that nothing overflows.
///
/// # Shapes
/// `scores` is `[n, classes]`, with one label for each of the `n`.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) when the shapes do not fit or a label is not a class.
pub fn softmax_cross_entropy(scores: &Tensor, labels: &[usize]) -> Result<CrossEntropy> {
    let [samples, classes] = axes(scores)?;
    if labels.len() != samples {
        return Err(Error::shape(format!("expected {samples} labels, got {}", labels.len())));
    }
    if let Some(label) = labels.iter().find(|&&label| label >= classes) {
        return Err(Error::shape(format!("expected labels below {classes}, got {label}")));
    }
    let (mut loss, mut correct) = (0.0, 0);
    let mut gradient = softmax(scores)?;
    if samples == 0 {
        return Ok(CrossEntropy { loss, correct, gradient });
    }
    let each = 1.0 / samples as f32;
    for ((gradient, scores), &label) in
        gradient.data_mut().chunks_exact_mut(classes).zip(scores.data().chunks_exact(classes)).zip(labels)
    {
        let best = first_largest(scores);
        let total: f64 = scores.iter().map(|score| libm::exp(f64::from(score - scores[best]))).sum();
        loss += libm::log(total) - f64::from(scores[label] - scores[best]);
        correct += usize::from(best == label);
        gradient[label] -= 1.0;
        for g in gradient {
            *g *= each;
        }
    }
    Ok(CrossEntropy { loss: loss / samples as f64, correct, gradient })
}

/// Probabilities from scores: `exp(s) / sum exp(s)` over the classes, for each sample and position.
///
/// # Shapes
/// `[n, classes, ...]` to the same.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) when `scores` has fewer than two axes.
pub fn softmax(scores: &Tensor) -> Result<Tensor> {
    let &[_, classes, ref rest @ ..] = &*scores.shape() else {
        return Err(Error::shape(format!("expected scores of [n, classes, ...], got {}", scores.shape())));
    };
    let area: usize = rest.iter().product();
    let mut result = scores.clone();
    for sample in result.data_mut().chunks_exact_mut((classes * area).max(1)) {
        for position in 0..area.min(sample.len()) {
            let places = || (position..classes * area).step_by(area);
            let largest = places().fold(position, |best, i| if sample[i] > sample[best] { i } else { best });
            let largest = sample[largest];
            let mut total = 0.0;
            for i in places() {
                sample[i] = libm::expf(sample[i] - largest);
                total += sample[i];
            }
            for i in places() {
                sample[i] /= total;
            }
        }
    }
    Ok(result)
}

/// The index of the largest score; of equal ones the first.
pub(in crate::nn) fn first_largest(row: &[f32]) -> usize {
    (1..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best })
}

fn axes(scores: &Tensor) -> Result<[usize; 2]> {
    <[usize; 2]>::try_from(&*scores.shape())
        .map_err(|_| Error::shape(format!("expected scores of [n, classes], got {}", scores.shape())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Shape;

    fn scores(rows: usize, data: &[f32]) -> Tensor {
        Tensor::from_vec(Shape::new(&[rows, data.len() / rows]).unwrap(), data.to_vec()).unwrap()
    }

    #[test]
    fn equal_scores_share_the_probability() {
        let result = softmax_cross_entropy(&scores(2, &[5.0, 5.0, -1e4, -1e4]), &[0, 1]).unwrap();
        assert!((result.loss - std::f64::consts::LN_2).abs() < 1e-12);
        assert_eq!(result.gradient.data(), [-0.25, 0.25, 0.25, -0.25]);
        assert_eq!(result.correct, 1);
    }

    #[test]
    fn huge_scores_do_not_overflow() {
        let result = softmax_cross_entropy(&scores(1, &[3e38, -3e38]), &[0]).unwrap();
        assert_eq!((result.loss, result.correct), (0.0, 1));
        assert_eq!(softmax(&scores(1, &[88.0, 1000.0])).unwrap().data(), [0.0, 1.0]);
    }

    #[test]
    fn labels_are_checked() {
        assert!(softmax_cross_entropy(&scores(1, &[0.0, 1.0]), &[2]).is_err());
        assert!(softmax_cross_entropy(&scores(1, &[0.0, 1.0]), &[0, 0]).is_err());
    }
}
