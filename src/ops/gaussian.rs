//! Gaussian smoothing.

mod binomial;

use std::ops::Range;
use std::sync::Arc;

use super::Context;
use super::chain::{Chain, apply_chain};
use super::row::{RowNode, RowOut, Rows, Shape, State, Window};
use super::stencil::{Stencil, expect_types, scratch, with_window};
use crate::image::{Border, Element, Image, ImageType};
use crate::kernel::{Isa, gaussian as kernel};
use crate::{Error, Result};

/// The largest window, in pixels.
pub const MAX_SIZE: usize = 1023;

/// Parameters of [`gaussian`].
#[derive(Clone, Debug, PartialEq)]
pub struct Gaussian {
    /// Standard deviation in pixels, the same along both axes. 0 takes it from the size:
    /// `0.3 * ((size - 1) / 2 - 1) + 0.8`, and for sizes up to 9 the short binomial-like tables of OpenCV.
    pub sigma: f64,
    /// Width and height of the window in pixels, odd. `None` takes [`default_size`] of sigma,
    /// whatever the type of the image.
    pub size: Option<usize>,
    /// What lies beyond the edge.
    pub border: Border,
}

impl Default for Gaussian {
    fn default() -> Self {
        Self { sigma: 1.0, size: None, border: Border::default() }
    }
}

/// The window for a sigma: three standard deviations to either side, `2 * ceil(3 * sigma) + 1`.
///
/// OpenCV has two formulas, `round(6 * sigma + 1) | 1` for 8 bit and `round(8 * sigma + 1) | 1` for
/// all else, and so gives images of different depth different windows; here the size is one.
pub fn default_size(sigma: f64) -> usize {
    2 * (3.0 * sigma).ceil() as usize + 1
}

/// The weights of a Gaussian of an odd size, as fractions that sum to 1, first tap first.
///
/// `sigma` as in [`Gaussian`]. The exponential is that of `libm`, so that weights are the same
/// everywhere.
pub fn weights(size: usize, sigma: f64) -> Vec<f64> {
    if sigma <= 0.0 {
        let table: &[f64] = match size {
            1 => &[1.0],
            3 => &[0.25, 0.5, 0.25],
            5 => &[0.0625, 0.25, 0.375, 0.25, 0.0625],
            7 => &[0.03125, 0.109375, 0.21875, 0.28125, 0.21875, 0.109375, 0.03125],
            9 => &[
                0.015625, 0.05078125, 0.1171875, 0.19921875, 0.234375, 0.19921875, 0.1171875, 0.05078125,
                0.015625,
            ],
            _ => &[],
        };
        if !table.is_empty() {
            return table.to_vec();
        }
    }
    let radius = size / 2;
    let sigma = if sigma > 0.0 { sigma } else { 0.15 * size as f64 + 0.35 };
    let scale = -0.125 / (sigma * sigma);
    let half: Vec<f64> = (0..radius)
        .map(|i| {
            let twice = 2.0 * (radius - i) as f64;
            libm::exp(twice * twice * scale)
        })
        .collect();
    let norm = 1.0 / (half.iter().sum::<f64>() * 2.0 + 1.0);
    let mut weights: Vec<f64> = half.iter().map(|w| w * norm).collect();
    weights.push(norm);
    weights.extend(half.iter().rev().map(|w| w * norm));
    weights
}

/// [`weights`] as fixed point with `bits` fractional bits that sum to exactly `1 << bits`, from the
/// centre outwards.
///
/// What rounding takes from a tap is given to the next one towards the centre, and the centre takes
/// the rest, as in OpenCV's bit-exact smoothing.
pub fn fixed_weights(size: usize, sigma: f64, bits: u32) -> Vec<u32> {
    let one = f64::from(1u32 << bits);
    let mut error = 0.0;
    let mut fixed: Vec<u32> = weights(size, sigma)[..size / 2]
        .iter()
        .map(|weight| {
            let exact = weight * one + error;
            let rounded = exact.round_ties_even();
            error = exact - rounded;
            rounded as u32
        })
        .collect();
    fixed.push((1 << bits) - 2 * fixed.iter().sum::<u32>());
    fixed.reverse();
    fixed
}

/// Gaussian smoothing of one image, in its own type; masks give `gray8`.
#[derive(Clone, Debug, PartialEq)]
pub struct GaussianRows {
    size: usize,
    border: Border,
    /// From the centre outwards, in the numbers of the image type it was made for.
    weights: Weights,
}

#[derive(Clone, Debug, PartialEq)]
enum Weights {
    U8(Vec<u16>),
    U16(Vec<u32>),
    F32(Vec<f32>),
}

enum Scratch {
    U16(Vec<u16>),
    U32(Vec<u32>),
    F32(Vec<f32>),
}

impl GaussianRows {
    /// A node for images of this element.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) when sigma or size is out of range.
    pub fn new(element: Element, params: &Gaussian) -> Result<Self> {
        let &Gaussian { sigma, size, border } = params;
        if !(sigma >= 0.0 && sigma.is_finite()) {
            return Err(Error::pipeline(format!("`sigma` wants a number of at least 0, got {sigma}")));
        }
        let size = match size {
            Some(size) => size,
            None if sigma > 0.0 => default_size(sigma),
            None => return Err(Error::pipeline("`sigma = 0` wants a `size` to take it from")),
        };
        if size % 2 == 0 || size > MAX_SIZE {
            return Err(Error::pipeline(format!("`size` wants an odd number up to {MAX_SIZE}, got {size}")));
        }
        let weights = match element {
            Element::U8 => Weights::U8(fixed_weights(size, sigma, 8).into_iter().map(|w| w as u16).collect()),
            Element::U16 => Weights::U16(fixed_weights(size, sigma, 16)),
            _ => Weights::F32(weights(size, sigma)[size / 2..].iter().map(|&w| w as f32).collect()),
        };
        Ok(Self { size, border, weights })
    }

    /// Width and height of the window in pixels.
    pub fn size(&self) -> usize {
        self.size
    }

    /// What lies beyond the edge.
    pub fn border(&self) -> Border {
        self.border
    }

    fn stencil(&self) -> Stencil {
        Stencil::centred(self.size, self.size, self.border)
    }
}

impl RowNode for GaussianRows {
    fn name(&self) -> &'static str {
        "gaussian-blur"
    }

    fn output(&self, inputs: &[Shape]) -> Shape {
        let ty = if inputs[0].ty == ImageType::Mask { ImageType::Gray8 } else { inputs[0].ty };
        self.stencil().output(inputs[0], ty)
    }

    fn window(&self, _input: usize) -> Window {
        self.stencil().window()
    }

    fn rows_needed(&self, _input: usize, y: usize) -> Range<isize> {
        self.stencil().rows(y)
    }

    fn start(&self, inputs: &[Shape], _output: Shape) -> State {
        let elements = (inputs[0].width + self.size) * inputs[0].ty.channels();
        Box::new(match self.weights {
            Weights::U8(_) => Scratch::U16(vec![0; elements]),
            Weights::U16(_) => Scratch::U32(vec![0; elements]),
            Weights::F32(_) => Scratch::F32(vec![0.0; elements]),
        })
    }

    fn restart(&self, _state: &mut State) -> bool {
        // Nothing is carried from row to row.
        true
    }

    fn row(&self, isa: Isa, state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        let step = rows.shape(0).ty.channels();
        let range = self.rows_needed(0, y);
        match (&self.weights, scratch(state)) {
            (Weights::U8(weights), Scratch::U16(column)) => with_window(rows, 0, range, |window| {
                kernel::gaussian_u8_row(isa, window, weights, step, column, out.row());
            }),
            (Weights::U16(weights), Scratch::U32(column)) => with_window(rows, 0, range, |window| {
                kernel::gaussian_u16_row(isa, window, weights, step, column, out.row());
            }),
            (Weights::F32(weights), Scratch::F32(column)) => with_window(rows, 0, range, |window| {
                kernel::gaussian_f32_row(isa, window, weights, step, column, out.row());
            }),
            _ => unreachable!("the scratch of a Gaussian follows its weights"),
        }
    }
}

/// The node of `gaussian-blur`.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for labels and gradients, [`Pipeline`](crate::ErrorKind::Pipeline)
/// when a parameter is out of range.
pub fn nodes(input: Shape, params: &Gaussian) -> Result<Chain> {
    expect_types("gaussian-blur", input, &[ImageType::READ.as_slice(), &[ImageType::Mask]].concat())?;
    let node = GaussianRows::new(input.ty.element(), params)?;
    Ok(binomial::nodes(input, &node).unwrap_or_else(|| vec![Arc::new(node)]))
}

/// Smooths with a Gaussian, in the type of the image; masks give `gray8`.
///
/// 8 and 16 bit are computed in fixed point with one rounding, halves up, and equal OpenCV's
/// `GaussianBlur` of the same size and sigma to the bit.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Context, Gaussian, gaussian};
///
/// let image = Image::Gray8(Plane::filled(9, 9, 50));
/// let params = Gaussian { sigma: 2.0, ..Gaussian::default() };
/// // What is even stays as it is.
/// assert_eq!(gaussian(&image, &params, &Context::default())?, image);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for labels and gradients, [`Pipeline`](crate::ErrorKind::Pipeline)
/// when a parameter is out of range, [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn gaussian(image: &Image, params: &Gaussian, cx: &Context) -> Result<Image> {
    apply_chain(nodes(Shape::of(image), params)?, image, cx)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_weights_sum_to_one() {
        for size in (1..40).step_by(2) {
            for sigma in [0.0, 0.3, 0.8, 1.4, 3.0, 20.0] {
                for bits in [8, 16] {
                    let fixed = fixed_weights(size, sigma, bits);
                    let sum = fixed[0] + 2 * fixed[1..].iter().sum::<u32>();
                    assert_eq!((fixed.len(), sum), (size / 2 + 1, 1 << bits));
                }
            }
        }
    }

    #[test]
    fn the_window_follows_sigma_alone() {
        assert_eq!((default_size(1.4), default_size(1.0), default_size(0.5)), (11, 7, 5));
    }
}
