//! Platt's scaling: from margins to probabilities.

use super::model::Calibration;
use crate::{Error, Result};

/// Steps of Newton's method at most.
const STEPS: usize = 100;
/// Where the gradient is this small, the fit is done.
const SMALL: f64 = 1e-9;

impl Calibration {
    /// The calibration of the greatest likelihood for margins that are known to be of objects (`true`) or of something
    /// else (Platt, 1999), by Newton's method with halved steps (Lin, Lin and Weng, 2007). As there, the probability of
    /// an object counts as `(n + 1) / (n + 2)` of `n` objects, so that few margins do not give certainty.
    ///
    /// ```
    /// use lyncean::ops::cascade::Calibration;
    ///
    /// let margins = [(1.0, false), (2.0, false), (2.5, true), (3.0, false), (4.0, true), (5.0, true)];
    /// let calibration = Calibration::fit(&margins)?;
    /// assert!(calibration.probability(1.0) < 0.4 && calibration.probability(5.0) > 0.6);
    /// assert!(calibration.even() > 2.0 && calibration.even() < 3.5);
    /// # Ok::<(), lyncean::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Input`](crate::ErrorKind::Input) when one of the two kinds is missing, a margin is not finite, or greater margins
    /// do not go with objects.
    pub fn fit(margins: &[(f64, bool)]) -> Result<Self> {
        let objects = margins.iter().filter(|(_, is_object)| *is_object).count() as f64;
        let others = margins.len() as f64 - objects;
        if objects == 0.0 || others == 0.0 {
            return Err(Error::input(format!(
                "expected margins of objects and of something else, got {objects} and {others}"
            )));
        }
        if let Some((margin, _)) = margins.iter().find(|(margin, _)| !margin.is_finite()) {
            return Err(Error::input(format!("expected finite margins, got {margin}")));
        }
        // Of the size of 1, so that both unknowns are of one size.
        let feature = |margin: f64| Self::feature(margin);
        let unit = margins.iter().fold(0.0, |most, &(margin, _)| f64::max(most, feature(margin))).max(1e-300);
        let aims = [1.0 / (others + 2.0), (objects + 1.0) / (objects + 2.0)];
        let points: Vec<(f64, f64)> = margins
            .iter()
            .map(|&(margin, is_object)| (feature(margin) / unit, aims[usize::from(is_object)]))
            .collect();
        let loss = |slope: f64, intercept: f64| -> f64 {
            // The negative logarithm of the likelihood, without overflow.
            let of = |&(x, aim): &(f64, f64)| {
                let z = slope * x + intercept;
                libm::log1p(libm::exp(-z.abs())) + z.max(0.0) - aim * z
            };
            points.iter().map(of).sum()
        };
        let (mut slope, mut intercept) = (0.0, libm::log((objects + 1.0) / (others + 1.0)));
        let mut least = loss(slope, intercept);
        for _ in 0..STEPS {
            // A little on the diagonal keeps the matrix invertible.
            let (mut a, mut b, mut c) = (1e-12, 0.0, 1e-12);
            let (mut down_slope, mut down_intercept) = (0.0, 0.0);
            for &(x, aim) in &points {
                let p = 1.0 / (1.0 + libm::exp(-(slope * x + intercept)));
                let (weight, off) = (p * (1.0 - p), p - aim);
                a += weight * x * x;
                b += weight * x;
                c += weight;
                down_slope += off * x;
                down_intercept += off;
            }
            if down_slope.abs() < SMALL && down_intercept.abs() < SMALL {
                break;
            }
            let det = a * c - b * b;
            let step =
                [(b * down_intercept - c * down_slope) / det, (b * down_slope - a * down_intercept) / det];
            let mut share = 1.0;
            while share > 1e-10 && loss(slope + share * step[0], intercept + share * step[1]) >= least {
                share /= 2.0;
            }
            if share <= 1e-10 {
                break;
            }
            slope += share * step[0];
            intercept += share * step[1];
            least = loss(slope, intercept);
        }
        if slope <= 0.0 {
            return Err(Error::input(
                "greater margins do not go with objects: there is nothing to calibrate",
            ));
        }
        Ok(Self { slope: slope / unit, intercept })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// At the greatest likelihood both residuals vanish, which is what defines the fit.
    fn residuals(margins: &[(f64, bool)], fit: Calibration) -> [f64; 2] {
        let objects = margins.iter().filter(|(_, is_object)| *is_object).count() as f64;
        let others = margins.len() as f64 - objects;
        margins.iter().fold([0.0; 2], |[slope, intercept], &(margin, is_object)| {
            let aim = if is_object { (objects + 1.0) / (objects + 2.0) } else { 1.0 / (others + 2.0) };
            let off = fit.probability(margin) - aim;
            [slope + off * Calibration::feature(margin), intercept + off]
        })
    }

    proptest! {
        #[test]
        fn the_fit_is_stationary(
            low in proptest::collection::vec(-5.0f64..20.0, 1..40),
            high in proptest::collection::vec(0.0f64..900.0, 1..40),
        ) {
            let margins: Vec<_> =
                low.iter().map(|m| (*m, false)).chain(high.iter().map(|m| (*m, true))).collect();
            if let Ok(fit) = Calibration::fit(&margins) {
                let [slope, intercept] = residuals(&margins, fit);
                prop_assert!(slope.abs() < 1e-4 && intercept.abs() < 1e-6, "{} {}", slope, intercept);
            }
        }
    }

    #[test]
    fn margins_apart_and_margins_alike() {
        let apart: Vec<_> = (0..50).map(|i| (f64::from(i), i >= 25)).collect();
        let fit = Calibration::fit(&apart).unwrap();
        assert!(fit.probability(0.0) < 0.05 && fit.probability(49.0) > 0.8);
        assert!((fit.probability(fit.even()) - 0.5).abs() < 1e-9 && (20.0..30.0).contains(&fit.even()));
        assert_eq!(fit.probability(-3.0), fit.probability(0.0));
        assert!(Calibration::fit(&[(1.0, true), (2.0, false)]).is_err());
        assert!(Calibration::fit(&[(1.0, true)]).is_err());
        assert!(Calibration::fit(&[(f64::NAN, true), (2.0, false)]).is_err());
        assert!(Calibration::fit(&[]).is_err());
    }
}
