//! Convolutions with channels as neighbours, as inference does them: no pixel is packed, and many filters share a
//! vector. Images change their layout sample by sample, while they are in a cache.

use std::ops::Range;

use super::conv2d::Plan;
use super::frame::{Framed, Scratch, grow, with_scratch};
use super::parallel::{SAMPLES, for_each_job, for_each_piece, sum_over_groups};
use super::{Shape, Tensor, room};
use crate::Result;
use crate::kernel::Isa;
use crate::kernel::conv2d::Geometry;
use crate::kernel::nhwc::{
    Activation, Grid, Outer, Panels, Pixels, Target, pack, pack_turned, product, transpose, unpack,
};

/// Filters of a vector that is worth it.
const FEW: usize = 12;
/// Pixels that are worth reading the weights for.
const PIXELS: usize = 112;
/// Pixels whose outer products are worth adding up.
const GROUP: usize = 512;
/// Values of a vector.
const LANES: usize = 16;
/// Values of a block of outputs.
const ROOM: usize = 1 << 17;
/// Values between the sums of rows of taps, so that they lie in different sets of the caches.
const SKEW: usize = 16;

/// Whether [`forward`] and [`weight_grad`] are for a convolution.
pub(super) fn fits(plan: &Plan) -> bool {
    plan.groups == 1 && plan.group.filters >= FEW && plan.samples > 0
}

/// Whether [`input_grad`] is for a convolution.
pub(super) fn fits_input_grad(plan: &Plan) -> bool {
    let g = &plan.group;
    let is_inside = [0, 1].iter().all(|&axis| first(g, axis) <= reach(g, axis));
    let is_plain = plan.groups == 1 && g.dilation == [1, 1] && plan.samples > 0;
    is_plain && (g.channels >= FEW && is_inside || spreads(g))
}

/// Whether the gradient of the image is spread from the outputs: where few channels leave a vector empty, and a row of taps
/// fills it.
fn spreads(g: &Geometry) -> bool {
    g.channels < FEW && g.channels * g.kernel[1] >= FEW && g.filters >= 8
}

/// Samples that are multiplied together.
fn together(plan: &Plan, area: usize) -> usize {
    PIXELS.div_ceil(area.max(1)).min(plan.samples)
}

/// The frame of the images of a convolution.
fn framed(g: &Geometry) -> Framed {
    let size = [0, 1]
        .map(|axis| (g.output[axis] - 1) * g.stride[axis] + (g.kernel[axis] - 1) * g.dilation[axis] + 1);
    Framed { channels: g.channels, input: g.input, padding: g.padding, size }
}

/// What the pixels of a window are: runs of a length, from its first value.
fn runs(g: &Geometry, frame: &Framed) -> (Vec<usize>, usize) {
    // A row of taps is one run where they are neighbours.
    let (across, run) =
        if g.dilation[1] == 1 { (1, g.kernel[1] * g.channels) } else { (g.kernel[1], g.channels) };
    let tap =
        |tap: usize| tap / across * g.dilation[0] * frame.line() + tap % across * g.dilation[1] * g.channels;
    ((0..g.kernel[0] * across).map(tap).collect(), run)
}

/// [`conv2d`](super::conv2d::conv2d).
pub(super) fn forward(
    isa: Isa,
    plan: &Plan,
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
) -> Result<Tensor> {
    let g = &plan.group;
    let panels = pack(isa, weight.data(), [g.filters, g.channels, g.kernel[0] * g.kernel[1]], room::unset);
    let bias = panels.padded(bias.map_or(&vec![0.0; g.filters], |bias| bias.data()));
    let (area, frame) = (g.output[0] * g.output[1], framed(g));
    let (runs, run) = runs(g, &frame);
    let together = together(plan, area);
    let lines = if together > 1 { g.output[0] } else { (ROOM / (g.output[1] * g.filters)).max(1) };
    let mut y = Tensor::unset(plan.output_shape()?);
    for_each_piece(y.data_mut(), together * g.filters * area, |piece, y| {
        let samples = y.len() / (g.filters * area);
        with_scratch(|Scratch { plain, frame: image, products, .. }| {
            let image = grow(image, samples * frame.len());
            for (i, image) in image.chunks_exact_mut(frame.len()).enumerate() {
                frame.fill(isa, x.sample(piece * together + i), plain, image);
            }
            for first in (0..g.output[0]).step_by(lines) {
                let lines = lines.min(g.output[0] - first);
                let base = first * g.stride[0] * frame.line();
                let windows =
                    Grid::new(base, g.output[1], g.stride[0] * frame.line(), g.stride[1] * g.channels);
                let grid = windows.of_images(lines, frame.len());
                let pixels = Pixels { data: image, grid, runs: &runs, run };
                let count = samples * lines * g.output[1];
                let products = grow(products, count * g.filters);
                let target = Target { data: products, grid: Grid::new(0, count, 0, g.filters), count };
                product(isa, &pixels, &panels, &bias, None, Activation::None, target);
                let each = lines * g.output[1];
                let blocks =
                    products.chunks_exact(each * g.filters).zip(y.chunks_exact_mut(g.filters * area));
                for (block, y) in blocks {
                    let y = &mut y[first * g.output[1]..];
                    transpose(isa, [each, g.filters], (block, g.filters), (y, area));
                }
            }
        });
    });
    room::give(panels.into_room());
    Ok(y)
}

/// How many outputs apart the first and the last tap of an axis meet a pixel.
fn reach(g: &Geometry, axis: usize) -> usize {
    (g.kernel[axis] - 1) / g.stride[axis]
}

/// The first `q` of which some pixel `S q + a - P` is in the image.
fn first(g: &Geometry, axis: usize) -> usize {
    g.padding[axis].saturating_sub(g.stride[axis] - 1).div_ceil(g.stride[axis])
}

/// The pixels `S q + a - P` of one axis that some taps meet, or none.
#[derive(Clone, Copy)]
struct Phase {
    /// How many taps: `a`, `a + S`, ...
    taps: usize,
    /// The first `q`, and how many.
    from: usize,
    count: usize,
    /// The first pixel.
    pixel: usize,
}

impl Phase {
    fn of(g: &Geometry, axis: usize, a: usize) -> Self {
        let (stride, padding) = (g.stride[axis], g.padding[axis]);
        let from = padding.saturating_sub(a).div_ceil(stride);
        let end = (g.input[axis] + padding).saturating_sub(a).div_ceil(stride);
        let taps = g.kernel[axis].saturating_sub(a).div_ceil(stride);
        Self { taps, from, count: end.saturating_sub(from), pixel: stride * from + a - padding }
    }
}

/// [`conv2d_input_grad`](super::conv2d::conv2d_input_grad): each phase of the stride is a convolution of `dy` without
/// stride, with the taps that meet its pixels in reverse.
pub(super) fn input_grad(isa: Isa, plan: &Plan, dy: &Tensor, weight: &Tensor, input: Shape) -> Tensor {
    let g = &plan.group;
    if spreads(g) {
        return spread(isa, plan, dy, weight, input);
    }
    let phases: Vec<[Phase; 2]> = (0..g.stride[0] * g.stride[1])
        .map(|phase| [Phase::of(g, 0, phase / g.stride[1]), Phase::of(g, 1, phase % g.stride[1])])
        .filter(|phases| phases.iter().all(|phase| phase.taps > 0 && phase.count > 0))
        .collect();
    let taps = g.kernel[0] * g.kernel[1];
    let of_phase = |[down, across]: &[Phase; 2]| {
        let [a, b] = [0, 1].map(|axis| ([down, across][axis].pixel + g.padding[axis]) % g.stride[axis]);
        let order: Vec<usize> = (0..down.taps * across.taps)
            .map(|tap| (down.taps - 1 - tap / across.taps, across.taps - 1 - tap % across.taps))
            .map(|(i, j)| (a + i * g.stride[0]) * g.kernel[1] + b + j * g.stride[1])
            .collect();
        pack_turned(isa, weight.data(), [g.filters, g.channels, taps], &order, room::unset)
    };
    let packed: Vec<Panels> = phases.iter().map(of_phase).collect();
    let met: usize = phases.iter().map(|[down, across]| down.count * across.count).sum();
    let [height, width] = g.input;
    let area = height * width;
    let last = [0, 1].map(|axis| (g.input[axis] + g.padding[axis]).saturating_sub(1) / g.stride[axis]);
    let (first, reach) = ([0, 1].map(|axis| first(g, axis)), [0, 1].map(|axis| reach(g, axis)));
    // Line `r` of the frame is line `r + first - reach` of the outputs.
    let frame = Framed {
        channels: g.filters,
        input: g.output,
        padding: [0, 1].map(|axis| reach[axis] - first[axis]),
        size: [0, 1].map(|axis| (last[axis] + 1).saturating_sub(first[axis]) + reach[axis]),
    };
    let together = together(plan, area);
    let mut dx = Tensor::unset(input);
    let bias = vec![0.0; g.channels + Outer::SLACK];
    for_each_piece(dx.data_mut(), together * g.channels * area, |piece, dx| {
        let samples = dx.len() / (g.channels * area);
        with_scratch(|Scratch { plain, frame: image, products, .. }| {
            let image = grow(image, samples * frame.len());
            for (i, image) in image.chunks_exact_mut(frame.len()).enumerate() {
                frame.fill(isa, dy.sample(piece * together + i), plain, image);
            }
            let products = grow(products, samples * area * g.channels);
            if met < area {
                products.fill(0.0);
            }
            for ([down, across], panels) in phases.iter().zip(&packed) {
                let line = |q: usize, axis: usize, taps: usize| q - first[axis] + reach[axis] + 1 - taps;
                let base = line(down.from, 0, down.taps) * frame.line()
                    + line(across.from, 1, across.taps) * g.filters;
                let windows = Grid::new(base, across.count, frame.line(), g.filters);
                let runs: Vec<usize> = (0..down.taps).map(|tap| tap * frame.line()).collect();
                let grid = windows.of_images(down.count, frame.len());
                let pixels = Pixels { data: image, grid, runs: &runs, run: across.taps * g.filters };
                let base = (down.pixel * width + across.pixel) * g.channels;
                let [sy, sx] = g.stride;
                let grid = Grid::new(base, across.count, sy * width * g.channels, sx * g.channels)
                    .of_images(down.count, area * g.channels);
                let count = samples * down.count * across.count;
                let target = Target { data: products, grid, count };
                product(isa, &pixels, panels, &bias, None, Activation::None, target);
            }
            let each = area * g.channels;
            for (sample, dx) in products.chunks_exact(each).zip(dx.chunks_exact_mut(each)) {
                transpose(isa, [area, g.channels], (sample, g.channels), (dx, area));
            }
        });
    });
    for panels in packed {
        room::give(panels.into_room());
    }
    dx
}

/// [`input_grad`] of few channels: what each output gives to the pixels of a row of taps, added up.
fn spread(isa: Isa, plan: &Plan, dy: &Tensor, weight: &Tensor, input: Shape) -> Tensor {
    let g = &plan.group;
    let [taps, across] = [g.kernel[0] * g.kernel[1], g.kernel[1]];
    let run = across * g.channels;
    // Whole vectors, with zeros past the run.
    let padded = run.next_multiple_of(LANES);
    let apart = padded.div_ceil(g.stride[1] * g.channels);
    let weight = weight.data();
    let of_row = |row: usize| {
        Panels::new(isa, padded, g.filters, |at, filter| {
            let tap = row * across + at / g.channels;
            if at < run { weight[(filter * g.channels + at % g.channels) * taps + tap] } else { 0.0 }
        })
    };
    let rows: Vec<Panels> = (0..g.kernel[0]).map(of_row).collect();
    let bias = vec![0.0; padded + Outer::SLACK];
    let (frame, [height, width]) = (framed(g), g.input);
    let (area, outputs) = (height * width, g.output[0] * g.output[1]);
    let [top, left] = g.padding;
    let here = width.min(frame.size[1].saturating_sub(left)) * g.channels;
    let mut dx = Tensor::unset(input);
    for_each_piece(dx.data_mut(), g.channels * area, |n, dx| {
        with_scratch(|Scratch { plain, frame: image, images, products, .. }| {
            let plain = grow(plain, (outputs * g.filters).max(area * g.channels));
            transpose(isa, [g.filters, outputs], (dy.sample(n), outputs), (plain, g.filters));
            let image = grow(image, frame.len() + LANES);
            image.fill(0.0);
            let products = grow(products, outputs * padded);
            for (row, panels) in rows.iter().enumerate() {
                let grid = Grid::new(0, outputs, 0, g.filters);
                let pixels = Pixels { data: plain, grid, runs: &[0], run: g.filters };
                let target =
                    Target { data: products, grid: Grid::new(0, outputs, 0, padded), count: outputs };
                product(isa, &pixels, panels, &bias, None, Activation::None, target);
                isa.run(
                    #[inline(always)]
                    || {
                        for (y, line) in products.chunks_exact(g.output[1] * padded).enumerate() {
                            let to = &mut image[(y * g.stride[0] + row) * frame.line()..];
                            // Neighbours overlap, and would wait for each other: they are not added in turn.
                            for first in 0..apart.min(g.output[1]) {
                                for x in (first..g.output[1]).step_by(apart) {
                                    let values = line[x * padded..][..padded].as_chunks::<LANES>().0;
                                    let to = to[x * g.stride[1] * g.channels..].as_chunks_mut::<LANES>().0;
                                    for (sums, values) in to.iter_mut().zip(values) {
                                        for l in 0..LANES {
                                            sums[l] += values[l];
                                        }
                                    }
                                }
                            }
                        }
                    },
                );
            }
            // Without the padding, and with zeros where no window has been.
            let inner = grow(images, area * g.channels);
            inner.fill(0.0);
            for (y, inner) in inner.chunks_exact_mut(width * g.channels).enumerate() {
                if y + top < frame.size[0] {
                    let line = &image[(y + top) * frame.line() + left * g.channels..][..here];
                    inner[..here].copy_from_slice(line);
                }
            }
            transpose(isa, [area, g.channels], (inner, g.channels), (dx, area));
        });
    });
    dx
}

/// [`conv2d_weight_grad`](super::conv2d::conv2d_weight_grad): for each row of taps a sum of outer products of the pixels
/// that it meets and the gradients of the outputs.
pub(super) fn weight_grad(isa: Isa, plan: &Plan, x: &Tensor, dy: &Tensor, weight: Shape) -> Result<Tensor> {
    let g = &plan.group;
    let area = g.output[0] * g.output[1];
    let each = SAMPLES.max(GROUP.div_ceil(area.max(1)));
    let gradient = sum_over_groups(plan.samples, each, weight.count(), |samples, gradient| {
        with_scratch(|scratch| weight_grad_of(isa, plan, [x, dy], samples, gradient, scratch));
    });
    Tensor::from_vec(weight, gradient)
}

fn weight_grad_of(
    isa: Isa,
    plan: &Plan,
    [x, dy]: [&Tensor; 2],
    samples: Range<usize>,
    gradient: &mut [f32],
    scratch: &mut Scratch,
) {
    let g = &plan.group;
    let (area, frame) = (g.output[0] * g.output[1], framed(g));
    let (runs, rows) = runs(g, &frame);
    let together = together(plan, area);
    let Scratch { plain, frame: image, products, sums, .. } = scratch;
    let image = grow(image, together * frame.len() + Outer::SLACK);
    let products = grow(products, together * area * g.filters + Outer::SLACK);
    let room = Outer::room(rows, g.filters) + SKEW;
    let sums = grow(sums, runs.len() * room);
    sums.fill(0.0);
    for first in samples.clone().step_by(together) {
        let block = first..samples.end.min(first + together);
        for (i, n) in block.clone().enumerate() {
            frame.fill(isa, x.sample(n), plain, &mut image[i * frame.len()..]);
            let outputs = &mut products[i * area * g.filters..];
            transpose(isa, [g.filters, area], (dy.sample(n), area), (outputs, g.filters));
        }
        let (image, products) = (&*image, &*products);
        for_each_job(runs.iter().zip(sums.chunks_exact_mut(room)), |_, (run, sums)| {
            let line = |at: usize| {
                let (i, y) = (at / g.output[0], at % g.output[0]);
                let from = i * frame.len() + y * g.stride[0] * frame.line() + run;
                (from, at * g.output[1] * g.filters)
            };
            let lines: Vec<(usize, usize)> = (0..block.len() * g.output[0]).map(line).collect();
            let outer = Outer {
                left: image,
                left_step: g.stride[1] * g.channels,
                rows,
                right: products,
                right_step: g.filters,
                columns: g.filters,
                lines: &lines,
                count: g.output[1],
            };
            outer.add_to(isa, sums);
        });
    }
    let stride = Outer::stride(g.filters);
    let across = rows / g.channels;
    let at = |tap: usize| {
        let (run, inside) = if across > 1 { (tap / across, tap % across) } else { (tap, 0) };
        run * room + inside * g.channels * stride
    };
    unpack(isa, sums, stride, at, [g.filters, g.channels, g.kernel[0] * g.kernel[1]], gradient);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Window;
    use crate::reference::conv2d::{Conv2dSizes, conv2d_input_grad};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        /// Few channels and wide windows, which random geometries seldom have.
        #[test]
        fn spreading_equals_the_definition_exactly_on_integers(
            samples in 1usize..4, channels in 2usize..8, filters in 8usize..24, height in 6usize..15, width in 6usize..15,
            down in 1usize..6, stride in prop::array::uniform2(1usize..4), padding in prop::array::uniform4(0usize..4),
        ) {
            let kernel = [down, FEW.div_ceil(channels).clamp(2, 6)];
            let sizes = Conv2dSizes {
                samples, channels, input: [height, width], filters, kernel, padding, stride, dilation: [1, 1], groups: 1,
            };
            let window = Window { kernel, stride, padding, dilation: [1, 1] };
            let integers = |shape: &[usize], salt: usize| {
                Tensor::from_fn(Shape::new(shape).unwrap(), |i| ((i * 7919 + salt) % 9) as f32 - 4.0)
            };
            let (weight, dy) = (integers(&sizes.weight_shape(), 1), integers(&sizes.output_shape(), 2));
            let input = Shape::new(&sizes.input_shape()).unwrap();
            let plan = Plan::new(input, weight.shape(), &window, 1).unwrap();
            prop_assert!(spreads(&plan.group) && fits_input_grad(&plan));
            let wide = |tensor: &Tensor| tensor.data().iter().map(|&value| f64::from(value)).collect::<Vec<_>>();
            let wanted = conv2d_input_grad(&sizes, &wide(&dy), &wide(&weight));
            for isa in Isa::available() {
                let got = input_grad(isa, &plan, &dy, &weight, input);
                prop_assert_eq!(wide(&got), wanted.as_slice(), "{:?}", isa);
            }
        }
    }
}
