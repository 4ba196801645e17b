//! Hot loops over rows and tiles: slices and the instruction set, nothing else.
//!
//! No allocation, no threads, no files, no parameters read from text. Every kernel takes an
//! [`Isa`] and gives the same bits on each of them; its definition, slow and obvious, stands under
//! the same name in [`crate::reference`].

pub mod conv2d;
pub mod dots;
pub mod gemm;
pub mod isa;
pub mod pool;

pub use isa::Isa;
