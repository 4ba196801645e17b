//! Executing a planned run: strips over threads, or one strip from and to streams.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::few::Few;
use super::plan::{RunPlan, StripPlan};
use super::space::{Room, Workspace, start_observers};
use super::strip::{Sink, Source, Streams, run_strip};
use super::{Shape, State};
use crate::image::Image;
use crate::ops::Context;
use crate::{Error, ErrorKind, Result};

/// What a run leaves: its sinks as images, its observers' states, both in the order of the run.
pub struct RunOutput {
    /// The images, one a sink.
    pub images: Vec<Image>,
    /// The merged states, one an observer.
    pub states: Vec<State>,
}

/// Delivers the rows of an image from top to bottom.
pub trait RowSource {
    /// Fills the planes of row `y`. Rows are asked for in rising order, each at most once; some may
    /// be skipped.
    ///
    /// # Errors
    /// Whatever reading meets.
    fn read_row(&mut self, y: usize, planes: &mut [&mut [u8]]) -> Result<()>;
}

/// Takes the rows of an image from top to bottom.
pub trait RowSink {
    /// Takes the planes of row `y`.
    ///
    /// # Errors
    /// Whatever writing meets.
    fn write_row(&mut self, y: usize, planes: &[&[u8]]) -> Result<()>;
}

/// Runs a plan over whole images.
///
/// # Errors
/// [`Shape`](ErrorKind::Shape) when the images are not those planned for,
/// [`Cancelled`](ErrorKind::Cancelled).
pub fn execute(plan: &RunPlan, sources: &[&Image], cx: &Context) -> Result<RunOutput> {
    let mut images: Vec<Image> = plan
        .run
        .sinks
        .iter()
        .map(|&value| {
            let shape = plan.shape(value);
            cx.image(shape.ty, shape.width, shape.height)
        })
        .collect();
    let mut space = Workspace::default();
    execute_in(plan, sources.iter().copied(), &mut images, &mut space, cx)?;
    Ok(RunOutput { images, states: space.into_states() })
}

/// Runs a plan over whole images, into images that are there and in memory that is there: a loop that
/// keeps both allocates nothing from the second image on, as far as the nodes' states can be
/// [restarted](super::RowNode::restart).
///
/// `space` serves one plan; every pixel of `sinks` is written over. The states of the observers are its
/// [`states`](Workspace::states) afterwards.
///
/// # Errors
/// [`Shape`](ErrorKind::Shape) when the images are not those planned for,
/// [`Cancelled`](ErrorKind::Cancelled).
pub fn execute_in<'a>(
    plan: &RunPlan,
    sources: impl IntoIterator<Item = &'a Image>,
    sinks: impl IntoIterator<Item = &'a mut Image>,
    space: &mut Workspace,
    cx: &Context,
) -> Result<()> {
    execute_reporting(plan, sources, sinks, space, &|_| {}, cx)
}

/// As [`execute_in`]; `report` is told, from several threads, which share of the work is done.
pub(crate) fn execute_reporting<'a, 'b>(
    plan: &RunPlan,
    sources: impl IntoIterator<Item = &'a Image>,
    sinks: impl IntoIterator<Item = &'b mut Image>,
    space: &mut Workspace,
    report: &(dyn Fn(f64) + Sync),
    cx: &Context,
) -> Result<()> {
    let sources: Few<Source<'_>, FEW> = sources.into_iter().map(Source::Image).collect();
    let shapes = || sources.iter().filter_map(|source| source.shape());
    if !shapes().eq(plan.run.sources.iter().copied()) {
        let got: Vec<Shape> = shapes().collect();
        return Err(Error::shape(format!("the run was planned for {:?}, got {got:?}", plan.run.sources)));
    }
    let mut fits = true;
    let mut wanted = plan.run.sinks.iter().map(|&value| plan.shape(value));
    let mut rest: Few<[&mut [u8]; 2], FEW> = sinks
        .into_iter()
        .map(|image| {
            fits &= wanted.next() == Some(Shape::of(image));
            image.plane_pair_bytes_mut()
        })
        .collect();
    if !fits || wanted.next().is_some() {
        return Err(Error::shape("the images to write are not those that the run was planned for"));
    }
    let workers = if cx.threads <= 1 { 1 } else { cx.threads.min(plan.strips.len()) };
    space.prepare(plan, workers);
    let ticks: usize = plan.strips.iter().map(|strip| strip.script.len()).sum();
    let done = AtomicUsize::new(0);
    let progress = |more: usize| {
        let done = done.fetch_add(more, Ordering::Relaxed) + more;
        report(done as f64 / ticks.max(1) as f64);
    };
    let Workspace { rooms, observers } = space;
    let mut parts = plan.strips.iter().zip(&mut *observers).map(|(strip, observers)| {
        let sinks = rest.iter_mut().zip(&plan.run.sinks);
        let sinks = sinks.map(|(planes, &value)| {
            Sink::Planes(split_off(planes, strip.own[value].len() * plan.shapes[value].row_bytes()))
        });
        Part { strip, sinks: sinks.collect(), observers, result: None }
    });
    let work = |part: &mut Part<'_>, room: &mut Option<Room>| {
        let Part { strip, sinks, observers, .. } = part;
        let mut streams = Streams { sources: &mut [], sinks: &mut [] };
        let room = Room::ready(room, plan, strip);
        run_strip(plan, strip, &sources, sinks, &mut streams, room, observers, &progress, cx)
    };
    let rooms = &mut rooms[..workers];
    if let [room] = rooms {
        parts.try_for_each(|mut part| work(&mut part, room))?;
    } else {
        let parts: Few<Mutex<Option<Part<'_>>>, STRIPS> = parts.map(|part| Mutex::new(Some(part))).collect();
        let next = AtomicUsize::new(0);
        // Strips are taken one after the other by the workers: those of uneven work even out.
        at_once(rooms, &|room| {
            while let Some(Ok(mut part)) = parts.get(next.fetch_add(1, Ordering::Relaxed)).map(Mutex::lock) {
                if let Some(part) = &mut *part {
                    part.result = Some(work(part, room));
                }
            }
        });
        for part in parts.iter() {
            let result = part.lock().ok().and_then(|mut part| part.as_mut()?.result.take());
            result.unwrap_or_else(|| Err(Error::new(ErrorKind::Internal, "a strip was not finished")))?;
        }
    }
    merge(plan, observers);
    Ok(())
}

/// Sources and sinks of a run up to this number, and strips up to that one, are listed without an
/// allocation.
const FEW: usize = 4;
const STRIPS: usize = 32;

/// A strip in the hands of a thread: where its rows go, and what came of it.
struct Part<'a> {
    strip: &'a StripPlan,
    sinks: Few<Sink<'a>, FEW>,
    observers: &'a mut Vec<State>,
    result: Option<Result<()>>,
}

/// Takes the first bytes of both planes; one that is not there is empty.
fn split_off<'a>(planes: &mut [&'a mut [u8]; 2], bytes: usize) -> [&'a mut [u8]; 2] {
    planes.each_mut().map(|plane| {
        let whole = std::mem::take(plane);
        let (head, tail) = whole.split_at_mut(bytes.min(whole.len()));
        *plane = tail;
        head
    })
}

/// Calls `work` for every room, on the threads of the caller's pool. Halving needs no list of jobs.
fn at_once(rooms: &mut [Option<Room>], work: &(impl Fn(&mut Option<Room>) + Sync)) {
    match rooms {
        [] => {}
        [room] => work(room),
        _ => {
            let (these, those) = rooms.split_at_mut(rooms.len() / 2);
            crate::parallel::join(|| at_once(these, work), || at_once(those, work));
        }
    }
}

/// Merges the states of the strips into those of the first.
fn merge(plan: &RunPlan, observers: &mut [Vec<State>]) {
    let Some((first, below)) = observers.split_first_mut() else { return };
    for below in below {
        for ((into, below), (_, reduction)) in first.iter_mut().zip(below).zip(&plan.run.observers) {
            reduction.merge(into, below);
        }
    }
}

/// Runs a plan of one strip from row sources to row sinks, one each for every source and sink of
/// the run, so that no image is ever whole in memory. Returns the observers' states.
///
/// # Errors
/// What sources and sinks meet, [`Shape`](ErrorKind::Shape) when their number or the number of
/// strips is wrong, [`Cancelled`](ErrorKind::Cancelled).
pub fn stream(
    plan: &RunPlan,
    sources: &mut [&mut dyn RowSource],
    sinks: &mut [&mut dyn RowSink],
    cx: &Context,
) -> Result<Vec<State>> {
    if plan.strips.len() != 1
        || sources.len() != plan.run.sources.len()
        || sinks.len() != plan.run.sinks.len()
    {
        return Err(Error::shape("a streamed run wants one strip, and a stream for each source and sink"));
    }
    let readers: Vec<Source<'_>> = sources.iter().map(|_| Source::Rows).collect();
    let mut writers: Vec<Sink<'_>> = sinks.iter().map(|_| Sink::Rows).collect();
    let mut streams = Streams { sources, sinks };
    let strip = &plan.strips[0];
    let (mut room, mut observers) = (Room::new(plan, strip, true), start_observers(plan));
    run_strip(plan, strip, &readers, &mut writers, &mut streams, &mut room, &mut observers, &|_| {}, cx)?;
    Ok(observers)
}
