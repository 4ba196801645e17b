//! How an operation is to be carried out: never what it computes.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::image::{Image, ImageType};
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
    spare: Spare,
}

impl Default for Context {
    /// One thread, the best instruction set, never cancelled.
    fn default() -> Self {
        Self {
            isa: Isa::best(),
            threads: 1,
            strip_rows: None,
            cancel: Cancel::default(),
            spare: Spare::default(),
        }
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

    /// An image to be written over whole: its pixels are anything.
    pub(crate) fn image(&self, ty: ImageType, width: usize, height: usize) -> Image {
        self.spare.take(ty, width, height).unwrap_or_else(|| Image::new(ty, width, height))
    }

    /// Takes back an image that nobody needs any more, if this was its last owner: the next of its
    /// type and size made with this context, or with a clone of it, takes its memory. Pixels that belong to
    /// somebody else are let go.
    pub fn reuse(&self, image: Arc<Image>) {
        if let Ok(image) = Arc::try_unwrap(image)
            && !image.is_shared()
        {
            self.spare.put(image);
        }
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

/// A flag shared by whoever works and whoever may ask to stop, and an hour after which work stops by
/// itself.
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    flag: Arc<AtomicBool>,
    deadline: Option<Instant>,
}

impl Cancel {
    /// The same flag, and a deadline beside it.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Instant) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Asks to stop.
    pub fn cancel(&self) {
        self.flag.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked to stop, or the deadline is over.
    pub fn is_cancelled(&self) -> bool {
        self.flag.load(Ordering::Relaxed) || self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }
}

/// Memory of images that are no longer needed. Fresh memory costs more than many operations: each
/// page of it is a fault, and is cleared.
#[derive(Clone, Default)]
struct Spare(Arc<Mutex<Vec<Image>>>);

impl Spare {
    /// Images kept at most; the oldest goes first.
    const MOST: usize = 8;

    fn take(&self, ty: ImageType, width: usize, height: usize) -> Option<Image> {
        let mut images = self.0.lock().ok()?;
        let fits = |image: &Image| (image.ty(), image.width(), image.height()) == (ty, width, height);
        // The last one that was put back is the one most likely in cache.
        images.iter().rposition(fits).map(|index| images.remove(index))
    }

    fn put(&self, image: Image) {
        if let Ok(mut images) = self.0.lock() {
            if images.len() == Self::MOST {
                images.remove(0);
            }
            images.push(image);
        }
    }
}

impl fmt::Debug for Spare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Spare")
    }
}
