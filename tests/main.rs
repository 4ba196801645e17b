//! All integration tests, in one binary.

mod conv_properties;
mod gradients;
mod torch;
mod training;
