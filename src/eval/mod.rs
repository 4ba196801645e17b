//! Labelled data, and how well pipelines and nets do on it.

mod compare;
pub mod dataset;
pub mod metrics;
mod report;

pub use compare::{Comparison, Contender, Failure, Options, Pair, Time, compare};
