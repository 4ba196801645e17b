//! The rewrites: row nodes that are better done as one. Each is bit-equal to what it replaces.

use std::sync::Arc;

use crate::ops::row::RowNode;
use crate::stage::{Lowering, OpKind, ValueId};

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
        let merged = RULES.iter().find_map(|rule| rule(&*first, &*second));
        if let Some(merged) = merged {
            done.push(format!("{} + {} -> {}", first.name(), second.name(), merged.name()));
            graph.ops[op].kind = OpKind::Rows(merged);
            graph.ops[op].inputs = graph.ops[producer].inputs.clone();
        }
    }
    done
}

type Rule = fn(&dyn RowNode, &dyn RowNode) -> Option<Arc<dyn RowNode>>;

const RULES: [Rule; 0] = [];
