//! Plain data: planes of pixels, typed images, borders and rectangles.
//!
//! Row-major, origin at the top left, [`Rect`] half-open. Width and height are of images, rows and
//! columns of matrices. No algorithm lives here; reading and writing files is in [`codec`].

mod alpha;
#[cfg(feature = "ndarray")]
mod array;
mod border;
#[cfg(feature = "files")]
pub mod builtin;
#[cfg(feature = "files")]
pub mod codec;
#[cfg(feature = "image")]
mod dynamic;
mod kind;
mod plane;
mod raw;
mod rect;
mod transform;

pub use border::{Border, BorderMode};
pub use kind::{Element, Gradient, Image, ImageType};
pub use plane::{Pixel, PixelOwner, Plane, View, ViewMut};
pub use raw::PixelFormat;
pub use rect::Rect;
pub use transform::Affine;
