//! Computer vision as pipelines: every step a stage, every chain of stages a small TOML file, every
//! classical method beside its learned rival. This page is on the library in a program; the README has the
//! command line and the list of stages.
//!
//! # A pipeline
//!
//! ```
//! use lyncean::prelude::*;
//!
//! let pipeline = Pipeline::from_toml(
//!     r#"
//!     version = 1
//!
//!     [[stage]]
//!     use = "gaussian-blur"
//!     sigma = 1.2
//!
//!     [[stage]]
//!     use = "threshold"
//!     method = "otsu"
//!
//!     [[stage]]
//!     use = "label"
//!     min-area = 20
//!     "#,
//! )?;
//!
//! // Two bright squares on a dark ground.
//! let bright = |x: usize, y: usize| y.abs_diff(20) < 6 && (x.abs_diff(15) < 6 || x.abs_diff(45) < 6);
//! let image = Image::Gray8(Plane::from_fn(60, 40, |x, y| if bright(x, y) { 220 } else { 30 }));
//!
//! let results = pipeline.run(&image)?;
//! assert_eq!(results.objects("label")?.len(), 2);
//! assert!(results.measure("threshold", "level")? < 220.0);
//! assert_eq!(results.output().map(|image| image.ty()), Some(ImageType::Labels));
//! # Ok::<(), lyncean::Error>(())
//! ```
//!
//! A pipeline is checked when it is loaded: names, ranges, which outputs fit which inputs. What is wrong is
//! told with line, column and a hint. [`Results`](pipeline::Results) are read by the names of stages; an
//! error there names what there is. Images between stages are kept where
//! [`RunOptions::save`](pipeline::RunOptions::save) asks for them.
//!
//! # Pixels in and out
//!
//! - [`Image::decode`](image::Image) reads the bytes of a PNG, JPEG, TIFF, BMP, PNM, WebP or GIF, upright.
//! - [`Image::from_raw`](image::Image::from_raw) reads a buffer in RGB, BGR, RGBA, BGRA or gray, of 8 or 16 bit
//!   or floats, whose rows lie a stride apart; [`update_from_raw`](image::Image::update_from_raw) does so in
//!   the memory of the frame before.
//! - [`Plane::from_vec`](image::Plane::from_vec) takes pixels as they are; the features `image` and `ndarray`
//!   convert from and to the types of those crates, in the same memory.
//!
//! # One operation
//!
//! Every operation is a function of an image, a struct of parameters, and a [`Context`](ops::Context):
//!
//! ```
//! use lyncean::ops::{self, Threshold};
//! use lyncean::prelude::*;
//!
//! let image = Image::Gray8(Plane::from_vec(3, 1, vec![10, 120, 250])?);
//! let params = Threshold { level: 100.0, ..Default::default() };
//! let mask = ops::threshold(&image, &params, &Context::default())?;
//! assert_eq!(mask.as_gray8()?.as_slice(), [0, 255, 255]);
//! # Ok::<(), lyncean::Error>(())
//! ```
//!
//! # An own stage
//!
//! A struct of parameters, `impl Stage`, and a [`Kind`](stage::Kind) that names both; then
//! [`Loader::with_kinds`](pipeline::Loader::with_kinds). A stage from a closure over pixels fuses with its
//! neighbours as those of the crate do.
//!
//! ```
//! use lyncean::prelude::*;
//! use lyncean::stage::{Family, Kind, Lowering, Output, Port, PortType, Stage, ValueId, types};
//!
//! /// Makes all darker.
//! #[derive(serde::Deserialize, schemars::JsonSchema)]
//! struct Darken {
//!     /// What is taken away.
//!     by: u8,
//! }
//!
//! impl Stage for Darken {
//!     fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
//!         Ok(vec![("image", inputs[0])])
//!     }
//!
//!     fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>, Error> {
//!         let by = self.by;
//!         let map = move |value: u8| value.saturating_sub(by);
//!         Ok(vec![graph.map_pixels("darken", inputs[0], ImageType::Gray8, map)?])
//!     }
//! }
//!
//! const IN: &[Port] = &[Port::new("image", &[types::GRAY8])];
//! static DARKEN: Kind = Kind::new::<Darken>("darken", Family::Points, IN, "use = \"darken\"\nby = 9");
//!
//! let text = "version = 1\n[[stage]]\nuse = \"darken\"\nby = 30";
//! let pipeline = Loader::new().with_kinds(&[&DARKEN]).parse(Source::new("own", text))?;
//! let results = pipeline.run(&Image::Gray8(Plane::filled(2, 2, 100)))?;
//! assert_eq!(results.output().map(|image| image.plane_bytes(0)[0]), Some(70));
//! # Ok::<(), lyncean::Error>(())
//! ```
//!
//! # Threads, loops and stopping
//!
//! - [`Pipeline::run`](pipeline::Pipeline::run) takes `&self`: one pipeline serves any number of threads.
//! - [`Context::with_threads`](ops::Context::with_threads) lets one image use several threads of the rayon
//!   pool that the call comes from. The library starts none, and the results are the same bits for any
//!   number.
//! - A loop over frames of one size is a [`Session`](pipeline::Session): once it is warm, next to nothing is allocated.
//! - [`Cancel`](ops::Cancel) stops a run from any thread or at an hour, between rows, bands and steps;
//!   [`Context::with_progress`](ops::Context::with_progress) tells how far it is.
//! - Models, cascades and templates come from bytes with [`Loader::give`](pipeline::Loader::give), or as pixels
//!   with [`Loader::give_picture`](pipeline::Loader::give_picture).
//!
//! `examples/` has a program of at most 40 lines for each of these.
//!
//! # Features
//!
//! | feature | brings | crates with it alone |
//! |---|---|---|
//! | none | pipelines from texts, all stages and operations, nets | 48 |
//! | `parallel` | several threads, on the caller's rayon pool | 54 |
//! | `files` | codecs, files, folders, training runs, caches | 80 |
//! | `onnx` | nets from and to ONNX files | 55 |
//! | `image` | from and to `image::DynamicImage` | 53 |
//! | `ndarray` | from and to arrays of `ndarray` | 54 |
//! | `cli` (default) | the command line; `files`, `onnx` and `parallel` | 122 |
//!
//! # The rooms
//!
//! From the bottom up; an arrow only ever points down:
//!
//! - [`image`]: planes of pixels, borders, files; [`document`]: TOML with spans, diagnostics,
//!   resources; [`error`]: the one error type.
//! - [`kernel`]: hot loops over rows; [`mod@reference`]: the same names, slow and obvious.
//! - [`ops`]: whole-image algorithms; [`nn`]: tensors, layers, training.
//! - [`stage`]: the declarative wrappers that pipelines are made of.
//! - [`pipeline`]: files to a checked graph, to a plan, to results; [`eval`]: datasets, metrics.

pub mod builtin;
#[cfg(feature = "cli")]
pub mod cli;
pub mod document;
pub mod error;
pub mod eval;
pub mod image;
pub mod kernel;
pub mod nn;
pub mod ops;
mod parallel;
pub mod pipeline;
pub mod prelude;
mod random;
pub mod reference;
pub mod stage;

pub use error::{Error, ErrorKind, Result};
