//! Whole-image algorithms: what a Rust user calls without any pipeline.
//!
//! This room owns allocation, parallelism and argument checks; the loops are in [`crate::kernel`].
//! Operations that look at a bounded window of rows are [row nodes](row::RowNode), so that one
//! definition serves as a free function here and as a member of a fused run in a pipeline.

pub mod adaptive;
pub(crate) mod band;
pub mod box_blur;
pub mod canny;
pub mod cascade;
pub mod chain;
pub mod channel;
pub mod chart;
pub mod context;
pub mod contours;
pub mod convert;
pub mod convolve;
pub mod crop;
pub mod difference;
pub mod distance;
pub mod draw;
pub mod equalize;
pub mod excess;
pub mod gaussian;
pub mod gray;
pub mod histogram;
pub mod holes;
pub mod hysteresis;
pub mod integral;
pub mod label;
pub mod laplacian;
pub mod level;
pub mod local_threshold;
pub mod median;
pub mod morphology;
pub mod multi_otsu;
pub mod nearest;
pub mod nms;
pub mod outline;
pub mod preview;
pub mod regions;
pub mod resize;
pub mod row;
pub mod sobel;
pub mod statistics;
mod stencil;
pub mod template;
pub mod threshold;
pub mod watershed;
mod window_sum;

pub use adaptive::{Adaptive, adaptive_threshold};
pub use band::Cancelled;
pub use box_blur::box_blur;
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
pub use hysteresis::hysteresis_threshold;
pub use laplacian::{laplacian, laplacian_of_gaussian};
pub use level::{level, level_of};
pub use local_threshold::local_threshold;
pub use median::median;
pub use morphology::{ElementShape, Morphology, MorphologyOp, morphology};
pub use multi_otsu::multi_otsu;
pub use resize::{Interpolation, Resize, resize};
pub use sobel::{Sobel, SobelOutput, sobel};
pub use threshold::{ThresholdType, threshold};
