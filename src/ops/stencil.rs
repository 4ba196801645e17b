//! What the operations over a window of pixels have in common: size, anchor and border.

use std::ops::Range;

use super::row::{BATCH, Rows, Shape, State, Window};
use crate::image::{Border, BorderMode, ImageType, Pixel};
use crate::{Error, Result};

/// A window of pixels around an anchor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stencil {
    /// Width and height.
    pub size: (usize, usize),
    /// The pixel of the window that lies on the output's pixel, from its top left.
    pub anchor: (usize, usize),
    /// What lies beyond the edge.
    pub border: Border,
}

impl Stencil {
    /// A centred window; of an even size, right and below of the centre as in OpenCV.
    pub(crate) fn centred(width: usize, height: usize, border: Border) -> Self {
        Self { size: (width, height), anchor: (width / 2, height / 2), border }
    }

    /// The padding a node declares.
    pub(crate) fn window(&self) -> Window {
        if self.border.mode == BorderMode::Valid {
            return Window { left: 0, right: 0, border: self.border };
        }
        let (left, width) = (self.anchor.0, self.size.0);
        Window { left, right: width - 1 - left, border: self.border }
    }

    /// The input rows of output row `y`.
    pub(crate) fn rows(&self, y: usize) -> Range<isize> {
        let top = match self.border.mode {
            BorderMode::Valid => y as isize,
            _ => y as isize - self.anchor.1 as isize,
        };
        top..top + self.size.1 as isize
    }

    /// The input rows of neighbouring output rows, at least one: as many more as there are more output rows.
    pub(crate) fn rows_of(&self, ys: Range<usize>) -> Range<isize> {
        let first = self.rows(ys.start);
        first.start..first.end + ys.len() as isize - 1
    }

    /// The output's shape when every window that fits gives a pixel.
    pub(crate) fn output(&self, input: Shape, ty: ImageType) -> Shape {
        match self.border.mode {
            BorderMode::Valid => Shape::new(
                ty,
                (input.width + 1).saturating_sub(self.size.0),
                (input.height + 1).saturating_sub(self.size.1),
            ),
            _ => Shape::new(ty, input.width, input.height),
        }
    }
}

/// Windows of up to this many rows are gathered without allocating; few rows cost less.
const FEW: usize = 8 + BATCH;
const MANY: usize = 64;

/// Calls `body` with the padded rows of a window.
pub(crate) fn with_window<T: Pixel, R>(
    rows: &Rows<'_>,
    plane: usize,
    range: Range<isize>,
    body: impl FnOnce(&[&[T]]) -> R,
) -> R {
    let count = range.len();
    if count <= FEW {
        let mut window: [&[T]; FEW] = [&[]; FEW];
        rows.window(plane, range.start, &mut window[..count]);
        body(&window[..count])
    } else if count <= MANY {
        let mut window: [&[T]; MANY] = [&[]; MANY];
        rows.window(plane, range.start, &mut window[..count]);
        body(&window[..count])
    } else {
        let mut window: Vec<&[T]> = vec![&[]; count];
        rows.window(plane, range.start, &mut window);
        body(&window)
    }
}

/// The state that a node's `start` made.
pub(crate) fn scratch<T: 'static>(state: &mut State) -> &mut T {
    #[expect(clippy::expect_used, reason = "the executor hands a node the state its own start made")]
    state.downcast_mut().expect("the state made by start")
}

/// Refuses images of a type that an operation has no meaning for.
pub(crate) fn expect_types(name: &str, input: Shape, accepted: &[ImageType]) -> Result<()> {
    if accepted.contains(&input.ty) {
        return Ok(());
    }
    let names: Vec<String> = accepted.iter().map(|ty| format!("`{ty}`")).collect();
    let error = Error::shape(format!("`{name}` wants {}, got `{}`", names.join(" or "), input.ty));
    Err(match input.ty.channels() {
        3 => error.with_hint("put `gray` before it"),
        _ => error,
    })
}
