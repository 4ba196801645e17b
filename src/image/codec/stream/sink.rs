//! A writer that can be taken back from an encoder that keeps it, with the first error it met.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

struct State<W> {
    out: Option<W>,
    error: Option<io::Error>,
}

/// One of two handles: the encoder holds the other, and may swallow errors while it is dropped.
pub(super) struct Sink<W>(Arc<Mutex<State<W>>>);

impl<W: Write> Sink<W> {
    pub(super) fn new(out: W) -> (Self, Self) {
        let state = Arc::new(Mutex::new(State { out: Some(out), error: None }));
        (Self(Arc::clone(&state)), Self(state))
    }

    /// The writer, if everything went well.
    pub(super) fn take(self) -> io::Result<W> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (state.error.take(), state.out.take()) {
            (None, Some(mut out)) => out.flush().map(|()| out),
            (Some(error), _) => Err(error),
            (None, None) => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn with<T>(&self, f: impl FnOnce(&mut W) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(out) = &mut state.out else { return Err(io::ErrorKind::BrokenPipe.into()) };
        match f(out) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                let copy =
                    error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error);
                state.error.get_or_insert(copy);
                Err(error)
            }
            result => result,
        }
    }
}

impl<W: Write> Write for Sink<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.with(|out| out.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.with(Write::flush)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_error_swallowed_by_the_encoder_comes_back() {
        let (mut inner, outer) = Sink::new(Full);
        let _ = inner.write(&[1]);
        drop(inner);
        assert_eq!(outer.take().err().unwrap().kind(), io::ErrorKind::StorageFull);
    }
}
