//! How far one image is above another.

use std::sync::Arc;

use super::row::{RowNode, RowOut, Rows, Shape, State};
use super::stencil::expect_types;
use crate::Result;
use crate::image::{Element, ImageType};
use crate::kernel::Isa;
use crate::kernel::pixel::{excess_row, signed_difference_row};

/// `first - second`; integers stop at 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExcessRows;

impl RowNode for ExcessRows {
    fn name(&self) -> &'static str {
        "excess"
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
        let y = y as isize;
        match rows.shape(0).ty.element() {
            Element::U16 => excess_row(isa, rows.get::<u16>(0, 0, y), rows.get(1, 0, y), out.row()),
            Element::F32 => {
                signed_difference_row::<f32>(isa, rows.get(0, 0, y), rows.get(1, 0, y), out.row());
            }
            _ => excess_row(isa, rows.get::<u8>(0, 0, y), rows.get(1, 0, y), out.row()),
        }
    }
}

/// The node for two gray images or masks of one shape.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for images that are not gray.
pub fn node(input: Shape) -> Result<Arc<dyn RowNode>> {
    use ImageType::{Gray8, Gray16, GrayF32, Mask};
    expect_types("excess", input, &[Gray8, Gray16, GrayF32, Mask])?;
    Ok(Arc::new(ExcessRows))
}
