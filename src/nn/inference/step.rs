//! What a plan does, one step after the other.

use super::conv::{Conv, Linear};
use super::image::{Buffer, Frame, Value, read, write};
use crate::kernel::Isa;
use crate::kernel::nhwc::{Activation, Pool, PoolKind, pool};
use crate::nn::layer::{Layer, Mode};
use crate::nn::parallel::zip_elements;
use crate::nn::{Tensor, Window};
use crate::parallel::prelude::*;
use crate::{Error, Result};

/// A step.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) action: Action,
    pub(super) inputs: Vec<Value>,
    pub(super) output: Value,
}

/// What a step does.
#[derive(Debug)]
pub(super) enum Action {
    /// With a residual as second input, where there is one.
    Convolution(Conv),
    Linear(Linear),
    Pool(PoolKind, Window),
    GlobalMean,
    /// Values of images in the order of tensors.
    Flatten,
    /// Channels into their place.
    Copy,
    Sum(Activation),
    Opaque(Box<dyn Layer>),
}

/// Buffers and the memory they lie in.
pub(super) struct Memory<'a> {
    pub(super) buffers: &'a [Buffer],
    pub(super) slots: &'a mut [Vec<f32>],
    pub(super) samples: usize,
}

impl Memory<'_> {
    fn buffer(&self, value: &Value) -> &Buffer {
        &self.buffers[value.buffer]
    }

    fn data(&self, value: &Value) -> &[f32] {
        let buffer = self.buffer(value);
        &self.slots[buffer.slot][..self.samples * buffer.len]
    }

    /// The value as a tensor.
    pub(super) fn tensor(&self, value: &Value) -> Result<Tensor> {
        read(self.buffer(value), value, self.samples, self.data(value))
    }

    /// Takes the memory of a value out, to write to it while others are read.
    fn take(&mut self, value: &Value) -> Vec<f32> {
        let buffer = self.buffers[value.buffer];
        let mut data = std::mem::take(&mut self.slots[buffer.slot]);
        if data.len() < self.samples * buffer.len {
            data.resize(self.samples * buffer.len, 0.0);
        }
        data
    }

    fn give(&mut self, value: &Value, data: Vec<f32>) {
        self.slots[self.buffers[value.buffer].slot] = data;
    }

    pub(super) fn set(&mut self, value: &Value, tensor: &Tensor) {
        let mut data = self.take(value);
        write(&self.buffers[value.buffer], value, tensor, &mut data);
        self.give(value, data);
    }

    fn frame(&self, value: &Value) -> Result<Frame> {
        self.buffer(value).frame.ok_or_else(|| Error::shape("expected an image"))
    }
}

impl Step {
    pub(super) fn run(&self, isa: Isa, memory: &mut Memory<'_>) -> Result<()> {
        if let Action::Opaque(layer) = &self.action {
            let inputs: Vec<Tensor> =
                self.inputs.iter().map(|input| memory.tensor(input)).collect::<Result<_>>()?;
            let inputs: Vec<&Tensor> = inputs.iter().collect();
            let mode = Mode { isa, ..Mode::inference() };
            let (y, _) = layer.forward(&inputs, &mode).map_err(|error| error.within(&self.name))?;
            memory.set(&self.output, &y);
            return Ok(());
        }
        let mut output = memory.take(&self.output);
        let result = self.compute(isa, memory, &mut output);
        memory.give(&self.output, output);
        result
    }

    fn compute(&self, isa: Isa, memory: &Memory<'_>, output: &mut [f32]) -> Result<()> {
        let [input, ..] = &self.inputs[..] else { return Ok(()) };
        let samples = memory.samples;
        let to = memory.buffer(&self.output);
        let data = memory.data(input);
        let len = memory.buffer(input).len;
        match &self.action {
            Action::Linear(linear) => linear.run(samples, data, output),
            Action::Flatten => {
                let tensor = memory.tensor(input)?;
                output[..tensor.data().len()].copy_from_slice(tensor.data());
            }
            Action::GlobalMean => {
                let (frame, channels) = (memory.frame(input)?, input.shape[0]);
                let outputs = output.chunks_exact_mut(to.len.max(1)).zip(data.chunks_exact(len));
                for (means, sample) in outputs.take(samples) {
                    global_mean(isa, &frame, &sample[input.channel..], &mut means[..channels]);
                }
            }
            Action::Convolution(conv) => {
                let from = memory.frame(input)?;
                let residual = match self.inputs.get(1) {
                    Some(value) => Some((memory.data(value), memory.frame(value)?, value)),
                    None => None,
                };
                let lines = conv.lines(threads(samples));
                self.for_each_part(memory, output, lines, |n, first, part, count, to| {
                    let beside = residual.as_ref().map(|(data, frame, value)| {
                        let len = memory.buffer(value).len;
                        (&data[n * len..][..len], frame, value.channel)
                    });
                    let input = (&data[n * len..][..len], &from, input.channel);
                    conv.run(input, beside, (part, to, self.output.channel), first, count);
                })?;
            }
            Action::Pool(kind, window) => {
                let from = memory.frame(input)?;
                let geometry = |to: &Frame| Pool {
                    kind: *kind,
                    channels: input.shape[0],
                    input: [from.height, from.width],
                    columns: to.width,
                    kernel: window.kernel,
                    stride: window.stride,
                    padding: window.padding,
                    pitch: [from.line(), from.channels],
                    across: to.channels,
                };
                let lines = self.output.shape[1].div_ceil(threads(samples));
                self.for_each_part(memory, output, lines, |n, first, part, _, to| {
                    let image = &data[n * len..][..len][from.at(0, 0, [0, 0]) + input.channel..];
                    for (line, row) in part.chunks_exact_mut(to.line()).enumerate() {
                        let row = &mut row[to.halo[1] * to.channels + self.output.channel..];
                        pool(isa, &geometry(to), image, first + line, row);
                    }
                })?;
            }
            Action::Copy | Action::Sum(_) if to.frame.is_none() => {
                let mut sum = data.to_vec();
                for other in &self.inputs[1..] {
                    sum = zip_elements(isa, &sum, memory.data(other), |a, b| a + b);
                }
                let activation =
                    if let Action::Sum(activation) = self.action { activation } else { Activation::None };
                for (target, sum) in output.iter_mut().zip(sum) {
                    *target = activation.of(sum);
                }
            }
            Action::Copy | Action::Sum(_) => {
                let activation =
                    if let Action::Sum(activation) = self.action { activation } else { Activation::None };
                let mut sources = Vec::new();
                for input in &self.inputs {
                    sources.push((
                        memory.data(input),
                        memory.buffer(input).len,
                        memory.frame(input)?,
                        input.channel,
                    ));
                }
                let channels = input.shape[0];
                let lines = self.output.shape[1].div_ceil(threads(samples));
                self.for_each_part(memory, output, lines, |n, first, part, _, to| {
                    for (line, row) in part.chunks_exact_mut(to.line()).enumerate() {
                        let row = &mut row[to.halo[1] * to.channels + self.output.channel..];
                        let sources = sources.iter().map(|(data, len, from, channel)| {
                            let at = n * len + from.at(first + line, 0, [0, 0]) + channel;
                            (&data[at..], from.channels)
                        });
                        for (i, (source, pitch)) in sources.enumerate() {
                            add_line(isa, source, pitch, row, to.channels, [to.width, channels], i > 0);
                        }
                        if activation != Activation::None {
                            for pixel in row.chunks_mut(to.channels).take(to.width) {
                                pixel[..channels].iter_mut().for_each(|x| *x = activation.of(*x));
                            }
                        }
                    }
                })?;
            }
            Action::Opaque(_) => {}
        }
        Ok(())
    }

    /// Calls `body(sample, first line, lines with their halo, how many, frame)` for parts of the output image.
    fn for_each_part(
        &self,
        memory: &Memory<'_>,
        output: &mut [f32],
        lines: usize,
        body: impl Fn(usize, usize, &mut [f32], usize, &Frame) + Sync + Send,
    ) -> Result<()> {
        let frame = memory.frame(&self.output)?;
        let (line, lines) = (frame.line(), lines.max(1));
        let mut parts = Vec::new();
        for (n, sample) in output.chunks_exact_mut(frame.len()).take(memory.samples).enumerate() {
            frame.clear_ends(sample);
            let inside = &mut sample[frame.halo[0] * line..][..frame.height * line];
            parts.extend(inside.chunks_mut(lines * line).enumerate().map(|(i, part)| (n, i * lines, part)));
        }
        let work = |(n, first, part): (usize, usize, &mut [f32])| {
            frame.clear_sides(part);
            let count = part.len() / line;
            body(n, first, part, count, &frame);
        };
        if parts.len() == 1 || crate::parallel::current_num_threads() == 1 {
            parts.into_iter().for_each(work);
        } else {
            parts.into_par_iter().for_each(work);
        }
        Ok(())
    }
}

/// Parts that a sample is cut into, so that all threads have work.
fn threads(samples: usize) -> usize {
    crate::parallel::current_num_threads().div_ceil(samples.max(1))
}

/// Adds a line of pixels, or writes it.
fn add_line(
    isa: Isa,
    source: &[f32],
    pitch: usize,
    target: &mut [f32],
    to_pitch: usize,
    [width, channels]: [usize; 2],
    add: bool,
) {
    isa.run(
        #[inline(always)]
        || {
            for x in 0..width {
                let (from, to) = (&source[x * pitch..][..channels], &mut target[x * to_pitch..][..channels]);
                if add {
                    to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
                } else {
                    to.copy_from_slice(from);
                }
            }
        },
    );
}

/// The mean of each channel of a sample that begins with its first.
fn global_mean(isa: Isa, frame: &Frame, sample: &[f32], means: &mut [f32]) {
    isa.run(
        #[inline(always)]
        || {
            means.fill(0.0);
            for y in 0..frame.height {
                for x in 0..frame.width {
                    let pixel = &sample[frame.at(y, x, [0, 0])..][..means.len()];
                    means.iter_mut().zip(pixel).for_each(|(mean, x)| *mean += x);
                }
            }
            let count = (frame.height * frame.width) as f32;
            for mean in means.iter_mut() {
                *mean /= count;
            }
        },
    );
}
