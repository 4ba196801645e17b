//! Where between pixels a score is best.

/// The place of the best value of the quadratic surface that fits the 3x3 `scores` (rows from the top) round a peak best,
/// relative to the middle: `[x, y]`, each in -0.5..=0.5 pixels.
///
/// The surface is `a + b x + c y + d x² + e x y + f y²`, by least squares. Where it has no best place, or a value is no
/// number, the middle. `rising` tells whether higher is better.
///
/// ```
/// use lyncean::ops::template::refine_peak;
///
/// // A bowl upside down, whose top lies at (0.25, -0.125).
/// let value = |x: f64, y: f64| 1.0 - (x - 0.25) * (x - 0.25) - 2.0 * (y + 0.125) * (y + 0.125);
/// let scores = [-1.0, 0.0, 1.0].map(|y| [-1.0, 0.0, 1.0].map(|x| value(x, y)));
/// let [x, y] = refine_peak(scores, true);
/// assert!((x - 0.25).abs() < 1e-12 && (y + 0.125).abs() < 1e-12);
/// ```
pub fn refine_peak(scores: [[f64; 3]; 3], rising: bool) -> [f64; 2] {
    let sign = if rising { 1.0 } else { -1.0 };
    let z = |x: usize, y: usize| sign * scores[y][x];
    let column = |x: usize| z(x, 0) + z(x, 1) + z(x, 2);
    let row = |y: usize| z(0, y) + z(1, y) + z(2, y);
    let b = (column(2) - column(0)) / 6.0;
    let c = (row(2) - row(0)) / 6.0;
    let d = (column(0) - 2.0 * column(1) + column(2)) / 6.0;
    let f = (row(0) - 2.0 * row(1) + row(2)) / 6.0;
    let e = (z(0, 0) - z(2, 0) - z(0, 2) + z(2, 2)) / 4.0;
    let determinant = 4.0 * d * f - e * e;
    // A top, neither a ridge nor a saddle; what is no number is none.
    if !(d < 0.0 && determinant > 0.0 && determinant.is_finite()) {
        return [0.0; 2];
    }
    let place = [(c * e - 2.0 * b * f) / determinant, (b * e - 2.0 * c * d) / determinant];
    if place.iter().all(|value| value.is_finite()) {
        place.map(|value| value.clamp(-0.5, 0.5))
    } else {
        [0.0; 2]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn tops_of_quadratic_surfaces_are_found(
            (x, y) in (-0.5f64..0.5, -0.5f64..0.5), (d, f) in (0.1f64..3.0, 0.1f64..3.0), skew in -0.9f64..0.9, rising in any::<bool>(),
        ) {
            let e = skew * 2.0 * (d * f).sqrt();
            let sign = if rising { -1.0 } else { 1.0 };
            let value = |u: f64, v: f64| 7.0 + sign * (d * (u - x).powi(2) + e * (u - x) * (v - y) + f * (v - y).powi(2));
            let scores = [-1.0, 0.0, 1.0].map(|v| [-1.0, 0.0, 1.0].map(|u| value(u, v)));
            let found = refine_peak(scores, rising);
            prop_assert!((found[0] - x).abs() < 1e-9 && (found[1] - y).abs() < 1e-9, "{:?} for {} {}", found, x, y);
            // Upside down there is no top.
            prop_assert_eq!(refine_peak(scores, !rising), [0.0; 2]);
        }

        #[test]
        fn peaks_move_by_half_a_pixel_at_most(scores in prop::collection::vec(-1.0f64..1.0, 9)) {
            let scores = [0, 1, 2].map(|y| [0, 1, 2].map(|x| scores[3 * y + x]));
            for rising in [false, true] {
                prop_assert!(refine_peak(scores, rising).iter().all(|value| value.abs() <= 0.5));
            }
        }
    }

    #[test]
    fn flat_and_odd_surroundings_move_nothing() {
        assert_eq!(refine_peak([[1.0; 3]; 3], true), [0.0; 2]);
        assert_eq!(refine_peak([[0.0, 1.0, 0.0]; 3], true), [0.0; 2]);
        assert_eq!(refine_peak([[0.0, 0.5, 0.0], [0.5, f64::NAN, 0.5], [0.0, 0.5, 0.0]], true), [0.0; 2]);
        assert_eq!(refine_peak([[f64::MAX; 3], [0.0; 3], [f64::MAX; 3]], false), [0.0; 2]);
    }
}
