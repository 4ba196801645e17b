//! Levels that split a histogram into a darker and a brighter class.
//!
//! Bins: one a value for 8 and 16 bit; [`FLOAT_BINS`](super::histogram::FLOAT_BINS) over the range of
//! the finite values for floats, whose levels are middles of bins. Three exceptions, each for a
//! reason: [`Method::Minimum`] puts 16 bit into 256 bins over its range as well, since smoothing
//! thousands of bins down to two peaks never ends; [`Method::Mean`] and [`Method::Li`] look at the
//! pixels of floats themselves where they can ([`level`]). Levels are in units of the image, and
//! pixels above them are the brighter class. Several levels at once are in [`super::multi_otsu()`].

use super::Context;
use super::histogram::{Histogram, histogram, otsu_level};
use crate::image::Image;
use crate::{Error, Result};

/// How a level is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Method {
    /// The greatest variance between the classes (N. Otsu 1979).
    #[default]
    Otsu,
    /// The value farthest below the line from the peak of the histogram to its farther end
    /// (G. Zack and others 1977).
    Triangle,
    /// The least cross entropy between the picture and its two means (C. Li and P. Tam 1998).
    Li,
    /// The greatest correlation of the classes (J. Yen and others 1995).
    Yen,
    /// The lowest level that is the middle between the means of its classes, within one bin (T. Ridler and
    /// S. Calvard 1978).
    Isodata,
    /// The valley between two peaks, once smoothing by threes has left no more (J. Prewitt and
    /// M. Mendelsohn 1966).
    Minimum,
    /// The mean (C. Glasbey 1993).
    Mean,
    /// The greatest sum of the entropies of the classes (J. Kapur and others 1985).
    MaxEntropy,
}

impl Method {
    /// All methods.
    pub const ALL: [Self; 8] = [
        Self::Otsu,
        Self::Triangle,
        Self::Li,
        Self::Yen,
        Self::Isodata,
        Self::Minimum,
        Self::Mean,
        Self::MaxEntropy,
    ];

    /// The name in pipelines and on sheets.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Otsu => "otsu",
            Self::Triangle => "triangle",
            Self::Li => "li",
            Self::Yen => "yen",
            Self::Isodata => "isodata",
            Self::Minimum => "minimum",
            Self::Mean => "mean",
            Self::MaxEntropy => "max-entropy",
        }
    }
}

/// Whose result is meant where the two differ: the level of [`Method::Triangle`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Semantics {
    /// OpenCV's.
    #[default]
    OpenCv,
    /// scikit-image's.
    ScikitImage,
}

/// The level of a histogram, in units of the image; 0 where it is empty, and the value itself where
/// there is only one.
///
/// # Errors
/// [`Input`](crate::ErrorKind::Input) when [`Method::Minimum`] finds no two peaks.
pub fn level_of(histogram: &Histogram, method: Method, semantics: Semantics) -> Result<f32> {
    let Some(bins) = Bins::of(histogram) else { return Ok(0.0) };
    if method == Method::Otsu {
        return Ok(otsu_level(histogram));
    }
    if bins.counts.len() == 1 && method != Method::Triangle {
        return Ok(histogram.value(bins.first));
    }
    Ok(match method {
        Method::Otsu => otsu_level(histogram),
        Method::Triangle => match semantics {
            Semantics::OpenCv => opencv_triangle(histogram, &bins),
            Semantics::ScikitImage => bins.value(triangle(bins.counts)),
        },
        Method::Li => li(&bins),
        Method::Yen => bins.value(yen(bins.counts)),
        Method::Isodata => isodata(&bins),
        Method::Minimum => minimum(&bins)?,
        Method::Mean => bins.mean_of(0..bins.counts.len()) as f32,
        Method::MaxEntropy => bins.value(max_entropy(bins.counts)),
    })
}

/// Parameters of [`level`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FindLevel {
    /// How the level is chosen.
    pub method: Method,
    /// Whose way, where libraries differ.
    pub semantics: Semantics,
}

/// The level of an image; as [`level_of`] its histogram, but that the mean and Li's level of floats
/// are those of the pixels, not of bins.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Context, FindLevel, level};
///
/// let image = Image::Gray8(Plane::from_vec(4, 1, vec![10, 10, 200, 200])?);
/// // Otsu's, unless another method is named.
/// assert_eq!(level(&image, &FindLevel::default(), &Context::default())?, 10.0);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for images that are not gray,
/// [`Input`](crate::ErrorKind::Input) when [`Method::Minimum`] finds no two peaks,
/// [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn level(image: &Image, params: &FindLevel, cx: &Context) -> Result<f32> {
    let &FindLevel { method, semantics } = params;
    match (image, method) {
        (Image::GrayF32(plane), Method::Mean) => {
            let finite = plane.as_slice().iter().filter(|value| value.is_finite());
            let (count, sum) = finite.fold((0u64, 0.0), |(n, sum), &v| (n + 1, sum + f64::from(v)));
            Ok((sum / count.max(1) as f64) as f32)
        }
        (Image::GrayF32(plane), Method::Li) => Ok(li_of_values(plane.as_slice())),
        _ => level_of(&histogram(image, cx)?, method, semantics),
    }
}

/// The bins from the first to the last that is not empty.
struct Bins<'a> {
    histogram: &'a Histogram,
    counts: &'a [u64],
    first: usize,
}

impl<'a> Bins<'a> {
    fn of(histogram: &'a Histogram) -> Option<Self> {
        let first = histogram.counts.iter().position(|&count| count > 0)?;
        let last = histogram.counts.iter().rposition(|&count| count > 0)?;
        Some(Self { histogram, counts: &histogram.counts[first..=last], first })
    }

    fn value(&self, bin: usize) -> f32 {
        self.histogram.value(self.first + bin)
    }

    /// The mean of the pixels in some bins, which are not all empty.
    fn mean_of(&self, bins: std::ops::Range<usize>) -> f64 {
        let (mut number, mut sum) = (0, 0.0);
        for bin in bins {
            number += self.counts[bin];
            sum += self.counts[bin] as f64 * f64::from(self.value(bin));
        }
        sum / number as f64
    }
}

/// The index of the first of the greatest scores.
fn first_greatest(scores: impl Iterator<Item = f64>) -> usize {
    let mut best = (0, f64::NEG_INFINITY);
    for (i, score) in scores.enumerate() {
        if score > best.1 {
            best = (i, score);
        }
    }
    best.0
}

fn peak(counts: &[u64]) -> usize {
    let mut peak = 0;
    for (i, &count) in counts.iter().enumerate() {
        if count > counts[peak] {
            peak = i;
        }
    }
    peak
}

/// The bin below the line from the peak to the end of the longer tail, that line left out.
fn triangle(counts: &[u64]) -> usize {
    let (peak, last) = (peak(counts), counts.len() - 1);
    let upwards = peak < last - peak;
    let width = if upwards { last - peak } else { peak };
    let count = |step: usize| counts[if upwards { last - step } else { step }];
    let height = counts[peak] as f64;
    let step =
        first_greatest((0..width).map(|step| height * step as f64 - width as f64 * count(step) as f64));
    if upwards { last - step } else { step }
}

/// OpenCV's triangle reaches one empty bin beyond the tail, and takes the bin before the farthest one.
fn opencv_triangle(histogram: &Histogram, bins: &Bins<'_>) -> f32 {
    let last = histogram.counts.len() as i64 - 1;
    let peak = (bins.first + peak(bins.counts)) as i64;
    let low = (bins.first as i64 - 1).max(0);
    // A lone value in bin 0 is not seen from above.
    let high = (bins.first + bins.counts.len() - 1) as i64;
    let high = (high + 1).min(last);
    let upwards = peak - low < high - peak;
    let (start, peak) = if upwards { (last - high, last - peak) } else { (low, peak) };
    let count = |bin: i64| histogram.counts[(if upwards { last - bin } else { bin }) as usize] as i64;
    let (height, slope) = (count(peak), start - peak);
    let (mut farthest, mut found) = (0, start);
    for bin in start + 1..=peak {
        let distance = height * bin + slope * count(bin);
        if distance > farthest {
            (farthest, found) = (distance, bin);
        }
    }
    let bin = if upwards { last - (found - 1) } else { found - 1 };
    match histogram.range {
        None => bin as f32,
        Some(_) => histogram.value(bin.clamp(0, last) as usize),
    }
}

/// The next level between two means above 0, where the cross entropy would be least.
fn logarithmic_mean(low: f64, high: f64) -> f64 {
    (low - high) / (libm::log(low) - libm::log(high))
}

/// Steps of Li's iteration at most; it takes about ten.
const LI_STEPS: usize = 1000;

fn li(bins: &Bins<'_>) -> f32 {
    // Logarithms want values from 0 up.
    let least = f64::from(bins.value(0));
    let width = f64::from(bins.value(1)) - least;
    let mut level = bins.mean_of(0..bins.counts.len()) - least;
    for _ in 0..LI_STEPS {
        let split = (0..bins.counts.len()).find(|&bin| f64::from(bins.value(bin)) - least > level);
        let Some(split) = split.filter(|&split| split > 0) else { break };
        let low = bins.mean_of(0..split) - least;
        let high = bins.mean_of(split..bins.counts.len()) - least;
        if low <= 0.0 {
            break;
        }
        let next = logarithmic_mean(low, high);
        let step = (next - level).abs();
        level = next;
        if step <= width / 2.0 {
            break;
        }
    }
    (level + least) as f32
}

/// Li's level of floats, to half the least distance of two values.
fn li_of_values(values: &[f32]) -> f32 {
    let mut sorted: Vec<f32> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_unstable_by(f32::total_cmp);
    let (Some(&least), Some(&most)) = (sorted.first(), sorted.last()) else { return 0.0 };
    if least == most {
        return least;
    }
    let gaps = sorted.windows(2).map(|pair| f64::from(pair[1]) - f64::from(pair[0]));
    let tolerance = gaps.filter(|gap| *gap > 0.0).fold(f64::INFINITY, f64::min) / 2.0;
    let mut sums = Vec::with_capacity(sorted.len() + 1);
    sums.push(0.0);
    for &value in &sorted {
        sums.push(sums[sums.len() - 1] + (f64::from(value) - f64::from(least)));
    }
    let count = sorted.len();
    let total = sums[count];
    let mut level = total / count as f64;
    for _ in 0..LI_STEPS {
        let split = sorted.partition_point(|&value| f64::from(value) - f64::from(least) <= level);
        if split == 0 || split == count {
            break;
        }
        let (low, high) = (sums[split] / split as f64, (total - sums[split]) / (count - split) as f64);
        if low <= 0.0 {
            break;
        }
        let next = logarithmic_mean(low, high);
        let step = (next - level).abs();
        level = next;
        if step <= tolerance {
            break;
        }
    }
    (level + f64::from(least)) as f32
}

fn yen(counts: &[u64]) -> usize {
    let total = counts.iter().sum::<u64>() as f64;
    let square = |count: u64| (count as f64 / total) * (count as f64 / total);
    // Squares of the bins above each one, summed from the last bin down.
    let mut above = vec![0.0; counts.len()];
    for bin in (0..counts.len() - 1).rev() {
        above[bin] = above[bin + 1] + square(counts[bin + 1]);
    }
    let (mut share, mut below) = (0.0, 0.0);
    first_greatest((0..counts.len() - 1).map(|bin| {
        share += counts[bin] as f64 / total;
        below += square(counts[bin]);
        let both = share * (1.0 - share);
        both * both / (below * above[bin])
    }))
}

fn isodata(bins: &Bins<'_>) -> f32 {
    let last = bins.counts.len() - 1;
    let width = f64::from(bins.value(1)) - f64::from(bins.value(0));
    let mass = |bin: usize| bins.counts[bin] as f64 * f64::from(bins.value(bin));
    let number = bins.counts.iter().sum::<u64>();
    let sum = (0..=last).map(mass).sum::<f64>();
    let (mut below, mut sum_below) = (0, 0.0);
    for bin in 0..last {
        below += bins.counts[bin];
        sum_below += mass(bin);
        let (low, high) = (sum_below / below as f64, (sum - sum_below) / (number - below) as f64);
        let distance = f64::midpoint(low, high) - f64::from(bins.value(bin));
        if (0.0..width).contains(&distance) {
            return bins.value(bin);
        }
    }
    (sum / number as f64) as f32
}

/// Bins and rounds of the smoothing of [`Method::Minimum`] at most.
const SMOOTH: (usize, usize) = (256, 10_000);

fn minimum(bins: &Bins<'_>) -> Result<f32> {
    let number = bins.counts.len();
    let grouped = number.min(SMOOTH.0);
    let group = number as f64 / grouped as f64;
    let mut counts = vec![0f32; grouped];
    for (bin, &count) in bins.counts.iter().enumerate() {
        counts[((bin as f64 / group) as usize).min(grouped - 1)] += count as f32;
    }
    let mut peaks = Vec::new();
    for _ in 0..SMOOTH.1 {
        let at = |i: isize| f64::from(counts[i.clamp(0, grouped as isize - 1) as usize]);
        let mean = |i: isize| ((at(i - 1) + at(i) + at(i + 1)) / 3.0) as f32;
        counts = (0..grouped as isize).map(mean).collect();
        peaks = maxima(&counts);
        if peaks.len() < 3 {
            break;
        }
    }
    let &[low, high] = peaks.as_slice() else {
        return Err(Error::input("`minimum` finds no two peaks in the histogram")
            .with_hint("another method, `otsu` say, makes do with one"));
    };
    let mut valley = low;
    for bin in low..=high {
        if counts[bin] < counts[valley] {
            valley = bin;
        }
    }
    if grouped == number {
        return Ok(bins.value(valley));
    }
    let (least, most) = (f64::from(bins.value(0)), f64::from(bins.value(number - 1)));
    Ok((least + (valley as f64 + 0.5) * (most - least) / grouped as f64) as f32)
}

/// Where values stop rising and fall; of a plateau its end.
fn maxima(counts: &[f32]) -> Vec<usize> {
    let mut rising = true;
    let mut found = Vec::new();
    for (i, pair) in counts.windows(2).enumerate() {
        if rising && pair[1] < pair[0] {
            rising = false;
            found.push(i);
        } else if !rising && pair[1] > pair[0] {
            rising = true;
        }
    }
    found
}

fn max_entropy(counts: &[u64]) -> usize {
    let total = counts.iter().sum::<u64>() as f64;
    let weigh = |count: u64| {
        let share = count as f64 / total;
        if count > 0 { share * libm::log(share) } else { 0.0 }
    };
    let all: f64 = counts.iter().map(|&count| weigh(count)).sum();
    // -sum(p/P ln(p/P)) = ln P - sum(p ln p) / P
    let entropy = |share: f64, sum: f64| libm::log(share) - sum / share;
    let (mut number, mut sum) = (0u64, 0.0);
    first_greatest(counts[..counts.len() - 1].iter().map(|&count| {
        number += count;
        sum += weigh(count);
        let share = number as f64 / total;
        entropy(share, sum) + entropy(1.0 - share, all - sum)
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reference;

    fn bytes(counts: Vec<u64>) -> Histogram {
        Histogram { counts, range: None }
    }

    fn counts() -> impl Strategy<Value = Vec<u64>> {
        let bin = prop_oneof![2 => Just(0u64), 1 => 1u64..6, 1 => 0u64..900];
        prop::collection::vec(bin, 2..40)
            .prop_filter("two values", |counts| counts.iter().filter(|&&count| count > 0).count() > 1)
    }

    /// A score of a level as its definition has it, or none where a class is empty.
    type Score = fn(&[u64], usize) -> Option<f64>;

    proptest! {
        #[test]
        fn scores_are_the_greatest_there_are(counts in counts()) {
            let scores: [(Method, Score); 2] =
                [(Method::Yen, reference::level::yen), (Method::MaxEntropy, reference::level::entropy)];
            for (method, score) in scores {
                let level = level_of(&bytes(counts.clone()), method, Semantics::OpenCv).unwrap() as usize;
                let got = score(&counts, level).unwrap();
                let best = (0..counts.len()).filter_map(|level| score(&counts, level)).fold(f64::MIN, f64::max);
                prop_assert!(got >= best - 1e-9 * best.abs(), "{:?} {} {}", method, got, best);
            }
        }

        #[test]
        fn isodata_stands_between_its_means(counts in counts()) {
            let level = level_of(&bytes(counts.clone()), Method::Isodata, Semantics::OpenCv).unwrap() as usize;
            let wanted = (0..counts.len()).find(|&level| reference::level::is_isodata(&counts, level));
            prop_assert_eq!(Some(level), wanted);
        }

        #[test]
        fn triangles_reach_the_farthest_bin(counts in counts()) {
            let histogram = bytes(counts.clone());
            let level = level_of(&histogram, Method::Triangle, Semantics::ScikitImage).unwrap() as usize;
            prop_assert_eq!(level, reference::level::triangle(&counts));
        }

        #[test]
        fn li_ends_with_a_step(counts in counts()) {
            // What the iteration ends with is the mean, or what a step from some split gives.
            let total: u64 = counts.iter().sum();
            let mean = counts.iter().enumerate().map(|(i, &n)| i as f64 * n as f64).sum::<f64>() / total as f64;
            let steps = (0..counts.len()).filter_map(|split| reference::level::li_step(&counts, split as f64));
            let ends: Vec<f64> = steps.chain([mean]).collect();
            let of_bins = f64::from(level_of(&bytes(counts.clone()), Method::Li, Semantics::OpenCv).unwrap());
            let values: Vec<f32> = counts.iter().enumerate()
                .flat_map(|(i, &n)| vec![i as f32 * 3.0; n as usize]).collect();
            for level in [of_bins, f64::from(li_of_values(&values)) / 3.0] {
                prop_assert!(ends.iter().any(|end| (end - level).abs() < 1e-5), "{} {:?}", level, ends);
            }
        }
    }

    #[test]
    fn one_value_and_none_have_a_level() {
        let mut counts = vec![0; 256];
        for method in Method::ALL {
            let none = level_of(&bytes(counts.clone()), method, Semantics::OpenCv).unwrap();
            assert_eq!(none, 0.0, "{method:?}");
        }
        counts[7] = 3;
        for method in [Method::Li, Method::Yen, Method::Isodata, Method::Mean, Method::MaxEntropy] {
            assert_eq!(level_of(&bytes(counts.clone()), method, Semantics::OpenCv).unwrap(), 7.0);
        }
        let floats = Histogram { counts: vec![4, 0, 0, 2], range: Some((-1.0, 3.0)) };
        assert_eq!(level_of(&floats, Method::Yen, Semantics::OpenCv).unwrap(), -0.5);
    }

    #[test]
    fn the_valley_wants_two_peaks() {
        let peaks = vec![0, 40, 90, 30, 4, 2, 5, 60, 120, 30, 0];
        assert_eq!(level_of(&bytes(peaks), Method::Minimum, Semantics::OpenCv).unwrap(), 5.0);
        let error = level_of(&bytes(vec![1, 5, 9, 5, 1]), Method::Minimum, Semantics::OpenCv).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Input);
    }
}
