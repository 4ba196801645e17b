//! Convolutions of a plan.

use std::cell::RefCell;

use super::image::{Frame, grid};
use crate::kernel::Isa;
use crate::kernel::nhwc::winograd::{Size, Tiles, Winograd};
use crate::kernel::nhwc::{Activation, Grid, Panels, Pixels, Residual, Target, depthwise, product};
use crate::nn::{Shape, Tensor, Window};

/// What a value of weights in memory costs, in products: what a core multiplies while it is read.
const READ: usize = 30;
/// What it costs to transform a value, in products.
const TRANSFORM: usize = 20;
/// Values of transformed images and products that a block of tiles may have.
const ROOM: usize = 1 << 21;

thread_local! {
    static SCRATCH: RefCell<Vec<f32>> = RefCell::default();
}

/// A convolution with its weights, packed.
#[derive(Debug)]
pub(super) struct Conv {
    isa: Isa,
    window: Window,
    /// Output height and width.
    output: [usize; 2],
    /// Channels and filters of a group.
    channels: usize,
    filters: usize,
    kernels: Vec<Kernel>,
    activation: Activation,
}

/// The filters of a group, and their numbers.
#[derive(Debug)]
enum Kernel {
    Direct(Panels, Vec<f32>),
    Winograd(Winograd, Size, Vec<f32>),
    /// Of all groups.
    Depthwise(Vec<f32>, Vec<f32>),
}

/// How a convolution with these sizes is done, which its shape alone decides.
fn choose(
    window: &Window,
    groups: usize,
    [channels, filters]: [usize; 2],
    output: [usize; 2],
) -> Option<Size> {
    let plain = window.kernel == [3, 3] && window.stride == [1, 1] && window.dilation == [1, 1];
    if !plain || groups > 1 || channels < 16 || filters < 16 {
        return None;
    }
    let pairs = channels * filters;
    let direct = output[0] * output[1] * 9 * pairs;
    let cost = |size: Size| {
        let tiles = output[0].div_ceil(size.outputs()) * output[1].div_ceil(size.outputs());
        size.positions() * (pairs * tiles.max(READ) + tiles * (channels + filters) * TRANSFORM)
    };
    let size = if cost(Size::Four) < cost(Size::Two) { Size::Four } else { Size::Two };
    (cost(size) < direct.max(9 * pairs * READ)).then_some(size)
}

impl Conv {
    pub(super) fn new(
        isa: Isa,
        weight: &Tensor,
        bias: Option<&Tensor>,
        window: Window,
        groups: usize,
        output: [usize; 2],
        activation: Activation,
    ) -> Self {
        let [all, channels, height, width] = [0, 1, 2, 3].map(|axis| weight.shape()[axis]);
        let (filters, taps) = (all / groups, height * width);
        let numbers = bias.map_or_else(|| vec![0.0; all], |bias| bias.data().to_vec());
        let values = weight.data();
        let kernels = if groups > 1 && channels == 1 && filters == 1 {
            let by_tap = (0..taps * groups).map(|i| values[i % groups * taps + i / groups]);
            vec![Kernel::Depthwise(by_tap.collect(), numbers)]
        } else {
            let size = choose(&window, groups, [channels, filters], output);
            let of_group = |group: usize| {
                let at = |filter: usize, channel: usize, tap: usize| {
                    values[((group * filters + filter) * channels + channel) * taps + tap]
                };
                let numbers = &numbers[group * filters..][..filters];
                if let Some(size) = size {
                    let winograd = Winograd::new(isa, size, [filters, channels], at);
                    let padded = winograd.padded(numbers);
                    return Kernel::Winograd(winograd, size, padded);
                }
                let panels = Panels::new(isa, filters, channels * taps, |filter, depth| {
                    at(filter, depth % channels, depth / channels)
                });
                let padded = panels.padded(numbers);
                Kernel::Direct(panels, padded)
            };
            (0..groups).map(of_group).collect()
        };
        Self { isa, window, output, channels, filters, kernels, activation }
    }

    /// Zeros that it reads around its input: top, left, bottom, right.
    pub(super) fn halo(&self) -> [usize; 4] {
        let mut halo = self.window.padding;
        if let Some(Kernel::Winograd(_, size, _)) = self.kernels.first() {
            for axis in [0, 1] {
                halo[axis + 2] += self.output[axis].next_multiple_of(size.outputs()) - self.output[axis];
            }
        }
        halo
    }

    /// Lines of outputs that are computed at once, a multiple of this.
    fn unit(&self) -> usize {
        match self.kernels.first() {
            Some(Kernel::Winograd(_, size, _)) => size.outputs(),
            _ => 1,
        }
    }

    /// Lines of outputs of a piece of work, for so many threads.
    pub(super) fn lines(&self, threads: usize) -> usize {
        let unit = self.unit();
        let mut lines = self.output[0].div_ceil(threads).next_multiple_of(unit);
        if let Some(Kernel::Winograd(_, size, _)) = self.kernels.first() {
            let across = self.output[1].div_ceil(unit);
            let values = size.positions() * across * (self.channels + self.filters);
            // Weights are read once a block: few blocks where they are large.
            let most = (ROOM / values.max(1)).max(56usize.div_ceil(across)).max(1);
            let tiles = lines / unit;
            lines = tiles.div_ceil(tiles.div_ceil(most)) * unit;
        }
        lines
    }

    /// Some lines of outputs from `first` on, of one sample. `output` begins with the first of them, with its halo;
    /// `channel` is the first that is written, or read.
    pub(super) fn run(
        &self,
        (input, from, channel): (&[f32], &Frame, usize),
        residual: Option<(&[f32], &Frame, usize)>,
        (output, to, to_channel): (&mut [f32], &Frame, usize),
        first: usize,
        lines: usize,
    ) {
        let Window { stride, padding, dilation, kernel } = self.window;
        let pitch = from.channels;
        // Where the window of the first output begins.
        let corner = from.at(first * stride[0], 0, [padding[0], padding[1]]) + channel;
        let windows = |group: usize| {
            let base = corner + group * self.channels;
            Grid::new(base, self.output[1], from.line() * stride[0], pitch * stride[1])
        };
        let outputs = |group: usize| {
            let base = to.halo[1] * to.channels + to_channel + group * self.filters;
            Grid::new(base, self.output[1], to.line(), to.channels)
        };
        let count = lines * self.output[1];
        let taps = |across: usize| (0..kernel[0] * across).map(move |tap| (tap / across, tap % across));
        // A row of taps is one run where pixels follow each other without other channels between.
        let joined = pitch == self.channels && dilation[1] == 1 && self.kernels.len() == 1;
        let across = if joined { 1 } else { kernel[1] };
        let offsets = taps(across).map(|(y, x)| y * dilation[0] * from.line() + x * dilation[1] * pitch);
        let offsets: Vec<usize> = offsets.collect();
        for (group, weights) in self.kernels.iter().enumerate() {
            let beside = residual.map(|(data, frame, channel)| {
                let mut grid = grid(frame, channel + group * self.filters);
                grid.base += first * grid.down;
                Residual { data, grid }
            });
            let target = Target { data: &mut *output, grid: outputs(group), count };
            let run = if joined { self.channels * kernel[1] } else { self.channels };
            match weights {
                Kernel::Direct(panels, bias) => {
                    let pixels = Pixels { data: input, grid: windows(group), runs: &offsets, run };
                    product(self.isa, &pixels, panels, bias, beside.as_ref(), self.activation, target);
                }
                Kernel::Winograd(winograd, _, bias) => {
                    let tiles = Tiles { image: input, from: windows(group), lines };
                    SCRATCH.with_borrow_mut(|scratch| {
                        winograd.run(
                            self.isa,
                            &tiles,
                            bias,
                            beside.as_ref(),
                            self.activation,
                            target,
                            scratch,
                        );
                    });
                }
                Kernel::Depthwise(weight, bias) => {
                    let taps = taps(kernel[1]);
                    let runs = taps.map(|(y, x)| y * dilation[0] * from.line() + x * dilation[1] * pitch);
                    let (runs, run) = (runs.collect::<Vec<_>>(), bias.len());
                    let pixels = Pixels { data: input, grid: windows(group), runs: &runs, run };
                    let grid = outputs(group);
                    depthwise(self.isa, &pixels, weight, bias, self.activation, target.data, &grid, count);
                }
            }
        }
    }
}

/// A product with a matrix, packed.
#[derive(Debug)]
pub(super) struct Linear {
    isa: Isa,
    inputs: usize,
    /// Filters in parts that threads can share, with their numbers.
    parts: Vec<(Panels, Vec<f32>)>,
    activation: Activation,
}

/// Outputs of a part of a linear layer.
const PART: usize = 256;

impl Linear {
    pub(super) fn new(isa: Isa, weight: &Tensor, bias: Option<&Tensor>, activation: Activation) -> Self {
        let [out, inputs] = [0, 1].map(|axis| weight.shape()[axis]);
        let numbers = bias.map_or_else(|| vec![0.0; out], |bias| bias.data().to_vec());
        let part = |first: usize| {
            let count = PART.min(out - first);
            let at = |filter: usize, depth: usize| weight.data()[(first + filter) * inputs + depth];
            let panels = Panels::new(isa, count, inputs, at);
            let padded = panels.padded(&numbers[first..][..count]);
            (panels, padded)
        };
        Self { isa, inputs, parts: (0..out).step_by(PART).map(part).collect(), activation }
    }

    pub(super) fn run(&self, samples: usize, input: &[f32], output: &mut [f32]) {
        let out: usize = self.parts.iter().map(|(panels, _)| panels.filters()).sum();
        let rows = |width: usize, base: usize| Grid::new(base, samples, 0, width);
        let pixels = Pixels { data: input, grid: rows(self.inputs, 0), runs: &[0], run: self.inputs };
        let of = |(panels, bias): &(Panels, Vec<f32>), target: Target<'_>| {
            product(self.isa, &pixels, panels, bias, None, self.activation, target);
        };
        if samples == 1 {
            crate::nn::parallel::for_each_piece(&mut output[..out], PART, |i, data| {
                let grid = rows(data.len(), 0);
                of(&self.parts[i], Target { data, grid, count: 1 });
            });
            return;
        }
        for (i, part) in self.parts.iter().enumerate() {
            of(part, Target { data: &mut *output, grid: rows(out, i * PART), count: samples });
        }
    }
}

/// The output's height and width of an image's shape.
pub(super) fn area(shape: Shape) -> [usize; 2] {
    match *shape {
        [_, height, width] => [height, width],
        _ => [1, 1],
    }
}
