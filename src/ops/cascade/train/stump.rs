//! The best stump of a round, by histograms of weights over bins as in gradient boosting (LightGBM: Ke and
//! others, 2017). Weights are whole numbers, so sums are exact in any order.

use super::bins::{BINS, Bins};
use super::settings::Boost;
use crate::parallel::prelude::*;

/// Features looked at as one task.
const BATCH: usize = 64;

/// What a round looks at: numbers of windows and their weights.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Weighted {
    pub(super) windows: Vec<u32>,
    pub(super) weights: Vec<u64>,
}

/// The weight of objects and of background on one side of a cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Side {
    pub(super) objects: u64,
    pub(super) background: u64,
}

impl Side {
    fn total(self) -> u64 {
        self.objects + self.background
    }

    /// The square of the difference over the sum: what voting the mean label takes off the squared error.
    fn gain(self) -> f64 {
        let difference = self.objects.abs_diff(self.background) as f64;
        difference * difference / self.total() as f64
    }
}

/// A cut of one feature's bins in two.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cut {
    /// The feature's number.
    pub(super) feature: usize,
    /// The last bin of the lower side.
    pub(super) bin: u8,
    /// The weights on either side.
    pub(super) sides: [Side; 2],
    /// How good it is.
    pub(super) score: f64,
}

/// The best cut of some features, or nothing where none parts the windows. Of equally good ones that of the
/// lowest feature is taken, and of these the one at the lowest bin.
pub(super) fn best_cut(
    bins: &Bins,
    features: &[u32],
    objects: &Weighted,
    background: &Weighted,
    boost: Boost,
) -> Option<Cut> {
    let batches: Vec<Option<Cut>> = features
        .par_chunks(BATCH)
        .map(|features| {
            features.iter().fold(None, |best, &feature| {
                let feature = feature as usize;
                let bytes = bins.of(feature);
                let sums = [histogram(bytes, objects), histogram(bytes, background)];
                better(best, best_of_feature(feature, &sums, boost))
            })
        })
        .collect();
    batches.into_iter().fold(None, better)
}

/// The better of two, the earlier one of equals.
fn better(first: Option<Cut>, second: Option<Cut>) -> Option<Cut> {
    match (first, second) {
        (Some(a), Some(b)) => Some(if b.score > a.score { b } else { a }),
        (found, None) | (None, found) => found,
    }
}

fn histogram(bytes: &[u8], of: &Weighted) -> [u64; BINS] {
    let mut sums = [0u64; BINS];
    for (&window, &weight) in of.windows.iter().zip(&of.weights) {
        sums[usize::from(bytes[window as usize])] += weight;
    }
    sums
}

fn best_of_feature(feature: usize, [objects, background]: &[[u64; BINS]; 2], boost: Boost) -> Option<Cut> {
    let all = Side { objects: objects.iter().sum(), background: background.iter().sum() };
    let mut lower = Side::default();
    let mut best: Option<Cut> = None;
    for bin in 0..BINS - 1 {
        if objects[bin] == 0 && background[bin] == 0 {
            continue;
        }
        lower.objects += objects[bin];
        lower.background += background[bin];
        let upper =
            Side { objects: all.objects - lower.objects, background: all.background - lower.background };
        if upper.total() == 0 {
            break;
        }
        let score = match boost {
            Boost::Gentle => lower.gain() + upper.gain(),
            // The weight that is right, whichever side is that of the objects.
            Boost::Discrete => {
                let right = lower.objects + upper.background;
                right.max(all.total() - right) as f64
            }
        };
        if best.is_none_or(|best| score > best.score) {
            best = Some(Cut { feature, bin: bin as u8, sides: [lower, upper], score });
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reference::boost as reference;

    /// Bins of a few windows, labels and weights.
    type Case = (usize, Vec<u8>, Vec<bool>, Vec<u64>);

    fn case() -> impl Strategy<Value = Case> {
        (1usize..9, 1usize..140).prop_flat_map(|(windows, features)| {
            let byte = prop_oneof![0u8..4, Just(255u8), any::<u8>()];
            (
                Just(windows),
                proptest::collection::vec(byte, windows * features),
                proptest::collection::vec(any::<bool>(), windows),
                proptest::collection::vec(1u64..9, windows),
            )
        })
    }

    proptest! {
        /// As good as the best of all cuts of all sorted values; the same one where errors are whole numbers.
        #[test]
        fn the_cut_is_that_of_an_exhaustive_search((windows, bytes, labels, weights) in case()) {
            let of = |label: bool| {
                let numbers = (0..windows).filter(|&i| labels[i] == label);
                let (windows, weights) = numbers.map(|i| (i as u32, weights[i])).unzip();
                Weighted { windows, weights }
            };
            let values: Vec<Vec<i64>> =
                bytes.chunks(windows).map(|row| row.iter().map(|&byte| i64::from(byte)).collect()).collect();
            let features: Vec<u32> = (0..values.len() as u32).collect();
            let bins = Bins::given(windows, bytes);
            for boost in [Boost::Gentle, Boost::Discrete] {
                let found = best_cut(&bins, &features, &of(true), &of(false), boost);
                let expected = match boost {
                    Boost::Gentle => reference::least_squared_error(&values, &labels, &weights),
                    Boost::Discrete => reference::least_error(&values, &labels, &weights),
                };
                let (Some(found), Some((feature, value))) = (found, expected) else {
                    prop_assert_eq!(found.is_some(), expected.is_some());
                    continue;
                };
                if boost == Boost::Discrete {
                    prop_assert_eq!((found.feature, i64::from(found.bin)), (feature, value));
                }
                // Fractions may tie: then the errors are the same, whichever cut was taken.
                let loss = |feature: usize, value: i64| {
                    reference::squared_error(&values[feature], value, &labels, &weights)
                };
                if boost == Boost::Gentle {
                    let (a, b) = (loss(found.feature, found.bin.into()), loss(feature, value));
                    prop_assert!(a.0 * b.1 == b.0 * a.1, "{:?} {:?}", a, b);
                }
                let sum = |lower: bool, label: bool| -> u64 {
                    let is_lower = |i: usize| values[found.feature][i] <= i64::from(found.bin);
                    (0..windows).filter(|&i| is_lower(i) == lower && labels[i] == label).map(|i| weights[i]).sum()
                };
                let sides = [true, false]
                    .map(|lower| Side { objects: sum(lower, true), background: sum(lower, false) });
                prop_assert_eq!(found.sides, sides);
            }
        }
    }
}
