//! How good a classifier is, and whether another is better: proportions with intervals, the paired
//! test, the confusion matrix.
//!
//! All intervals are at 95%. Sums run in a fixed order and special functions come from `libm`, so
//! that the same counts give the same bits everywhere.
//!
//! - E. B. Wilson (1927), *Probable inference, the law of succession, and statistical inference*,
//!   Journal of the American Statistical Association 22.
//! - Q. McNemar (1947), *Note on the sampling error of the difference between correlated proportions
//!   or percentages*, Psychometrika 12; the continuity correction is that of A. L. Edwards (1948),
//!   Psychometrika 13.
//! - R. G. Newcombe (1998), *Improved confidence intervals for the difference between binomial
//!   proportions based on paired data*, Statistics in Medicine 17.
//!
//! ```
//! use lyncean::eval::metrics::{Confusion, Interval, McNemar, Paired, Proportion};
//!
//! let share = Proportion { hits: 95, of: 100 };
//! let Interval { low, high } = share.interval();
//! assert!(low < share.value() && share.value() < high);
//!
//! let mut counts = Paired::default();
//! (0..30).for_each(|i| counts.add(true, i % 3 == 0));
//! let McNemar { p, .. } = counts.test();
//! assert!(p < 0.001 && counts.difference() > 0.6);
//!
//! let mut confusion = Confusion::new(&["cat".into(), "dog".into()]);
//! confusion.add(0, Some("cat"));
//! confusion.add(1, Some("cat"));
//! assert_eq!(confusion.accuracy(), Proportion { hits: 1, of: 2 });
//! assert_eq!(confusion.mistakes(), [(1, 0, 1)]);
//! ```

/// The two-sided 95% quantile of the normal distribution.
const Z: f64 = 1.959963984540054;

/// The confidence of every interval here.
pub const CONFIDENCE: f64 = 0.95;

/// From this many discordant pairs on, [`McNemar`] takes the chi-square approximation.
pub const EXACT_BELOW: u64 = 25;

/// A closed interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl Interval {
    /// Whether a value lies in it, its ends included.
    pub fn contains(self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// How many of how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Proportion {
    /// Those that count.
    pub hits: u64,
    /// All of them.
    pub of: u64,
}

impl Proportion {
    /// The proportion, 0..=1; of nothing it is 0.
    pub fn value(self) -> f64 {
        if self.of == 0 { 0.0 } else { self.hits as f64 / self.of as f64 }
    }

    /// The score interval of Wilson (1927): within 0..=1, and never of no width. Of nothing,
    /// nothing is known: 0 to 1.
    pub fn interval(self) -> Interval {
        if self.of == 0 {
            return Interval { low: 0.0, high: 1.0 };
        }
        let (n, p) = (self.of as f64, self.value());
        let centre = p + Z * Z / (2.0 * n);
        let reach = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
        let scale = 1.0 + Z * Z / n;
        Interval {
            // Exactly at the ends, where rounding would leave a crumb.
            low: if self.hits == 0 { 0.0 } else { (centre - reach) / scale },
            high: if self.hits == self.of { 1.0 } else { (centre + reach) / scale },
        }
    }
}

/// What two classifiers did on the same pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Paired {
    /// Pictures that both got right.
    pub both: u64,
    /// Pictures that only the first got right.
    pub only_first: u64,
    /// Pictures that only the second got right.
    pub only_second: u64,
    /// Pictures that neither got right.
    pub neither: u64,
}

impl Paired {
    /// Counts a picture.
    pub fn add(&mut self, first_right: bool, second_right: bool) {
        *match (first_right, second_right) {
            (true, true) => &mut self.both,
            (true, false) => &mut self.only_first,
            (false, true) => &mut self.only_second,
            (false, false) => &mut self.neither,
        } += 1;
    }

    /// How many pictures there are.
    pub fn total(self) -> u64 {
        self.both + self.only_first + self.only_second + self.neither
    }

    /// The accuracy of the first.
    pub fn first(self) -> Proportion {
        Proportion { hits: self.both + self.only_first, of: self.total() }
    }

    /// The accuracy of the second.
    pub fn second(self) -> Proportion {
        Proportion { hits: self.both + self.only_second, of: self.total() }
    }

    /// The accuracy of the first less that of the second, -1..=1.
    pub fn difference(self) -> f64 {
        match self.total() {
            0 => 0.0,
            total => (self.only_first as f64 - self.only_second as f64) / total as f64,
        }
    }

    /// The interval of the [difference](Self::difference): the score limits of both, joined with
    /// regard to their correlation (Newcombe 1998, method 10). Of nothing, nothing is known: -1 to 1.
    pub fn interval(self) -> Interval {
        if self.total() == 0 {
            return Interval { low: -1.0, high: 1.0 };
        }
        let (first, second) = (self.first(), self.second());
        let (p, q) = (first.value(), second.value());
        let (of_p, of_q) = (first.interval(), second.interval());
        let phi = self.correlation();
        let joined = |a: f64, b: f64| (a * a - 2.0 * phi * a * b + b * b).max(0.0).sqrt();
        let difference = self.difference();
        Interval {
            low: (difference - joined(p - of_p.low, of_q.high - q)).max(-1.0),
            high: (difference + joined(of_p.high - p, q - of_q.low)).min(1.0),
        }
    }

    /// The correlation of being right, corrected for continuity where it is positive.
    fn correlation(self) -> f64 {
        let [a, b, c, d] = [self.both, self.only_first, self.only_second, self.neither].map(|n| n as f64);
        let spread = ((a + b) * (c + d)).sqrt() * ((a + c) * (b + d)).sqrt();
        let product = a * d - b * c;
        let product = if product > 0.0 { (product - self.total() as f64 / 2.0).max(0.0) } else { product };
        if spread == 0.0 { 0.0 } else { product / spread }
    }

    /// The test whether both are right equally often.
    pub fn test(self) -> McNemar {
        let discordant = self.only_first + self.only_second;
        if discordant < EXACT_BELOW {
            let p = binomial_both_sides(self.only_first.min(self.only_second), discordant);
            return McNemar { statistic: None, p };
        }
        // The correction leads towards no difference, never past it.
        let apart = self.only_first.abs_diff(self.only_second).saturating_sub(1) as f64;
        let statistic = apart * apart / discordant as f64;
        // The upper tail of chi-square with one degree of freedom.
        McNemar { statistic: Some(statistic), p: libm::erfc((statistic / 2.0).sqrt()) }
    }
}

/// McNemar's test (1947): were a picture that only one of two gets right as likely either's, how
/// likely would a count at least as uneven be?
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct McNemar {
    /// Chi-square with continuity correction; `None` for the exact test, which is taken for fewer
    /// than [`EXACT_BELOW`] discordant pairs.
    pub statistic: Option<f64>,
    /// The two-sided p-value, 0..=1.
    pub p: f64,
}

impl McNemar {
    /// Which form was taken: `exact-binomial`, or `chi-square` with continuity correction.
    pub fn method(self) -> &'static str {
        if self.statistic.is_none() { "exact-binomial" } else { "chi-square" }
    }
}

/// The probability that of `n` tosses of a fair coin the rarer side comes up at most `k` times.
fn binomial_both_sides(k: u64, n: u64) -> f64 {
    let (mut ways, mut sum) = (1u64, 0u64);
    for i in 0..=k {
        sum += ways;
        // Exact in integers: n is below EXACT_BELOW.
        ways = ways * (n - i) / (i + 1);
    }
    (2.0 * sum as f64 / (1u64 << n) as f64).min(1.0)
}

/// How often each class was taken for which: rows are true classes, columns predicted ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    rows: usize,
    columns: Vec<String>,
    counts: Vec<u64>,
    failed: Vec<u64>,
}

impl Confusion {
    /// A matrix with a row and a column for each class, all zero.
    pub fn new(classes: &[String]) -> Self {
        Self {
            rows: classes.len(),
            columns: classes.to_vec(),
            counts: vec![0; classes.len() * classes.len()],
            failed: vec![0; classes.len()],
        }
    }

    /// Counts a picture of class `truth`, with the predicted label, or `None` for a failure. A label
    /// that is no class gets a column of its own at the end.
    ///
    /// # Panics
    /// When there is no class `truth`.
    pub fn add(&mut self, truth: usize, predicted: Option<&str>) {
        let Some(label) = predicted else {
            self.failed[truth] += 1;
            return;
        };
        let column = self.columns.iter().position(|known| known == label);
        let column = column.unwrap_or_else(|| self.add_column(label));
        self.counts[truth * self.columns.len() + column] += 1;
    }

    fn add_column(&mut self, label: &str) -> usize {
        let old = self.columns.len();
        let mut counts = Vec::new();
        for row in 0..self.rows {
            counts.extend_from_slice(&self.counts[row * old..][..old]);
            counts.push(0);
        }
        self.columns.push(label.to_owned());
        self.counts = counts;
        old
    }

    /// The names of the columns: the classes, then further labels in the order they came.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The names of the rows: the classes.
    pub fn classes(&self) -> &[String] {
        &self.columns[..self.rows]
    }

    /// Labels that were predicted, but are no class of the data.
    pub fn strangers(&self) -> &[String] {
        &self.columns[self.rows..]
    }

    /// How often pictures of class `truth` were taken for column `predicted`.
    ///
    /// # Panics
    /// When there is no such row or column.
    pub fn count(&self, truth: usize, predicted: usize) -> u64 {
        self.row(truth)[predicted]
    }

    /// A row: what pictures of class `truth` were taken for.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn row(&self, truth: usize) -> &[u64] {
        assert!(truth < self.rows, "there is no class {truth}");
        &self.counts[truth * self.columns.len()..][..self.columns.len()]
    }

    /// How many pictures of class `truth` failed.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn failed(&self, truth: usize) -> u64 {
        self.failed[truth]
    }

    /// How many pictures of a class were recognised, failures counted as wrong.
    ///
    /// # Panics
    /// When there is no such class.
    pub fn class_accuracy(&self, class: usize) -> Proportion {
        let row = self.row(class);
        Proportion { hits: row[class], of: row.iter().sum::<u64>() + self.failed[class] }
    }

    /// How many pictures of all classes were recognised, failures counted as wrong.
    pub fn accuracy(&self) -> Proportion {
        (0..self.rows).map(|class| self.class_accuracy(class)).fold(Proportion::default(), |sum, class| {
            Proportion { hits: sum.hits + class.hits, of: sum.of + class.of }
        })
    }

    /// The mistakes that were made, as `(class, column, count)`, the most frequent first.
    pub fn mistakes(&self) -> Vec<(usize, usize, u64)> {
        let pairs = (0..self.rows).flat_map(|row| (0..self.columns.len()).map(move |column| (row, column)));
        let counted = pairs.map(|(row, column)| (row, column, self.count(row, column)));
        let mut mistakes: Vec<_> =
            counted.filter(|(row, column, count)| row != column && *count > 0).collect();
        // A stable sort: equal counts stay in the order of the classes.
        mistakes.sort_by_key(|(_, _, count)| std::cmp::Reverse(*count));
        mistakes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn golden() -> Value {
        serde_json::from_str(include_str!("../../fixtures/golden/eval/statistics.json")).unwrap()
    }

    /// Equal but for the last bits, which the order of operations decides.
    fn assert_close(ours: f64, theirs: &Value, what: &Value) {
        let theirs = theirs.as_f64().unwrap();
        assert!((ours - theirs).abs() <= 1e-12 * theirs.abs().max(1e-3), "{ours} is not {theirs}: {what}");
    }

    #[test]
    fn wilson_intervals_are_those_of_statsmodels() {
        let cases = golden()["wilson"].as_array().unwrap().clone();
        assert!(cases.len() >= 10);
        for case in &cases {
            let count = |key: &str| case[key].as_u64().unwrap();
            let interval = Proportion { hits: count("hits"), of: count("of") }.interval();
            assert_close(interval.low, &case["interval"][0], case);
            assert_close(interval.high, &case["interval"][1], case);
        }
    }

    #[test]
    fn paired_statistics_are_those_of_statsmodels() {
        let cases = golden()["paired"].as_array().unwrap().clone();
        let mut forms = [0, 0];
        for case in &cases {
            let [both, only_first, only_second, neither] =
                std::array::from_fn(|i| case["table"][i].as_u64().unwrap());
            let paired = Paired { both, only_first, only_second, neither };
            let (interval, test) = (paired.interval(), paired.test());
            assert_close(interval.low, &case["difference"][0], case);
            assert_close(interval.high, &case["difference"][1], case);
            let theirs = &case["mcnemar"];
            // Tails of 1e-88 are compared by their size.
            let p = theirs["p"].as_f64().unwrap();
            assert!((test.p - p).abs() <= 1e-11 * p, "{} is not {p}: {case}", test.p);
            assert_eq!(test.method() == "exact-binomial", theirs["exact"].as_bool().unwrap(), "{case}");
            if let Some(statistic) = test.statistic {
                assert_close(statistic, &theirs["statistic"], case);
            }
            forms[usize::from(test.statistic.is_some())] += 1;
        }
        assert!(forms[0] >= 8 && forms[1] >= 6, "{forms:?}");
    }

    /// Newcombe (1998) tells 0.0569 to 0.3404 and 0.0562 to 0.3292 for two of his tables.
    #[test]
    fn the_interval_of_the_difference_is_as_published() {
        let rounded = |both, neither| {
            let interval = Paired { both, only_first: 12, only_second: 2, neither }.interval();
            [interval.low, interval.high].map(|end| (end * 1e4).round() / 1e4)
        };
        assert_eq!(rounded(36, 0), [0.0569, 0.3404]);
        assert_eq!(rounded(20, 16), [0.0562, 0.3292]);
    }

    /// Sums the probabilities of all the counts whose interval holds the truth.
    #[test]
    fn wilson_intervals_cover_about_as_often_as_they_say() {
        let mut mean = 0.0;
        for step in 1..100 {
            let truth = f64::from(step) / 100.0;
            let mut probability = (1.0 - truth).powi(60);
            let mut covered = 0.0;
            for hits in 0..=60u64 {
                if (Proportion { hits, of: 60 }).interval().contains(truth) {
                    covered += probability;
                }
                probability *= (60 - hits) as f64 / (hits + 1) as f64 * truth / (1.0 - truth);
            }
            assert!(covered > 0.83, "{covered} at {truth}");
            mean += covered / 99.0;
        }
        assert!((mean - CONFIDENCE).abs() < 0.01, "{mean}");
    }

    #[test]
    fn nothing_tells_nothing() {
        assert_eq!(Proportion::default().interval(), Interval { low: 0.0, high: 1.0 });
        assert_eq!(Paired::default().interval(), Interval { low: -1.0, high: 1.0 });
        assert_eq!(Paired::default().test(), McNemar { statistic: None, p: 1.0 });
        let none = Confusion::new(&[]);
        assert_eq!((none.accuracy(), none.mistakes()), (Proportion::default(), vec![]));
    }

    #[test]
    fn the_matrix_grows_for_strangers_and_counts_failures() {
        let classes = ["cat", "dog"].map(str::to_owned);
        let mut confusion = Confusion::new(&classes);
        for (truth, predicted) in [
            (0, Some("cat")),
            (0, Some("dog")),
            (1, Some("cow")),
            (1, Some("cow")),
            (1, Some("dog")),
            (0, None),
            (0, Some("cat")),
        ] {
            confusion.add(truth, predicted);
        }
        assert_eq!(confusion.columns(), ["cat", "dog", "cow"]);
        assert_eq!((confusion.classes(), confusion.strangers()), (&classes[..], &["cow".to_owned()][..]));
        assert_eq!((confusion.row(0), confusion.row(1)), (&[2, 1, 0][..], &[0, 1, 2][..]));
        assert_eq!((confusion.failed(0), confusion.failed(1)), (1, 0));
        assert_eq!(confusion.class_accuracy(0), Proportion { hits: 2, of: 4 });
        assert_eq!(confusion.accuracy(), Proportion { hits: 3, of: 7 });
        assert_eq!(confusion.mistakes(), [(1, 2, 2), (0, 1, 1)]);
    }

    proptest! {
        #[test]
        fn exchanging_the_two_turns_the_signs(counts in prop::array::uniform4(0u64..200)) {
            let [both, only_first, only_second, neither] = counts;
            let ours = Paired { both, only_first, only_second, neither };
            let theirs = Paired { both, only_first: only_second, only_second: only_first, neither };
            prop_assert_eq!(ours.difference(), -theirs.difference());
            prop_assert_eq!(ours.test(), theirs.test());
            prop_assert!((ours.interval().low + theirs.interval().high).abs() < 1e-12);
            prop_assert!(ours.interval().contains(ours.difference()));
            prop_assert!((0.0..=1.0).contains(&ours.test().p));
        }

        #[test]
        fn the_exact_test_is_the_sum_over_all_tosses(first in 0u64..9, second in 0u64..9) {
            let n = first + second;
            let is_as_uneven = |tosses: &u64| {
                let heads = u64::from(tosses.count_ones());
                heads.min(n - heads) <= first.min(second)
            };
            let p = (0..1u64 << n).filter(is_as_uneven).count() as f64 / (1u64 << n) as f64;
            let paired = Paired { only_first: first, only_second: second, ..Paired::default() };
            prop_assert!((paired.test().p - p).abs() < 1e-15);
        }
    }
}
