//! The memory that a run works in, kept from image to image.

use std::ops::Range;

use super::plan::{RunPlan, Step, StripPlan};
use super::ring::Ring;
use super::rows::Port;
use super::{Shape, State};

/// What runs of one plan work in: rings, states of nodes and observers. A loop over images that keeps it
/// needs fresh memory for the first image only.
#[derive(Default)]
pub struct Workspace {
    /// A room for every worker; each makes its own, and takes it from strip to strip while it is in cache.
    pub(super) rooms: Vec<Option<Room>>,
    /// The observers' states, strip by strip.
    pub(super) observers: Vec<Vec<State>>,
}

impl Workspace {
    /// Makes everything ready for a run of this plan, which is to be the same from call to call.
    pub(super) fn prepare(&mut self, plan: &RunPlan, workers: usize) {
        if self.rooms.len() < workers {
            self.rooms.resize_with(workers, || None);
        }
        let observers = &plan.run.observers;
        if self.observers.len() == plan.strips.len() {
            for states in &mut self.observers {
                for (state, (value, reduction)) in states.iter_mut().zip(observers) {
                    if !reduction.restart(state) {
                        *state = reduction.start(plan.shapes[*value]);
                    }
                }
            }
        } else {
            self.observers = plan.strips.iter().map(|_| start_observers(plan)).collect();
        }
    }

    /// The merged states of the run's observers, after it went well.
    pub fn states(&mut self) -> &mut [State] {
        self.observers.first_mut().map(|first| &mut **first).unwrap_or_default()
    }

    /// Takes the merged states of the run's observers out of it; it is empty then.
    pub(super) fn into_states(self) -> Vec<State> {
        self.observers.into_iter().next().unwrap_or_default()
    }
}

/// The states of the observers of a strip.
pub(super) fn start_observers(plan: &RunPlan) -> Vec<State> {
    let observers = plan.run.observers.iter();
    observers.map(|(value, reduction)| reduction.start(plan.shapes[*value])).collect()
}

/// What a strip works in, and the next one after it.
pub(super) struct Room {
    pub(super) rings: Vec<Ring>,
    pub(super) steps: Vec<StepState>,
    /// Per value: the row that is made next.
    pub(super) next: Vec<usize>,
}

impl Room {
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
            let batch = plan.batch[v];
            let least = if is_streamed(v) || (observed_only(v) && !is_whole) { batch } else { 0 };
            let capacity = plan.capacity[v].max(least);
            Ring::new(plan.shapes[v], capacity, batch, plan.slot_bytes(v), plan.padding[v].0)
        };
        Self {
            rings: (0..plan.shapes.len()).map(ring).collect(),
            steps: run.steps.iter().map(|step| StepState::new(plan, step)).collect(),
            next: strip.hull.iter().map(|rows| rows.start).collect(),
        }
    }

    /// Makes the room of an earlier strip ready for this one, or makes a new one.
    pub(super) fn ready<'a>(room: &'a mut Option<Self>, plan: &RunPlan, strip: &StripPlan) -> &'a mut Self {
        if let Some(room) = room {
            for (state, step) in room.steps.iter_mut().zip(&plan.run.steps) {
                state.restart(step);
            }
            for (next, rows) in room.next.iter_mut().zip(&strip.hull) {
                *next = rows.start;
            }
        }
        room.get_or_insert_with(|| Self::new(plan, strip, false))
    }
}

/// What a step keeps during a strip.
pub(super) struct StepState {
    pub(super) state: State,
    pub(super) ports: Vec<Port>,
    inputs: Vec<Shape>,
    output: Shape,
    /// Whether an input has padding that others want filled in another way.
    pads: bool,
}

impl StepState {
    fn new(plan: &RunPlan, step: &Step) -> Self {
        let ports: Vec<Port> = (0..step.inputs.len()).map(|port| Port::new(plan, step, port)).collect();
        let inputs: Vec<Shape> = ports.iter().map(Port::shape).collect();
        let output = step.node.output(&inputs);
        let pads = ports.iter().any(|port| pads(plan, port));
        Self { state: step.node.start(&inputs, output), ports, inputs, output, pads }
    }

    /// Makes it ready for another strip.
    fn restart(&mut self, step: &Step) {
        if !step.node.restart(&mut self.state) {
            self.state = step.node.start(&self.inputs, self.output);
        }
    }

    /// Sees to it that the rows about to be read are padded for this step's borders.
    #[inline]
    pub(super) fn pad_inputs(&self, plan: &RunPlan, step: &Step, rings: &mut [Ring], ys: Range<usize>) {
        if !self.pads {
            return;
        }
        for (index, port) in self.ports.iter().enumerate().filter(|(_, port)| pads(plan, port)) {
            for row in ys.clone().flat_map(|y| step.node.rows_needed(index, y)) {
                if let Some(row) = port.inside(row) {
                    let padding = plan.padding[port.value];
                    rings[port.value].pad(port.shape(), padding, row, port.window.border);
                }
            }
        }
    }
}

/// Whether rows have to be padded before they are read: where all readers want the same, they were when
/// they were made.
fn pads(plan: &RunPlan, port: &Port) -> bool {
    port.window.left + port.window.right > 0 && plan.borders[port.value].is_none()
}
