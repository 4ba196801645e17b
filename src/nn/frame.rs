//! Images whose channels are neighbours, with zeros around them, for the products of training.

use std::cell::Cell;

use crate::kernel::Isa;
use crate::kernel::nhwc::transpose;

/// Memory of a thread, kept from call to call.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// An image with channels as neighbours.
    pub(super) plain: Vec<f32>,
    /// The same with zeros around it.
    pub(super) frame: Vec<f32>,
    pub(super) images: Vec<f32>,
    pub(super) products: Vec<f32>,
    pub(super) sums: Vec<f32>,
    /// Outputs, or their gradients, with channels as neighbours.
    pub(super) outputs: Vec<f32>,
}

thread_local! {
    static SCRATCH: Cell<Scratch> = Cell::default();
}

/// Runs `body` with memory of this thread. A thread that waits in there for others may come here again: it finds
/// none, and makes some.
pub(super) fn with_scratch<R>(body: impl FnOnce(&mut Scratch) -> R) -> R {
    let mut scratch = SCRATCH.take();
    let result = body(&mut scratch);
    SCRATCH.set(scratch);
    result
}

/// So many values, whatever they are.
pub(super) fn grow(buffer: &mut Vec<f32>, len: usize) -> &mut [f32] {
    if buffer.len() < len {
        buffer.resize(len, 0.0);
    }
    &mut buffer[..len]
}

/// How an image lies in its frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Framed {
    pub(super) channels: usize,
    /// Height and width of the image.
    pub(super) input: [usize; 2],
    /// Zeros above and to the left.
    pub(super) padding: [usize; 2],
    /// Height and width of the frame, which need not have all of the image.
    pub(super) size: [usize; 2],
}

impl Framed {
    /// Distance of lines.
    pub(super) fn line(&self) -> usize {
        self.size[1] * self.channels
    }

    /// Values of the frame.
    pub(super) fn len(&self) -> usize {
        self.size[0] * self.line()
    }

    /// Writes planes as such a frame.
    pub(super) fn fill(&self, isa: Isa, planes: &[f32], plain: &mut Vec<f32>, frame: &mut [f32]) {
        let ([height, width], channels) = (self.input, self.channels);
        let area = height * width;
        let plain = grow(plain, area * channels);
        transpose(isa, [channels, area], (planes, area), (plain, channels));
        let ([top, left], line) = (self.padding, self.line());
        let left = left * channels;
        let here = (width * channels).min(line.saturating_sub(left));
        for (y, frame) in frame[..self.len()].chunks_exact_mut(line.max(1)).enumerate() {
            let Some(from) = y.checked_sub(top).filter(|y| *y < height && here > 0) else {
                frame.fill(0.0);
                continue;
            };
            frame[..left].fill(0.0);
            frame[left..][..here].copy_from_slice(&plain[from * width * channels..][..here]);
            frame[left + here..].fill(0.0);
        }
    }
}
