//! Labelled data, and how well pipelines and nets do on it.

#[cfg(feature = "files")]
mod compare;
#[cfg(feature = "files")]
pub mod dataset;
pub mod metrics;
mod predict;
#[cfg(feature = "files")]
mod report;
#[cfg(feature = "files")]
mod vectors;

#[cfg(feature = "files")]
pub use compare::{Comparison, Contender, Failure, Options, Pair, Time, compare};
pub use predict::{Prediction, Predictor, Ranked, Reading};
#[cfg(feature = "files")]
pub use vectors::Vectors;
