//! What several tests share.

pub mod pictures;
