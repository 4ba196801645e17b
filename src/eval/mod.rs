//! Labelled data, and how well pipelines and nets do on it.

#[cfg(feature = "files")]
mod cascade;
#[cfg(feature = "files")]
mod compare;
#[cfg(feature = "files")]
pub mod dataset;
pub mod metrics;
mod predict;
#[cfg(feature = "files")]
mod report;
mod samples;
#[cfg(feature = "files")]
mod vectors;

#[cfg(feature = "files")]
pub use cascade::{
    CascadeOutcome, HeldOut, ObjectOptions, Photos, TrainCascade, read_objects, train_cascade,
};
#[cfg(feature = "files")]
pub use compare::{Comparison, Contender, Failure, Options, Pair, Time, compare};
pub use predict::{Prediction, Predictor, Ranked, Reading};
#[cfg(feature = "files")]
pub use vectors::Vectors;

pub use samples::{CutOut, Sample, SampleOptions, sample};
