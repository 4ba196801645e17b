//! The sums that scores are made of: products with the template, and sums over windows.
#![allow(clippy::inline_always, reason = "only what is inlined is compiled for the instruction set")]

use super::Method;
use super::score::Accumulator;
use super::support::{Run, Support};
use crate::image::{Pixel, Plane, View};
use crate::kernel::Isa;
use crate::kernel::ncc::{BLOCK, MAX_TAPS, dot_pairs, pairs_row, sum_terms};

/// Pixels that templates are matched on.
pub trait Channels: Pixel {
    /// One channel.
    type Sample: Sample;
    /// The channels as planes of their own; none for gray pixels, which are their own channel.
    fn split(image: View<Self>) -> Vec<Plane<Self::Sample>>;
    /// A gray image as its only channel; none for other pixels.
    fn as_gray(image: View<'_, Self>) -> Vec<View<'_, Self::Sample>>;
}

/// A channel that templates are matched on.
pub trait Sample: Pixel {
    /// What sums of products are kept in.
    #[doc(hidden)]
    type Sum: Accumulator;
    /// The template made ready.
    #[doc(hidden)]
    type Dot: Dot<Self>;
    /// The largest value of an integer, 0 for floats, whose sums never overflow.
    #[doc(hidden)]
    const PEAK: f64;
    /// What is subtracted from pixels before they are transformed: the middle of the integers.
    #[doc(hidden)]
    const MIDDLE: f64;
    /// The same as a sum.
    #[doc(hidden)]
    const MIDDLE_SUM: Self::Sum;
    /// Nanoseconds that a product of a direct sum takes; see [`Plan`](super::plan::Plan).
    #[doc(hidden)]
    const COST: f64;
    /// The value as a sum of one.
    #[doc(hidden)]
    fn value(self) -> Self::Sum;
    /// Its square.
    #[doc(hidden)]
    fn square(self) -> Self::Sum;
    /// The high byte less 128 and the low byte of integers of two: together what is left without the middle.
    #[doc(hidden)]
    fn bytes(self) -> [f64; 2];
    /// Images of bytes as what they are; none of other pixels.
    #[doc(hidden)]
    fn as_bytes<'v, 'a>(images: &'v [View<'a, Self>]) -> Option<&'v [View<'a, u8>]>;
}

macro_rules! samples {
    ($($ty:ty, $sum:ty, $dot:ty, $peak:expr, $middle:expr, $cost:expr, $bytes:expr, $as_bytes:expr);*) => {$(
        impl Sample for $ty {
            type Sum = $sum;
            type Dot = $dot;
            const PEAK: f64 = $peak;
            const MIDDLE: f64 = $middle as f64;
            const MIDDLE_SUM: $sum = $middle;
            const COST: f64 = $cost;
            #[inline(always)]
            fn value(self) -> $sum {
                <$sum>::from(self)
            }
            #[inline(always)]
            fn square(self) -> $sum {
                <$sum>::from(self) * <$sum>::from(self)
            }
            #[inline(always)]
            fn bytes(self) -> [f64; 2] {
                $bytes(self)
            }
            #[inline(always)]
            fn as_bytes<'v, 'a>(images: &'v [View<'a, Self>]) -> Option<&'v [View<'a, u8>]> {
                $as_bytes(images)
            }
        }
        impl Channels for $ty {
            type Sample = Self;
            fn split(_: View<Self>) -> Vec<Plane<Self>> {
                Vec::new()
            }
            fn as_gray(image: View<'_, Self>) -> Vec<View<'_, Self>> {
                vec![image]
            }
        }
        impl Channels for [$ty; 3] {
            type Sample = $ty;
            fn split(image: View<Self>) -> Vec<Plane<$ty>> {
                let channel = |c: usize| Plane::from_fn(image.width(), image.height(), |x, y| image.row(y)[x][c]);
                (0..3).map(channel).collect()
            }
            fn as_gray(_: View<'_, Self>) -> Vec<View<'_, $ty>> {
                Vec::new()
            }
        }
    )*};
}
samples!(
    u8, u64, DotBytes, 255.0, 128, 0.014, |value| [0.0, f64::from(value) - 128.0], Some;
    u16, u64, DotWords, 65535.0, 32768, 0.12, |value: u16| [f64::from(value >> 8) - 128.0, f64::from(value & 255)], |_| None;
    f32, f64, DotFloats, 0.0, 0.0, 0.055, |value| [0.0, f64::from(value)], |_| None
);

/// What is summed over a window and its template.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Products of pixels.
    Products,
    /// Products with the template less its mean; integers, which cancel exactly, keep the mean.
    Centred,
    /// Squared differences; integers, which cancel exactly, take products.
    Differences,
}

impl How {
    pub(super) fn of(method: Method) -> Self {
        match method {
            Method::SquaredDifference | Method::SquaredDifferenceNormed => Self::Differences,
            Method::CrossCorrelation | Method::CrossCorrelationNormed => Self::Products,
            Method::CorrelationCoefficient | Method::CorrelationCoefficientNormed => Self::Centred,
        }
    }
}

/// One channel of a template, ready to be summed against windows.
pub trait Dot<T: Sample>: Send + Sync {
    /// What one band of rows keeps.
    type Scratch;
    /// The template made ready, of which the pixels of `support` count.
    fn new(template: View<T>, support: &Support, how: How) -> Self;
    /// What a band of an image of this width starts with.
    fn scratch(&self, width: usize) -> Self::Scratch;
    /// Adds the sums of the windows with their corners in row `y` to `out`.
    fn row(&self, isa: Isa, image: View<T>, y: usize, scratch: &mut Self::Scratch, out: &mut [T::Sum]);
    /// The sum of the template's values and the sum of their squares.
    fn totals(&self) -> (T::Sum, T::Sum);
    /// What is subtracted from the template.
    fn mean(&self) -> f64 {
        0.0
    }
}

/// Pieces of an 8-bit template, each so small that its sums fit 32 bits.
pub struct DotBytes {
    tiles: Vec<Tile>,
    width: usize,
    height: usize,
    totals: (u64, u64),
}

/// Some rows and columns of a template as pairs of neighbours.
struct Tile {
    row: usize,
    column: usize,
    columns: usize,
    taps: Vec<u32>,
}

/// The rows of pairs that the windows of one row reach, as a ring.
pub struct PairRows {
    pairs: Vec<u32>,
    stride: usize,
    /// Row `next` of the image is the first that was not paired yet.
    next: usize,
}

impl Dot<u8> for DotBytes {
    type Scratch = PairRows;

    fn new(template: View<u8>, support: &Support, _: How) -> Self {
        let (width, height) = support.size();
        let totals = totals(template, support);
        // What does not count is zero: its products are.
        let mut plane = Plane::new(width, height);
        for run in support.runs() {
            plane.row_mut(run.y)[run.start..run.end].copy_from_slice(run.of(template));
        }
        let template = plane;
        // Even, so that no pair is cut.
        let across = width.next_multiple_of(2).min(MAX_TAPS / 2 * 2);
        let down = MAX_TAPS / across;
        let mut tiles = Vec::new();
        for row in (0..height).step_by(down) {
            for column in (0..width).step_by(across) {
                let rows = row..height.min(row + down);
                let used = column..width.min(column + across);
                let pair = |pair: &[u8]| u32::from(pair[0]) | u32::from(*pair.get(1).unwrap_or(&0)) << 16;
                let taps = rows.flat_map(|y| template.row(y)[used.clone()].chunks(2).map(pair)).collect();
                tiles.push(Tile { row, column, columns: used.len().div_ceil(2), taps });
            }
        }
        Self { tiles, width, height, totals }
    }

    fn scratch(&self, width: usize) -> PairRows {
        let stride = width + BLOCK + self.width + 2;
        PairRows { pairs: vec![0; stride * self.height], stride, next: 0 }
    }

    fn row(&self, isa: Isa, image: View<u8>, y: usize, scratch: &mut PairRows, out: &mut [u64]) {
        let PairRows { pairs, stride, next } = scratch;
        let stride = *stride;
        let slot = |row: usize| (row % self.height) * stride;
        for row in y.max(*next)..y + self.height {
            pairs_row(isa, image.row(row), &mut pairs[slot(row)..][..stride]);
        }
        *next = y + self.height;
        for tile in &self.tiles {
            let row = |j: usize| &pairs[slot(y + tile.row + j)..][..stride][tile.column..];
            dot_pairs(isa, row, &tile.taps, tile.columns, out);
        }
    }

    fn totals(&self) -> (u64, u64) {
        self.totals
    }
}

/// A 16-bit template.
pub struct DotWords {
    template: Plane<u16>,
    runs: Vec<Run>,
    totals: (u64, u64),
}

impl Dot<u16> for DotWords {
    type Scratch = ();

    fn new(template: View<u16>, support: &Support, _: How) -> Self {
        let totals = totals(template, support);
        Self { template: template.to_plane(), runs: support.runs().to_vec(), totals }
    }

    fn scratch(&self, _: usize) {}

    fn row(&self, isa: Isa, image: View<u16>, y: usize, (): &mut (), out: &mut [u64]) {
        let taps = self.runs.iter().map(|run| run.of(self.template.view()));
        let term = |a: u16, b: u16| u64::from(u32::from(a) * u32::from(b));
        sum_terms(isa, |at| self.runs[at].from(image, y), taps, term, out);
    }

    fn totals(&self) -> (u64, u64) {
        self.totals
    }
}

/// A float template.
pub struct DotFloats {
    template: Plane<f64>,
    runs: Vec<Run>,
    mean: f64,
    totals: (f64, f64),
    differences: bool,
}

impl Dot<f32> for DotFloats {
    type Scratch = ();

    fn new(template: View<f32>, support: &Support, how: How) -> Self {
        let totals = totals(template, support);
        let mut dot = Self {
            template: template.to_plane().map(f64::from),
            runs: support.runs().to_vec(),
            mean: 0.0,
            totals,
            differences: how == How::Differences,
        };
        if how != How::Centred {
            return dot;
        }
        let (sum, squares) = totals;
        dot.mean = sum / support.count() as f64;
        dot.template = dot.template.map(|value| value - dot.mean);
        let values = dot.runs.iter().flat_map(|run| run.of(dot.template.view()));
        let rest: f64 = values.map(|value| value * value).sum();
        // Flat as far as one can tell is flat.
        let rest = if rest <= f64::noise(squares, support.count()) { 0.0 } else { rest };
        dot.totals = (0.0, rest);
        dot
    }

    fn scratch(&self, _: usize) {}

    fn row(&self, isa: Isa, image: View<f32>, y: usize, (): &mut (), out: &mut [f64]) {
        let taps = self.runs.iter().map(|run| run.of(self.template.view()));
        let image = |at: usize| self.runs[at].from(image, y);
        if self.differences {
            let term = |a: f64, b: f32| (a - f64::from(b)) * (a - f64::from(b));
            sum_terms(isa, image, taps, term, out);
        } else {
            sum_terms(isa, image, taps, |a: f64, b: f32| a * f64::from(b), out);
        }
    }

    fn totals(&self) -> (f64, f64) {
        self.totals
    }

    fn mean(&self) -> f64 {
        self.mean
    }
}

fn totals<T: Sample>(template: View<T>, support: &Support) -> (T::Sum, T::Sum) {
    let mut totals = (T::Sum::default(), T::Sum::default());
    for run in support.runs() {
        for value in run.of(template) {
            totals.0 += value.value();
            totals.1 += value.square();
        }
    }
    totals
}
