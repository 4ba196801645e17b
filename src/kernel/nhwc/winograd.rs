//! Three by three filters with stride 1 by Winograd's minimal filtering (Lavin and Gray, 2016).
//!
//! A tile of `M x M` outputs comes from `(M + 2) x (M + 2)` inputs. Both image and filters are transformed, so
//! that each of the `(M + 2)^2` positions is a product of its own over channels, and a transform of the products
//! gives the outputs: 36 products for 16 outputs in place of 144 with `M` = 4, 16 for 4 in place of 36 with
//! `M` = 2. Sums differ from those of the definition by a few roundings of larger intermediate values:
//! most of the time below 1e-6 of the largest output for `M` = 2, and 3e-5 at most for `M` = 4.

use super::product::{Grid, Panels, Pixels, Residual, Target, product};
use super::tile::Activation;
use crate::kernel::Isa;

/// Channels that are transformed at once.
const LANES: usize = 16;
/// Values between positions, so that those of one tile lie in different sets of the caches.
const SKEW: usize = LANES;
type Lanes = [f32; LANES];

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

/// The transforms along one axis, of `N` inputs to `M` outputs.
trait Form<const N: usize, const M: usize> {
    const FILTER: [[f64; 3]; N];
    fn input(d: [Lanes; N]) -> [Lanes; N];
    fn output(m: [Lanes; N]) -> [Lanes; M];
}

/// A sum of multiples of lanes.
#[inline(always)]
fn sum<const K: usize>(terms: [(f32, &Lanes); K]) -> Lanes {
    let mut sum = [0.0; LANES];
    for (i, (factor, lanes)) in terms.iter().enumerate() {
        for l in 0..LANES {
            let term = factor * lanes[l];
            sum[l] = if i == 0 { term } else { sum[l] + term };
        }
    }
    sum
}

struct Two;

impl Form<4, 2> for Two {
    const FILTER: [[f64; 3]; 4] = [[1.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.0, 0.0, 1.0]];

    #[inline(always)]
    fn input([a, b, c, d]: [Lanes; 4]) -> [Lanes; 4] {
        [
            sum([(1.0, &a), (-1.0, &c)]),
            sum([(1.0, &b), (1.0, &c)]),
            sum([(1.0, &c), (-1.0, &b)]),
            sum([(1.0, &b), (-1.0, &d)]),
        ]
    }

    #[inline(always)]
    fn output([a, b, c, d]: [Lanes; 4]) -> [Lanes; 2] {
        [sum([(1.0, &a), (1.0, &b), (1.0, &c)]), sum([(1.0, &b), (-1.0, &c), (-1.0, &d)])]
    }
}

struct Four;

impl Form<6, 4> for Four {
    const FILTER: [[f64; 3]; 6] = [
        [1.0 / 4.0, 0.0, 0.0],
        [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
        [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
        [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
        [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
        [0.0, 0.0, 1.0],
    ];

    #[inline(always)]
    fn input([a, b, c, d, e, f]: [Lanes; 6]) -> [Lanes; 6] {
        let (even, odd) = (sum([(1.0, &e), (-4.0, &c)]), sum([(1.0, &d), (-4.0, &b)]));
        let (near, far) = (sum([(1.0, &e), (-1.0, &c)]), sum([(2.0, &d), (-2.0, &b)]));
        [
            sum([(4.0, &a), (-5.0, &c), (1.0, &e)]),
            sum([(1.0, &even), (1.0, &odd)]),
            sum([(1.0, &even), (-1.0, &odd)]),
            sum([(1.0, &near), (1.0, &far)]),
            sum([(1.0, &near), (-1.0, &far)]),
            sum([(4.0, &b), (-5.0, &d), (1.0, &f)]),
        ]
    }

    #[inline(always)]
    fn output([a, b, c, d, e, f]: [Lanes; 6]) -> [Lanes; 4] {
        let (near, far) = (sum([(1.0, &b), (1.0, &c)]), sum([(1.0, &d), (1.0, &e)]));
        let (left, right) = (sum([(1.0, &b), (-1.0, &c)]), sum([(1.0, &d), (-1.0, &e)]));
        [
            sum([(1.0, &a), (1.0, &near), (1.0, &far)]),
            sum([(1.0, &left), (2.0, &right)]),
            sum([(1.0, &near), (4.0, &far)]),
            sum([(1.0, &left), (8.0, &right), (1.0, &f)]),
        ]
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
            || transform_input::<N, M, F>(tiles, [channels, across, count, deep], images),
        );
        let zeros = vec![0.0; filters + super::tile::WIDTH];
        let pairs = images.chunks_exact(deep).zip(products.chunks_exact_mut(wide));
        for (panels, (image, sums)) in self.positions.iter().zip(pairs) {
            let grid = |width: usize| Grid { base: 0, columns: count, down: 0, across: width };
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
                    bias,
                    residual,
                    activation,
                    target,
                );
            },
        );
    }
}

/// Up to [`LANES`] values, then zeros.
#[inline(always)]
fn load(values: &[f32]) -> Lanes {
    if let Some(lanes) = values.first_chunk() {
        return *lanes;
    }
    let mut lanes = [0.0; LANES];
    lanes[..values.len()].copy_from_slice(values);
    lanes
}

#[inline(always)]
fn store(lanes: &Lanes, target: &mut [f32]) {
    if let Some(target) = target.first_chunk_mut() {
        *target = *lanes;
    } else {
        let len = target.len();
        target.copy_from_slice(&lanes[..len]);
    }
}

/// Writes position after position, tile after tile, channel after channel.
#[inline(always)]
fn transform_input<const N: usize, const M: usize, F: Form<N, M>>(
    tiles: &Tiles<'_>,
    [channels, across, count, deep]: [usize; 4],
    images: &mut [f32],
) {
    for tile in 0..count {
        let corner =
            tiles.from.base + tile / across * M * tiles.from.down + tile % across * M * tiles.from.across;
        for first in (0..channels).step_by(LANES) {
            let width = LANES.min(channels - first);
            let mut rows = [[[0.0; LANES]; N]; N];
            for (i, row) in rows.iter_mut().enumerate() {
                let line = corner + i * tiles.from.down + first;
                let pixels =
                    std::array::from_fn(|j| load(&tiles.image[line + j * tiles.from.across..][..width]));
                *row = F::input(pixels);
            }
            for j in 0..N {
                let column = F::input(std::array::from_fn(|i| rows[i][j]));
                for (i, lanes) in column.iter().enumerate() {
                    let at = (i * N + j) * deep + tile * channels + first;
                    store(lanes, &mut images[at..][..width]);
                }
            }
        }
    }
}

#[inline(always)]
fn transform_output<const N: usize, const M: usize, F: Form<N, M>>(
    products: &[f32],
    [across, count, lines, filters, wide]: [usize; 5],
    bias: &[f32],
    residual: Option<&Residual<'_>>,
    activation: Activation,
    target: Target<'_>,
) {
    let Target { data: output, grid, .. } = target;
    for tile in 0..count {
        let (top, left) = (tile / across * M, tile % across * M);
        for first in (0..filters).step_by(LANES) {
            let width = LANES.min(filters - first);
            let mut rows = [[[0.0; LANES]; M]; N];
            for (i, row) in rows.iter_mut().enumerate() {
                let values = std::array::from_fn(|j| {
                    load(&products[(i * N + j) * wide + tile * filters + first..][..width])
                });
                *row = F::output(values);
            }
            let bias = load(&bias[first..][..LANES]);
            for j in 0..M.min(grid.columns - left) {
                let column = F::output(std::array::from_fn(|i| rows[i][j]));
                for (i, lanes) in column.iter().enumerate().take(lines - top) {
                    let mut lanes = *lanes;
                    for l in 0..LANES {
                        lanes[l] += bias[l];
                    }
                    if let Some(residual) = residual {
                        let at = residual.grid.base
                            + (top + i) * residual.grid.down
                            + (left + j) * residual.grid.across;
                        let beside = load(&residual.data[at + first..][..width]);
                        for l in 0..LANES {
                            lanes[l] += beside[l];
                        }
                    }
                    for value in &mut lanes {
                        *value = activation.of(*value);
                    }
                    let at = grid.base + (top + i) * grid.down + (left + j) * grid.across;
                    store(&lanes, &mut output[at + first..][..width]);
                }
            }
        }
    }
}
