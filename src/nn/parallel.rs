//! Work cut into pieces by shapes alone, so that threads change no bits.

use std::cell::RefCell;

use super::room;
use crate::kernel::Isa;
use crate::kernel::conv2d::ConvScratch;
use crate::parallel::prelude::*;

/// Samples whose gradients are summed as one before the sums are added in order.
pub(super) const SAMPLES: usize = 8;

thread_local! {
    static SCRATCH: RefCell<ConvScratch> = RefCell::default();
}

/// Runs `body` with this thread's room for layouts and panels.
pub(super) fn with_scratch<R>(body: impl FnOnce(&mut ConvScratch) -> R) -> R {
    SCRATCH.with_borrow_mut(body)
}

/// Calls `body` for each piece of `len` elements of `output`, with its index, in parallel.
pub(super) fn for_each_piece(output: &mut [f32], len: usize, body: impl Fn(usize, &mut [f32]) + Sync) {
    pieces(output, len, &body);
}

// Compiled once, not once for every body: rayon's share of each is larger than most bodies.
fn pieces(output: &mut [f32], len: usize, body: &(dyn Fn(usize, &mut [f32]) + Sync)) {
    if len == 0 {
        return;
    }
    if output.len() <= len || crate::parallel::current_num_threads() == 1 {
        output.chunks_mut(len).enumerate().for_each(|(i, piece)| body(i, piece));
    } else {
        output.par_chunks_mut(len).enumerate().for_each(|(i, piece)| body(i, piece));
    }
}

/// Calls `body` for each of some jobs, such as positions, in parallel.
pub(super) fn for_each_job<T: Send>(jobs: impl IntoIterator<Item = T>, body: impl Fn(usize, T) + Sync) {
    if crate::parallel::current_num_threads() == 1 {
        jobs.into_iter().enumerate().for_each(|(i, job)| body(i, job));
    } else {
        in_parallel(jobs.into_iter().collect(), &body);
    }
}

// Compiled once for every type of job.
fn in_parallel<T: Send>(jobs: Vec<T>, body: &(dyn Fn(usize, T) + Sync)) {
    jobs.into_par_iter().enumerate().for_each(|(i, job)| body(i, job));
}

/// Elements of a piece of element-wise work.
const ELEMENTS: usize = 1 << 14;

/// `f` of every element, in parallel.
pub(super) fn map_elements(isa: Isa, x: &[f32], f: impl Fn(f32) -> f32 + Sync) -> Vec<f32> {
    let mut y = room::unset(x.len());
    for_each_piece(&mut y, ELEMENTS, |i, y| {
        let x = &x[i * ELEMENTS..][..y.len()];
        isa.run(
            #[inline(always)]
            || y.iter_mut().zip(x).for_each(|(y, x)| *y = f(*x)),
        );
    });
    y
}

/// `f` of every two elements, in parallel.
pub(super) fn zip_elements(isa: Isa, a: &[f32], b: &[f32], f: impl Fn(f32, f32) -> f32 + Sync) -> Vec<f32> {
    let mut y = room::unset(a.len().min(b.len()));
    for_each_piece(&mut y, ELEMENTS, |i, y| {
        let (a, b) = (&a[i * ELEMENTS..][..y.len()], &b[i * ELEMENTS..][..y.len()]);
        isa.run(
            #[inline(always)]
            || y.iter_mut().zip(a.iter().zip(b)).for_each(|(y, (a, b))| *y = f(*a, *b)),
        );
    });
    y
}

/// The sum of what `partial` makes of each group of [`SAMPLES`] samples, added in order.
pub(super) fn sum_over_samples(
    samples: usize,
    len: usize,
    partial: impl Fn(std::ops::Range<usize>, &mut [f32]) + Sync,
) -> Vec<f32> {
    sum_over_groups(samples, SAMPLES, len, partial)
}

/// [`sum_over_samples`] for groups of `each` samples.
pub(super) fn sum_over_groups(
    samples: usize,
    each: usize,
    len: usize,
    partial: impl Fn(std::ops::Range<usize>, &mut [f32]) + Sync,
) -> Vec<f32> {
    let groups = samples.div_ceil(each);
    let mut total = vec![0.0f32; len];
    if groups == 1 {
        partial(0..samples, &mut total);
        return total;
    }
    let part = |group: usize| {
        let mut sums = vec![0.0; len];
        partial(group * each..samples.min((group + 1) * each), &mut sums);
        sums
    };
    let add = |total: &mut [f32], sums: &[f32]| total.iter_mut().zip(sums).for_each(|(t, s)| *t += s);
    if crate::parallel::current_num_threads() == 1 {
        for group in 0..groups {
            add(&mut total, &part(group));
        }
    } else {
        let parts: Vec<Vec<f32>> = (0..groups).into_par_iter().map(part).collect();
        for_each_piece(&mut total, ELEMENTS, |piece, total| {
            for sums in &parts {
                add(total, &sums[piece * ELEMENTS..][..total.len()]);
            }
        });
    }
    total
}
