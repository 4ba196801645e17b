//! The memory that a run works in, kept from image to image.

use super::plan::{RunPlan, StripPlan};
use super::ring::Ring;
use super::strip::StepState;
use super::{Shape, State};

/// What runs of one plan work in: rings, states of nodes and observers. A loop over images that keeps it
/// needs fresh memory for the first image only.
#[derive(Default)]
pub struct Workspace {
    pub(super) strips: Vec<StripSpace>,
}

impl Workspace {
    /// Makes everything ready for a run of this plan, which is to be the same from call to call.
    pub(super) fn prepare(&mut self, plan: &RunPlan) {
        if self.strips.len() == plan.strips.len() {
            self.strips.iter_mut().zip(&plan.strips).for_each(|(space, strip)| space.restart(plan, strip));
        } else {
            self.strips = plan.strips.iter().map(|strip| StripSpace::new(plan, strip, false)).collect();
        }
    }

    /// The merged states of the run's observers, after it went well.
    pub fn states(&mut self) -> &mut [State] {
        self.strips.first_mut().map(|first| &mut *first.observers).unwrap_or_default()
    }

    /// Takes the merged states of the run's observers out of it; it is empty then.
    pub(super) fn into_states(self) -> Vec<State> {
        self.strips.into_iter().next().map(|first| first.observers).unwrap_or_default()
    }
}

/// What one strip works in.
pub(super) struct StripSpace {
    pub(super) rings: Vec<Ring>,
    pub(super) steps: Vec<StepState>,
    pub(super) observers: Vec<State>,
    /// Per value: the row that is made next.
    pub(super) next: Vec<usize>,
}

impl StripSpace {
    /// Room for a strip; `streamed` where sources and sinks are streams.
    pub(super) fn new(plan: &RunPlan, strip: &StripPlan, streamed: bool) -> Self {
        let run = &plan.run;
        let sources = run.sources.len();
        let is_streamed = |value: usize| streamed && (value < sources || run.sinks.contains(&value));
        let observed_only =
            |value: usize| !run.sinks.contains(&value) && run.observers.iter().any(|(v, _)| *v == value);
        let ring = |v: usize| {
            // What is streamed or only observed needs a row to stand in, even if nobody reads it.
            let is_whole = !streamed && v < sources;
            let least = usize::from(is_streamed(v) || (observed_only(v) && !is_whole));
            Ring::new(plan.shapes[v], plan.capacity[v].max(least), plan.slot_bytes(v), plan.padding[v].0)
        };
        Self {
            rings: (0..plan.shapes.len()).map(ring).collect(),
            steps: run.steps.iter().map(|step| StepState::new(plan, step)).collect(),
            observers: run
                .observers
                .iter()
                .map(|(value, reduction)| reduction.start(plan.shapes[*value]))
                .collect(),
            next: strip.hull.iter().map(|rows| rows.start).collect(),
        }
    }

    /// Makes it ready for another run of the same strip.
    fn restart(&mut self, plan: &RunPlan, strip: &StripPlan) {
        self.rings.iter_mut().for_each(Ring::restart);
        for (state, step) in self.steps.iter_mut().zip(&plan.run.steps) {
            state.restart(step);
        }
        for (state, (value, reduction)) in self.observers.iter_mut().zip(&plan.run.observers) {
            let shape: Shape = plan.shapes[*value];
            if !reduction.restart(state) {
                *state = reduction.start(shape);
            }
        }
        for (next, rows) in self.next.iter_mut().zip(&strip.hull) {
            *next = rows.start;
        }
    }
}
