//! The loss that the settings ask for.

use super::{Loss, Settings, Target};
use crate::nn::Tensor;
use crate::nn::loss::{
    CrossEntropyOptions, Measured, binary_cross_entropy, cross_entropy, dice_loss, first_largest,
    mean_absolute_error, mean_squared_error, pixel_cross_entropy,
};
use crate::{Error, Result};

/// What a batch should give.
pub(super) struct Wanted<'a> {
    /// The class of each sample, or of each pixel.
    pub(super) labels: &'a [usize],
    /// The input, as the net sees it, without noise.
    pub(super) input: &'a Tensor,
}

/// The loss of an output.
pub(super) fn compare(y: &Tensor, wanted: &Wanted<'_>, settings: &Settings) -> Result<Measured> {
    if settings.loss() == Loss::CrossEntropy {
        let (smoothing, weights) = (settings.label_smoothing, settings.class_weights.clone());
        let options = CrossEntropyOptions { smoothing, weights };
        return if settings.target == Target::Mask {
            pixel_cross_entropy(y, wanted.labels, &options)
        } else {
            cross_entropy(y, wanted.labels, &options)
        };
    }
    if settings.loss() == Loss::Dice {
        return dice_loss(y, wanted.labels);
    }
    let target = match settings.target {
        Target::Input => wanted.input.clone(),
        Target::Class | Target::Mask => one_hot(y, wanted.labels)?,
    };
    let mut measured = match settings.loss() {
        Loss::BinaryCrossEntropy => binary_cross_entropy(y, &target)?,
        Loss::AbsoluteError => mean_absolute_error(y, &target)?,
        Loss::SquaredError | Loss::CrossEntropy | Loss::Dice => mean_squared_error(y, &target)?,
    };
    if settings.target == Target::Class {
        let right = |(n, &label): (usize, &usize)| usize::from(first_largest(y.sample(n)) == label);
        measured.correct = Some(wanted.labels.iter().enumerate().map(right).sum());
    }
    Ok(measured)
}

/// 1 for the class of each sample, 0 for all others.
fn one_hot(y: &Tensor, labels: &[usize]) -> Result<Tensor> {
    let mut target = Tensor::zeros(y.shape());
    let classes = y.shape().sample().count();
    for (row, &label) in target.data_mut().chunks_exact_mut(classes.max(1)).zip(labels) {
        let Some(value) = row.get_mut(label) else {
            return Err(Error::shape(format!("expected labels below {classes}, got {label}")));
        };
        *value = 1.0;
    }
    Ok(target)
}
