//! Hot loops over rows and tiles: slices and the instruction set, nothing else.
//!
//! This is the inside of the crate. It can be seen because tests and benches look at it; but for [`Isa`] its names
//! and signatures may change with any version. Call [`crate::ops`] instead.
//!
//! No allocation, no threads, no files, no parameters read from text. Every kernel takes an
//! [`Isa`] and gives the same bits on each of them; its definition, slow and obvious, stands under
//! the same name in [`crate::reference`]. The products of nets ([`gemm`], [`dots`]) alone fuse
//! multiply and add where the set can: they give the same bits on one set.

#![allow(
    clippy::inline_always,
    reason = "only what is inlined into the trampoline of an Isa is compiled for it"
)]

pub mod arithmetic;
pub mod binomial;
pub mod canny;
pub mod cascade;
pub mod ccl;
pub mod clahe;
pub mod conv;
pub mod conv2d;
pub mod conv_short;
pub mod copy;
pub mod dots;
pub mod edge_mask;
mod edged;
pub mod fft;
pub mod gaussian;
pub mod gemm;
pub mod histogram;
pub mod hog;
pub mod integral;
pub mod isa;
mod lanes;
pub mod laplacian;
pub mod line;
pub mod local;
pub mod median;
pub mod morphology;
pub mod ncc;
pub mod nhwc;
pub mod norm;
pub mod pixel;
pub mod pool;
pub mod resize;
pub mod resize_exact;
pub mod resize_taps;
pub mod rolling_ball;
mod running;
pub mod separable;
pub mod sobel;
pub mod table;
pub mod threshold;
pub mod warp;
pub mod window_sum;

pub use isa::Isa;
