//! Ctrl-C: first finish what is under way, then give it up, then leave at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::console;
use crate::ops::context::Cancel;

/// How often the user asked to stop.
#[derive(Clone, Default)]
pub(super) struct Interrupt {
    asked: Arc<AtomicU32>,
    cancel: Cancel,
}

impl Interrupt {
    /// Listens from now on. To be called once.
    pub(super) fn listen() -> Self {
        let interrupt = Self::default();
        let heard = interrupt.clone();
        let listening = ctrlc::set_handler(move || match heard.asked.fetch_add(1, Ordering::Relaxed) {
            0 => console::say("interrupted: finishing what is under way; once more to give it up"),
            1 => heard.cancel.cancel(),
            #[allow(clippy::exit, reason = "asked three times, and nobody else is left to answer")]
            _ => std::process::exit(130),
        });
        if let Err(error) = listening {
            console::warn(&format!("Ctrl-C will end the program at once: {error}"));
        }
        interrupt
    }

    /// Whether nothing new is to be begun.
    pub(super) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed) > 0
    }

    /// The flag that gives up what is under way.
    pub(super) fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }
}
