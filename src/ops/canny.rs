//! Canny's edges: the part before hysteresis.
//!
//! Linking weak edges to strong ones is [`mod@super::hysteresis`].

use std::ops::Range;
use std::sync::Arc;

use super::chain::Chain;
use super::row::{RowNode, RowOut, Rows, Shape, State, Window};
use super::stencil::{expect_types, scratch, with_window};
use super::{Context, apply_chain, hysteresis};
use crate::image::{Border, BorderMode, Image, ImageType};
use crate::kernel::Isa;
use crate::kernel::canny::{GradientRow, classes_row, length_classes_row, square_row};
use crate::kernel::sobel::{Columns, DerivativeTaps, Derived, derived_u8_row};
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

/// Classes of pixels from an 8-bit image: 0 none, 1 weak, 2 strong; `gray8`.
///
/// Gradients are those of Sobel's operator on an image whose edge pixels are repeated; beyond the edge they are 0.
#[derive(Clone, Debug, PartialEq)]
pub struct CannyRows {
    taps: DerivativeTaps,
    levels: (i32, i32),
    l2: bool,
}

impl CannyRows {
    /// How far the window of a gradient reaches.
    fn reach(&self) -> usize {
        self.taps.size() / 2
    }
}

impl RowNode for CannyRows {
    fn name(&self) -> &'static str {
        "canny-classes"
    }

    fn output(&self, inputs: &[Shape]) -> Shape {
        Shape { ty: ImageType::Gray8, ..inputs[0] }
    }

    fn window(&self, _input: usize) -> Window {
        Window { left: self.reach(), right: self.reach(), border: Border::new(BorderMode::Replicate) }
    }

    fn rows_needed(&self, _input: usize, y: usize) -> Range<isize> {
        let around = self.reach() as isize + 1;
        y as isize - around..y as isize + around + 1
    }

    fn start(&self, inputs: &[Shape], _output: Shape) -> State {
        Box::new(Latest::new(inputs[0].width, self))
    }

    fn restart(&self, state: &mut State) -> bool {
        scratch::<Latest>(state).of = [None; 3];
        true
    }

    fn row(&self, isa: Isa, state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        let latest: &mut Latest = scratch(state);
        let y = y as isize;
        for row in y - 1..=y + 1 {
            let slot = Latest::slot(row);
            if latest.of[slot] != Some(row) {
                latest.of[slot] = Some(row);
                self.gradient_row(isa, latest, rows, row);
            }
        }
        let here = &latest.gradients[Latest::slot(y)];
        let gradient = GradientRow { dx: &here.dx, dy: &here.dy };
        let slots = [y - 1, y, y + 1].map(Latest::slot);
        match &latest.strengths {
            Strengths::Squares(squares) => {
                classes_row(isa, gradient, slots.map(|slot| &squares[slot][..]), self.levels, out.row());
            }
            Strengths::Lengths(lengths) => {
                // Lengths are shorter than the largest 16-bit number.
                let (low, high) = self.levels;
                let levels = (low.min(i32::from(i16::MAX)) as i16, high.min(i32::from(i16::MAX)) as i16);
                length_classes_row(isa, gradient, slots.map(|slot| &lengths[slot][..]), levels, out.row());
            }
        }
    }
}

impl CannyRows {
    /// Puts the gradient of a row into its slot, and how strong it is.
    fn gradient_row(&self, isa: Isa, latest: &mut Latest, rows: &Rows<'_>, row: isize) {
        let slot = Latest::slot(row);
        let Latest { gradients, strengths, columns, .. } = latest;
        if row < 0 || row >= rows.shape(0).height as isize {
            match strengths {
                Strengths::Squares(squares) => squares[slot].fill(0),
                Strengths::Lengths(lengths) => lengths[slot].fill(0),
            }
            return;
        }
        let Gradient { dx, dy } = &mut gradients[slot];
        let inner = 1..=dx.len();
        let reach = self.reach() as isize;
        with_window(rows, 0, row - reach..row + reach + 1, |window| match strengths {
            Strengths::Squares(squares) => {
                derived_u8_row(isa, window, self.taps, columns, Derived::Gradient(dx, dy));
                square_row(isa, GradientRow { dx, dy }, &mut squares[slot][inner]);
            }
            Strengths::Lengths(lengths) => {
                let derived = Derived::Lengths(dx, dy, &mut lengths[slot][inner]);
                derived_u8_row(isa, window, self.taps, columns, derived);
            }
        });
    }
}

/// The gradients of the last three rows, which the next row mostly needs again.
struct Latest {
    gradients: [Gradient; 3],
    strengths: Strengths,
    /// The rows that are in the slots.
    of: [Option<isize>; 3],
    columns: Columns<i16>,
}

#[derive(Clone, Default)]
struct Gradient {
    dx: Vec<i16>,
    dy: Vec<i16>,
}

/// How long gradients are, a pixel of padding on both sides.
enum Strengths {
    Squares([Vec<i32>; 3]),
    Lengths([Vec<i16>; 3]),
}

impl Latest {
    fn new(width: usize, node: &CannyRows) -> Self {
        let gradients = [(); 3].map(|()| Gradient { dx: vec![0; width], dy: vec![0; width] });
        let strengths = match node.l2 {
            true => Strengths::Squares([(); 3].map(|()| vec![0; width + 2])),
            false => Strengths::Lengths([(); 3].map(|()| vec![0; width + 2])),
        };
        Self { gradients, strengths, of: [None; 3], columns: Columns::new(width + node.taps.size()) }
    }

    /// Where a row is kept: from the one above the image on.
    fn slot(row: isize) -> usize {
        (row + 1) as usize % 3
    }
}

/// The node that gives Canny's classes: gradients, of which what is not greatest is suppressed.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for anything but `gray8`,
/// [`Pipeline`](crate::ErrorKind::Pipeline) when a parameter is out of range.
pub fn nodes(input: Shape, params: &Canny) -> Result<Chain> {
    expect_types("canny", input, &[ImageType::Gray8, ImageType::Mask])?;
    let taps = match params.size {
        3 | 5 => DerivativeTaps::sobel(params.size),
        _ => None,
    };
    let Some(taps) = taps else {
        return Err(Error::pipeline(format!("`size` wants 3 or 5, got {}", params.size)));
    };
    Ok(vec![Arc::new(CannyRows { taps, levels: params.levels()?, l2: params.l2 })])
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
    let mask = hysteresis::hysteresis(classes.as_gray8()?.view(), cx)?;
    cx.reuse(cx.share(classes));
    Ok(Image::Mask(mask))
}
