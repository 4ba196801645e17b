//! All integration tests, in one binary.

mod architecture;
mod cascade_opencv;
mod codec;
mod conv_properties;
mod gradients;
mod kernel_twins;
mod stage_contracts;
mod support;
mod torch;
mod training;
