//! Losses: what training makes small.
//!
//! ```
//! use lyncean::nn::loss::{
//!     CrossEntropyOptions, Measured, binary_cross_entropy, cross_entropy, mean_absolute_error, mean_squared_error,
//! };
//! use lyncean::nn::{Shape, Tensor};
//!
//! let shape = Shape::new(&[1, 2])?;
//! let y = Tensor::from_vec(shape, vec![0.0, 2.0])?;
//! let t = Tensor::from_vec(shape, vec![0.0, 1.0])?;
//! let Measured { loss, gradient, correct } = mean_squared_error(&y, &t)?;
//! assert_eq!((loss, gradient.data(), correct), (0.5, [0.0, 1.0].as_slice(), None));
//! assert_eq!(mean_absolute_error(&y, &t)?.loss, 0.5);
//! assert!((binary_cross_entropy(&y, &t)?.loss - 0.410037595).abs() < 1e-6);
//! let smooth = CrossEntropyOptions { smoothing: 0.1, weights: Vec::new() };
//! assert_eq!(cross_entropy(&y, &[1], &smooth)?.correct, Some(1));
//! # Ok::<(), lyncean::Error>(())
//! ```

mod cross_entropy;
mod dice;
mod pixels;
mod softmax_cross_entropy;
mod values;

pub use cross_entropy::{CrossEntropyOptions, cross_entropy};
pub use dice::dice_loss;
#[cfg(feature = "files")]
pub(super) use pixels::count_pixels;
pub use pixels::{IGNORED, pixel_cross_entropy};
pub(super) use softmax_cross_entropy::first_largest;
pub use softmax_cross_entropy::{CrossEntropy, softmax, softmax_cross_entropy};
pub use values::{binary_cross_entropy, mean_absolute_error, mean_squared_error};

use super::Tensor;

/// What a loss gives.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The loss.
    pub loss: f64,
    /// Samples that are right, for losses of classes; pixels for [`pixel_cross_entropy`] and [`dice_loss`].
    pub correct: Option<usize>,
    /// The gradient of the loss for the output.
    pub gradient: Tensor,
}
