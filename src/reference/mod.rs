//! The proof room: every kernel and operation again, as its definition.
//!
//! Written with bounds-checked accessors in `i64` and `f64`, sharing no code with the fast path.
//! Only tests and docs depend on it.

pub mod activation;
pub mod cascade;
pub mod conv2d;
pub mod cross_entropy;
pub mod draw;
pub mod hysteresis;
pub mod integral;
pub mod label;
pub mod linear;
pub mod nms;
pub mod pool2d;
pub mod regions;
pub mod template;
