//! The fence around decoders that may panic on hostile bytes.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Format;
use crate::{Error, ErrorKind, Result};

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic on this thread, right now, would be caught and turned into an [`Error`].
///
/// For the panic hook of a program, which may stay silent then.
///
/// ```
/// let hook = std::panic::take_hook();
/// std::panic::set_hook(Box::new(move |info| {
///     if !lyncean::image::codec::panic_is_caught() {
///         hook(info);
///     }
/// }));
/// ```
pub fn panic_is_caught() -> bool {
    GUARDED.get()
}

/// Runs `body`; a panic in it becomes an error that names the file.
pub(super) fn run<T>(name: &str, format: Format, body: impl FnOnce() -> Result<T>) -> Result<T> {
    let outer = GUARDED.replace(true);
    // What `body` may leave half changed is dropped here, or refuses to go on (see `stream`).
    let result = catch_unwind(AssertUnwindSafe(body));
    GUARDED.set(outer);
    result.unwrap_or_else(|payload| {
        let words = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_string())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "no reason given".into());
        let words = words.lines().next().unwrap_or_default();
        Err(Error::new(ErrorKind::Internal, format!("`{name}`: the {format} decoder gave up: {words}"))
            .with_hint("the file is damaged, or shows a fault of the decoder"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_and_the_flag_goes_back() {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !panic_is_caught() {
                hook(info);
            }
        }));
        let result: Result<()> = run("a.png", Format::Png, || panic!("index {} of 3", 7));
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Internal);
        assert_eq!(error.message(), "`a.png`: the PNG decoder gave up: index 7 of 3");
        assert!(!panic_is_caught());
        assert!(run("a.png", Format::Png, || Ok(panic_is_caught())).unwrap());
    }
}
