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
            scope.spawn(move || done.send(work()));
            let mut raised = None;
            loop {
                match result.recv_timeout(TURN) {
                    Ok(value) => return raised.map_or(Ok(value), Err),
                    Err(RecvTimeoutError::Timeout) if raised.is_none() => {
                        raised = Python::attach(|py| py.check_signals()).err();
                        if raised.is_some() {
                            cancel.cancel();
                        }
                    }
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => {
                        let words = "the thread at work has panicked";
                        return Err(raised
                            .unwrap_or_else(|| pyo3::exceptions::PyRuntimeError::new_err(words)));
                    }
                }
            }
        })
    })
}
