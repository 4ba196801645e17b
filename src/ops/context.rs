//! How an operation is to be carried out: never what it computes.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::spare::{Furnished, Room, Spare};

use crate::image::{Image, ImageType, Pixel, Plane};
use crate::kernel::Isa;
use crate::{Error, Result};

/// Instruction set, threads and cancellation, handed to every operation.
///
/// ```
/// use lyncean::ops::Context;
///
/// let cx = Context::default().with_threads(4);
/// assert_eq!((cx.threads, cx.is_cancelled()), (4, false));
/// ```
#[derive(Clone, Debug)]
pub struct Context {
    /// The instruction set of the kernels.
    pub isa: Isa,
    /// Threads used inside one image, at least 1. Work runs on the rayon pool of the caller.
    pub threads: usize,
    /// Rows of a strip; `None` lets the executor choose.
    pub strip_rows: Option<usize>,
    cancel: Cancel,
    progress: Option<Hook>,
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
            progress: None,
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

    /// What cancels it.
    pub fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// The same context, with somebody who hears of progress: of each pipeline step, several times while
    /// it goes through rows, and when it is done. Calls come from all threads that work, often: a hook
    /// should return at once.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    /// use lyncean::image::{Image, Plane};
    /// use lyncean::ops::Context;
    /// use lyncean::pipeline::{Pipeline, RunOptions};
    ///
    /// let calls = Arc::new(AtomicUsize::new(0));
    /// let heard = Arc::clone(&calls);
    /// let context = Context::default().with_progress(move |progress| {
    ///     assert!((0.0..=1.0).contains(&progress.overall()));
    ///     heard.fetch_add(1, Ordering::Relaxed);
    /// });
    /// let pipeline = Pipeline::from_toml("version = 1\n[[stage]]\nuse = \"invert\"")?;
    /// let image = Arc::new(Image::Gray8(Plane::filled(8, 8, 1)));
    /// pipeline.run_with(image, None, &RunOptions { context, ..RunOptions::default() })?;
    /// assert!(calls.load(Ordering::Relaxed) > 0);
    /// # Ok::<(), lyncean::Error>(())
    /// ```
    #[must_use]
    pub fn with_progress(mut self, hook: impl Fn(Progress<'_>) + Send + Sync + 'static) -> Self {
        self.progress = Some(Hook(Arc::new(hook)));
        self
    }

    /// Tells progress, if somebody hears of it.
    pub(crate) fn report<'a>(&self, progress: impl FnOnce() -> Option<Progress<'a>>) {
        if let Some(Hook(hook)) = &self.progress
            && let Some(progress) = progress()
        {
            hook(progress);
        }
    }

    /// An image to be written over whole: its pixels are anything. It is made of spare memory where an image
    /// of this type and size was [given back](Self::reuse).
    ///
    /// ```
    /// use lyncean::image::{Image, ImageType};
    /// use lyncean::ops::Context;
    ///
    /// let cx = Context::default();
    /// let first = cx.image(ImageType::Gray8, 64, 48);
    /// let place = first.plane_bytes(0).as_ptr();
    /// cx.reuse(cx.share(first));
    /// assert_eq!(cx.image(ImageType::Gray8, 64, 48).plane_bytes(0).as_ptr(), place);
    /// ```
    pub fn image(&self, ty: ImageType, width: usize, height: usize) -> Image {
        self.spare.take_out(ty, width, height).unwrap_or_else(|| Image::new(ty, width, height))
    }

    /// An image as values hold it.
    pub fn share(&self, image: Image) -> Arc<Image> {
        self.spare.share(image)
    }

    /// As [`image`](Self::image), owned by the caller alone.
    pub(crate) fn shared_image(&self, ty: ImageType, width: usize, height: usize) -> Arc<Image> {
        self.spare.take(ty, width, height).unwrap_or_else(|| self.share(Image::new(ty, width, height)))
    }

    /// A plane to be written over whole, as [`image`](Self::image).
    pub(crate) fn plane<T: Pixel>(&self, width: usize, height: usize) -> Plane<T> {
        self.spare.plane(width, height).unwrap_or_else(|| Plane::new(width, height))
    }

    /// What an operation works in, as an earlier one left it.
    pub(crate) fn room<T: Furnished>(&self) -> Room<'_, T> {
        self.spare.room()
    }

    /// A copy of an image, in spare memory if there is some.
    pub(crate) fn copy(&self, image: &Image) -> Arc<Image> {
        let Some(mut copy) = self.spare.take(image.ty(), image.width(), image.height()) else {
            return Arc::new(image.clone());
        };
        if let Some(copy) = Arc::get_mut(&mut copy) {
            for (index, plane) in copy.plane_pair_bytes_mut().into_iter().enumerate() {
                if index < image.ty().planes() {
                    plane.copy_from_slice(image.plane_bytes(index));
                }
            }
        }
        copy
    }

    /// Takes back an image that nobody needs any more, if this was its last owner: the next of its
    /// type and size made with this context, or with a clone of it, takes its memory. Pixels that belong to
    /// somebody else are let go.
    pub fn reuse(&self, mut image: Arc<Image>) {
        if Arc::get_mut(&mut image).is_some_and(|image| !image.is_shared()) {
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
///
/// ```
/// use lyncean::ops::{Cancel, Context};
///
/// let cancel = Cancel::default();
/// let cx = Context::default().with_cancel(cancel.clone());
/// assert!(cx.check().is_ok());
/// cancel.cancel(); // from any thread
/// assert!(cx.check().is_err());
/// ```
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

/// How far a pipeline is on one picture, see [`Context::with_progress`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress<'a> {
    /// The stage at work. Stages that are fused are told by the last of them.
    pub stage: &'a str,
    /// The step of the plan, from 0.
    pub step: usize,
    /// Steps in all.
    pub steps: usize,
    /// The share of this step that is done, 0 to 1.
    pub done: f64,
}

impl Progress<'_> {
    /// The share of all steps that is done, 0 to 1; steps count alike.
    pub fn overall(&self) -> f64 {
        (self.step as f64 + self.done) / self.steps.max(1) as f64
    }
}

/// Who hears of progress.
#[derive(Clone)]
struct Hook(Arc<dyn Fn(Progress<'_>) + Send + Sync>);

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook")
    }
}
