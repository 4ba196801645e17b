//! Convolutional nets: tensors, layers with hand-written gradients, training.
//!
//! A net is an architecture file ([`arch`]) built into a graph of layers ([`Net`]) with weights in
//! safetensors files. Nothing here knows stages or pipelines; nothing here prints.
//!
//! The same bits come out for any number of threads: block sizes are constants, work is cut by
//! shapes, partial sums are added in a fixed order, and all randomness is a function of one seed
//! and of indices ([`Rng`]).
//!
//! ```
//! use lyncean::nn::layer::Mode;
//! use lyncean::nn::loss::{CrossEntropy, softmax, softmax_cross_entropy};
//! use lyncean::nn::optim::{Optimiser, Sgd};
//! use lyncean::nn::{Grads, Net, Param, Rng, Shape, Summary, SummaryRow, Tape, Tensor, arch, summary};
//!
//! let lenet: arch::Arch = arch::parse(&arch::builtin("lenet5").unwrap())?;
//! let Summary { rows, parameters, .. } = summary(&lenet)?;
//! let first: &SummaryRow = &rows[0];
//! assert_eq!((parameters, first.output.as_slice()), (61_706, [6, 28, 28].as_slice()));
//! let first: &arch::ArchLayer = &lenet.layers[0];
//! assert_eq!(first.kind.name, "conv2d");
//!
//! // A step of training on two pictures.
//! let mut net = Net::build(lenet, 1)?;
//! let x = Tensor::from_fn(Shape::new(&[2, 1, 28, 28])?, |i| (i % 7) as f32 / 7.0);
//! let (scores, tape): (Tensor, Tape) = net.record(&x, &Mode::training(Rng::new(1)))?;
//! let CrossEntropy { loss, gradient, .. } = softmax_cross_entropy(&scores, &[3, 8])?;
//! let grads: Grads = net.backward(&tape, gradient)?;
//! let rule = Sgd { momentum: 0.9, weight_decay: 0.0, nesterov: false };
//! Optimiser::new(rule).step(&mut net, &grads, 0.01)?;
//! assert!(softmax_cross_entropy(&net.forward(&x)?, &[3, 8])?.loss < loss);
//!
//! let likely = softmax(&net.forward(&x)?)?;
//! assert!((likely.sample(0).iter().sum::<f32>() - 1.0).abs() < 1e-5);
//! let weights: &Param = net.params().next().unwrap();
//! assert_eq!(weights.value.shape(), Shape::new(&[6, 1, 5, 5])?);
//! # Ok::<(), lyncean::Error>(())
//! ```

pub mod arch;
pub mod conv2d;
pub mod init;
pub mod input;
pub mod layer;
pub mod loss;
#[cfg(feature = "onnx")]
pub mod onnx;
pub mod optim;
pub mod text;
#[cfg(feature = "files")]
pub mod train;

mod direct;
mod frame;
mod graph;
mod half;
mod heads;
mod inference;
mod ngrams;
mod parallel;
mod param;
mod pixel_net;
mod rng;
mod room;
mod shape;
mod sliding;
mod summary;
mod tensor;
mod weights;
mod window;
mod winograd;

pub use graph::{Net, Tape};
pub(crate) use heads::{Heads, HeadsOver};
pub use inference::Inference;
pub use ngrams::Ngram;
pub use param::{Grads, Param};
pub use pixel_net::{PixelNet, Tiles};
pub use rng::Rng;
pub use room::Reuse;
pub use shape::Shape;
pub use sliding::Sliding;
pub use summary::{Summary, SummaryRow, summary};
pub use tensor::Tensor;
pub use weights::Precision;
pub use window::{Padding, Pair, Window};
