//! Dice's coefficient of the classes of pixels.

use super::pixels::{check, winner};
use super::{IGNORED, Measured, softmax};
use crate::Result;
use crate::nn::Tensor;
use crate::parallel::prelude::*;

/// The soft Dice loss of the classes of pixels (Milletari, Navab and Ahmadi, 2016): 1 less the mean over classes of
/// `2 sum(p t) / (sum(p) + sum(t))`, where `p` is the softmax of the scores of a pixel, `t` is 1 for its class and 0 for
/// the others, and sums go over all pixels of the batch that are not [`IGNORED`]. Classes without a pixel in the batch do
/// not count; 0 where every pixel is ignored. Small objects weigh as much as large ones. `correct` counts pixels.
///
/// # Shapes
/// `scores` is `[n, classes, ...]`; `labels` has one for each position, sample after sample in row-major order.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) when the shapes do not fit or a label is not a class.
///
/// ```
/// use lyncean::nn::loss::dice_loss;
/// use lyncean::nn::{Shape, Tensor};
///
/// // Two classes, a row of two pixels: one is right for sure, of the other nothing is known.
/// let y = Tensor::from_vec(Shape::new(&[1, 2, 1, 2])?, vec![0.0, 0.0, 50.0, 0.0])?;
/// let measured = dice_loss(&y, &[1, 0])?;
/// // Class 0: 2 * 0.5 / (0.5 + 1); class 1: 2 * 1 / (1.5 + 1).
/// assert!((measured.loss - (1.0 - (1.0 / 1.5 + 2.0 / 2.5) / 2.0)).abs() < 1e-6);
/// assert_eq!(measured.correct, Some(2));
/// # Ok::<(), lyncean::Error>(())
/// ```
pub fn dice_loss(scores: &Tensor, labels: &[usize]) -> Result<Measured> {
    let [classes, area] = check(scores, labels)?;
    let mut gradient = softmax(scores)?;
    let sample = (classes * area).max(1);
    // For each sample and class what both have, what the net gives and what is true; then the right pixels.
    let sums = |((shares, scores), labels): ((&[f32], &[f32]), &[usize])| {
        let (mut sums, mut correct) = (vec![[0.0f64; 3]; classes], 0);
        for (at, &label) in labels.iter().enumerate().filter(|(_, label)| **label != IGNORED) {
            correct += usize::from(winner(scores, classes, area, at) == label);
            for (class, [both, given, own]) in sums.iter_mut().enumerate() {
                let share = f64::from(shares[class * area + at]);
                *given += share;
                if class == label {
                    *both += share;
                    *own += 1.0;
                }
            }
        }
        (sums, correct)
    };
    // Samples apart, and their sums added in order: the same bits for any number of threads.
    let parts: Vec<(Vec<[f64; 3]>, usize)> = gradient
        .data()
        .par_chunks(sample)
        .zip(scores.data().par_chunks(sample))
        .zip(labels.par_chunks(area.max(1)))
        .map(sums)
        .collect();
    let mut all = vec![[0.0f64; 3]; classes];
    for (sums, _) in &parts {
        for (all, sums) in all.iter_mut().zip(sums) {
            all.iter_mut().zip(sums).for_each(|(all, sum)| *all += sum);
        }
    }
    let known = all.iter().filter(|[_, _, own]| *own > 0.0).count().max(1) as f64;
    let counts = |[both, given, own]: [f64; 3]| (own > 0.0).then_some([2.0 * both, given + own]);
    let loss = all.iter().filter_map(|&sums| counts(sums)).map(|[n, d]| 1.0 - n / d).sum::<f64>() / known;
    // How the loss changes with the share of a class at a pixel: by the first number, and by the second at its own pixels.
    let slopes: Vec<[f64; 2]> = all
        .iter()
        .map(|&sums| counts(sums).map_or([0.0; 2], |[n, d]| [n / (d * d) / known, -2.0 / d / known]))
        .collect();
    gradient.data_mut().par_chunks_exact_mut(sample).zip(labels.par_chunks(area.max(1))).for_each(
        |(shares, labels)| {
            for (at, &label) in labels.iter().enumerate() {
                let place = |class: usize| class * area + at;
                if label == IGNORED {
                    (0..classes).for_each(|class| shares[place(class)] = 0.0);
                    continue;
                }
                let slope =
                    |class: usize| slopes[class][0] + if class == label { slopes[class][1] } else { 0.0 };
                let mean: f64 =
                    (0..classes).map(|class| slope(class) * f64::from(shares[place(class)])).sum();
                for class in 0..classes {
                    let share = f64::from(shares[place(class)]);
                    shares[place(class)] = (share * (slope(class) - mean)) as f32;
                }
            }
        },
    );
    Ok(Measured { loss, correct: Some(parts.iter().map(|(_, correct)| correct).sum()), gradient })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::nn::Shape;
    use crate::reference::dice;

    proptest! {
        #[test]
        fn loss_and_gradient_are_those_of_the_definition(
            (n, classes, area) in (1usize..4, 2usize..5, 1usize..7),
            numbers in prop::collection::vec(-24i8..24, 4 * 4 * 7),
            labels in prop::collection::vec(0usize..6, 4 * 7),
        ) {
            let scores: Vec<f32> = numbers[..n * classes * area].iter().map(|&v| f32::from(v) / 8.0).collect();
            // What is no class is ignored.
            let known: Vec<Option<usize>> =
                labels[..n * area].iter().map(|&label| (label < classes).then_some(label)).collect();
            let labels: Vec<usize> = known.iter().map(|label| label.unwrap_or(IGNORED)).collect();
            let shape = Shape::new(&[n, classes, 1, area]).unwrap();
            let y = Tensor::from_vec(shape, scores.clone()).unwrap();
            let measured = dice_loss(&y, &labels).unwrap();
            let wide: Vec<f64> = scores.iter().map(|&v| f64::from(v)).collect();
            let loss = |scores: &[f64]| dice::loss([classes, area], scores, &known);
            prop_assert!((measured.loss - loss(&wide)).abs() < 1e-6, "{} {}", measured.loss, loss(&wide));
            for (at, got) in measured.gradient.data().iter().enumerate() {
                let ends = [1e-5, -1e-5].map(|step| {
                    let mut moved = wide.clone();
                    moved[at] += step;
                    loss(&moved)
                });
                let wanted = (ends[0] - ends[1]) / 2e-5;
                prop_assert!((f64::from(*got) - wanted).abs() < 1e-6, "{at}: {got} {wanted}");
            }
        }
    }

    #[test]
    fn nothing_known_is_no_loss_and_sure_pixels_are_none_either() {
        let shape = Shape::new(&[1, 2, 1, 2]).unwrap();
        let measured = dice_loss(&Tensor::zeros(shape), &[IGNORED; 2]).unwrap();
        assert_eq!((measured.loss, measured.gradient.data()), (0.0, [0.0; 4].as_slice()));
        let sure = Tensor::from_vec(shape, vec![60.0, -60.0, -60.0, 60.0]).unwrap();
        assert!(dice_loss(&sure, &[0, 1]).unwrap().loss < 1e-12);
        assert!(dice_loss(&sure, &[0, 2]).is_err());
    }
}
