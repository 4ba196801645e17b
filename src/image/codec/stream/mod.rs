//! Pictures row by row, for those larger than memory.
//!
//! A [`RowReader`] and a [`RowWriter`] hold a few rows, or a strip, whatever the height of the
//! picture. Both speak the bytes of [`ImageType`](crate::image::ImageType) rows in the native order.

pub(super) mod atomic;
mod encoder;
mod mask_deflate;
mod png_rows;
mod reader;
mod sink;
mod strips;
mod writer;

pub(super) use encoder::RowEncoder;
pub use reader::RowReader;
pub use writer::RowWriter;
