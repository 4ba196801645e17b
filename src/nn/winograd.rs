//! Convolutions of three by three pixels in training by Winograd's algorithm, which takes a half to a quarter of the
//! products. Images change to neighbouring channels for it and back, sample by sample, while they are in a cache.

use std::ops::Range;

use super::conv2d::Plan;
use super::frame::{Framed, Scratch, grow, with_scratch};
use super::parallel::{for_each_job, for_each_piece, sum_over_groups};
use super::{Shape, Tensor, room};
use crate::Result;
use crate::kernel::Isa;
use crate::kernel::nhwc::winograd::{Batch, Filters, Size, Tiles, Winograd, fold_gradient, room_of_sums};
use crate::kernel::nhwc::{Grid, Target, transpose};

/// What a value of weights in memory costs, in products: what a core multiplies while it is read.
const READ: usize = 30;
/// What it costs to transform a value of weights and to write it to memory, in products.
const MAKE: usize = 60;
/// What it costs to transform a value, in products.
const TRANSFORM: usize = 20;
/// Values of transformed images and products that a block of tiles may have.
const ROOM: usize = 1 << 19;
/// Tiles that are worth reading the weights for.
const TILES: usize = 56;

/// Filters whose gradients are transformed back together.
const FOLDED: usize = 16;

/// A convolution without stride of a batch, by tiles.
#[derive(Clone, Copy, Debug)]
struct Tiled {
    size: Size,
    samples: usize,
    channels: usize,
    filters: usize,
    /// Height and width of images and of outputs.
    input: [usize; 2],
    output: [usize; 2],
    /// Zeros above and to the left.
    padding: [usize; 2],
}

/// The size of tiles for a convolution, if it is worth it, which its shape alone decides.
pub(super) fn size(plan: &Plan) -> Option<Size> {
    let g = &plan.group;
    let is_plain = g.kernel == [3, 3] && g.stride == [1, 1] && g.dilation == [1, 1] && plan.groups == 1;
    // The gradient of the image is padded by what is left of two.
    let is_padded = [0, 1]
        .iter()
        .all(|&axis| g.padding[axis] <= 2 && g.output[axis] + 2 >= g.input[axis] + g.padding[axis]);
    if !is_plain || !is_padded || g.channels < 16 || g.filters < 16 {
        return None;
    }
    let pairs = g.channels * g.filters;
    let cost = |size: Size| {
        let tiles = g.output[0].div_ceil(size.outputs()) * g.output[1].div_ceil(size.outputs());
        let together = together(plan.samples, tiles);
        let products = plan.samples.div_ceil(together) * (together * tiles).max(READ) + MAKE;
        size.positions() * (pairs * products + plan.samples * tiles * (g.channels + g.filters) * TRANSFORM)
    };
    let size = if cost(Size::Four) < cost(Size::Two) { Size::Four } else { Size::Two };
    (cost(size) < 9 * pairs * plan.samples * g.output[0] * g.output[1]).then_some(size)
}

/// Samples that are transformed together, of so many tiles each.
fn together(samples: usize, tiles: usize) -> usize {
    // As many blocks as have enough tiles, of one length.
    let blocks = (samples * tiles / TILES).clamp(1, samples.max(1));
    samples.max(1).div_ceil(blocks)
}

/// [`conv2d`](super::conv2d::conv2d).
pub(super) fn forward(
    isa: Isa,
    plan: &Plan,
    size: Size,
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
) -> Result<Tensor> {
    let g = &plan.group;
    let filters = Filters { weight: weight.data(), filters: g.filters, channels: g.channels, turned: false };
    Tiled::new(plan, size).convolve(isa, x, &filters, bias.map(Tensor::data))
}

/// [`conv2d_input_grad`](super::conv2d::conv2d_input_grad).
pub(super) fn input_grad(isa: Isa, plan: &Plan, size: Size, dy: &Tensor, weight: &Tensor) -> Result<Tensor> {
    let g = &plan.group;
    let filters = Filters { weight: weight.data(), filters: g.filters, channels: g.channels, turned: true };
    Tiled::new(plan, size).turned().convolve(isa, dy, &filters, None)
}

/// [`conv2d_weight_grad`](super::conv2d::conv2d_weight_grad).
pub(super) fn weight_grad(
    isa: Isa,
    plan: &Plan,
    size: Size,
    x: &Tensor,
    dy: &Tensor,
    weight: Shape,
) -> Result<Tensor> {
    Tiled::new(plan, size).correlate(isa, x, dy, weight)
}

impl Tiled {
    fn new(plan: &Plan, size: Size) -> Self {
        let g = &plan.group;
        Self {
            size,
            samples: plan.samples,
            channels: g.channels,
            filters: g.filters,
            input: g.input,
            output: g.output,
            padding: g.padding,
        }
    }

    /// The convolution that gives the gradient of the images.
    fn turned(self) -> Self {
        Self {
            channels: self.filters,
            filters: self.channels,
            input: self.output,
            output: self.input,
            padding: self.padding.map(|padding| 2 - padding),
            ..self
        }
    }

    /// Tiles of a sample: down and across.
    fn tiles(&self) -> [usize; 2] {
        self.output.map(|length| length.div_ceil(self.size.outputs()))
    }

    /// Samples that are transformed together.
    fn together(&self) -> usize {
        let [down, across] = self.tiles();
        together(self.samples, down * across)
    }

    /// Lines of tiles that are transformed together.
    fn lines(&self) -> usize {
        let [down, across] = self.tiles();
        let values = self.size.positions() * across * (self.channels + self.filters);
        let most = (ROOM / values.max(1)).max(TILES.div_ceil(across)).min(down).max(1);
        down.div_ceil(down.div_ceil(most))
    }

    /// Tiles that are transformed together at most.
    fn most(&self) -> usize {
        self.together() * self.lines() * self.tiles()[1]
    }

    /// An image with all that its tiles read.
    fn frame(&self) -> Framed {
        let size = self.tiles().map(|tiles| tiles * self.size.outputs() + 2);
        Framed { channels: self.channels, input: self.input, padding: self.padding, size }
    }

    /// Where the tiles of some lines begin in a frame.
    fn in_frame<'a>(&self, image: &'a [f32], lines: &Range<usize>) -> Tiles<'a> {
        let (m, down) = (self.size.outputs(), self.frame().line());
        let from = Grid::new(lines.start * m * down, self.output[1], down, self.channels);
        Tiles { image, from, lines: (lines.end * m).min(self.output[0]) - lines.start * m }
    }

    /// Where some lines of outputs lie, without anything around them.
    fn in_output(&self, lines: &Range<usize>) -> Grid {
        let down = self.output[1] * self.filters;
        let base = lines.start * self.size.outputs() * down;
        Grid::new(base, self.output[1], down, self.filters)
    }

    /// Calls `body` for blocks of samples and lines of tiles, in order.
    fn blocks(&self, samples: &Range<usize>, mut body: impl FnMut(Range<usize>, Range<usize>)) {
        let (together, lines, down) = (self.together(), self.lines(), self.tiles()[0]);
        for first in samples.clone().step_by(together) {
            for line in (0..down).step_by(lines) {
                body(first..samples.end.min(first + together), line..down.min(line + lines));
            }
        }
    }

    fn convolve(&self, isa: Isa, x: &Tensor, filters: &Filters<'_>, bias: Option<&[f32]>) -> Result<Tensor> {
        let winograd = filters
            .transform(isa, self.size, room::unset, |jobs, body| for_each_job(jobs, |_, job| body(job)));
        let bias = winograd.padded(bias.unwrap_or(&vec![0.0; self.filters]));
        let [height, width] = self.output;
        let (area, together) = (height * width, self.together());
        let mut y = Tensor::unset(Shape::new(&[self.samples, self.filters, height, width])?);
        for_each_piece(y.data_mut(), together * self.filters * area, |piece, y| {
            let first = piece * together;
            let samples = first..self.samples.min(first + together);
            with_scratch(|scratch| self.convolve_samples(isa, x, samples, &winograd, &bias, y, scratch));
        });
        winograd.into_room().for_each(room::give);
        Ok(y)
    }

    /// The outputs of some samples.
    fn convolve_samples(
        &self,
        isa: Isa,
        x: &Tensor,
        samples: Range<usize>,
        winograd: &Winograd,
        bias: &[f32],
        y: &mut [f32],
        scratch: &mut Scratch,
    ) {
        let Scratch { plain, frame, images, products, outputs, .. } = scratch;
        let area = self.output[0] * self.output[1];
        let [of_images, of_products] =
            [self.channels, self.filters].map(|values| Batch::new(self.size, values, self.most()));
        let frame = grow(frame, self.frame().len());
        let images = grow(images, of_images.len());
        let products = grow(products, of_products.len());
        let outputs = grow(outputs, samples.len() * area * self.filters);
        self.blocks(&samples, |block, lines| {
            let mut tiles = 0;
            for n in block.clone() {
                if block.len() > 1 || lines.start == 0 {
                    self.frame().fill(isa, x.sample(n), plain, frame);
                }
                tiles += of_images.image(isa, &self.in_frame(frame, &lines), tiles, images);
            }
            let pairs = of_images.positions(images).zip(of_products.positions_mut(products));
            for_each_job(pairs, |position, (image, sums)| {
                winograd.products(isa, position, tiles, image, sums);
            });
            let mut skipped = 0;
            for n in block {
                let data = &mut outputs[(n - samples.start) * area * self.filters..][..area * self.filters];
                let (grid, count) = (self.in_output(&lines), 0);
                let wanted = self.in_frame(&[], &lines).lines;
                let target = Target { data, grid, count };
                skipped += of_products.output(isa, wanted, skipped, products, bias, target);
            }
        });
        let each = area * self.filters;
        for (outputs, y) in outputs.chunks_exact(each.max(1)).zip(y.chunks_exact_mut(each.max(1))) {
            transpose(isa, [area, self.filters], (outputs, self.filters), (y, area));
        }
    }

    /// The gradient of the filters.
    fn correlate(&self, isa: Isa, x: &Tensor, dy: &Tensor, weight: Shape) -> Result<Tensor> {
        let [down, across] = self.tiles();
        // Few enough groups that folding their sums costs little.
        let each = self.together() * (2 * READ).div_ceil(self.together() * (down * across).max(1)).max(1);
        let gradient = sum_over_groups(
            self.samples,
            each.max(super::parallel::SAMPLES),
            weight.count(),
            |samples, gradient| {
                with_scratch(|scratch| self.correlate_samples(isa, [x, dy], samples, gradient, scratch));
            },
        );
        Tensor::from_vec(weight, gradient)
    }

    fn correlate_samples(
        &self,
        isa: Isa,
        [x, dy]: [&Tensor; 2],
        samples: Range<usize>,
        gradient: &mut [f32],
        scratch: &mut Scratch,
    ) {
        let Scratch { plain, frame, images, products, sums, outputs } = scratch;
        let area = self.output[0] * self.output[1];
        let [of_images, of_products] =
            [self.channels, self.filters].map(|values| Batch::new(self.size, values, self.most()));
        let frame = grow(frame, self.frame().len());
        let images = grow(images, of_images.len());
        let products = grow(products, of_products.len());
        let room = room_of_sums(self.filters, self.channels);
        let sums = grow(sums, self.size.positions() * room);
        sums.fill(0.0);
        let outputs = grow(outputs, area * self.filters);
        self.blocks(&samples, |block, lines| {
            let mut tiles = 0;
            for n in block.clone() {
                if block.len() > 1 || lines.start == 0 {
                    self.frame().fill(isa, x.sample(n), plain, frame);
                    transpose(isa, [self.filters, area], (dy.sample(n), area), (outputs, self.filters));
                }
                let at = self.in_frame(frame, &lines);
                of_images.image(isa, &at, tiles, images);
                let at = Tiles { image: outputs, from: self.in_output(&lines), lines: at.lines };
                tiles += of_products.gradient(isa, &at, tiles, products);
            }
            let pairs = of_images.positions(images).zip(of_products.positions(products));
            for_each_job(pairs.zip(sums.chunks_exact_mut(room)), |_, ((image, product), sums)| {
                of_products.outer(isa, product, (&of_images, image), tiles, sums);
            });
        });
        for_each_piece(gradient, FOLDED * 9 * self.channels, |piece, gradient| {
            fold_gradient(isa, self.size, sums, [self.filters, self.channels], piece * FOLDED, gradient);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Window;
    use crate::nn::conv2d::{conv2d, conv2d_input_grad, conv2d_weight_grad};
    use proptest::prelude::*;

    fn integers(shape: Shape, salt: usize) -> Tensor {
        Tensor::from_fn(shape, |i| ((i * 7919 + salt * 104_729) % 9) as f32 - 4.0)
    }

    /// How far apart, as a part of the largest sum that so many products may have.
    fn apart(got: &Tensor, wanted: &Tensor, terms: usize) -> f32 {
        assert_eq!(got.shape(), wanted.shape());
        let apart =
            got.data().iter().zip(wanted.data()).fold(0.0f32, |apart, (a, b)| apart.max((a - b).abs()));
        apart / (16 * terms) as f32
    }

    /// All three against the convolution by its definition's order: exact with halves, near with sixths.
    fn check(samples: usize, [channels, filters]: [usize; 2], input: [usize; 2], padding: usize) {
        let window = Window::square(3, padding, 1);
        let x = integers(Shape::new(&[samples, channels, input[0], input[1]]).unwrap(), 1);
        let weight = integers(Shape::new(&[filters, channels, 3, 3]).unwrap(), 2);
        let bias = integers(Shape::new(&[filters]).unwrap(), 3);
        let plan = Plan::new(x.shape(), weight.shape(), &window, 1).unwrap();
        for isa in Isa::available() {
            let y = conv2d(isa, &x, &weight, Some(&bias), &window, 1).unwrap();
            let dy = integers(y.shape(), 4);
            let dx = conv2d_input_grad(isa, &dy, &weight, x.shape(), &window, 1).unwrap();
            let dw = conv2d_weight_grad(isa, &x, &dy, weight.shape(), &window, 1).unwrap();
            for (size, bound) in [(Size::Two, 0.0), (Size::Four, 1e-5)] {
                let outputs = samples * y.shape()[2] * y.shape()[3];
                let got = [
                    (forward(isa, &plan, size, &x, &weight, Some(&bias)).unwrap(), &y, 9 * channels + 1),
                    (input_grad(isa, &plan, size, &dy, &weight).unwrap(), &dx, 9 * filters),
                    (weight_grad(isa, &plan, size, &x, &dy, weight.shape()).unwrap(), &dw, outputs),
                ];
                for (i, (got, wanted, terms)) in got.iter().enumerate() {
                    let apart = apart(got, wanted, *terms);
                    assert!(
                        apart <= bound,
                        "{i} {size:?} {isa:?} {samples} {channels} {filters} {input:?}: {apart}"
                    );
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn equals_the_products_one_by_one(
            samples in 1usize..12, channels in 1usize..40, filters in 1usize..40,
            height in 3usize..12, width in 3usize..12, padding in 0usize..3,
        ) {
            check(samples, [channels, filters], [height, width], padding);
        }
    }

    #[test]
    fn images_larger_than_a_block_are_cut_into_lines() {
        check(2, [3, 70], [90, 83], 1);
    }

    #[cfg(all(feature = "parallel", feature = "files"))]
    #[test]
    fn threads_change_no_bit() {
        let window = Window::square(3, 1, 1);
        let normal = |shape: &[usize], salt: u64| {
            Tensor::from_fn(Shape::new(shape).unwrap(), |i| crate::nn::Rng::new(salt).normal(i as u64))
        };
        let (x, weight) = (normal(&[19, 18, 9, 7], 1), normal(&[33, 18, 3, 3], 2));
        let dy = normal(&[19, 33, 9, 7], 3);
        let plan = Plan::new(x.shape(), weight.shape(), &window, 1).unwrap();
        let isa = Isa::best();
        for size in [Size::Two, Size::Four] {
            let all = |threads: usize| {
                crate::parallel::in_threads(threads, || {
                    Ok([
                        forward(isa, &plan, size, &x, &weight, None)?,
                        input_grad(isa, &plan, size, &dy, &weight)?,
                        weight_grad(isa, &plan, size, &x, &dy, weight.shape())?,
                    ])
                })
                .unwrap()
            };
            let wanted = all(1);
            for threads in [2, 3, 5] {
                assert_eq!(all(threads), wanted, "{size:?}, {threads} threads");
            }
        }
    }

    #[test]
    fn a_layer_that_learns_is_near_to_the_convolution() {
        use crate::nn::Param;
        use crate::nn::layer::{Conv2d, Mode, Spec};
        use crate::nn::{Grads, Padding, Rng};
        let spec = Conv2d { padding: Padding::All(1), ..Conv2d::new(64, 3) };
        let input = Shape::new(&[64, 12, 12]).unwrap();
        let layer = spec.build("it", &[input], Rng::new(4)).unwrap();
        let x = Tensor::from_fn(input.batched(5).unwrap(), |i| Rng::new(1).normal(i as u64));
        let weight: &Param = layer.params()[0];
        let plan = Plan::new(x.shape(), weight.value.shape(), &Window::square(3, 1, 1), 1).unwrap();
        assert_eq!(size(&plan), Some(Size::Four), "or nothing is tested here");
        let (isa, window) = (Isa::best(), Window::square(3, 1, 1));
        let bias = layer.params().get(1).map(|bias| &bias.value);
        let y = conv2d(isa, &x, &weight.value, bias, &window, 1).unwrap();
        let (got, saved) = layer.forward(&[&x], &Mode::training(Rng::new(0))).unwrap();
        let near = |got: &Tensor, wanted: &Tensor| {
            assert_eq!(got.shape(), wanted.shape());
            let largest = wanted.data().iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
            let pairs = got.data().iter().zip(wanted.data());
            let apart = pairs.fold(0.0f32, |apart, (a, b)| apart.max((a - b).abs()));
            // Apart at all, or it was not Winograd's.
            assert!(apart > 0.0 && apart < 2e-5 * largest, "{apart} of {largest}");
        };
        near(&got, &y);
        let dy = Tensor::from_fn(y.shape(), |i| Rng::new(2).normal(i as u64));
        let mut grads = Grads::default();
        let dx = layer.backward(&saved, &dy, &mut grads, true).unwrap();
        near(&dx[0], &conv2d_input_grad(isa, &dy, &weight.value, x.shape(), &window, 1).unwrap());
        let dw = conv2d_weight_grad(isa, &x, &dy, weight.value.shape(), &window, 1).unwrap();
        near(grads.get(&weight.name).unwrap(), &dw);
    }

    #[test]
    fn shapes_choose() {
        let of = |samples: usize, channels: usize, side: usize, window: &Window| {
            let shape = |lengths: &[usize]| Shape::new(lengths).unwrap();
            let weight = shape(&[channels, channels, window.kernel[0], window.kernel[1]]);
            size(&Plan::new(shape(&[samples, channels, side, side]), weight, window, 1).unwrap())
        };
        let square = Window::square(3, 1, 1);
        assert_eq!(of(16, 64, 32, &square), Some(Size::Four));
        assert_eq!(of(16, 8, 32, &square), None);
        assert_eq!(of(16, 64, 32, &Window::square(3, 1, 2)), None);
        assert_eq!(of(16, 64, 32, &Window::square(5, 2, 1)), None);
        // One tile of four by four would be a quarter full.
        assert_ne!(of(64, 64, 2, &square), Some(Size::Four));
    }
}
