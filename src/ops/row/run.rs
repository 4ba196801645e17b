//! Executing a planned run: strips over threads, or one strip from and to streams.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::plan::RunPlan;
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
    let got: Vec<Shape> = sources.iter().map(|image| Shape::of(image)).collect();
    if got != plan.run.sources {
        return Err(Error::shape(format!("the run was planned for {:?}, got {got:?}", plan.run.sources)));
    }
    let mut images: Vec<Image> = plan
        .run
        .sinks
        .iter()
        .map(|&value| {
            let shape = plan.shapes[value];
            cx.image(shape.ty, shape.width, shape.height)
        })
        .collect();

    let count = plan.strips.len();
    let mut parts: Vec<Vec<Sink<'_>>> = (0..count).map(|_| Vec::new()).collect();
    for (image, &value) in images.iter_mut().zip(&plan.run.sinks) {
        let row_bytes = plan.shapes[value].row_bytes();
        let mut rest = image.planes_bytes_mut();
        for (part, strip) in parts.iter_mut().zip(&plan.strips) {
            let bytes = strip.own[value].len() * row_bytes;
            let taken = rest.iter_mut().map(|plane| {
                let (head, tail) = std::mem::take(plane).split_at_mut(bytes);
                *plane = tail;
                head
            });
            part.push(Sink::Planes(taken.collect()));
        }
    }
    let strip = |index: usize, sinks: &mut [Sink<'_>]| {
        let sources: Vec<Source<'_>> = sources.iter().map(|image| Source::Image(image)).collect();
        let mut streams = Streams { sources: &mut [], sinks: &mut [] };
        run_strip(plan, &plan.strips[index], &sources, sinks, &mut streams, cx)
    };

    let results: Vec<Result<Vec<State>>> = if cx.threads <= 1 || count == 1 {
        parts.iter_mut().enumerate().map(|(index, sinks)| strip(index, sinks)).collect()
    } else {
        let parts: Vec<Mutex<Part<'_>>> = parts.into_iter().map(|sinks| Mutex::new((sinks, None))).collect();
        let next = AtomicUsize::new(0);
        rayon::scope(|scope| {
            for _ in 0..cx.threads.min(count) {
                scope.spawn(|_| {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(Ok(mut part)) = parts.get(index).map(Mutex::lock) else { break };
                        let (sinks, result) = &mut *part;
                        *result = Some(strip(index, sinks));
                    }
                });
            }
        });
        let unfinished = || Err(Error::new(ErrorKind::Internal, "a strip was not finished"));
        let parts = parts.into_iter().map(|part| part.into_inner().ok().and_then(|(_, result)| result));
        parts.map(|result| result.unwrap_or_else(unfinished)).collect()
    };
    let states = merge(plan, results)?;
    Ok(RunOutput { images, states })
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
    run_strip(plan, &plan.strips[0], &readers, &mut writers, &mut streams, cx)
}

/// A strip in the hands of a thread: where its rows go, and what came of it.
type Part<'a> = (Vec<Sink<'a>>, Option<Result<Vec<State>>>);

fn merge(plan: &RunPlan, results: Vec<Result<Vec<State>>>) -> Result<Vec<State>> {
    let mut merged: Option<Vec<State>> = None;
    for result in results {
        let states = result?;
        match &mut merged {
            None => merged = Some(states),
            Some(merged) => {
                for ((into, below), (_, reduction)) in merged.iter_mut().zip(states).zip(&plan.run.observers)
                {
                    reduction.merge(into, below);
                }
            }
        }
    }
    Ok(merged.unwrap_or_default())
}
