//! Work away from the interpreter, which Ctrl-C still reaches.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use lyncean::ops::context::Cancel;
use pyo3::prelude::*;

/// How long Ctrl-C may have to wait.
const TURN: Duration = Duration::from_millis(40);

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
