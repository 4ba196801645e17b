//! Canny's edges: the part before hysteresis.
//!
//! Linking weak edges to strong ones is [`mod@super::hysteresis`].

use std::ops::Range;
use std::sync::Arc;

use super::chain::Chain;
use super::row::{RowNode, RowOut, Rows, Shape, State, Window};
use super::sobel::{Sobel, SobelOutput, SobelRows};
use super::stencil::{Stencil, expect_types, scratch};
use super::{Context, apply_chain, hysteresis};
use crate::image::{Border, BorderMode, Image, ImageType};
use crate::kernel::Isa;
use crate::kernel::canny::{GradientRow, classes_row, length_classes_row, length_row, square_row};
use crate::{Error, Result};

/// Parameters of [`canny`].
#[derive(Clone, Debug, PartialEq)]
pub struct Canny {
    /// Gradients above it are edges where they hang together with a strong one.
    pub low: f32,
    /// Gradients above it are edges.
    pub high: f32,
    /// Window of the Sobel operator in pixels: 3 or 5. Gradients are not normalised, so levels grow
    /// with it.
    pub size: usize,
    /// Whether a gradient's length is `sqrt(dx² + dy²)` instead of `|dx| + |dy|`.
    pub l2: bool,
}

impl Default for Canny {
    fn default() -> Self {
        Self { low: 100.0, high: 200.0, size: 3, l2: false }
    }
}

impl Canny {
    /// Both levels as the integers that strengths are compared with.
    fn levels(&self) -> Result<(i32, i32)> {
        let &Self { low, high, l2, .. } = self;
        if !(low >= 0.0 && high >= low) {
            return Err(Error::pipeline(format!(
                "`low` and `high` want 0 <= low <= high, got low = {low}, high = {high}"
            )));
        }
        let level = |level: f32| {
            let level = f64::from(level);
            // No derivative is longer; the square of a longer one would not fit.
            let level = if l2 { level.min(32767.0).powi(2) } else { level };
            level.floor() as i32
        };
        Ok((level(low), level(high)))
    }
}

/// Classes of pixels from a gradient: 0 none, 1 weak, 2 strong; `gray8`.
///
/// Beyond the edge gradients are 0.
#[derive(Clone, Debug, PartialEq)]
pub struct CannyRows {
    levels: (i32, i32),
    l2: bool,
}

impl RowNode for CannyRows {
    fn name(&self) -> &'static str {
        "canny-classes"
    }

    fn output(&self, inputs: &[Shape]) -> Shape {
        Shape { ty: ImageType::Gray8, ..inputs[0] }
    }

    fn window(&self, _input: usize) -> Window {
        Stencil::centred(3, 3, Border::constant(0.0)).window()
    }

    fn rows_needed(&self, _input: usize, y: usize) -> Range<isize> {
        y as isize - 1..y as isize + 2
    }

    fn start(&self, inputs: &[Shape], _output: Shape) -> State {
        let width = inputs[0].width + 2;
        Box::new(match self.l2 {
            true => Strengths::Squares(Latest::new(width)),
            false => Strengths::Lengths(Latest::new(width)),
        })
    }

    fn restart(&self, state: &mut State) -> bool {
        match scratch(state) {
            Strengths::Squares(latest) => latest.restart(),
            Strengths::Lengths(latest) => latest.restart(),
        }
        true
    }

    fn row(&self, isa: Isa, state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        let gradient = |y: isize| GradientRow { dx: rows.get(0, 0, y), dy: rows.get(0, 1, y) };
        let y = y as isize;
        match scratch(state) {
            Strengths::Squares(latest) => {
                let window = latest.around(y, |y, out| square_row(isa, gradient(y), out));
                classes_row(isa, gradient(y), window, self.levels, out.row());
            }
            Strengths::Lengths(latest) => {
                let window = latest.around(y, |y, out| length_row(isa, gradient(y), out));
                // Lengths are shorter than the largest 16-bit number.
                let (low, high) = self.levels;
                let levels = (low.min(i32::from(i16::MAX)) as i16, high.min(i32::from(i16::MAX)) as i16);
                length_classes_row(isa, gradient(y), window, levels, out.row());
            }
        }
    }
}

/// How long the gradients of the latest rows are.
enum Strengths {
    Squares(Latest<i32>),
    Lengths(Latest<i16>),
}

/// The last three rows, which the next row mostly needs again.
struct Latest<S> {
    rows: [Vec<S>; 3],
    of: [Option<isize>; 3],
}

impl<S: Copy + Default> Latest<S> {
    fn new(width: usize) -> Self {
        Self { rows: std::array::from_fn(|_| vec![S::default(); width]), of: [None; 3] }
    }

    fn restart(&mut self) {
        self.of = [None; 3];
    }

    /// The rows above, at and below `y`, made where they are not there.
    fn around(&mut self, y: isize, mut make: impl FnMut(isize, &mut [S])) -> [&[S]; 3] {
        for row in y - 1..=y + 1 {
            let slot = (row + 1) as usize % 3;
            if self.of[slot] != Some(row) {
                self.of[slot] = Some(row);
                make(row, &mut self.rows[slot]);
            }
        }
        [0, 1, 2].map(|k| self.rows[(y as usize + k) % 3].as_slice())
    }
}

/// The nodes that give Canny's classes: gradient, then suppression of what is not greatest.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for anything but `gray8`,
/// [`Pipeline`](crate::ErrorKind::Pipeline) when a parameter is out of range.
pub fn nodes(input: Shape, params: &Canny) -> Result<Chain> {
    expect_types("canny", input, &[ImageType::Gray8, ImageType::Mask])?;
    if params.size != 3 && params.size != 5 {
        return Err(Error::pipeline(format!("`size` wants 3 or 5, got {}", params.size)));
    }
    let gradient = SobelRows::new(&Sobel {
        size: params.size,
        output: SobelOutput::Gradient,
        border: Border::new(BorderMode::Replicate),
        ..Sobel::default()
    })?;
    Ok(vec![Arc::new(gradient), Arc::new(CannyRows { levels: params.levels()?, l2: params.l2 })])
}

/// Edges of an 8-bit image, one pixel wide: OpenCV's `Canny`, to the bit.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Canny, Context, canny};
///
/// let step = Image::Gray8(Plane::from_fn(16, 8, |x, _| if x < 8 { 20 } else { 220 }));
/// let edges = canny(&step, &Canny::default(), &Context::default())?;
/// let on = |x: usize| edges.as_gray8().is_ok_and(|mask| mask.get(x, 4) == 255);
/// assert!((on(7) || on(8)) && !on(2) && !on(13));
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for anything but `gray8`,
/// [`Pipeline`](crate::ErrorKind::Pipeline) when a parameter is out of range,
/// [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn canny(image: &Image, params: &Canny, cx: &Context) -> Result<Image> {
    let classes = apply_chain(nodes(Shape::of(image), params)?, image, cx)?;
    let classes = classes.as_gray8()?.view();
    Ok(Image::Mask(hysteresis::hysteresis(classes, cx)?))
}
