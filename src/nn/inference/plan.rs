//! The steps of a net and the memory they need.

use super::conv::{Conv, Linear, area};
use super::fuse::{Node, fuse};
use super::image::{Buffer, Value};
use super::step::{Action, Memory, Step};
use crate::Result;
use crate::kernel::Isa;
use crate::kernel::nhwc::Activation;
use crate::nn::Tensor;
use crate::nn::arch::{Arch, Source};
use crate::nn::layer::{Layer, Lowered};

/// Steps in order, and where their values lie.
#[derive(Debug)]
pub(super) struct Plan {
    isa: Isa,
    steps: Vec<Step>,
    buffers: Vec<Buffer>,
    slots: usize,
    input: Value,
    output: Value,
}

impl Plan {
    pub(super) fn new(isa: Isa, arch: &Arch, layers: Vec<Box<dyn Layer>>) -> Result<Self> {
        let (nodes, last) = fuse(arch, layers)?;
        let mut buffers = vec![Buffer::of(arch.input)];
        let input = Value { shape: arch.input, buffer: 0, channel: 0 };
        let values = place(&nodes, &input, &mut buffers);
        let of = |source: Source| match source {
            Source::Input => input,
            Source::Layer(node) => values[node],
        };
        let mut steps = Vec::new();
        for (index, mut node) in nodes.into_iter().enumerate() {
            if node.gone {
                continue;
            }
            let output = values[index];
            let mut inputs: Vec<Value> = node.inputs.iter().map(|&source| of(source)).collect();
            inputs.extend(node.residual.map(of));
            if matches!(node.lowered, Lowered::Concat) && output.shape.len() == 3 {
                // Only what was not written into its place is left to do.
                let mut channel = output.channel;
                for value in inputs {
                    let shape = value.shape;
                    let target = Value { shape, buffer: output.buffer, channel };
                    if value.buffer != output.buffer {
                        let name = node.name.clone();
                        steps.push(Step { name, action: Action::Copy, inputs: vec![value], output: target });
                    }
                    channel += shape[0];
                }
                continue;
            }
            if matches!(node.lowered, Lowered::GlobalMean) && inputs[0].shape.len() != 3 {
                node.lowered = Lowered::Opaque;
            }
            let name = node.name.clone();
            let action = action(isa, node);
            if let Action::Convolution(conv) = &action
                && let Some(frame) = &mut buffers[inputs[0].buffer].frame
            {
                let halo = conv.halo();
                for (side, wanted) in frame.halo.iter_mut().zip(halo) {
                    *side = wanted.max(*side);
                }
            }
            steps.push(Step { name, action, inputs, output });
        }
        for buffer in &mut buffers {
            buffer.len = buffer.frame.map_or(buffer.len, |frame| frame.len());
        }
        let output = of(last);
        let slots = assign(&steps, &mut buffers, output.buffer);
        Ok(Self { isa, steps, buffers, slots, input, output })
    }

    pub(super) fn run(
        &self,
        x: &Tensor,
        slots: &mut Vec<Vec<f32>>,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Tensor> {
        slots.resize_with(self.slots, Vec::new);
        let mut memory = Memory { buffers: &self.buffers, slots, samples: x.samples() };
        memory.set(&self.input, x);
        for step in &self.steps {
            if cancelled() {
                return Err(crate::Error::cancelled());
            }
            step.run(self.isa, &mut memory)?;
        }
        memory.tensor(&self.output)
    }
}

/// Gives every node's value a buffer, and what is joined the same one.
fn place(nodes: &[Node], input: &Value, buffers: &mut Vec<Buffer>) -> Vec<Value> {
    let mut values: Vec<Value> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let value = Value { shape: node.shape, buffer: buffers.len(), channel: 0 };
        if !node.gone {
            buffers.push(Buffer::of(node.shape));
        }
        values.push(value);
        if node.gone || !matches!(node.lowered, Lowered::Concat) || node.shape.len() != 3 {
            continue;
        }
        let mut channel = 0;
        for &source in &node.inputs {
            let Source::Layer(at) = source else {
                channel += input.shape[0];
                continue;
            };
            let channels = nodes[at].shape[0];
            if nodes[at].uses == 1 && !matches!(nodes[at].lowered, Lowered::Concat) {
                values[at] = Value { shape: nodes[at].shape, buffer: value.buffer, channel };
            }
            channel += channels;
        }
    }
    values
}

/// What a node does.
fn action(isa: Isa, node: Node) -> Action {
    let is_image = node.shape.len() == 3;
    match node.lowered {
        Lowered::Convolution { weight, bias, window, groups } => Action::Convolution(Conv::new(
            isa,
            &weight,
            bias.as_ref(),
            window,
            groups,
            area(node.shape),
            node.activation,
        )),
        Lowered::Linear { weight, bias } => {
            Action::Linear(Linear::new(isa, &weight, bias.as_ref(), node.activation))
        }
        Lowered::Pool { kind, window } => Action::Pool(kind, window),
        Lowered::GlobalMean => Action::GlobalMean,
        Lowered::Flatten => Action::Flatten,
        Lowered::Sum => Action::Sum(node.activation),
        Lowered::Activation(activation) if is_image || node.shape.len() == 1 => Action::Sum(activation),
        Lowered::Identity => Action::Sum(Activation::None),
        Lowered::Opaque | Lowered::Activation(_) | Lowered::Scale { .. } | Lowered::Concat => {
            Action::Opaque(node.layer)
        }
    }
}

/// Gives buffers memory: one that nobody reads any more is used again. Gives how many pieces.
fn assign(steps: &[Step], buffers: &mut [Buffer], kept: usize) -> usize {
    let mut last_use = vec![0; buffers.len()];
    for (index, step) in steps.iter().enumerate() {
        for value in step.inputs.iter().chain([&step.output]) {
            last_use[value.buffer] = index;
        }
    }
    last_use[kept] = usize::MAX;
    let mut assigned = vec![false; buffers.len()];
    // The size of every slot, and the buffer that is in it.
    let mut slots: Vec<(usize, Option<usize>)> = vec![(buffers[0].len, Some(0))];
    assigned[0] = true;
    for (index, step) in steps.iter().enumerate() {
        let buffer = step.output.buffer;
        if !assigned[buffer] {
            let len = buffers[buffer].len;
            let is_free = |slot: &(usize, Option<usize>)| slot.1.is_none_or(|held| last_use[held] < index);
            let free = (0..slots.len()).filter(|&slot| is_free(&slots[slot]));
            // The smallest that is large enough, or else the largest, which grows.
            let best = free.min_by_key(|&slot| {
                let size = slots[slot].0;
                if size >= len { (false, size - len) } else { (true, len - size) }
            });
            let slot = best.unwrap_or_else(|| {
                slots.push((0, None));
                slots.len() - 1
            });
            slots[slot] = (slots[slot].0.max(len), Some(buffer));
            buffers[buffer].slot = slot;
            assigned[buffer] = true;
        }
    }
    slots.len()
}
