//! Images cut into bands of rows that are worked on in parallel.
//!
//! What comes out never depends on the number of bands: that is the duty of each caller.

use std::ops::Range;
use std::sync::Mutex;

use super::Context;
use super::row::few::Few;
use crate::image::{Pixel, Plane};
use crate::parallel::prelude::*;
use crate::{Error, Result};

/// Asked from time to time whether to stop; from several threads at once.
pub type Cancelled<'a> = &'a (dyn Fn() -> bool + Sync);

/// Fails when the caller wants to stop.
pub(crate) fn poll(cancelled: Cancelled) -> Result<()> {
    if cancelled() { Err(Error::cancelled()) } else { Ok(()) }
}

/// The bands that `rows` rows are cut into for `threads` threads, each of at least `least` rows
/// (but for an image with fewer).
pub(crate) fn bands(rows: usize, threads: usize, least: usize) -> Few<Range<usize>, 4> {
    let count = threads.min(rows / least.max(1)).max(1);
    (0..count).map(|i| rows * i / count..rows * (i + 1) / count).collect()
}

/// The rows of `row_bytes` bytes that a band wants for its work to take longer than it takes another thread to
/// come, some 50 us: those of `bytes` bytes, `least` at any rate. Rows of a strip that the context tells go first.
pub(crate) fn rows_of(cx: &Context, bytes: usize, row_bytes: usize, least: usize) -> usize {
    cx.strip_rows.unwrap_or_else(|| bytes.div_ceil(row_bytes.max(1)).max(least))
}

/// Runs `work` on every band, in parallel where there are several; results from top to bottom.
pub(crate) fn map_bands<R: Send>(
    bands: &[Range<usize>],
    work: impl Fn(Range<usize>) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    if let [band] = bands {
        return Ok(vec![work(band.clone())?]);
    }
    bands_at_once(bands, &work)
}

// What runs in parallel is compiled once for what it gives or works on, not once for every caller: rayon's share of
// it is larger than most callers.
fn bands_at_once<R: Send>(
    bands: &[Range<usize>],
    work: &(dyn Fn(Range<usize>) -> Result<R> + Sync),
) -> Result<Vec<R>> {
    bands.par_iter().map(|band| work(band.clone())).collect()
}

fn workers_at_once(workers: usize, work: &(dyn Fn() -> Result<()> + Sync)) -> Result<()> {
    (0..workers).into_par_iter().try_for_each(|_| work())
}

/// A band of rows, and where it is written.
type Part<'a, T> = (Range<usize>, &'a mut [T]);

/// What fills a part.
type Fill<'a, T> = &'a (dyn Fn(Range<usize>, &mut [T]) -> Result<()> + Sync);

fn parts_at_once<T: Send>(parts: Vec<Part<'_, T>>, work: Fill<'_, T>) -> Result<()> {
    parts.into_par_iter().try_for_each(|(band, part)| work(band, part))
}

/// Runs `work` on all items, each worker taking the next one when it is done: uneven ones even out. A worker has a room
/// of its own.
pub(crate) fn in_turn<T: Send, R>(
    items: Vec<T>,
    workers: usize,
    room: impl Fn() -> R + Sync,
    work: impl Fn(&mut R, T) -> Result<()> + Sync,
) -> Result<()> {
    let workers = workers.min(items.len()).max(1);
    let items = Mutex::new(items.into_iter());
    let next = || items.lock().ok().and_then(|mut items| items.next());
    workers_at_once(workers, &|| {
        let mut room = room();
        while let Some(item) = next() {
            work(&mut room, item)?;
        }
        Ok(())
    })
}

/// Runs `work` on the pixels of every band of a plane: its rows and their pixels without gaps.
pub(crate) fn fill_bands<T: Pixel>(
    plane: &mut Plane<T>,
    bands: &[Range<usize>],
    work: impl Fn(Range<usize>, &mut [T]) -> Result<()> + Sync,
) -> Result<()> {
    let width = plane.width();
    fill_rows(plane.as_mut_slice(), width, bands, work)
}

/// [`fill_bands`] of rows of `width` numbers one after the other.
pub(crate) fn fill_rows<T: Send>(
    rows: &mut [T],
    width: usize,
    bands: &[Range<usize>],
    work: impl Fn(Range<usize>, &mut [T]) -> Result<()> + Sync,
) -> Result<()> {
    if let [band] = bands {
        return work(band.clone(), rows);
    }
    let mut rest = rows;
    let mut parts = Vec::with_capacity(bands.len());
    for band in bands {
        let (part, below) = rest.split_at_mut(band.len() * width);
        parts.push((band.clone(), part));
        rest = below;
    }
    parts_at_once(parts, &work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_cover_all_rows_once() {
        for rows in [0, 1, 7, 64, 1000] {
            for threads in [0, 1, 3, 8] {
                let bands = bands(rows, threads, 16);
                let all: Vec<_> = bands.iter().cloned().flatten().collect();
                assert_eq!(all, (0..rows).collect::<Vec<_>>());
                assert!(bands.len() == 1 || bands.iter().all(|band| band.len() >= 16));
            }
        }
    }
}
