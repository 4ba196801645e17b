//! Operations as producers of rows.
//!
//! A [`RowNode`] computes one output row from a window of input rows. It declares the window
//! ([`RowNode::rows_needed`]) and its border; the executor ([`run`]) keeps the rows, pads them to
//! the left and right and maps row numbers above and below the image, so that borders live in one
//! place and chains of nodes run strip by strip without whole intermediate images.
//!
//! ```
//! use std::sync::Arc;
//! use lyncean::image::{Image, Plane};
//! use lyncean::kernel::Isa;
//! use lyncean::ops::Context;
//! use lyncean::ops::row::{RowNode, RowOut, Rows, Shape, State, Window, apply};
//!
//! /// The greater of a pixel and its neighbour on the right.
//! struct Greater;
//!
//! impl RowNode for Greater {
//!     fn name(&self) -> &'static str {
//!         "greater"
//!     }
//!
//!     fn output(&self, inputs: &[Shape]) -> Shape {
//!         inputs[0]
//!     }
//!
//!     fn window(&self, _input: usize) -> Window {
//!         Window { right: 1, ..Window::default() }
//!     }
//!
//!     fn row(&self, _isa: Isa, _state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
//!         let row: &[u8] = rows.get(0, 0, y as isize);
//!         out.row::<u8>().iter_mut().zip(row.windows(2)).for_each(|(out, pair)| *out = pair[0].max(pair[1]));
//!     }
//! }
//!
//! let image = Image::Gray8(Plane::from_vec(3, 1, vec![5, 9, 2])?);
//! let made = apply(Arc::new(Greater), &[&image], &Context::default())?;
//! assert_eq!(made.as_gray8()?.as_slice(), [9, 9, 9]);
//! # Ok::<(), lyncean::Error>(())
//! ```

pub(crate) mod few;
mod plan;
mod ring;
mod rows;
pub mod run;
mod space;
mod strip;

use std::any::Any;
use std::ops::Range;
use std::sync::Arc;

pub use plan::{Run, RunPlan, Step};
pub use rows::{BATCH, RowOut, Rows, RowsOut};
pub(crate) use run::execute_reporting;
pub use run::{RowSink, RowSource, execute, execute_in, stream};
pub use space::Workspace;

use crate::image::{Border, Image, ImageType};
use crate::kernel::Isa;
use crate::ops::Context;
use crate::{Error, Result};

/// Type and size of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// The type.
    pub ty: ImageType,
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
}

impl Shape {
    /// A shape from its parts.
    pub const fn new(ty: ImageType, width: usize, height: usize) -> Self {
        Self { ty, width, height }
    }

    /// The shape of an image.
    pub fn of(image: &Image) -> Self {
        Self::new(image.ty(), image.width(), image.height())
    }

    /// Bytes of a row of one plane.
    pub const fn row_bytes(&self) -> usize {
        self.width * self.ty.pixel_size()
    }
}

/// How a node looks at one of its inputs beyond the edge.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Window {
    /// Pixels wanted left of the image.
    pub left: usize,
    /// Pixels wanted right of the image.
    pub right: usize,
    /// What stands there, and above and below.
    pub border: Border,
}

/// State of a node during one strip: scratch buffers, running integer sums. Never floats that are
/// carried from row to row, since strips start anywhere.
pub type State = Box<dyn Any + Send>;

/// An operation that computes output rows one by one from windows of input rows.
pub trait RowNode: Send + Sync + Any {
    /// The name in plans and messages.
    fn name(&self) -> &'static str;

    /// How many image inputs there are.
    fn inputs(&self) -> usize {
        1
    }

    /// Type and size of the output for inputs of these shapes.
    fn output(&self, inputs: &[Shape]) -> Shape;

    /// Padding and border of an input. A window without padding reads pixels in the image only.
    fn window(&self, _input: usize) -> Window {
        Window::default()
    }

    /// The rows of `input` that output row `y` reads; may reach outside the image, where the
    /// border of the [`window`](Self::window) answers.
    fn rows_needed(&self, _input: usize, y: usize) -> Range<isize> {
        y as isize..y as isize + 1
    }

    /// Scratch for one strip.
    fn start(&self, _inputs: &[Shape], _output: Shape) -> State {
        Box::new(())
    }

    /// Makes the state of an earlier strip ready for another one of the same shapes, in place, so that a
    /// loop over images needs no fresh memory; `false` where a fresh one has to be [started](Self::start).
    fn restart(&self, _state: &mut State) -> bool {
        false
    }

    /// Computes output row `y`. `rows` answers for the rows declared by
    /// [`rows_needed`](Self::rows_needed) and for no others.
    fn row(&self, isa: Isa, state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>);

    /// Computes neighbouring output rows, as [`row`](Self::row) does one after the other: a node that makes several
    /// for less than that says so here.
    fn rows(&self, isa: Isa, state: &mut State, rows: &Rows<'_>, ys: Range<usize>, out: &mut RowsOut<'_>) {
        for (index, y) in ys.enumerate() {
            self.row(isa, state, rows, y, &mut out.at(index));
        }
    }

    /// Whether a pixel of the output follows from the pixels in the same place alone, wherever that is: then
    /// rows may be joined to longer ones, as if the image were wider and lower.
    fn is_map(&self) -> bool {
        false
    }

    /// For point maps from 8 bit to 8 bit, one channel: the whole map. Two such nodes in a row are
    /// merged into one.
    fn table(&self) -> Option<Arc<[u8; 256]>> {
        None
    }
}

/// A mergeable observation of an image (histogram, extrema, sums), row by row.
///
/// Strips observe apart and are merged in their order, so states must merge exactly: integers,
/// minima and maxima, no float sums. Several rows may come as one.
pub trait Reduction: Send + Sync {
    /// The name in plans and messages.
    fn name(&self) -> &'static str;

    /// The state before the first row.
    fn start(&self, input: Shape) -> State;

    /// Makes a state as it was before the first row, in place; `false` where a fresh one has to be
    /// [started](Self::start).
    fn restart(&self, _state: &mut State) -> bool {
        false
    }

    /// Takes in one row of the image, plane by plane in bytes.
    fn observe(&self, isa: Isa, state: &mut State, planes: &[&[u8]]);

    /// Takes in the state of the strip below.
    fn merge(&self, into: &mut State, below: &mut State);
}

/// Runs one node over whole images; what free functions do.
///
/// # Errors
/// [`Cancelled`](crate::ErrorKind::Cancelled), or [`Shape`](crate::ErrorKind::Shape) when the number of inputs is wrong.
pub fn apply(node: Arc<dyn RowNode>, inputs: &[&Image], cx: &Context) -> Result<Image> {
    if inputs.len() != node.inputs() {
        return Err(Error::shape(format!(
            "`{}` wants {} inputs, got {}",
            node.name(),
            node.inputs(),
            inputs.len()
        )));
    }
    let sources: Vec<Shape> = inputs.iter().map(|image| Shape::of(image)).collect();
    let step = Step { node, inputs: (0..inputs.len()).collect() };
    let run = Run { sources, steps: vec![step], sinks: vec![inputs.len()], observers: Vec::new() };
    let plan = RunPlan::new(run, cx)?;
    let mut output = execute(&plan, inputs, cx)?;
    output.images.pop().ok_or_else(|| Error::new(crate::ErrorKind::Internal, "a run gave no image"))
}
