//! Row nodes one after the other, as one operation.

use std::sync::Arc;

use super::Context;
use super::row::{Run, RunPlan, Shape, Step, execute};
use crate::image::Image;
use crate::ops::row::RowNode;
use crate::{Error, ErrorKind, Result};

/// Nodes of one input and one output each, every one reading the one before. No node at all is the
/// identity.
pub type Chain = Vec<Arc<dyn RowNode>>;

/// Type and size of what a chain gives.
pub fn chain_output(chain: &[Arc<dyn RowNode>], input: Shape) -> Shape {
    chain.iter().fold(input, |shape, node| node.output(&[shape]))
}

/// Runs a chain over a whole image.
///
/// # Errors
/// [`Cancelled`](ErrorKind::Cancelled).
pub fn apply_chain(chain: Chain, input: &Image, cx: &Context) -> Result<Image> {
    if chain.is_empty() {
        return Ok(input.clone());
    }
    let last = chain.len();
    let steps = chain.into_iter().enumerate().map(|(i, node)| Step { node, inputs: vec![i] });
    let run = Run {
        sources: vec![Shape::of(input)],
        steps: steps.collect(),
        sinks: vec![last],
        observers: Vec::new(),
    };
    let mut output = execute(&RunPlan::new(run, cx)?, &[input], cx)?;
    output.images.pop().ok_or_else(|| Error::new(ErrorKind::Internal, "a run gave no image"))
}
