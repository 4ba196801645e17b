//! Whole-image algorithms: what a Rust user calls without any pipeline.
//!
//! This room owns allocation, parallelism and argument checks; the loops are in [`crate::kernel`].
//! Operations that look at a bounded window of rows are [row nodes](row::RowNode), so that one
//! definition serves as a free function here and as a member of a fused run in a pipeline.

pub mod context;
pub mod row;

pub use context::Context;
