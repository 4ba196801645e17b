//! Correlation and convolution with any kernel.

use std::ops::Range;
use std::sync::Arc;

use super::Context;
use super::chain::{Chain, apply_chain};
use super::row::few::Few;
use super::row::{RowNode, RowOut, Rows, Shape, State, Window};
use super::stencil::{Stencil, expect_types, scratch, with_window};
use crate::image::{Border, BorderMode, Element, Image, ImageType, Pixel};
use crate::kernel::conv::{
    Lattice, Tap, correlate_dense_row, correlate_factored_row, correlate_float_row, correlate_integer_row,
};
use crate::kernel::conv_short::{MAX_WEIGHTS, correlate_short_row};
use crate::kernel::pixel::{Sample, widen_row};
use crate::kernel::{Isa, separable};
use crate::{Error, Result};

/// The largest kernel, in weights along either axis.
pub const MAX_SIZE: usize = 1023;

/// The number type of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum ConvolveOutput {
    /// Floats: `gray-f32` or `rgb-f32`.
    #[default]
    F32,
    /// The type of the image, rounded to nearest with ties to even and saturated.
    Same,
}

/// Parameters of [`convolve`].
#[derive(Clone, Debug, PartialEq)]
pub struct Convolve {
    /// Weights, row by row.
    pub weights: Vec<f32>,
    /// Weights in a row.
    pub width: usize,
    /// Rows of weights.
    pub height: usize,
    /// The weight that lies on the output's pixel, from the top left; `None` takes half of width and
    /// height, rounded down.
    pub anchor: Option<(usize, usize)>,
    /// What the sum is multiplied with.
    pub scale: f32,
    /// What is added after scaling, in the unit of the image.
    pub bias: f32,
    /// Input pixels from one output pixel to the next, along x and y.
    pub stride: (usize, usize),
    /// Whether the kernel is turned by half a turn, anchor included: mathematical convolution.
    pub flip: bool,
    /// The number type of the result.
    pub output: ConvolveOutput,
    /// What lies beyond the edge.
    pub border: Border,
}

impl Default for Convolve {
    /// One weight of 1, which changes nothing but the type.
    fn default() -> Self {
        Self::new(1, 1, vec![1.0])
    }
}

impl Convolve {
    /// Correlation with a kernel, everything else by default.
    pub fn new(width: usize, height: usize, weights: Vec<f32>) -> Self {
        Self {
            weights,
            width,
            height,
            anchor: None,
            scale: 1.0,
            bias: 0.0,
            stride: (1, 1),
            flip: false,
            output: ConvolveOutput::F32,
            border: Border::default(),
        }
    }

    fn check(&self) -> Result<()> {
        let &Self { width, height, .. } = self;
        if width == 0 || height == 0 || width > MAX_SIZE || height > MAX_SIZE {
            return Err(Error::pipeline(format!(
                "a kernel wants 1x1 to {MAX_SIZE}x{MAX_SIZE} weights, got {width}x{height}"
            )));
        }
        if self.weights.len() != width * height {
            return Err(Error::pipeline(format!(
                "a kernel of {width}x{height} wants {} weights, got {}",
                width * height,
                self.weights.len()
            )));
        }
        if let Some((x, y)) = self.anchor.filter(|&(x, y)| x >= width || y >= height) {
            return Err(Error::pipeline(format!(
                "`anchor` ({x}, {y}) is not in a kernel of {width}x{height}"
            )));
        }
        if self.stride.0 == 0 || self.stride.1 == 0 {
            return Err(Error::pipeline("`stride` wants at least 1"));
        }
        if !self.weights.iter().chain([&self.scale, &self.bias]).all(|value| value.is_finite()) {
            return Err(Error::pipeline("weights, `scale` and `bias` want finite numbers"));
        }
        Ok(())
    }
}

/// Sums of weighted pixels under a kernel. Not turned, so a correlation, like OpenCV's `filter2D` and
/// every layer of a net.
///
/// Kernels whose weights are integers, or integers over a power of two, are summed exactly over 8-
/// and 16-bit images, as far as the sums fit 32 bits; such a kernel that is a column times a row is
/// computed as both. All else is summed in `f32` from the kernel's first weight to its last, zeros
/// left out. The sum then becomes `f32`, is scaled, the bias is added, each step rounded.
#[derive(Clone, Debug, PartialEq)]
pub struct ConvolveRows {
    stencil: Stencil,
    stride: (usize, usize),
    sums: Sums,
    scale: f32,
    bias: f32,
    output: ConvolveOutput,
}

#[derive(Clone, Debug, PartialEq)]
enum Sums {
    /// In units of `unit`.
    Integer {
        taps: Vec<Tap<i32>>,
        /// Whether sums over bytes fit 16 bits.
        is_short: bool,
        unit: f32,
    },
    /// A column of taps, then a row.
    Factored {
        down: Vec<Tap<i32>>,
        across: Vec<Tap<i32>>,
        unit: f32,
    },
    Float(Vec<Tap<f32>>),
}

fn taps<W: Copy + PartialEq + Default>(weights: &[W], width: usize, channels: usize) -> Vec<Tap<W>> {
    let of = |(i, &weight): (usize, &W)| Tap { row: i / width, offset: i % width * channels, weight };
    weights.iter().enumerate().filter(|(_, weight)| **weight != W::default()).map(of).collect()
}

impl ConvolveRows {
    /// A node for images of this type.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) when a parameter is out of range.
    pub fn new(input: ImageType, params: &Convolve) -> Result<Self> {
        params.check()?;
        let &Convolve { width, height, stride, scale, bias, output, border, .. } = params;
        let mut weights = params.weights.clone();
        let mut anchor = params.anchor.unwrap_or((width / 2, height / 2));
        if params.flip {
            weights.reverse();
            anchor = (width - 1 - anchor.0, height - 1 - anchor.1);
        }
        let largest = match input.element() {
            Element::U8 => Some(255),
            Element::U16 => Some(65535),
            _ => None,
        };
        let sums = Self::sums(&weights, width, input.channels(), largest);
        let stencil = Stencil { size: (width, height), anchor, border };
        Ok(Self { stencil, stride, sums, scale, bias, output })
    }

    fn sums(weights: &[f32], width: usize, channels: usize, largest: Option<i64>) -> Sums {
        let fits = |weights: &[i32], largest: i64| {
            let sum: i64 = weights.iter().map(|&weight| i64::from(weight).abs()).sum();
            sum.checked_mul(largest).is_some_and(|sum| sum <= i64::from(i32::MAX))
        };
        let exact = largest
            .zip(separable::integers(weights))
            .filter(|(largest, (integers, _))| fits(integers, *largest));
        let Some((_, (integers, shift))) = exact else {
            return Sums::Float(taps(weights, width, channels));
        };
        let unit = 1.0 / (1u32 << shift) as f32;
        let direct = taps(&integers, width, channels);
        let magnitudes: i32 = integers.iter().map(|weight| weight.abs()).sum();
        match separable::factors(&integers, width) {
            // Two passes pay where they have fewer taps.
            Some((down, across)) if down.len() + across.len() < direct.len() => Sums::Factored {
                down: taps(&down, 1, channels),
                across: taps(&across, width, channels),
                unit,
            },
            _ => Sums::Integer {
                is_short: largest == Some(255) && magnitudes <= MAX_WEIGHTS,
                taps: direct,
                unit,
            },
        }
    }

    /// Whether the kernel is computed as a column and a row.
    pub fn is_factored(&self) -> bool {
        matches!(self.sums, Sums::Factored { .. })
    }

    /// Sums become output elements.
    fn write<T, O>(&self, isa: Isa, state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>)
    where
        T: Pixel + Sample,
        O: Pixel + Sample,
        Self: IntegerRow<T>,
    {
        let lattice = Lattice { channels: rows.shape(0).ty.channels(), stride: self.stride.0 };
        let (scale, bias) = (self.scale, self.bias);
        let out: &mut [O] = out.row();
        with_window::<T, _>(rows, 0, self.rows_needed(0, y), |window| match &self.sums {
            Sums::Float(taps) if lattice.stride == 1 => {
                let top = self.rows_needed(0, y).start;
                let floats = scratch::<Scratch>(state).floats(isa, window, top);
                correlate_dense_row(
                    isa,
                    &floats,
                    taps,
                    out,
                    #[inline(always)]
                    |sum| O::saturate(sum * scale + bias),
                );
            }
            Sums::Float(taps) => correlate_float_row(
                isa,
                window,
                taps,
                lattice,
                out,
                #[inline(always)]
                |sum| O::saturate(sum * scale + bias),
            ),
            Sums::Integer { unit, .. } | Sums::Factored { unit, .. } => {
                let unit = *unit;
                self.integer_row(
                    isa,
                    window,
                    lattice,
                    &mut scratch::<Scratch>(state).column,
                    out,
                    #[inline(always)]
                    |sum| O::saturate(sum as f32 * unit * scale + bias),
                );
            }
        });
    }
}

/// What a strip keeps: a column of sums, or the window's rows as floats, since each is wanted by
/// every output row around it.
#[derive(Default)]
struct Scratch {
    column: Vec<i32>,
    widened: Vec<Widened>,
}

#[derive(Clone, Default)]
struct Widened {
    row: Option<isize>,
    pixels: Vec<f32>,
}

impl Scratch {
    /// The rows of a window from `top` down as floats.
    fn floats<'a, T: Pixel + Sample>(
        &'a mut self,
        isa: Isa,
        window: &[&'a [T]],
        top: isize,
    ) -> Few<&'a [f32], 16> {
        if T::ELEMENT == Element::F32 {
            return window.iter().map(|row| bytemuck::cast_slice(row)).collect();
        }
        let count = window.len() as isize;
        let slot = |row: isize| row.rem_euclid(count) as usize;
        for (row, pixels) in (top..).zip(window) {
            let widened = &mut self.widened[slot(row)];
            if widened.row != Some(row) {
                widened.row = Some(row);
                widened.pixels.resize(pixels.len(), 0.0);
                widen_row(isa, pixels, &mut widened.pixels);
            }
        }
        (top..top + count).map(|row| self.widened[slot(row)].pixels.as_slice()).collect()
    }
}

/// Integer sums over images that have them; never asked for with floats.
trait IntegerRow<T> {
    fn integer_row<O>(
        &self,
        isa: Isa,
        window: &[&[T]],
        lattice: Lattice,
        column: &mut Vec<i32>,
        out: &mut [O],
        finish: impl Fn(i32) -> O + Copy,
    );
}

macro_rules! integer_rows {
    ($($number:ty, $short:expr);*) => {$(
        impl IntegerRow<$number> for ConvolveRows {
            fn integer_row<O>(
                &self,
                isa: Isa,
                window: &[&[$number]],
                lattice: Lattice,
                column: &mut Vec<i32>,
                out: &mut [O],
                finish: impl Fn(i32) -> O + Copy,
            ) {
                match &self.sums {
                    Sums::Integer { taps, is_short: true, .. } if lattice.stride == 1 => {
                        $short(isa, window, taps, out, finish);
                    }
                    Sums::Integer { taps, .. } => {
                        correlate_integer_row(isa, window, taps, lattice, out, finish);
                    }
                    Sums::Factored { down, across, .. } => {
                        correlate_factored_row(isa, window, down, across, lattice, column, out, finish);
                    }
                    Sums::Float(_) => unreachable!("float sums are not integer sums"),
                }
            }
        }
    )*};
}
integer_rows!(u8, correlate_short_row; u16, |isa, window, taps, out, finish| {
    correlate_integer_row(isa, window, taps, Lattice { channels: 1, stride: 1 }, out, finish);
});

impl IntegerRow<f32> for ConvolveRows {
    fn integer_row<O>(
        &self,
        _isa: Isa,
        _window: &[&[f32]],
        _lattice: Lattice,
        _column: &mut Vec<i32>,
        _out: &mut [O],
        _finish: impl Fn(i32) -> O + Copy,
    ) {
        unreachable!("float images are summed as floats");
    }
}

impl RowNode for ConvolveRows {
    fn name(&self) -> &'static str {
        "convolve"
    }

    fn output(&self, inputs: &[Shape]) -> Shape {
        let ty = match (self.output, inputs[0].ty) {
            (ConvolveOutput::Same, ImageType::Mask) => ImageType::Gray8,
            (ConvolveOutput::Same, ty) => ty,
            (ConvolveOutput::F32, ty) if ty.channels() == 3 => ImageType::RgbF32,
            (ConvolveOutput::F32, _) => ImageType::GrayF32,
        };
        let dense = self.stencil.output(inputs[0], ty);
        Shape::new(ty, dense.width.div_ceil(self.stride.0), dense.height.div_ceil(self.stride.1))
    }

    fn window(&self, _input: usize) -> Window {
        self.stencil.window()
    }

    fn rows_needed(&self, _input: usize, y: usize) -> Range<isize> {
        self.stencil.rows(y * self.stride.1)
    }

    fn start(&self, inputs: &[Shape], _output: Shape) -> State {
        let elements = (inputs[0].width + self.stencil.size.0) * inputs[0].ty.channels();
        Box::new(match self.sums {
            Sums::Factored { .. } => Scratch { column: vec![0; elements], ..Scratch::default() },
            Sums::Float(_) => {
                Scratch { widened: vec![Widened::default(); self.stencil.size.1], ..Scratch::default() }
            }
            Sums::Integer { .. } => Scratch::default(),
        })
    }

    fn restart(&self, state: &mut State) -> bool {
        // The rows that stand there are those of another image.
        scratch::<Scratch>(state).widened.iter_mut().for_each(|widened| widened.row = None);
        true
    }

    fn row(&self, isa: Isa, state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        match (rows.shape(0).ty.element(), self.output) {
            (Element::U8, ConvolveOutput::Same) => self.write::<u8, u8>(isa, state, rows, y, out),
            (Element::U8, ConvolveOutput::F32) => self.write::<u8, f32>(isa, state, rows, y, out),
            (Element::U16, ConvolveOutput::Same) => self.write::<u16, u16>(isa, state, rows, y, out),
            (Element::U16, ConvolveOutput::F32) => self.write::<u16, f32>(isa, state, rows, y, out),
            _ => self.write::<f32, f32>(isa, state, rows, y, out),
        }
    }
}

/// The node of `convolve`.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for labels and gradients,
/// [`Pipeline`](crate::ErrorKind::Pipeline) when a parameter is out of range.
pub fn nodes(input: Shape, params: &Convolve) -> Result<Chain> {
    expect_types("convolve", input, &[ImageType::READ.as_slice(), &[ImageType::Mask]].concat())?;
    Ok(vec![Arc::new(ConvolveRows::new(input.ty, params)?)])
}

/// Width or height of the result: with padding every `stride`th pixel, without
/// (`valid`) `floor((n - k) / stride) + 1`, or 0 where the kernel does not fit.
pub fn output_length(n: usize, k: usize, stride: usize, border: BorderMode) -> usize {
    match border {
        BorderMode::Valid => (n + 1).saturating_sub(k).div_ceil(stride),
        _ => n.div_ceil(stride),
    }
}

/// Correlates an image with a kernel, channel by channel; see [`ConvolveRows`] for how sums are made.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Context, Convolve, convolve};
///
/// let image = Image::Gray8(Plane::from_vec(3, 1, vec![1, 4, 9])?);
/// let params = Convolve { weights: vec![-1.0, 0.0, 1.0], width: 3, ..Convolve::default() };
/// // A correlation: right less left.
/// assert_eq!(convolve(&image, &params, &Context::default())?.as_gray_f32()?.get(1, 0), 8.0);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for labels and gradients,
/// [`Pipeline`](crate::ErrorKind::Pipeline) when a parameter is out of range,
/// [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn convolve(image: &Image, params: &Convolve, cx: &Context) -> Result<Image> {
    apply_chain(nodes(Shape::of(image), params)?, image, cx)
}
