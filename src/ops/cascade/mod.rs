//! Object detection with a boosted cascade of Haar features (Viola and Jones, 2001; tilted features
//! after Lienhart and Maydt, 2002) or local binary patterns (Liao et al., 2007).
//!
//! A [`Cascade`] is the *model form*: features in pixels of the training window, independent of any
//! image. [`Cascade::detect`] walks a ladder of scales; for each it shrinks the picture, builds
//! integral images and bakes the model into a *run form* whose features are offsets into them.
//!
//! Windows and grouped boxes are those of OpenCV 4.14's `CascadeClassifier::detectMultiScale` with
//! its IPP path off, as sets. The order of what is returned is ours and fixed: by top edge, left
//! edge, width, height. [`train`] learns cascades, [`Cascade::to_xml`] writes them.
//!
//! ```no_run
//! use lyncean::image::Plane;
//! use lyncean::ops::cascade::{Cascade, Params};
//!
//! # fn main() -> lyncean::Result<()> {
//! # let bytes = Vec::new();
//! let cascade = Cascade::from_bytes(&bytes)?;
//! let portrait = Plane::<u8>::new(512, 512);
//! let faces = cascade.detect(portrait.view(), &Params::default())?;
//! // What it takes for one in a single window, too.
//! let doubtful = cascade.detect_groups(portrait.view(), &Params::default())?;
//! assert!(doubtful.len() >= faces.len());
//! // Why is there one, or none?
//! let why = cascade.explain(portrait.view(), faces[0].rect, false)?;
//! let picture = why.draw(&cascade, portrait.view(), 6)?;
//! # Ok(())
//! # }
//! ```

mod calibrate;
mod eval;
mod explain;
mod group;
mod layout;
mod model;
mod pyramid;
mod scan;
pub mod train;
mod write;
mod xml;

pub use eval::{Verdict, Windows};
pub use explain::{Answer, Explanation, StageVote, WeakVote};
pub use model::{
    Branch, Calibration, Cascade, Feature, FeatureRect, Features, Node, PatternBlock, Question, Stage, Tree,
};
pub use scan::{Detection, Params};
