//! The difference of two images.

use std::sync::Arc;

use super::Context;
use super::row::{RowNode, RowOut, Rows, Shape, State, apply};
use crate::image::{Element, Image, ImageType, Pixel};
use crate::kernel::Isa;
use crate::kernel::pixel::{self, Sample};
use crate::{Error, Result};

/// The difference of two images of one type and size, pixel by pixel.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct DifferenceRows {
    signed: bool,
}

impl DifferenceRows {
    fn write<T>(self, isa: Isa, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>)
    where
        T: Pixel + Sample + PartialOrd + std::ops::Sub<Output = T>,
    {
        let [a, b]: [&[T]; 2] = [0, 1].map(|input| rows.get(input, 0, y as isize));
        if self.signed {
            pixel::signed_difference_row(isa, a, b, out.row());
        } else {
            pixel::absolute_difference_row(isa, a, b, out.row());
        }
    }
}

impl RowNode for DifferenceRows {
    fn name(&self) -> &'static str {
        "difference"
    }

    fn inputs(&self) -> usize {
        2
    }

    fn output(&self, inputs: &[Shape]) -> Shape {
        let ty = match (self.signed, inputs[0].ty.channels()) {
            (true, 3) => ImageType::RgbF32,
            (true, _) => ImageType::GrayF32,
            _ => inputs[0].ty,
        };
        Shape { ty, ..inputs[0] }
    }

    fn is_map(&self) -> bool {
        true
    }

    fn row(&self, isa: Isa, _state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        match rows.shape(0).ty.element() {
            Element::U8 => self.write::<u8>(isa, rows, y, out),
            Element::U16 => self.write::<u16>(isa, rows, y, out),
            _ => self.write::<f32>(isa, rows, y, out),
        }
    }
}

/// The node of `difference`, which has two inputs.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) when types or sizes differ, and for labels and gradients.
pub fn node(a: Shape, b: Shape, signed: bool) -> Result<Arc<dyn RowNode>> {
    if a != b {
        return Err(Error::shape(format!(
            "`difference` wants two images of one type and size, got `{}` {}x{} and `{}` {}x{}",
            a.ty, a.width, a.height, b.ty, b.width, b.height
        )));
    }
    if !ImageType::READ.contains(&a.ty) && a.ty != ImageType::Mask {
        return Err(Error::shape(format!("`difference` wants gray, colour or masks, got `{}`", a.ty)));
    }
    Ok(Arc::new(DifferenceRows { signed }))
}

/// `|a - b|` in the type of the images, or, `signed`, `a - b` as floats.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Context, difference};
///
/// let [a, b] = [3, 10].map(|value| Image::Gray8(Plane::filled(1, 1, value)));
/// assert_eq!(difference(&a, &b, false, &Context::default())?.as_gray8()?.get(0, 0), 7);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) when types or sizes differ, and for labels and gradients,
/// [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn difference(a: &Image, b: &Image, signed: bool, cx: &Context) -> Result<Image> {
    apply(node(Shape::of(a), Shape::of(b), signed)?, &[a, b], cx)
}
