//! What several tests share.

pub(crate) mod pictures;
pub(crate) mod strategies;
