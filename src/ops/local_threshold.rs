//! Thresholds from the mean and the spread of every pixel's surroundings: W. Niblack (1986), J. Sauvola and
//! M. Pietikäinen (2000).

use std::ops::Range;
use std::sync::Arc;

use super::Context;
use super::box_blur::largest;
use super::chain::{Chain, apply_chain};
use super::row::{RowNode, RowOut, Rows, Shape, State, Window};
use super::stencil::{Stencil, expect_types, scratch};
use super::window_sum::{FloatSums, IntegerSums, rows_needed};
use crate::image::{Border, BorderMode, Image, ImageType};
use crate::kernel::Isa;
use crate::kernel::local::{LocalLevel, local_row, prefix_local_row};
use crate::{Error, Result};

/// The largest window, in pixels along either axis.
pub const MAX_SIZE: usize = 4095;

/// How the level follows from the mean `m` and the standard deviation `s` of a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Formula {
    /// `m - k * s`.
    Niblack {
        /// How far below the mean the level lies, in standard deviations.
        k: f64,
    },
    /// `m * (1 + k * (s / r - 1))`.
    Sauvola {
        /// How far the level sinks below the mean where nothing changes, as a share of it.
        k: f64,
        /// The greatest standard deviation there is; `None` is half the range of the type (127.5, 32767.5, 1).
        r: Option<f64>,
    },
}

/// The mask of the pixels above a level of their own.
#[derive(Clone, Debug, PartialEq)]
pub struct LocalRows {
    formula: Formula,
    stencil: Stencil,
}

impl LocalRows {
    fn level(&self, ty: ImageType) -> LocalLevel {
        match self.formula {
            Formula::Niblack { k } => LocalLevel::Niblack { k },
            Formula::Sauvola { k, r } => {
                let half = if ty == ImageType::GrayF32 { 1.0 } else { largest(ty) as f64 / 2.0 };
                LocalLevel::Sauvola { k, r: r.unwrap_or(half) }
            }
        }
    }
}

enum Sums {
    Integers([IntegerSums<u64>; 2]),
    Floats([FloatSums; 2]),
}

impl RowNode for LocalRows {
    fn name(&self) -> &'static str {
        match self.formula {
            Formula::Niblack { .. } => "niblack",
            Formula::Sauvola { .. } => "sauvola",
        }
    }

    fn output(&self, inputs: &[Shape]) -> Shape {
        Shape { ty: ImageType::Mask, ..inputs[0] }
    }

    fn window(&self, _input: usize) -> Window {
        self.stencil.window()
    }

    fn rows_needed(&self, _input: usize, y: usize) -> Range<isize> {
        rows_needed(&self.stencil, y)
    }

    fn start(&self, inputs: &[Shape], output: Shape) -> State {
        let stencil = &self.stencil;
        Box::new(match inputs[0].ty {
            ImageType::GrayF32 => Sums::Floats([(); 2].map(|()| FloatSums::new(inputs[0], output, stencil))),
            _ => Sums::Integers([(); 2].map(|()| IntegerSums::new(inputs[0], stencil))),
        })
    }

    fn restart(&self, state: &mut State) -> bool {
        if let Sums::Integers(sums) = scratch(state) {
            sums.iter_mut().for_each(IntegerSums::restart);
        }
        true
    }

    fn row(&self, isa: Isa, state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        let (ty, stencil) = (rows.shape(0).ty, &self.stencil);
        let middle = stencil.anchor.0..stencil.anchor.0 + rows.shape(0).width;
        let out: &mut [u8] = out.row();
        let (level, span) = (self.level(ty), stencil.size.0);
        let area = (stencil.size.0 * stencil.size.1) as f64;
        match (scratch(state), ty) {
            (Sums::Floats([sums, squares]), _) => {
                let sums = sums.row(isa, rows, stencil, y, f64::from);
                let squares = squares.row(isa, rows, stencil, y, |v| f64::from(v) * f64::from(v));
                let pixels = &rows.get::<f32>(0, 0, y as isize)[middle];
                local_row(isa, pixels, [sums, squares], area, level, out);
            }
            (Sums::Integers([sums, squares]), ImageType::Gray16) => {
                let squares = squares.prefix::<u16>(isa, rows, stencil, y, |v| u64::from(v) * u64::from(v));
                let sums = sums.prefix::<u16>(isa, rows, stencil, y, u64::from);
                let pixels = &rows.get::<u16>(0, 0, y as isize)[middle];
                prefix_local_row(isa, pixels, [sums, squares], span, area, level, out);
            }
            (Sums::Integers([sums, squares]), _) => {
                let squares = squares.prefix::<u8>(isa, rows, stencil, y, |v| u64::from(v) * u64::from(v));
                let sums = sums.prefix::<u8>(isa, rows, stencil, y, u64::from);
                let pixels = &rows.get::<u8>(0, 0, y as isize)[middle];
                prefix_local_row(isa, pixels, [sums, squares], span, area, level, out);
            }
        }
    }
}

/// The node of `niblack` and `sauvola`, for windows of `size` (odd width and height, in pixels).
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for images that are not gray,
/// [`Pipeline`](crate::ErrorKind::Pipeline) when a size is even or beyond [`MAX_SIZE`].
pub fn nodes(input: Shape, size: (usize, usize), formula: Formula) -> Result<Chain> {
    use ImageType::{Gray8, Gray16, GrayF32, Mask};
    expect_types("a local threshold", input, &[Gray8, Gray16, GrayF32, Mask])?;
    if size.0.is_multiple_of(2) || size.1.is_multiple_of(2) || size.0.max(size.1) > MAX_SIZE {
        return Err(Error::pipeline(format!(
            "`size` wants odd numbers up to {MAX_SIZE}, got {}x{}",
            size.0, size.1
        )));
    }
    let stencil = Stencil::centred(size.0, size.1, Border::new(BorderMode::Reflect101));
    Ok(vec![Arc::new(LocalRows { formula, stencil })])
}

/// Parameters of [`local_threshold`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LocalThreshold {
    /// Width and height of the window in pixels, odd.
    pub size: (usize, usize),
    /// How the level follows from the window.
    pub formula: Formula,
}

impl Default for LocalThreshold {
    /// Niblack's formula over 15x15.
    fn default() -> Self {
        Self { size: (15, 15), formula: Formula::Niblack { k: 0.2 } }
    }
}

/// The mask of the pixels above the level of their surroundings; the picture is mirrored at its edges.
///
/// Equal to `image > threshold_niblack(image, ...)` and `threshold_sauvola` of scikit-image: sums of integers are
/// exact, and the level is computed in `f64` in the same steps.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::local_threshold::Formula;
/// use lyncean::ops::{Context, LocalThreshold, local_threshold};
///
/// let paper = Image::Gray8(Plane::filled(9, 9, 200));
/// let formula = Formula::Sauvola { k: 0.2, r: None };
/// let params = LocalThreshold { size: (5, 5), formula };
/// // Even paper is all above.
/// let mask = local_threshold(&paper, &params, &Context::default())?;
/// assert_eq!(mask.as_gray8()?.get(4, 4), 255);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for images that are not gray,
/// [`Pipeline`](crate::ErrorKind::Pipeline) when a size is even or beyond [`MAX_SIZE`],
/// [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn local_threshold(image: &Image, params: &LocalThreshold, cx: &Context) -> Result<Image> {
    apply_chain(nodes(Shape::of(image), params.size, params.formula)?, image, cx)
}
