//! What several tests share.

pub mod pictures;
pub(crate) mod strategies;
