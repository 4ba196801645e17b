//! The latest rows of a value, with what lies beyond their edges.

use super::Shape;
use crate::image::{Border, BorderMode, Element, Pixel};
use crate::kernel::line::Line;

/// The latest rows of one value, every plane, with padding on both sides.
#[derive(Default)]
pub(super) struct Ring {
    planes: Vec<Vec<Line>>,
    /// Rows it holds.
    capacity: usize,
    /// Lines between two slots.
    pitch: usize,
    /// Bytes in front of pixel 0.
    lead: usize,
    row_bytes: usize,
    /// The row that was made last, or is being made, and where it stands. Those before it stand in the
    /// slots before, round the end: counted, since dividing takes as long as the row of a small image.
    newest: usize,
    slot: usize,
    /// Per slot: the border its padding was last filled for.
    padded: Vec<Option<Border>>,
}

impl Ring {
    pub(super) fn new(shape: Shape, capacity: usize, slot_bytes: usize, left: usize) -> Self {
        let pitch = slot_bytes / 64;
        Self {
            planes: vec![
                vec![Line::default(); pitch * capacity];
                if capacity > 0 { shape.ty.planes() } else { 0 }
            ],
            capacity,
            pitch,
            lead: lead(shape, left),
            row_bytes: shape.row_bytes(),
            newest: 0,
            slot: 0,
            padded: vec![None; capacity],
        }
    }

    /// Whether it holds rows at all.
    #[inline]
    pub(super) fn is_there(&self) -> bool {
        self.capacity > 0
    }

    /// Gives row `y` the place of the oldest one.
    #[inline]
    pub(super) fn begin(&mut self, y: usize) {
        self.newest = y;
        self.slot = if self.slot + 1 < self.capacity { self.slot + 1 } else { 0 };
        self.padded[self.slot] = None;
    }

    /// The slot of one of the latest rows.
    #[inline]
    fn slot_of(&self, y: usize) -> usize {
        let back = self.newest - y;
        debug_assert!(back < self.capacity, "row {y} is gone: the ring is at {}", self.newest);
        if back <= self.slot { self.slot - back } else { self.slot + self.capacity - back }
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

    /// The newest row, to write: one or two planes.
    #[inline]
    pub(super) fn newest_mut(&mut self) -> [&mut [u8]; 2] {
        let start = self.slot * self.pitch * 64 + self.lead;
        let mut planes = self.planes.iter_mut().map(|plane| {
            let bytes: &mut [u8] = bytemuck::cast_slice_mut(plane);
            &mut bytes[start..start + self.row_bytes]
        });
        [planes.next().unwrap_or_default(), planes.next().unwrap_or_default()]
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
            let bytes = bytemuck::cast_slice_mut(&mut plane[start..start + self.pitch]);
            pad_row(bytes, self.lead, shape, padding, border);
        }
    }
}

/// Bytes in front of pixel 0 of a row in a ring with so many pixels of padding.
fn lead(shape: Shape, left: usize) -> usize {
    (left * shape.ty.pixel_size()).next_multiple_of(64)
}

fn pad_row(bytes: &mut [u8], lead: usize, shape: Shape, padding: (usize, usize), border: Border) {
    if shape.width == 0 {
        return;
    }
    // Pixels of a known size are moved by an instruction, others by a call.
    match shape.ty.pixel_size() {
        1 => pad_pixels::<1>(bytes, lead, shape, padding, border),
        2 => pad_pixels::<2>(bytes, lead, shape, padding, border),
        3 => pad_pixels::<3>(bytes, lead, shape, padding, border),
        4 => pad_pixels::<4>(bytes, lead, shape, padding, border),
        6 => pad_pixels::<6>(bytes, lead, shape, padding, border),
        8 => pad_pixels::<8>(bytes, lead, shape, padding, border),
        12 => pad_pixels::<12>(bytes, lead, shape, padding, border),
        size => unreachable!("there are no pixels of {size} bytes"),
    }
}

/// For itself, so that what some sizes need is not set up for all.
#[inline(never)]
fn pad_pixels<const SIZE: usize>(
    bytes: &mut [u8],
    lead: usize,
    shape: Shape,
    (left, right): (usize, usize),
    border: Border,
) {
    let width = shape.width;
    let mut constant = [0u64; 2];
    let constant: &mut [u8] = &mut bytemuck::cast_slice_mut(&mut constant)[..SIZE];
    fill(constant, shape.ty.element(), border.value);
    let start = lead - left * SIZE;
    let (pixels, _) = bytes[start..].as_chunks_mut::<SIZE>();
    let pixels = &mut pixels[..left + width + right];
    // Where the padding is shorter than the row, what it mirrors is found without a question for each pixel.
    if left.max(right) < width {
        let (before, rest) = pixels.split_at_mut(left);
        let (row, after) = rest.split_at_mut(width);
        let skipped = match border.mode {
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
                let Some(&constant) = constant.first_chunk::<SIZE>() else { return };
                before.fill(constant);
                return after.fill(constant);
            }
        };
        before.iter_mut().rev().zip(&row[skipped..]).for_each(|(out, pixel)| *out = *pixel);
        after.iter_mut().zip(row[..width - skipped].iter().rev()).for_each(|(out, pixel)| *out = *pixel);
        return;
    }
    for i in (0..left).chain(left + width..left + width + right) {
        match border.mode.map(i as isize - left as isize, width) {
            Some(x) => pixels[i] = pixels[left + x],
            None => pixels[i].copy_from_slice(constant),
        }
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
