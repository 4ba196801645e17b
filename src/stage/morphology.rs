//! What `erode`, `dilate`, `open` and their like share: structuring elements as parameters.

use schemars::JsonSchema;
use serde::Deserialize;

use super::ParameterError;
use crate::Result;
use crate::ops::Chain;
use crate::ops::morphology::{self as op, Morphology, MorphologyOp};
use crate::ops::row::Shape;

/// The form of a structuring element.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ElementShape {
    /// Every pixel of the rectangle.
    #[default]
    Rect,
    /// The middle row and the middle column.
    Cross,
    /// The ellipse inscribed in the rectangle.
    Ellipse,
}

/// Width and height in pixels: one number for both, or two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Size {
    /// Both alike.
    Square(#[schemars(range(min = 1, max = 255))] u32),
    /// Width and height.
    Sides(#[schemars(inner(range(min = 1, max = 255)))] [u32; 2]),
}

impl Default for Size {
    fn default() -> Self {
        Self::Square(3)
    }
}

/// How often an operation is done, 1 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Iterations(#[schemars(range(min = 1, max = 100))] u32);

impl Default for Iterations {
    fn default() -> Self {
        Self(1)
    }
}

/// A structuring element as parameters give it.
pub(super) struct Element<'a> {
    pub shape: ElementShape,
    pub size: Size,
    /// In the place of both.
    pub own: Option<&'a [Vec<u8>]>,
    pub iterations: Iterations,
}

/// Refuses elements that are no rectangle of 0 and 1.
pub(super) fn check(own: Option<&[Vec<u8>]>) -> Result<(), ParameterError> {
    let Some(rows) = own else { return Ok(()) };
    let width = rows.first().map_or(0, Vec::len);
    let wrong = if width == 0 || rows.iter().any(|row| row.len() != width) {
        "wants rows of one length, at least 1"
    } else if rows.len() > 255 || width > 255 {
        "wants at most 255 rows and columns"
    } else if rows.iter().flatten().any(|&value| value > 1) {
        "wants 0 and 1"
    } else if rows.iter().flatten().all(|&value| value == 0) {
        "wants a 1"
    } else {
        return Ok(());
    };
    Err(ParameterError::new("element", wrong.to_owned()))
}

/// The nodes of an operation with an element.
pub(super) fn nodes(input: Shape, op: MorphologyOp, element: &Element<'_>) -> Result<Chain> {
    let iterations = element.iterations.0 as usize;
    if let Some(rows) = element.own {
        let rows: Vec<Vec<bool>> =
            rows.iter().map(|row| row.iter().map(|&value| value == 1).collect()).collect();
        return op::nodes_of_element(input, op, &rows, iterations);
    }
    let shape = match element.shape {
        ElementShape::Rect => op::ElementShape::Rect,
        ElementShape::Cross => op::ElementShape::Cross,
        ElementShape::Ellipse => op::ElementShape::Ellipse,
    };
    let [width, height] = match element.size {
        Size::Square(side) => [side, side],
        Size::Sides(sides) => sides,
    };
    let size = (width as usize, height as usize);
    op::nodes(input, &Morphology { op, shape, size, iterations })
}
