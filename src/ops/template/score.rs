//! Scores from sums.
#![allow(clippy::inline_always, reason = "only what is inlined is compiled for the instruction set")]

use std::fmt::Debug;
use std::ops::{AddAssign, SubAssign};

use super::Method;
use super::correlate::{Dot, Sample};
use super::spectral::Settle;
use super::windows::Sums;
use crate::kernel::Isa;
use crate::kernel::ncc::correlation_row;

/// A number type of sums: `u64`, exact, for integers, `f64` for floats.
pub trait Accumulator: Copy + Default + AddAssign + SubAssign + Debug + Send + Sync + Settle {
    /// Whether sums are exact, so that they may be moved along by differences.
    const EXACT: bool;
    /// `self + a b`; of integers, their low bits.
    #[must_use]
    fn plus_product(self, a: Self, b: Self) -> Self;
    /// `n cross - sum`; of integers, from low bits, where all fits 63 bits.
    fn less_share(cross: Self, n: u64, sum: Self) -> f64;
    /// `n cross - Σ a b`, whatever it takes.
    fn covariance(n: u64, cross: Self, means: impl Iterator<Item = (Self, Self)>) -> f64;
    /// The squared difference from the sum of products and the energies of template and window.
    fn squared_difference(cross: Self, template: Self, window: Self) -> f64 {
        template.to_f64() + window.to_f64() - 2.0 * cross.to_f64()
    }
    /// What of a variance, given the energy of `n` numbers, may come of rounding.
    fn noise(energy: f64, n: usize) -> f64;
    /// As a float.
    fn to_f64(self) -> f64;
    /// The product, which fits.
    #[must_use]
    fn times(self, other: Self) -> Self;
    /// The nearest whole number of a sum of magnitude below 2^51, where sums are whole.
    fn rounded(sum: f64) -> f64;
    /// Adds `offset` and the nearest whole number; floats as they are.
    fn add_rounded(&mut self, sum: f64, offset: Self);
}

/// Added to a number below 2^51, its units are those of the last place.
const UNITS: f64 = 6_755_399_441_055_744.0;

impl Accumulator for u64 {
    const EXACT: bool = true;

    #[inline(always)]
    fn plus_product(self, a: Self, b: Self) -> Self {
        self.wrapping_add(a.wrapping_mul(b))
    }

    #[inline(always)]
    fn less_share(cross: Self, n: u64, sum: Self) -> f64 {
        cross.wrapping_mul(n).wrapping_sub(sum).cast_signed() as f64
    }

    fn covariance(n: u64, cross: Self, means: impl Iterator<Item = (Self, Self)>) -> f64 {
        let mut sum = i128::from(n) * i128::from(cross);
        for (a, b) in means {
            sum -= i128::from(a) * i128::from(b);
        }
        sum as f64
    }

    #[inline(always)]
    fn squared_difference(cross: Self, template: Self, window: Self) -> f64 {
        (template + window - 2 * cross) as f64
    }

    fn noise(_: f64, _: usize) -> f64 {
        0.0
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        self as f64
    }

    fn times(self, other: Self) -> Self {
        self * other
    }

    #[inline(always)]
    fn rounded(sum: f64) -> f64 {
        (sum + UNITS) - UNITS
    }

    #[inline(always)]
    fn add_rounded(&mut self, sum: f64, offset: Self) {
        let units = (sum + UNITS).to_bits().wrapping_sub(UNITS.to_bits());
        *self = self.wrapping_add(units).wrapping_add(offset);
    }
}

impl Accumulator for f64 {
    const EXACT: bool = false;

    #[inline(always)]
    fn plus_product(self, a: Self, b: Self) -> Self {
        self + a * b
    }

    #[inline(always)]
    fn less_share(cross: Self, n: u64, sum: Self) -> f64 {
        n as f64 * cross - sum
    }

    fn covariance(n: u64, cross: Self, means: impl Iterator<Item = (Self, Self)>) -> f64 {
        let mut sum = 0.0;
        for (a, b) in means {
            sum += a * b;
        }
        n as f64 * cross - sum
    }

    fn noise(energy: f64, n: usize) -> f64 {
        energy * ((n + 2) as f64 * f64::EPSILON)
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }

    fn times(self, other: Self) -> Self {
        self * other
    }

    #[inline(always)]
    fn rounded(sum: f64) -> f64 {
        sum
    }

    #[inline(always)]
    fn add_rounded(&mut self, sum: f64, _: Self) {
        *self += sum;
    }
}

/// Which sums over windows a method needs.
#[derive(Clone, Copy)]
pub(super) struct Wants {
    pub(super) sums: bool,
    pub(super) squares: bool,
}

/// Numerators and energies of a row of windows, and room for the products of their means.
pub(super) struct Row<S> {
    numerators: Vec<f64>,
    energies: Vec<f64>,
    products: Vec<S>,
}

impl<S: Accumulator> Row<S> {
    pub(super) fn new(windows: usize) -> Self {
        Self {
            numerators: vec![0.0; windows],
            energies: vec![0.0; windows],
            products: vec![S::default(); windows],
        }
    }
}

/// A method, and what it needs to know of the template.
pub(super) struct Scorer<S> {
    method: Method,
    n: u64,
    channels: usize,
    /// Whether `n²` times a covariance fits 63 bits.
    narrow: bool,
    sums: Vec<S>,
    squares: S,
}

impl<S: Accumulator> Scorer<S> {
    pub(super) fn new<T: Sample<Sum = S>>(method: Method, n: usize, dots: &[T::Dot]) -> Self {
        let (mut sums, mut squares) = (Vec::new(), S::default());
        for dot in dots {
            let (sum, square) = dot.totals();
            sums.push(sum);
            squares += square;
        }
        let largest = (n as f64 * T::PEAK).powi(2) * dots.len() as f64;
        Self { method, n: n as u64, channels: dots.len(), narrow: largest < 9e18, sums, squares }
    }

    pub(super) fn wants(&self) -> Wants {
        use Method as M;
        Wants {
            sums: matches!(self.method, M::CorrelationCoefficient | M::CorrelationCoefficientNormed),
            squares: !matches!(self.method, M::CrossCorrelation | M::CorrelationCoefficient)
                && (S::EXACT || self.method != M::SquaredDifference),
        }
    }

    /// The scores of a row of windows.
    pub(super) fn row(&self, isa: Isa, cross: &[S], windows: &Sums<S>, row: &mut Row<S>, out: &mut [f32]) {
        let Row { numerators, energies, products } = row;
        isa.run(
            #[inline(always)]
            || self.terms(cross, windows, numerators, energies, products),
        );
        match self.method {
            Method::SquaredDifference => {
                for (out, difference) in out.iter_mut().zip(numerators) {
                    *out = if difference.is_nan() {
                        f32::MAX
                    } else {
                        difference.min(f64::from(f32::MAX)) as f32
                    };
                }
            }
            Method::CrossCorrelation | Method::CorrelationCoefficient => {
                let most = f64::from(f32::MAX);
                let n = if self.method == Method::CrossCorrelation { 1.0 } else { self.n as f64 };
                for (out, sum) in out.iter_mut().zip(numerators) {
                    let sum = *sum / n;
                    *out = if sum.is_nan() { f32::MIN } else { sum.clamp(-most, most) as f32 };
                }
            }
            Method::SquaredDifferenceNormed => {
                let norm = self.squares.to_f64().sqrt();
                for ((out, difference), energy) in out.iter_mut().zip(numerators).zip(energies) {
                    let ratio = *difference / (energy.sqrt() * norm);
                    *out = if *difference == 0.0 {
                        0.0
                    } else if ratio.is_nan() {
                        1.0
                    } else {
                        ratio.min(1.0) as f32
                    };
                }
            }
            Method::CrossCorrelationNormed => {
                correlation_row(isa, numerators, energies, self.squares.to_f64().sqrt(), out);
            }
            Method::CorrelationCoefficientNormed => {
                let own = self.sums.iter().map(|sum| (*sum, *sum));
                let energy = S::covariance(self.n, self.squares, own);
                correlation_row(isa, numerators, energies, energy.max(0.0).sqrt(), out);
            }
        }
    }

    #[inline(always)]
    fn terms(
        &self,
        cross: &[S],
        windows: &Sums<S>,
        numerators: &mut [f64],
        energies: &mut [f64],
        products: &mut [S],
    ) {
        let Sums { sums, squares } = windows;
        match self.method {
            Method::SquaredDifference | Method::SquaredDifferenceNormed if S::EXACT => {
                for ((numerator, cross), window) in numerators.iter_mut().zip(cross).zip(squares) {
                    *numerator = S::squared_difference(*cross, self.squares, *window);
                }
            }
            Method::CorrelationCoefficient | Method::CorrelationCoefficientNormed => {
                self.covariances(cross, sums, Some(&self.sums), numerators, products);
            }
            _ => {
                for (numerator, cross) in numerators.iter_mut().zip(cross) {
                    *numerator = cross.to_f64();
                }
            }
        }
        if self.method == Method::CorrelationCoefficientNormed {
            self.covariances(squares, sums, None, energies, products);
            // Both sides of the comparison are n-fold, as both parts of the score are.
            let noise = S::noise(self.n as f64, self.n as usize * self.channels);
            for (energy, square) in energies.iter_mut().zip(squares) {
                *energy = if *energy <= noise * square.to_f64() { 0.0 } else { *energy };
            }
        } else {
            for (energy, square) in energies.iter_mut().zip(squares) {
                *energy = square.to_f64();
            }
        }
    }

    /// `out[x] = n cross[x] - Σ sums[c][x] own[c]`, the sum over channels; without `own` the squares of sums.
    #[inline(always)]
    fn covariances(
        &self,
        cross: &[S],
        sums: &[Vec<S>],
        own: Option<&[S]>,
        out: &mut [f64],
        products: &mut [S],
    ) {
        if !self.narrow {
            for (x, out) in out.iter_mut().enumerate() {
                let other = |c: usize| own.map_or(sums[c][x], |own| own[c]);
                let means = sums.iter().enumerate().map(|(c, sums)| (sums[x], other(c)));
                *out = S::covariance(self.n, cross[x], means);
            }
            return;
        }
        if let [sums] = sums {
            let row = out.iter_mut().zip(cross).zip(sums);
            if let Some(&[own]) = own {
                for ((out, cross), sum) in row {
                    *out = S::less_share(*cross, self.n, S::default().plus_product(*sum, own));
                }
            } else {
                for ((out, cross), sum) in row {
                    *out = S::less_share(*cross, self.n, S::default().plus_product(*sum, *sum));
                }
            }
            return;
        }
        products.fill(S::default());
        for (c, sums) in sums.iter().enumerate() {
            if let Some(own) = own {
                let own = own[c];
                for (product, sum) in products.iter_mut().zip(sums) {
                    *product = product.plus_product(*sum, own);
                }
            } else {
                for (product, sum) in products.iter_mut().zip(sums) {
                    *product = product.plus_product(*sum, *sum);
                }
            }
        }
        for ((out, cross), product) in out.iter_mut().zip(cross).zip(products) {
            *out = S::less_share(*cross, self.n, *product);
        }
    }
}
