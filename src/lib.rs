//! Computer-vision pipelines: every step a stage, every chain of stages a small TOML file,
//! every classical method beside its learned rival.
//!
//! The rooms, from the bottom up; an arrow only ever points down:
//!
//! - [`image`]: planes of pixels, borders, files; [`document`]: TOML with spans, diagnostics,
//!   resources; [`error`]: the one error type.
//! - [`kernel`]: hot loops over rows; [`mod@reference`]: the same names, slow and obvious.
//! - [`ops`]: whole-image algorithms; [`nn`]: tensors, layers, training.
//! - [`stage`]: the declarative wrappers that pipelines are made of.
//! - [`pipeline`]: files to a checked graph, to a plan, to results; [`eval`]: datasets, metrics.

pub mod builtin;
#[cfg(feature = "cli")]
pub mod cli;
pub mod document;
pub mod error;
pub mod eval;
pub mod image;
pub mod kernel;
pub mod nn;
pub mod ops;
mod parallel;
pub mod pipeline;
pub mod prelude;
pub mod reference;
pub mod stage;

pub use error::{Error, ErrorKind, Result};
