//! Erosion, dilation, opening and closing with flat structuring elements.

use std::ops::Range;
use std::sync::Arc;

use super::Context;
use super::chain::{Chain, apply_chain};
use super::row::{RowNode, RowOut, Rows, RowsOut, Shape, State, Window};
use super::stencil::{Stencil, expect_types, scratch, with_window};
use crate::image::{Border, Element as Number, Image, ImageType, Pixel};
use crate::kernel::Isa;
use crate::kernel::morphology::{Extremum, Span, extremum_rows};
use crate::{Error, Result};

/// The largest element, in pixels along either axis, iterations included.
pub const MAX_SIZE: usize = 4095;

/// The form of a structuring element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum ElementShape {
    /// Every pixel.
    #[default]
    Rect,
    /// The middle row and the middle column.
    Cross,
    /// The ellipse inscribed in the rectangle.
    Ellipse,
}

/// What is made of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum MorphologyOp {
    /// The least value under the element.
    #[default]
    Erode,
    /// The greatest value under the element.
    Dilate,
    /// Erosions, then as many dilations: takes away what the element does not fit into.
    Open,
    /// Dilations, then as many erosions: fills what the element does not fit into.
    Close,
}

/// Parameters of [`morphology`].
#[derive(Clone, Debug, PartialEq)]
pub struct Morphology {
    /// What is made of the image.
    pub op: MorphologyOp,
    /// The form of the element.
    pub shape: ElementShape,
    /// Width and height of the element in pixels. Its anchor is the pixel at half of each, rounded
    /// down.
    pub size: (usize, usize),
    /// How often erosion and dilation are repeated.
    pub iterations: usize,
}

impl Default for Morphology {
    /// One erosion by 3x3 pixels.
    fn default() -> Self {
        Self { op: MorphologyOp::Erode, shape: ElementShape::Rect, size: (3, 3), iterations: 1 }
    }
}

/// The pixels of a structuring element: one span a row. The shapes are those of OpenCV's
/// `getStructuringElement`.
pub fn element_spans(shape: ElementShape, (width, height): (usize, usize)) -> Vec<Range<usize>> {
    let (middle_x, middle_y) = (width / 2, height / 2);
    let shape = if (width, height) == (1, 1) { ElementShape::Rect } else { shape };
    (0..height)
        .map(|y| match shape {
            ElementShape::Rect => 0..width,
            ElementShape::Cross if y == middle_y => 0..width,
            ElementShape::Cross => middle_x..middle_x + 1,
            ElementShape::Ellipse => {
                let (radius, dy) = (middle_y as f64, y.abs_diff(middle_y) as f64);
                let inverse = if middle_y > 0 { 1.0 / (radius * radius) } else { 0.0 };
                let half = middle_x as f64 * ((radius * radius - dy * dy) * inverse).max(0.0).sqrt();
                let half = half.round_ties_even() as usize;
                middle_x.saturating_sub(half)..(middle_x + half + 1).min(width)
            }
        })
        .collect()
}

/// The least or the greatest value under an element; pixels beyond the edge are left out.
#[derive(Clone, Debug, PartialEq)]
pub struct MorphologyRows {
    extremum: Extremum,
    spans: Vec<Span>,
    stencil: Stencil,
}

impl MorphologyRows {
    fn new(extremum: Extremum, element: &[Range<usize>], width: usize, anchor: (usize, usize)) -> Self {
        Self::of_spans(extremum, element.iter().cloned().enumerate(), (width, element.len()), anchor)
    }

    /// Spans with their rows, any number in a row.
    fn of_spans(
        extremum: Extremum,
        element: impl Iterator<Item = (usize, Range<usize>)>,
        size: (usize, usize),
        anchor: (usize, usize),
    ) -> Self {
        let mut spans: Vec<Span> = Vec::new();
        for (row, range) in element {
            match spans.iter_mut().find(|span| (span.start, span.length) == (range.start, range.len())) {
                Some(span) => span.rows.push(row),
                None => spans.push(Span { start: range.start, length: range.len(), rows: vec![row] }),
            }
        }
        // A value that never wins is as good as none.
        let outside = match extremum {
            Extremum::Least => f32::INFINITY,
            Extremum::Greatest => f32::NEG_INFINITY,
        };
        let stencil = Stencil { size, anchor, border: Border::constant(outside) };
        Self { extremum, spans, stencil }
    }

    /// Least or greatest.
    pub fn extremum(&self) -> Extremum {
        self.extremum
    }

    fn write<T: Pixel + PartialOrd>(
        &self,
        isa: Isa,
        state: &mut State,
        rows: &Rows<'_>,
        ys: Range<usize>,
        out: &mut RowsOut<'_>,
    ) {
        let scratch: &mut [Vec<T>; 3] = scratch(state);
        with_window::<T, _>(rows, 0, self.stencil.rows_of(ys), |window| {
            extremum_rows(isa, window, &self.spans, self.extremum, scratch, &mut out.all());
        });
    }
}

impl RowNode for MorphologyRows {
    fn name(&self) -> &'static str {
        match self.extremum {
            Extremum::Least => "erode",
            Extremum::Greatest => "dilate",
        }
    }

    fn output(&self, inputs: &[Shape]) -> Shape {
        inputs[0]
    }

    fn window(&self, _input: usize) -> Window {
        self.stencil.window()
    }

    fn rows_needed(&self, _input: usize, y: usize) -> Range<isize> {
        self.stencil.rows(y)
    }

    fn start(&self, inputs: &[Shape], _output: Shape) -> State {
        fn buffers<T: Pixel>(length: usize) -> State {
            Box::new([0; 3].map(|_| vec![T::default(); length]))
        }
        let length = inputs[0].width + self.stencil.size.0;
        match inputs[0].ty.element() {
            Number::U16 => buffers::<u16>(length),
            Number::F32 => buffers::<f32>(length),
            _ => buffers::<u8>(length),
        }
    }

    fn restart(&self, _state: &mut State) -> bool {
        // Nothing is carried from row to row.
        true
    }

    fn row(&self, isa: Isa, state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        self.rows(isa, state, rows, y..y + 1, &mut out.into());
    }

    fn rows(&self, isa: Isa, state: &mut State, rows: &Rows<'_>, ys: Range<usize>, out: &mut RowsOut<'_>) {
        match rows.shape(0).ty.element() {
            Number::U16 => self.write::<u16>(isa, state, rows, ys, out),
            Number::F32 => self.write::<f32>(isa, state, rows, ys, out),
            _ => self.write::<u8>(isa, state, rows, ys, out),
        }
    }
}

/// The nodes of `erode`, `dilate`, `open` and `close`.
///
/// Repetitions of a rectangle are one node with a larger one, which is the same; other shapes are
/// repeated node after node.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for images that are not gray,
/// [`Pipeline`](crate::ErrorKind::Pipeline) for an element without pixels or beyond [`MAX_SIZE`].
pub fn nodes(input: Shape, params: &Morphology) -> Result<Chain> {
    use ImageType::{Gray8, Gray16, GrayF32, Mask};
    expect_types("morphology", input, &[Gray8, Gray16, GrayF32, Mask])?;
    let &Morphology { op, shape, size: (width, height), iterations } = params;
    if width == 0 || height == 0 {
        return Err(Error::pipeline(format!("`size` wants at least 1x1, got {width}x{height}")));
    }
    let grown = |length: usize| (length - 1).checked_mul(iterations).map(|grown| grown + 1);
    let (Some(grown_width), Some(grown_height)) = (grown(width), grown(height)) else {
        return Err(Error::pipeline(format!("{iterations} `iterations` are too many")));
    };
    if grown_width.max(grown_height).max(width).max(height) > MAX_SIZE {
        return Err(Error::pipeline(format!(
            "`size` times `iterations` wants at most {MAX_SIZE} pixels, got {grown_width}x{grown_height}"
        )));
    }
    let repeated = |extremum: Extremum| -> Chain {
        let anchor = (width / 2, height / 2);
        if shape == ElementShape::Rect {
            let element = element_spans(shape, (grown_width, grown_height));
            let anchor = (anchor.0 * iterations, anchor.1 * iterations);
            let node: Arc<dyn RowNode> =
                Arc::new(MorphologyRows::new(extremum, &element, grown_width, anchor));
            return if iterations == 0 { Chain::new() } else { vec![node] };
        }
        let element = element_spans(shape, (width, height));
        let node: Arc<dyn RowNode> = Arc::new(MorphologyRows::new(extremum, &element, width, anchor));
        vec![node; iterations]
    };
    Ok(combined(op, repeated))
}

fn combined(op: MorphologyOp, repeated: impl Fn(Extremum) -> Chain) -> Chain {
    match op {
        MorphologyOp::Erode => repeated(Extremum::Least),
        MorphologyOp::Dilate => repeated(Extremum::Greatest),
        MorphologyOp::Open => [repeated(Extremum::Least), repeated(Extremum::Greatest)].concat(),
        MorphologyOp::Close => [repeated(Extremum::Greatest), repeated(Extremum::Least)].concat(),
    }
}

/// [`nodes`] with an element of one's own: rows of one length, its pixels `true`, the anchor at half of
/// width and height, rounded down.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for images that are not gray,
/// [`Pipeline`](crate::ErrorKind::Pipeline) for an element that is no rectangle or has no pixel.
pub fn nodes_of_element(
    input: Shape,
    op: MorphologyOp,
    element: &[Vec<bool>],
    iterations: usize,
) -> Result<Chain> {
    use ImageType::{Gray8, Gray16, GrayF32, Mask};
    expect_types("morphology", input, &[Gray8, Gray16, GrayF32, Mask])?;
    let (width, height) = (element.first().map_or(0, Vec::len), element.len());
    if element.iter().any(|row| row.len() != width) || !element.iter().flatten().any(|&pixel| pixel) {
        return Err(Error::pipeline("an element wants rows of one length, and a pixel"));
    }
    let spans: Vec<(usize, Range<usize>)> = element
        .iter()
        .enumerate()
        .flat_map(|(y, row)| {
            let is_in = |x: usize| row.get(x).copied().unwrap_or(false);
            let starts = (0..width).filter(move |&x| is_in(x) && (x == 0 || !row[x - 1]));
            starts.map(move |start| (y, start..(start..width).find(|&x| !row[x]).unwrap_or(width)))
        })
        .collect();
    Ok(combined(op, |extremum| {
        let spans = spans.iter().cloned();
        let rows = MorphologyRows::of_spans(extremum, spans, (width, height), (width / 2, height / 2));
        let node: Arc<dyn RowNode> = Arc::new(rows);
        vec![node; iterations]
    }))
}

/// Erodes, dilates, opens or closes a gray image or mask, in its type.
///
/// Elements are not mirrored for dilation, and pixels beyond the edge are left out: OpenCV's `erode`,
/// `dilate` and `morphologyEx` with their default border, to the bit. NaN has no order: what becomes
/// of it is not defined.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Context, Morphology, MorphologyOp, morphology};
///
/// let image = Image::Gray8(Plane::from_fn(3, 3, |x, y| if (x, y) == (1, 1) { 255 } else { 0 }));
/// let params = Morphology { op: MorphologyOp::Dilate, size: (3, 3), ..Morphology::default() };
/// let grown = morphology(&image, &params, &Context::default())?;
/// assert_eq!(grown.as_gray8()?.as_slice(), [255; 9]);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for images that are not gray,
/// [`Pipeline`](crate::ErrorKind::Pipeline) for an element without pixels or beyond [`MAX_SIZE`],
/// [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn morphology(image: &Image, params: &Morphology, cx: &Context) -> Result<Image> {
    apply_chain(nodes(Shape::of(image), params)?, image, cx)
}
