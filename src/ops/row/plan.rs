//! From a run (a small graph of row nodes) to a schedule that is recorded once and replayed.

use std::ops::Range;
use std::sync::Arc;

use super::{BATCH, Reduction, RowNode, Shape, Window};
use crate::image::{Border, BorderMode};
use crate::ops::Context;
use crate::{Error, Result};

/// A node in a run. Values are numbered: sources first, then the outputs of the steps in order.
#[derive(Clone)]
pub struct Step {
    /// What computes the rows.
    pub node: Arc<dyn RowNode>,
    /// The values it reads.
    pub inputs: Vec<usize>,
}

/// Row nodes that are executed together.
#[derive(Clone, Default)]
pub struct Run {
    /// Shapes of the images the run reads.
    pub sources: Vec<Shape>,
    /// The nodes, each after those it reads.
    pub steps: Vec<Step>,
    /// Values that leave the run as images.
    pub sinks: Vec<usize>,
    /// Values that are observed while they are made.
    pub observers: Vec<(usize, Arc<dyn Reduction>)>,
}

/// The rows of one strip, and the order in which they are made.
pub(super) struct StripPlan {
    /// Per value: the rows this strip is to deliver.
    pub own: Vec<Range<usize>>,
    /// Per value: the rows this strip makes, deliveries and halo.
    pub hull: Vec<Range<usize>>,
    /// The values whose next rows are made, one after the other, and how many rows.
    pub script: Vec<(u16, u16)>,
}

/// A run with its shapes, ring sizes and schedule.
pub struct RunPlan {
    pub(super) run: Run,
    /// Whether sources come row by row, so that every reader goes through a ring.
    streamed: bool,
    /// Rows of the images that are one row of `shapes`.
    fold: usize,
    pub(super) shapes: Vec<Shape>,
    /// Per value: rows that are made at once.
    pub(super) batch: Vec<usize>,
    /// Per value: rows its ring holds; 0 when nobody in the run reads it through a ring.
    pub(super) capacity: Vec<usize>,
    /// Per value: pixels of padding left and right in its ring.
    pub(super) padding: Vec<(usize, usize)>,
    /// Per value: the border of its padding, if all who read padding want the same.
    pub(super) borders: Vec<Option<Border>>,
    pub(super) strips: Vec<StripPlan>,
}

impl RunPlan {
    /// Plans a run for as many strips as the context's threads or strip rows ask for.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when a node's inputs are not before it.
    pub fn new(run: Run, cx: &Context) -> Result<Self> {
        Self::build(run, cx, false)
    }

    /// Plans a run for [`stream`](super::stream): one strip, sources row by row.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when a node's inputs are not before it.
    pub fn streamed(run: Run, cx: &Context) -> Result<Self> {
        Self::build(run, cx, true)
    }

    fn build(run: Run, cx: &Context, streamed: bool) -> Result<Self> {
        let mut shapes = run.sources.clone();
        for step in &run.steps {
            if step.inputs.len() != step.node.inputs() || step.inputs.iter().any(|&v| v >= shapes.len()) {
                return Err(Error::shape(format!("inputs of `{}` are not before it", step.node.name())));
            }
            let inputs: Vec<Shape> = step.inputs.iter().map(|&v| shapes[v]).collect();
            shapes.push(step.node.output(&inputs));
        }
        if shapes.len() > usize::from(u16::MAX) {
            return Err(Error::limit("a run of more than 65535 nodes"));
        }
        let count = if streamed { 1 } else { strip_count(&run, &shapes, cx) };
        let fold = if streamed { 1 } else { fold(&run, &shapes, count, cx) };
        for shape in &mut shapes {
            (shape.width, shape.height) = (shape.width * fold, shape.height / fold);
        }
        let mut plan = Self {
            batch: Vec::new(),
            capacity: vec![0; shapes.len()],
            padding: vec![(0, 0); shapes.len()],
            borders: vec![None; shapes.len()],
            run,
            streamed,
            fold,
            shapes,
            strips: Vec::new(),
        };
        let mut borders: Vec<Vec<Border>> = vec![Vec::new(); plan.shapes.len()];
        for step in &plan.run.steps {
            for (port, &value) in step.inputs.iter().enumerate() {
                let Window { left, right, border } = step.node.window(port);
                let padding = &mut plan.padding[value];
                *padding = (padding.0.max(left), padding.1.max(right));
                if left + right > 0 && !borders[value].contains(&border) {
                    borders[value].push(border);
                }
            }
        }
        for (one, all) in plan.borders.iter_mut().zip(borders) {
            *one = if let [border] = all[..] { Some(border) } else { None };
        }
        plan.batch = (0..plan.shapes.len())
            .map(|value| {
                let is_read = plan.run.steps.iter().any(|step| step.inputs.contains(&value));
                batch(plan.slot_bytes(value), is_read)
            })
            .collect();
        for index in 0..count {
            let (strip, live) = plan.strip(index, count);
            plan.strips.push(strip);
            for (capacity, live) in plan.capacity.iter_mut().zip(live) {
                *capacity = (*capacity).max(live);
            }
        }
        // What is made at once lies side by side.
        for (capacity, &batch) in plan.capacity.iter_mut().zip(&plan.batch) {
            *capacity = capacity.next_multiple_of(batch);
        }
        Ok(plan)
    }

    /// Puts something in the place of a map that is never run.
    pub(crate) fn take_map(&mut self, step: usize, stand_in: Arc<dyn RowNode>) {
        if let Some(old) = self.run.steps.get_mut(step) {
            old.node = stand_in;
        }
    }

    /// Puts another map of single pixels in the place of one; `false`, and nothing else, where it is none or
    /// gives another type.
    pub(crate) fn replace_map(&mut self, step: usize, node: Arc<dyn RowNode>) -> bool {
        let Some(old) = self.run.steps.get_mut(step) else { return false };
        let window = node.window(0);
        let reads_itself = |y: usize| node.rows_needed(0, y) == (y as isize..y as isize + 1);
        let is_map = node.inputs() == 1
            && (window.left, window.right) == (0, 0)
            && reads_itself(0)
            && reads_itself(7)
            && (self.fold == 1 || node.is_map())
            && node.output(&[self.shapes[old.inputs[0]]]) == self.shapes[self.run.sources.len() + step];
        if is_map {
            old.node = node;
        }
        is_map
    }

    /// The run that was planned.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// Type and size of a value of the run.
    pub fn shape(&self, value: usize) -> Shape {
        let Shape { ty, width, height } = self.shapes[value];
        Shape::new(ty, width / self.fold, height * self.fold)
    }

    /// Rows that the ring of a value holds; 0 where there is none.
    pub fn ring_rows(&self, value: usize) -> usize {
        self.capacity[value]
    }

    /// Bytes of all rings of one strip.
    pub fn ring_bytes(&self) -> usize {
        (0..self.shapes.len())
            .map(|v| self.capacity[v] * self.slot_bytes(v) * self.shapes[v].ty.planes())
            .sum()
    }

    /// How many strips there are.
    pub fn strips(&self) -> usize {
        self.strips.len()
    }

    /// Rows made beyond those delivered, over all strips and nodes: the price of strips.
    pub fn recomputed_rows(&self) -> usize {
        let sources = self.run.sources.len();
        let made: usize =
            self.strips.iter().flat_map(|strip| &strip.hull[sources..]).map(ExactSizeIterator::len).sum();
        let once: usize = match self.strips.as_slice() {
            [_] => return 0,
            _ => (sources..self.shapes.len()).map(|v| self.shapes[v].height).sum(),
        };
        made.saturating_sub(once)
    }

    /// Bytes of a padded row of one plane, a multiple of 64.
    pub(super) fn slot_bytes(&self, value: usize) -> usize {
        let pixel = self.shapes[value].ty.pixel_size();
        let (left, right) = self.padding[value];
        (left * pixel).next_multiple_of(64)
            + (self.shapes[value].row_bytes() + right * pixel).next_multiple_of(64)
    }

    /// Whether a port reads a source image without a ring in between.
    pub(super) fn is_direct(&self, value: usize, window: &Window) -> bool {
        !self.streamed && value < self.run.sources.len() && window.left == 0 && window.right == 0
    }

    /// The rows inside the image that stand behind `rows_needed`.
    pub(super) fn actual_rows(&self, step: &Step, port: usize, y: usize) -> Range<usize> {
        let needed = step.node.rows_needed(port, y);
        let height = self.shapes[step.inputs[port]].height;
        if needed.start >= 0 && needed.end <= height as isize {
            return needed.start as usize..needed.end as usize;
        }
        let mode = step.node.window(port).border.mode;
        if mode == BorderMode::Wrap {
            return 0..height;
        }
        let (mut start, mut end) = (usize::MAX, 0);
        for row in needed {
            if let Some(row) = (height > 0).then(|| mode.map(row, height)).flatten() {
                (start, end) = (start.min(row), end.max(row + 1));
            }
        }
        if start > end { 0..0 } else { start..end }
    }

    /// A strip, and how many rows of each value are alive at once.
    fn strip(&self, index: usize, count: usize) -> (StripPlan, Vec<usize>) {
        let mut own = vec![0..0; self.shapes.len()];
        for &value in self.run.sinks.iter().chain(self.run.observers.iter().map(|(value, _)| value)) {
            let height = self.shapes[value].height;
            own[value] = height * index / count..height * (index + 1) / count;
        }
        let mut hull = own.clone();
        let sources = self.run.sources.len();
        let mut needed = vec![Vec::new(); self.run.steps.len()];
        for (i, step) in self.run.steps.iter().enumerate().rev() {
            for (port, &value) in step.inputs.iter().enumerate() {
                // Nodes are asked for the rows of each row once: of short rows it takes as long as making them.
                let made = hull[sources + i].clone();
                let batches = made.clone().step_by(self.batch[sources + i]);
                let rows: Vec<Range<usize>> = batches
                    .map(|first| {
                        let ys = first..made.end.min(first + self.batch[sources + i]);
                        ys.map(|y| self.actual_rows(step, port, y)).fold(0..0, union)
                    })
                    .collect();
                hull[value] = rows.iter().cloned().fold(hull[value].clone(), union);
                needed[i].push(rows);
            }
        }
        let (script, live) = self.simulate(&hull, &needed);
        (StripPlan { own, hull, script }, live)
    }

    /// Plays the pull order with row counters alone. Returns the order, and how many rows of each value are
    /// alive at once.
    fn simulate(
        &self,
        hull: &[Range<usize>],
        needed: &[Vec<Vec<Range<usize>>>],
    ) -> (Vec<(u16, u16)>, Vec<usize>) {
        let mut simulation = Simulation::new(self, hull, needed);
        let driven: Vec<usize> = (0..hull.len()).filter(|&v| !hull[v].is_empty()).rev().collect();
        // Values nobody in the run reads drive; what they pull comes along, the rest follows in step.
        let ticks = driven.iter().map(|&v| hull[v].len()).max().unwrap_or(0);
        for tick in 0..ticks {
            for &value in &driven {
                if simulation.is_pulled[value] && tick + 1 < ticks {
                    continue;
                }
                let rows = &hull[value];
                // Dividing takes as long as the row of a small image.
                let made =
                    if rows.len() == ticks { tick + 1 } else { (rows.len() * (tick + 1)).div_ceil(ticks) };
                simulation.ensure(value, rows.start + made);
            }
        }
        (simulation.script, simulation.live)
    }
}

/// The rows from the first to the last of both.
fn union(a: Range<usize>, b: Range<usize>) -> Range<usize> {
    match (a.is_empty(), b.is_empty()) {
        (true, _) => b,
        (_, true) => a,
        _ => a.start.min(b.start)..a.end.max(b.end),
    }
}

struct Simulation<'a> {
    plan: &'a RunPlan,
    next: Vec<usize>,
    /// Per value: the batches that were made.
    made: Vec<usize>,
    /// Per value: the readers `(step, port)` that go through its ring.
    readers: Vec<Vec<(usize, usize)>>,
    /// Per step and port: for each batch of the hull, the input rows it reads.
    needed: &'a [Vec<Vec<Range<usize>>>],
    /// Per step and port: for each batch of the hull, the lowest input row it or a later one reads.
    lowest: Vec<Vec<Vec<usize>>>,
    hull: &'a [Range<usize>],
    live: Vec<usize>,
    is_pulled: Vec<bool>,
    script: Vec<(u16, u16)>,
}

impl<'a> Simulation<'a> {
    fn new(plan: &'a RunPlan, hull: &'a [Range<usize>], needed: &'a [Vec<Vec<Range<usize>>>]) -> Self {
        let sources = plan.run.sources.len();
        let mut readers = vec![Vec::new(); plan.shapes.len()];
        let mut is_pulled = vec![false; plan.shapes.len()];
        let mut lowest = Vec::new();
        for (i, step) in plan.run.steps.iter().enumerate() {
            let mut of_step = Vec::new();
            for (port, &value) in step.inputs.iter().enumerate() {
                if !plan.is_direct(value, &step.node.window(port)) {
                    readers[value].push((i, port));
                }
                is_pulled[value] |= !hull[sources + i].is_empty();
                let mut low = usize::MAX;
                let mut rows: Vec<usize> = needed[i][port].iter().map(|rows| rows.start).collect();
                for (slot, rows) in rows.iter_mut().zip(&needed[i][port]).rev() {
                    low = if rows.is_empty() { low } else { low.min(rows.start) };
                    *slot = low;
                }
                of_step.push(rows);
            }
            lowest.push(of_step);
        }
        Self {
            plan,
            next: hull.iter().map(|rows| rows.start).collect(),
            made: vec![0; hull.len()],
            readers,
            needed,
            lowest,
            hull,
            live: vec![0; plan.shapes.len()],
            is_pulled,
            script: Vec::with_capacity(hull.iter().map(ExactSizeIterator::len).sum()),
        }
    }

    /// Makes the rows of `value` below `end`, and those that are made at once with them.
    fn ensure(&mut self, value: usize, end: usize) {
        let sources = self.plan.run.sources.len();
        if value < sources && self.readers[value].is_empty() {
            // Read from the image itself; only observers and sinks of a source need its rows.
            let delivered = self.plan.run.sinks.contains(&value)
                || self.plan.run.observers.iter().any(|(observed, _)| *observed == value);
            if !delivered {
                return;
            }
        }
        while self.next[value] < end {
            let (y, rows) = (self.next[value], &self.hull[value]);
            let count = self.plan.batch[value].min(rows.end - y);
            if value >= sources {
                let (step, at) = (value - sources, self.made[value]);
                for (port, &input) in self.plan.run.steps[step].inputs.iter().enumerate() {
                    let needed = &self.needed[step][port][at];
                    if !needed.is_empty() {
                        self.ensure(input, needed.end);
                    }
                }
            }
            self.script.push((value as u16, count as u16));
            self.next[value] = y + count;
            self.made[value] += 1;
            self.live[value] = self.live[value].max(self.alive(value));
        }
    }

    /// Rows of `value` that a reader still wants.
    fn alive(&self, value: usize) -> usize {
        let sources = self.plan.run.sources.len();
        let mut low = usize::MAX;
        for &(step, port) in &self.readers[value] {
            if let Some(&row) = self.lowest[step][port].get(self.made[sources + step]) {
                low = low.min(row);
            }
        }
        match self.readers[value].is_empty() {
            true => 0,
            // A row that nobody wants any more still needs a place to be made in.
            false => self.next[value].saturating_sub(low).max(1),
        }
    }
}

/// How many rows of a value are made at once: what is done once for all of them takes as long as some hundred
/// pixels. Those that are read in the run shall be a small part of the first cache.
fn batch(row_bytes: usize, is_read: bool) -> usize {
    const READ: usize = 8 << 10;
    const LEFT: usize = 32 << 10;
    ((if is_read { READ } else { LEFT }) / row_bytes.max(1)).clamp(1, BATCH)
}

/// How many rows are taken as one. Where all nodes are maps of single pixels it does not matter where a row
/// ends, and of short rows what is done once a row takes longer than the pixels.
fn fold(run: &Run, shapes: &[Shape], strips: usize, cx: &Context) -> usize {
    /// Bytes of a row of all values: they shall stay in the first cache.
    const BYTES: usize = 32 << 10;
    let Some(&Shape { width, height, .. }) = shapes.first() else { return 1 };
    let is_even = shapes.iter().all(|shape| (shape.width, shape.height) == (width, height));
    if cx.strip_rows.is_some() || !is_even || !run.steps.iter().all(|step| step.node.is_map()) {
        return 1;
    }
    let bytes: usize = shapes.iter().map(|shape| shape.row_bytes() * shape.ty.planes()).sum();
    // Strips are to be of about one size still.
    let most = (BYTES / bytes.max(1)).min(if strips > 1 { height / (4 * strips) } else { height });
    (1..=most).rev().find(|rows| height % rows == 0).unwrap_or(1)
}

fn strip_count(run: &Run, shapes: &[Shape], cx: &Context) -> usize {
    let delivered = run.sinks.iter().chain(run.observers.iter().map(|(value, _)| value));
    let height = delivered.map(|&value| shapes[value].height).max().unwrap_or(0).max(1);
    match cx.strip_rows {
        Some(rows) => height.div_ceil(rows.max(1)),
        None if cx.threads <= 1 || work(run, shapes) < 1 << 20 => 1,
        // Rows that are but observed take the same time each, and every strip has a state to merge.
        None if run.steps.is_empty() => cx.threads.min(height.div_ceil(32)),
        // A few strips a thread even out uneven rows; below 32 rows the halo costs more.
        None => (4 * cx.threads).min(height.div_ceil(32)),
    }
}

/// What a run has to do, in bytes of rows; those that a node makes of many pixels count more. Another thread
/// takes some 50 us to come, in which one goes over about a MiB.
fn work(run: &Run, shapes: &[Shape]) -> usize {
    let bytes = |shape: &Shape| shape.row_bytes() * shape.ty.planes() * shape.height;
    let made = run.steps.iter().zip(&shapes[run.sources.len()..]).map(|(step, shape)| {
        let taps = (0..step.inputs.len()).map(|port| {
            let Window { left, right, .. } = step.node.window(port);
            step.node.rows_needed(port, 0).len() * (left + 1 + right)
        });
        bytes(shape) * (8 + taps.sum::<usize>()) / 8
    });
    run.sources.iter().map(bytes).chain(made).sum()
}
