//! What several tests share.

pub mod pictures;
pub mod program;
pub(crate) mod strategies;
