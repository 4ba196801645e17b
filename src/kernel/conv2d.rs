//! Convolution of one sample and one group, and its gradients, without a matrix of patches.
//!
//! Convolution here is correlation, as in every convolutional net: `y[o, p] = sum over c, k of
//! w[o, c, k] * x[c, S p + D k - P]`. An image is first laid out with its padding, and with as many
//! planes a channel as the stride has phases, so that the pixels a filter tap meets at neighbouring
//! outputs are neighbours in memory. Every row of the patch matrix is then a window of that
//! layout, and the products of [`gemm`] and [`Dots`] read it in place. Lanes between the rows of the
//! output are computed as well and dropped.

use super::Isa;
use super::dots::Dots;
use super::gemm::{Matrix, Packed, Scratch, Windows, gemm};

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

/// Room for layouts and products, to be kept from call to call.
#[derive(Debug, Default)]
pub struct ConvScratch {
    /// Room for panels.
    pub gemm: Scratch,
    layout: Vec<f32>,
    offsets: Vec<usize>,
    product: Vec<f32>,
    /// Output gradients, or the filters of a phase.
    side: Vec<f32>,
}

/// Where the pixels of a sample lie in its layout.
#[derive(Clone, Copy)]
struct Layout {
    /// Rows of a plane, and their distance.
    rows: usize,
    pitch: usize,
    /// Elements of a sample.
    len: usize,
    /// Lanes from the first output to the last.
    lanes: usize,
}

impl Geometry {
    fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    fn input_area(&self) -> usize {
        self.input[0] * self.input[1]
    }

    fn output_area(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// How many outputs apart the first and the last tap of an axis meet a pixel.
    fn reach(&self, axis: usize) -> usize {
        (self.kernel[axis] - 1) * self.dilation[axis] / self.stride[axis]
    }

    fn layout(&self) -> Layout {
        let (rows, pitch) = (self.output[0] + self.reach(0), self.output[1] + self.reach(1));
        let len = self.channels * self.stride[0] * self.stride[1] * rows * pitch;
        Layout { rows, pitch, len, lanes: (self.output[0] - 1) * pitch + self.output[1] }
    }

    /// Whether some tap of an axis meets the pixels of a phase.
    fn has_taps(&self, axis: usize, phase: usize) -> bool {
        (0..self.kernel[axis]).any(|tap| tap * self.dilation[axis] % self.stride[axis] == phase)
    }

    /// Lays out a sample: plane `(c, a, b)` holds the padded pixels `(S r + a, S q + b)` of channel `c`.
    fn lay_out(&self, input: &[f32], layout: &mut [f32]) {
        let ([height, width], [sy, sx]) = (self.input, self.stride);
        let Layout { rows, pitch, .. } = self.layout();
        let planes = layout.chunks_exact_mut(rows * pitch);
        for (index, plane) in planes.enumerate() {
            let (channel, a, b) = (index / (sy * sx), index / sx % sy, index % sx);
            if !self.has_taps(0, a) || !self.has_taps(1, b) {
                // No tap reads it, but a window may run into it, and stale NaN must not meet a 0.
                plane.fill(0.0);
                continue;
            }
            let image = &input[channel * height * width..][..height * width];
            let (left, right) = inside(b, self.padding[1], sx, width, pitch);
            for (r, row) in plane.chunks_exact_mut(pitch).enumerate() {
                let y = (r * sy + a).wrapping_sub(self.padding[0]);
                if y >= height || left == right {
                    row.fill(0.0);
                    continue;
                }
                let source = &image[y * width + left * sx + b - self.padding[1]..];
                row[..left].fill(0.0);
                row[right..].fill(0.0);
                if sx == 1 {
                    row[left..right].copy_from_slice(&source[..right - left]);
                } else {
                    for (target, source) in row[left..right].iter_mut().zip(source.iter().step_by(sx)) {
                        *target = *source;
                    }
                }
            }
        }
    }

    /// Where the window of each (channel, tap) begins.
    fn find_windows(&self, offsets: &mut Vec<usize>) {
        let Layout { rows, pitch, .. } = self.layout();
        let ([sy, sx], [dy, dx]) = (self.stride, self.dilation);
        offsets.clear();
        for channel in 0..self.channels {
            for ky in 0..self.kernel[0] {
                for kx in 0..self.kernel[1] {
                    let (down, right) = (ky * dy, kx * dx);
                    let plane = (channel * sy + down % sy) * sx + right % sx;
                    offsets.push((plane * rows + down / sy) * pitch + right / sx);
                }
            }
        }
    }
}

/// The columns `q` of `0..end` whose pixel `stride * q + phase - padding` lies in `0..width`.
fn inside(phase: usize, padding: usize, stride: usize, width: usize, end: usize) -> (usize, usize) {
    let first = padding.saturating_sub(phase).div_ceil(stride);
    let last = (width + padding).saturating_sub(phase).div_ceil(stride);
    let last = last.min(end);
    (first.min(last), last)
}

/// Filters packed for [`conv2d`] on one instruction set: `filters x channels x kernel`.
pub fn pack_filters(isa: Isa, g: &Geometry, weight: &[f32]) -> Packed {
    let depth = g.channels * g.taps();
    Packed::new(isa, &Matrix { data: weight, lane_stride: depth, depth_stride: 1 }, g.filters, depth)
}

/// The convolution of a sample. Input `channels x input`, output `filters x output`; each filter starts
/// from its number in `bias`, or from 0.
pub fn conv2d(
    isa: Isa,
    g: &Geometry,
    input: &[f32],
    filters: &Packed,
    bias: Option<&[f32]>,
    output: &mut [f32],
    scratch: &mut ConvScratch,
) {
    let Layout { len, lanes, pitch, .. } = g.layout();
    let ConvScratch { gemm: room, layout, offsets, product, .. } = scratch;
    grow(layout, len + Windows::SLACK);
    grow(product, g.filters * lanes);
    g.lay_out(input, &mut layout[..len]);
    g.find_windows(offsets);
    let product = &mut product[..g.filters * lanes];
    for (filter, row) in product.chunks_exact_mut(lanes).enumerate() {
        row.fill(bias.map_or(0.0, |bias| bias[filter]));
    }
    let windows = Windows { data: layout, offsets };
    gemm(isa, [g.filters, lanes, offsets.len()], filters, &windows, product, lanes, room);
    for (filter, row) in product.chunks_exact(lanes).enumerate() {
        let plane = &mut output[filter * g.output_area()..][..g.output_area()];
        for (line, row) in plane.chunks_exact_mut(g.output[1]).zip(row.chunks(pitch)) {
            line.copy_from_slice(&row[..g.output[1]]);
        }
    }
}

/// Adds the gradient of the weight over some samples: `input` and `gradient` give those of each.
pub fn conv2d_weight_grad<'a>(
    isa: Isa,
    g: &Geometry,
    samples: usize,
    input: impl Fn(usize) -> &'a [f32],
    gradient: impl Fn(usize) -> &'a [f32],
    weight_grad: &mut [f32],
    scratch: &mut ConvScratch,
) {
    let Layout { len, lanes, pitch, .. } = g.layout();
    let vector = lanes.next_multiple_of(Dots::LANES);
    let ConvScratch { layout, offsets, side, .. } = scratch;
    grow(layout, samples * len + Dots::LANES);
    // What follows the last lane meets zeros, but must not be NaN.
    layout[samples * len..][..Dots::LANES].fill(0.0);
    grow(side, samples * g.filters * vector);
    g.find_windows(offsets);
    for n in 0..samples {
        g.lay_out(input(n), &mut layout[n * len..][..len]);
        let planes = gradient(n).chunks_exact(g.output_area());
        for (row, plane) in side[n * g.filters * vector..].chunks_exact_mut(vector).zip(planes) {
            let lines = plane.chunks_exact(g.output[1]);
            for (row, line) in row.chunks_mut(pitch).zip(lines.map(Some).chain(std::iter::repeat(None))) {
                let width = line.map_or(0, <[f32]>::len);
                row[..width].copy_from_slice(line.unwrap_or_default());
                row[width..].fill(0.0);
            }
        }
    }
    let left = &side[..samples * g.filters * vector];
    let dots =
        Dots { samples, left, vectors: g.filters, len: vector, right: layout, right_stride: len, offsets };
    dots.add_to(isa, weight_grad);
}

/// The filters that the inputs of one phase of the stride meet, turned for [`conv2d_input_grad`].
#[derive(Debug)]
pub struct Phase {
    /// Row and column of the inputs: `S q + first - P`.
    first: [usize; 2],
    /// For each (filter, tap) how many outputs it lies before `q`.
    taps: Vec<(usize, [usize; 2])>,
    /// `channels x taps`.
    filters: Packed,
}

/// Turns `filters x channels x kernel` for [`conv2d_input_grad`] on one instruction set.
pub fn turn_filters(isa: Isa, g: &Geometry, weight: &[f32]) -> Vec<Phase> {
    let mut phases = Vec::new();
    for a in 0..g.stride[0] {
        for b in 0..g.stride[1] {
            let (mut taps, mut columns) = (Vec::new(), Vec::new());
            for filter in 0..g.filters {
                for tap in 0..g.taps() {
                    let down = tap / g.kernel[1] * g.dilation[0];
                    let right = tap % g.kernel[1] * g.dilation[1];
                    if down % g.stride[0] == a && right % g.stride[1] == b {
                        taps.push((filter, [down / g.stride[0], right / g.stride[1]]));
                        columns.push(filter * g.channels * g.taps() + tap);
                    }
                }
            }
            let mut turned = vec![0.0; g.channels * taps.len()];
            for (channel, row) in turned.chunks_exact_mut(taps.len().max(1)).enumerate() {
                for (value, column) in row.iter_mut().zip(&columns) {
                    *value = weight[column + channel * g.taps()];
                }
            }
            let matrix = Matrix { data: &turned, lane_stride: taps.len(), depth_stride: 1 };
            let filters = Packed::new(isa, &matrix, g.channels, taps.len());
            phases.push(Phase { first: [a, b], taps, filters });
        }
    }
    phases
}

/// The gradient of the input of a sample. An input of phase `a` is `y = S q + a - P`, and the taps `k` of
/// its phase come from the outputs `q - D k / S`, so that each phase is a convolution of the gradient
/// without stride.
pub fn conv2d_input_grad(
    isa: Isa,
    g: &Geometry,
    gradient: &[f32],
    phases: &[Phase],
    input_grad: &mut [f32],
    scratch: &mut ConvScratch,
) {
    let ConvScratch { gemm: room, layout, offsets, product, .. } = scratch;
    // `q` from the first input to the last, over all phases.
    let first =
        [0, 1].map(|axis| g.padding[axis].saturating_sub(g.stride[axis] - 1).div_ceil(g.stride[axis]));
    let last = [0, 1].map(|axis| (g.input[axis] + g.padding[axis]).saturating_sub(1) / g.stride[axis]);
    let count = [0, 1].map(|axis| (last[axis] + 1).saturating_sub(first[axis]));
    if g.input_area() == 0 || g.channels == 0 {
        return;
    }
    // Row `r` of a layout's plane is the output row `r + first - reach`, or zeros.
    let reach = [g.reach(0), g.reach(1)];
    let (rows, pitch) = (count[0] + reach[0], count[1] + reach[1]);
    let lanes = (count[0] - 1) * pitch + count[1];
    grow(layout, g.filters * rows * pitch + Windows::SLACK);
    grow(product, g.channels * lanes);
    let (left, right) = inside(first[1], reach[1], 1, g.output[1], pitch);
    for (plane, gradient) in layout.chunks_exact_mut(rows * pitch).zip(gradient.chunks_exact(g.output_area()))
    {
        for (r, row) in plane.chunks_exact_mut(pitch).enumerate() {
            let y = (r + first[0]).wrapping_sub(reach[0]);
            row.fill(0.0);
            if y < g.output[0] && left < right {
                let start = y * g.output[1] + left + first[1] - reach[1];
                row[left..right].copy_from_slice(&gradient[start..][..right - left]);
            }
        }
    }
    for Phase { first: phase, taps, filters } in phases {
        offsets.clear();
        offsets.extend(
            taps.iter().map(|(filter, [down, across])| {
                (filter * rows + reach[0] - down) * pitch + reach[1] - across
            }),
        );
        let product = &mut product[..g.channels * lanes];
        product.fill(0.0);
        gemm(
            isa,
            [g.channels, lanes, taps.len()],
            filters,
            &Windows { data: layout, offsets },
            product,
            lanes,
            room,
        );
        let [sy, sx] = g.stride;
        for (channel, sums) in product.chunks_exact(lanes).enumerate() {
            let plane = &mut input_grad[channel * g.input_area()..][..g.input_area()];
            for (q, sums) in sums.chunks(pitch).enumerate() {
                let y = ((q + first[0]) * sy + phase[0]).wrapping_sub(g.padding[0]);
                if y >= g.input[0] {
                    continue;
                }
                let line = &mut plane[y * g.input[1]..][..g.input[1]];
                if sx == 1 {
                    // Without a stride the first input that is written is column 0.
                    line.copy_from_slice(&sums[..count[1]]);
                    continue;
                }
                for (p, sum) in sums.iter().enumerate().take(count[1]) {
                    let x = ((p + first[1]) * sx + phase[1]).wrapping_sub(g.padding[1]);
                    if let Some(target) = line.get_mut(x) {
                        *target = *sum;
                    }
                }
            }
        }
    }
}

fn grow(buffer: &mut Vec<f32>, len: usize) {
    if buffer.len() < len {
        buffer.resize(len, 0.0);
    }
}
