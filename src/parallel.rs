//! Work in parallel, in the forms that this crate uses: rayon's with the feature `parallel`, the same
//! calls one after the other without it, so that no caller tells the two apart.
//!
//! Results are the same either way: whoever calls cuts the work by shapes, never by threads.

#[cfg(all(feature = "parallel", feature = "files"))]
use crate::Result;
#[cfg(feature = "parallel")]
pub(crate) use rayon::{current_num_threads, join, prelude};

/// Runs `work` in a pool of its own of so many threads, 0 for as many as there are cores.
///
/// # Errors
/// [`Io`](crate::ErrorKind::Io) when threads cannot be started, and those of `work`.
#[cfg(all(feature = "parallel", feature = "files"))]
pub(crate) fn in_threads<R: Send>(threads: usize, work: impl FnOnce() -> Result<R> + Send) -> Result<R> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(|error| {
        let message = format!("cannot start threads: {error}");
        crate::Error::new(crate::ErrorKind::Io, message).with_source(error)
    })?;
    pool.install(work)
}

#[cfg(not(feature = "parallel"))]
pub(crate) use serial::*;

#[cfg(not(feature = "parallel"))]
mod serial {
    /// The threads there are.
    pub(crate) fn current_num_threads() -> usize {
        1
    }

    /// Both, one after the other.
    pub(crate) fn join<A, B>(a: impl FnOnce() -> A, b: impl FnOnce() -> B) -> (A, B) {
        (a(), b())
    }

    /// Runs `work` in the thread there is.
    #[cfg(feature = "files")]
    pub(crate) fn in_threads<R>(
        _threads: usize,
        work: impl FnOnce() -> crate::Result<R>,
    ) -> crate::Result<R> {
        work()
    }

    /// The names of rayon's prelude, for iterators of the standard library.
    pub(crate) mod prelude {
        pub(crate) trait IntoParallelIterator: IntoIterator + Sized {
            fn into_par_iter(self) -> Self::IntoIter {
                self.into_iter()
            }
        }

        impl<I: IntoIterator> IntoParallelIterator for I {}

        pub(crate) trait IndexedParallelIterator: Iterator + Sized {
            fn with_min_len(self, _len: usize) -> Self {
                self
            }
        }

        impl<I: Iterator> IndexedParallelIterator for I {}

        pub(crate) trait ParallelSlice<T> {
            fn par_iter(&self) -> std::slice::Iter<'_, T>;
            fn par_chunks(&self, len: usize) -> std::slice::Chunks<'_, T>;
        }

        impl<T> ParallelSlice<T> for [T] {
            fn par_iter(&self) -> std::slice::Iter<'_, T> {
                self.iter()
            }

            fn par_chunks(&self, len: usize) -> std::slice::Chunks<'_, T> {
                self.chunks(len)
            }
        }

        #[cfg_attr(not(feature = "files"), allow(dead_code, reason = "training alone uses all of it"))]
        pub(crate) trait ParallelSliceMut<T> {
            fn par_chunks_mut(&mut self, len: usize) -> std::slice::ChunksMut<'_, T>;
            fn par_chunks_exact_mut(&mut self, len: usize) -> std::slice::ChunksExactMut<'_, T>;
        }

        impl<T> ParallelSliceMut<T> for [T] {
            fn par_chunks_mut(&mut self, len: usize) -> std::slice::ChunksMut<'_, T> {
                self.chunks_mut(len)
            }

            fn par_chunks_exact_mut(&mut self, len: usize) -> std::slice::ChunksExactMut<'_, T> {
                self.chunks_exact_mut(len)
            }
        }
    }
}
