//! All integration tests, in one binary.

mod architecture;
mod cascade_opencv;
mod cli;
mod codec;
mod conv_properties;
mod diagnostics;
mod eval;
mod filter_goldens;
mod filter_twins;
mod gradients;
mod kernel_twins;
mod models;
mod regions_opencv;
mod row_executor;
mod stage_contracts;
mod support;
mod template_properties;
mod torch;
mod training;
