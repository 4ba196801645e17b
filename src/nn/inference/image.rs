//! Where values lie: images with their channels as neighbours and zeros around them, or plain vectors.

use crate::kernel::nhwc::Grid;
use crate::nn::{Shape, Tensor};
use crate::{Error, Result};

/// Values between pixels whose channels would fill whole parts of a page.
const SKEW: usize = 16;

/// How a buffer lies in memory, for each sample.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) height: usize,
    pub(super) width: usize,
    /// Channels of the buffer, or a few more: those of the value, or of all values that are joined in it.
    pub(super) channels: usize,
    /// Zeros around it: top, left, bottom, right.
    pub(super) halo: [usize; 4],
}

impl Frame {
    /// Distance of lines.
    pub(super) fn line(&self) -> usize {
        (self.halo[1] + self.width + self.halo[3]) * self.channels
    }

    /// Values of a sample.
    pub(super) fn len(&self) -> usize {
        (self.halo[0] + self.height + self.halo[2]) * self.line()
    }

    /// Where pixel `(y - up, x - left)` begins, from the first value of a sample.
    pub(super) fn at(&self, y: usize, x: usize, [up, left]: [usize; 2]) -> usize {
        (self.halo[0] + y - up) * self.line() + (self.halo[1] + x - left) * self.channels
    }

    /// Writes zeros above and below of a sample, and calls nobody else to do it.
    pub(super) fn clear_ends(&self, sample: &mut [f32]) {
        let (top, line) = (self.halo[0] * self.line(), self.line());
        sample[..top].fill(0.0);
        sample[top + self.height * line..self.len()].fill(0.0);
    }

    /// Writes zeros left and right of some lines.
    pub(super) fn clear_sides(&self, lines: &mut [f32]) {
        let (left, right) = (self.halo[1] * self.channels, self.halo[3] * self.channels);
        if left + right == 0 {
            return;
        }
        for line in lines.chunks_exact_mut(self.line()) {
            line[..left].fill(0.0);
            let end = line.len() - right;
            line[end..].fill(0.0);
        }
    }
}

/// A value: what a node gives, or the input.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value {
    /// The shape of a sample.
    pub(super) shape: Shape,
    /// The buffer.
    pub(super) buffer: usize,
    /// Its first channel there.
    pub(super) channel: usize,
}

/// A buffer of values.
#[derive(Clone, Copy, Debug)]
pub(super) struct Buffer {
    /// An image, or values in the order of their tensor.
    pub(super) frame: Option<Frame>,
    /// Values of a sample.
    pub(super) len: usize,
    /// Where it lies.
    pub(super) slot: usize,
}

impl Buffer {
    /// For a value of this shape alone.
    pub(super) fn of(shape: Shape) -> Self {
        let frame = match *shape {
            [channels, height, width] => {
                // Pixels a multiple of half a page apart would share few sets of the first cache.
                let channels = if channels.is_multiple_of(512) { channels + SKEW } else { channels };
                Some(Frame { height, width, channels, halo: [0; 4] })
            }
            _ => None,
        };
        Self { frame, len: shape.count(), slot: 0 }
    }
}

/// The pixels of an image in a buffer that has them.
pub(super) fn grid(frame: &Frame, channel: usize) -> Grid {
    Grid::new(frame.at(0, 0, [0, 0]) + channel, frame.width, frame.line(), frame.channels)
}

/// Writes samples of tensors into a buffer.
pub(super) fn write(buffer: &Buffer, value: &Value, tensor: &Tensor, data: &mut [f32]) {
    let Some(frame) = &buffer.frame else {
        data[..tensor.data().len()].copy_from_slice(tensor.data());
        return;
    };
    let area = frame.height * frame.width;
    for (n, sample) in data.chunks_exact_mut(buffer.len).take(tensor.samples()).enumerate() {
        frame.clear_ends(sample);
        let start = frame.halo[0] * frame.line();
        frame.clear_sides(&mut sample[start..][..frame.height * frame.line()]);
        for (c, plane) in tensor.sample(n).chunks_exact(area.max(1)).enumerate() {
            for (y, row) in plane.chunks_exact(frame.width).enumerate() {
                let line = &mut sample[frame.at(y, 0, [0, 0]) + value.channel + c..];
                for (target, x) in line.iter_mut().step_by(frame.channels).zip(row) {
                    *target = *x;
                }
            }
        }
    }
}

/// Reads samples of a buffer as a tensor.
pub(super) fn read(buffer: &Buffer, value: &Value, samples: usize, data: &[f32]) -> Result<Tensor> {
    let shape = value.shape.batched(samples)?;
    let Some(frame) = &buffer.frame else {
        let values = data.get(..shape.count()).ok_or_else(|| Error::shape("a value is not there"))?;
        return Tensor::from_vec(shape, values.to_vec());
    };
    let mut values = Vec::with_capacity(shape.count());
    let channels = value.shape[0];
    for sample in data.chunks_exact(buffer.len.max(1)).take(samples) {
        for c in 0..channels {
            for y in 0..frame.height {
                let line = &sample[frame.at(y, 0, [0, 0]) + value.channel + c..];
                values.extend(line.iter().step_by(frame.channels).take(frame.width));
            }
        }
    }
    Tensor::from_vec(shape, values)
}
