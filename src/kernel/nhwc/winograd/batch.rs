//! Training by Winograd's algorithm: tiles of several images at once, and the gradient of filters.
//!
//! With `B`, `G` and `A` the transforms of images, filters and outputs, a tile is
//! `y = A' ((G g G') * (B' x B)) A`. So the gradient of a filter is `G' ((A dy A') * (B' x B)) G`, summed over
//! tiles, and for each position that sum is a product of matrices over tiles ([`Outer`]). The
//! gradient of an image is a convolution of `dy` with the filters turned round.

use super::form::{Form, Four, LANES, Lanes, Two};
use super::transform::{load, transform_gradient, transform_input, transform_output};
use super::{SKEW, Size, Tiles, Winograd};
use crate::kernel::Isa;
use crate::kernel::nhwc::Outer;
use crate::kernel::nhwc::layout::columns;
use crate::kernel::nhwc::product::{Grid, Panels, Part, Pixels, Target, product};
use crate::kernel::nhwc::tile::{Activation, WIDTH};

/// The tiles of some images or outputs, transformed: position after position, tile after tile, channel after channel.
#[derive(Clone, Copy, Debug)]
pub struct Batch {
    size: Size,
    channels: usize,
    tiles: usize,
}

/// Tiles across some lines of outputs, and in all of them.
fn tiles_of(size: Size, tiles: &Tiles<'_>) -> [usize; 2] {
    let across = tiles.from.columns.div_ceil(size.outputs());
    [across, tiles.lines.div_ceil(size.outputs()) * across]
}

impl Batch {
    /// Room for so many tiles of so many channels.
    pub fn new(size: Size, channels: usize, tiles: usize) -> Self {
        Self { size, channels, tiles }
    }

    /// Values of a position.
    fn deep(&self) -> usize {
        self.tiles * self.channels + SKEW + Outer::SLACK
    }

    /// Values of all positions.
    pub fn len(&self) -> usize {
        self.size.positions() * self.deep()
    }

    /// Whether there is no tile.
    pub fn is_empty(&self) -> bool {
        self.tiles == 0
    }

    /// The values of each position.
    pub fn positions<'a>(&self, data: &'a [f32]) -> impl Iterator<Item = &'a [f32]> {
        data.chunks_exact(self.deep())
    }

    /// The values of each position, to write.
    pub fn positions_mut<'a>(&self, data: &'a mut [f32]) -> impl Iterator<Item = &'a mut [f32]> {
        data.chunks_exact_mut(self.deep())
    }

    /// Transforms some lines of an image, behind the tiles that are skipped. Gives how many tiles they are.
    ///
    /// # Panics
    /// When a tile is not inside the image, or there is no room for it.
    pub fn image(&self, isa: Isa, tiles: &Tiles<'_>, skipped: usize, data: &mut [f32]) -> usize {
        let [across, count] = tiles_of(self.size, tiles);
        let sizes = [self.channels, across, count, self.deep()];
        isa.run(
            #[inline(always)]
            || match self.size {
                Size::Two => transform_input::<4, 2, Two>(tiles, sizes, skipped, data),
                Size::Four => transform_input::<6, 4, Four>(tiles, sizes, skipped, data),
            },
        );
        count
    }

    /// Transforms the gradient of some lines of outputs, behind the tiles that are skipped; `tiles` says where outputs
    /// lie. Gives how many tiles they are.
    ///
    /// # Panics
    /// When an output is not inside the image, or there is no room for a tile.
    pub fn gradient(&self, isa: Isa, tiles: &Tiles<'_>, skipped: usize, data: &mut [f32]) -> usize {
        let [across, count] = tiles_of(self.size, tiles);
        let sizes = [self.channels, across, count, self.deep()];
        isa.run(
            #[inline(always)]
            || match self.size {
                Size::Two => transform_gradient::<4, 2, Two>(tiles, sizes, skipped, data),
                Size::Four => transform_gradient::<6, 4, Four>(tiles, sizes, skipped, data),
            },
        );
        count
    }

    /// Makes some lines of outputs from their products, behind the tiles that are skipped, and adds `bias`, which
    /// [`Winograd::padded`] has padded. Gives how many tiles they are.
    ///
    /// # Panics
    /// When an output is not inside the target.
    pub fn output(
        &self,
        isa: Isa,
        lines: usize,
        skipped: usize,
        data: &[f32],
        bias: &[f32],
        target: Target<'_>,
    ) -> usize {
        let across = target.grid.columns.div_ceil(self.size.outputs());
        let count = lines.div_ceil(self.size.outputs()) * across;
        let sizes = [across, count, lines, self.channels, self.deep()];
        isa.run(
            #[inline(always)]
            || match self.size {
                Size::Two => {
                    transform_output::<4, 2, Two>(data, sizes, skipped, bias, None, Activation::None, target);
                }
                Size::Four => {
                    transform_output::<6, 4, Four>(
                        data,
                        sizes,
                        skipped,
                        bias,
                        None,
                        Activation::None,
                        target,
                    );
                }
            },
        );
        count
    }

    /// The sums over tiles of outer products at one position: `sums[r][c] += rows[tile][r] * columns[tile][c]`, as
    /// [`Outer`] lays them out. `self` is the batch of the rows.
    pub fn outer(
        &self,
        isa: Isa,
        rows: &[f32],
        (columns, values): (&Self, &[f32]),
        tiles: usize,
        sums: &mut [f32],
    ) {
        let outer = Outer {
            left: rows,
            left_step: self.channels,
            rows: self.channels,
            right: values,
            right_step: columns.channels,
            columns: columns.channels,
            lines: &[(0, 0)],
            count: tiles,
        };
        outer.add_to(isa, sums);
    }
}

/// Filters for training, `[filters, channels, 3, 3]`, as they lie in memory.
#[derive(Clone, Copy, Debug)]
pub struct Filters<'a> {
    /// The weights.
    pub weight: &'a [f32],
    /// How many filters.
    pub filters: usize,
    /// Channels of each.
    pub channels: usize,
    /// Turned round, with filters and channels in each other's place: what the gradient of the image meets.
    pub turned: bool,
}

/// A part of what [`Filters::transform`] does, on its own memory.
#[derive(Debug)]
pub struct Job<'a> {
    /// Its first filter.
    first: usize,
    /// Its panels at each position.
    positions: Vec<Part<'a>>,
}

/// Filters of a panel: two vectors side by side.
const PANEL: usize = 2 * LANES;

impl Filters<'_> {
    /// Transforms and packs the filters. `room` gives memory for so many values, whatever they are; `run` calls a
    /// function for each job, in any order or at once.
    pub fn transform(
        &self,
        isa: Isa,
        size: Size,
        mut room: impl FnMut(usize) -> Vec<f32>,
        run: impl FnOnce(Vec<Job<'_>>, &(dyn Fn(Job<'_>) + Sync)),
    ) -> Winograd {
        let [filters, channels] =
            if self.turned { [self.channels, self.filters] } else { [self.filters, self.channels] };
        // Positions lie apart, or their values would share the sets of the caches.
        let panels = |position: usize| Panels::in_room(isa, filters, channels, position * SKEW, &mut room);
        let mut positions: Vec<Panels> = (0..size.positions()).map(panels).collect();
        let mut jobs: Vec<Job<'_>> =
            (0..filters).step_by(PANEL).map(|first| Job { first, positions: Vec::new() }).collect();
        for panels in &mut positions {
            jobs.iter_mut().zip(panels.parts(PANEL)).for_each(|(job, part)| job.positions.push(part));
        }
        run(jobs, &|job| {
            isa.run(
                #[inline(always)]
                || match size {
                    Size::Two => self.job::<4, 2, Two>(isa, [filters, channels], job),
                    Size::Four => self.job::<6, 4, Four>(isa, [filters, channels], job),
                },
            );
        });
        Winograd { size, channels, filters, positions }
    }

    #[inline(always)]
    fn job<const N: usize, const M: usize, F: Form<N, M>>(
        &self,
        isa: Isa,
        [filters, channels]: [usize; 2],
        Job { first: panel, mut positions }: Job<'_>,
    ) {
        // Distance of filters, and of channels.
        let [across, down] = if self.turned { [9, 9 * self.channels] } else { [9 * self.channels, 9] };
        for channel in 0..channels {
            for first in (panel..filters.min(panel + PANEL)).step_by(LANES) {
                let count = LANES.min(filters - first);
                let from = &self.weight[first * across + channel * down..];
                let rows = columns(isa, [count, 9], (from, across));
                let mut along = [[[0.0; LANES]; N]; 3];
                for (i, along) in along.iter_mut().enumerate() {
                    let at = |j: usize| if self.turned { 8 - 3 * i - j } else { 3 * i + j };
                    *along = filter::<N, M, F>([&rows[at(0)], &rows[at(1)], &rows[at(2)]]);
                }
                for j in 0..N {
                    let column = filter::<N, M, F>([&along[0][j], &along[1][j], &along[2][j]]);
                    for (i, lanes) in column.iter().enumerate() {
                        positions[i * N + j].put(channel, first - panel, lanes);
                    }
                }
            }
        }
    }
}

/// The matrix `G`.
const fn narrowed<const N: usize>(matrix: [[f64; 3]; N]) -> [[f32; 3]; N] {
    let (mut narrow, mut i) = ([[0.0; 3]; N], 0);
    while i < N {
        narrow[i] = [matrix[i][0] as f32, matrix[i][1] as f32, matrix[i][2] as f32];
        i += 1;
    }
    narrow
}

/// `G g`.
#[inline(always)]
fn filter<const N: usize, const M: usize, F: Form<N, M>>([a, b, c]: [&Lanes; 3]) -> [Lanes; N] {
    let mut transformed = [[0.0; LANES]; N];
    for (lanes, [x, y, z]) in transformed.iter_mut().zip(const { narrowed(F::FILTER) }) {
        for l in 0..LANES {
            lanes[l] = x * a[l] + y * b[l] + z * c[l];
        }
    }
    transformed
}

/// `G' s`.
#[inline(always)]
fn fold<const N: usize, const M: usize, F: Form<N, M>>(sums: &[Lanes; N]) -> [Lanes; 3] {
    let mut folded = [[0.0; LANES]; 3];
    for (lanes, factors) in sums.iter().zip(const { narrowed(F::FILTER) }) {
        for (folded, factor) in folded.iter_mut().zip(factors) {
            for l in 0..LANES {
                folded[l] += factor * lanes[l];
            }
        }
    }
    folded
}

impl Winograd {
    /// Memory for other filters.
    pub fn into_room(self) -> impl Iterator<Item = Vec<f32>> {
        self.positions.into_iter().map(Panels::into_room)
    }

    /// The products of some tiles with the filters at a position.
    ///
    /// # Panics
    /// When there are fewer values than the tiles have.
    pub fn products(&self, isa: Isa, position: usize, tiles: usize, image: &[f32], sums: &mut [f32]) {
        let zeros = vec![0.0; self.filters + WIDTH];
        let grid = |width: usize| Grid::new(0, tiles, 0, width);
        let pixels = Pixels { data: image, grid: grid(self.channels), runs: &[0], run: self.channels };
        let target = Target { data: sums, grid: grid(self.filters), count: tiles };
        product(isa, &pixels, &self.positions[position], &zeros, None, Activation::None, target);
    }
}

/// Room for the sums of one position of so many filters and channels.
pub fn room_of_sums(filters: usize, channels: usize) -> usize {
    Outer::room(filters, channels) + SKEW
}

/// Adds the gradient of filters `[filters, channels, 3, 3]`, those from `from` on, to `gradient`: `sums` has the sums of every position,
/// filters in rows, channels in columns, as [`Outer`] lays them out, a [room](room_of_sums) apart.
///
/// # Panics
/// When there are too few sums.
pub fn fold_gradient(
    isa: Isa,
    size: Size,
    sums: &[f32],
    [filters, channels]: [usize; 2],
    from: usize,
    gradient: &mut [f32],
) {
    isa.run(
        #[inline(always)]
        || match size {
            Size::Two => fold_all::<4, 2, Two>(isa, sums, [filters, channels], from, gradient),
            Size::Four => fold_all::<6, 4, Four>(isa, sums, [filters, channels], from, gradient),
        },
    );
}

#[inline(always)]
fn fold_all<const N: usize, const M: usize, F: Form<N, M>>(
    isa: Isa,
    sums: &[f32],
    [filters, channels]: [usize; 2],
    from: usize,
    gradient: &mut [f32],
) {
    let (stride, room) = (Outer::stride(channels), room_of_sums(filters, channels));
    for (filter, gradient) in (from..filters).zip(gradient.chunks_exact_mut(9 * channels)) {
        for first in (0..channels).step_by(LANES) {
            let width = LANES.min(channels - first);
            let mut rows = [[[0.0; LANES]; N]; 3];
            for i in 0..N {
                let mut line = [[0.0; LANES]; N];
                for (j, lanes) in line.iter_mut().enumerate() {
                    *lanes = load(&sums[(i * N + j) * room + filter * stride + first..][..width]);
                }
                for (row, lanes) in rows.iter_mut().zip(fold::<N, M, F>(&line)) {
                    row[i] = lanes;
                }
            }
            // Tap after tap of one channel after another.
            let mut block = [[0.0; LANES]; 9];
            for (across, row) in rows.iter().enumerate() {
                for (down, lanes) in fold::<N, M, F>(row).iter().enumerate() {
                    block[3 * down + across] = *lanes;
                }
            }
            let turned = columns(isa, [9, LANES], (block.as_flattened(), LANES));
            for (taps, row) in
                gradient[9 * first..][..9 * width].as_chunks_mut::<9>().0.iter_mut().zip(&turned)
            {
                for (value, tap) in taps.iter_mut().zip(row) {
                    *value += tap;
                }
            }
        }
    }
}
