//! What layers are in inference, in words that [`Inference`](crate::nn::Inference) can join.

use crate::kernel::nhwc::{Activation, PoolKind};
use crate::nn::{Tensor, Window};

/// What a layer does in inference.
#[derive(Debug)]
pub enum Lowered {
    /// Nothing else knows: its `forward` is called.
    Opaque,
    /// It gives its input.
    Identity,
    /// A convolution of images.
    Convolution {
        /// `[filters, channels / groups, kernel, kernel]`.
        weight: Tensor,
        /// `[filters]`.
        bias: Option<Tensor>,
        /// The window.
        window: Window,
        /// Groups of channels and filters.
        groups: usize,
    },
    /// A product with a matrix.
    Linear {
        /// `[out, inputs]`.
        weight: Tensor,
        /// `[out]`.
        bias: Option<Tensor>,
    },
    /// `x * scale + shift`, by channel.
    Scale {
        /// A factor for each channel.
        scale: Vec<f32>,
        /// What is added to each channel.
        shift: Vec<f32>,
    },
    /// A rectifier.
    Activation(Activation),
    /// The sum of the inputs.
    Sum,
    /// The inputs' channels one after the other.
    Concat,
    /// A pool over windows.
    Pool {
        /// What it makes of a window.
        kind: PoolKind,
        /// The window. Where the last windows reach past the padding, the shapes say.
        window: Window,
    },
    /// The mean of each channel.
    GlobalMean,
    /// The values in order as a vector.
    Flatten,
}
