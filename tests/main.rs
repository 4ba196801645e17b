//! All integration tests, in one binary.

mod architecture;
mod codec;
mod filter_goldens;
mod filter_twins;
mod kernel_twins;
mod row_executor;
mod stage_contracts;
mod support;
