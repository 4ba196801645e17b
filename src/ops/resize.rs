//! Resizing.

use std::ops::Range;
use std::sync::Arc;

use super::Context;
use super::chain::{Chain, apply_chain};
use super::resize_taps::TapRows;
use super::row::{RowNode, RowOut, Rows, Shape, State};
use super::stencil::{expect_types, scratch};
use crate::image::{Element, Image, ImageType, Pixel};
use crate::kernel::Isa;
use crate::kernel::pixel::Sample;
use crate::kernel::resize::{self as kernel, Linear, Share};
use crate::kernel::resize_taps::{cubic, lanczos};
use crate::{Error, Result};

/// The largest width and height of a result.
pub const MAX_SIZE: usize = 65535;

/// How pixels in between are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Interpolation {
    /// The pixel whose cell begins nearest below: OpenCV's `INTER_NEAREST`. Keeps masks and labels.
    Nearest,
    /// Between the four nearest centres, whatever the scale: OpenCV's `INTER_LINEAR`.
    #[default]
    Bilinear,
    /// Cubic over 4x4 centres, whatever the scale: OpenCV's `INTER_CUBIC`.
    Bicubic,
    /// A windowed sinc over 8x8 centres, whatever the scale: OpenCV's `INTER_LANCZOS4`.
    Lanczos,
    /// The mean over the cell: OpenCV's `INTER_AREA`, for shrinking along both axes.
    Area,
}

/// Parameters of [`resize`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resize {
    /// Width of the result in pixels.
    pub width: usize,
    /// Height of the result in pixels.
    pub height: usize,
    /// How pixels in between are found.
    pub interpolation: Interpolation,
}

fn with_size(input: Shape, params: &Resize) -> Shape {
    let ty = match (input.ty, params.interpolation) {
        (ty, Interpolation::Nearest) => ty,
        (ImageType::Mask, _) => ImageType::Gray8,
        (ty, _) => ty,
    };
    Shape::new(ty, params.width, params.height)
}

/// Every output pixel is one of the input.
#[derive(Clone, Debug, PartialEq)]
pub struct NearestRows {
    output: Shape,
    columns: Vec<u32>,
    rows: Vec<u32>,
}

impl NearestRows {
    fn new(input: Shape, output: Shape) -> Self {
        let indices = |input: usize, output: usize| {
            let scale = 1.0 / (output as f64 / input as f64);
            (0..output)
                .map(move |i| ((i as f64 * scale).floor() as usize).min(input.saturating_sub(1)) as u32)
        };
        let columns = indices(input.width, output.width).collect();
        Self { output, columns, rows: indices(input.height, output.height).collect() }
    }

    fn pick<T: Pixel>(&self, rows: &Rows<'_>, y: isize, out: &mut RowOut<'_>) {
        let row: &[T] = rows.get(0, 0, y);
        for (&x, out) in self.columns.iter().zip(out.row::<T>()) {
            *out = row[x as usize];
        }
    }
}

impl RowNode for NearestRows {
    fn name(&self) -> &'static str {
        "resize"
    }

    fn output(&self, _inputs: &[Shape]) -> Shape {
        self.output
    }

    fn rows_needed(&self, _input: usize, y: usize) -> Range<isize> {
        let row = self.rows[y] as isize;
        row..row + 1
    }

    fn row(&self, _isa: Isa, _state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        let y = self.rows[y] as isize;
        match (self.output.ty.element(), self.output.ty.channels()) {
            (Element::U8, 3) => self.pick::<[u8; 3]>(rows, y, out),
            (Element::U16, 3) => self.pick::<[u16; 3]>(rows, y, out),
            (_, 3) => self.pick::<[f32; 3]>(rows, y, out),
            (Element::U8, _) => self.pick::<u8>(rows, y, out),
            (Element::U16, _) => self.pick::<u16>(rows, y, out),
            // Only copied, so all types of four bytes are one.
            _ => self.pick::<u32>(rows, y, out),
        }
    }
}

/// Every output pixel lies between four of the input.
#[derive(Clone, Debug, PartialEq)]
pub struct BilinearRows {
    output: Shape,
    across: Linear,
    down: Linear,
}

impl BilinearRows {
    fn new(input: Shape, output: Shape) -> Self {
        let across = Linear::new(input.width, output.width, true);
        Self { output, across, down: Linear::new(input.height, output.height, false) }
    }

    /// Resized rows `above` and `below` of the output row, taken over from the row before where they
    /// are the same.
    fn pair<'s, T: Pixel, A>(
        &self,
        cache: &'s mut Cache<A>,
        rows: &Rows<'_>,
        y: usize,
        across: impl Fn(&[T], &mut [A]),
    ) -> [&'s [A]; 2] {
        let wanted = self.down.inputs[y];
        // Rows come in rising order, so the old second is the new first or no use.
        if cache.of[1] == Some(wanted[0]) {
            cache.rows.swap(0, 1);
            cache.of.swap(0, 1);
        }
        for k in 0..2 {
            if cache.of[k] != Some(wanted[k]) {
                across(rows.get(0, 0, wanted[k] as isize), &mut cache.rows[k]);
                cache.of[k] = Some(wanted[k]);
            }
        }
        [&cache.rows[0], &cache.rows[1]]
    }

    fn floats<T: Pixel + Sample>(
        &self,
        isa: Isa,
        state: &mut State,
        rows: &Rows<'_>,
        y: usize,
        out: &mut RowOut<'_>,
    ) {
        let channels = self.output.ty.channels();
        let [above, below] = self.pair::<T, f32>(scratch(state), rows, y, |row, out| {
            kernel::linear_across_row(row, &self.across, channels, out);
        });
        kernel::linear_down_row::<T>(isa, above, below, self.down.weights[y], out.row());
    }
}

/// Two rows of the input, resized horizontally, and which they are.
struct Cache<A> {
    rows: [Vec<A>; 2],
    of: [Option<u32>; 2],
}

impl<A: Clone + Default> Cache<A> {
    fn new(elements: usize) -> Self {
        Self { rows: std::array::from_fn(|_| vec![A::default(); elements]), of: [None; 2] }
    }
}

impl RowNode for BilinearRows {
    fn name(&self) -> &'static str {
        "resize"
    }

    fn output(&self, _inputs: &[Shape]) -> Shape {
        self.output
    }

    fn rows_needed(&self, _input: usize, y: usize) -> Range<isize> {
        let [first, second] = self.down.inputs[y];
        first as isize..second as isize + 1
    }

    fn start(&self, _inputs: &[Shape], output: Shape) -> State {
        let elements = output.width * output.ty.channels();
        match output.ty.element() {
            Element::U8 => Box::new(Cache::<i32>::new(elements)),
            _ => Box::new(Cache::<f32>::new(elements)),
        }
    }

    fn restart(&self, state: &mut State) -> bool {
        if let Some(cache) = state.downcast_mut::<Cache<i32>>() {
            cache.of = [None; 2];
        } else if let Some(cache) = state.downcast_mut::<Cache<f32>>() {
            cache.of = [None; 2];
        }
        true
    }

    fn row(&self, isa: Isa, state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        let channels = self.output.ty.channels();
        match self.output.ty.element() {
            Element::U8 => {
                let [above, below] = self.pair::<u8, i32>(scratch(state), rows, y, |row, out| {
                    kernel::linear_across_u8_row(isa, row, &self.across, channels, out);
                });
                kernel::linear_down_u8_row(isa, above, below, self.down.fixed[y], out.row());
            }
            Element::U16 => self.floats::<u16>(isa, state, rows, y, out),
            _ => self.floats::<f32>(isa, state, rows, y, out),
        }
    }
}

/// Every output pixel is the mean of its cell, whose sides are no whole numbers of pixels; or floats.
#[derive(Clone, Debug, PartialEq)]
pub struct AreaRows {
    output: Shape,
    across: Vec<Vec<Share>>,
    down: Vec<Vec<Share>>,
}

impl AreaRows {
    fn write<T: Pixel + Sample>(
        &self,
        isa: Isa,
        state: &mut State,
        rows: &Rows<'_>,
        y: usize,
        out: &mut RowOut<'_>,
    ) {
        let [row, sums]: &mut [Vec<f32>; 2] = scratch(state);
        for (index, share) in self.down[y].iter().enumerate() {
            let input: &[T] = rows.get(0, 0, share.input as isize);
            kernel::area_across_row(input, &self.across, self.output.ty.channels(), row);
            kernel::area_add_row(isa, row, share.weight, index == 0, sums);
        }
        kernel::saturate_row::<T>(isa, sums, out.row());
    }
}

impl RowNode for AreaRows {
    fn name(&self) -> &'static str {
        "resize"
    }

    fn output(&self, _inputs: &[Shape]) -> Shape {
        self.output
    }

    fn rows_needed(&self, _input: usize, y: usize) -> Range<isize> {
        let shares = &self.down[y];
        let first = shares.first().map_or(0, |share| share.input);
        let end = shares.last().map_or(first, |share| share.input + 1);
        first as isize..end as isize
    }

    fn start(&self, _inputs: &[Shape], output: Shape) -> State {
        let elements = output.width * output.ty.channels();
        Box::new([vec![0.0f32; elements], vec![0.0f32; elements]])
    }

    fn restart(&self, _state: &mut State) -> bool {
        // Every row starts from nothing.
        true
    }

    fn row(&self, isa: Isa, state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        match self.output.ty.element() {
            Element::U8 => self.write::<u8>(isa, state, rows, y, out),
            Element::U16 => self.write::<u16>(isa, state, rows, y, out),
            _ => self.write::<f32>(isa, state, rows, y, out),
        }
    }
}

/// Every output pixel is the mean of a cell of whole pixels, of integers.
#[derive(Clone, Debug, PartialEq)]
pub struct CellRows {
    output: Shape,
    cell: (usize, usize),
}

impl CellRows {
    fn write<T>(&self, state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>)
    where
        T: Pixel + Sample + Into<u32> + TryFrom<u32>,
    {
        let sums: &mut Vec<u32> = scratch(state);
        sums.fill(0);
        for y in self.rows_needed(0, y) {
            kernel::cells_add_row::<T>(rows.get(0, 0, y), self.cell.0, self.output.ty.channels(), sums);
        }
        let part = 1.0 / (self.cell.0 * self.cell.1) as f32;
        for (&sum, out) in sums.iter().zip(out.row::<T>()) {
            // Halves go up in cells of 2x2 and to even in all others, as in OpenCV.
            *out = match self.cell {
                (2, 2) => T::saturate(((sum + 2) >> 2) as f32),
                _ => T::saturate(sum as f32 * part),
            };
        }
    }
}

impl RowNode for CellRows {
    fn name(&self) -> &'static str {
        "resize"
    }

    fn output(&self, _inputs: &[Shape]) -> Shape {
        self.output
    }

    fn rows_needed(&self, _input: usize, y: usize) -> Range<isize> {
        (y * self.cell.1) as isize..((y + 1) * self.cell.1) as isize
    }

    fn start(&self, _inputs: &[Shape], output: Shape) -> State {
        Box::new(vec![0u32; output.width * output.ty.channels()])
    }

    fn restart(&self, _state: &mut State) -> bool {
        // Every row starts from nothing.
        true
    }

    fn row(&self, isa: Isa, state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        match self.output.ty.element() {
            Element::U8 if self.cell == (2, 2) => {
                let [above, below] = [0, 1].map(|row| rows.get(0, 0, 2 * y as isize + row));
                kernel::halve_u8_row(isa, above, below, self.output.ty.channels(), out.row());
            }
            Element::U8 => self.write::<u8>(state, rows, y, out),
            _ => self.write::<u16>(state, rows, y, out),
        }
    }
}

/// The node of `resize`: none where the size stays.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for gradients, labels unless nearest, and images without pixels,
/// [`Pipeline`](crate::ErrorKind::Pipeline) for sizes of 0 or beyond [`MAX_SIZE`], and for `area`
/// where an axis grows.
pub fn nodes(input: Shape, params: &Resize) -> Result<Chain> {
    let &Resize { width, height, interpolation } = params;
    let mut accepted = [ImageType::READ.as_slice(), &[ImageType::Mask]].concat();
    if interpolation == Interpolation::Nearest {
        accepted.push(ImageType::Labels);
    }
    expect_types("resize", input, &accepted)?;
    if width == 0 || height == 0 || width > MAX_SIZE || height > MAX_SIZE {
        return Err(Error::pipeline(format!(
            "`resize` wants a size of 1x1 to {MAX_SIZE}x{MAX_SIZE}, got {width}x{height}"
        )));
    }
    if input.width == 0 || input.height == 0 {
        return Err(Error::shape(format!(
            "`resize` wants pixels to start from, got {}x{}",
            input.width, input.height
        )));
    }
    let output = with_size(input, params);
    if output == input {
        return Ok(Chain::new());
    }
    let is_whole = input.width.is_multiple_of(width) && input.height.is_multiple_of(height);
    let cell = (input.width / width, input.height / height);
    // Sums of 16 bit fit 32.
    let is_cell = is_whole && input.ty.element() != Element::F32 && cell.0 * cell.1 <= 65536;
    Ok(match interpolation {
        Interpolation::Nearest => vec![Arc::new(NearestRows::new(input, output))],
        // Halfway between the centres of two pixels along both axes, which is a mean: OpenCV takes it.
        Interpolation::Bilinear if is_cell && cell == (2, 2) => vec![Arc::new(CellRows { output, cell })],
        Interpolation::Bilinear => vec![Arc::new(BilinearRows::new(input, output))],
        Interpolation::Bicubic => vec![Arc::new(TapRows::new(input, output, cubic))],
        Interpolation::Lanczos => vec![Arc::new(TapRows::new(input, output, lanczos))],
        Interpolation::Area if width > input.width || height > input.height => {
            return Err(Error::pipeline(format!(
                "`area` shrinks, but {}x{} is to become {width}x{height}",
                input.width, input.height
            ))
            .with_hint("use `bilinear`"));
        }
        Interpolation::Area if is_cell => vec![Arc::new(CellRows { output, cell })],
        Interpolation::Area => {
            let across = kernel::area_shares(input.width, width);
            vec![Arc::new(AreaRows { output, across, down: kernel::area_shares(input.height, height) })]
        }
    })
}

/// Resizes an image, in its type; masks become `gray8` unless nearest.
///
/// 8 bit, 16 bit and floats are OpenCV's `resize` to the bit, but for the mean over whole cells of
/// floats, where sums are made in another order, and for cubic and Lanczos, within rounding.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Context, Interpolation, Resize, resize};
///
/// let image = Image::Gray8(Plane::filled(8, 6, 9));
/// let params = Resize { width: 4, height: 3, interpolation: Interpolation::Area };
/// assert_eq!(resize(&image, &params, &Context::default())?, Image::Gray8(Plane::filled(4, 3, 9)));
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for gradients, labels unless nearest, and images without pixels,
/// [`Pipeline`](crate::ErrorKind::Pipeline) for sizes of 0 or beyond [`MAX_SIZE`], and for `area`
/// where an axis grows, [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn resize(image: &Image, params: &Resize, cx: &Context) -> Result<Image> {
    apply_chain(nodes(Shape::of(image), params)?, image, cx)
}
