//! Carrying out a plan on whole images.

use std::collections::HashMap;
use std::sync::Arc;

use super::plan::{Maps, Plan, PlanStep, RunStep, internal};
use super::results::{Results, StageResults};
use crate::image::{Affine, Image};
use crate::ops::Context;
use crate::ops::row::{self, RunPlan};
use crate::stage::{ImageValue, OpKind, Value, ValueId};
use crate::{Error, Result};

/// Values that are there, by id.
pub(super) type Values = HashMap<ValueId, Value>;

/// Runs a plan on a picture.
pub(super) fn run(
    plan: &Plan,
    image: Arc<Image>,
    alpha: Option<Arc<Image>>,
    cx: &Context,
) -> Result<Results> {
    let size = (image.width(), image.height());
    let mut values = Values::new();
    let picture = |image| Value::Image(ImageValue { image, map: Affine::IDENTITY });
    values.insert(plan.input[0], picture(image));
    if let Some(alpha) = alpha {
        values.insert(plan.input[1], picture(alpha));
    }
    carry_out(plan, &mut values, cx)?;
    Ok(results(plan, &values, size))
}

/// Takes the steps of a plan, from the values that are there to those that are kept.
pub(super) fn carry_out(plan: &Plan, values: &mut Values, cx: &Context) -> Result<()> {
    let mut maps = Maps::new();
    for (index, step) in plan.steps.iter().enumerate() {
        cx.check()?;
        match step {
            PlanStep::Run(step) => run_rows(plan, step, values, &mut maps, cx)?,
            PlanStep::Whole(op) => run_whole(plan, *op, values, cx)?,
        }
        let done =
            |id: &ValueId| !plan.kept.contains(id) && plan.last_use.get(id).is_none_or(|last| *last <= index);
        for (_, value) in values.extract_if(|id, _| done(id)) {
            if let Value::Image(value) = value {
                cx.reuse(value.image);
            }
        }
    }
    Ok(())
}

fn run_rows(plan: &Plan, step: &RunStep, values: &mut Values, maps: &mut Maps, cx: &Context) -> Result<()> {
    let images: Vec<Arc<Image>> = step
        .sources
        .iter()
        .map(|id| match values.get(id) {
            Some(Value::Image(value)) => Ok(Arc::clone(&value.image)),
            _ => Err(internal("a run misses a source")),
        })
        .collect::<Result<_>>()?;
    let sources: Vec<&Image> = images.iter().map(|image| &**image).collect();
    let output = match &step.fixed {
        Some(fixed) => row::execute(fixed, &sources, cx)?,
        None => row::execute(&RunPlan::new(plan.row_run(step, maps)?, cx)?, &sources, cx)?,
    };
    for (id, image) in step.sinks.iter().zip(output.images) {
        let map = plan.graph.map(*id);
        values.insert(*id, Value::Image(ImageValue { image: Arc::new(image), map }));
    }
    for ((_, op), state) in step.observers.iter().zip(output.states) {
        let operation = &plan.graph.ops[*op];
        if let OpKind::Reduce { finish, .. } = &operation.kind {
            let (node, measures) = finish(state).map_err(|error| within(plan, *op, error))?;
            maps.insert(*op, node);
            values.insert(operation.outputs[1], Value::Measures(Arc::new(measures)));
        }
    }
    Ok(())
}

fn run_whole(plan: &Plan, op: usize, values: &mut Values, cx: &Context) -> Result<()> {
    let operation = &plan.graph.ops[op];
    let OpKind::Whole(step) = &operation.kind else { return Err(internal("a step is not whole")) };
    let inputs: Option<Vec<Value>> = operation.inputs.iter().map(|id| values.get(id).cloned()).collect();
    let inputs = inputs.ok_or_else(|| internal("a step misses an input"))?;
    let outputs = step.run(cx, &inputs).map_err(|error| within(plan, op, error))?;
    let declared: Vec<_> = operation.outputs.iter().map(|id| plan.graph.meta(*id).ty()).collect();
    let made: Vec<_> = outputs.iter().map(Value::ty).collect();
    if made != declared {
        let message = format!("declared {declared:?}, but made {made:?}");
        return Err(within(plan, op, internal(&message)));
    }
    values.extend(operation.outputs.iter().copied().zip(outputs));
    Ok(())
}

fn within(plan: &Plan, op: usize, error: Error) -> Error {
    match plan.graph.ops[op].stage {
        Some(stage) => error.within(&plan.stages[stage].0),
        None => error,
    }
}

pub(super) fn results(plan: &Plan, values: &Values, size: (usize, usize)) -> Results {
    let kept = |id: &ValueId| values.get(id).filter(|_| plan.kept.contains(id)).cloned();
    let stages = plan.stages.iter().map(|(name, outputs)| StageResults {
        name: name.clone(),
        values: outputs.iter().filter_map(|(name, id)| Some((*name, kept(id)?))).collect(),
    });
    let output = plan.last.and_then(|id| match values.get(&id) {
        Some(Value::Image(value)) => Some(value.clone()),
        _ => None,
    });
    Results { stages: stages.collect(), output, size }
}

/// Results without images, for a picture that was streamed.
pub(super) fn streamed_results(
    plan: &Plan,
    measures: Vec<(ValueId, Value)>,
    size: (usize, usize),
) -> Results {
    results(plan, &measures.into_iter().collect(), size)
}
