//! The proof room: every kernel and operation again, as its definition.
//!
//! Written with bounds-checked accessors in `i64` and `f64`, sharing no code with the fast path.
//! Only tests and docs depend on it.

pub mod activation;
pub mod conv2d;
pub mod cross_entropy;
pub mod linear;
pub mod pool2d;
