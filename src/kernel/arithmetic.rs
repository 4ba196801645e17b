//! Rows of pixels combined value by value.

use super::Isa;
use super::pixel::Sample;

/// Number types with sums and differences that stay in their range.
pub trait Saturating: Sample + PartialOrd {
    /// `self + other`; integers saturate.
    #[must_use]
    fn plus(self, other: Self) -> Self;
    /// `self - other`; integers saturate.
    #[must_use]
    fn minus(self, other: Self) -> Self;
}

macro_rules! saturating {
    ($($integer:ty),*) => {$(
        impl Saturating for $integer {
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self.saturating_add(other)
            }
            #[inline(always)]
            fn minus(self, other: Self) -> Self {
                self.saturating_sub(other)
            }
        }
    )*};
}
saturating!(u8, u16);

impl Saturating for f32 {
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self + other
    }
    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        self - other
    }
}

/// How two values become one. Products, quotients and shares are computed in `f32`, each step
/// rounded, then rounded to the type (ties to even) and saturated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operation {
    /// `a + b`.
    Add,
    /// `a - b`.
    Subtract,
    /// `scale * a * b`.
    Multiply(f32),
    /// `a * scale / b`; of integers 0 where `b` is 0.
    Divide(f32),
    /// The smaller one.
    Min,
    /// The larger one.
    Max,
    /// `a * first + b * second`.
    Blend(f32, f32),
}

impl Operation {
    /// The operation in `f32`, not rounded to a type.
    #[inline(always)]
    pub fn of_floats(self, a: f32, b: f32) -> f32 {
        match self {
            Self::Add => a + b,
            Self::Subtract => a - b,
            Self::Multiply(scale) => scale * a * b,
            Self::Divide(scale) => a * scale / b,
            Self::Min => {
                if b < a {
                    b
                } else {
                    a
                }
            }
            Self::Max => {
                if b > a {
                    b
                } else {
                    a
                }
            }
            Self::Blend(first, second) => a * first + b * second,
        }
    }
}

/// Whether the quotient of a division by zero is an infinity or, of integers, zero.
trait Quotient: Sample {
    const IS_FLOAT: bool;
}

impl Quotient for u8 {
    const IS_FLOAT: bool = false;
}
impl Quotient for u16 {
    const IS_FLOAT: bool = false;
}
impl Quotient for f32 {
    const IS_FLOAT: bool = true;
}

#[inline(always)]
fn quotient<T: Quotient>(value: f32, divisor: f32) -> T {
    let quotient = T::saturate(value / divisor);
    if T::IS_FLOAT || divisor != 0.0 { quotient } else { T::saturate(0.0) }
}

/// Two rows, value by value.
#[allow(private_bounds, reason = "the three number types are all there are")]
pub fn combine_row<T: Saturating + Quotient>(isa: Isa, op: Operation, a: &[T], b: &[T], out: &mut [T]) {
    macro_rules! each {
        (|$a:ident, $b:ident| $value:expr) => {
            isa.run(
                #[inline(always)]
                || {
                    for ((&$a, &$b), out) in a.iter().zip(b).zip(out) {
                        *out = $value;
                    }
                },
            )
        };
    }
    match op {
        Operation::Add => each!(|a, b| a.plus(b)),
        Operation::Subtract => each!(|a, b| a.minus(b)),
        Operation::Min => each!(|a, b| if b < a { b } else { a }),
        Operation::Max => each!(|a, b| if b > a { b } else { a }),
        Operation::Divide(scale) => each!(|a, b| quotient(a.widen() * scale, b.widen())),
        Operation::Multiply(scale) => each!(|a, b| T::saturate(scale * a.widen() * b.widen())),
        Operation::Blend(first, second) => each!(|a, b| T::saturate(a.widen() * first + b.widen() * second)),
    }
}

/// A row and a constant, value by value.
#[allow(private_bounds, reason = "the three number types are all there are")]
pub fn combine_constant_row<T: Saturating + Quotient>(
    isa: Isa,
    op: Operation,
    a: &[T],
    constant: f32,
    out: &mut [T],
) {
    macro_rules! each {
        (|$a:ident| $value:expr) => {
            isa.run(
                #[inline(always)]
                || {
                    for (&value, out) in a.iter().zip(out) {
                        let $a = value.widen();
                        *out = $value;
                    }
                },
            )
        };
    }
    match op {
        Operation::Divide(scale) => each!(|a| quotient(a * scale, constant)),
        Operation::Add => each!(|a| T::saturate(a + constant)),
        Operation::Subtract => each!(|a| T::saturate(a - constant)),
        Operation::Min => each!(|a| T::saturate(if constant < a { constant } else { a })),
        Operation::Max => each!(|a| T::saturate(if constant > a { constant } else { a })),
        Operation::Multiply(scale) => each!(|a| T::saturate(scale * a * constant)),
        Operation::Blend(first, second) => each!(|a| T::saturate(a * first + constant * second)),
    }
}

/// The distance to the largest value: `255 - v`, `65535 - v`, `1 - v`.
pub fn invert_row<T: Saturating>(isa: Isa, pixels: &[T], largest: T, out: &mut [T]) {
    isa.run(
        #[inline(always)]
        || {
            for (&pixel, out) in pixels.iter().zip(out) {
                *out = largest.minus(pixel);
            }
        },
    );
}

/// Pixels where the mask is not zero, elsewhere `outside`; with `inverted` the other way round.
pub fn mask_apply_row<T: Copy>(
    isa: Isa,
    pixels: &[T],
    mask: &[u8],
    inverted: bool,
    outside: T,
    out: &mut [T],
) {
    isa.run(
        #[inline(always)]
        || {
            for ((&pixel, &mask), out) in pixels.iter().zip(mask).zip(out) {
                *out = if (mask == 0) == inverted { pixel } else { outside };
            }
        },
    );
}

/// [`mask_apply_row`] on values of one byte: with bits in place of a choice, which the compiler would turn
/// into a branch a pixel.
pub fn mask_apply_u8_row(isa: Isa, pixels: &[u8], mask: &[u8], inverted: bool, outside: u8, out: &mut [u8]) {
    let flip = if inverted { 255 } else { 0 };
    isa.run(
        #[inline(always)]
        || {
            for ((&pixel, &mask), out) in pixels.iter().zip(mask).zip(out) {
                let kept = 0u8.wrapping_sub(u8::from(mask != 0)) ^ flip;
                *out = (pixel & kept) | (outside & !kept);
            }
        },
    );
}

/// `(image - dark) * gain`, both steps rounded to `f32`, in the type of the image.
pub fn flat_field_row<T: Sample>(isa: Isa, image: &[T], dark: Option<&[T]>, gain: &[f32], out: &mut [T]) {
    isa.run(
        #[inline(always)]
        || match dark {
            None => {
                for ((&value, &gain), out) in image.iter().zip(gain).zip(out) {
                    *out = T::saturate(value.widen() * gain);
                }
            }
            Some(dark) => {
                for (((&value, &dark), &gain), out) in image.iter().zip(dark).zip(gain).zip(out) {
                    *out = T::saturate((value.widen() - dark.widen()) * gain);
                }
            }
        },
    );
}
