//! Where a pixel of a derived image lies in the picture as it was read.

/// An affine map `(x, y) -> (a x + b y + c, d x + e y + f)` in pixel-edge coordinates: the pixel
/// in column `i` covers `i..i + 1`, its centre is `i + 0.5`.
///
/// ```
/// use lyncean::image::Affine;
///
/// assert_eq!(Affine::translation(2.0, 3.0).apply(1.0, 1.0), (3.0, 4.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Affine {
    /// The two rows `[a, b, c]` and `[d, e, f]`.
    pub rows: [[f64; 3]; 2],
}

impl Default for Affine {
    fn default() -> Self {
        Self::IDENTITY
    }
}

impl Affine {
    /// The map that leaves everything where it is.
    pub const IDENTITY: Self = Self { rows: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]] };

    /// A shift.
    pub const fn translation(x: f64, y: f64) -> Self {
        Self { rows: [[1.0, 0.0, x], [0.0, 1.0, y]] }
    }

    /// A scaling about the origin.
    pub const fn scale(x: f64, y: f64) -> Self {
        Self { rows: [[x, 0.0, 0.0], [0.0, y, 0.0]] }
    }

    /// The image of a point.
    pub fn apply(&self, x: f64, y: f64) -> (f64, f64) {
        let [[a, b, c], [d, e, f]] = self.rows;
        (a * x + b * y + c, d * x + e * y + f)
    }

    /// First `inner`, then `self`.
    #[must_use]
    pub fn after(&self, inner: &Self) -> Self {
        let [[a, b, c], [d, e, f]] = self.rows;
        let [[p, q, r], [s, t, u]] = inner.rows;
        Self {
            rows: [
                [a * p + b * s, a * q + b * t, a * r + b * u + c],
                [d * p + e * s, d * q + e * t, d * r + e * u + f],
            ],
        }
    }

    /// The map back; `None` where everything falls onto a line.
    pub fn inverse(&self) -> Option<Self> {
        let [[a, b, c], [d, e, f]] = self.rows;
        let determinant = a * e - b * d;
        if determinant == 0.0 || !determinant.is_finite() {
            return None;
        }
        let [p, q, r, s] = [e, -b, -d, a].map(|v| v / determinant);
        Some(Self { rows: [[p, q, -(p * c + q * f)], [r, s, -(r * c + s * f)]] })
    }

    /// The upright box `[x, y, width, height]` around the image of a box.
    pub fn apply_box(&self, [x, y, w, h]: [f64; 4]) -> [f64; 4] {
        let corners = [(x, y), (x + w, y), (x, y + h), (x + w, y + h)].map(|(x, y)| self.apply(x, y));
        let (mut x0, mut y0) = corners[0];
        let (mut x1, mut y1) = corners[0];
        for (x, y) in corners {
            x0 = x0.min(x);
            y0 = y0.min(y);
            x1 = x1.max(x);
            y1 = y1.max(y);
        }
        [x0, y0, x1 - x0, y1 - y0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composition_is_application_in_turn() {
        let scale = Affine::scale(2.0, 3.0);
        let shift = Affine::translation(5.0, 7.0);
        let both = shift.after(&scale);
        assert_eq!(both.apply(1.0, 1.0), (7.0, 10.0));
        assert_eq!(both.apply_box([0.0, 0.0, 2.0, 1.0]), [5.0, 7.0, 4.0, 3.0]);
        assert_eq!(both.inverse().unwrap().apply(7.0, 10.0), (1.0, 1.0));
        assert_eq!(Affine::scale(0.0, 1.0).inverse(), None);
    }
}
