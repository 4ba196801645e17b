//! What `erode` and `dilate` share: structuring elements as parameters.

use schemars::JsonSchema;
use serde::Deserialize;

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

/// The nodes of an erosion or a dilation.
pub(super) fn nodes(
    input: Shape,
    op: MorphologyOp,
    shape: ElementShape,
    size: Size,
    iterations: Iterations,
) -> Result<Chain> {
    let shape = match shape {
        ElementShape::Rect => op::ElementShape::Rect,
        ElementShape::Cross => op::ElementShape::Cross,
        ElementShape::Ellipse => op::ElementShape::Ellipse,
    };
    let [width, height] = match size {
        Size::Square(side) => [side, side],
        Size::Sides(sides) => sides,
    };
    let size = (width as usize, height as usize);
    op::nodes(input, &Morphology { op, shape, size, iterations: iterations.0 as usize })
}
