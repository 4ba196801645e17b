//! Fourier transforms of blocks of numbers, many lines side by side, and correlations made of them.
//!
//! A line of a strip is eight columns of a block: every butterfly works on eight lines at once, with
//! plain sums and products in one fixed order, so that every instruction set gives the same bits.
//! Forward transforms leave their results in a permuted order and inverse ones take them from it,
//! as correlations do not care (decimation in frequency, then in time; W. M. Gentleman and G. Sande, 1966).
#![allow(clippy::inline_always, reason = "only what is inlined is compiled for the instruction set")]

mod block;
mod eight;

pub use block::{Block, Correlator, Lines, Spectrum};
use eight::Eight;

/// Columns that are transformed side by side.
pub const LANES: usize = 8;

/// A complex number of each of eight columns: the real parts, then the imaginary ones.
pub type Cell = [[f64; LANES]; 2];

/// Transforms of `size` numbers.
#[derive(Clone, Debug)]
pub struct Fft {
    size: usize,
    /// `exp(-2πi k / size)`.
    roots: Vec<[f64; 2]>,
}

impl Fft {
    /// Transforms of `size` numbers, a power of two.
    ///
    /// # Panics
    /// When `size` is none.
    pub fn new(size: usize) -> Self {
        assert!(size.is_power_of_two(), "a transform of {size} numbers: expected a power of two");
        Self { size, roots: (0..size).map(|k| root(k, size)).collect() }
    }

    /// How many numbers are transformed.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Sums times `exp(-2πi jk / size)`, in a permuted order.
    #[inline(always)]
    fn forward<E: Eight>(&self, e: E, line: &mut [Cell]) {
        let line = &mut line[..self.size];
        let mut length = self.size;
        while length >= 4 {
            let step = self.size / length;
            for part in line.chunks_exact_mut(length) {
                let [a, b, c, d] = quarters(part);
                for k in 0..length / 4 {
                    let [first, second, third, fourth] =
                        [&a[k], &b[k], &c[k], &d[k]].map(|cell| Number::load(e, cell));
                    let (even, odd) = (first.add(third), first.sub(third));
                    let (other, turned) = (second.add(fourth), second.sub(fourth));
                    even.add(other).store(&mut a[k]);
                    odd.less_turned(turned).times(self.roots[k * step]).store(&mut b[k]);
                    even.sub(other).times(self.roots[2 * k * step]).store(&mut c[k]);
                    odd.plus_turned(turned).times(self.roots[3 * k * step]).store(&mut d[k]);
                }
            }
            length /= 4;
        }
        if length == 2 {
            pairs(e, line);
        }
    }

    /// `size` times what [`forward`](Self::forward) transformed.
    #[inline(always)]
    fn inverse<E: Eight>(&self, e: E, line: &mut [Cell]) {
        let line = &mut line[..self.size];
        let mut length = 4;
        if self.size.trailing_zeros() % 2 == 1 {
            pairs(e, line);
            length = 8;
        }
        while length <= self.size {
            let step = self.size / length;
            for part in line.chunks_exact_mut(length) {
                let [a, b, c, d] = quarters(part);
                for k in 0..length / 4 {
                    let conjugate = |k: usize| [self.roots[k * step][0], -self.roots[k * step][1]];
                    let first = Number::load(e, &a[k]);
                    let second = Number::load(e, &b[k]).times(conjugate(k));
                    let third = Number::load(e, &c[k]).times(conjugate(2 * k));
                    let fourth = Number::load(e, &d[k]).times(conjugate(3 * k));
                    let (even, other) = (first.add(third), first.sub(third));
                    let (odd, turned) = (second.add(fourth), second.sub(fourth));
                    even.add(odd).store(&mut a[k]);
                    other.plus_turned(turned).store(&mut b[k]);
                    even.sub(odd).store(&mut c[k]);
                    other.less_turned(turned).store(&mut d[k]);
                }
            }
            length *= 4;
        }
    }
}

/// Sums and differences of neighbours.
#[inline(always)]
fn pairs<E: Eight>(e: E, line: &mut [Cell]) {
    for [a, b] in line.as_chunks_mut::<2>().0 {
        let (first, second) = (Number::load(e, a), Number::load(e, b));
        first.add(second).store(a);
        first.sub(second).store(b);
    }
}

/// `exp(-2πi k / n)`, from angles of at most an eighth of a turn, so that it errs by one unit in the
/// last place of 1 at most.
fn root(k: usize, n: usize) -> [f64; 2] {
    let (eighth, within) = (8 * k / n, 8 * k % n);
    let angle = |part: usize| std::f64::consts::FRAC_PI_4 * (part as f64 / n as f64);
    let (cos, sin) = match eighth % 2 {
        0 => (libm::cos(angle(within)), libm::sin(angle(within))),
        _ => (libm::sin(angle(n - within)), libm::cos(angle(n - within))),
    };
    match eighth / 2 {
        0 => [cos, -sin],
        1 => [-sin, -cos],
        2 => [-cos, sin],
        _ => [sin, cos],
    }
}

#[inline(always)]
fn quarters(part: &mut [Cell]) -> [&mut [Cell]; 4] {
    let quarter = part.len() / 4;
    let (low, high) = part.split_at_mut(2 * quarter);
    let ((a, b), (c, d)) = (low.split_at_mut(quarter), high.split_at_mut(quarter));
    [a, &mut b[..quarter], &mut c[..quarter], &mut d[..quarter]]
}

/// A [`Cell`] in registers.
#[derive(Clone, Copy)]
struct Number<E: Eight> {
    e: E,
    re: E::V,
    im: E::V,
}

impl<E: Eight> Number<E> {
    #[inline(always)]
    fn load(e: E, [re, im]: &Cell) -> Self {
        Self { e, re: e.load(re), im: e.load(im) }
    }

    #[inline(always)]
    fn store(self, [re, im]: &mut Cell) {
        self.e.store(self.re, re);
        self.e.store(self.im, im);
    }

    #[inline(always)]
    fn add(self, b: Self) -> Self {
        Self { e: self.e, re: self.e.add(self.re, b.re), im: self.e.add(self.im, b.im) }
    }

    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        Self { e: self.e, re: self.e.sub(self.re, b.re), im: self.e.sub(self.im, b.im) }
    }

    /// `self + i b`.
    #[inline(always)]
    fn plus_turned(self, b: Self) -> Self {
        Self { e: self.e, re: self.e.sub(self.re, b.im), im: self.e.add(self.im, b.re) }
    }

    /// `self - i b`.
    #[inline(always)]
    fn less_turned(self, b: Self) -> Self {
        Self { e: self.e, re: self.e.add(self.re, b.im), im: self.e.sub(self.im, b.re) }
    }

    #[inline(always)]
    fn product(self, b: Self) -> Self {
        let e = self.e;
        let re = e.sub(e.mul(self.re, b.re), e.mul(self.im, b.im));
        Self { e, re, im: e.add(e.mul(self.re, b.im), e.mul(self.im, b.re)) }
    }

    #[inline(always)]
    fn times(self, [re, im]: [f64; 2]) -> Self {
        self.product(Self { e: self.e, re: self.e.splat(re), im: self.e.splat(im) })
    }
}
