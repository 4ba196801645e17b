//! All integration tests, in one binary.

mod architecture;
mod cascade_opencv;
mod codec;
mod conv_properties;
mod eval;
mod gradients;
mod kernel_twins;
mod models;
mod regions_opencv;
mod stage_contracts;
mod support;
mod template_properties;
mod torch;
mod training;
