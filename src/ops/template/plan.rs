//! Which form sums products: directly, or by Fourier transforms of blocks, and of which blocks.

use super::correlate::Sample;

/// The longest side of a piece of a template that is transformed in one go.
const LONGEST: usize = 256;

/// Nanoseconds per number and power of two that transforming a block and back takes, next to the
/// [costs](Sample::COST) of products; only their ratios matter. Measured with AVX-512; AVX2 and the portable
/// set take longer for both forms.
const TRANSFORM: f64 = 0.16;

/// The same per number of a block for filling it and reading the sums.
const TRAFFIC: f64 = 1.2;

/// The bytes of a float, of sums that are exact for integers, and of others.
const EXACT: usize = 8;
const QUICK: usize = 4;

/// How the correlation of an image with a template is cut into blocks (overlap-save).
///
/// A function of sizes and the type of pixels alone, so that results do not depend on the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Width and height of the transforms, powers of two.
    pub(super) block: (usize, usize),
    /// Width and height of the pieces of the template, but for the last ones, which may be smaller.
    pub(super) tile: (usize, usize),
    /// Columns and rows of windows that a block gives.
    pub(super) windows: (usize, usize),
}

impl Plan {
    /// The cheapest plan for so many columns and rows of windows of a template of `size`, or none where summing
    /// products directly is cheaper.
    pub(super) fn cheaper<T: Sample>(
        windows: (usize, usize),
        size: (usize, usize),
        channels: usize,
    ) -> Option<Self> {
        Self::cheaper_of::<T>(windows, size, channels, EXACT)
    }

    /// The same for transforms of 32-bit floats.
    pub(super) fn quicker<T: Sample>(
        windows: (usize, usize),
        size: (usize, usize),
        channels: usize,
    ) -> Option<Self> {
        Self::cheaper_of::<T>(windows, size, channels, QUICK)
    }

    fn cheaper_of<T: Sample>(
        windows: (usize, usize),
        size: (usize, usize),
        channels: usize,
        bytes: usize,
    ) -> Option<Self> {
        let area = |(w, h): (usize, usize)| w as f64 * h as f64;
        let direct = T::COST * area(windows) * area(size) * channels as f64;
        let plan = Self::cheapest_of(windows, size, bytes);
        (plan.cost(windows, size, channels, bytes) < direct).then_some(plan)
    }

    /// Whether a template is transformed in one go.
    pub(super) fn is_one_piece(size: (usize, usize)) -> bool {
        size.0.max(size.1) <= LONGEST
    }

    /// The cheapest plan for exact sums, whether or not direct ones are cheaper.
    #[cfg(test)]
    pub(super) fn cheapest(windows: (usize, usize), size: (usize, usize)) -> Self {
        Self::cheapest_of(windows, size, EXACT)
    }

    fn cheapest_of(windows: (usize, usize), size: (usize, usize), bytes: usize) -> Self {
        let piece = |length: usize| length.div_ceil(length.div_ceil(LONGEST));
        let tile = (piece(size.0), piece(size.1));
        let lengths = |tile: usize| (4..11).map(|bits| 1usize << bits).filter(move |length| *length >= tile);
        let plans = lengths(tile.0).flat_map(|across| {
            lengths(tile.1).map(move |down| {
                // Rows are shared evenly, so that threads get equal parts.
                let rows = windows.1.div_ceil(windows.1.div_ceil(down - tile.1 + 1));
                Self { block: (across, down), tile, windows: (across - tile.0 + 1, rows) }
            })
        });
        let cost = |plan: &Self| plan.cost(windows, size, 1, bytes);
        plans.min_by(|a, b| cost(a).total_cmp(&cost(b))).unwrap_or(Self {
            block: (2 * LONGEST, 2 * LONGEST),
            tile,
            windows: (LONGEST, LONGEST),
        })
    }

    /// How many direct sums of so many products each take as long as the exact sums of a pair of blocks.
    pub(super) fn worth<T: Sample>(&self, products: usize) -> usize {
        let numbers = (self.block.0 * self.block.1) as f64;
        let transforms = 2.0 * numbers * TRANSFORM * f64::from(self.levels());
        (transforms / (T::COST * products as f64)) as usize
    }

    /// Powers of two of both sides together.
    pub(super) fn levels(&self) -> u32 {
        (self.block.0 * self.block.1).ilog2()
    }

    /// Of transforms of floats of so many bytes.
    fn cost(&self, windows: (usize, usize), size: (usize, usize), channels: usize, bytes: usize) -> f64 {
        let pairs = windows.0.div_ceil(self.windows.0).div_ceil(2) * windows.1.div_ceil(self.windows.1);
        let tiles = size.0.div_ceil(self.tile.0) * size.1.div_ceil(self.tile.1);
        let numbers = self.block.0 * self.block.1;
        // What does not stay in the second cache takes longer.
        let far = match (bytes, numbers >> 16) {
            (EXACT, 2..) => 1.5,
            (_, 3..) => 1.2,
            _ => 1.0,
        };
        let levels = effort(self.block.0) + effort(self.block.1);
        let each =
            numbers as f64 * (far * TRANSFORM * levels * (channels + 1) as f64 + TRAFFIC * channels as f64);
        // The template is transformed once, at the least.
        let all = (pairs * tiles) as f64 * each + (tiles * channels * numbers) as f64 * TRANSFORM * levels;
        all * bytes as f64 / EXACT as f64
    }
}

/// What a transform of a length takes, in powers of two that go by fours: a two alone takes longer than its share.
fn effort(length: usize) -> f64 {
    let powers = length.ilog2();
    f64::from(powers) + if powers.is_multiple_of(2) { 0.0 } else { 0.4 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_templates_are_summed_directly_and_large_ones_in_blocks() {
        let form = |w: usize, h: usize| Plan::cheaper::<u8>((1900, 1060), (w, h), 1).is_some();
        assert!(!form(8, 8) && form(32, 32) && form(400, 300));
        // A template nearly as large as the image has few windows.
        assert!(Plan::cheaper::<u8>((2, 2), (640, 480), 1).is_none());
    }

    #[test]
    fn plans_cover_all_windows() {
        for size in [(1, 1), (17, 3), (256, 256), (257, 1), (700, 900)] {
            for windows in [(1, 1), (50, 900), (4000, 1)] {
                let plan = Plan::cheapest(windows, size);
                assert!(plan.tile.0 <= LONGEST && plan.tile.1 <= LONGEST);
                assert!(plan.windows.0 + plan.tile.0 == plan.block.0 + 1 && plan.windows.0 > 0);
                assert!(plan.windows.1 + plan.tile.1 <= plan.block.1 + 1 && plan.windows.1 > 0);
            }
        }
    }
}
