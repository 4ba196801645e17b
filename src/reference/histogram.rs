//! Twins of [`mod@crate::ops::histogram`]: exact, in integers.

/// How often each of `bins` values occurs.
pub fn histogram(values: impl Iterator<Item = usize>, bins: usize) -> Vec<u64> {
    let mut counts = vec![0; bins];
    for value in values {
        counts[value] += 1;
    }
    counts
}

/// The variance between the pixels up to `level` and those above, times the square of the number of
/// pixels, as an exact fraction of integers; `None` where a class is empty.
pub fn variance_between(counts: &[u64], level: usize) -> Option<(u128, u128)> {
    let weigh = |counts: &[u64], first: usize| {
        let number: u128 = counts.iter().map(|&count| u128::from(count)).sum();
        let sum: u128 = counts.iter().enumerate().map(|(i, &n)| (i + first) as u128 * u128::from(n)).sum();
        (number, sum)
    };
    let (below, sum_below) = weigh(&counts[..=level], 0);
    let (above, sum_above) = weigh(&counts[level + 1..], level + 1);
    if below == 0 || above == 0 {
        return None;
    }
    // below * above * (sum_above / above - sum_below / below)²
    let difference = (sum_above * below).abs_diff(sum_below * above);
    Some((difference * difference, below * above))
}
