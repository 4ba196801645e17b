//! Convolution of one image as an implicit matrix product, with its three gradients.
//!
//! Convolution here is correlation, as in every convolutional net: `y[o, p] = sum over c, k of
//! w[o, c, k] * x[c, S p + D k - P]`. All of it is for one sample and one group; batches, groups and
//! threads are the business of [`crate::nn::conv2d`].

use std::ops::Range;

use super::Isa;
use super::gemm::{Matrix, Pack, Scratch, gemm};

/// Sizes of one convolution of one sample and one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Input channels of the group.
    pub channels: usize,
    /// Input height and width.
    pub input: [usize; 2],
    /// Filters of the group, which are its output channels.
    pub filters: usize,
    /// Output height and width.
    pub output: [usize; 2],
    /// Filter height and width.
    pub kernel: [usize; 2],
    /// Vertical and horizontal stride.
    pub stride: [usize; 2],
    /// Rows of zeros above and columns of zeros to the left. Those below and to the right follow
    /// from the output size.
    pub padding: [usize; 2],
    /// Vertical and horizontal distance of neighbouring filter taps.
    pub dilation: [usize; 2],
}

impl Geometry {
    fn input_area(&self) -> usize {
        self.input[0] * self.input[1]
    }

    fn output_area(&self) -> usize {
        self.output[0] * self.output[1]
    }

    fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// The channel and the offsets, in pixels and before padding, of one row of the patch matrix.
    fn tap(&self, depth: usize) -> (usize, isize, isize) {
        let (channel, tap) = (depth / self.taps(), depth % self.taps());
        let down = (tap / self.kernel[1] * self.dilation[0]) as isize - self.padding[0] as isize;
        let right = (tap % self.kernel[1] * self.dilation[1]) as isize - self.padding[1] as isize;
        (channel, down, right)
    }

    /// The output columns, among `columns`, whose sample at `stride * x + right` lies in the input.
    fn inside(&self, columns: Range<usize>, right: isize) -> Range<usize> {
        let (stride, width) = (self.stride[1] as isize, self.input[1] as isize);
        let low = (-right).max(0).div_ceil_positive(stride);
        let high = (width - right).max(0).div_ceil_positive(stride);
        let start = columns.start.max(low as usize);
        start..columns.end.min(high as usize).max(start)
    }

    /// Walks the outputs `first..first + count` of one row of the patch matrix as runs that lie in
    /// the input: `visit(lane, length, input index)`, samples `stride[1]` apart.
    #[inline(always)]
    fn runs(
        &self,
        tap: (usize, isize, isize),
        first: usize,
        count: usize,
        mut visit: impl FnMut(usize, usize, usize),
    ) {
        let (channel, down, right) = tap;
        let [height, width] = self.input;
        let across = self.output[1];
        let (mut y, mut x, mut lane) = (first / across, first % across, 0);
        while lane < count {
            let run = (across - x).min(count - lane);
            let row = (y * self.stride[0]) as isize + down;
            if (0..height as isize).contains(&row) {
                let valid = self.inside(x..x + run, right);
                if !valid.is_empty() {
                    let column = (valid.start * self.stride[1]) as isize + right;
                    let at = (channel * height + row as usize) * width + column as usize;
                    visit(lane + valid.start - x, valid.len(), at);
                }
            }
            lane += run;
            x = 0;
            y += 1;
        }
    }
}

trait CeilingDivision {
    fn div_ceil_positive(self, by: Self) -> Self;
}

impl CeilingDivision for isize {
    /// Quotient rounded up, of a number that is not negative by one that is positive.
    fn div_ceil_positive(self, by: Self) -> Self {
        (self + by - 1) / by
    }
}

/// Lanes are output positions, depths are (channel, tap): the patches that the filters meet.
struct Patches<'a> {
    geometry: Geometry,
    input: &'a [f32],
}

impl Pack for Patches<'_> {
    #[inline(always)]
    fn pack<const W: usize>(&self, first: usize, count: usize, depth: Range<usize>, panel: &mut [[f32; W]]) {
        let stride = self.geometry.stride[1];
        for (depth, lanes) in depth.zip(panel) {
            lanes.fill(0.0);
            self.geometry.runs(self.geometry.tap(depth), first, count, |lane, len, at| {
                let target = &mut lanes[lane..lane + len];
                if stride == 1 {
                    for (target, source) in target.iter_mut().zip(&self.input[at..at + len]) {
                        *target = *source;
                    }
                } else {
                    for (target, source) in target.iter_mut().zip(self.input[at..].iter().step_by(stride)) {
                        *target = *source;
                    }
                }
            });
        }
    }
}

/// Lanes are (channel, tap), depths are output positions: the same patches, lying down.
struct PatchesAcross<'a> {
    geometry: Geometry,
    input: &'a [f32],
}

impl Pack for PatchesAcross<'_> {
    #[inline(always)]
    fn pack<const W: usize>(&self, first: usize, count: usize, depth: Range<usize>, panel: &mut [[f32; W]]) {
        let stride = self.geometry.stride[1];
        panel.fill([0.0; W]);
        for lane in 0..count {
            let tap = self.geometry.tap(first + lane);
            self.geometry.runs(tap, depth.start, depth.len(), |d, len, at| {
                let source = self.input[at..].iter().step_by(stride);
                for (lanes, value) in panel[d..d + len].iter_mut().zip(source) {
                    lanes[lane] = *value;
                }
            });
        }
    }
}

/// Lanes are input positions, depths are (filter, tap): the output gradients that an input met.
struct Meetings<'a> {
    geometry: Geometry,
    gradient: &'a [f32],
}

impl Pack for Meetings<'_> {
    #[inline(always)]
    fn pack<const W: usize>(&self, first: usize, count: usize, depth: Range<usize>, panel: &mut [[f32; W]]) {
        let g = &self.geometry;
        let [_, width] = g.input;
        for (depth, lanes) in depth.zip(panel) {
            lanes.fill(0.0);
            let (filter, down, right) = g.tap(depth);
            let plane = &self.gradient[filter * g.output_area()..][..g.output_area()];
            let (mut y, mut x, mut lane) = (first / width, first % width, 0);
            while lane < count {
                let run = (width - x).min(count - lane);
                if let Some(row) = quotient(y as isize - down, g.stride[0], g.output[0]) {
                    let row = &plane[row * g.output[1]..][..g.output[1]];
                    // Outputs whose sample `stride * out + right` falls on columns x..x + run.
                    let stride = g.stride[1] as isize;
                    let low = (x as isize - right).max(0).div_ceil_positive(stride) as usize;
                    let high = ((x + run) as isize - right).max(0).div_ceil_positive(stride) as usize;
                    for out in low..high.min(g.output[1]) {
                        lanes[((out * g.stride[1]) as isize + right - x as isize) as usize + lane] = row[out];
                    }
                }
                lane += run;
                x = 0;
                y += 1;
            }
        }
    }
}

/// `value / by` where that is whole and inside `0..end`.
fn quotient(value: isize, by: usize, end: usize) -> Option<usize> {
    let value = usize::try_from(value).ok()?;
    (value.is_multiple_of(by) && value / by < end).then_some(value / by)
}

/// `output += weight * input`. Input `channels x input`, weight `filters x channels x kernel`,
/// output `filters x output`.
pub fn conv2d(
    isa: Isa,
    g: Geometry,
    input: &[f32],
    weight: &[f32],
    output: &mut [f32],
    scratch: &mut Scratch,
) {
    let (area, depth) = (g.output_area(), g.channels * g.taps());
    let filters = Matrix { data: weight, lane_stride: depth, depth_stride: 1 };
    gemm(isa, [g.filters, area, depth], &filters, &Patches { geometry: g, input }, output, area, scratch);
}

/// Adds the gradient of the input. `turned` is the weight with filters and channels exchanged,
/// `channels x filters x kernel`; see [`exchanged`].
pub fn conv2d_input_grad(
    isa: Isa,
    g: Geometry,
    gradient: &[f32],
    turned: &[f32],
    input_grad: &mut [f32],
    scratch: &mut Scratch,
) {
    let (area, depth) = (g.input_area(), g.filters * g.taps());
    let filters = Matrix { data: turned, lane_stride: depth, depth_stride: 1 };
    gemm(
        isa,
        [g.channels, area, depth],
        &filters,
        &Meetings { geometry: g, gradient },
        input_grad,
        area,
        scratch,
    );
}

/// Adds the gradient of the weight.
pub fn conv2d_weight_grad(
    isa: Isa,
    g: Geometry,
    input: &[f32],
    gradient: &[f32],
    weight_grad: &mut [f32],
    scratch: &mut Scratch,
) {
    let (area, width) = (g.output_area(), g.channels * g.taps());
    let rows = Matrix { data: gradient, lane_stride: area, depth_stride: 1 };
    let patches = PatchesAcross { geometry: g, input };
    gemm(isa, [g.filters, width, area], &rows, &patches, weight_grad, width, scratch);
}

/// A weight of `filters x channels x taps` as `channels x filters x taps`.
pub fn exchanged(weight: &[f32], filters: usize, channels: usize, taps: usize, turned: &mut [f32]) {
    for filter in 0..filters {
        for channel in 0..channels {
            let source = &weight[(filter * channels + channel) * taps..][..taps];
            turned[(channel * filters + filter) * taps..][..taps].copy_from_slice(source);
        }
    }
}
