//! The bar.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar on stderr, if that is a terminal; nothing otherwise.
pub(super) struct Progress(Option<ProgressBar>);

impl Progress {
    pub(super) fn new(count: usize, wanted: bool) -> Self {
        let is_shown = wanted && count > 1 && std::io::stderr().is_terminal();
        Self(is_shown.then(|| {
            let bar = ProgressBar::new(count as u64);
            if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} images, {eta} left") {
                bar.set_style(style);
            }
            bar
        }))
    }

    /// One image more.
    pub(super) fn advance(&self) {
        if let Some(bar) = &self.0 {
            bar.inc(1);
        }
    }

    /// Writes something else to the terminal, with the bar out of the way.
    pub(super) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.0 {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
