//! Windows as training sees them: their integral images side by side, so that a feature is computed for
//! neighbouring windows at once, with the detector's arithmetic.
#![allow(clippy::inline_always, reason = "what is inlined is vectorised for the instruction set")]

use crate::image::{Plane, View};
use crate::kernel::Isa;
use crate::ops::cascade::{Branch, Cascade, Feature, FeatureRect, Node, Question, Tree, Verdict, Windows};
use crate::{Error, Result};

/// Windows in which the contrast factor, times the area, is not below this are flat to the detector.
const FLAT: f64 = 1e-1;
/// Windows whose values are summed in one go.
const LANES: usize = 512;

/// Gray windows of one size, one after the other: objects, or what was taken for them.
///
/// ```
/// use lyncean::image::Plane;
/// use lyncean::ops::cascade::train::Crops;
///
/// let mut crops = Crops::new(3, 3);
/// crops.push(Plane::from_fn(3, 3, |x, _| x as u8).view())?;
/// assert_eq!(crops.len(), 1);
/// assert_eq!(crops.window(0), [0, 1, 2, 0, 1, 2, 0, 1, 2]);
/// assert_eq!(crops.mirrored().window(0), [2, 1, 0, 2, 1, 0, 2, 1, 0]);
/// # Ok::<(), lyncean::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crops {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Crops {
    /// No windows yet, of `width` by `height` pixels each.
    pub fn new(width: usize, height: usize) -> Self {
        Self { width, height, pixels: Vec::new() }
    }

    /// Width of each in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height of each in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.pixels.len() / (self.width * self.height).max(1)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.pixels.is_empty()
    }

    /// The pixels of a window, row after row.
    ///
    /// # Panics
    /// When there is no such window.
    pub fn window(&self, index: usize) -> &[u8] {
        let area = self.width * self.height;
        &self.pixels[index * area..][..area]
    }

    /// Adds a window.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when it has another size.
    pub fn push(&mut self, window: View<u8>) -> Result<()> {
        if (window.width(), window.height()) != (self.width, self.height) {
            let (width, height) = (self.width, self.height);
            let got = format!("{}x{}", window.width(), window.height());
            return Err(Error::shape(format!("expected a window of {width}x{height}, got {got}")));
        }
        (0..self.height).for_each(|y| self.pixels.extend_from_slice(window.row(y)));
        Ok(())
    }

    /// All windows of a number each, in that order.
    pub(super) fn select(&self, numbers: impl IntoIterator<Item = usize>) -> Self {
        let mut chosen = Self::new(self.width, self.height);
        numbers.into_iter().for_each(|number| chosen.pixels.extend_from_slice(self.window(number)));
        chosen
    }

    /// Adds all of others of the same size.
    pub(super) fn extend(&mut self, others: &Self) {
        self.pixels.extend_from_slice(&others.pixels);
    }

    /// The mirror images, left to right, in the same order.
    #[must_use]
    pub fn mirrored(&self) -> Self {
        let mut mirrored = self.clone();
        mirrored.pixels.chunks_exact_mut(self.width.max(1)).for_each(<[u8]>::reverse);
        mirrored
    }

    /// A window as a picture.
    pub(super) fn plane(&self, index: usize) -> Result<Plane<u8>> {
        Plane::from_vec(self.width, self.height, self.window(index).to_vec())
    }
}

/// Windows ready for features.
pub(super) struct Samples {
    count: usize,
    /// Columns of an integral image: the width and one.
    stride: usize,
    /// Integral images: at `entry * count + window`; behind the upright ones the tilted ones, if any.
    sums: Vec<i32>,
    tilted_start: usize,
    /// What features are multiplied by, for each window.
    factors: Vec<f32>,
}

impl Samples {
    /// The windows, and which of them these are: flat ones, which no cascade looks at, are left out.
    pub(super) fn new(crops: &Crops, tilted: bool) -> (Self, Vec<usize>) {
        let (width, height) = (crops.width, crops.height);
        let factors: Vec<Option<f32>> =
            (0..crops.len()).map(|index| contrast_factor(crops.window(index), width, height)).collect();
        let kept: Vec<usize> = (0..crops.len()).filter(|&index| factors[index].is_some()).collect();
        let (stride, count) = (width + 1, kept.len());
        let tilted_start = stride * (height + 1);
        let mut sums = vec![0i32; tilted_start * count * if tilted { 2 } else { 1 }];
        for (window, &index) in kept.iter().enumerate() {
            let pixels = crops.window(index);
            for y in 0..height {
                let mut row = 0;
                for x in 0..width {
                    row += i32::from(pixels[y * width + x]);
                    let above = sums[(y * stride + x + 1) * count + window];
                    sums[((y + 1) * stride + x + 1) * count + window] = above + row;
                }
            }
            if tilted {
                for y in 1..=height {
                    for x in 0..stride {
                        let sum = triangle(pixels, width, x, y);
                        sums[(tilted_start + y * stride + x) * count + window] = sum;
                    }
                }
            }
        }
        let factors = factors.into_iter().flatten().collect();
        (Self { count, stride, sums, tilted_start, factors }, kept)
    }

    /// How many windows there are.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// The value of a feature in each window, divided by the window's contrast: bit for bit what the detector
    /// compares with thresholds.
    pub(super) fn values(&self, feature: &Feature, isa: Isa, values: &mut [f32]) {
        isa.run(
            #[inline(always)]
            || self.values_inner(feature, values),
        );
    }

    #[inline(always)]
    fn values_inner(&self, feature: &Feature, values: &mut [f32]) {
        let rects: Vec<([usize; 4], f32)> =
            feature.rects.iter().map(|rect| (self.corners(rect, feature.tilted), rect.weight)).collect();
        for (chunk, values) in values[..self.count].chunks_mut(LANES).enumerate() {
            let start = chunk * LANES;
            let plane = |entry: usize| &self.sums[entry * self.count + start..][..values.len()];
            let factors = &self.factors[start..][..values.len()];
            let [a, b, c, d] = rects[0].0.map(plane);
            let weight = rects[0].1;
            let mut sums = [0f32; LANES];
            let sums = &mut sums[..values.len()];
            for i in 0..sums.len() {
                sums[i] = weight * (a[i] - b[i] - c[i] + d[i]) as f32;
            }
            for &(corners, weight) in &rects[1..] {
                let [a, b, c, d] = corners.map(plane);
                for i in 0..sums.len() {
                    sums[i] += weight * (a[i] - b[i] - c[i] + d[i]) as f32;
                }
            }
            for i in 0..values.len() {
                values[i] = sums[i] * factors[i];
            }
        }
    }

    /// The entries whose signed sum is that of a rectangle.
    fn corners(&self, rect: &FeatureRect, tilted: bool) -> [usize; 4] {
        let &FeatureRect { x, y, width, height, .. } = rect;
        let at = |x: usize, y: usize| y * self.stride + x;
        if tilted {
            [
                at(x, y),
                at(x - height, y + height),
                at(x + width, y + width),
                at(x + width - height, y + width + height),
            ]
            .map(|entry| entry + self.tilted_start)
        } else {
            [at(x, y), at(x + width, y), at(x, y + height), at(x + width, y + height)]
        }
    }

    /// Adds the vote of a stump on a feature to the score of each window.
    pub(super) fn vote(&self, feature: &Feature, tree: &Tree, isa: Isa, scores: &mut [f64]) {
        let mut values = vec![0f32; self.count];
        self.values(feature, isa, &mut values);
        let [
            Node {
                question: Question::Below(threshold),
                left: Branch::Leaf(left),
                right: Branch::Leaf(right),
                ..
            },
        ] = tree.nodes[..]
        else {
            return;
        };
        for (score, value) in scores.iter_mut().zip(values) {
            *score += f64::from(if value < threshold { left } else { right });
        }
    }
}

/// What features are multiplied by: one over the standard deviation, times the area, inside of the rim of one
/// pixel. Nothing for windows that are flat to the detector.
fn contrast_factor(pixels: &[u8], width: usize, height: usize) -> Option<f32> {
    let (mut sum, mut squares) = (0u32, 0u32);
    for y in 1..height - 1 {
        for &pixel in &pixels[y * width + 1..(y + 1) * width - 1] {
            sum += u32::from(pixel);
            squares += u32::from(pixel) * u32::from(pixel);
        }
    }
    let area = ((width - 2) * (height - 2)) as f64;
    let variance = area * f64::from(squares) - f64::from(sum) * f64::from(sum);
    if variance > 0.0 {
        let factor = (1.0 / variance.sqrt()) as f32;
        (area * f64::from(factor) < FLAT).then_some(factor)
    } else {
        None
    }
}

/// The sum over the triangle that opens upwards from the pixel at `(x - 1, y - 1)`.
fn triangle(pixels: &[u8], width: usize, x: usize, y: usize) -> i32 {
    let mut sum = 0;
    for j in 0..y {
        // So many pixels to each side of the tip's column.
        let reach = y - 1 - j;
        let (start, end) = ((x.max(reach + 1)) - reach - 1, (x + reach).min(width));
        if start < end {
            sum +=
                pixels[j * width + start..j * width + end].iter().map(|&pixel| i32::from(pixel)).sum::<i32>();
        }
    }
    sum
}

/// The numbers of the windows that a cascade takes for objects.
pub(super) fn passing(cascade: &Cascade, crops: &Crops) -> Result<Vec<usize>> {
    let mut passed = Vec::new();
    for index in 0..crops.len() {
        let plane = crops.plane(index)?;
        if let Some(Verdict::Accepted(_)) = Windows::new(cascade, plane.view()).verdict(0, 0) {
            passed.push(index);
        }
    }
    Ok(passed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{FeatureSet, haar_features};
    use super::*;
    use crate::reference::cascade::{self as reference, HaarRect};

    fn crops(width: usize, height: usize, top: u8) -> impl Strategy<Value = Crops> {
        proptest::collection::vec(proptest::collection::vec(0..=top, width * height), 1..5)
            .prop_map(move |windows| Crops { width, height, pixels: windows.into_iter().flatten().collect() })
    }

    proptest! {
        /// Feature and contrast as defined, and the windows without contrast left out.
        #[test]
        fn values_are_those_of_the_definition(
            crops in prop_oneof![crops(8, 9, 255), crops(8, 9, 2), crops(9, 7, 40)],
            pick: proptest::sample::Index,
        ) {
            let (width, height) = (crops.width, crops.height);
            let features = haar_features(width, height, FeatureSet::Tilted);
            let feature = &features[pick.index(features.len())];
            let rects: Vec<HaarRect> = feature
                .rects
                .iter()
                .map(|r| HaarRect { place: [r.x, r.y, r.width, r.height].map(|v| v as i64), weight: r.weight })
                .collect();
            let mut expected = Vec::new();
            for index in 0..crops.len() {
                let plane = crops.plane(index).unwrap();
                if let Some(factor) = reference::contrast_factor(plane.view(), (0, 0), (width, height)) {
                    let value = reference::feature_value(plane.view(), (0, 0), &rects, feature.tilted);
                    expected.push((index, value * factor));
                }
            }
            let (samples, kept) = Samples::new(&crops, true);
            prop_assert_eq!(samples.len(), expected.len());
            for isa in Isa::available() {
                let mut values = vec![0.0; samples.len()];
                samples.values(feature, isa, &mut values);
                let found: Vec<(usize, f32)> = kept.iter().copied().zip(values).collect();
                prop_assert_eq!(&found, &expected);
            }
        }
    }

    #[test]
    fn windows_of_another_size_are_refused() {
        let mut crops = Crops::new(4, 3);
        let error = crops.push(Plane::<u8>::new(3, 4).view()).unwrap_err();
        assert_eq!(error.message(), "expected a window of 4x3, got 3x4");
        assert!(crops.is_empty());
    }
}
