//! Three by three filters with stride 1 by Winograd's minimal filtering (Lavin and Gray, 2016).
//!
//! A tile of `M x M` outputs comes from `(M + 2) x (M + 2)` inputs. Both image and filters are transformed, so
//! that each of the `(M + 2)^2` positions is a product of its own over channels, and a transform of the products
//! gives the outputs: 36 products for 16 outputs in place of 144 with `M` = 4, 16 for 4 in place of 36 with
//! `M` = 2. Sums differ from those of the definition by a few roundings of larger intermediate values:
//! most of the time below 1e-6 of the largest output for `M` = 2, and 3e-5 at most for `M` = 4.

mod batch;
mod form;
mod transform;

pub use batch::{Batch, Filters, fold_gradient, room_of_sums};

use super::product::{Grid, Panels, Pixels, Residual, Target, product};
use super::tile::Activation;
use crate::kernel::Isa;
use form::{Form, Four, LANES, Two};
use transform::{transform_input, transform_output};

/// Values between positions, so that those of one tile lie in different sets of the caches.
const SKEW: usize = LANES;

/// Outputs of a tile along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// F(2x2, 3x3).
    Two,
    /// F(4x4, 3x3).
    Four,
}

impl Size {
    /// Outputs of a tile along an axis.
    pub fn outputs(self) -> usize {
        match self {
            Self::Two => 2,
            Self::Four => 4,
        }
    }

    /// Products that a tile takes for each pair of a channel and a filter.
    pub fn positions(self) -> usize {
        (self.outputs() + 2) * (self.outputs() + 2)
    }
}

/// Filters, transformed and packed for one instruction set.
#[derive(Debug)]
pub struct Winograd {
    size: Size,
    channels: usize,
    filters: usize,
    positions: Vec<Panels>,
}

/// Some lines of tiles of one image.
#[derive(Debug)]
pub struct Tiles<'a> {
    /// The padded image, zeros wherever a tile reaches past it.
    pub image: &'a [f32],
    /// Where the window of output (0, 0) of these lines begins; one step a pixel. `columns` are the output's.
    pub from: Grid,
    /// How many lines of outputs, not of tiles.
    pub lines: usize,
}

impl Winograd {
    /// Transforms filters, where `weight(filter, channel, tap)` gives the values.
    pub fn new(
        isa: Isa,
        size: Size,
        [filters, channels]: [usize; 2],
        weight: impl Fn(usize, usize, usize) -> f32,
    ) -> Self {
        let matrix: &[[f64; 3]] = match size {
            Size::Two => &Two::FILTER,
            Size::Four => &Four::FILTER,
        };
        let side = matrix.len();
        // All positions of every filter and channel, position last.
        let mut transformed = vec![0.0f32; filters * channels * side * side];
        for (index, values) in transformed.chunks_exact_mut(side * side).enumerate() {
            let taps: [f64; 9] =
                std::array::from_fn(|tap| f64::from(weight(index / channels, index % channels, tap)));
            for (position, value) in values.iter_mut().enumerate() {
                let (down, across) = (matrix[position / side], matrix[position % side]);
                let products = (0..9).map(|tap| taps[tap] * down[tap / 3] * across[tap % 3]);
                *value = products.sum::<f64>() as f32;
            }
        }
        let of = |position: usize| {
            let at = |filter: usize, channel: usize| {
                transformed[(filter * channels + channel) * side * side + position]
            };
            Panels::new(isa, filters, channels, at)
        };
        Self { size, channels, filters, positions: (0..side * side).map(of).collect() }
    }

    /// Values in memory.
    pub fn len(&self) -> usize {
        self.positions.iter().map(Panels::len).sum()
    }

    /// Whether there is no filter.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers of the filters as [`run`](Self::run) takes them.
    pub fn padded(&self, values: &[f32]) -> Vec<f32> {
        let mut padded = values.to_vec();
        padded.resize(self.filters + LANES, 0.0);
        padded
    }

    /// The outputs of some lines, as [`product`] would write them. `scratch` is kept from call to call.
    ///
    /// # Panics
    /// When a tile is not inside the image, or an output not inside the target.
    pub fn run(
        &self,
        isa: Isa,
        tiles: &Tiles<'_>,
        bias: &[f32],
        residual: Option<&Residual<'_>>,
        activation: Activation,
        target: Target<'_>,
        scratch: &mut Vec<f32>,
    ) {
        match self.size {
            Size::Two => self.forms::<4, 2, Two>(isa, tiles, bias, residual, activation, target, scratch),
            Size::Four => self.forms::<6, 4, Four>(isa, tiles, bias, residual, activation, target, scratch),
        }
    }

    fn forms<const N: usize, const M: usize, F: Form<N, M>>(
        &self,
        isa: Isa,
        tiles: &Tiles<'_>,
        bias: &[f32],
        residual: Option<&Residual<'_>>,
        activation: Activation,
        target: Target<'_>,
        scratch: &mut Vec<f32>,
    ) {
        let (channels, filters) = (self.channels, self.filters);
        let across = tiles.from.columns.div_ceil(M);
        let count = tiles.lines.div_ceil(M) * across;
        let [deep, wide] = [channels, filters].map(|values| count * values + SKEW);
        let len = N * N * (deep + wide);
        if scratch.len() < len {
            scratch.resize(len, 0.0);
        }
        let (images, products) = scratch[..len].split_at_mut(N * N * deep);
        isa.run(
            #[inline(always)]
            || transform_input::<N, M, F>(tiles, [channels, across, count, deep], 0, images),
        );
        let zeros = vec![0.0; filters + super::tile::WIDTH];
        let pairs = images.chunks_exact(deep).zip(products.chunks_exact_mut(wide));
        for (panels, (image, sums)) in self.positions.iter().zip(pairs) {
            let grid = |width: usize| Grid::new(0, count, 0, width);
            let pixels = Pixels { data: image, grid: grid(channels), runs: &[0], run: channels };
            let target = Target { data: sums, grid: grid(filters), count };
            product(isa, &pixels, panels, &zeros, None, Activation::None, target);
        }
        isa.run(
            #[inline(always)]
            || {
                transform_output::<N, M, F>(
                    products,
                    [across, count, tiles.lines, filters, wide],
                    0,
                    bias,
                    residual,
                    activation,
                    target,
                );
            },
        );
    }
}
