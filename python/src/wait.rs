//! Work away from the interpreter, which Ctrl-C still reaches.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use lyncean::ops::Context;
use lyncean::ops::context::Cancel;
use pyo3::prelude::*;

use crate::made;

/// How long Ctrl-C may have to wait.
const TURN: Duration = Duration::from_millis(40);

/// Work up to here keeps the interpreter: to let it go and take it again costs as much as a small picture, and
/// other threads get it after far longer only.
const SHORT: Duration = Duration::from_micros(20);

/// Pictures from here on are worth a thread of their own while nobody knows how long they take.
const LARGE: u64 = 1 << 20;

/// How long some work takes a pixel, as far as it was seen: short work is done where it is called, since a
/// thread of its own costs more than many operations, and finds the caches of another core empty.
#[derive(Default)]
pub(crate) struct Pace {
    /// Picoseconds a pixel of the last run; 0 before it.
    known: AtomicU64,
}

impl Pace {
    /// Runs `work` on so many pixels, without the interpreter unless that is a matter of microseconds; if it may
    /// take long, Ctrl-C reaches it.
    pub(crate) fn run<T: Send>(
        &self,
        py: Python<'_>,
        threads: usize,
        pixels: usize,
        work: impl FnOnce(&Context) -> T + Send,
    ) -> PyResult<T> {
        let pixels = pixels.max(1) as u64;
        let known = self.known.load(Ordering::Relaxed);
        let expected = u128::from(known) * u128::from(pixels);
        let is_long = if known == 0 { pixels >= LARGE } else { expected > 1000 * TURN.as_nanos() };
        let own;
        let shared = made::context();
        let context = if threads <= 1 && !is_long {
            shared
        } else {
            own = shared.clone().with_threads(threads).with_cancel(Cancel::default());
            &own
        };
        let start = Instant::now();
        let result = if is_long {
            interruptible(py, context.cancel(), || work(context))
        } else if known > 0 && expected < 1000 * SHORT.as_nanos() {
            Ok(work(context))
        } else {
            Ok(py.detach(|| work(context)))
        };
        let picoseconds = (1000 * start.elapsed().as_nanos() / u128::from(pixels)).max(1);
        self.known.store(u64::try_from(picoseconds).unwrap_or(u64::MAX), Ordering::Relaxed);
        result
    }
}

/// Runs `work` on a thread of its own without the interpreter, and looks for signals meanwhile: Python's
/// handlers run on the thread that called. One that raises, as Ctrl-C's does, cancels the work.
pub(crate) fn interruptible<T: Send>(
    py: Python<'_>,
    cancel: &Cancel,
    work: impl FnOnce() -> T + Send,
) -> PyResult<T> {
    let (done, result) = sync_channel(1);
    py.detach(move || {
        std::thread::scope(|scope| {
            let worker = scope.spawn(move || drop(done.send(work())));
            let mut raised = None;
            loop {
                match result.recv_timeout(TURN) {
                    Ok(value) => return raised.map_or(Ok(value), Err),
                    Err(RecvTimeoutError::Timeout) if raised.is_none() => {
                        raised = Python::attach(|py| py.check_signals().err());
                        if raised.is_some() {
                            cancel.cancel();
                        }
                    }
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => {
                        // It panicked: pyo3 makes an exception of that, as where no thread is between.
                        let panic = worker.join().err().unwrap_or_else(|| Box::new("nothing was sent"));
                        std::panic::resume_unwind(panic);
                    }
                }
            }
        })
    })
}
