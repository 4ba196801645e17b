//! The matrix product under every layer with weights: `C += A B` over packed panels.
//!
//! The scheme is that of Goto and van de Geijn (2008): panels of `B` stay in the first cache while
//! panels of `A` stream past them, and a register tile of `C` takes the sums. An operand is whatever
//! can fill a panel ([`Pack`]), or already lies in memory as panels do: weights that are packed once
//! ([`Packed`]), and matrices whose rows are windows of one array ([`Windows`]), which is what the
//! patches of an image are. So no matrix of patches ever exists.
//!
//! Every element of `C` is summed over depth in ascending order, in blocks of [`DEPTH`], whatever the
//! tile and the caches: the bits depend on the operands alone. AVX2 and AVX-512 fuse multiply and
//! add, the portable tile does not; where all sums are exact, as on small integers, they agree.

use std::ops::Range;

mod tile;

use super::Isa;
#[cfg(target_arch = "x86_64")]
use tile::{Avx2, Avx512};
use tile::{Portable, Tile};

/// Depth of a block: sums run over this many products before they are added to `C`.
pub const DEPTH: usize = 256;
/// Rows of `A` packed at once, a multiple of every tile's height.
const ROWS: usize = 96;
/// Columns of `B` packed at once, a multiple of every tile's width.
const COLUMNS: usize = 512;

/// An operand of [`gemm`]: lanes are the rows of `A`, or the columns of `B`.
pub trait Pack {
    /// Fills `panel[d][lane]` for the lanes `first..first + count` and the given depths, and zeros
    /// in the lanes past `count`. `panel` has one entry for each depth.
    fn pack<const W: usize>(&self, first: usize, count: usize, depth: Range<usize>, panel: &mut [[f32; W]]);

    /// The panel of `W` lanes from `first` on, for an `A` that is packed already.
    #[inline(always)]
    fn packed<const W: usize>(&self, _first: usize, _depth: Range<usize>) -> Option<&[[f32; W]]> {
        None
    }

    /// The rows, for a `B` that needs no packing.
    #[inline(always)]
    fn windows(&self) -> Option<Windows<'_>> {
        None
    }
}

/// A matrix whose rows are windows of one array: lane `l` of depth `d` at `data[offsets[d] + l]`.
#[derive(Clone, Copy, Debug)]
pub struct Windows<'a> {
    /// The array. It reaches [`Windows::SLACK`] elements past the last lane of every depth.
    pub data: &'a [f32],
    /// Where the row of each depth begins.
    pub offsets: &'a [usize],
}

impl Windows<'_> {
    /// Elements that may be read, and are not used, past the last lane.
    pub const SLACK: usize = 31;

    /// The lanes from `first` on of the given depths; zeros where the array ends too early.
    #[inline(always)]
    fn rows<const W: usize>(&self, first: usize, depth: Range<usize>) -> impl Iterator<Item = &[f32; W]> {
        self.offsets[depth].iter().map(move |offset| {
            let lanes = self.data.get(offset + first..).and_then(|lanes| lanes.first_chunk());
            lanes.unwrap_or(const { &[0.0; W] })
        })
    }
}

impl Pack for Windows<'_> {
    #[inline(always)]
    fn pack<const W: usize>(&self, first: usize, count: usize, depth: Range<usize>, panel: &mut [[f32; W]]) {
        for (lanes, row) in panel.iter_mut().zip(self.rows::<W>(first, depth)) {
            *lanes = *row;
            lanes[count..].fill(0.0);
        }
    }

    #[inline(always)]
    fn windows(&self) -> Option<Windows<'_>> {
        Some(*self)
    }
}

/// An `A` packed once for many products on one instruction set.
#[derive(Debug, Default)]
pub struct Packed {
    width: usize,
    depth: usize,
    panels: Vec<f32>,
}

impl Packed {
    /// Packs `lanes` lanes of `depth` each.
    pub fn new(isa: Isa, operand: &impl Pack, lanes: usize, depth: usize) -> Self {
        let mut packed = Self { width: tile_height(isa), depth, panels: Vec::new() };
        packed.panels.resize(lanes.next_multiple_of(packed.width) * depth, 0.0);
        match packed.width {
            8 => pack_block::<8>(operand, 0..lanes, &(0..depth), packed.panels.as_chunks_mut().0),
            6 => pack_block::<6>(operand, 0..lanes, &(0..depth), packed.panels.as_chunks_mut().0),
            _ => pack_block::<4>(operand, 0..lanes, &(0..depth), packed.panels.as_chunks_mut().0),
        }
        packed
    }
}

impl Pack for Packed {
    /// Never called by [`gemm`] on the instruction set it was packed for.
    fn pack<const W: usize>(&self, first: usize, count: usize, depth: Range<usize>, panel: &mut [[f32; W]]) {
        for (d, lanes) in depth.zip(panel) {
            for (lane, value) in lanes.iter_mut().enumerate() {
                let (block, inside) = ((first + lane) / self.width, (first + lane) % self.width);
                *value = if lane < count {
                    self.panels[(block * self.depth + d) * self.width + inside]
                } else {
                    0.0
                };
            }
        }
    }

    #[inline(always)]
    fn packed<const W: usize>(&self, first: usize, depth: Range<usize>) -> Option<&[[f32; W]]> {
        if self.width != W {
            return None;
        }
        Some(&self.panels.as_chunks().0[first / W * self.depth..][depth])
    }
}

/// Rows of the register tile.
fn tile_height(isa: Isa) -> usize {
    #[cfg(target_arch = "x86_64")]
    {
        if isa.has_avx512() {
            return 8;
        }
        if isa.has_avx2() {
            return 6;
        }
    }
    let _ = isa;
    4
}

/// A matrix in memory as an operand: element `(lane, depth)` at `lane * lane_stride + depth * depth_stride`.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    /// The elements.
    pub data: &'a [f32],
    /// Distance between neighbouring lanes.
    pub lane_stride: usize,
    /// Distance between neighbouring depths.
    pub depth_stride: usize,
}

impl Pack for Matrix<'_> {
    #[inline(always)]
    fn pack<const W: usize>(&self, first: usize, count: usize, depth: Range<usize>, panel: &mut [[f32; W]]) {
        let start = first * self.lane_stride + depth.start * self.depth_stride;
        if self.lane_stride == 1 && count == W {
            for (d, lanes) in panel.iter_mut().enumerate() {
                lanes.copy_from_slice(&self.data[start + d * self.depth_stride..][..W]);
            }
            return;
        }
        if count < W {
            panel.fill([0.0; W]);
        }
        for lane in 0..count {
            let mut at = start + lane * self.lane_stride;
            for lanes in panel.iter_mut() {
                lanes[lane] = self.data[at];
                at += self.depth_stride;
            }
        }
    }
}

/// Room for packed panels, to be kept from call to call.
#[derive(Debug, Default)]
pub struct Scratch {
    left: Vec<f32>,
    right: Vec<f32>,
}

/// `C += A B`, where `C` has `m` rows of `n` elements that lie `row_stride` apart.
///
/// `a` has `m` lanes, `b` has `n`, both have `k` depths.
///
/// # Panics
/// When `c` is too small.
pub fn gemm<A: Pack, B: Pack>(
    isa: Isa,
    [m, n, k]: [usize; 3],
    a: &A,
    b: &B,
    c: &mut [f32],
    row_stride: usize,
    scratch: &mut Scratch,
) {
    if m == 0 || n == 0 || k == 0 {
        return;
    }
    assert!(n <= row_stride && (m - 1) * row_stride + n <= c.len(), "the product does not fit into `c`");
    let problem = Problem { m, n, k, a, b, row_stride };
    #[cfg(target_arch = "x86_64")]
    {
        if isa.has_avx512() {
            let tile = Avx512;
            return isa.run(
                #[inline(always)]
                || problem.run(&tile, c, scratch),
            );
        }
        if isa.has_avx2() {
            let tile = Avx2;
            return isa.run(
                #[inline(always)]
                || problem.run(&tile, c, scratch),
            );
        }
    }
    problem.run(&Portable, c, scratch);
}

struct Problem<'a, A, B> {
    m: usize,
    n: usize,
    k: usize,
    a: &'a A,
    b: &'a B,
    row_stride: usize,
}

impl<A: Pack, B: Pack> Problem<'_, A, B> {
    #[inline(always)]
    fn run<const MR: usize, const NR: usize>(
        &self,
        kernel: &impl Tile<MR, NR>,
        c: &mut [f32],
        scratch: &mut Scratch,
    ) {
        let deepest = self.k.min(DEPTH);
        if self.a.packed::<MR>(0, 0..0).is_none() {
            grow(&mut scratch.left, deepest * self.m.min(ROWS).next_multiple_of(MR));
        }
        if self.b.windows().is_none() {
            grow(&mut scratch.right, deepest * self.n.min(COLUMNS).next_multiple_of(NR));
        }
        let (left, _) = scratch.left.as_chunks_mut::<MR>();
        let (right, _) = scratch.right.as_chunks_mut::<NR>();
        for k0 in (0..self.k).step_by(DEPTH) {
            let depth = k0..self.k.min(k0 + DEPTH);
            for j0 in (0..self.n).step_by(COLUMNS) {
                let columns = j0..self.n.min(j0 + COLUMNS);
                if self.b.windows().is_none() {
                    pack_block(self.b, columns.clone(), &depth, right);
                }
                for i0 in (0..self.m).step_by(ROWS) {
                    let rows = i0..self.m.min(i0 + ROWS);
                    if self.a.packed::<MR>(i0, depth.clone()).is_none() {
                        pack_block(self.a, rows.clone(), &depth, left);
                    }
                    self.block(kernel, rows, columns.clone(), depth.clone(), left, right, c);
                }
            }
        }
    }

    /// Adds the product of two packed blocks to `c`.
    #[inline(always)]
    fn block<const MR: usize, const NR: usize>(
        &self,
        kernel: &impl Tile<MR, NR>,
        rows: Range<usize>,
        columns: Range<usize>,
        depth: Range<usize>,
        left: &[[f32; MR]],
        right: &[[f32; NR]],
        c: &mut [f32],
    ) {
        let mut tile = [[0.0f32; NR]; MR];
        let windows = self.b.windows();
        for (j_tile, j) in columns.clone().step_by(NR).enumerate() {
            let width = NR.min(columns.end - j);
            for (i_tile, i) in rows.clone().step_by(MR).enumerate() {
                let packed = self.a.packed::<MR>(i, depth.clone());
                let a = packed.unwrap_or_else(|| &left[i_tile * depth.len()..][..depth.len()]);
                if let Some(windows) = &windows {
                    kernel.multiply(a, windows.rows(j, depth.clone()), &mut tile);
                } else {
                    let b = &right[j_tile * depth.len()..][..depth.len()];
                    kernel.multiply(a, b.iter(), &mut tile);
                }
                for (r, sums) in tile.iter().enumerate().take(rows.end - i) {
                    let target = &mut c[(i + r) * self.row_stride + j..][..width];
                    if let Ok(target) = <&mut [f32; NR]>::try_from(&mut *target) {
                        for l in 0..NR {
                            target[l] += sums[l];
                        }
                    } else {
                        for (t, s) in target.iter_mut().zip(sums) {
                            *t += s;
                        }
                    }
                }
            }
        }
    }
}

/// Packs the lanes of a block, panel after panel.
#[inline(always)]
fn pack_block<const W: usize>(
    operand: &impl Pack,
    lanes: Range<usize>,
    depth: &Range<usize>,
    panels: &mut [[f32; W]],
) {
    if depth.is_empty() {
        return;
    }
    for (first, panel) in lanes.clone().step_by(W).zip(panels.chunks_exact_mut(depth.len())) {
        operand.pack(first, W.min(lanes.end - first), depth.clone(), panel);
    }
}

fn grow(buffer: &mut Vec<f32>, len: usize) {
    if buffer.len() < len {
        buffer.resize(len, 0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn integers(len: usize, salt: usize) -> Vec<f32> {
        (0..len).map(|i| ((i * 7919 + salt * 104_729) % 15) as f32 - 7.0).collect()
    }

    /// The product by its definition.
    fn naive([m, n, k]: [usize; 3], a: &[f32], b: &[f32], c: &[f32]) -> Vec<f32> {
        let mut c = c.to_vec();
        for i in 0..m {
            for j in 0..n {
                let sum: f64 = (0..k).map(|d| f64::from(a[i * k + d]) * f64::from(b[d * n + j])).sum();
                c[i * n + j] += sum as f32;
            }
        }
        c
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn equals_the_definition_exactly_on_integers(m in 0usize..30, n in 0usize..90, k in 0usize..40) {
            check([m, n, k])?;
        }
    }

    #[test]
    fn equals_the_definition_past_every_block_size() {
        for size in [[97, 33, 5], [9, 515, 3], [3, 35, 513], [101, 517, 257]] {
            check(size).unwrap();
        }
    }

    fn check([m, n, k]: [usize; 3]) -> std::result::Result<(), TestCaseError> {
        let (a, b, c) = (integers(m * k, 1), integers(k * n, 2), integers(m * n, 3));
        let wanted = naive([m, n, k], &a, &b, &c);
        let mut transposed = vec![0.0; m * k];
        for i in 0..m {
            for d in 0..k {
                transposed[d * m + i] = a[i * k + d];
            }
        }
        for isa in Isa::available() {
            let right = Matrix { data: &b, lane_stride: 1, depth_stride: n };
            let lefts = [
                Matrix { data: &a, lane_stride: k, depth_stride: 1 },
                Matrix { data: &transposed, lane_stride: 1, depth_stride: m },
            ];
            let mut padded = b.clone();
            padded.resize(b.len() + Windows::SLACK, f32::NAN);
            let offsets: Vec<usize> = (0..k).map(|d| d * n).collect();
            let windows = Windows { data: &padded, offsets: &offsets };
            for left in lefts {
                let packed = Packed::new(isa, &left, m, k);
                let product = |left: &dyn Fn(&mut [f32])| {
                    let mut got = c.clone();
                    left(&mut got);
                    got
                };
                let scratch = || Scratch::default();
                let results = [
                    product(&|c| gemm(isa, [m, n, k], &left, &right, c, n, &mut scratch())),
                    product(&|c| gemm(isa, [m, n, k], &packed, &right, c, n, &mut scratch())),
                    product(&|c| gemm(isa, [m, n, k], &left, &windows, c, n, &mut scratch())),
                    product(&|c| gemm(isa, [m, n, k], &packed, &windows, c, n, &mut scratch())),
                    product(&|c| gemm(Isa::PORTABLE, [m, n, k], &packed, &windows, c, n, &mut scratch())),
                ];
                for got in &results {
                    prop_assert_eq!(got, &wanted, "{:?} {} {} {}", isa, m, n, k);
                }
            }
        }
        Ok(())
    }
}
