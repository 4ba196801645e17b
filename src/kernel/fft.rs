//! Fourier transforms of blocks of numbers, many lines side by side, and correlations made of them.
//!
//! A line of a strip is some columns of a block, as many as fill 64 bytes: every butterfly works on all of them, with
//! plain sums and products in one fixed order, so that every instruction set gives the same bits. Numbers are `f64`, eight
//! columns a line, or `f32`, sixteen.
//! Forward transforms leave their results in a permuted order and inverse ones take them from it,
//! as correlations do not care (decimation in frequency, then in time; W. M. Gentleman and G. Sande, 1966).
#![allow(clippy::inline_always, reason = "only what is inlined is compiled for the instruction set")]

mod block;
mod vectors;

pub use block::{Block, Correlator, Lines, Spectrum};
pub use vectors::Real;
use vectors::Vectors;

/// A complex number of each of `N` columns: the real parts, then the imaginary ones.
pub type Cell<F, const N: usize> = [[F; N]; 2];

/// Transforms of `size` numbers.
#[derive(Clone, Debug)]
pub struct Fft<F, const N: usize> {
    size: usize,
    /// For parts of `size` numbers, of a quarter, a sixteenth ...: for each `k` of a quarter of a part the powers 1, 2 and 3 of
    /// `exp(-2πi k / length)`.
    roots: Vec<Vec<[[F; 2]; 3]>>,
}

impl<F: Real<N>, const N: usize> Fft<F, N> {
    /// Transforms of `size` numbers, a power of two.
    ///
    /// # Panics
    /// When `size` is none.
    pub fn new(size: usize) -> Self {
        assert!(size.is_power_of_two(), "a transform of {size} numbers: expected a power of two");
        let lengths = (0..size.ilog2() / 2).map(|pass| size >> (2 * pass));
        let powers = |k: usize, length: usize| [1, 2, 3].map(|times| root(times * k, length).map(F::of));
        let roots = lengths.map(|length| (0..length / 4).map(|k| powers(k, length)).collect());
        Self { size, roots: roots.collect() }
    }

    /// How many numbers are transformed.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Sums times `exp(-2πi jk / size)`, in a permuted order.
    #[inline(always)]
    fn forward<E: Vectors<F, N>>(&self, e: E, line: &mut [Cell<F, N>]) {
        let line = &mut line[..self.size];
        for roots in &self.roots {
            for part in line.chunks_exact_mut(4 * roots.len()) {
                let [a, b, c, d] = quarters(part);
                // The first root is 1.
                for part in 0..E::PARTS {
                    let out = split(e, [&a[0], &b[0], &c[0], &d[0]], part);
                    out[0].store(&mut a[0], part);
                    out[1].store(&mut b[0], part);
                    out[2].store(&mut c[0], part);
                    out[3].store(&mut d[0], part);
                }
                let cells = a.iter_mut().zip(b).zip(c.iter_mut().zip(d)).zip(roots);
                for (((a, b), (c, d)), roots) in cells.skip(1) {
                    for part in 0..E::PARTS {
                        let out = split(e, [a, b, c, d], part);
                        out[0].store(a, part);
                        out[1].times(roots[0]).store(b, part);
                        out[2].times(roots[1]).store(c, part);
                        out[3].times(roots[2]).store(d, part);
                    }
                }
            }
        }
        if self.is_odd() {
            pairs(e, line);
        }
    }

    /// `size` times what [`forward`](Self::forward) transformed.
    #[inline(always)]
    fn inverse<E: Vectors<F, N>>(&self, e: E, line: &mut [Cell<F, N>]) {
        let line = &mut line[..self.size];
        if self.is_odd() {
            pairs(e, line);
        }
        for roots in self.roots.iter().rev() {
            for part in line.chunks_exact_mut(4 * roots.len()) {
                let [a, b, c, d] = quarters(part);
                for part in 0..E::PARTS {
                    let (first, second) = (Number::load(e, &a[0], part), Number::load(e, &b[0], part));
                    let (third, fourth) = (Number::load(e, &c[0], part), Number::load(e, &d[0], part));
                    join([first, second, third, fourth], [&mut a[0], &mut b[0], &mut c[0], &mut d[0]], part);
                }
                let cells = a.iter_mut().zip(b).zip(c.iter_mut().zip(d)).zip(roots);
                for (((a, b), (c, d)), roots) in cells.skip(1) {
                    for part in 0..E::PARTS {
                        let first = Number::load(e, a, part);
                        let second = Number::load(e, b, part).times_conjugate(roots[0]);
                        let third = Number::load(e, c, part).times_conjugate(roots[1]);
                        let fourth = Number::load(e, d, part).times_conjugate(roots[2]);
                        join([first, second, third, fourth], [a, b, c, d], part);
                    }
                }
            }
        }
    }

    /// Whether four do not divide the size to the end.
    fn is_odd(&self) -> bool {
        self.size.trailing_zeros() % 2 == 1
    }
}

/// The transform of four numbers, in the order of their powers of roots: 0, 1, 2, 3.
#[inline(always)]
fn split<F: Real<N>, const N: usize, E: Vectors<F, N>>(
    e: E,
    [a, b, c, d]: [&Cell<F, N>; 4],
    part: usize,
) -> [Number<F, E, N>; 4] {
    let (first, second) = (Number::load(e, a, part), Number::load(e, b, part));
    let (third, fourth) = (Number::load(e, c, part), Number::load(e, d, part));
    let (even, odd) = (first.add(third), first.sub(third));
    let (other, turned) = (second.add(fourth), second.sub(fourth));
    [even.add(other), odd.less_turned(turned), even.sub(other), odd.plus_turned(turned)]
}

/// The opposite of [`split`], four times the numbers.
#[inline(always)]
fn join<F: Real<N>, const N: usize, E: Vectors<F, N>>(
    [first, second, third, fourth]: [Number<F, E, N>; 4],
    [a, b, c, d]: [&mut Cell<F, N>; 4],
    part: usize,
) {
    let (even, other) = (first.add(third), first.sub(third));
    let (odd, turned) = (second.add(fourth), second.sub(fourth));
    even.add(odd).store(a, part);
    other.plus_turned(turned).store(b, part);
    even.sub(odd).store(c, part);
    other.less_turned(turned).store(d, part);
}

/// Sums and differences of neighbours.
#[inline(always)]
fn pairs<F: Real<N>, const N: usize, E: Vectors<F, N>>(e: E, line: &mut [Cell<F, N>]) {
    for [a, b] in line.as_chunks_mut::<2>().0 {
        for part in 0..E::PARTS {
            let (first, second) = (Number::load(e, a, part), Number::load(e, b, part));
            first.add(second).store(a, part);
            first.sub(second).store(b, part);
        }
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
fn quarters<C>(part: &mut [C]) -> [&mut [C]; 4] {
    let quarter = part.len() / 4;
    let (low, high) = part.split_at_mut(2 * quarter);
    let ((a, b), (c, d)) = (low.split_at_mut(quarter), high.split_at_mut(quarter));
    [a, &mut b[..quarter], &mut c[..quarter], &mut d[..quarter]]
}

/// A part of a [`Cell`] in registers.
#[derive(Clone, Copy)]
struct Number<F, E: Vectors<F, N>, const N: usize> {
    e: E,
    re: E::V,
    im: E::V,
}

impl<F: Real<N>, E: Vectors<F, N>, const N: usize> Number<F, E, N> {
    #[inline(always)]
    fn load(e: E, [re, im]: &Cell<F, N>, part: usize) -> Self {
        Self { e, re: e.load(re, part), im: e.load(im, part) }
    }

    #[inline(always)]
    fn store(self, [re, im]: &mut Cell<F, N>, part: usize) {
        self.e.store(self.re, re, part);
        self.e.store(self.im, im, part);
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
    fn times(self, [re, im]: [F; 2]) -> Self {
        self.product(Self { e: self.e, re: self.e.splat(re), im: self.e.splat(im) })
    }

    #[inline(always)]
    fn times_conjugate(self, [re, im]: [F; 2]) -> Self {
        self.times([re, -im])
    }
}
