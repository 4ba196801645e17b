//! Whole-image algorithms: they allocate, check their arguments and go parallel; pipelines are above them.

pub mod cascade;
