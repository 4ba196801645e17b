//! Carrying out the schedule of one strip: what nodes read and write, borders, deliveries.

use std::ops::Range;

use super::plan::{RunPlan, Step, StripPlan};
use super::ring::{Ring, fill};
use super::run::{RowSink, RowSource};
use super::space::StripSpace;
use super::{Shape, State, Window};
use crate::image::{BorderMode, Image, Pixel};
use crate::kernel::copy::copy_row;
use crate::kernel::line::Line;
use crate::ops::Context;
use crate::{Error, Result};

/// The input rows a node may read.
pub struct Rows<'a> {
    plan: &'a RunPlan,
    step: &'a Step,
    windows: &'a [Window],
    rings: &'a [Ring],
    sources: &'a [Source<'a>],
    constants: &'a [Vec<Line>],
}

impl Rows<'_> {
    /// Row `y` of an input's plane, as channel elements: padding as declared on both sides, so that
    /// element `(left + x) * channels + c` is channel `c` of pixel `x`. `y` may lie outside the
    /// image, where the border answers.
    ///
    /// # Panics
    /// When `T` is not the input's element, or the row was not declared as needed.
    #[inline]
    pub fn get<T: Pixel>(&self, input: usize, plane: usize, y: isize) -> &[T] {
        let value = self.step.inputs[input];
        let shape = self.plan.shapes[value];
        let window = &self.windows[input];
        let actual = if (0..shape.height as isize).contains(&y) {
            Some(y as usize)
        } else {
            window.border.mode.map(y, shape.height)
        };
        let pixel = shape.ty.pixel_size();
        let length = (window.left + shape.width + window.right) * pixel;
        let bytes = match actual {
            None => {
                let bytes: &[u8] = bytemuck::cast_slice(&self.constants[input]);
                &bytes[..length]
            }
            Some(y) => match self.sources.get(value) {
                Some(Source::Image(image)) if self.plan.is_direct(value, window) => {
                    &image.plane_bytes(plane)[y * length..][..length]
                }
                _ => {
                    let ring = &self.rings[value];
                    &ring.slot(plane, y)[ring.lead - window.left * pixel..][..length]
                }
            },
        };
        bytemuck::cast_slice(bytes)
    }

    /// [`get`](Self::get) for neighbouring rows, from `first` on, as many as `out` has places.
    pub(crate) fn window<'a, T: Pixel>(&'a self, plane: usize, first: isize, out: &mut [&'a [T]]) {
        let value = self.step.inputs[0];
        let shape = self.plan.shapes[value];
        let ring = &self.rings[value];
        let window = &self.windows[0];
        let inside = first >= 0 && first as usize + out.len() <= shape.height;
        if !inside || self.plan.is_direct(value, window) {
            for (slot, y) in out.iter_mut().zip(first..) {
                *slot = self.get(0, plane, y);
            }
            return;
        }
        // One division for all rows.
        let pixel = shape.ty.pixel_size();
        let from = ring.lead - window.left * pixel;
        let length = (window.left + shape.width + window.right) * pixel;
        let bytes: &[u8] = bytemuck::cast_slice(&ring.planes[plane]);
        let mut slot = first as usize % ring.capacity;
        for out in out {
            *out = bytemuck::cast_slice(&bytes[slot * ring.pitch * 64 + from..][..length]);
            slot = if slot + 1 == ring.capacity { 0 } else { slot + 1 };
        }
    }

    /// Type and size of an input.
    pub fn shape(&self, input: usize) -> Shape {
        self.plan.shapes[self.step.inputs[input]]
    }
}

/// The output row a node writes.
pub struct RowOut<'a> {
    planes: [&'a mut [u8]; 2],
}

impl<'a> RowOut<'a> {
    /// A row of one plane that stands outside of a run: scratch of a node.
    pub(crate) fn of(bytes: &'a mut [u8]) -> Self {
        Self { planes: [bytes, Default::default()] }
    }

    /// The row of a one-plane output, as channel elements.
    ///
    /// # Panics
    /// When `T` is not the output's element.
    #[inline]
    pub fn row<T: Pixel>(&mut self) -> &mut [T] {
        bytemuck::cast_slice_mut(self.planes[0])
    }

    /// Both rows of a gradient.
    ///
    /// # Panics
    /// When `T` is not the output's element.
    #[inline]
    pub fn rows<T: Pixel>(&mut self) -> [&mut [T]; 2] {
        let [a, b] = &mut self.planes;
        [bytemuck::cast_slice_mut(a), bytemuck::cast_slice_mut(b)]
    }
}

/// Where the rows of a source come from.
#[derive(Clone, Copy, Default)]
pub(super) enum Source<'a> {
    /// A whole image.
    Image(&'a Image),
    /// A [`RowSource`], through a ring.
    #[default]
    Rows,
}

impl Source<'_> {
    pub(super) fn shape(self) -> Option<Shape> {
        if let Self::Image(image) = self { Some(Shape::of(image)) } else { None }
    }
}

/// Where the rows of a value go.
#[derive(Default)]
pub(super) enum Sink<'a> {
    /// The rows of this strip in the planes of an image, of which the second may not be there.
    Planes([&'a mut [u8]; 2]),
    /// A [`RowSink`].
    #[default]
    Rows,
}

/// The doors of a streamed run.
pub(super) struct Streams<'a, 'b, 'c> {
    pub sources: &'a mut [&'b mut dyn RowSource],
    pub sinks: &'a mut [&'c mut dyn RowSink],
}

/// Carries out one strip, in a room that was made ready for it; the states of its observers are there
/// afterwards.
pub(super) fn run_strip(
    plan: &RunPlan,
    strip: &StripPlan,
    sources: &[Source<'_>],
    sinks: &mut [Sink<'_>],
    streams: &mut Streams<'_, '_, '_>,
    space: &mut StripSpace,
    progress: &(dyn Fn(usize) + Sync),
    cx: &Context,
) -> Result<()> {
    let run = &plan.run;
    let StripSpace { rings, steps, observers, next } = space;

    for (tick, &value) in strip.script.iter().enumerate() {
        if tick % 64 == 0 {
            cx.check()?;
            progress(64.min(strip.script.len() - tick));
        }
        let value = usize::from(value);
        let y = next[value];
        next[value] = y + 1;
        let shape = plan.shapes[value];
        let own = strip.own[value].contains(&y);
        let mut ring = std::mem::take(&mut rings[value]);
        let mut delivered = false;
        if value < sources.len() {
            if ring.capacity > 0 {
                match &sources[value] {
                    Source::Image(image) => {
                        for plane in 0..shape.ty.planes() {
                            let (lead, bytes) = (ring.lead, ring.row_bytes);
                            let row = &image.plane_bytes(plane)[y * bytes..][..bytes];
                            copy_row(row, &mut ring.slot_mut(plane, y)[lead..lead + bytes]);
                        }
                    }
                    Source::Rows => {
                        let Some(reader) = streams.sources.get_mut(value) else {
                            return Err(Error::new(crate::ErrorKind::Internal, "a stream without a reader"));
                        };
                        reader.read_row(y, &mut out_planes(&mut ring, y)[..shape.ty.planes()])?;
                    }
                }
            }
        } else {
            let index = value - sources.len();
            let step = &run.steps[index];
            let state = &mut steps[index];
            state.pad_inputs(plan, step, rings, y);
            let rows =
                Rows { plan, step, windows: &state.windows, rings, sources, constants: &state.constants };
            if ring.capacity > 0 {
                let mut out = RowOut { planes: out_planes(&mut ring, y) };
                step.node.row(cx.isa, &mut state.state, &rows, y, &mut out);
            } else if let Some(planes) = deliver_planes(run, sinks, value) {
                let mut out = RowOut { planes: sink_rows(planes, &strip.own[value], shape, y) };
                step.node.row(cx.isa, &mut state.state, &rows, y, &mut out);
                delivered = true;
            }
        }
        if ring.capacity > 0 {
            ring.padded[y % ring.capacity] = None;
            if let Some(border) = plan.borders[value] {
                ring.pad(shape, plan.padding[value], y, border);
            }
        }
        if own {
            if !delivered {
                deliver(plan, &ring, value, y, sinks, &strip.own[value], sources, streams)?;
            }
            // After the delivery: without a ring, the row observed is the one delivered.
            observe(plan, &ring, value, y, cx, observers, sinks, &strip.own[value], sources);
        }
        rings[value] = ring;
    }
    Ok(())
}

/// What a step keeps during a strip.
pub(super) struct StepState {
    state: State,
    inputs: Vec<Shape>,
    output: Shape,
    windows: Vec<Window>,
    /// Per input: a whole padded row of the border's constant.
    constants: Vec<Vec<Line>>,
}

impl StepState {
    pub(super) fn new(plan: &RunPlan, step: &Step) -> Self {
        let inputs: Vec<Shape> = step.inputs.iter().map(|&v| plan.shapes[v]).collect();
        let windows: Vec<Window> = (0..inputs.len()).map(|port| step.node.window(port)).collect();
        let constants = windows.iter().zip(&inputs).map(|(window, shape)| {
            if window.border.mode != BorderMode::Constant {
                return Vec::new();
            }
            let pixels = window.left + shape.width + window.right;
            let mut lines = vec![Line::default(); (pixels * shape.ty.pixel_size()).div_ceil(64)];
            fill(bytemuck::cast_slice_mut(&mut lines), shape.ty.element(), window.border.value);
            lines
        });
        let constants = constants.collect();
        let output = step.node.output(&inputs);
        Self { state: step.node.start(&inputs, output), inputs, output, windows, constants }
    }

    /// Makes it ready for another run of the same strip.
    pub(super) fn restart(&mut self, step: &Step) {
        if !step.node.restart(&mut self.state) {
            self.state = step.node.start(&self.inputs, self.output);
        }
    }

    /// Sees to it that the rows about to be read are padded for this step's borders.
    fn pad_inputs(&self, plan: &RunPlan, step: &Step, rings: &mut [Ring], y: usize) {
        for (port, window) in self.windows.iter().enumerate() {
            let value = step.inputs[port];
            // Where all readers want the same, rows were padded when they were made.
            if (window.left == 0 && window.right == 0) || plan.borders[value].is_some() {
                continue;
            }
            let shape = plan.shapes[value];
            for row in step.node.rows_needed(port, y) {
                let row = if (0..shape.height as isize).contains(&row) {
                    Some(row as usize)
                } else if shape.height > 0 {
                    window.border.mode.map(row, shape.height)
                } else {
                    None
                };
                if let Some(row) = row {
                    rings[value].pad(shape, plan.padding[value], row, window.border);
                }
            }
        }
    }
}

/// The row in a ring, to write: one or two planes.
fn out_planes(ring: &mut Ring, y: usize) -> [&mut [u8]; 2] {
    let (lead, bytes) = (ring.lead, ring.row_bytes);
    let start = (y % ring.capacity) * ring.pitch;
    let pitch = ring.pitch;
    let mut planes = ring.planes.iter_mut().map(|plane| {
        let slot: &mut [u8] = bytemuck::cast_slice_mut(&mut plane[start..start + pitch]);
        &mut slot[lead..lead + bytes]
    });
    [planes.next().unwrap_or_default(), planes.next().unwrap_or_default()]
}

fn deliver_planes<'a, 'b>(
    run: &super::Run,
    sinks: &'a mut [Sink<'b>],
    value: usize,
) -> Option<&'a mut [&'b mut [u8]; 2]> {
    let index = run.sinks.iter().position(|&sink| sink == value)?;
    match &mut sinks[index] {
        Sink::Planes(planes) => Some(planes),
        Sink::Rows => None,
    }
}

/// The place of row `y` in the strip's part of an image.
fn sink_rows<'a>(
    planes: &'a mut [&mut [u8]; 2],
    own: &Range<usize>,
    shape: Shape,
    y: usize,
) -> [&'a mut [u8]; 2] {
    let bytes = shape.row_bytes();
    let start = (y - own.start) * bytes;
    let [first, second] = planes;
    let second = if shape.ty.planes() > 1 { &mut second[start..start + bytes] } else { &mut [] };
    [&mut first[start..start + bytes], second]
}

/// Row `y` of a source in its image: one or two planes.
fn image_rows(image: &Image, shape: Shape, y: usize) -> [&[u8]; 2] {
    let row = |plane: usize| &image.plane_bytes(plane)[y * shape.row_bytes()..][..shape.row_bytes()];
    [row(0), if shape.ty.planes() > 1 { row(1) } else { &[] }]
}

fn observe(
    plan: &RunPlan,
    ring: &Ring,
    value: usize,
    y: usize,
    cx: &Context,
    states: &mut [State],
    sinks: &mut [Sink<'_>],
    own: &Range<usize>,
    sources: &[Source<'_>],
) {
    let shape = plan.shapes[value];
    for (state, (observed, reduction)) in states.iter_mut().zip(&plan.run.observers) {
        if *observed != value {
            continue;
        }
        if let Some(Source::Image(image)) = sources.get(value) {
            let rows = image_rows(image, shape, y);
            reduction.observe(cx.isa, state, &rows[..shape.ty.planes()]);
        } else if ring.capacity > 0 {
            let planes: [&[u8]; 2] =
                [ring.row(0, y), if shape.ty.planes() > 1 { ring.row(1, y) } else { &[] }];
            reduction.observe(cx.isa, state, &planes[..shape.ty.planes()]);
        } else if let Some(planes) = deliver_planes(&plan.run, sinks, value) {
            let rows = sink_rows(planes, own, shape, y).map(|row| &*row);
            reduction.observe(cx.isa, state, &rows[..shape.ty.planes()]);
        }
    }
}

fn deliver(
    plan: &RunPlan,
    ring: &Ring,
    value: usize,
    y: usize,
    sinks: &mut [Sink<'_>],
    own: &Range<usize>,
    sources: &[Source<'_>],
    streams: &mut Streams<'_, '_, '_>,
) -> Result<()> {
    let shape = plan.shapes[value];
    for (index, _) in plan.run.sinks.iter().enumerate().filter(|(_, sink)| **sink == value) {
        let rows: [&[u8]; 2] = match sources.get(value) {
            Some(Source::Image(image)) => image_rows(image, shape, y),
            _ => [ring.row(0, y), if shape.ty.planes() > 1 { ring.row(1, y) } else { &[] }],
        };
        match &mut sinks[index] {
            Sink::Planes(planes) => {
                for (to, from) in sink_rows(planes, own, shape, y).into_iter().zip(rows) {
                    to.copy_from_slice(from);
                }
            }
            Sink::Rows => {
                if let Some(sink) = streams.sinks.get_mut(index) {
                    sink.write_row(y, &rows[..shape.ty.planes()])?;
                }
            }
        }
    }
    Ok(())
}
