//! Gray values as colours.
//!
//! The tables are in `colormap.bin`, 256 times red, green and blue each, written by `colormap.py`, which
//! names their authors and terms.

use std::sync::Arc;

use super::Context;
use super::chain::{Chain, apply_chain};
use super::row::{RowNode, RowOut, Rows, Shape, State};
use super::stencil::expect_types;
use crate::Result;
use crate::image::{Element, Image, ImageType};
use crate::kernel::Isa;

/// A well-known map from 256 gray values to colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Colormap {
    /// Dark blue over green to yellow, even to the eye (S. van der Walt and N. Smith, 2015).
    #[default]
    Viridis,
    /// Black over purple to light yellow, even to the eye (the same).
    Magma,
    /// Black over red to light yellow, even to the eye (the same).
    Inferno,
    /// Blue over red to yellow, even to the eye (the same).
    Plasma,
    /// Blue to yellow, even and also for the colour-blind (J. Nuñez, C. Anderton and R. Renslow, 2018).
    Cividis,
    /// A rainbow without jet's false edges (A. Mikhailov, 2019).
    Turbo,
    /// The old rainbow: blue, cyan, yellow, red.
    Jet,
    /// Gray as it is.
    Gray,
}

/// All tables but gray's, in the order of [`Colormap`].
const TABLES: &[u8; 7 * 768] = include_bytes!("colormap.bin");

impl Colormap {
    /// All maps.
    pub const ALL: [Self; 8] = [
        Self::Viridis,
        Self::Magma,
        Self::Inferno,
        Self::Plasma,
        Self::Cividis,
        Self::Turbo,
        Self::Jet,
        Self::Gray,
    ];

    /// Red, green and blue of every gray value.
    pub fn table(self) -> [[u8; 3]; 256] {
        let all = TABLES.as_chunks::<3>().0;
        std::array::from_fn(|i| match self {
            Self::Gray => [i as u8; 3],
            _ => all[self as usize * 256 + i],
        })
    }
}

/// The colour of every pixel's gray value.
#[derive(Clone, Debug, PartialEq)]
pub struct ColormapRows {
    table: [[u8; 3]; 256],
}

impl RowNode for ColormapRows {
    fn name(&self) -> &'static str {
        "colormap"
    }

    fn output(&self, inputs: &[Shape]) -> Shape {
        Shape { ty: ImageType::Rgb8, ..inputs[0] }
    }

    fn is_map(&self) -> bool {
        true
    }

    fn row(&self, _isa: Isa, _state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        let y = y as isize;
        let out = out.row::<[u8; 3]>();
        match rows.shape(0).ty.element() {
            Element::U8 => {
                for (&value, out) in rows.get::<u8>(0, 0, y).iter().zip(out) {
                    *out = self.table[usize::from(value)];
                }
            }
            Element::U16 => {
                for (&value, out) in rows.get::<u16>(0, 0, y).iter().zip(out) {
                    *out = self.table[usize::from(value >> 8)];
                }
            }
            _ => {
                for (&value, out) in rows.get::<f32>(0, 0, y).iter().zip(out) {
                    // Casts saturate, and NaN is 0.
                    *out = self.table[usize::from((value * 256.0) as u8)];
                }
            }
        }
    }
}

/// The node of `colormap`.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for images that are not gray.
pub fn nodes(input: Shape, map: Colormap) -> Result<Chain> {
    use ImageType::{Gray8, Gray16, GrayF32, Mask};
    expect_types("colormap", input, &[Gray8, Gray16, GrayF32, Mask])?;
    Ok(vec![Arc::new(ColormapRows { table: map.table() })])
}

/// The colours of gray values: the range of the type, 0..=255, 0..=65535 or 0..=1, is cut into 256
/// equal parts.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Colormap, Context, colormap};
///
/// let image = Image::Gray8(Plane::filled(1, 1, 7));
/// let colours = colormap(&image, Colormap::Gray, &Context::default())?;
/// assert_eq!(colours.plane_bytes(0), [7, 7, 7]);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for images that are not gray, [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn colormap(image: &Image, map: Colormap, cx: &Context) -> Result<Image> {
    apply_chain(nodes(Shape::of(image), map)?, image, cx)
}
