//! What several tests share.

pub(crate) mod pictures;
pub mod program;
pub(crate) mod strategies;
