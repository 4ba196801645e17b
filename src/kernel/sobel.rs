//! Derivatives of one output row: columns are smoothed and differentiated, then rows crosswise.
//!
//! Sobel and Feldman (1968); the larger windows are products of binomials, as in OpenCV.

use std::ops::{Add, Mul, Range};

use super::Isa;
use super::lanes::{Kernel, Lanes, blocks, inlined, tiles};

/// A separable pair of derivative filters: `smooth` across, `derive` along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DerivativeTaps {
    /// Symmetric.
    pub smooth: &'static [i8],
    /// Antisymmetric; positive where values rise along the axis.
    pub derive: &'static [i8],
}

impl DerivativeTaps {
    /// Sobel's operator of 3, 5 or 7 taps.
    pub const fn sobel(size: usize) -> Option<Self> {
        match size {
            3 => Some(Self { smooth: &[1, 2, 1], derive: &[-1, 0, 1] }),
            5 => Some(Self { smooth: &[1, 4, 6, 4, 1], derive: &[-1, -2, 0, 2, 1] }),
            7 => Some(Self { smooth: &[1, 6, 15, 20, 15, 6, 1], derive: &[-1, -4, -5, 0, 5, 4, 1] }),
            _ => None,
        }
    }

    /// Scharr's operator of 3 taps (Scharr 2000).
    pub const SCHARR: Self = Self { smooth: &[3, 10, 3], derive: &[-1, 0, 1] };

    /// Prewitt's operator of 3 taps (Prewitt 1970).
    pub const PREWITT: Self = Self { smooth: &[1, 1, 1], derive: &[-1, 0, 1] };

    /// Taps of the window along either axis.
    pub const fn size(&self) -> usize {
        self.smooth.len()
    }
}

/// The number that derivatives are computed in: `i16` where every value fits, else `i32` or `f32`.
pub trait Accumulator:
    Copy + Default + From<i8> + Add<Output = Self> + Mul<Output = Self> + PartialEq + Send + 'static
{
}
impl Accumulator for i16 {}
impl Accumulator for i32 {}
impl Accumulator for f32 {}

/// The smoothed and the differentiated columns of one window of rows.
#[derive(Default)]
pub struct Columns<A> {
    smooth: Vec<A>,
    derive: Vec<A>,
}

impl<A: Accumulator> Columns<A> {
    /// Room for padded rows of so many pixels.
    pub fn new(length: usize) -> Self {
        Self { smooth: vec![A::default(); length], derive: vec![A::default(); length] }
    }
}

/// Writes `value(dx, dy)` for every pixel of an output row.
///
/// `rows` are the padded input rows, one a tap; `out` is `taps - 1` shorter. Sums run from the
/// first tap to the last, columns before rows, taps of zero left out: the order matters to floats.
pub fn derivatives_row<T, A, O>(
    isa: Isa,
    rows: &[&[T]],
    taps: DerivativeTaps,
    columns: &mut Columns<A>,
    out: &mut [O],
    value: impl Fn(A, A) -> O + Copy,
) where
    T: Copy,
    A: Accumulator + From<T>,
    O: Copy,
{
    if out.is_empty() {
        return;
    }
    // Constants let the loops below be unrolled and zeros vanish.
    match (taps.size(), taps.smooth) {
        (3, [1, 2, 1]) => isa.run(
            #[inline(always)]
            || fixed(rows, [1, 2, 1], [-1, 0, 1], columns, out, value),
        ),
        (3, [1, 1, 1]) => isa.run(
            #[inline(always)]
            || fixed(rows, [1, 1, 1], [-1, 0, 1], columns, out, value),
        ),
        (3, _) => isa.run(
            #[inline(always)]
            || fixed(rows, [3, 10, 3], [-1, 0, 1], columns, out, value),
        ),
        (5, _) => isa.run(
            #[inline(always)]
            || fixed(rows, [1, 4, 6, 4, 1], [-1, -2, 0, 2, 1], columns, out, value),
        ),
        _ => isa.run(
            #[inline(always)]
            || fixed(rows, [1, 6, 15, 20, 15, 6, 1], [-1, -4, -5, 0, 5, 4, 1], columns, out, value),
        ),
    }
}

#[inline(always)]
fn fixed<T, A, O, const N: usize>(
    rows: &[&[T]],
    smooth: [i8; N],
    derive: [i8; N],
    columns: &mut Columns<A>,
    out: &mut [O],
    value: impl Fn(A, A) -> O + Copy,
) where
    T: Copy,
    A: Accumulator + From<T>,
    O: Copy,
{
    let length = out.len() + N - 1;
    let rows: [&[T]; N] = std::array::from_fn(|k| &rows[k][..length]);
    let (column_s, column_d) = (&mut columns.smooth[..length], &mut columns.derive[..length]);
    for x in 0..length {
        let window: [A; N] = std::array::from_fn(|k| A::from(rows[k][x]));
        column_s[x] = dot(window, smooth);
        column_d[x] = dot(window, derive);
    }
    // Slices of one length each: no bounds are checked inside, and the loop vectorises.
    let width = out.len();
    let column_s: [&[A]; N] = std::array::from_fn(|k| &column_s[k..k + width]);
    let column_d: [&[A]; N] = std::array::from_fn(|k| &column_d[k..k + width]);
    for x in 0..width {
        let across = std::array::from_fn(|k| column_s[k][x]);
        let along = std::array::from_fn(|k| column_d[k][x]);
        out[x] = value(dot(across, derive), dot(along, smooth));
    }
}

#[inline(always)]
fn dot<A: Accumulator, const N: usize>(values: [A; N], taps: [i8; N]) -> A {
    let mut sum = A::from(taps[0]) * values[0];
    for k in 1..N {
        if taps[k] != 0 {
            sum = sum + A::from(taps[k]) * values[k];
        }
    }
    sum
}

/// The length of a gradient of integers: `sqrt(dx * dx + dy * dy)`, the sum exact, then rounded to
/// `f32`, then its root rounded.
#[inline(always)]
pub fn magnitude_i32(dx: i32, dy: i32) -> f32 {
    ((dx * dx + dy * dy) as f32).sqrt()
}

/// The length of a gradient of floats, every step rounded.
#[inline(always)]
pub fn magnitude_f32(dx: f32, dy: f32) -> f32 {
    (dx * dx + dy * dy).sqrt()
}

/// Which sums of squares a mask takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Above {
    /// The least of them; see [`least_square_above`].
    pub least: i32,
    /// Whether the mask takes all others instead.
    pub inverted: bool,
}

/// What to make of the derivatives of an 8-bit image, and where to put it.
pub enum Derived<'a> {
    /// `dx`.
    Dx(&'a mut [f32]),
    /// `dy`.
    Dy(&'a mut [f32]),
    /// `|dx| + |dy|`.
    L1(&'a mut [f32]),
    /// [`magnitude_i32`].
    Magnitude(&'a mut [f32]),
    /// Both.
    Gradient(&'a mut [i16], &'a mut [i16]),
    /// Both, and `|dx| + |dy|`.
    Lengths(&'a mut [i16], &'a mut [i16], &'a mut [i16]),
    /// Whether `dx * dx + dy * dy` is in a range.
    Mask(Above, &'a mut [u8]),
}

impl Derived<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Dx(out) | Self::Dy(out) | Self::L1(out) | Self::Magnitude(out) => out.len(),
            Self::Gradient(out, _) | Self::Lengths(out, _, _) => out.len(),
            Self::Mask(_, out) => out.len(),
        }
    }
}

/// [`derivatives_row`] of an 8-bit image with five taps at most.
pub fn derived_u8_row(
    isa: Isa,
    rows: &[&[u8]],
    taps: DerivativeTaps,
    columns: &mut Columns<i16>,
    out: Derived<'_>,
) {
    if out.len() > 0 {
        isa.dispatch(DerivedU8 { rows, taps, columns, out });
    }
}

struct DerivedU8<'a> {
    rows: &'a [&'a [u8]],
    taps: DerivativeTaps,
    columns: &'a mut Columns<i16>,
    out: Derived<'a>,
}

impl Kernel for DerivedU8<'_> {
    fn portable(self) {
        let Self { rows, taps, columns, out } = self;
        let isa = Isa::PORTABLE;
        match out {
            Derived::Dx(out) => derivatives_row(isa, rows, taps, columns, out, |dx, _| f32::from(dx)),
            Derived::Dy(out) => derivatives_row(isa, rows, taps, columns, out, |_, dy| f32::from(dy)),
            Derived::L1(out) => {
                derivatives_row(isa, rows, taps, columns, out, |dx, dy| f32::from(dx.abs() + dy.abs()));
            }
            Derived::Magnitude(out) => derivatives_row(isa, rows, taps, columns, out, |dx, dy| {
                magnitude_i32(i32::from(dx), i32::from(dy))
            }),
            Derived::Gradient(out_x, out_y) => {
                derivatives_row(isa, rows, taps, columns, out_x, |dx, _| dx);
                derivatives_row(isa, rows, taps, columns, out_y, |_, dy| dy);
            }
            Derived::Lengths(out_x, out_y, lengths) => {
                derivatives_row(isa, rows, taps, columns, out_x, |dx, _| dx);
                derivatives_row(isa, rows, taps, columns, out_y, |_, dy| dy);
                derivatives_row(isa, rows, taps, columns, lengths, |dx, dy| dx.abs() + dy.abs());
            }
            Derived::Mask(Above { least, inverted }, out) => {
                let flip = if inverted { 255 } else { 0 };
                derivatives_row(isa, rows, taps, columns, out, |dx, dy| {
                    let (dx, dy) = (i32::from(dx), i32::from(dy));
                    (if dx * dx + dy * dy >= least { 255 } else { 0 }) ^ flip
                });
            }
        }
    }

    #[inline(always)]
    fn vectors<L: Lanes>(mut self, l: L) {
        if self.out.len() < L::N {
            return self.portable();
        }
        for block in blocks(self.out.len()) {
            match self.taps.smooth {
                [1, 2, 1] => self.fixed(l, block, [1, 2, 1], [-1, 0, 1]),
                [1, 1, 1] => self.fixed(l, block, [1, 1, 1], [-1, 0, 1]),
                [3, 10, 3] => self.fixed(l, block, [3, 10, 3], [-1, 0, 1]),
                _ => self.fixed(l, block, [1, 4, 6, 4, 1], [-1, -2, 0, 2, 1]),
            }
        }
    }
}

impl DerivedU8<'_> {
    #[inline(always)]
    fn fixed<L: Lanes, const N: usize>(
        &mut self,
        l: L,
        block: Range<usize>,
        smooth: [i16; N],
        derive: [i16; N],
    ) {
        let Self { rows, columns, out, .. } = self;
        let (from, n) = (block.start, block.len());
        let length = n + N - 1;
        let mut taps = [rows[0]; N];
        for k in 0..N {
            taps[k] = &rows[k][from..][..length];
        }
        let (column_s, column_d) = (&mut columns.smooth[..length], &mut columns.derive[..length]);
        tiles(
            length,
            L::N,
            #[inline(always)]
            |x| {
                let mut window = [l.splat(0); N];
                for k in 0..N {
                    window[k] = l.load_widened(&taps[k][x..]);
                }
                l.store(dot_vectors(l, window, smooth), &mut column_s[x..]);
                l.store(dot_vectors(l, window, derive), &mut column_d[x..]);
            },
        );
        let (mut across, mut along) = ([&column_s[..0]; N], [&column_d[..0]; N]);
        for k in 0..N {
            across[k] = &column_s[k..k + n];
            along[k] = &column_d[k..k + n];
        }
        let dx = inlined(
            #[inline(always)]
            |x: usize| window_sum(l, across, x, derive),
        );
        let dy = inlined(
            #[inline(always)]
            |x: usize| window_sum(l, along, x, smooth),
        );
        let squares = inlined(
            #[inline(always)]
            |x: usize| {
                let (low, high) = l.unpack(dx(x), dy(x));
                (l.pair_products(low, low), l.pair_products(high, high))
            },
        );
        match out {
            Derived::Dx(out) => {
                let out = &mut out[block];
                tiles(
                    n,
                    L::N,
                    #[inline(always)]
                    |x| l.store_floats(dx(x), &mut out[x..]),
                );
            }
            Derived::Dy(out) => {
                let out = &mut out[block];
                tiles(
                    n,
                    L::N,
                    #[inline(always)]
                    |x| l.store_floats(dy(x), &mut out[x..]),
                );
            }
            Derived::L1(out) => {
                let out = &mut out[block];
                tiles(
                    n,
                    L::N,
                    #[inline(always)]
                    |x| l.store_floats(l.add(l.abs(dx(x)), l.abs(dy(x))), &mut out[x..]),
                );
            }
            Derived::Magnitude(out) => {
                let out = &mut out[block];
                tiles(
                    n,
                    L::N,
                    #[inline(always)]
                    |x| {
                        let (low, high) = squares(x);
                        l.store_roots(low, high, &mut out[x..]);
                    },
                );
            }
            Derived::Gradient(out_x, out_y) => {
                let (out_x, out_y) = (&mut out_x[block.clone()], &mut out_y[block]);
                tiles(
                    n,
                    L::N,
                    #[inline(always)]
                    |x| {
                        l.store(dx(x), &mut out_x[x..]);
                        l.store(dy(x), &mut out_y[x..]);
                    },
                );
            }
            Derived::Lengths(out_x, out_y, lengths) => {
                let (out_x, out_y) = (&mut out_x[block.clone()], &mut out_y[block.clone()]);
                let lengths = &mut lengths[block];
                tiles(
                    n,
                    L::N,
                    #[inline(always)]
                    |x| {
                        let (dx, dy) = (dx(x), dy(x));
                        l.store(dx, &mut out_x[x..]);
                        l.store(dy, &mut out_y[x..]);
                        l.store(l.add(l.abs(dx), l.abs(dy)), &mut lengths[x..]);
                    },
                );
            }
            Derived::Mask(Above { least, inverted }, out) => {
                let least = l.splat32(*least);
                let flip = if *inverted { 0 } else { 255 };
                let out = &mut out[block];
                tiles(
                    n,
                    L::N,
                    #[inline(always)]
                    |x| {
                        let (low, high) = squares(x);
                        let below = l.pack(l.sub32(low, least), l.sub32(high, least));
                        l.store_negative(below, flip, &mut out[x..]);
                    },
                );
            }
        }
    }
}

#[inline(always)]
fn window_sum<L: Lanes, const N: usize>(l: L, rows: [&[i16]; N], x: usize, taps: [i16; N]) -> L::V {
    let mut window = [l.splat(0); N];
    for k in 0..N {
        window[k] = l.load(&rows[k][x..]);
    }
    dot_vectors(l, window, taps)
}

#[inline(always)]
fn dot_vectors<L: Lanes, const N: usize>(l: L, values: [L::V; N], taps: [i16; N]) -> L::V {
    let mut sum = l.mul(values[0], l.splat(taps[0]));
    for k in 1..N {
        if taps[k] != 0 {
            sum = l.add(sum, l.mul(values[k], l.splat(taps[k])));
        }
    }
    sum
}

/// The least sum of squares whose [`magnitude_i32`] is above `level`, or `None` where none of `i32`
/// is.
pub fn least_square_above(level: f32) -> Option<i32> {
    let above = |sum: i32| (sum as f32).sqrt() > level;
    if !above(i32::MAX) {
        return None;
    }
    // Rounding never reorders, so sums above the level follow those that are not.
    let (mut low, mut high) = (0, i32::MAX);
    while low < high {
        let middle = low + (high - low) / 2;
        if above(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Some(low)
}
