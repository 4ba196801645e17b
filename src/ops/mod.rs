//! Whole-image algorithms: what a Rust user calls without any pipeline.
//!
//! This room owns allocation, parallelism and argument checks; the loops are in [`crate::kernel`].
//! Operations that look at a bounded window of rows are [row nodes](row::RowNode), so that one
//! definition serves as a free function here and as a member of a fused run in a pipeline.

pub(crate) mod band;
pub mod canny;
pub mod cascade;
pub mod chain;
pub mod channel;
pub mod context;
pub mod convert;
pub mod convolve;
pub mod crop;
pub mod difference;
pub mod draw;
pub mod equalize;
pub mod gaussian;
pub mod gray;
pub mod histogram;
pub mod hog;
pub mod hysteresis;
pub mod integral;
pub mod label;
pub mod linear;
pub mod morphology;
pub mod nearest;
pub mod nms;
pub mod preview;
pub mod regions;
pub mod resize;
pub mod row;
pub mod sobel;
pub mod statistics;
mod stencil;
pub mod template;
pub mod threshold;

pub use band::Cancelled;
pub use canny::{Canny, canny};
pub use chain::{Chain, apply_chain};
pub use channel::channel;
pub use context::Context;
pub use convert::{Convert, convert};
pub use convolve::{Convolve, ConvolveOutput, convolve};
pub use crop::crop;
pub use difference::difference;
pub use equalize::equalize;
pub use gaussian::{Gaussian, gaussian};
pub use gray::gray;
pub use histogram::{Histogram, histogram, otsu_level};
pub use hog::{BlockNorm, Hog, hog};
pub use morphology::{ElementShape, Morphology, MorphologyOp, morphology};
pub use resize::{Interpolation, Resize, resize};
pub use sobel::{Sobel, SobelOutput, sobel};
pub use threshold::{ThresholdType, threshold};
