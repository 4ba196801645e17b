//! How an operation is to be carried out: never what it computes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::kernel::Isa;
use crate::{Error, Result};

/// Instruction set, threads and cancellation, handed to every operation.
#[derive(Clone, Debug)]
pub struct Context {
    /// The instruction set of the kernels.
    pub isa: Isa,
    /// Threads used inside one image, at least 1. Work runs on the rayon pool of the caller.
    pub threads: usize,
    /// Rows of a strip; `None` lets the executor choose.
    pub strip_rows: Option<usize>,
    cancel: Cancel,
}

impl Default for Context {
    /// One thread, the best instruction set, never cancelled.
    fn default() -> Self {
        Self { isa: Isa::best(), threads: 1, strip_rows: None, cancel: Cancel::default() }
    }
}

impl Context {
    /// The same context with another thread count (at least 1).
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// The same context with another instruction set.
    #[must_use]
    pub fn with_isa(mut self, isa: Isa) -> Self {
        self.isa = isa;
        self
    }

    /// The same context with strips of so many rows.
    #[must_use]
    pub fn with_strip_rows(mut self, rows: usize) -> Self {
        self.strip_rows = Some(rows.max(1));
        self
    }

    /// The same context, cancelled by `cancel`.
    #[must_use]
    pub fn with_cancel(mut self, cancel: Cancel) -> Self {
        self.cancel = cancel;
        self
    }

    /// Whether the caller asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// An error once the caller asked to stop; long operations poll it between bands.
    ///
    /// # Errors
    /// [`Cancelled`](crate::ErrorKind::Cancelled).
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() { Err(Error::cancelled()) } else { Ok(()) }
    }
}

/// A flag shared by whoever works and whoever may ask to stop.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Asks to stop.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
