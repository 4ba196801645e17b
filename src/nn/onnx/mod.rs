//! Nets from and to ONNX files.
//!
//! [`export`] writes a net for ONNX Runtime and others. [`import`] reads the operators of convolutional
//! nets into layers of this crate, so that what comes out is a net like any other: it can be saved with
//! [`Net::to_safetensors`], trained further and printed. `docs/onnx.md` lists the operators, what each
//! becomes, and the limits.
//!
//! ```
//! use lyncean::nn::onnx::{ImportOptions, export, import};
//! use lyncean::nn::{Net, Shape, Tensor};
//!
//! let weights = lyncean::builtin::RESOURCES.iter().find(|(name, _)| *name == "lenet5").unwrap().1;
//! let net = Net::from_safetensors(weights)?;
//! let file: Vec<u8> = export(&net)?;
//! let again = import(&file, &ImportOptions::default())?;
//! let x = Tensor::from_fn(Shape::new(&[2, 1, 28, 28])?, |i| (i % 9) as f32 / 9.0);
//! assert_eq!(net.forward(&x)?, again.forward(&x)?);
//! # Ok::<(), lyncean::Error>(())
//! ```
//!
//! [`Net::to_safetensors`]: super::Net::to_safetensors

mod export;
mod external;
mod import;
mod proto;

pub use export::export;
pub use external::external_files;
pub(crate) use import::output_names;
pub use import::{ImportOptions, import};

/// Where a file keeps what is subtracted from the values of a picture, what they are divided by, and the
/// names of the outputs: entries of the metadata, as JSON.
const METADATA: [&str; 3] = ["lyncean.mean", "lyncean.std", "lyncean.classes"];
