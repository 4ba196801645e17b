//! Carrying out a plan on whole images.

use std::collections::HashMap;
use std::sync::Arc;

use super::plan::{Maps, Plan, PlanStep, RunStep, internal};
use super::results::{Results, StageResults};
use super::values::Values;
use crate::image::{Affine, Image};
use crate::ops::Context;
use crate::ops::point::InvertRows;
use crate::ops::row::{self, RowNode, RunPlan, Workspace};
use crate::stage::{ImageValue, Measures, OpKind, Value, ValueId};
use crate::{Error, Result};

/// What the runs of one plan work in, kept from picture to picture.
#[derive(Default)]
pub(super) struct Space {
    pub(super) values: Values,
    maps: Maps,
    /// By operation: the numbers a reduction gave.
    measures: HashMap<usize, Arc<Measures>>,
    steps: Vec<StepSpace>,
    inputs: Vec<Value>,
    outputs: Vec<Value>,
}

/// What one step works in.
#[derive(Default)]
struct StepSpace {
    rows: Workspace,
    mapped: Option<Mapped>,
    sinks: Vec<Arc<Image>>,
}

/// The schedule of a run with maps of reductions.
struct Mapped {
    schedule: RunPlan,
    /// The places of the maps among the run's nodes, with their operations.
    places: Vec<(usize, usize)>,
    /// What stands for the maps between two pictures, so that those have one owner and can be changed.
    stand_in: Arc<dyn RowNode>,
}

impl Mapped {
    fn new(plan: &Plan, step: &RunStep, maps: &Maps, cx: &Context) -> Result<Self> {
        let is_map = |op: &usize| !matches!(plan.graph.ops[*op].kind, OpKind::Rows(_));
        let places = step.ops.iter().copied().enumerate().filter(|(_, op)| is_map(op)).collect();
        let schedule = RunPlan::new(plan.row_run(step, maps)?, cx)?;
        Ok(Self { schedule, places, stand_in: Arc::new(InvertRows) })
    }

    /// Puts in the maps of another picture; `false` where one does not fit the schedule.
    fn fill(&mut self, maps: &Maps) -> bool {
        self.places
            .iter()
            .all(|(at, op)| maps.get(op).is_some_and(|map| self.schedule.replace_map(*at, Arc::clone(map))))
    }

    fn empty(&mut self) {
        for (at, _) in &self.places {
            self.schedule.take_map(*at, Arc::clone(&self.stand_in));
        }
    }
}

/// The picture that a pipeline runs on. It is copied only where a stage wants all of it as a value.
#[derive(Clone, Copy)]
pub(super) enum Picture<'a> {
    /// Somebody else's.
    Borrowed(&'a Image),
    /// One that may be kept.
    Shared(&'a Arc<Image>),
}

impl<'a> Picture<'a> {
    pub(super) fn image(self) -> &'a Image {
        match self {
            Self::Borrowed(image) => image,
            Self::Shared(image) => image,
        }
    }

    fn to_value(self, cx: &Context) -> Value {
        let image = match self {
            Self::Shared(image) => Arc::clone(image),
            Self::Borrowed(image) => cx.copy(image),
        };
        Value::Image(ImageValue { image, map: Affine::IDENTITY })
    }
}

/// Runs a plan on a picture; the values it keeps are in `space` afterwards.
pub(super) fn run(
    plan: &Plan,
    picture: Picture<'_>,
    alpha: Option<Arc<Image>>,
    space: &mut Space,
    cx: &Context,
) -> Result<()> {
    space.values.clear();
    if let Some(image) = alpha {
        let value = Value::Image(ImageValue { image, map: Affine::IDENTITY });
        space.values.insert(plan.input[1], value);
    }
    let whole = |step: &PlanStep| match step {
        PlanStep::Whole(op) => plan.graph.ops[*op].inputs.contains(&plan.input[0]),
        PlanStep::Run(_) => false,
    };
    if plan.kept.contains(&plan.input[0]) || plan.steps.iter().any(whole) {
        space.values.insert(plan.input[0], picture.to_value(cx));
    }
    carry_out(plan, Some(picture.image()), space, cx)
}

/// Takes the steps of a plan, from the values that are there to those that are kept.
pub(super) fn carry_out(plan: &Plan, picture: Option<&Image>, space: &mut Space, cx: &Context) -> Result<()> {
    if space.steps.len() != plan.steps.len() {
        space.steps.clear();
        space.steps.resize_with(plan.steps.len(), StepSpace::default);
    }
    for (index, step) in plan.steps.iter().enumerate() {
        cx.check()?;
        match step {
            PlanStep::Run(step) => run_rows(plan, index, step, picture, space, cx)?,
            PlanStep::Whole(op) => run_whole(plan, *op, space, cx)?,
        }
        for id in &plan.ends[index] {
            if let Some(Value::Image(value)) = space.values.take(*id) {
                cx.reuse(value.image);
            }
        }
        plan.report(index, 1.0, cx);
    }
    Ok(())
}

fn run_rows(
    plan: &Plan,
    index: usize,
    step: &RunStep,
    picture: Option<&Image>,
    space: &mut Space,
    cx: &Context,
) -> Result<()> {
    let Space { values, maps, measures, steps, .. } = space;
    let StepSpace { rows, mapped, sinks } = &mut steps[index];
    // Maps fill themselves into the schedule that is there.
    if step.fixed.is_none() && !mapped.as_mut().is_some_and(|mapped| mapped.fill(maps)) {
        *rows = Workspace::default();
        *mapped = Some(Mapped::new(plan, step, maps, cx)?);
    }
    let schedule = step.fixed.as_ref().or(mapped.as_ref().map(|mapped| &mapped.schedule));
    let schedule = schedule.ok_or_else(|| internal("a run has no schedule"))?;
    let sources = step.sources.iter().filter_map(|id| match (values.get(*id), picture) {
        (Some(Value::Image(value)), _) => Some(&*value.image),
        (None, Some(picture)) if *id == plan.input[0] => Some(picture),
        _ => None,
    });
    sinks.clear();
    for id in &step.sinks {
        let shape = plan.graph.shape(*id)?;
        sinks.push(cx.shared_image(shape.ty, shape.width, shape.height));
    }
    let report = |done: f64| plan.report(index, done, cx);
    row::execute_reporting(schedule, sources, sinks.iter_mut().filter_map(Arc::get_mut), rows, &report, cx)?;
    for (id, image) in step.sinks.iter().zip(sinks.drain(..)) {
        let map = plan.graph.map(*id);
        values.insert(*id, Value::Image(ImageValue { image, map }));
    }
    if let Some(mapped) = mapped {
        mapped.empty();
    }
    for ((_, op), state) in step.observers.iter().zip(rows.states()) {
        let operation = &plan.graph.ops[*op];
        let OpKind::Reduce { finish, .. } = &operation.kind else { continue };
        let numbers = measures.entry(*op).or_default();
        match (maps.get_mut(op), Arc::get_mut(numbers)) {
            (Some(node), Some(numbers)) => finish.refit(state, node, numbers),
            _ => finish.finish(state).map(|(node, made)| {
                maps.insert(*op, node);
                *numbers = Arc::new(made);
            }),
        }
        .map_err(|error| within(plan, *op, error))?;
        values.insert(operation.outputs[1], Value::Measures(Arc::clone(numbers)));
    }
    Ok(())
}

fn run_whole(plan: &Plan, op: usize, space: &mut Space, cx: &Context) -> Result<()> {
    let operation = &plan.graph.ops[op];
    let OpKind::Whole(step) = &operation.kind else { return Err(internal("a step is not whole")) };
    let Space { values, inputs, outputs, .. } = space;
    inputs.clear();
    outputs.clear();
    inputs.extend(operation.inputs.iter().filter_map(|id| values.get(*id).cloned()));
    if inputs.len() != operation.inputs.len() {
        return Err(internal("a step misses an input"));
    }
    step.run(cx, inputs, outputs).map_err(|error| within(plan, op, error))?;
    inputs.clear();
    let declared = || operation.outputs.iter().map(|id| plan.graph.meta(*id).ty());
    if !outputs.iter().map(Value::ty).eq(declared()) {
        let (declared, made): (Vec<_>, Vec<_>) =
            (declared().collect(), outputs.iter().map(Value::ty).collect());
        let message = format!("declared {declared:?}, but made {made:?}");
        return Err(within(plan, op, internal(&message)));
    }
    values.extend(operation.outputs.iter().copied().zip(outputs.drain(..)));
    Ok(())
}

fn within(plan: &Plan, op: usize, error: Error) -> Error {
    match plan.graph.ops[op].stage {
        Some(stage) => error.within(&plan.stages[stage].0),
        None => error,
    }
}

/// Puts what a plan keeps into results, in the memory that they have.
pub(super) fn fill(results: &mut Results, plan: &Plan, values: &Values, size: (usize, usize)) {
    let kept = |id: &ValueId| values.get(*id).filter(|_| plan.kept.contains(id)).cloned();
    let names = plan.stages.iter().map(|(name, _)| name);
    if !results.stages.iter().map(|stage| &stage.name).eq(names.clone()) {
        results.stages = names.map(|name| StageResults { name: name.clone(), values: Vec::new() }).collect();
    }
    for (stage, (_, outputs)) in results.stages.iter_mut().zip(&plan.stages) {
        stage.values.clear();
        stage.values.extend(outputs.iter().filter_map(|(name, id)| Some((*name, kept(id)?))));
    }
    results.output = plan.last.and_then(|id| match values.get(id) {
        Some(Value::Image(value)) => Some(value.clone()),
        _ => None,
    });
    results.size = size;
}

pub(super) fn results(plan: &Plan, values: &Values, size: (usize, usize)) -> Results {
    let mut results = Results::default();
    fill(&mut results, plan, values, size);
    results
}

/// Results without images, for a picture that was streamed.
pub(super) fn streamed_results(
    plan: &Plan,
    measures: Vec<(ValueId, Value)>,
    size: (usize, usize),
) -> Results {
    results(plan, &measures.into_iter().collect(), size)
}
