//! What several tests share.

pub(crate) mod feeders;
pub(crate) mod goldens;
pub(crate) mod pictures;
pub(crate) mod program;
pub(crate) mod strategies;
