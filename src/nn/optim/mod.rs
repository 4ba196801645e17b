//! Optimisers. Their state lives with them, never in the net.

mod sgd;

pub use sgd::Sgd;
