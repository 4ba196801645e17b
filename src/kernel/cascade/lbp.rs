//! Is the local binary pattern of nine cells one of some? (Ojala, Pietikäinen and Harwood, 1996; of cells, Zhang et
//! al., 2007.)

use super::{Question, Wide, corner_sum, corner_sums};

/// The cells around the middle one, clockwise from the top left, as the left one of four corners.
const AROUND: [usize; 8] = [0, 1, 2, 6, 10, 9, 8, 4];
const MIDDLE: usize = 5;

/// The pattern has a bit for each cell around the middle one, from the highest at the top left on clockwise: whether
/// its sum is at least that of the middle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Among {
    /// The 4x4 corners of the cells as offsets from a window's first entry in the integral image, row by row.
    pub corners: [u32; 16],
    /// A bit for each of the 256 patterns, from the lowest of the first word on.
    pub patterns: [u32; 8],
}

impl Among {
    #[inline(always)]
    fn cell(&self, first: usize) -> [u32; 4] {
        let corners = &self.corners;
        [corners[first], corners[first + 1], corners[first + 4], corners[first + 5]]
    }

    /// The pattern of one window.
    #[inline(always)]
    pub fn pattern(&self, sums: &[u32]) -> u8 {
        let middle = corner_sum(sums, self.cell(MIDDLE)) as i32;
        AROUND.iter().fold(0, |pattern, &first| {
            let cell = corner_sum(sums, self.cell(first)) as i32;
            pattern << 1 | u8::from(cell >= middle)
        })
    }
}

impl Question for Among {
    fn corners(&self) -> &[u32] {
        &self.corners
    }

    #[inline(always)]
    fn ask(&self, sums: &[u32], _factor: f32) -> bool {
        let pattern = self.pattern(sums);
        self.patterns[usize::from(pattern >> 5)] >> (pattern & 31) & 1 != 0
    }

    #[inline(always)]
    unsafe fn ask_all<W: Wide>(&self, wide: W, sums: &[u32], _factors: W::Floats) -> W::Mask {
        // SAFETY: handed on.
        let middle = unsafe { corner_sums(wide, sums, self.cell(MIDDLE)) };
        let mut pattern = wide.sub(middle, middle);
        for first in AROUND {
            // SAFETY: handed on.
            let cell = unsafe { corner_sums(wide, sums, self.cell(first)) };
            pattern = wide.push_bit(pattern, cell, middle);
        }
        wide.among(pattern, &self.patterns)
    }
}
