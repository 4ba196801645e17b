//! Several levels at once, and the classes between them.

use std::sync::Arc;

use super::Context;
use super::chain::{Chain, apply_chain};
use super::histogram::{Histogram, histogram};
use super::row::{RowNode, RowOut, Rows, Shape, State};
use super::stencil::expect_types;
use crate::image::{Image, ImageType};
use crate::kernel::Isa;
use crate::{Error, Result};

/// The most classes that can be asked for.
pub const MAX_CLASSES: usize = 16;

/// The levels that split a histogram into `classes` classes of the greatest variance between them (N. Otsu
/// 1979; P. Liao and others 2001), in units of the image, rising; the lowest of equal ones. A pixel belongs to
/// the class above a level where it is greater.
///
/// Bins are those of [`Histogram`]. Where fewer values than classes occur, each but the greatest is a
/// level. The search is exact: the best split up to a value extends a best split up to a lower one, and
/// lies no lower than that of the value before (D. Knuth 1971, F. Yao 1980), so 16 bit takes no longer than sorting.
pub fn multi_otsu_levels(histogram: &Histogram, classes: usize) -> Vec<f32> {
    let filled: Vec<usize> = (0..histogram.counts.len()).filter(|&bin| histogram.counts[bin] > 0).collect();
    let number = filled.len();
    if number <= classes {
        return filled.iter().take(number.saturating_sub(1)).map(|&bin| histogram.value(bin)).collect();
    }
    // Sums over the filled bins before each one.
    let mut sums = vec![(0u64, 0.0f64); number + 1];
    for (i, &bin) in filled.iter().enumerate() {
        let count = histogram.counts[bin];
        sums[i + 1] = (sums[i].0 + count, sums[i].1 + count as f64 * bin as f64);
    }
    // What a class adds to the variance between classes: the square of its sum over its number.
    let gain = |from: usize, to: usize| {
        let (weight, sum) = ((sums[to].0 - sums[from].0) as f64, sums[to].1 - sums[from].1);
        sum * sum / weight
    };
    // best[to]: the greatest gain of the classes so far over the filled bins before `to`.
    let mut best: Vec<f64> = (0..=number).map(|to| if to == 0 { 0.0 } else { gain(0, to) }).collect();
    let mut splits: Vec<Vec<usize>> = Vec::new();
    for class in 1..classes {
        let mut next = vec![f64::NEG_INFINITY; number + 1];
        let mut split = vec![0; number + 1];
        // Halves of ranges of `to`, each with the range of where its last class may start.
        let mut work = vec![(class + 1, number, class, number - 1)];
        while let Some((low, high, from_low, from_high)) = work.pop() {
            if low > high {
                continue;
            }
            let to = usize::midpoint(low, high);
            for from in from_low..=from_high.min(to - 1) {
                let value = best[from] + gain(from, to);
                if value > next[to] {
                    (next[to], split[to]) = (value, from);
                }
            }
            work.push((low, to - 1, from_low, split[to]));
            work.push((to + 1, high, split[to], from_high));
        }
        best = next;
        splits.push(split);
    }
    let mut to = number;
    let mut levels: Vec<f32> = Vec::new();
    for split in splits.iter().rev() {
        to = split[to];
        levels.push(histogram.value(filled[to - 1]));
    }
    levels.reverse();
    levels
}

/// How classes are numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum ClassOutput {
    /// `labels`: 0 for the darkest class, then 1, 2, ...
    #[default]
    Labels,
    /// `gray8`: the classes in equal steps from 0 to 255.
    Gray,
}

/// The class of every pixel: how many of the levels it is above.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassRows {
    /// Rising, in units of the image.
    pub levels: Vec<f32>,
    /// How classes are numbered.
    pub output: ClassOutput,
    table: Option<Arc<[u8; 256]>>,
}

impl ClassRows {
    /// A node for images of this type; `classes` says how far apart the grays of [`ClassOutput::Gray`] are.
    pub fn new(input: ImageType, levels: Vec<f32>, classes: usize, output: ClassOutput) -> Self {
        let steps = (classes - 1).max(1);
        let grays: Vec<u8> = (0..=levels.len()).map(|class| (class.min(steps) * 255 / steps) as u8).collect();
        let table = match (output, input) {
            (ClassOutput::Gray, ImageType::Gray8 | ImageType::Mask) => {
                Some(Arc::new(std::array::from_fn(|value| grays[class(&levels, value as f32)])))
            }
            _ => None,
        };
        Self { levels, output, table }.with_grays(&grays)
    }

    fn with_grays(mut self, grays: &[u8]) -> Self {
        // Only other depths look grays up by class.
        if self.output == ClassOutput::Gray && self.table.is_none() {
            let mut table = [0; 256];
            table[..grays.len()].copy_from_slice(grays);
            self.table = Some(Arc::new(table));
        }
        self
    }

    fn write<T: Copy + Into<f32>>(&self, pixels: &[T], ty: ImageType, out: &mut RowOut<'_>) {
        match (&self.table, self.output) {
            (Some(table), ClassOutput::Gray) => {
                let by_value = ty.element().size() == 1;
                for (&pixel, out) in pixels.iter().zip(out.row::<u8>()) {
                    let value: f32 = pixel.into();
                    *out = table[if by_value { value as usize } else { class(&self.levels, value) }];
                }
            }
            _ => {
                for (&pixel, out) in pixels.iter().zip(out.row::<u32>()) {
                    *out = class(&self.levels, pixel.into()) as u32;
                }
            }
        }
    }
}

fn class(levels: &[f32], value: f32) -> usize {
    levels.iter().filter(|level| value > **level).count()
}

impl RowNode for ClassRows {
    fn name(&self) -> &'static str {
        "multi-otsu"
    }

    fn output(&self, inputs: &[Shape]) -> Shape {
        let ty = match self.output {
            ClassOutput::Labels => ImageType::Labels,
            ClassOutput::Gray => ImageType::Gray8,
        };
        Shape { ty, ..inputs[0] }
    }

    fn is_map(&self) -> bool {
        true
    }

    fn row(&self, _isa: Isa, _state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        let (ty, y) = (rows.shape(0).ty, y as isize);
        match ty {
            ImageType::GrayF32 => self.write::<f32>(rows.get(0, 0, y), ty, out),
            ImageType::Gray16 => self.write::<u16>(rows.get(0, 0, y), ty, out),
            _ => self.write::<u8>(rows.get(0, 0, y), ty, out),
        }
    }
}

/// Refuses numbers of classes that make no sense.
///
/// # Errors
/// [`Pipeline`](crate::ErrorKind::Pipeline).
pub fn check_classes(classes: usize) -> Result<()> {
    if (2..=MAX_CLASSES).contains(&classes) {
        return Ok(());
    }
    Err(Error::pipeline(format!("`classes` wants 2 to {MAX_CLASSES}, got {classes}")))
}

/// Parameters of [`multi_otsu`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MultiOtsu {
    /// How many classes, 2 to 5.
    pub classes: usize,
    /// What stands for a class.
    pub output: ClassOutput,
}

impl Default for MultiOtsu {
    /// Three classes, as labels.
    fn default() -> Self {
        Self { classes: 3, output: ClassOutput::Labels }
    }
}

/// Sorts the pixels of a gray image into classes by [`multi_otsu_levels`]; returns the classes and the levels.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Context, MultiOtsu, multi_otsu};
///
/// let image = Image::Gray8(Plane::from_vec(6, 1, vec![10, 10, 100, 100, 200, 200])?);
/// let (classes, levels) = multi_otsu(&image, &MultiOtsu::default(), &Context::default())?;
/// assert_eq!((classes.width(), levels.len()), (6, 2));
/// assert!(levels[0] < 100.0 && levels[1] >= 100.0);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for images that are not gray,
/// [`Pipeline`](crate::ErrorKind::Pipeline) unless there are 2 to [`MAX_CLASSES`] classes,
/// [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn multi_otsu(image: &Image, params: &MultiOtsu, cx: &Context) -> Result<(Image, Vec<f32>)> {
    use ImageType::{Gray8, Gray16, GrayF32, Mask};
    let &MultiOtsu { classes, output } = params;
    check_classes(classes)?;
    expect_types("multi-otsu", Shape::of(image), &[Gray8, Gray16, GrayF32, Mask])?;
    let levels = multi_otsu_levels(&histogram(image, cx)?, classes);
    let nodes: Chain = vec![Arc::new(ClassRows::new(image.ty(), levels.clone(), classes, output))];
    Ok((apply_chain(nodes, image, cx)?, levels))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::image::Plane;
    use crate::reference;

    proptest! {
        #[test]
        fn no_split_is_better(
            counts in prop::collection::vec(prop_oneof![1 => Just(0u64), 2 => 0u64..50], 2..14), classes in 2usize..=4,
        ) {
            let levels = multi_otsu_levels(&Histogram { counts: counts.clone(), range: None }, classes);
            let filled = counts.iter().filter(|&&count| count > 0).count();
            prop_assert_eq!(levels.len(), (classes - 1).min(filled.saturating_sub(1)));
            if filled > classes {
                let levels: Vec<usize> = levels.iter().map(|&level| level as usize).collect();
                let got = reference::level::variance_within(&counts, &levels);
                let best = reference::level::least_variance_within(&counts, classes);
                prop_assert!(got <= best + 1e-9 * (1.0 + best), "{} {}", got, best);
            }
        }

        #[test]
        fn classes_count_the_levels_below(pixels in prop::collection::vec(any::<u8>(), 1..60), classes in 2usize..=5) {
            let plane = Plane::from_vec(pixels.len(), 1, pixels.clone()).unwrap();
            let cx = Context::default();
            let (labels, levels) = multi_otsu(&Image::Gray8(plane.clone()), &MultiOtsu { classes, ..MultiOtsu::default() }, &cx).unwrap();
            let wanted: Vec<u32> = pixels.iter()
                .map(|&pixel| levels.iter().map(|&level| u32::from(f32::from(pixel) > level)).sum()).collect();
            prop_assert_eq!(&labels, &Image::Labels(Plane::from_vec(pixels.len(), 1, wanted.clone()).unwrap()));
            let grays: Vec<u8> = wanted.iter().map(|&class| (class as usize * 255 / (classes - 1)) as u8).collect();
            for image in [Image::Gray8(plane.clone()), Image::Gray16(plane.map(u16::from))] {
                let (got, _) = multi_otsu(&image, &MultiOtsu { classes, output: ClassOutput::Gray }, &cx).unwrap();
                prop_assert_eq!(&got, &Image::Gray8(Plane::from_vec(pixels.len(), 1, grays.clone()).unwrap()));
            }
        }
    }
}
