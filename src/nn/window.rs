//! Windows that slide over images: what convolution and pooling have in common.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// A vertical and a horizontal size: one number for both, or `[vertical, horizontal]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a whole number or `[vertical, horizontal]`")]
pub enum Pair {
    /// The same both ways.
    One(usize),
    /// Vertical, then horizontal.
    Two([usize; 2]),
}

impl Pair {
    /// Vertical, then horizontal.
    pub fn both(self) -> [usize; 2] {
        match self {
            Self::One(size) => [size, size],
            Self::Two(sizes) => sizes,
        }
    }
}

/// Rows and columns of zeros around an image: one number for every side, or `[top, left, bottom, right]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a whole number or `[top, left, bottom, right]`")]
pub enum Padding {
    /// The same on every side.
    All(usize),
    /// Top, left, bottom, right.
    Sides([usize; 4]),
}

impl Padding {
    /// Top, left, bottom, right.
    pub fn sides(self) -> [usize; 4] {
        match self {
            Self::All(size) => [size; 4],
            Self::Sides(sides) => sides,
        }
    }
}

impl JsonSchema for Padding {
    fn schema_name() -> Cow<'static, str> {
        "Padding".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let size = json_schema!({ "type": "integer", "minimum": 0 });
        json_schema!({
            "description": "one number for every side, or `[top, left, bottom, right]`",
            "anyOf": [size, { "type": "array", "items": size, "minItems": 4, "maxItems": 4 }]
        })
    }
}

/// A window of `kernel` taps, `dilation` apart, that moves by `stride` over an image with `padding`.
///
/// ```
/// use lyncean::nn::Window;
///
/// // LeNet-5's first filters: 5x5 with two pixels of padding; and AlexNet's, 11x11 in steps of four.
/// assert_eq!(Window::square(5, 2, 1).output([28, 28])?, [28, 28]);
/// assert_eq!(Window::square(11, 2, 4).output([224, 224])?, [55, 55]);
/// # Ok::<(), lyncean::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Vertical and horizontal taps.
    pub kernel: [usize; 2],
    /// Vertical and horizontal step.
    pub stride: [usize; 2],
    /// Top, left, bottom, right.
    pub padding: [usize; 4],
    /// Vertical and horizontal distance of neighbouring taps.
    pub dilation: [usize; 2],
}

impl Window {
    /// A square window with the same padding on every side.
    pub fn square(kernel: usize, padding: usize, stride: usize) -> Self {
        Self { kernel: [kernel; 2], stride: [stride; 2], padding: [padding; 4], dilation: [1; 2] }
    }

    /// Height and width of the output: `floor((N + 2 P - D (K - 1) - 1) / S) + 1`.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) when a kernel, stride or dilation is 0;
    /// [`Shape`](crate::ErrorKind::Shape) when the window is larger than the padded image;
    /// [`Limit`](crate::ErrorKind::Limit) when a number is absurdly large.
    pub fn output(&self, input: [usize; 2]) -> Result<[usize; 2]> {
        Ok([self.positions(0, input[0])?.0, self.positions(1, input[1])?.0])
    }

    /// Rows and columns at the bottom and right of the padded image that no window reaches, because
    /// the stride does not divide the way.
    ///
    /// # Errors
    /// As [`output`](Self::output).
    pub fn unused(&self, input: [usize; 2]) -> Result<[usize; 2]> {
        Ok([self.positions(0, input[0])?.1, self.positions(1, input[1])?.1])
    }

    /// What to tell the reader of an architecture about rows and columns that no window reaches.
    ///
    /// # Errors
    /// As [`output`](Self::output).
    pub fn leftovers(&self, input: [usize; 2]) -> Result<Vec<String>> {
        let (output, unused) = (self.output(input)?, self.unused(input)?);
        let mut notes = Vec::new();
        for axis in [0, 1] {
            if unused[axis] == 0 {
                continue;
            }
            let (side, line) = [("height", "row"), ("width", "column")][axis];
            let (len, padding, stride) =
                (input[axis], self.padding[axis] + self.padding[axis + 2], self.stride[axis]);
            let reach = self.dilation[axis] * (self.kernel[axis] - 1) + 1;
            let exact = (len + padding - reach) as f64 / stride as f64 + 1.0;
            let which = match unused[axis] {
                1 => format!("the last {line} of the padded input is"),
                n => format!("the last {n} {line}s of the padded input are"),
            };
            // Thirds and the like are shown to two digits.
            let exact = (exact * 100.0).round() / 100.0;
            notes.push(format!(
                "{side} ({len} + {padding} - {reach}) / {stride} + 1 = {exact} is floored to {}: {which} not used",
                output[axis]
            ));
        }
        Ok(notes)
    }

    /// The rows (axis 0) or columns (axis 1) of an image `len` long that the window at `position`
    /// covers, where its taps lie side by side.
    pub(super) fn covered(&self, axis: usize, position: usize, len: usize) -> std::ops::Range<usize> {
        let start = position * self.stride[axis];
        let end = (start + self.kernel[axis]).saturating_sub(self.padding[axis]).min(len);
        start.saturating_sub(self.padding[axis]).min(end)..end
    }

    /// Windows along an axis, and what is left over.
    fn positions(&self, axis: usize, len: usize) -> Result<(usize, usize)> {
        let (kernel, stride, dilation) = (self.kernel[axis], self.stride[axis], self.dilation[axis]);
        for (name, value) in [("kernel", kernel), ("stride", stride), ("dilation", dilation)] {
            if value == 0 {
                return Err(Error::pipeline(format!("`{name}` must be at least 1, got 0")));
            }
        }
        let padding = [self.padding[axis], self.padding[axis + 2]];
        let largest = [kernel, stride, dilation, len, padding[0], padding[1]].into_iter().max();
        if largest > Some(1 << 24) {
            return Err(Error::limit("kernel, stride, dilation, padding and image are limited to 16777216"));
        }
        let (reach, padded) = (dilation * (kernel - 1) + 1, len + padding[0] + padding[1]);
        let Some(way) = padded.checked_sub(reach) else {
            let side = ["height", "width"][axis];
            let dilated = if dilation > 1 { format!(" with dilation {dilation}") } else { String::new() };
            return Err(Error::shape(format!(
                "expected an image of {side} {reach} or more with its padding for a kernel of {kernel}{dilated}, \
                 got {len} + {} + {} = {padded}",
                padding[0], padding[1]
            ))
            .with_hint("a smaller `kernel`, more `padding`, or less stride and pooling before this layer"));
        };
        Ok((way / stride + 1, way % stride))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_follow_the_formula() {
        let window = Window::square(5, 1, 2);
        assert_eq!(window.output([32, 31]).unwrap(), [15, 15]);
        assert_eq!(window.unused([32, 31]).unwrap(), [1, 0]);
    }

    #[test]
    fn a_window_larger_than_the_image_is_an_error() {
        let window = Window { dilation: [2, 1], ..Window::square(3, 1, 1) };
        assert_eq!(window.output([3, 1]).unwrap(), [1, 1]);
        let error = window.output([2, 1]).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Shape);
        assert!(error.message().contains("height 5") && error.message().contains("2 + 1 + 1 = 4"), "{error}");
        assert!(Window::square(3, 0, 0).output([8, 8]).is_err());
        assert!(Window::square(usize::MAX, 0, 1).output([8, 8]).is_err());
        assert!(Window::square(3, usize::MAX, 1).output([8, 8]).is_err());
    }
}
