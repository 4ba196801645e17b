//! The latest rows of a value, with what stands beyond their ends.

use super::Shape;
use crate::image::{Border, BorderMode, Element, Pixel};
use crate::kernel::line::Line;

/// The latest rows of one value, every plane, with padding on both sides.
#[derive(Default)]
pub(super) struct Ring {
    pub(super) planes: Vec<Vec<Line>>,
    /// Rows it holds; row `y` stands in slot `y % capacity`.
    pub(super) capacity: usize,
    /// Lines between two slots.
    pub(super) pitch: usize,
    /// Bytes in front of pixel 0.
    pub(super) lead: usize,
    pub(super) row_bytes: usize,
    /// Per slot: the border its padding was last filled for.
    pub(super) padded: Vec<Option<Border>>,
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
            lead: (left * shape.ty.pixel_size()).next_multiple_of(64),
            row_bytes: shape.row_bytes(),
            padded: vec![None; capacity],
        }
    }

    /// Forgets its rows.
    pub(super) fn restart(&mut self) {
        self.padded.fill(None);
    }

    pub(super) fn slot(&self, plane: usize, y: usize) -> &[u8] {
        let start = (y % self.capacity) * self.pitch;
        bytemuck::cast_slice(&self.planes[plane][start..start + self.pitch])
    }

    pub(super) fn slot_mut(&mut self, plane: usize, y: usize) -> &mut [u8] {
        let start = (y % self.capacity) * self.pitch;
        bytemuck::cast_slice_mut(&mut self.planes[plane][start..start + self.pitch])
    }

    /// The row without its padding.
    pub(super) fn row(&self, plane: usize, y: usize) -> &[u8] {
        &self.slot(plane, y)[self.lead..self.lead + self.row_bytes]
    }

    /// Fills the padding of row `y` for a border, unless it is.
    pub(super) fn pad(&mut self, shape: Shape, (left, right): (usize, usize), y: usize, border: Border) {
        let slot = y % self.capacity;
        if self.padded[slot] == Some(border) {
            return;
        }
        self.padded[slot] = Some(border);
        let lead = self.lead;
        for plane in 0..self.planes.len() {
            let bytes = self.slot_mut(plane, y);
            pad_row(bytes, lead, shape, (left, right), border);
        }
    }
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
                before.iter_mut().chain(after).for_each(|pixel| pixel.copy_from_slice(constant));
                return;
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
