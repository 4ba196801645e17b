//! What most programs use: `use lyncean::prelude::*;`

pub use crate::document::{Resources, Source};
pub use crate::image::{Image, ImageType, PixelFormat, Plane};
pub use crate::ops::{Cancel, Context, Progress};
pub use crate::pipeline::{Loader, Pipeline, Results, RunOptions, Save, Session};
pub use crate::stage::{Class, Object};
pub use crate::{Error, ErrorKind};
