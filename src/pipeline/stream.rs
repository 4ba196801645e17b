//! Running a pipeline from rows to rows, for images larger than memory.
//!
//! Possible where everything that leads to the final image is a row node or a reduction. Each
//! reduction reads the source once more; the last pass writes.

use std::sync::Arc;

use super::plan::{Maps, Plan, RunStep, internal};
use super::results::Results;
use super::{Pipeline, RunOptions, Save, run};
use crate::Result;
use crate::ops::row::{RowSink, RowSource, RunPlan, Shape, stream};
use crate::stage::{Lowering, OpKind, Value, ValueId};

impl Pipeline {
    /// The shape of the final image, if pictures of this type and size can be streamed: no stage
    /// needs a whole image, and no intermediate image is wanted.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when the pipeline does not take such pictures.
    pub fn streamed_output(&self, shape: Shape, options: &RunOptions) -> Result<Option<Shape>> {
        if options.save != Save::Nothing {
            return Ok(None);
        }
        let plan = self.plan(shape, options)?;
        Ok(plan.output().filter(|_| plan.can_stream()))
    }

    /// Runs from rows to rows. `open` starts the source from its first row; it is called once for
    /// each pass. Returns the results without images.
    ///
    /// # Errors
    /// Whatever reading and writing meets, [`Cancelled`](crate::ErrorKind::Cancelled), and
    /// [`Shape`](crate::ErrorKind::Shape) when the pipeline cannot be streamed.
    pub fn stream(
        &self,
        shape: Shape,
        open: &mut dyn FnMut() -> Result<Box<dyn RowSource>>,
        sink: &mut dyn RowSink,
        options: &RunOptions,
    ) -> Result<Results> {
        let plan = self.plan(shape, options)?;
        if !plan.can_stream() {
            return Err(crate::Error::shape("a stage of the pipeline needs the whole image"));
        }
        let cx = self.context(options);
        let mut maps = Maps::new();
        let mut measures = Vec::new();
        let reductions = (0..plan.graph.ops.len())
            .filter(|&op| plan.live[op] && matches!(plan.graph.ops[op].kind, OpKind::Reduce { .. }));
        for op in reductions {
            let OpKind::Reduce { finish, .. } = &plan.graph.ops[op].kind else { continue };
            let observed = plan.graph.ops[op].inputs[0];
            let step = plan.closure(&[observed], Vec::new(), vec![(observed, op)]);
            let run_plan = RunPlan::streamed(plan.row_run(&step, &maps)?, &cx)?;
            let mut source = open()?;
            let states = stream(&run_plan, &mut [&mut *source], &mut [], &cx)?;
            let mut state = states.into_iter().next().ok_or_else(|| internal("a pass observed nothing"))?;
            let (node, numbers) = finish.finish(&mut state)?;
            maps.insert(op, node);
            measures.push((plan.graph.ops[op].outputs[1], Value::Measures(Arc::new(numbers))));
        }
        let last = plan.last.ok_or_else(|| internal("there is no image to write"))?;
        let step = plan.closure(&[last], vec![last], Vec::new());
        let run_plan = RunPlan::streamed(plan.row_run(&step, &maps)?, &cx)?;
        let mut source = open()?;
        stream(&run_plan, &mut [&mut *source], &mut [sink], &cx)?;
        Ok(run::streamed_results(&plan, measures, (shape.width, shape.height)))
    }
}

impl Plan {
    /// Whether all that is live are row nodes and reductions of the picture itself.
    pub(super) fn can_stream(&self) -> bool {
        let only_rows =
            self.graph.ops.iter().zip(&self.live).filter(|(_, live)| **live).all(|(op, _)| match op.kind {
                OpKind::Input => op.outputs[0] == self.input[0],
                OpKind::Rows(_) => (0..op.inputs.len()).all(|port| !Lowering::wants_whole(op, port)),
                OpKind::Reduce { .. } => true,
                OpKind::Whole(_) => false,
            });
        only_rows && self.last.is_some_and(|last| last != self.input[0])
    }

    /// A run of everything that leads from the picture to some values.
    fn closure(&self, wanted: &[ValueId], sinks: Vec<ValueId>, observers: Vec<(ValueId, usize)>) -> RunStep {
        let mut needed = vec![false; self.graph.ops.len()];
        for id in wanted {
            needed[self.graph.producers[id.0]] = true;
        }
        for op in (0..needed.len()).rev() {
            if needed[op] {
                for id in &self.graph.ops[op].inputs {
                    needed[self.graph.producers[id.0]] = true;
                }
            }
        }
        let ops = (0..needed.len())
            .filter(|&op| needed[op] && !matches!(self.graph.ops[op].kind, OpKind::Input))
            .collect();
        RunStep { sources: vec![self.input[0]], ops, sinks, observers, fixed: None, ends: String::new() }
    }
}
