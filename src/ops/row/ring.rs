//! The latest rows of a value, with what lies beyond their edges.

use super::{RowsOut, Shape};
use crate::image::{Border, BorderMode, Element, Pixel};
use crate::kernel::line::Line;

/// The latest rows of one value, every plane, with padding on both sides.
#[derive(Default)]
pub(super) struct Ring {
    planes: Vec<Vec<Line>>,
    /// Rows it holds, a multiple of those that are made at once.
    capacity: usize,
    batch: usize,
    /// Lines between two slots.
    pitch: usize,
    /// Bytes in front of pixel 0.
    lead: usize,
    row_bytes: usize,
    /// Where the rows that were made last, or are being made, stand, how many they are, and the number of the
    /// last of them. Those before them stand in the slots before, round the end: counted, since dividing takes as
    /// long as the row of a small image.
    start: usize,
    count: usize,
    newest: usize,
    /// Per slot: the border its padding was last filled for.
    padded: Vec<Option<Border>>,
}

impl Ring {
    pub(super) fn new(shape: Shape, capacity: usize, batch: usize, slot_bytes: usize, left: usize) -> Self {
        debug_assert!(capacity.is_multiple_of(batch));
        let pitch = slot_bytes / 64;
        Self {
            planes: vec![
                vec![Line::default(); pitch * capacity];
                if capacity > 0 { shape.ty.planes() } else { 0 }
            ],
            capacity,
            batch,
            pitch,
            lead: lead(shape, left),
            row_bytes: shape.row_bytes(),
            start: 0,
            count: 1,
            newest: 0,
            padded: vec![None; capacity],
        }
    }

    /// Whether it holds rows at all.
    #[inline]
    pub(super) fn is_there(&self) -> bool {
        self.capacity > 0
    }

    /// Gives `count` rows from `first` on, at most a batch, the places of the oldest ones.
    #[inline]
    pub(super) fn begin(&mut self, first: usize, count: usize) {
        debug_assert!((1..=self.batch).contains(&count));
        self.newest = first + count - 1;
        self.count = count;
        self.start = if self.start + self.batch < self.capacity { self.start + self.batch } else { 0 };
        self.padded[self.start..self.start + count].fill(None);
    }

    /// The slot of one of the latest rows.
    #[inline]
    fn slot_of(&self, y: usize) -> usize {
        let (back, slot) = (self.newest - y, self.start + self.count - 1);
        debug_assert!(back < self.capacity, "row {y} is gone: the ring is at {}", self.newest);
        if back <= slot { slot - back } else { slot + self.capacity - back }
    }

    /// A row of a plane with `left` bytes of its padding, `length` bytes in all.
    #[inline]
    pub(super) fn padded_row(&self, plane: usize, y: usize, left: usize, length: usize) -> &[u8] {
        let bytes: &[u8] = bytemuck::cast_slice(&self.planes[plane]);
        &bytes[self.slot_of(y) * self.pitch * 64 + self.lead - left..][..length]
    }

    /// As many neighbouring rows as `out` has places, from `first` on.
    #[inline]
    pub(super) fn padded_rows<'a, T: Pixel>(
        &'a self,
        plane: usize,
        first: usize,
        left: usize,
        length: usize,
        out: &mut [&'a [T]],
    ) {
        let bytes: &[u8] = bytemuck::cast_slice(&self.planes[plane]);
        let mut slot = self.slot_of(first);
        for out in out {
            *out = bytemuck::cast_slice(&bytes[slot * self.pitch * 64 + self.lead - left..][..length]);
            slot = if slot + 1 == self.capacity { 0 } else { slot + 1 };
        }
    }

    /// Row `y` without its padding: one or two planes.
    pub(super) fn rows(&self, y: usize) -> [&[u8]; 2] {
        let row = |plane: usize| self.padded_row(plane, y, 0, self.row_bytes);
        [row(0), if self.planes.len() > 1 { row(1) } else { &[] }]
    }

    /// The newest rows, to write.
    #[inline]
    pub(super) fn newest_mut(&mut self) -> RowsOut<'_> {
        let (pitch, row_bytes) = (self.pitch * 64, self.row_bytes);
        let start = self.start * pitch + self.lead;
        let length = (self.count - 1) * pitch + row_bytes;
        let mut planes = self.planes.iter_mut().map(|plane| {
            let bytes: &mut [u8] = bytemuck::cast_slice_mut(plane);
            &mut bytes[start..start + length]
        });
        let planes = [planes.next().unwrap_or_default(), planes.next().unwrap_or_default()];
        RowsOut { planes, pitch, row_bytes }
    }

    /// Fills the padding of the newest rows for the border that all who read it want.
    pub(super) fn pad_newest(&mut self, shape: Shape, padding: (usize, usize), border: Border) {
        for plane in &mut self.planes {
            let rows = &mut plane[self.start * self.pitch..][..self.count * self.pitch];
            pad_rows(rows, self.pitch, self.lead, shape, padding, border);
        }
    }

    /// Fills the padding of row `y` for a border, unless it is.
    pub(super) fn pad(&mut self, shape: Shape, padding: (usize, usize), y: usize, border: Border) {
        let slot = self.slot_of(y);
        if self.padded[slot] == Some(border) {
            return;
        }
        self.padded[slot] = Some(border);
        let start = slot * self.pitch;
        for plane in &mut self.planes {
            pad_rows(&mut plane[start..start + self.pitch], self.pitch, self.lead, shape, padding, border);
        }
    }
}

/// Bytes in front of pixel 0 of a row in a ring with so many pixels of padding.
fn lead(shape: Shape, left: usize) -> usize {
    (left * shape.ty.pixel_size()).next_multiple_of(64)
}

/// Fills the padding of rows that are `pitch` lines each.
fn pad_rows(
    rows: &mut [Line],
    pitch: usize,
    lead: usize,
    shape: Shape,
    padding: (usize, usize),
    border: Border,
) {
    if shape.width == 0 {
        return;
    }
    let rows = rows.chunks_exact_mut(pitch).map(bytemuck::cast_slice_mut);
    // Pixels of a known size are moved by an instruction, others by a call.
    match shape.ty.pixel_size() {
        1 => pad_pixels::<1>(rows, lead, shape, padding, border),
        2 => pad_pixels::<2>(rows, lead, shape, padding, border),
        3 => pad_pixels::<3>(rows, lead, shape, padding, border),
        4 => pad_pixels::<4>(rows, lead, shape, padding, border),
        6 => pad_pixels::<6>(rows, lead, shape, padding, border),
        8 => pad_pixels::<8>(rows, lead, shape, padding, border),
        12 => pad_pixels::<12>(rows, lead, shape, padding, border),
        size => unreachable!("there are no pixels of {size} bytes"),
    }
}

/// For itself, so that what some sizes need is not set up for all.
#[inline(never)]
fn pad_pixels<'a, const SIZE: usize>(
    rows: impl Iterator<Item = &'a mut [u8]>,
    lead: usize,
    shape: Shape,
    padding: (usize, usize),
    border: Border,
) {
    let mut constant = [0u64; 2];
    let constant: &mut [u8] = &mut bytemuck::cast_slice_mut(&mut constant)[..SIZE];
    fill(constant, shape.ty.element(), border.value);
    let Some(&constant) = constant.first_chunk::<SIZE>() else { return };
    for row in rows {
        let (pixels, _) = row[lead - padding.0 * SIZE..].as_chunks_mut::<SIZE>();
        pad_row(
            &mut pixels[..padding.0 + shape.width + padding.1],
            shape.width,
            padding,
            border.mode,
            constant,
        );
    }
}

/// Pixels of a row with its padding on both sides.
#[inline]
fn pad_row<const SIZE: usize>(
    pixels: &mut [[u8; SIZE]],
    width: usize,
    (left, right): (usize, usize),
    mode: BorderMode,
    constant: [u8; SIZE],
) {
    // Where the padding is shorter than the row, what it mirrors is found without a question for each pixel.
    if left.max(right) < width {
        let (before, rest) = pixels.split_at_mut(left);
        let (row, after) = rest.split_at_mut(width);
        let skipped = match mode {
            BorderMode::Reflect101 => 1,
            BorderMode::Reflect => 0,
            BorderMode::Replicate => {
                before.fill(row[0]);
                return after.fill(row[width - 1]);
            }
            BorderMode::Wrap => {
                before.copy_from_slice(&row[width - left..]);
                return after.copy_from_slice(&row[..right]);
            }
            BorderMode::Constant | BorderMode::Valid => {
                before.fill(constant);
                return after.fill(constant);
            }
        };
        before.iter_mut().rev().zip(&row[skipped..]).for_each(|(out, pixel)| *out = *pixel);
        after.iter_mut().zip(row[..width - skipped].iter().rev()).for_each(|(out, pixel)| *out = *pixel);
        return;
    }
    for i in (0..left).chain(left + width..left + width + right) {
        pixels[i] = mode.map(i as isize - left as isize, width).map_or(constant, |x| pixels[left + x]);
    }
}

/// Writes a constant into elements, saturating where the type is narrower.
pub(super) fn fill(bytes: &mut [u8], element: Element, value: f32) {
    fn put<T: Pixel>(bytes: &mut [u8], value: T) {
        bytemuck::cast_slice_mut::<u8, T>(bytes).fill(value);
    }
    match element {
        Element::U8 => bytes.fill(value as u8),
        Element::U16 => put(bytes, value as u16),
        Element::I16 => put(bytes, value as i16),
        Element::U32 => put(bytes, value as u32),
        Element::I32 => put(bytes, value as i32),
        Element::U64 => put(bytes, value as u64),
        Element::F32 => put(bytes, value),
        Element::F64 => put(bytes, f64::from(value)),
    }
}
