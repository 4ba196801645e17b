//! From operations to steps: runs of row nodes, and whole steps between them.
//!
//! Every value gets a level. Row nodes stay on the level of what they read, so that chains fuse;
//! what needs a whole image (a reduction's map, a whole step, a wrapping border) lifts what follows
//! to the next level. The row nodes of one level that touch one another form a run.

use std::collections::HashMap;

use super::Save;
use super::file::File;
use super::graph::Lowered;
use crate::ops::row::{Run, RunPlan, Step as RowStep};
use crate::ops::{Context, Progress};
use crate::stage::{Lowering, Meta, OpKind, ValueId};
use crate::{Error, ErrorKind, Result};

/// How a pipeline is carried out on pictures of one type and size.
pub struct Plan {
    pub(super) graph: Lowering,
    pub(super) input: [ValueId; 2],
    pub(super) steps: Vec<PlanStep>,
    /// Stage names, and names and values of their outputs.
    pub(super) stages: Vec<(String, Vec<(&'static str, ValueId)>)>,
    /// Values that outlive the run: the final image, saved images, data.
    pub(super) kept: Vec<ValueId>,
    /// The image of the last stage, if it has one.
    pub(super) last: Option<ValueId>,
    /// Per step: the values that nobody wants after it.
    pub(super) ends: Vec<Vec<ValueId>>,
    /// Whether some step reads the alpha of the picture.
    reads_alpha: bool,
    pub(super) rewrites: Vec<String>,
    /// Operations that are carried out.
    pub(super) live: Vec<bool>,
}

pub(super) enum PlanStep {
    Run(Box<RunStep>),
    Whole(usize),
}

/// A run as a template: maps of reductions are filled in when they are known.
pub(super) struct RunStep {
    /// Values read from whole images.
    pub sources: Vec<ValueId>,
    /// Row nodes and maps of reductions, in order.
    pub ops: Vec<usize>,
    /// Values that leave the run.
    pub sinks: Vec<ValueId>,
    /// Reductions that observe, with the values they look at.
    pub observers: Vec<(ValueId, usize)>,
    /// The schedule, where no map has to be filled in.
    pub fixed: Option<RunPlan>,
    /// Why the run ends.
    pub ends: String,
}

impl Plan {
    pub(super) fn new(file: &File, lowered: Lowered, save: &Save, fuse: bool, cx: &Context) -> Result<Self> {
        let kept = kept(file, &lowered, save)?;
        Self::of(file, lowered, kept, fuse, cx)
    }

    /// The plan that makes some values, in ascending order.
    pub(super) fn of(
        file: &File,
        lowered: Lowered,
        kept: Vec<ValueId>,
        fuse: bool,
        cx: &Context,
    ) -> Result<Self> {
        let last = last(&lowered);
        let Lowered { mut graph, input, outputs } = lowered;
        let names = file.stages.iter().map(|stage| stage.name.clone());
        let stages: Vec<(String, Vec<(&'static str, ValueId)>)> = names.zip(outputs).collect();
        let rewrites = if fuse { super::rewrite::rewrite(&mut graph, &kept) } else { Vec::new() };
        let live = live_ops(&graph, &kept);
        let groups = if fuse { fused(&graph, &live) } else { single(&graph, &live) };
        let mut plan = Self {
            graph,
            input,
            steps: Vec::new(),
            stages,
            kept,
            last,
            ends: Vec::new(),
            reads_alpha: false,
            rewrites,
            live,
        };
        for group in groups {
            let step = plan.step(group, cx)?;
            plan.steps.push(step);
        }
        // What no step reads or makes ends with the first.
        let mut last = vec![0; plan.graph.metas.len()];
        for (index, step) in plan.steps.iter().enumerate() {
            let (read, made): (&[ValueId], &[usize]) = match step {
                PlanStep::Run(run) => (&run.sources, &run.ops),
                PlanStep::Whole(op) => (&plan.graph.ops[*op].inputs, std::slice::from_ref(op)),
            };
            plan.reads_alpha |= read.contains(&input[1]);
            let made = made.iter().flat_map(|op| &plan.graph.ops[*op].outputs);
            read.iter().chain(made).for_each(|id| last[id.0] = index);
        }
        plan.ends = vec![Vec::new(); plan.steps.len()];
        for (id, index) in last.into_iter().enumerate() {
            if let Some(ends) = plan.ends.get_mut(index)
                && !plan.kept.contains(&ValueId(id))
            {
                ends.push(ValueId(id));
            }
        }
        Ok(plan)
    }

    /// Whether any step reads the alpha of the picture.
    pub fn reads_alpha(&self) -> bool {
        self.reads_alpha || self.kept.contains(&self.input[1])
    }

    /// How many runs of row operations there are.
    pub fn runs(&self) -> usize {
        self.steps.iter().filter(|step| matches!(step, PlanStep::Run(_))).count()
    }

    /// What is known of the final image, if there is one.
    pub fn output(&self) -> Option<crate::ops::row::Shape> {
        self.last.and_then(|id| self.graph.shape(id).ok())
    }

    fn step(&self, group: Group, cx: &Context) -> Result<PlanStep> {
        let (ops, observing) = match group {
            Group::Whole(op) => return Ok(PlanStep::Whole(op)),
            Group::Run { ops, observing } => (ops, observing),
        };
        let made: Vec<ValueId> = ops.iter().map(|&op| self.graph.ops[op].outputs[0]).collect();
        let observers: Vec<(ValueId, usize)> =
            observing.iter().map(|&op| (self.graph.ops[op].inputs[0], op)).collect();
        let mut sources: Vec<ValueId> = Vec::new();
        let reads =
            ops.iter().flat_map(|&op| &self.graph.ops[op].inputs).chain(observers.iter().map(|(id, _)| id));
        for id in reads {
            if !made.contains(id) && !sources.contains(id) {
                sources.push(*id);
            }
        }
        let readers = |id: ValueId| {
            self.graph.ops.iter().enumerate().filter(move |(op, o)| self.live[*op] && o.inputs.contains(&id))
        };
        let mut ends = Vec::new();
        let mut sinks = Vec::new();
        for &id in &made {
            let outside: Vec<usize> = readers(id)
                .map(|(op, _)| op)
                .filter(|op| !ops.contains(op) && !observing.contains(op))
                .collect();
            // A reduction's map reads the image again, in a later run.
            let mapped_later = observing.iter().any(|&op| self.graph.ops[op].inputs[0] == id);
            if self.kept.contains(&id) || !outside.is_empty() || mapped_later {
                sinks.push(id);
            }
            ends.extend(outside.iter().map(|&op| format!("`{}` wants the whole image", self.describe(op))));
        }
        ends.extend(
            observing.iter().map(|&op| format!("`{}` has to see every row first", self.describe(op))),
        );
        ends.dedup();
        if ends.is_empty() {
            ends.push("nothing follows".to_owned());
        }
        let mut run = RunStep { sources, ops, sinks, observers, fixed: None, ends: ends.join("; ") };
        if run.ops.iter().all(|&op| matches!(self.graph.ops[op].kind, OpKind::Rows(_))) {
            run.fixed = Some(RunPlan::new(self.row_run(&run, &HashMap::new())?, cx)?);
        }
        Ok(PlanStep::Run(Box::new(run)))
    }

    /// The run of a step, with the maps of reductions filled in.
    pub(super) fn row_run(&self, step: &RunStep, maps: &Maps) -> Result<Run> {
        let mut values: HashMap<ValueId, usize> = HashMap::new();
        let mut run = Run::default();
        for id in &step.sources {
            values.insert(*id, run.sources.len());
            run.sources.push(self.graph.shape(*id)?);
        }
        for &op in &step.ops {
            let operation = &self.graph.ops[op];
            let node = match &operation.kind {
                OpKind::Rows(node) => node.clone(),
                _ => maps.get(&op).cloned().ok_or_else(|| internal("a map is not known yet"))?,
            };
            let inputs = operation.inputs.iter().map(|id| values.get(id).copied());
            let inputs: Option<Vec<usize>> = inputs.collect();
            run.steps
                .push(RowStep { node, inputs: inputs.ok_or_else(|| internal("a run misses an input"))? });
            values.insert(operation.outputs[0], run.sources.len() + run.steps.len() - 1);
        }
        let find = |id: &ValueId| values.get(id).copied().ok_or_else(|| internal("a run misses a value"));
        run.sinks = step.sinks.iter().map(find).collect::<Result<_>>()?;
        for (id, op) in &step.observers {
            if let OpKind::Reduce { reduction, .. } = &self.graph.ops[*op].kind {
                run.observers.push((find(id)?, reduction.clone()));
            }
        }
        Ok(run)
    }

    /// Tells that a share of a step is done.
    pub(super) fn report(&self, step: usize, done: f64, cx: &Context) {
        cx.report(|| {
            let op = match self.steps.get(step)? {
                PlanStep::Whole(op) => *op,
                PlanStep::Run(run) => run.ops.last().copied().or(run.observers.last().map(|(_, op)| *op))?,
            };
            let stage = self.graph.ops[op].stage.map_or("input", |stage| self.stages[stage].0.as_str());
            Some(Progress { stage, step, steps: self.steps.len(), done })
        });
    }

    /// The stage and operation in words.
    pub(super) fn describe(&self, op: usize) -> String {
        let operation = &self.graph.ops[op];
        match operation.stage {
            Some(stage) if self.stages[stage].0 == operation.name() => operation.name().to_owned(),
            Some(stage) => format!("{} ({})", self.stages[stage].0, operation.name()),
            None => operation.name().to_owned(),
        }
    }
}

/// The image of some outputs, if they hold one.
fn image_of(lowered: &Lowered, outputs: &[(&'static str, ValueId)]) -> Option<ValueId> {
    let is_image = |id: &ValueId| matches!(lowered.graph.meta(*id), Meta::Image { .. });
    outputs.iter().map(|(_, id)| *id).find(is_image)
}

/// The image of the last stage, if it gives one.
fn last(lowered: &Lowered) -> Option<ValueId> {
    lowered.outputs.last().and_then(|outputs| image_of(lowered, outputs))
}

/// The values that a run gives: the final image, the saved ones, all data. In ascending order.
pub(super) fn kept(file: &File, lowered: &Lowered, save: &Save) -> Result<Vec<ValueId>> {
    let mut kept: Vec<ValueId> = last(lowered).into_iter().collect();
    for (stage, outputs) in file.stages.iter().zip(&lowered.outputs) {
        let saved = match save {
            Save::Nothing => false,
            Save::Stages(names) => names.contains(&stage.name),
            Save::All => true,
        };
        let is_data = |id: &ValueId| matches!(lowered.graph.meta(*id), Meta::Data(_));
        kept.extend(outputs.iter().map(|(_, id)| *id).filter(|id| saved || is_data(id)));
    }
    kept.sort_unstable();
    kept.dedup();
    if let Save::Stages(names) = save {
        for name in names {
            let Some(at) = file.stages.iter().position(|stage| stage.name == *name) else {
                let error = Error::pipeline(format!("there is no stage `{name}` to save"));
                let known = file.stages.iter().map(|stage| stage.name.as_str());
                return Err(match crate::document::did_you_mean(name, known) {
                    Some(hint) => error.with_hint(hint),
                    None => error,
                });
            };
            if image_of(lowered, &lowered.outputs[at]).is_none() {
                return Err(Error::pipeline(format!("stage `{name}` gives no image that could be saved")));
            }
        }
    }
    Ok(kept)
}

/// The maps that reductions gave, by operation.
pub(super) type Maps = HashMap<usize, std::sync::Arc<dyn crate::ops::row::RowNode>>;

pub(super) fn internal(message: &str) -> Error {
    Error::new(ErrorKind::Internal, message)
}

enum Group {
    /// Row nodes and maps, and the reductions that observe them or their sources.
    Run {
        ops: Vec<usize>,
        observing: Vec<usize>,
    },
    Whole(usize),
}

/// Operations that lead to a kept value.
fn live_ops(graph: &Lowering, kept: &[ValueId]) -> Vec<bool> {
    let mut live = vec![false; graph.ops.len()];
    for id in kept {
        live[graph.producers[id.0]] = true;
    }
    for op in (0..graph.ops.len()).rev() {
        if live[op] {
            for id in &graph.ops[op].inputs {
                live[graph.producers[id.0]] = true;
            }
        }
    }
    live
}

/// Every operation on its own, in order.
fn single(graph: &Lowering, live: &[bool]) -> Vec<Group> {
    let mut groups = Vec::new();
    for op in (0..graph.ops.len()).filter(|&op| live[op]) {
        match graph.ops[op].kind {
            OpKind::Input => {}
            OpKind::Rows(_) => groups.push(Group::Run { ops: vec![op], observing: Vec::new() }),
            OpKind::Reduce { .. } => {
                groups.push(Group::Run { ops: Vec::new(), observing: vec![op] });
                groups.push(Group::Run { ops: vec![op], observing: Vec::new() });
            }
            OpKind::Whole(_) => groups.push(Group::Whole(op)),
        }
    }
    groups
}

/// Levels, then the connected parts of each level.
fn fused(graph: &Lowering, live: &[bool]) -> Vec<Group> {
    let count = graph.ops.len();
    // The level of the run that makes an operation's image; of a reduction, that of its map.
    let mut level = vec![0usize; count];
    for op in (0..count).filter(|&op| live[op]) {
        let operation = &graph.ops[op];
        let of_input = |port: usize, id: &ValueId| {
            let producer = graph.producers[id.0];
            match graph.ops[producer].kind {
                OpKind::Input => 0,
                OpKind::Whole(_) => level[producer] + 1,
                OpKind::Rows(_) | OpKind::Reduce { .. } => {
                    level[producer] + usize::from(Lowering::wants_whole(operation, port))
                }
            }
        };
        let highest =
            operation.inputs.iter().enumerate().map(|(port, id)| of_input(port, id)).max().unwrap_or(0);
        level[op] = match operation.kind {
            OpKind::Input => 0,
            OpKind::Rows(_) => highest,
            OpKind::Reduce { .. } => highest + 1,
            // A whole step follows the runs of its level; one that reads another stays behind it.
            OpKind::Whole(_) => {
                let whole = |id: &&ValueId| matches!(graph.ops[graph.producers[id.0]].kind, OpKind::Whole(_));
                let after =
                    operation.inputs.iter().filter(whole).map(|id| level[graph.producers[id.0]]).max();
                let rows = operation
                    .inputs
                    .iter()
                    .filter(|id| !whole(id))
                    .map(|id| level[graph.producers[id.0]])
                    .max();
                after.unwrap_or(0).max(rows.unwrap_or(0))
            }
        };
    }
    let top = level.iter().copied().max().unwrap_or(0);
    let mut groups = Vec::new();
    for at in 0..=top {
        let rows: Vec<usize> = (0..count)
            .filter(|&op| live[op] && level[op] == at)
            .filter(|&op| matches!(graph.ops[op].kind, OpKind::Rows(_) | OpKind::Reduce { .. }))
            .collect();
        // A reduction observes one level below its map.
        let observing: Vec<usize> = (0..count)
            .filter(|&op| {
                live[op] && level[op] == at + 1 && matches!(graph.ops[op].kind, OpKind::Reduce { .. })
            })
            .collect();
        groups.extend(components(graph, &rows, &observing));
        let wholes = (0..count)
            .filter(|&op| live[op] && level[op] == at && matches!(graph.ops[op].kind, OpKind::Whole(_)));
        groups.extend(wholes.map(Group::Whole));
    }
    groups
}

/// The parts of a level whose operations share a value.
fn components(graph: &Lowering, rows: &[usize], observing: &[usize]) -> Vec<Group> {
    let members: Vec<(usize, bool)> =
        rows.iter().map(|&op| (op, false)).chain(observing.iter().map(|&op| (op, true))).collect();
    let mut root: Vec<usize> = (0..members.len()).collect();
    let mut seen: HashMap<ValueId, usize> = HashMap::new();
    for (i, &(op, observes)) in members.iter().enumerate() {
        let operation = &graph.ops[op];
        let own = (!observes).then(|| operation.outputs[0]);
        for id in operation.inputs.iter().copied().chain(own) {
            match seen.get(&id) {
                Some(&other) => {
                    let (a, b) = (find(&mut root, i), find(&mut root, other));
                    root[a.max(b)] = a.min(b);
                }
                None => {
                    seen.insert(id, i);
                }
            }
        }
    }
    let mut groups: Vec<(usize, Vec<usize>, Vec<usize>)> = Vec::new();
    for (i, &(op, observes)) in members.iter().enumerate() {
        let part = find(&mut root, i);
        let at = groups.iter().position(|(known, ..)| *known == part).unwrap_or_else(|| {
            groups.push((part, Vec::new(), Vec::new()));
            groups.len() - 1
        });
        if observes {
            groups[at].2.push(op);
        } else {
            groups[at].1.push(op);
        }
    }
    groups.into_iter().map(|(_, ops, observing)| Group::Run { ops, observing }).collect()
}

/// The root of a member's part, with paths halved on the way.
fn find(root: &mut [usize], mut i: usize) -> usize {
    while root[i] != i {
        root[i] = root[root[i]];
        i = root[i];
    }
    i
}
