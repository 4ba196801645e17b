//! Conversions between number types.

use std::sync::Arc;

use super::Context;
use super::chain::{Chain, apply_chain};
use super::row::{RowNode, RowOut, Rows, Shape, State};
use super::stencil::expect_types;
use crate::Result;
use crate::image::{Element, Image, ImageType, Pixel};
use crate::kernel::Isa;
use crate::kernel::pixel::{self, Sample};

/// The number types of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Depth {
    /// 8 bit, 0..=255.
    U8,
    /// 16 bit, 0..=65535.
    U16,
    /// Floats; pictures use 0..=1.
    F32,
}

impl Depth {
    /// The value that stands for white.
    pub const fn white(self) -> f32 {
        match self {
            Self::U8 => 255.0,
            Self::U16 => 65535.0,
            Self::F32 => 1.0,
        }
    }

    fn of(ty: ImageType) -> Self {
        match ty.element() {
            Element::U8 => Self::U8,
            Element::U16 => Self::U16,
            _ => Self::F32,
        }
    }
}

/// Parameters of [`convert`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Convert {
    /// The number type of the result.
    pub to: Depth,
    /// What values are multiplied with. `None` maps white to white: 1/257 from 16 to 8 bit, 255 from
    /// floats to 8 bit, 1/255 from 8 bit to floats.
    pub scale: Option<f32>,
    /// What is added afterwards, in the unit of the result.
    pub offset: f32,
}

impl Convert {
    /// White to white.
    pub const fn to(to: Depth) -> Self {
        Self { to, scale: None, offset: 0.0 }
    }
}

/// `value * scale + offset` in another number type, computed in `f32`, rounded to nearest with ties
/// to even and saturated: OpenCV's `convertTo`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConvertRows {
    to: Depth,
    scale: f32,
    offset: f32,
}

impl ConvertRows {
    /// A node for images of this type.
    pub fn new(input: ImageType, params: &Convert) -> Self {
        let white = params.to.white() / Depth::of(input).white();
        Self { to: params.to, scale: params.scale.unwrap_or(white), offset: params.offset }
    }

    fn write<S: Pixel + Sample>(&self, isa: Isa, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        let pixels: &[S] = rows.get(0, 0, y as isize);
        match self.to {
            Depth::U8 => pixel::convert_row::<S, u8>(isa, pixels, self.scale, self.offset, out.row()),
            Depth::U16 => pixel::convert_row::<S, u16>(isa, pixels, self.scale, self.offset, out.row()),
            Depth::F32 => pixel::convert_row::<S, f32>(isa, pixels, self.scale, self.offset, out.row()),
        }
    }
}

impl RowNode for ConvertRows {
    fn name(&self) -> &'static str {
        match self.to {
            Depth::U8 => "to-u8",
            Depth::U16 => "to-u16",
            Depth::F32 => "to-f32",
        }
    }

    fn output(&self, inputs: &[Shape]) -> Shape {
        let ty = match (inputs[0].ty.channels(), self.to) {
            (3, Depth::U8) => ImageType::Rgb8,
            (3, Depth::U16) => ImageType::Rgb16,
            (3, Depth::F32) => ImageType::RgbF32,
            (_, Depth::U8) => ImageType::Gray8,
            (_, Depth::U16) => ImageType::Gray16,
            (_, Depth::F32) => ImageType::GrayF32,
        };
        Shape { ty, ..inputs[0] }
    }

    fn is_map(&self) -> bool {
        true
    }

    fn row(&self, isa: Isa, _state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        match Depth::of(rows.shape(0).ty) {
            Depth::U8 => self.write::<u8>(isa, rows, y, out),
            Depth::U16 => self.write::<u16>(isa, rows, y, out),
            Depth::F32 => self.write::<f32>(isa, rows, y, out),
        }
    }
}

/// The node of `to-u8`, `to-u16` and `to-f32`: none where nothing changes.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for labels and gradients.
pub fn nodes(input: Shape, params: &Convert) -> Result<Chain> {
    let node = ConvertRows::new(input.ty, params);
    expect_types(node.name(), input, &[ImageType::READ.as_slice(), &[ImageType::Mask]].concat())?;
    let is_identity = node.output(&[input]) == input && node.scale == 1.0 && node.offset == 0.0;
    Ok(if is_identity { Chain::new() } else { vec![Arc::new(node)] })
}

/// Converts to another number type; see [`ConvertRows`]. Masks become gray.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::convert::Depth;
/// use lyncean::ops::{Context, Convert, convert};
///
/// let white = Image::Gray8(Plane::filled(1, 1, 255));
/// let params = Convert { to: Depth::F32, scale: None, offset: 0.0 };
/// assert_eq!(convert(&white, &params, &Context::default())?.as_gray_f32()?.get(0, 0), 1.0);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for labels and gradients, [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn convert(image: &Image, params: &Convert, cx: &Context) -> Result<Image> {
    apply_chain(nodes(Shape::of(image), params)?, image, cx)
}
