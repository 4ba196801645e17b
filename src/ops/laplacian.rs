//! Second derivatives: the Laplacian, as it is and of a Gaussian.

use std::ops::Range;
use std::sync::Arc;

use super::Context;
use super::chain::{Chain, apply_chain};
use super::convolve::{self, Convolve};
use super::row::{RowNode, RowOut, Rows, Shape, State, Window};
use super::stencil::{Stencil, expect_types, scratch, with_window};
use crate::image::{Border, BorderMode, Element, Image, ImageType, Pixel};
use crate::kernel::Isa;
use crate::kernel::laplacian::laplacian_of_gaussian_row;
use crate::kernel::pixel::Sample;
use crate::{Error, Result};

/// The sizes there are, in pixels.
pub const MAX_SIZE: usize = 31;

/// The largest standard deviation of [`laplacian_of_gaussian`] in pixels.
pub const MAX_SIGMA: f64 = 100.0;

/// The weights of the Laplacian of a size, row by row: OpenCV's. Not normalised.
///
/// 1 is the cross of four neighbours, 3 twice the diagonal ones; larger ones are sums of a second difference of binomials
/// along one axis and a binomial across.
///
/// # Errors
/// [`Pipeline`](crate::ErrorKind::Pipeline) unless the size is odd and at most [`MAX_SIZE`].
pub fn weights(size: usize) -> Result<Vec<f32>> {
    match size {
        1 => Ok(vec![0.0, 1.0, 0.0, 1.0, -4.0, 1.0, 0.0, 1.0, 0.0]),
        3 => Ok(vec![2.0, 0.0, 2.0, 0.0, -8.0, 0.0, 2.0, 0.0, 2.0]),
        _ if size % 2 == 1 && size <= MAX_SIZE => {
            let smooth = widened(&[1], size - 1, 1);
            let second = widened(&[1, -2, 1], size - 3, 1);
            let weight = |x: usize, y: usize| (second[x] * smooth[y] + smooth[x] * second[y]) as f32;
            Ok((0..size * size).map(|i| weight(i % size, i / size)).collect())
        }
        _ => Err(Error::pipeline(format!("`size` wants an odd number up to {MAX_SIZE}, got {size}"))),
    }
}

/// Taps smoothed by neighbours some times.
fn widened(taps: &[i64], times: usize, weight: i64) -> Vec<i64> {
    let mut taps = taps.to_vec();
    for _ in 0..times {
        let shifted = [0].into_iter().chain(taps.iter().copied());
        taps = shifted.zip(taps.iter().copied().chain([0])).map(|(a, b)| weight * (a + b)).collect();
    }
    taps
}

/// The node of `laplacian`.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for images that are not gray, [`Pipeline`](crate::ErrorKind::Pipeline)
/// unless the size is odd and at most [`MAX_SIZE`].
pub fn nodes(input: Shape, size: usize, border: Border) -> Result<Chain> {
    use ImageType::{Gray8, Gray16, GrayF32, Mask};
    expect_types("laplacian", input, &[Gray8, Gray16, GrayF32, Mask])?;
    let side = size.max(3);
    convolve::nodes(input, &Convolve { border, ..Convolve::new(side, side, weights(size)?) })
}

/// Parameters of [`laplacian`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Laplacian {
    /// Width and height of the window in pixels: 1 (four neighbours), 3, 5 or 7.
    pub size: usize,
    /// What lies beyond the edge.
    pub border: Border,
}

impl Default for Laplacian {
    /// The four neighbours, mirrored at the edge.
    fn default() -> Self {
        Self { size: 1, border: Border::default() }
    }
}

/// The sum of both second derivatives, `gray-f32`; see [`weights`]. Equal to OpenCV's `Laplacian`.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Context, Laplacian, laplacian};
///
/// let image = Image::Gray8(Plane::from_fn(3, 3, |x, y| if (x, y) == (1, 1) { 10 } else { 0 }));
/// let second = laplacian(&image, &Laplacian::default(), &Context::default())?;
/// assert_eq!(second.as_gray_f32()?.get(1, 1), -40.0);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for images that are not gray, [`Pipeline`](crate::ErrorKind::Pipeline)
/// unless the size is odd and at most [`MAX_SIZE`], [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn laplacian(image: &Image, params: &Laplacian, cx: &Context) -> Result<Image> {
    apply_chain(nodes(Shape::of(image), params.size, params.border)?, image, cx)
}

/// The Laplacian of a Gaussian, as a node: floats from any depth.
#[derive(Clone, Debug, PartialEq)]
pub struct LogRows {
    /// From the centre outwards.
    smooth: Vec<f32>,
    second: Vec<f32>,
    border: Border,
}

impl LogRows {
    fn stencil(&self) -> Stencil {
        let size = 2 * self.smooth.len() - 1;
        Stencil::centred(size, size, self.border)
    }

    fn write<T: Pixel + Sample>(
        &self,
        isa: Isa,
        columns: &mut [Vec<f32>; 2],
        rows: &Rows<'_>,
        y: usize,
        out: &mut RowOut<'_>,
    ) {
        with_window::<T, _>(rows, 0, self.stencil().rows(y), |window| {
            laplacian_of_gaussian_row(isa, window, &self.smooth, &self.second, columns, out.row());
        });
    }
}

impl RowNode for LogRows {
    fn name(&self) -> &'static str {
        "log"
    }

    fn output(&self, inputs: &[Shape]) -> Shape {
        self.stencil().output(inputs[0], ImageType::GrayF32)
    }

    fn window(&self, _input: usize) -> Window {
        self.stencil().window()
    }

    fn rows_needed(&self, _input: usize, y: usize) -> Range<isize> {
        self.stencil().rows(y)
    }

    fn start(&self, inputs: &[Shape], _output: Shape) -> State {
        let length = inputs[0].width + self.stencil().size.0;
        Box::new([vec![0f32; length], vec![0f32; length]])
    }

    fn restart(&self, _state: &mut State) -> bool {
        true
    }

    fn row(&self, isa: Isa, state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        let columns = scratch(state);
        match rows.shape(0).ty.element() {
            Element::U16 => self.write::<u16>(isa, columns, rows, y, out),
            Element::F32 => self.write::<f32>(isa, columns, rows, y, out),
            _ => self.write::<u8>(isa, columns, rows, y, out),
        }
    }
}

/// The Gaussian of a standard deviation and its second derivative, from the centre to four standard deviations.
fn gaussian_and_second(sigma: f64) -> (Vec<f64>, Vec<f64>) {
    let radius = (4.0 * sigma + 0.5) as usize;
    let variance = sigma * sigma;
    let heights: Vec<f64> = (0..=radius).map(|x| libm::exp(-0.5 / variance * (x * x) as f64)).collect();
    let sum = heights[0] + 2.0 * heights[1..].iter().sum::<f64>();
    let smooth: Vec<f64> = heights.iter().map(|height| height / sum).collect();
    let curve =
        |(x, weight): (usize, &f64)| ((x * x) as f64 / (variance * variance) - 1.0 / variance) * weight;
    let second = smooth.iter().enumerate().map(curve).collect();
    (smooth, second)
}

/// The node of `log`.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for images that are not gray, [`Pipeline`](crate::ErrorKind::Pipeline)
/// unless `sigma` is above 0 and at most [`MAX_SIGMA`].
pub fn log_nodes(input: Shape, sigma: f64, border: Border) -> Result<Chain> {
    use ImageType::{Gray8, Gray16, GrayF32, Mask};
    expect_types("log", input, &[Gray8, Gray16, GrayF32, Mask])?;
    if !(sigma > 0.0 && sigma <= MAX_SIGMA) {
        return Err(Error::pipeline(format!(
            "`sigma` wants a number above 0 up to {MAX_SIGMA}, got {sigma}"
        )));
    }
    let (smooth, second) = gaussian_and_second(sigma);
    let single = |weights: Vec<f64>| weights.into_iter().map(|weight| weight as f32).collect();
    Ok(vec![Arc::new(LogRows { smooth: single(smooth), second: single(second), border })])
}

/// Parameters of [`laplacian_of_gaussian`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LaplacianOfGaussian {
    /// Standard deviation of the Gaussian in pixels; spots of radius `1.4 * sigma` answer most.
    pub sigma: f64,
    /// What lies beyond the edge.
    pub border: Border,
}

impl Default for LaplacianOfGaussian {
    /// Sigma 2, mirrored at the edge, as in scikit-image.
    fn default() -> Self {
        Self { sigma: 2.0, border: BorderMode::Reflect.into() }
    }
}

/// The Laplacian of a Gaussian of standard deviation `sigma` in pixels, `gray-f32`: below 0 in spots brighter than what is round
/// them, strongest where their radius is `sigma * sqrt(2)`.
///
/// The window reaches four standard deviations, as in SciPy's `gaussian_laplace`, whose border is
/// [`BorderMode::Reflect`]. Sums are in `f32`, in one order.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Context, LaplacianOfGaussian, laplacian_of_gaussian};
///
/// let image = Image::Gray8(Plane::from_fn(21, 21, |x, y| if (x, y) == (10, 10) { 255 } else { 0 }));
/// let spots = laplacian_of_gaussian(&image, &LaplacianOfGaussian::default(), &Context::default())?;
/// assert!(spots.as_gray_f32()?.get(10, 10) < 0.0);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for images that are not gray, [`Pipeline`](crate::ErrorKind::Pipeline)
/// unless `sigma` is above 0 and at most [`MAX_SIGMA`], [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn laplacian_of_gaussian(image: &Image, params: &LaplacianOfGaussian, cx: &Context) -> Result<Image> {
    apply_chain(log_nodes(Shape::of(image), params.sigma, params.border)?, image, cx)
}
