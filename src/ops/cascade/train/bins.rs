//! The values of all features in all windows, one byte each.
//!
//! A byte is a monotone function of the value, computed by a few operations on floats. Where a stump cuts
//! between two bytes, its threshold is the least float that has the upper one, so that what was decided on bytes
//! in training is decided alike on values in detection.
#![allow(clippy::inline_always, reason = "what is inlined is vectorised for the instruction set")]

use super::samples::Samples;
use crate::kernel::Isa;
use crate::ops::cascade::Feature;
use crate::parallel::prelude::*;

/// How many bins there are.
pub(super) const BINS: usize = 256;
/// Windows from which the range of a feature is taken.
const SAMPLE: usize = 512;
/// Features binned as one task.
const BATCH: usize = 64;
/// Added to a float from 0 to 255 it leaves the nearest whole number in the lowest bits.
const MAGIC: f32 = 8_388_608.0;

/// How a feature's values become bins: evenly over a range, with what is outside in the outermost bins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    low: f32,
    per_unit: f32,
}

impl Scale {
    /// The range that a sample of values fills: all of a few, or between their outermost hundredths and a tenth more.
    pub(super) fn of(values: &mut [f32]) -> Self {
        let Some(last) = values.len().checked_sub(1) else { return Self { low: 0.0, per_unit: 0.0 } };
        values.sort_unstable_by(f32::total_cmp);
        let out = values.len() / 100;
        let (low, high) = (values[out], values[last - out]);
        let margin = if out > 0 { 0.1 * (high - low) } else { 0.0 };
        let (low, high) = (low - margin, high + margin);
        let per_unit = (BINS - 1) as f32 / (high - low);
        Self { low, per_unit: if per_unit.is_finite() { per_unit } else { 0.0 } }
    }

    /// The bin of a value: never less for a greater one.
    #[inline(always)]
    pub(super) fn bin(self, value: f32) -> u8 {
        let place = ((value - self.low) * self.per_unit).max(0.0).min((BINS - 1) as f32);
        (place + MAGIC).to_bits() as u8
    }

    /// The least float that is in a higher bin than `bin`; nothing where none is.
    pub(super) fn threshold(self, bin: u8) -> Option<f32> {
        let is_above = |key: i32| self.bin(of_key(key)) > bin;
        let (mut low, mut high) = (key(f32::MIN), key(f32::MAX));
        if !is_above(high) {
            return None;
        }
        while low < high {
            let middle = low + (high.wrapping_sub(low) as u32 / 2) as i32;
            if is_above(middle) { high = middle } else { low = middle + 1 }
        }
        Some(of_key(low))
    }
}

/// A number that grows as floats do.
fn key(value: f32) -> i32 {
    let bits = value.to_bits() as i32;
    if bits < 0 { bits ^ i32::MAX } else { bits }
}

fn of_key(key: i32) -> f32 {
    f32::from_bits(if key < 0 { key ^ i32::MAX } else { key } as u32)
}

/// The bins of all features in all windows.
pub(super) struct Bins {
    windows: usize,
    scales: Vec<Scale>,
    /// At `feature * windows + window`.
    bytes: Vec<u8>,
}

impl Bins {
    /// Computes all, features in parallel.
    pub(super) fn new(features: &[Feature], samples: &Samples, isa: Isa) -> Self {
        let windows = samples.len();
        let step = windows.div_ceil(SAMPLE).max(1);
        let mut bytes = vec![0u8; features.len() * windows];
        let batches: Vec<(&[Feature], &mut [u8])> =
            features.chunks(BATCH).zip(bytes.chunks_mut((BATCH * windows).max(1))).collect();
        let scales: Vec<Vec<Scale>> = batches
            .into_par_iter()
            .map(|(features, bytes)| {
                let mut values = vec![0f32; windows];
                let mut some = Vec::with_capacity(SAMPLE);
                let mut scales = Vec::with_capacity(features.len());
                for (feature, bytes) in features.iter().zip(bytes.chunks_exact_mut(windows.max(1))) {
                    samples.values(feature, isa, &mut values);
                    some.clear();
                    some.extend(values.iter().step_by(step));
                    let scale = Scale::of(&mut some);
                    isa.run(
                        #[inline(always)]
                        || {
                            for (byte, &value) in bytes.iter_mut().zip(&values) {
                                *byte = scale.bin(value);
                            }
                        },
                    );
                    scales.push(scale);
                }
                scales
            })
            .collect();
        Self { windows, scales: scales.into_iter().flatten().collect(), bytes }
    }

    /// How many features there are.
    pub(super) fn features(&self) -> usize {
        self.scales.len()
    }

    /// The bins of a feature, one for each window.
    pub(super) fn of(&self, feature: usize) -> &[u8] {
        &self.bytes[feature * self.windows..][..self.windows]
    }

    /// How a feature's values became bins.
    pub(super) fn scale(&self, feature: usize) -> Scale {
        self.scales[feature]
    }

    /// Bins as they are, one feature after the other.
    #[cfg(test)]
    pub(super) fn given(windows: usize, bytes: Vec<u8>) -> Self {
        let scale = Scale { low: 0.0, per_unit: 1.0 };
        Self { windows, scales: vec![scale; bytes.len() / windows], bytes }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What a stump decides on bins it decides on values.
        #[test]
        fn a_threshold_parts_values_as_their_bins_do(
            mut values in proptest::collection::vec(-3.0f32..5.0, 1..300),
            bin: u8,
            shift in prop_oneof![Just(0.0f32), -1e4f32..1e4],
        ) {
            for value in &mut values {
                *value += shift;
            }
            let scale = Scale::of(&mut values.clone());
            let threshold = scale.threshold(bin);
            for &value in &values {
                let is_above = threshold.is_some_and(|threshold| value >= threshold);
                prop_assert_eq!(is_above, scale.bin(value) > bin, "{} {:?}", value, threshold);
            }
            if let Some(threshold) = threshold {
                prop_assert!(scale.bin(threshold) > bin && scale.bin(threshold.next_down()) <= bin);
            }
        }

        #[test]
        fn keys_are_in_the_order_of_floats(a: u32, b: u32) {
            let (a, b) = (f32::from_bits(a), f32::from_bits(b));
            prop_assume!(a.is_finite() && b.is_finite());
            prop_assert_eq!(key(a).cmp(&key(b)), a.total_cmp(&b));
            prop_assert_eq!(of_key(key(a)).to_bits(), a.to_bits());
        }
    }

    #[test]
    fn whole_numbers_have_bins_of_their_own() {
        let mut values: Vec<f32> = (0..=255).map(|value| value as f32).collect();
        let scale = Scale::of(&mut values);
        // 256 values are enough for hundredths, so that the range is a tenth wider than what is left.
        let bins: Vec<u8> =
            (2..=90).map(|value| Scale::of(&mut values[..91].to_vec()).bin(value as f32)).collect();
        assert!(bins.windows(2).all(|pair| pair[0] < pair[1]), "{bins:?}");
        assert_eq!((scale.bin(-1e9), scale.bin(1e9)), (0, 255));
        assert_eq!(Scale::of(&mut []).threshold(3), None);
        assert_eq!(Scale::of(&mut [2.0, 2.0]).threshold(0), None, "one value is in one bin");
    }
}
