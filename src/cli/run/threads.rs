//! How the cores are shared between images and inside them.

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::WORKER;
use crate::{Error, ErrorKind, Result};

/// Images at once, and threads in each.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Threads {
    /// Images at once.
    pub images: usize,
    /// Threads in one image.
    pub inside: usize,
}

impl Threads {
    /// What was asked; the rest is chosen so that the product stays within the cores.
    pub(super) fn new(images: Option<usize>, inside: Option<usize>, inputs: usize) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self::on(cores, images, inside, inputs)
    }

    fn on(cores: usize, images: Option<usize>, inside: Option<usize>, inputs: usize) -> Self {
        let inputs = inputs.max(1);
        let images = images.unwrap_or_else(|| (cores / inside.unwrap_or(1)).max(1)).min(inputs);
        Self { images, inside: inside.unwrap_or_else(|| (cores / images).max(1)) }
    }

    /// A pool for every image at once.
    pub(super) fn pools(&self) -> Result<Vec<ThreadPool>> {
        let pool =
            || ThreadPoolBuilder::new().num_threads(self.inside).thread_name(|_| WORKER.to_owned()).build();
        (0..self.images)
            .map(|_| {
                pool().map_err(|error| {
                    Error::new(ErrorKind::Io, format!("cannot start {} threads: {error}", self.inside))
                        .with_hint("ask for fewer with `-j` and `--threads`")
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_product_stays_within_the_cores_unless_asked() {
        let on_8 = |images, inside, inputs| {
            let threads = Threads::on(8, images, inside, inputs);
            (threads.images, threads.inside)
        };
        assert_eq!(on_8(None, None, 1), (1, 8));
        assert_eq!(on_8(None, None, 3), (3, 2));
        assert_eq!(on_8(None, None, 100), (8, 1));
        assert_eq!(on_8(Some(2), None, 100), (2, 4));
        assert_eq!(on_8(None, Some(4), 100), (2, 4));
        assert_eq!(on_8(None, Some(20), 100), (1, 20));
        assert_eq!(on_8(Some(4), Some(4), 100), (4, 4));
        assert_eq!(on_8(Some(16), None, 0), (1, 8));
    }
}
