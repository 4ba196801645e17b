//! Thresholds: the five types of OpenCV, at a fixed level or at Otsu's.

use std::sync::Arc;

use super::Context;
use super::chain::{Chain, apply_chain};
use super::row::{RowNode, RowOut, Rows, Shape, State};
use super::stencil::expect_types;
use crate::Result;
use crate::image::{Image, ImageType, Pixel};
use crate::kernel::{Isa, threshold as kernel};

/// What becomes of pixels above and not above the level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum ThresholdType {
    /// A mask: 255 above, 0 below.
    #[default]
    Binary,
    /// A mask: 0 above, 255 below.
    BinaryInv,
    /// The level above, the pixel below.
    Trunc,
    /// The pixel above, 0 below.
    ToZero,
    /// 0 above, the pixel below.
    ToZeroInv,
}

impl ThresholdType {
    /// All types, for tests.
    pub const ALL: [Self; 5] = [Self::Binary, Self::BinaryInv, Self::Trunc, Self::ToZero, Self::ToZeroInv];

    /// Whether the result is a mask.
    pub fn is_binary(self) -> bool {
        matches!(self, Self::Binary | Self::BinaryInv)
    }
}

/// Compares every pixel with one level, `pixel > level`.
///
/// The level is in the units of the image: 0..=255, 0..=65535, or the floats as they are. Integer
/// images compare with the largest integer that is not above the level, as in OpenCV.
#[derive(Clone, Debug, PartialEq)]
pub struct ThresholdRows {
    /// The level.
    pub level: f32,
    /// What becomes of pixels.
    pub kind: ThresholdType,
    /// Whether input is 8 bit, where the node is a [table](RowNode::table).
    table: Option<Arc<[u8; 256]>>,
}

impl ThresholdRows {
    /// A node for images of this type.
    pub fn new(input: ImageType, level: f32, kind: ThresholdType) -> Self {
        let is_8_bit = matches!(input, ImageType::Gray8 | ImageType::Mask);
        let table = is_8_bit.then(|| Arc::new(table(level, kind)));
        Self { level, kind, table }
    }

    /// Another level for images of the same type, in the same memory.
    pub(crate) fn set_level(&mut self, level: f32) {
        self.level = level;
        if let Some(old) = &mut self.table {
            match Arc::get_mut(old) {
                Some(old) => *old = table(level, self.kind),
                None => *old = Arc::new(table(level, self.kind)),
            }
        }
    }
}

/// What becomes of every 8-bit pixel.
fn table(level: f32, kind: ThresholdType) -> [u8; 256] {
    let pixels: [u8; 256] = std::array::from_fn(|i| i as u8);
    let mut table = [0; 256];
    let level = Level::of_integers(level, 255, |level| level as u8);
    if kind.is_binary() {
        level.mask_row(Isa::PORTABLE, &pixels, kind, &mut table);
    } else {
        level.row(Isa::PORTABLE, &pixels, kind, &mut table);
    }
    table
}

/// A level in the numbers of an image.
#[derive(Clone, Copy)]
enum Level<T> {
    /// Below every pixel.
    Under,
    At(T),
}

impl<T: Copy + PartialOrd + Default> Level<T> {
    /// The level for integers of 0 to `largest`. NaN has no pixel above it, like the largest.
    fn of_integers(level: f32, largest: u16, narrow: impl Fn(u16) -> T) -> Self {
        match level.floor() {
            floor if floor < 0.0 => Self::Under,
            floor if floor < f32::from(largest) => Self::At(narrow(floor as u16)),
            _ => Self::At(narrow(largest)),
        }
    }

    fn mask_row(self, isa: Isa, pixels: &[T], kind: ThresholdType, out: &mut [u8]) {
        let inverted = kind == ThresholdType::BinaryInv;
        match self {
            Self::Under => out.fill(if inverted { 0 } else { 255 }),
            Self::At(level) => kernel::mask_row(isa, pixels, level, inverted, out),
        }
    }

    fn row(self, isa: Isa, pixels: &[T], kind: ThresholdType, out: &mut [T]) {
        let zero = T::default();
        match (self, kind) {
            (Self::Under, ThresholdType::ToZero) => out.copy_from_slice(pixels),
            (Self::Under, _) => out.fill(zero),
            (Self::At(level), ThresholdType::Trunc) => {
                kernel::select_row(isa, pixels, level, Some(level), None, out);
            }
            (Self::At(level), ThresholdType::ToZero) => {
                kernel::select_row(isa, pixels, level, None, Some(zero), out);
            }
            (Self::At(level), _) => kernel::select_row(isa, pixels, level, Some(zero), None, out),
        }
    }
}

impl RowNode for ThresholdRows {
    fn name(&self) -> &'static str {
        "threshold"
    }

    fn output(&self, inputs: &[Shape]) -> Shape {
        let ty = match inputs[0].ty {
            _ if self.kind.is_binary() => ImageType::Mask,
            // 255 may have been cut to something in between.
            ImageType::Mask => ImageType::Gray8,
            ty => ty,
        };
        Shape { ty, ..inputs[0] }
    }

    fn is_map(&self) -> bool {
        true
    }

    fn row(&self, isa: Isa, _state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        fn write<T: Pixel + PartialOrd>(
            level: Level<T>,
            isa: Isa,
            pixels: &[T],
            kind: ThresholdType,
            out: &mut RowOut<'_>,
        ) {
            if kind.is_binary() {
                level.mask_row(isa, pixels, kind, out.row());
            } else {
                level.row(isa, pixels, kind, out.row());
            }
        }
        let (level, kind, y) = (self.level, self.kind, y as isize);
        match rows.shape(0).ty {
            ImageType::GrayF32 => write(Level::At(level), isa, rows.get(0, 0, y), kind, out),
            ImageType::Gray16 => {
                let level = Level::of_integers(level, u16::MAX, |level| level);
                write(level, isa, rows.get(0, 0, y), kind, out);
            }
            _ => {
                let level = Level::of_integers(level, 255, |level| level as u8);
                write(level, isa, rows.get(0, 0, y), kind, out);
            }
        }
    }

    fn table(&self) -> Option<Arc<[u8; 256]>> {
        self.table.clone()
    }
}

/// The node of `threshold` at a fixed level.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for images that are not gray.
pub fn nodes(input: Shape, level: f32, kind: ThresholdType) -> Result<Chain> {
    use ImageType::{Gray8, Gray16, GrayF32, Mask};
    expect_types("threshold", input, &[Gray8, Gray16, GrayF32, Mask])?;
    Ok(vec![Arc::new(ThresholdRows::new(input.ty, level, kind))])
}

/// Parameters of [`threshold`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// Pixels above it are above, in units of the image.
    pub level: f32,
    /// What becomes of pixels above and not above.
    pub kind: ThresholdType,
}

impl Default for Threshold {
    /// A mask of all that is above 0.
    fn default() -> Self {
        Self { level: 0.0, kind: ThresholdType::Binary }
    }
}

/// Compares every pixel with a level; see [`ThresholdRows`] for its unit and [`ThresholdType`] for
/// what becomes of pixels. Binary types give a mask, the others the type of the image.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Context, Threshold, threshold};
///
/// let image = Image::Gray8(Plane::from_vec(2, 1, vec![50, 150])?);
/// let params = Threshold { level: 100.0, ..Threshold::default() };
/// let mask = threshold(&image, &params, &Context::default())?;
/// assert_eq!(mask.as_gray8()?.as_slice(), [0, 255]);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for images that are not gray,
/// [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn threshold(image: &Image, params: &Threshold, cx: &Context) -> Result<Image> {
    apply_chain(nodes(Shape::of(image), params.level, params.kind)?, image, cx)
}
