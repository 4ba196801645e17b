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
    /// Nodes that it reads; `None` is the input of the net.
    pub(super) inputs: Vec<Option<usize>>,
    /// What is added before the activation.
    pub(super) residual: Option<Option<usize>>,
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
pub(super) fn fuse(arch: &Arch, layers: Vec<Box<dyn Layer>>) -> Result<(Vec<Node>, Option<usize>)> {
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
    let mut stands: Vec<Option<usize>> = Vec::with_capacity(layers.len());
    for (index, (layer, spec)) in layers.into_iter().zip(&arch.layers).enumerate() {
        let inputs = spec.inputs.iter().map(|source| match source {
            Source::Input => None,
            Source::Layer(from) => stands[*from],
        });
        let inputs: Vec<Option<usize>> = inputs.collect();
        let lowered = if needed[index] { layer.lower() } else { Lowered::Identity };
        let joined = if needed[index] { join(&mut nodes, &lowered, &inputs)? } else { Some(None) };
        let node = joined.unwrap_or(Some(index));
        if let (Some(Some(at)), true) = (joined, needed[index]) {
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
    let last = stands.last().copied().flatten();
    Ok((nodes, last))
}

/// Joins a layer to a node that it reads; gives which one, or none where it must be a node of its own.
fn join(nodes: &mut [Node], lowered: &Lowered, inputs: &[Option<usize>]) -> Result<Option<Option<usize>>> {
    match (lowered, inputs) {
        (Lowered::Identity, [input]) => return Ok(Some(*input)),
        (Lowered::Scale { scale, shift }, &[Some(at)]) => {
            let node = &mut nodes[at];
            if node.can_take() && node.residual.is_none() && fold(&mut node.lowered, scale, shift)? {
                return Ok(Some(Some(at)));
            }
        }
        (Lowered::Activation(activation), &[Some(at)]) => {
            let node = &mut nodes[at];
            if node.can_take() && (node.is_product() || matches!(node.lowered, Lowered::Sum)) {
                node.activation = *activation;
                return Ok(Some(Some(at)));
            }
        }
        (Lowered::Sum, &[a, b]) => {
            // The later one is computed when the other is there.
            let (other, Some(at)) = (a.min(b), a.max(b)) else { return Ok(None) };
            let node = &mut nodes[at];
            let takes = node.can_take() && node.residual.is_none() && other != Some(at);
            if takes && matches!(node.lowered, Lowered::Convolution { .. }) && !is_depthwise(&node.lowered) {
                node.residual = Some(other);
                return Ok(Some(Some(at)));
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
        filter.iter_mut().for_each(|value| *value *= factor);
    }
    let before = bias.as_ref().map_or_else(|| vec![0.0; filters], |bias| bias.data().to_vec());
    let after = before.iter().zip(scale.iter().zip(shift)).map(|(b, (scale, shift))| b * scale + shift);
    *bias = Some(Tensor::from_vec(Shape::new(&[filters])?, after.collect())?);
    Ok(true)
}
