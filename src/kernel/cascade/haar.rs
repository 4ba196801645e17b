//! Is a Haar feature below a threshold? And the contrast of windows, which features are divided by.

use super::{LANES, Question, Wide, corner_sum, corner_sums};

/// A feature as offsets from a window's first entry in the integral image: top left, top right, bottom left and
/// bottom right of each rectangle. The third rectangle counts where its weight is not 0.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Feature {
    /// The corners.
    pub corners: [[u32; 4]; 3],
    /// What the sums of the rectangles are multiplied by.
    pub weights: [f32; 3],
}

impl Feature {
    /// The weighted sum of the rectangles of one window: `w0 * s0 + w1 * s1 (+ w2 * s2)`.
    #[inline(always)]
    pub fn value(&self, sums: &[u32]) -> f32 {
        let rect = |i: usize| self.weights[i] * (corner_sum(sums, self.corners[i]) as i32) as f32;
        let mut value = rect(0) + rect(1);
        if self.weights[2] != 0.0 {
            value += rect(2);
        }
        value
    }

    /// One term of it, of windows side by side.
    ///
    /// # Safety
    /// The corners, and [`LANES`] entries from each, lie in `sums`.
    #[inline(always)]
    unsafe fn rect<W: Wide>(&self, wide: W, rect: usize, sums: &[u32]) -> W::Floats {
        // SAFETY: handed on.
        let sums = unsafe { corner_sums(wide, sums, self.corners[rect]) };
        wide.times(wide.splat(self.weights[rect]), wide.floats(sums))
    }
}

/// Is the feature, times the contrast factor, below the threshold?
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Below {
    /// The feature.
    pub feature: Feature,
    /// The threshold.
    pub threshold: f32,
}

impl Question for Below {
    fn corners(&self) -> &[u32] {
        self.feature.corners.as_flattened()
    }

    #[inline(always)]
    fn ask(&self, sums: &[u32], factor: f32) -> bool {
        self.feature.value(sums) * factor < self.threshold
    }

    #[inline(always)]
    unsafe fn ask_all<W: Wide>(&self, wide: W, sums: &[u32], factors: W::Floats) -> W::Mask {
        // SAFETY: handed on.
        let mut value =
            unsafe { wide.plus(self.feature.rect(wide, 0, sums), self.feature.rect(wide, 1, sums)) };
        if self.feature.weights[2] != 0.0 {
            // SAFETY: handed on.
            value = wide.plus(value, unsafe { self.feature.rect(wide, 2, sums) });
        }
        wide.below(wide.times(value, factors), wide.splat(self.threshold))
    }
}

/// The contrast of windows of one shape, measured without their rim.
#[derive(Clone, Debug)]
pub struct Contrast {
    /// Corners of the rectangle over which it is measured.
    pub corners: [u32; 4],
    /// Pixels of that rectangle.
    pub area: f64,
}

impl Contrast {
    /// Windows in which the factor, times the area, is not below this are flat.
    const FLAT: f64 = 1e-1;

    /// One over the standard deviation times the area, or nothing for a window without contrast.
    #[inline(always)]
    pub fn factor(&self, sums: &[u32], squares: &[u32]) -> Option<f32> {
        let sum = f64::from(corner_sum(sums, self.corners) as i32);
        let square = f64::from(corner_sum(squares, self.corners));
        let variance = self.area * square - sum * sum;
        if variance > 0.0 {
            let factor = (1.0 / variance.sqrt()) as f32;
            (self.area * f64::from(factor) < Self::FLAT).then_some(factor)
        } else {
            None
        }
    }

    /// The factors of windows side by side, and a bit for each that is not flat; the factors of flat ones mean
    /// nothing.
    ///
    /// # Panics
    /// Where a corner, and [`LANES`] entries from it, do not lie in both slices.
    #[inline(always)]
    pub fn factors<W: Wide>(&self, wide: W, sums: &[u32], squares: &[u32]) -> (W::Floats, u32) {
        let [a, b, c, d] = self.corners;
        let last = a.max(b).max(c).max(d);
        assert!(last as usize + LANES <= sums.len().min(squares.len()), "sums that hold the windows");
        // SAFETY: just asserted.
        let (sum, square) =
            unsafe { (corner_sums(wide, sums, self.corners), corner_sums(wide, squares, self.corners)) };
        wide.contrast(sum, square, self.area, Self::FLAT)
    }
}
