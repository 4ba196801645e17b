//! Labelled data, and how well pipelines and nets do on it.

mod compare;
pub mod dataset;
pub mod metrics;
mod report;
mod vectors;

pub use compare::{Comparison, Contender, Failure, Options, Pair, Time, compare};
pub use vectors::Vectors;
