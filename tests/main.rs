//! All integration tests, in one binary.

mod architecture;
mod codec;
mod kernel_twins;
mod stage_contracts;
mod support;
