//! Stumps as defined: every cut of every feature between two of its values is tried. Errors are fractions of
//! whole numbers and compared as such.

/// The windows of each label on a side, weighted: `[objects, background]`.
fn side(values: &[i64], labels: &[bool], weights: &[u64], is_in: impl Fn(i64) -> bool) -> [i128; 2] {
    [true, false].map(|label| {
        (0..values.len())
            .filter(|&i| is_in(values[i]) && labels[i] == label)
            .map(|i| i128::from(weights[i]))
            .sum()
    })
}

/// The weighted squared error of labels of 1 and -1, as a fraction, when both sides of the cut behind `value` say
/// the weighted mean of their labels.
pub fn squared_error(values: &[i64], value: i64, labels: &[bool], weights: &[u64]) -> (i128, i128) {
    let (mut above, mut below) = (0, 1);
    for lower in [true, false] {
        let [objects, background] = side(values, labels, weights, |v| (v <= value) == lower);
        let all = objects + background;
        if all > 0 {
            // With the mean m: the sum of w (y - m)^2 is 4 p n / (p + n).
            above = above * all + 4 * objects * background * below;
            below *= all;
        }
    }
    (above, below)
}

/// The weight that is wrong when one side of the cut behind `value` is taken for objects, whichever is better.
pub fn error(values: &[i64], value: i64, labels: &[bool], weights: &[u64]) -> (i128, i128) {
    let [lower, upper] = [true, false].map(|lower| side(values, labels, weights, |v| (v <= value) == lower));
    ((lower[0] + upper[1]).min(lower[1] + upper[0]), 1)
}

/// The feature and value behind which a cut leaves the least [`squared_error`]; the first of equals.
pub fn least_squared_error(values: &[Vec<i64>], labels: &[bool], weights: &[u64]) -> Option<(usize, i64)> {
    least(values, |row, value| squared_error(row, value, labels, weights))
}

/// The feature and value behind which a cut leaves the least [`error`]; the first of equals.
pub fn least_error(values: &[Vec<i64>], labels: &[bool], weights: &[u64]) -> Option<(usize, i64)> {
    least(values, |row, value| error(row, value, labels, weights))
}

fn least(values: &[Vec<i64>], error: impl Fn(&[i64], i64) -> (i128, i128)) -> Option<(usize, i64)> {
    let mut best: Option<((usize, i64), (i128, i128))> = None;
    for (feature, row) in values.iter().enumerate() {
        let mut sorted = row.clone();
        sorted.sort_unstable();
        sorted.dedup();
        // Behind the greatest nothing is left to part.
        sorted.pop();
        for value in sorted {
            let (above, below) = error(row, value);
            if best.is_none_or(|(_, least)| above * least.1 < least.0 * below) {
                best = Some(((feature, value), (above, below)));
            }
        }
    }
    best.map(|(cut, _)| cut)
}
