//! Histograms and what is read from them: Otsu's level, the table that equalizes.

use std::sync::Arc;

use super::Context;
use super::row::{Reduction, Run, RunPlan, Shape, State, execute};
use super::stencil::{expect_types, scratch};
use crate::image::{Element, Image, ImageType};
use crate::kernel::{Isa, histogram as kernel};
use crate::{Error, ErrorKind, Result};

/// Bins of the histograms of float images.
pub const FLOAT_BINS: usize = 256;

/// How often each value occurs.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::histogram::{Histogram, histogram};
/// use lyncean::ops::level::{Method, Semantics, level_of};
/// use lyncean::ops::multi_otsu::multi_otsu_levels;
/// use lyncean::ops::{Context, chart};
///
/// let image = Image::Gray8(Plane::from_fn(8, 8, |x, _| [10, 120, 240][x % 3]));
/// let counts: Histogram = histogram(&image, &Context::default())?;
/// assert_eq!((counts.total(), counts.counts[10]), (64, 24));
/// let level = level_of(&counts, Method::Otsu, Semantics::OpenCv)?;
/// assert_eq!((level, multi_otsu_levels(&counts, 3).len()), (10.0, 2));
/// let drawn = chart::histogram_chart(&counts, &[f64::from(level)]);
/// assert!(drawn.width() > 256 && chart::words_of(120.0) == "120");
/// # Ok::<(), lyncean::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    /// Counts: 256 for 8 bit, 65536 for 16 bit, [`FLOAT_BINS`] for floats.
    pub counts: Vec<u64>,
    /// Least and largest value of float images; integers have one bin a value.
    pub range: Option<(f32, f32)>,
}

impl Histogram {
    /// How many pixels there are.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The value that stands for a bin: the value itself for integers, the middle of the bin for
    /// floats.
    pub fn value(&self, bin: usize) -> f32 {
        match self.range {
            None => bin as f32,
            Some((low, high)) => {
                let width = (f64::from(high) - f64::from(low)) / self.counts.len() as f64;
                (f64::from(low) + (bin as f64 + 0.5) * width) as f32
            }
        }
    }

    /// The histogram that a [`HistogramReduction`] observed.
    pub fn from_state(state: &mut State) -> Option<&Self> {
        state.downcast_mut::<Observed>().map(Observed::finish)
    }
}

/// What is observed, and room for the histogram that is read from it.
struct Observed {
    counts: Counts,
    read: Histogram,
}

/// A histogram in the making.
enum Counts {
    U8(Box<[[u64; 256]; 4]>),
    /// 8 bit, by neighbouring two and by value.
    Pairs(Box<Pairs>),
    U16(Vec<u64>),
    F32(Vec<u64>, (f32, f32)),
}

/// Counts of 8 bit, by neighbouring two while there is room for them, and by value.
#[derive(bytemuck::Zeroable)]
struct Pairs {
    both: [u32; 65536],
    /// Pixels counted in `both`.
    counted: usize,
    rows: usize,
    /// Whether the row last looked at was rough; a few rows are like their neighbours.
    is_rough: bool,
    singles: [[u64; 256]; 4],
}

impl Pairs {
    /// Images of fewer pixels are counted before a table of pairs is cleared and summed.
    const LEAST: usize = 1 << 17;

    fn start() -> Box<Self> {
        bytemuck::allocation::zeroed_box()
    }

    fn count(&mut self, row: &[u8]) {
        if self.rows.is_multiple_of(8) {
            self.is_rough = kernel::is_rough(row);
        }
        self.rows += 1;
        if self.is_rough {
            kernel::count_u8_row(row, &mut self.singles);
            return;
        }
        if self.counted + row.len() > u32::MAX as usize {
            self.fold();
        }
        if let Some(&left) = kernel::count_pairs_row(row, &mut self.both) {
            self.singles[0][usize::from(left)] += 1;
        }
        self.counted += row.len();
    }

    fn fold(&mut self) {
        kernel::unpair(&mut self.both, &mut self.singles[0]);
        self.counted = 0;
    }
}

impl Observed {
    fn finish(&mut self) -> &Histogram {
        let read = &mut self.read;
        let of_parts = |parts: &[[u64; 256]; 4], read: &mut Histogram| {
            read.counts.clear();
            read.counts.extend((0..256).map(|bin| parts.iter().map(|part| part[bin]).sum::<u64>()));
        };
        match &mut self.counts {
            Counts::U8(parts) => of_parts(parts, read),
            Counts::Pairs(pairs) => {
                pairs.fold();
                of_parts(&pairs.singles, read);
            }
            // What lies there instead is cleared before it is counted in.
            Counts::U16(counts) => std::mem::swap(counts, &mut read.counts),
            Counts::F32(counts, range) => {
                std::mem::swap(counts, &mut read.counts);
                read.range = Some(*range);
            }
        }
        read
    }
}

impl Counts {
    fn restart(&mut self, bins: usize) {
        match self {
            Self::U8(parts) => parts.as_flattened_mut().fill(0),
            Self::Pairs(pairs) => {
                // Where all was folded, the large table is clear already.
                if pairs.counted > 0 {
                    pairs.both.fill(0);
                }
                (pairs.counted, pairs.rows, pairs.is_rough) = (0, 0, false);
                pairs.singles.as_flattened_mut().fill(0);
            }
            Self::U16(counts) | Self::F32(counts, _) => {
                counts.clear();
                counts.resize(bins, 0);
            }
        }
    }
}

/// Counts the values of a gray image or mask. [`Histogram::from_state`] reads the result.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct HistogramReduction {
    /// The range of float images, which must be known before: [`ExtremaReduction`] finds it.
    pub range: (f32, f32),
}

impl Reduction for HistogramReduction {
    fn name(&self) -> &'static str {
        "histogram"
    }

    fn start(&self, input: Shape) -> State {
        let counts = match input.ty.element() {
            Element::U16 => Counts::U16(vec![0; 65536]),
            Element::F32 => Counts::F32(vec![0; FLOAT_BINS], self.range),
            _ if input.width * input.height >= Pairs::LEAST => Counts::Pairs(Pairs::start()),
            _ => Counts::U8(Box::new([[0; 256]; 4])),
        };
        Box::new(Observed { counts, read: Histogram { counts: Vec::new(), range: None } })
    }

    fn restart(&self, state: &mut State) -> bool {
        let Observed { counts, .. } = scratch(state);
        let bins = if matches!(counts, Counts::U16(_)) { 65536 } else { FLOAT_BINS };
        counts.restart(bins);
        true
    }

    fn observe(&self, _isa: Isa, state: &mut State, planes: &[&[u8]]) {
        match &mut scratch::<Observed>(state).counts {
            Counts::U8(counts) => kernel::count_u8_row(planes[0], counts),
            Counts::Pairs(pairs) => pairs.count(planes[0]),
            Counts::U16(counts) => kernel::count_u16_row(bytemuck::cast_slice(planes[0]), counts),
            Counts::F32(counts, (low, high)) => {
                kernel::count_f32_row(bytemuck::cast_slice(planes[0]), *low, *high, counts);
            }
        }
    }

    fn merge(&self, into: &mut State, below: &mut State) {
        let add = |into: &mut [u64], below: &[u64]| {
            into.iter_mut().zip(below).for_each(|(into, below)| *into += below);
        };
        let (into, below): (&mut Observed, &mut Observed) = (scratch(into), scratch(below));
        match (&mut into.counts, &mut below.counts) {
            (Counts::U8(into), Counts::U8(below)) => {
                into.iter_mut().zip(below.iter()).for_each(|(into, below)| add(into, below));
            }
            (Counts::Pairs(into), Counts::Pairs(below)) => {
                below.fold();
                into.singles.iter_mut().zip(&below.singles).for_each(|(into, below)| add(into, below));
            }
            (Counts::U16(into), Counts::U16(below)) | (Counts::F32(into, _), Counts::F32(below, _)) => {
                add(into, below);
            }
            _ => unreachable!("strips of one image observe alike"),
        }
    }
}

/// The least and the largest finite value of a float image: the state is an `Option<(f32, f32)>`.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct ExtremaReduction;

impl Reduction for ExtremaReduction {
    fn name(&self) -> &'static str {
        "extrema"
    }

    fn start(&self, _input: Shape) -> State {
        Box::new(None::<(f32, f32)>)
    }

    fn restart(&self, state: &mut State) -> bool {
        *scratch::<Option<(f32, f32)>>(state) = None;
        true
    }

    fn observe(&self, _isa: Isa, state: &mut State, planes: &[&[u8]]) {
        kernel::extrema_f32_row(bytemuck::cast_slice(planes[0]), scratch(state));
    }

    fn merge(&self, into: &mut State, below: &mut State) {
        let below: &mut Option<(f32, f32)> = scratch(below);
        let into: &mut Option<(f32, f32)> = scratch(into);
        if let Some((low, high)) = *below {
            kernel::extrema_f32_row(&[low, high], into);
        }
    }
}

/// Observes a whole image.
pub(crate) fn reduce(reduction: Arc<dyn Reduction>, image: &Image, cx: &Context) -> Result<State> {
    let run = Run {
        sources: vec![Shape::of(image)],
        steps: Vec::new(),
        sinks: Vec::new(),
        observers: vec![(0, reduction)],
    };
    let mut output = execute(&RunPlan::new(run, cx)?, &[image], cx)?;
    output.states.pop().ok_or_else(|| Error::new(ErrorKind::Internal, "a run observed nothing"))
}

/// Counts the values of a gray image or mask; floats in [`FLOAT_BINS`] equal bins from the least to
/// the largest finite value.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Context, histogram};
///
/// let image = Image::Gray8(Plane::from_vec(3, 1, vec![7, 7, 9])?);
/// let counted = histogram(&image, &Context::default())?;
/// assert_eq!((counted.counts[7], counted.counts[9], counted.total()), (2, 1, 3));
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](ErrorKind::Shape) for images that are not gray, [`Cancelled`](ErrorKind::Cancelled).
pub fn histogram(image: &Image, cx: &Context) -> Result<Histogram> {
    use ImageType::{Gray8, Gray16, GrayF32, Mask};
    expect_types("histogram", Shape::of(image), &[Gray8, Gray16, GrayF32, Mask])?;
    let range = match image {
        Image::GrayF32(_) => {
            let mut state = reduce(Arc::new(ExtremaReduction), image, cx)?;
            scratch::<Option<(f32, f32)>>(&mut state).unwrap_or_default()
        }
        _ => (0.0, 0.0),
    };
    let mut state = reduce(Arc::new(HistogramReduction { range }), image, cx)?;
    let histogram = Histogram::from_state(&mut state).cloned();
    histogram.ok_or_else(|| Error::new(ErrorKind::Internal, "a histogram was lost"))
}

/// The level that splits a histogram into two classes of the greatest variance between them (N. Otsu
/// 1979), in the unit of the image; pixels above it are the upper class. 0 where all pixels are
/// alike.
///
/// The first of equal levels wins, up to the rounding of a recurrence in `f64` that is OpenCV's.
/// Floats get the middle of a bin, as in scikit-image.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Context, histogram, otsu_level};
///
/// let image = Image::Gray8(Plane::from_vec(4, 1, vec![10, 10, 200, 200])?);
/// assert_eq!(otsu_level(&histogram(&image, &Context::default())?), 10.0);
/// # Ok::<(), lyncean::Error>(())
/// ```
pub fn otsu_level(histogram: &Histogram) -> f32 {
    let scale = 1.0 / histogram.total().max(1) as f64;
    // Signed numbers are one instruction to convert; no count reaches their sign.
    let number = |count: u64| count as i64 as f64;
    let mut mean = 0.0;
    for (i, &count) in histogram.counts.iter().enumerate() {
        if count > 0 {
            mean += i as f64 * number(count);
        }
    }
    mean *= scale;
    let nothing = f64::from(f32::EPSILON);
    let (mut weight, mut below) = (0.0, 0.0);
    let (mut best, mut level) = (0.0, 0);
    // Whether an empty bin would leave `below` as it is, and so have the variance of the bin before.
    let mut is_settled = true;
    for (i, &count) in histogram.counts.iter().enumerate() {
        if count == 0 && is_settled {
            continue;
        }
        let before = below;
        let share = number(count) * scale;
        below *= weight;
        weight += share;
        let rest = 1.0 - weight;
        if weight > 1.0 - nothing || rest < nothing {
            // Weights only rise.
            break;
        }
        if weight < nothing || rest > 1.0 - nothing {
            continue;
        }
        below = (below + i as f64 * share) / weight;
        is_settled = count == 0 && below == before;
        if is_settled {
            continue;
        }
        let above = (mean - weight * below) / rest;
        let variance = weight * rest * (below - above) * (below - above);
        if variance > best {
            (best, level) = (variance, i);
        }
    }
    match (best > 0.0, histogram.range) {
        (false, Some((low, _))) => low,
        _ => histogram.value(level),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// OpenCV's recurrence, bin by bin.
    fn plain_otsu(counts: &[u64]) -> usize {
        let scale = 1.0 / counts.iter().sum::<u64>().max(1) as f64;
        let mean = counts.iter().enumerate().map(|(i, &n)| i as f64 * n as f64).sum::<f64>() * scale;
        let least = f64::from(f32::EPSILON);
        let (mut q1, mut mu1, mut best, mut level) = (0.0, 0.0, 0.0, 0);
        for (i, &count) in counts.iter().enumerate() {
            let p = count as f64 * scale;
            mu1 *= q1;
            q1 += p;
            let q2: f64 = 1.0 - q1;
            if q1.min(q2) >= least && q1.max(q2) <= 1.0 - least {
                mu1 = (mu1 + i as f64 * p) / q1;
                let mu2 = (mean - q1 * mu1) / q2;
                let sigma = q1 * q2 * (mu1 - mu2) * (mu1 - mu2);
                if sigma > best {
                    (best, level) = (sigma, i);
                }
            }
        }
        level
    }

    proptest! {
        /// With runs of empty bins, and with bins of too little weight to count.
        #[test]
        fn empty_bins_are_left_out_of_otsu_unseen(
            counts in prop::collection::vec(
                prop_oneof![3 => Just(0u64), 2 => 0u64..9, 1 => any::<u32>().prop_map(u64::from)],
                256,
            ),
        ) {
            let level = otsu_level(&Histogram { counts: counts.clone(), range: None });
            prop_assert_eq!(level, plain_otsu(&counts) as f32);
        }
    }
}
