//! The layers of a net as fewer nodes: what can happen inside of a neighbour does.

use crate::Result;
use crate::kernel::nhwc::Activation;
use crate::nn::arch::{Arch, Source};
use crate::nn::layer::{Layer, Lowered};
use crate::nn::{Shape, Tensor};

/// A layer with what was joined to it.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) layer: Box<dyn Layer>,
    pub(super) lowered: Lowered,
    /// What it reads, by nodes.
    pub(super) inputs: Vec<Source>,
    /// What is added before the activation.
    pub(super) residual: Option<Source>,
    pub(super) activation: Activation,
    /// The shape of a sample.
    pub(super) shape: Shape,
    /// How many nodes read it; the reader of the net's output is one.
    pub(super) uses: usize,
    /// Whether it was joined to another.
    pub(super) gone: bool,
}

impl Node {
    /// Whether its sums could be changed for its only reader.
    fn can_take(&self) -> bool {
        self.uses == 1 && self.activation == Activation::None
    }

    fn is_product(&self) -> bool {
        matches!(self.lowered, Lowered::Convolution { .. } | Lowered::Linear { .. })
    }
}

/// The nodes, in an order in which each reads earlier ones alone, and which of them is the output.
pub(super) fn fuse(arch: &Arch, layers: Vec<Box<dyn Layer>>) -> Result<(Vec<Node>, Source)> {
    let needed = arch.needed();
    let mut uses = vec![0; layers.len()];
    for (index, layer) in arch.layers.iter().enumerate().filter(|(index, _)| needed[*index]) {
        for source in &layer.inputs {
            if let Source::Layer(from) = source {
                uses[*from] += 1;
            }
        }
        if index + 1 == arch.layers.len() {
            uses[index] += 1;
        }
    }
    let mut nodes: Vec<Node> = Vec::with_capacity(layers.len());
    // Which node stands for the output of each layer.
    let mut stands: Vec<Source> = Vec::with_capacity(layers.len());
    for (index, (layer, spec)) in layers.into_iter().zip(&arch.layers).enumerate() {
        let inputs = spec.inputs.iter().map(|source| match source {
            Source::Input => Source::Input,
            Source::Layer(from) => stands[*from],
        });
        let inputs: Vec<Source> = inputs.collect();
        let lowered = if needed[index] { layer.lower() } else { Lowered::Identity };
        let joined = if needed[index] { join(&mut nodes, &lowered, &inputs)? } else { Some(Source::Input) };
        let node = joined.unwrap_or(Source::Layer(index));
        if let (Some(Source::Layer(at)), true) = (joined, needed[index]) {
            nodes[at].uses = nodes[at].uses + uses[index] - 1;
        }
        nodes.push(Node {
            name: spec.name.clone(),
            layer,
            lowered,
            inputs,
            residual: None,
            activation: Activation::None,
            shape: spec.output,
            uses: uses[index],
            gone: joined.is_some(),
        });
        stands.push(node);
    }
    let last = stands.last().copied().unwrap_or(Source::Input);
    Ok((nodes, last))
}

/// Joins a layer to a node that it reads; gives which one, or none where it must be a node of its own.
fn join(nodes: &mut [Node], lowered: &Lowered, inputs: &[Source]) -> Result<Option<Source>> {
    match (lowered, inputs) {
        (Lowered::Identity, [input]) => return Ok(Some(*input)),
        (Lowered::Scale { scale, shift }, &[Source::Layer(at)]) => {
            let node = &mut nodes[at];
            if node.can_take() && node.residual.is_none() && fold(&mut node.lowered, scale, shift)? {
                return Ok(Some(Source::Layer(at)));
            }
        }
        (Lowered::Activation(activation), &[Source::Layer(at)]) => {
            let node = &mut nodes[at];
            if node.can_take() && (node.is_product() || matches!(node.lowered, Lowered::Sum)) {
                node.activation = *activation;
                return Ok(Some(Source::Layer(at)));
            }
        }
        (Lowered::Sum, &[a, b]) => {
            // The later one is computed when the other is there.
            let (other, at) = match (a, b) {
                (Source::Layer(first), Source::Layer(second)) if first > second => (b, first),
                (_, Source::Layer(at)) => (a, at),
                (Source::Layer(at), Source::Input) => (b, at),
                (Source::Input, Source::Input) => return Ok(None),
            };
            let node = &mut nodes[at];
            let takes = node.can_take() && node.residual.is_none() && other != Source::Layer(at);
            if takes && matches!(node.lowered, Lowered::Convolution { .. }) && !is_depthwise(&node.lowered) {
                node.residual = Some(other);
                return Ok(Some(Source::Layer(at)));
            }
        }
        _ => {}
    }
    Ok(None)
}

/// Whether every channel has filters of its own.
pub(super) fn is_depthwise(lowered: &Lowered) -> bool {
    matches!(lowered, Lowered::Convolution { weight, groups, .. }
        if *groups > 1 && *groups == weight.shape()[0] && weight.shape()[1] == 1)
}

/// Puts a scale and a shift by channel into the weights of a product.
fn fold(lowered: &mut Lowered, scale: &[f32], shift: &[f32]) -> Result<bool> {
    let (Lowered::Convolution { weight, bias, .. } | Lowered::Linear { weight, bias }) = lowered else {
        return Ok(false);
    };
    let filters = weight.shape()[0];
    let len = weight.shape().sample().count();
    for (filter, factor) in weight.data_mut().chunks_exact_mut(len.max(1)).zip(scale) {
        for value in filter {
            *value *= factor;
        }
    }
    let before = bias.as_ref().map_or_else(|| vec![0.0; filters], |bias| bias.data().to_vec());
    let after = before.iter().zip(scale.iter().zip(shift)).map(|(b, (scale, shift))| b * scale + shift);
    *bias = Some(Tensor::from_vec(Shape::new(&[filters])?, after.collect())?);
    Ok(true)
}
