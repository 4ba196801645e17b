//! Labelled data, and how well pipelines and nets do on it.

pub mod dataset;
