//! A plan in words: runs, rings, bytes, recomputed rows, rewrites, and why each run ended.

use std::fmt::Write as _;

use super::plan::{Plan, PlanStep};
use crate::stage::{Meta, ValueId};

impl Plan {
    /// The plan as text, one step a paragraph.
    pub fn explain(&self) -> String {
        let mut text = String::new();
        let shape = self.value_text(self.input[0]);
        let whole = self.steps.len() - self.runs();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "input: {shape}");
        let _ = writeln!(text, "plan: {}, {}", count(self.runs(), "run"), count(whole, "whole step"));
        for rewrite in &self.rewrites {
            let _ = writeln!(text, "rewrite: {rewrite}");
        }
        for (index, step) in self.steps.iter().enumerate() {
            let _ = writeln!(text);
            match step {
                PlanStep::Whole(op) => {
                    let outputs = self.graph.ops[*op].outputs.iter().map(|id| self.value_text(*id));
                    let outputs: Vec<String> = outputs.collect();
                    let _ = writeln!(
                        text,
                        "{}. whole  {} -> {}",
                        index + 1,
                        self.describe(*op),
                        outputs.join(", ")
                    );
                }
                PlanStep::Run(run) => {
                    let sources: Vec<String> = run.sources.iter().map(|id| self.value_name(*id)).collect();
                    let _ = writeln!(text, "{}. run  reads {}", index + 1, sources.join(", "));
                    for (at, &op) in run.ops.iter().enumerate() {
                        let id = self.graph.ops[op].outputs[0];
                        let mut line = format!("   {:<24} {}", self.describe(op), self.value_text(id));
                        if let Some(plan) = &run.fixed {
                            match plan.ring_rows(run.sources.len() + at) {
                                0 => {}
                                rows => {
                                    let _ = write!(line, ", ring of {}", count(rows, "row"));
                                }
                            }
                        }
                        if run.sinks.contains(&id) {
                            line.push_str(", written whole");
                        }
                        let _ = writeln!(text, "{line}");
                    }
                    for (id, op) in &run.observers {
                        let _ =
                            writeln!(text, "   {:<24} observes {}", self.describe(*op), self.value_name(*id));
                    }
                    if let Some(plan) = &run.fixed {
                        let _ = writeln!(
                            text,
                            "   {}, {} bytes of rings each, {} recomputed",
                            count(plan.strips(), "strip"),
                            plan.ring_bytes(),
                            count(plan.recomputed_rows(), "row"),
                        );
                    }
                    let _ = writeln!(text, "   ends: {}", run.ends);
                }
            }
        }
        text
    }

    fn value_text(&self, id: ValueId) -> String {
        match self.graph.meta(id) {
            Meta::Image { shape, .. } => format!("{} {}x{}", shape.ty, shape.width, shape.height),
            Meta::Data(_) => self.graph.meta(id).ty().to_string(),
        }
    }

    fn value_name(&self, id: ValueId) -> String {
        if id == self.input[0] {
            return "input".into();
        }
        if id == self.input[1] {
            return "input.alpha".into();
        }
        self.describe(self.graph.producers[id.0])
    }
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
