//! Carrying out the schedule of one strip: rows are made, padded, delivered and observed.

use std::ops::Range;

use super::plan::{RunPlan, StripPlan};
use super::ring::Ring;
use super::rows::{Rows, RowsOut};
use super::run::{RowSink, RowSource};
use super::space::Room;
use super::{Shape, State};
use crate::image::Image;
use crate::kernel::copy::copy_row;
use crate::ops::Context;
use crate::{Error, Result};

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

/// Carries out one strip in a room that was made ready for it.
pub(super) fn run_strip(
    plan: &RunPlan,
    strip: &StripPlan,
    sources: &[Source<'_>],
    sinks: &mut [Sink<'_>],
    streams: &mut Streams<'_, '_, '_>,
    room: &mut Room,
    observers: &mut [State],
    progress: &(dyn Fn(usize) + Sync),
    cx: &Context,
) -> Result<()> {
    let run = &plan.run;
    let Room { rings, steps, next } = room;
    for (tick, &(value, count)) in strip.script.iter().enumerate() {
        if tick % 64 == 0 {
            cx.check()?;
            progress(64.min(strip.script.len() - tick));
        }
        let (value, count) = (usize::from(value), usize::from(count));
        let first = next[value];
        let ys = first..first + count;
        next[value] = ys.end;
        let shape = plan.shapes[value];
        // Whatever a step reads stands before it.
        let (before, ring) = rings.split_at_mut(value);
        let ring = &mut ring[0];
        let mut delivered = false;
        if ring.is_there() {
            ring.begin(first, count);
        }
        if value < sources.len() {
            if ring.is_there() {
                let mut out = ring.newest_mut();
                match (&sources[value], streams.sources.get_mut(value)) {
                    (Source::Image(image), _) => {
                        for (index, y) in ys.clone().enumerate() {
                            for (to, from) in
                                out.at(index).planes.into_iter().zip(image_rows(image, shape, y))
                            {
                                copy_row(from, to);
                            }
                        }
                    }
                    (Source::Rows, Some(reader)) => {
                        for (index, y) in ys.clone().enumerate() {
                            reader.read_row(y, &mut out.at(index).planes[..shape.ty.planes()])?;
                        }
                    }
                    (Source::Rows, None) => {
                        return Err(Error::new(crate::ErrorKind::Internal, "a stream without a reader"));
                    }
                }
            }
        } else {
            let index = value - sources.len();
            let (step, state) = (&run.steps[index], &mut steps[index]);
            state.pad_inputs(plan, step, before, ys.clone());
            let rows = Rows { ports: &state.ports, rings: before, sources };
            let mut make = |mut out: RowsOut<'_>| {
                step.node.rows(cx.isa, &mut state.state, &rows, ys.clone(), &mut out);
            };
            if ring.is_there() {
                make(ring.newest_mut());
            } else if let Some(planes) = deliver_planes(run, sinks, value) {
                let (planes, row_bytes) =
                    (sink_rows(planes, &strip.own[value], shape, ys.clone()), shape.row_bytes());
                make(RowsOut { planes, pitch: row_bytes, row_bytes });
                delivered = true;
            }
        }
        if let Some(border) = plan.borders[value]
            && ring.is_there()
        {
            ring.pad_newest(shape, plan.padding[value], border);
        }
        let own = &strip.own[value];
        for y in ys.start.max(own.start)..ys.end.min(own.end) {
            if !delivered {
                deliver(plan, ring, value, y, sinks, own, sources, streams)?;
            }
            // After the delivery: without a ring, the row observed is the one delivered.
            observe(plan, ring, value, y, cx, observers, sinks, own, sources);
        }
    }
    Ok(())
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

/// The place of rows in the strip's part of an image.
fn sink_rows<'a>(
    planes: &'a mut [&mut [u8]; 2],
    own: &Range<usize>,
    shape: Shape,
    ys: Range<usize>,
) -> [&'a mut [u8]; 2] {
    let bytes = shape.row_bytes();
    let place = (ys.start - own.start) * bytes..(ys.end - own.start) * bytes;
    let [first, second] = planes;
    let second = if shape.ty.planes() > 1 { &mut second[place.clone()] } else { &mut [] };
    [&mut first[place], second]
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
        let rows: [&[u8]; 2] = if let Some(Source::Image(image)) = sources.get(value) {
            image_rows(image, shape, y)
        } else if ring.is_there() {
            ring.rows(y)
        } else if let Some(planes) = deliver_planes(&plan.run, sinks, value) {
            sink_rows(planes, own, shape, y..y + 1).map(|row| &*row)
        } else {
            continue;
        };
        reduction.observe(cx.isa, state, &rows[..shape.ty.planes()]);
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
            _ => ring.rows(y),
        };
        match &mut sinks[index] {
            Sink::Planes(planes) => {
                for (to, from) in sink_rows(planes, own, shape, y..y + 1).into_iter().zip(rows) {
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
