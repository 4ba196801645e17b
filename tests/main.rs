//! All integration tests, in one binary.
#![allow(
    clippy::unwrap_used,
    clippy::naive_bytecount,
    clippy::items_after_statements,
    clippy::manual_assert,
    clippy::type_complexity,
    clippy::manual_let_else,
    clippy::needless_pass_by_value,
    clippy::redundant_closure_for_method_calls,
    clippy::cast_lossless,
    clippy::match_wild_err_arm,
    clippy::cloned_instead_of_copied,
    unreachable_pub,
    reason = "tests say what is wrong by panicking, and are read from top to bottom"
)]

mod architecture;
mod cascade_opencv;
mod cli;
mod codec;
mod conv_properties;
mod diagnostics;
mod doc_examples;
mod embedding;
mod eval;
mod filter_goldens;
mod filter_twins;
mod geometry_maps;
mod gradients;
mod hog_goldens;
mod inference;
mod kernel_twins;
mod learned_stages;
mod models;
mod nets;
mod onnx;
mod operation;
mod parts_goldens;
mod pipeline_chains;
mod pipeline_input;
mod point_goldens;
mod point_twins;
mod principal_components;
mod readme;
mod regions_opencv;
mod row_executor;
mod stage_contracts;
mod support;
mod template_opencv;
mod template_properties;
mod template_search;
mod template_stage;
mod threshold_goldens;
mod torch;
mod training;
mod window_twins;
mod yunet;
