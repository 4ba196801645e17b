//! Whole-image algorithms: what a Rust user calls without any pipeline.
//!
//! This room owns allocation, parallelism and argument checks; the loops are in [`crate::kernel`].
//! Operations that look at a bounded window of rows are [row nodes](row::RowNode), so that one
//! definition serves as a free function here and as a member of a fused run in a pipeline.

pub mod adaptive;
pub mod arithmetic;
pub(crate) mod band;
pub mod box_blur;
pub mod canny;
pub mod cascade;
pub mod chain;
pub mod channel;
pub mod chart;
pub mod clahe;
pub mod colormap;
pub mod context;
pub mod contours;
pub mod convert;
pub mod convolve;
pub mod crop;
pub mod decode;
pub mod difference;
pub mod distance;
pub mod draw;
pub mod equalize;
pub mod excess;
pub mod flat_field;
pub mod gaussian;
pub mod gray;
pub mod histogram;
pub mod hog;
pub mod holes;
pub mod hysteresis;
pub mod integral;
pub mod label;
pub mod laplacian;
pub mod level;
pub mod linear;
pub mod local_threshold;
mod mask;
pub mod median;
pub mod morphology;
pub mod multi_otsu;
pub mod nearest;
pub mod nms;
pub mod normalize;
pub mod outline;
pub mod pad;
pub mod point;
pub mod preview;
pub mod regions;
pub mod resize;
pub mod resize_taps;
pub mod rolling_ball;
pub mod row;
pub mod sobel;
mod spare;
pub mod statistics;
mod stencil;
pub mod template;
pub mod threshold;
pub mod watershed;
mod window_sum;

pub use adaptive::{Adaptive, adaptive_threshold};
pub mod turn;
pub mod warp;

pub use arithmetic::{MaskApply, Operation, arithmetic, arithmetic_constant, mask_apply};
pub use band::Cancelled;
pub use box_blur::{BoxBlur, box_blur};
pub use canny::{Canny, canny};
pub use chain::{Chain, apply_chain};
pub use channel::channel;
pub use clahe::{Clahe, clahe};
pub use colormap::{Colormap, colormap};
pub use context::{Cancel, Context, Progress};
pub use convert::{Convert, convert};
pub use convolve::{Convolve, ConvolveOutput, convolve};
pub use crop::crop;
pub use difference::difference;
pub use equalize::equalize;
pub use flat_field::flat_field;
pub use gaussian::{Gaussian, gaussian};
pub use gray::gray;
pub use histogram::{Histogram, histogram, otsu_level};
pub use hog::{BlockNorm, Hog};
pub use hysteresis::{Hysteresis, hysteresis_threshold};
pub use label::Connectivity;
pub use laplacian::{Laplacian, LaplacianOfGaussian, laplacian, laplacian_of_gaussian};
pub use level::{FindLevel, level, level_of};
pub use local_threshold::{LocalThreshold, local_threshold};
pub use mask::{
    ClearBorder, FillHoles, Label, Labelled, MatchTemplate, RemoveSmall, clear_border, contours,
    distance_transform, fill_holes, hog, label, match_template, remove_small,
};
pub use median::{Median, median};
pub use morphology::{ElementShape, Morphology, MorphologyOp, morphology};
pub use multi_otsu::{MultiOtsu, multi_otsu};
pub use normalize::{Normalize, normalize};
pub use pad::{Pad, pad};
pub use point::{Gamma, gamma, invert};
pub use resize::{Interpolation, Resize, resize};
pub use rolling_ball::{RollingBall, rolling_ball};
pub use sobel::{Sobel, SobelOutput, sobel};
pub use threshold::{Threshold, ThresholdType, threshold};
pub use turn::{Turn, turn};
pub use warp::{Warp, warp_affine};
