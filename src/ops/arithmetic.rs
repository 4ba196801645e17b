//! Two images, or an image and a constant, value by value; pixels under a mask.

use std::sync::Arc;

use super::Context;
use super::chain::{Chain, apply_chain};
use super::equalize::TableRows;
use super::row::{RowNode, RowOut, Rows, Shape, State, apply};
use crate::image::{Element, Image, ImageType, Pixel};
use crate::kernel::Isa;
use crate::kernel::arithmetic as kernel;
pub use crate::kernel::arithmetic::Operation;
use crate::{Error, Result};

/// The type of two values combined: masks stay masks where only one of both is taken.
pub(crate) fn combined_type(op: Operation, a: ImageType, b: Option<ImageType>) -> Option<ImageType> {
    use ImageType::{Gray8, Mask};
    match (a, b.unwrap_or(a)) {
        (Mask, Mask) if b.is_some() && matches!(op, Operation::Min | Operation::Max) => Some(Mask),
        (Gray8 | Mask, Gray8 | Mask) => Some(Gray8),
        (a, b) if a == b && ImageType::READ.contains(&a) => Some(a),
        _ => None,
    }
}

/// Two images of one size, value by value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CombineRows {
    op: Operation,
    output: ImageType,
}

impl RowNode for CombineRows {
    fn name(&self) -> &'static str {
        "arithmetic"
    }

    fn inputs(&self) -> usize {
        2
    }

    fn output(&self, inputs: &[Shape]) -> Shape {
        Shape { ty: self.output, ..inputs[0] }
    }

    fn is_map(&self) -> bool {
        true
    }

    fn row(&self, isa: Isa, _state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        macro_rules! combine {
            ($type:ty) => {{
                let [a, b]: [&[$type]; 2] = [0, 1].map(|input| rows.get(input, 0, y as isize));
                kernel::combine_row(isa, self.op, a, b, out.row());
            }};
        }
        match self.output.element() {
            Element::U8 => combine!(u8),
            Element::U16 => combine!(u16),
            _ => combine!(f32),
        }
    }
}

/// An image of 16 bit or floats and a constant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CombineConstantRows {
    op: Operation,
    constant: f32,
}

impl RowNode for CombineConstantRows {
    fn name(&self) -> &'static str {
        "arithmetic"
    }

    fn output(&self, inputs: &[Shape]) -> Shape {
        inputs[0]
    }

    fn is_map(&self) -> bool {
        true
    }

    fn row(&self, isa: Isa, _state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        let (op, constant, y) = (self.op, self.constant, y as isize);
        match rows.shape(0).ty.element() {
            Element::U16 => {
                kernel::combine_constant_row::<u16>(isa, op, rows.get(0, 0, y), constant, out.row());
            }
            _ => kernel::combine_constant_row::<f32>(isa, op, rows.get(0, 0, y), constant, out.row()),
        }
    }
}

/// The node of two images, which has two inputs.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) when types or sizes differ, and for labels and gradients.
pub fn node(a: Shape, b: Shape, op: Operation) -> Result<Arc<dyn RowNode>> {
    match combined_type(op, a.ty, Some(b.ty)) {
        Some(output) if (a.width, a.height) == (b.width, b.height) => {
            Ok(Arc::new(CombineRows { op, output }))
        }
        _ => Err(Error::shape(format!(
            "`arithmetic` wants two pictures of one type and size, got `{}` {}x{} and `{}` {}x{}",
            a.ty, a.width, a.height, b.ty, b.width, b.height
        ))),
    }
}

/// The node of an image and a constant in units of the image.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for labels and gradients.
pub fn constant_nodes(a: Shape, constant: f32, op: Operation) -> Result<Chain> {
    let Some(output) = combined_type(op, a.ty, None) else {
        return Err(Error::shape(format!("`arithmetic` wants gray, colour or masks, got `{}`", a.ty)));
    };
    Ok(match a.ty.element() {
        Element::U8 => {
            let values: [u8; 256] = std::array::from_fn(|i| i as u8);
            let mut table = [0; 256];
            kernel::combine_constant_row(Isa::PORTABLE, op, &values, constant, &mut table);
            vec![Arc::new(TableRows::new("arithmetic", Arc::new(table), output))]
        }
        _ => vec![Arc::new(CombineConstantRows { op, constant })],
    })
}

/// Combines two images value by value, in their type: integers saturate, as in OpenCV's `add`,
/// `subtract`, `multiply`, `divide`, `min`, `max` and `addWeighted`.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Context, Operation, arithmetic};
///
/// let [a, b] = [200, 100].map(|value| Image::Gray8(Plane::filled(1, 1, value)));
/// // Integers stop at white.
/// assert_eq!(arithmetic(&a, &b, Operation::Add, &Context::default())?.as_gray8()?.get(0, 0), 255);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) when types or sizes differ, and for labels and gradients,
/// [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn arithmetic(a: &Image, b: &Image, op: Operation, cx: &Context) -> Result<Image> {
    apply(node(Shape::of(a), Shape::of(b), op)?, &[a, b], cx)
}

/// [`arithmetic`] with the same value, in units of the image, everywhere in place of a second image.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Context, Operation, arithmetic_constant};
///
/// let image = Image::Gray8(Plane::from_vec(2, 1, vec![10, 20])?);
/// let more = arithmetic_constant(&image, 5.0, Operation::Add, &Context::default())?;
/// assert_eq!(more.as_gray8()?.as_slice(), [15, 25]);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for labels and gradients, [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn arithmetic_constant(a: &Image, constant: f32, op: Operation, cx: &Context) -> Result<Image> {
    apply_chain(constant_nodes(Shape::of(a), constant, op)?, a, cx)
}

/// Keeps the pixels under a mask.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MaskApplyRows {
    inverted: bool,
    outside: f32,
}

impl MaskApplyRows {
    fn write<T: Pixel>(self, isa: Isa, outside: T, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        let (pixels, mask) = (rows.get(0, 0, y as isize), rows.get(1, 0, y as isize));
        kernel::mask_apply_row::<T>(isa, pixels, mask, self.inverted, outside, out.row());
    }
}

impl RowNode for MaskApplyRows {
    fn name(&self) -> &'static str {
        "mask-apply"
    }

    fn inputs(&self) -> usize {
        2
    }

    fn output(&self, inputs: &[Shape]) -> Shape {
        inputs[0]
    }

    fn is_map(&self) -> bool {
        true
    }

    fn row(&self, isa: Isa, _state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        // Rust's casts from floats saturate.
        let value = self.outside.round_ties_even();
        let ty = rows.shape(0).ty;
        match (ty.element(), ty.channels()) {
            (Element::U8, 3) => self.write(isa, [value as u8; 3], rows, y, out),
            (Element::U16, 3) => self.write(isa, [value as u16; 3], rows, y, out),
            (_, 3) => self.write(isa, [self.outside; 3], rows, y, out),
            (Element::U8, _) => {
                let (pixels, mask) = (rows.get(0, 0, y as isize), rows.get(1, 0, y as isize));
                kernel::mask_apply_u8_row(isa, pixels, mask, self.inverted, value as u8, out.row());
            }
            (Element::U16, _) => self.write(isa, value as u16, rows, y, out),
            (Element::U32, _) => self.write(isa, value as u32, rows, y, out),
            _ => self.write(isa, self.outside, rows, y, out),
        }
    }
}

/// The node of `mask-apply`, whose second input is the mask.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) when sizes differ, when the second image is no mask, for
/// gradients, and when a mask would get another value than 0 or 255.
pub fn mask_apply_node(image: Shape, mask: Shape, outside: f32, inverted: bool) -> Result<Arc<dyn RowNode>> {
    let is_sized = (image.width, image.height) == (mask.width, mask.height);
    if image.ty.planes() > 1 || mask.ty != ImageType::Mask || !is_sized {
        return Err(Error::shape(format!(
            "`mask-apply` wants an image and a mask of its size, got `{}` {}x{} and `{}` {}x{}",
            image.ty, image.width, image.height, mask.ty, mask.width, mask.height
        )));
    }
    if image.ty == ImageType::Mask && outside != 0.0 && outside != 255.0 {
        return Err(Error::shape(format!("masks hold 0 and 255 only, not {outside}")));
    }
    Ok(Arc::new(MaskApplyRows { inverted, outside }))
}

/// Parameters of [`mask_apply`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MaskApply {
    /// What stands elsewhere, in units of the image, in each channel.
    pub outside: f32,
    /// Whether the pixels stay where the mask is not set.
    pub inverted: bool,
}

/// The pixels where the mask is set, elsewhere `outside` (in units of the image, for each channel);
/// `inverted`, the pixels where it is not.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Context, MaskApply, mask_apply};
///
/// let image = Image::Gray8(Plane::from_vec(2, 1, vec![10, 20])?);
/// let mask = Image::Mask(Plane::from_vec(2, 1, vec![0, 255])?);
/// let kept = mask_apply(&image, &mask, &MaskApply::default(), &Context::default())?;
/// assert_eq!(kept.as_gray8()?.as_slice(), [0, 20]);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) when sizes differ, when the second image is no mask, for
/// gradients, and when a mask would get another value than 0 or 255;
/// [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn mask_apply(image: &Image, mask: &Image, params: &MaskApply, cx: &Context) -> Result<Image> {
    let &MaskApply { outside, inverted } = params;
    apply(mask_apply_node(Shape::of(image), Shape::of(mask), outside, inverted)?, &[image, mask], cx)
}
