//! All integration tests, in one binary.

mod kernel_twins;
mod support;
