//! The rewrites: row nodes that are better done as one. Each is bit-equal to what it replaces.

use std::any::Any;
use std::sync::Arc;

use crate::image::ImageType;
use crate::ops::equalize::TableRows;
use crate::ops::row::RowNode;
use crate::ops::sobel::{MagnitudeThresholdRows, SobelRows};
use crate::ops::threshold::{ThresholdRows, ThresholdType};
use crate::stage::{Lowering, Meta, OpKind, ValueId};

/// Merges what can be merged; returns what was done, in words. Values in `kept` stay as they are.
pub(super) fn rewrite(graph: &mut Lowering, kept: &[ValueId]) -> Vec<String> {
    let mut done = Vec::new();
    for op in 0..graph.ops.len() {
        let OpKind::Rows(second) = graph.ops[op].kind.clone() else { continue };
        let [input] = graph.ops[op].inputs[..] else { continue };
        let producer = graph.producers[input.0];
        let OpKind::Rows(first) = graph.ops[producer].kind.clone() else { continue };
        let readers = graph.ops.iter().flat_map(|op| &op.inputs).filter(|id| **id == input).count();
        if readers > 1 || kept.contains(&input) {
            continue;
        }
        let Meta::Image { shape: output, .. } = graph.meta(graph.ops[op].outputs[0]) else { continue };
        let [source] = graph.ops[producer].inputs[..] else { continue };
        let Meta::Image { shape: source, .. } = graph.meta(source) else { continue };
        let pair = Pair { first: &*first, second: &*second, input: source.ty, output: output.ty };
        if let Some(merged) = RULES.iter().find_map(|rule| rule(&pair)) {
            done.push(format!("{} + {} -> {}", first.name(), second.name(), merged.name()));
            graph.ops[op].kind = OpKind::Rows(merged);
            let inputs = graph.ops[producer].inputs.clone();
            graph.ops[op].inputs = inputs;
        }
    }
    done
}

/// Two nodes, the second the only reader of the first.
struct Pair<'a> {
    first: &'a dyn RowNode,
    second: &'a dyn RowNode,
    input: ImageType,
    output: ImageType,
}

type Rule = fn(&Pair<'_>) -> Option<Arc<dyn RowNode>>;

const RULES: [Rule; 2] = [tables, magnitude_threshold];

/// Two maps from 8 bit to 8 bit are one table.
fn tables(pair: &Pair<'_>) -> Option<Arc<dyn RowNode>> {
    let (first, second) = (pair.first.table()?, pair.second.table()?);
    let table = Arc::new(std::array::from_fn(|value| second[usize::from(first[value])]));
    Some(Arc::new(TableRows::new("table", table, pair.output)))
}

/// A magnitude that is only compared needs no square root.
fn magnitude_threshold(pair: &Pair<'_>) -> Option<Arc<dyn RowNode>> {
    let sobel = (pair.first as &dyn Any).downcast_ref::<SobelRows>()?;
    let threshold = (pair.second as &dyn Any).downcast_ref::<ThresholdRows>()?;
    let inverted = match threshold.kind {
        ThresholdType::Binary => false,
        ThresholdType::BinaryInv => true,
        _ => return None,
    };
    Some(Arc::new(MagnitudeThresholdRows::fuse(sobel, pair.input, threshold.level, inverted)?))
}
