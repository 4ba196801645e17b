//! How good a net is on examples, in inference.

use super::compare::{Wanted, compare};
use super::{ConfusionMatrix, Cut, Examples, Fit, Part, Settings, Target, batch, masked_batch};
use crate::Result;
use crate::nn::arch::Arch;
use crate::nn::loss::{IGNORED, count_pixels};
use crate::nn::{Net, Rng, Tensor};

/// Samples at once; of pictures with masks fewer, whose outputs are as large as they are.
const BATCH: usize = 250;
const MASKED_BATCH: usize = 8;

/// What [`measure`] finds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// Mean loss.
    pub(super) loss: f64,
    /// Samples that are right, where there are classes.
    pub(super) correct: Option<usize>,
    /// Their share; of pixels, where they have classes.
    pub(super) accuracy: Option<f64>,
    /// Mean intersection over union of the classes, where pixels have classes.
    pub(super) iou: Option<f64>,
    /// Mean of Dice's coefficients of the classes, there.
    pub(super) dice: Option<f64>,
}

/// The score of a part as the settings compare; 0 and none for no examples.
pub(super) fn measure(net: &Net, part: &Part<'_>, settings: &Settings) -> Result<Found> {
    if settings.target == Target::Mask {
        return measure_masks(net, part, settings);
    }
    let rng = Rng::new(settings.seed).stream("validation noise");
    let (mut loss, mut correct) = (0.0, None);
    for (at, indices) in part.indices.chunks(BATCH).enumerate() {
        let (x, labels) = batch(net.arch(), part.examples, indices, None)?;
        let y = net.forward(&noisy(&x, settings, rng.substream(at as u64)))?;
        let result = compare(&y, &Wanted { labels: &labels, input: &x }, settings)?;
        loss += result.loss * labels.len() as f64;
        correct = result.correct.map(|right| right + correct.unwrap_or(0));
    }
    let count = part.indices.len();
    let accuracy = correct.map(|correct| correct as f64 / count as f64);
    Ok(Found { loss: loss / count.max(1) as f64, correct, accuracy, iou: None, dice: None })
}

fn measure_masks(net: &Net, part: &Part<'_>, settings: &Settings) -> Result<Found> {
    let rng = Rng::new(settings.seed).stream("validation noise");
    let (mut loss, mut total) = (0.0, 0.0);
    let classes = part.examples.classes();
    let mut counts = vec![0; classes.len() * classes.len()];
    each_masked(net.arch(), part, settings.fit, |at, x, labels| {
        let y = net.forward(&noisy(x, settings, rng.substream(at as u64)))?;
        let known = labels.iter().filter(|label| **label != IGNORED).count() as f64;
        loss += known * compare(&y, &Wanted { labels, input: x }, settings)?.loss;
        total += known;
        count_pixels(&y, labels, &mut counts)
    })?;
    let matrix = ConfusionMatrix::of_counts(classes.to_vec(), counts, true);
    Ok(Found {
        loss: loss / f64::max(total, 1.0),
        correct: Some(matrix.correct() as usize),
        accuracy: matrix.accuracy(),
        iou: matrix.mean_iou(),
        dice: matrix.mean_dice(),
    })
}

/// Calls `of` with batches, by number, that have every pixel of a part once.
pub(super) fn each_masked(
    arch: &Arch,
    part: &Part<'_>,
    fit: Fit,
    mut of: impl FnMut(usize, &Tensor, &[usize]) -> Result<()>,
) -> Result<()> {
    let size = [arch.input[1], arch.input[2]];
    let parts: Vec<(usize, Cut)> = match fit {
        Fit::Resize => part.indices.iter().map(|&index| (index, Cut::Resized)).collect(),
        Fit::Crop => {
            let windows = |&index: &usize| {
                (0..part.examples.windows(index, size)).map(move |at| (index, Cut::Window(at)))
            };
            part.indices.iter().flat_map(windows).collect()
        }
    };
    for (at, parts) in parts.chunks(MASKED_BATCH).enumerate() {
        let (x, labels) = masked_batch(arch, part.examples, parts, None)?;
        of(at, &x, &labels)?;
    }
    Ok(())
}

/// A batch to train on, and its labels. `rng` says where windows are cut; `augment` comes with its own.
pub(super) fn training_batch(
    arch: &Arch,
    examples: &dyn Examples,
    indices: &[usize],
    settings: &Settings,
    rng: Rng,
    augment: Option<Rng>,
) -> Result<(Tensor, Vec<usize>)> {
    let augment = settings.augment.as_ref().zip(augment);
    if settings.target != Target::Mask {
        return batch(arch, examples, indices, augment);
    }
    let cut = |index: usize| match settings.fit {
        Fit::Resize => Cut::Resized,
        Fit::Crop => Cut::Random(rng.stream("cut").substream(index as u64)),
    };
    let parts: Vec<(usize, Cut)> = indices.iter().map(|&index| (index, cut(index))).collect();
    masked_batch(arch, examples, &parts, augment)
}

/// The input with the noise of the settings.
pub(super) fn noisy(x: &Tensor, settings: &Settings, rng: Rng) -> Tensor {
    if settings.noise == 0.0 {
        return x.clone();
    }
    let mut x = x.clone();
    for (i, value) in x.data_mut().iter_mut().enumerate() {
        *value += settings.noise * rng.normal(i as u64);
    }
    x
}
