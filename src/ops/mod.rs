//! Whole-image algorithms: what a Rust user calls without any pipeline.
//!
//! They own allocation, parallelism and the checks of their arguments; the hot loops are in
//! [`kernel`](crate::kernel), the declarative wrappers in `stage`.

pub(crate) mod band;
pub mod draw;
pub mod hysteresis;
pub mod integral;
pub mod label;
pub mod nearest;
pub mod nms;
pub mod regions;
pub mod template;

pub use band::Cancelled;
