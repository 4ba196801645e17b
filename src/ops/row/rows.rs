//! What a node sees of a run: the rows it may read, and the one it writes.

use std::ops::{Deref, DerefMut};

use super::plan::{RunPlan, Step};
use super::ring::{Ring, fill};
use super::strip::Source;
use super::{Shape, Window};
use crate::image::{BorderMode, Pixel};
use crate::kernel::line::Line;

/// An input of a node, with all that is the same for every row.
pub(super) struct Port {
    pub(super) window: Window,
    pub(super) value: usize,
    shape: Shape,
    /// Whether the rows are those of the image itself.
    is_direct: bool,
    /// Bytes of padding left of a row, and those of a row with its padding.
    left: usize,
    length: usize,
    /// A whole padded row of the border's constant.
    constant: Vec<Line>,
}

impl Port {
    pub(super) fn new(plan: &RunPlan, step: &Step, port: usize) -> Self {
        let (value, window) = (step.inputs[port], step.node.window(port));
        let shape = plan.shapes[value];
        let pixel = shape.ty.pixel_size();
        let length = (window.left + shape.width + window.right) * pixel;
        let mut constant = Vec::new();
        if window.border.mode == BorderMode::Constant {
            constant = vec![Line::default(); length.div_ceil(64)];
            fill(bytemuck::cast_slice_mut(&mut constant), shape.ty.element(), window.border.value);
        }
        let is_direct = plan.is_direct(value, &window);
        Self { window, value, shape, is_direct, left: window.left * pixel, length, constant }
    }

    pub(super) fn shape(&self) -> Shape {
        self.shape
    }

    /// The row of the image that stands at `y`; `None` where a constant does.
    #[inline]
    pub(super) fn inside(&self, y: isize) -> Option<usize> {
        match (0..self.shape.height as isize).contains(&y) {
            true => Some(y as usize),
            false if self.shape.height > 0 => self.window.border.mode.map(y, self.shape.height),
            false => None,
        }
    }
}

/// The input rows a node may read.
pub struct Rows<'a> {
    pub(super) ports: &'a [Port],
    pub(super) rings: &'a [Ring],
    pub(super) sources: &'a [Source<'a>],
}

impl Rows<'_> {
    /// Row `y` of an input's plane, as channel elements: padding as declared on both sides, so that
    /// element `(left + x) * channels + c` is channel `c` of pixel `x`. `y` may lie outside the
    /// image, where the border answers.
    ///
    /// # Panics
    /// When `T` is not the input's element, or the row was not declared as needed.
    #[inline]
    pub fn get<T: Pixel>(&self, input: usize, plane: usize, y: isize) -> &[T] {
        let port = &self.ports[input];
        let bytes = match (port.inside(y), self.sources.get(port.value)) {
            (None, _) => &bytemuck::cast_slice(&port.constant)[..port.length],
            (Some(y), Some(Source::Image(image))) if port.is_direct => {
                &image.plane_bytes(plane)[y * port.length..][..port.length]
            }
            (Some(y), _) => self.rings[port.value].padded_row(plane, y, port.left, port.length),
        };
        bytemuck::cast_slice(bytes)
    }

    /// [`get`](Self::get) for neighbouring rows of the first input, from `first` on, as many as `out` has places.
    pub(crate) fn window<'a, T: Pixel>(&'a self, plane: usize, first: isize, out: &mut [&'a [T]]) {
        let port = &self.ports[0];
        let inside = first >= 0 && first as usize + out.len() <= port.shape.height;
        if inside && !port.is_direct {
            self.rings[port.value].padded_rows(plane, first as usize, port.left, port.length, out);
        } else {
            for (slot, y) in out.iter_mut().zip(first..) {
                *slot = self.get(0, plane, y);
            }
        }
    }

    /// Type and size of an input.
    pub fn shape(&self, input: usize) -> Shape {
        self.ports[input].shape
    }
}

/// The most rows that are made at once.
pub const BATCH: usize = 8;

/// Neighbouring output rows that a node writes, at most [`BATCH`].
pub struct RowsOut<'a> {
    /// From the first row to the end of the last.
    pub(super) planes: [&'a mut [u8]; 2],
    /// Bytes from a row to the next.
    pub(super) pitch: usize,
    pub(super) row_bytes: usize,
}

impl RowsOut<'_> {
    /// One of the rows, counted from the first.
    #[inline]
    pub fn at(&mut self, index: usize) -> RowOut<'_> {
        let place = index * self.pitch..index * self.pitch + self.row_bytes;
        let [first, second] = &mut self.planes;
        // An empty row keeps its place, for it is aligned.
        RowOut { planes: [&mut first[place.clone()], second.get_mut(place).unwrap_or_default()] }
    }

    /// The rows of a one-plane output, as channel elements.
    ///
    /// # Panics
    /// When `T` is not the output's element.
    #[inline]
    pub fn all<T: Pixel>(&mut self) -> AllRows<'_, T> {
        let mut all = AllRows { rows: Default::default(), count: 0 };
        // The last row may end where its pixels do.
        for row in self.planes[0].chunks_mut(self.pitch.max(1)) {
            all.rows[all.count] = bytemuck::cast_slice_mut(&mut row[..self.row_bytes]);
            all.count += 1;
        }
        all
    }
}

/// Rows side by side, as a slice.
pub struct AllRows<'a, T> {
    rows: [&'a mut [T]; BATCH],
    count: usize,
}

impl<'a, T> Deref for AllRows<'a, T> {
    type Target = [&'a mut [T]];

    fn deref(&self) -> &Self::Target {
        &self.rows[..self.count]
    }
}

impl<T> DerefMut for AllRows<'_, T> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.rows[..self.count]
    }
}

impl<'a, 'b: 'a> From<&'a mut RowOut<'b>> for RowsOut<'a> {
    fn from(row: &'a mut RowOut<'b>) -> Self {
        let [first, second] = &mut row.planes;
        let bytes = first.len();
        Self { planes: [first, second], pitch: bytes, row_bytes: bytes }
    }
}

/// The output row a node writes.
pub struct RowOut<'a> {
    pub(super) planes: [&'a mut [u8]; 2],
}

impl<'a> RowOut<'a> {
    /// A row of one plane that stands outside of a run: scratch of a node.
    pub(crate) fn of(bytes: &'a mut [u8]) -> Self {
        Self { planes: [bytes, Default::default()] }
    }

    /// The row of a one-plane output, as channel elements.
    ///
    /// # Panics
    /// When `T` is not the output's element.
    #[inline]
    pub fn row<T: Pixel>(&mut self) -> &mut [T] {
        bytemuck::cast_slice_mut(self.planes[0])
    }

    /// Both rows of a gradient.
    ///
    /// # Panics
    /// When `T` is not the output's element.
    #[inline]
    pub fn rows<T: Pixel>(&mut self) -> [&mut [T]; 2] {
        let [a, b] = &mut self.planes;
        [bytemuck::cast_slice_mut(a), bytemuck::cast_slice_mut(b)]
    }
}
