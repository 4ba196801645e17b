//! Labelled pictures, and batches of them.

use std::collections::HashMap;

use super::Augment;
use crate::nn::arch::Arch;
use crate::nn::loss::IGNORED;
use crate::nn::{Rng, Shape, Tensor};
use crate::parallel::prelude::*;
use crate::{Error, Result};

/// Labelled pictures, as training reads them.
pub trait Examples: Sync {
    /// How many there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The names of the classes; labels are indices of these.
    fn classes(&self) -> &[String];

    /// The label of an example.
    fn label(&self, index: usize) -> usize;

    /// What an example was taken from, such as a picture of which it is a part: training and validation never share
    /// one. Each is its own unless this says otherwise.
    fn group(&self, index: usize) -> usize {
        index
    }

    /// What made the examples out of their data, by name, where something did: a run that is resumed must say the same.
    fn recipe(&self) -> Option<serde_json::Map<String, serde_json::Value>> {
        None
    }

    /// Fills `values` with an example, from 0 to 1, as `shape` says: channels, height, width.
    ///
    /// # Errors
    /// When it cannot be read, or is of another size.
    fn read(&self, index: usize, shape: [usize; 3], values: &mut [f32]) -> Result<()>;

    /// Fills `values` with the words of an example by number, and what is left with padding. Only examples
    /// that are text have them.
    ///
    /// # Errors
    /// When the examples are no text, or this one cannot be read.
    fn read_words(&self, _index: usize, values: &mut [f32]) -> Result<()> {
        let length = values.len();
        Err(Error::shape(format!("the net wants [{length}], pictures are `[channels, height, width]`")))
    }

    /// Whether each example has a class for every pixel in place of one label.
    fn has_masks(&self) -> bool {
        false
    }

    /// How many windows of `[height, width]` side by side cover a picture with a mask.
    fn windows(&self, _index: usize, _size: [usize; 2]) -> usize {
        1
    }

    /// Fills `values` with a part of a picture as [`read`](Self::read) does, and `labels` with the class of each of its
    /// pixels, [`IGNORED`](crate::nn::loss::IGNORED) where none is known.
    ///
    /// # Errors
    /// When the examples have no masks, or this one cannot be read.
    fn read_masked(
        &self,
        _index: usize,
        _cut: Cut,
        _shape: [usize; 3],
        _values: &mut [f32],
        _labels: &mut [usize],
    ) -> Result<()> {
        Err(Error::input("the examples have no masks")
            .with_hint("expected `images/NAME.*` with `masks/NAME.*`"))
    }
}

/// Which part of a picture with a mask is shown to a net.
#[derive(Clone, Copy, Debug)]
pub enum Cut {
    /// All of it, brought to the size of the net: the picture bilinearly, of the mask the nearest pixel.
    Resized,
    /// A window of the net's size, at random.
    Random(Rng),
    /// One of the [windows](Examples::windows) that cover it, row by row. The last ones are moved inwards; what an earlier
    /// one has is ignored, so that every pixel counts once.
    Window(usize),
}

/// Some of the examples.
#[derive(Clone)]
pub struct Part<'a> {
    /// All of them.
    pub examples: &'a dyn Examples,
    /// Which ones.
    pub indices: Vec<usize>,
}

impl<'a> Part<'a> {
    /// All examples, in order.
    pub fn all(examples: &'a dyn Examples) -> Self {
        Self { examples, indices: (0..examples.len()).collect() }
    }

    /// The examples to train on, and a random share of them kept out for validation. What is of one
    /// [group](Examples::group) stays together, so that the share is met up to the size of a group; a group of more
    /// than twice what is still to be kept is trained on.
    pub fn split(examples: &'a dyn Examples, share: f64, rng: Rng) -> (Self, Self) {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut known = HashMap::new();
        for index in 0..examples.len() {
            let next = groups.len();
            let at = *known.entry(examples.group(index)).or_insert(next);
            if at == next {
                groups.push(Vec::new());
            }
            groups[at].push(index);
        }
        let wanted = libm::round(share * examples.len() as f64) as usize;
        let (mut training, mut kept) = (Vec::new(), Vec::new());
        for group in rng.permutation(groups.len()) {
            let group = &groups[group];
            // As near to the share as whole groups come.
            let is_kept = 2 * kept.len() + group.len() <= 2 * wanted;
            if is_kept { &mut kept } else { &mut training }.extend(group);
        }
        (Self { examples, indices: training }, Self { examples, indices: kept })
    }
}

/// The input of a net for parts of pictures with masks, and the class of every pixel, as [`batch`] makes it. What a
/// random change brings from outside of a picture is ignored.
///
/// # Shapes
/// `[n, channels, height, width]`, and `n * height * width` labels.
///
/// # Errors
/// As [`batch`].
pub(super) fn masked_batch(
    arch: &Arch,
    examples: &dyn Examples,
    parts: &[(usize, Cut)],
    augment: Option<(&Augment, Rng)>,
) -> Result<(Tensor, Vec<usize>)> {
    let shape = picture(arch)?;
    let [channels, height, width] = shape;
    let area = height * width;
    let mut x = Tensor::zeros(Shape::new(&[parts.len(), channels, height, width])?);
    let mut labels = vec![IGNORED; parts.len() * area];
    let fill = |values: &mut [f32], labels: &mut [usize], (index, cut): (usize, Cut)| -> Result<()> {
        examples.read_masked(index, cut, shape, values, labels)?;
        if let Some((augment, rng)) = augment {
            let rng = rng.substream(index as u64);
            let (picture, mask) = (values.to_vec(), labels.to_vec());
            augment.apply(rng, [height, width], &picture, values);
            augment.apply_to_mask(rng, [height, width], &mask, labels);
        }
        standardise(arch, values);
        Ok(())
    };
    let sample = arch.input.count();
    let rooms = x.data_mut().par_chunks_exact_mut(sample).zip(labels.par_chunks_exact_mut(area));
    rooms.zip(parts).map(|((values, labels), &part)| fill(values, labels, part)).collect::<Result<()>>()?;
    Ok((x, labels))
}

fn picture(arch: &Arch) -> Result<[usize; 3]> {
    <[usize; 3]>::try_from(&*arch.input).map_err(|_| {
        let (name, input) = (&arch.name, arch.input);
        Error::shape(format!("net `{name}` wants {input}, pictures are `[channels, height, width]`"))
    })
}

/// Subtracts the mean of each channel and divides by its deviation.
fn standardise(arch: &Arch, values: &mut [f32]) {
    let area = arch.input[1] * arch.input[2];
    for (plane, (mean, std)) in values.chunks_exact_mut(area).zip(arch.mean.iter().zip(&arch.std)) {
        for value in plane {
            *value = (*value - mean) / std;
        }
    }
}

/// The input of a net for some examples, with their labels. Words come as they are. Of pictures, each value has its channel's `mean`
/// subtracted and is divided by `std`; before that a sample may be moved, at random by its index.
///
/// # Shapes
/// `[n, channels, height, width]`, or `[n, length]` for words.
///
/// # Errors
/// When an example cannot be read or does not fit the net, with its index.
pub fn batch(
    arch: &Arch,
    examples: &dyn Examples,
    indices: &[usize],
    augment: Option<(&Augment, Rng)>,
) -> Result<(Tensor, Vec<usize>)> {
    let labels = || indices.iter().map(|&index| examples.label(index)).collect();
    if let [length] = *arch.input {
        let mut x = Tensor::zeros(Shape::new(&[indices.len(), length])?);
        let fill = |(values, &index): (&mut [f32], &usize)| examples.read_words(index, values);
        x.data_mut().par_chunks_exact_mut(length).zip(indices).map(fill).collect::<Result<()>>()?;
        return Ok((x, labels()));
    }
    let shape = picture(arch)?;
    let [channels, height, width] = shape;
    let mut x = Tensor::zeros(Shape::new(&[indices.len(), channels, height, width])?);
    let fill = |(values, &index): (&mut [f32], &usize)| -> Result<()> {
        examples.read(index, shape, values)?;
        if let Some((augment, rng)) = augment {
            let picture = values.to_vec();
            augment.apply(rng.substream(index as u64), [height, width], &picture, values);
        }
        standardise(arch, values);
        Ok(())
    };
    let sample = arch.input.count();
    x.data_mut().par_chunks_exact_mut(sample).zip(indices).map(fill).collect::<Result<()>>()?;
    Ok((x, labels()))
}
