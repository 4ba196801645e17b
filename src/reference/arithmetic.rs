//! Twins of [`crate::kernel::arithmetic`], on whole numbers.

/// What is computed of two whole numbers, before it is brought into the range of the type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Term {
    /// `a + b`.
    Sum,
    /// `a - b`.
    Difference,
    /// `a * b`.
    Product,
    /// `a / b`, 0 where `b` is 0.
    Quotient,
    /// The smaller one.
    Least,
    /// The larger one.
    Most,
    /// `(a * (8 - n) + b * n) / 8`.
    Eighths(i64),
}

/// The value in `0..=largest` nearest to the term, ties to even.
pub fn combine(term: Term, a: i64, b: i64, largest: i64) -> i64 {
    let (numerator, denominator) = match term {
        Term::Sum => (a + b, 1),
        Term::Difference => (a - b, 1),
        Term::Product => (a * b, 1),
        Term::Quotient if b == 0 => (0, 1),
        Term::Quotient => (a, b),
        Term::Least => (a.min(b), 1),
        Term::Most => (a.max(b), 1),
        Term::Eighths(n) => (a * (8 - n) + b * n, 8),
    };
    nearest(numerator, denominator).clamp(0, largest)
}

/// The whole number nearest to a fraction, ties to even.
pub fn nearest(numerator: i64, denominator: i64) -> i64 {
    let (floor, rest) = (numerator.div_euclid(denominator), numerator.rem_euclid(denominator));
    match (2 * rest).cmp(&denominator) {
        std::cmp::Ordering::Less => floor,
        std::cmp::Ordering::Greater => floor + 1,
        std::cmp::Ordering::Equal => floor + floor.rem_euclid(2),
    }
}

/// The percentile of some values, linear between the two nearest ranks.
pub fn percentile(values: &[f64], percent: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = percent / 100.0 * (sorted.len() as f64 - 1.0);
    let below = sorted[place.floor() as usize];
    let above = sorted[place.ceil() as usize];
    below + (above - below) * (place - place.floor())
}
