//! Convolutional nets: tensors, layers with hand-written gradients, training.
//!
//! A net is an architecture file ([`arch`]) built into a graph of layers ([`Net`]) with weights in
//! safetensors files. Nothing here knows stages or pipelines; nothing here prints.
//!
//! The same bits come out for any number of threads: block sizes are constants, work is cut by
//! shapes, partial sums are added in a fixed order, and all randomness is a function of one seed
//! and of indices ([`Rng`]).

pub mod arch;
pub mod conv2d;
pub mod init;
pub mod input;
pub mod layer;
pub mod loss;
pub mod optim;
#[cfg(feature = "files")]
pub mod train;

mod graph;
mod parallel;
mod param;
mod rng;
mod shape;
mod summary;
mod tensor;
mod weights;
mod window;

pub use graph::{Net, Tape};
pub use param::{Grads, Param};
pub use rng::Rng;
pub use shape::Shape;
pub use summary::{Summary, SummaryRow, summary};
pub use tensor::Tensor;
pub use window::{Padding, Pair, Window};
