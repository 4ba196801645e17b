//! Cross-entropy of every pixel, and counts of what pixels were taken for.

use super::{CrossEntropyOptions, Measured, softmax};
use crate::nn::Tensor;
use crate::parallel::prelude::*;
use crate::{Error, Result};

/// The label of a pixel that counts for nothing.
pub const IGNORED: usize = usize::MAX;

/// Cross-entropy of softmax over the scores of each pixel, and their mean over the pixels that are not
/// [`IGNORED`]: with weights the mean weighted by those of the labels, as PyTorch's with `ignore_index`. 0 where
/// every pixel is ignored. `correct` counts pixels.
///
/// # Shapes
/// `scores` is `[n, classes, ...]`; `labels` has one for each position, sample after sample in row-major order.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) when the shapes do not fit or a label is not a class;
/// [`Pipeline`](crate::ErrorKind::Pipeline) when the options do not fit.
///
/// ```
/// use lyncean::nn::loss::{CrossEntropyOptions, IGNORED, pixel_cross_entropy};
/// use lyncean::nn::{Shape, Tensor};
///
/// // Two classes, a row of three pixels, the last of which nobody knows.
/// let y = Tensor::from_vec(Shape::new(&[1, 2, 1, 3])?, vec![0.0, 5.0, 1.0, 0.0, -5.0, 1.0])?;
/// let measured = pixel_cross_entropy(&y, &[1, 0, IGNORED], &CrossEntropyOptions::default())?;
/// assert_eq!((measured.correct, measured.gradient.data()[2]), (Some(1), 0.0));
/// assert!((measured.loss - 0.5 * (2f64.ln() + (1.0 + (-10f64).exp()).ln())).abs() < 1e-9);
/// # Ok::<(), lyncean::Error>(())
/// ```
pub fn pixel_cross_entropy(
    scores: &Tensor,
    labels: &[usize],
    options: &CrossEntropyOptions,
) -> Result<Measured> {
    let [classes, area] = check(scores, labels)?;
    let CrossEntropyOptions { smoothing, weights } = options;
    if !(0.0..=1.0).contains(smoothing) || !(weights.is_empty() || weights.len() == classes) {
        return Err(Error::pipeline(format!(
            "expected a smoothing from 0 to 1 and a weight for each of {classes} classes or none, got {smoothing} and {}",
            weights.len()
        )));
    }
    let weight = |class: usize| f64::from(weights.get(class).copied().unwrap_or(1.0));
    let known = || labels.iter().filter(|label| **label != IGNORED);
    let total: f64 = known().map(|&label| weight(label)).sum::<f64>().max(f64::MIN_POSITIVE);
    let (share, own) = (f64::from(smoothing / classes as f32), f64::from(1.0 - smoothing));
    let all: f64 = (0..classes).map(weight).sum();
    let mut gradient = softmax(scores)?;
    let each = |((gradient, scores), labels): ((&mut [f32], &[f32]), &[usize])| -> (f64, usize) {
        let (mut loss, mut correct) = (0.0, 0);
        for (at, &label) in labels.iter().enumerate() {
            let place = |class: usize| class * area + at;
            if label == IGNORED {
                (0..classes).for_each(|class| gradient[place(class)] = 0.0);
                continue;
            }
            let best = winner(scores, classes, area, at);
            correct += usize::from(best == label);
            let of = |class: usize| f64::from(scores[place(class)] - scores[place(best)]);
            let sum = libm::log((0..classes).map(|class| libm::exp(of(class))).sum::<f64>());
            // The target of a class times its weight; together `whole`.
            let part = |class: usize| weight(class) * (share + if class == label { own } else { 0.0 });
            let whole = share * all + own * weight(label);
            for class in 0..classes {
                if part(class) != 0.0 {
                    loss += part(class) * (sum - of(class));
                }
                let p = f64::from(gradient[place(class)]);
                gradient[place(class)] = ((whole * p - part(class)) / total) as f32;
            }
        }
        (loss, correct)
    };
    let sample = (classes * area).max(1);
    // Samples apart, and their sums added in order: the same bits for any number of threads.
    let parts: Vec<(f64, usize)> = gradient
        .data_mut()
        .par_chunks_exact_mut(sample)
        .zip(scores.data().par_chunks(sample))
        .zip(labels.par_chunks(area.max(1)))
        .map(each)
        .collect();
    let loss = parts.iter().map(|(loss, _)| loss).sum::<f64>() / total;
    Ok(Measured { loss, correct: Some(parts.iter().map(|(_, correct)| correct).sum()), gradient })
}

/// Adds to `counts`, a row of which is a true class and a column a given one, what the pixels of known classes were
/// taken for: the class of the largest score, of equal ones the first.
#[cfg(any(test, feature = "files"))]
pub(in crate::nn) fn count_pixels(scores: &Tensor, labels: &[usize], counts: &mut [u64]) -> Result<()> {
    let [classes, area] = check(scores, labels)?;
    for (n, labels) in labels.chunks_exact(area.max(1)).enumerate() {
        let scores = scores.sample(n);
        for (at, &label) in labels.iter().enumerate().filter(|(_, label)| **label != IGNORED) {
            counts[label * classes + winner(scores, classes, area, at)] += 1;
        }
    }
    Ok(())
}

/// The first class with the largest score at a position.
pub(super) fn winner(scores: &[f32], classes: usize, area: usize, at: usize) -> usize {
    (1..classes).fold(
        0,
        |best, class| {
            if scores[class * area + at] > scores[best * area + at] { class } else { best }
        },
    )
}

/// Classes and positions of a sample, where labels fit the scores.
pub(super) fn check(scores: &Tensor, labels: &[usize]) -> Result<[usize; 2]> {
    let &[samples, classes, ref rest @ ..] = &*scores.shape() else {
        return Err(Error::shape(format!("expected scores of [n, classes, ...], got {}", scores.shape())));
    };
    let area: usize = rest.iter().product();
    if labels.len() != samples * area {
        return Err(Error::shape(format!("expected {} labels, got {}", samples * area, labels.len())));
    }
    if let Some(label) = labels.iter().find(|&&label| label >= classes && label != IGNORED) {
        return Err(Error::shape(format!("expected labels below {classes}, got {label}")));
    }
    Ok([classes, area])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Shape;
    use crate::nn::loss::cross_entropy;

    #[test]
    fn one_pixel_is_a_sample() {
        let scores = [0.3, -1.0, 2.0, 0.5, 0.5, -3.0];
        let flat = Tensor::from_vec(Shape::new(&[2, 3]).unwrap(), scores.to_vec()).unwrap();
        let image = Tensor::from_vec(Shape::new(&[2, 3, 1, 1]).unwrap(), scores.to_vec()).unwrap();
        for options in [
            CrossEntropyOptions::default(),
            CrossEntropyOptions { smoothing: 0.2, weights: vec![1.0, 3.0, 0.5] },
        ] {
            let [a, b] =
                [cross_entropy(&flat, &[1, 0], &options), pixel_cross_entropy(&image, &[1, 0], &options)]
                    .map(Result::unwrap);
            assert!((a.loss - b.loss).abs() < 1e-6 && a.correct == b.correct);
            for (a, b) in a.gradient.data().iter().zip(b.gradient.data()) {
                assert!((a - b).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn nothing_known_is_no_loss_and_wrong_labels_are_refused() {
        let y = Tensor::zeros(Shape::new(&[1, 2, 1, 2]).unwrap());
        let options = CrossEntropyOptions::default();
        let measured = pixel_cross_entropy(&y, &[IGNORED; 2], &options).unwrap();
        assert_eq!((measured.loss, measured.gradient.data()), (0.0, [0.0; 4].as_slice()));
        assert!(pixel_cross_entropy(&y, &[0, 2], &options).is_err());
        assert!(pixel_cross_entropy(&y, &[0], &options).is_err());
        let mut counts = [0; 4];
        count_pixels(&y, &[1, IGNORED], &mut counts).unwrap();
        assert_eq!(counts, [0, 0, 1, 0]);
    }
}
