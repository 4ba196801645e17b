//! The row encoders behind one face.

use std::io::{self, Seek, Write};

use super::png_rows::{LabelTooLarge, PngRows};
use crate::image::ImageType;
use crate::image::codec::tiff_write::TiffRows;
use crate::image::codec::{Format, WriteOptions, check_format};
use crate::{Error, Result};

/// Writes rows to `W` as PNG or TIFF.
pub(in super::super) struct RowEncoder<W: Write + 'static> {
    rows: Option<Rows<W>>,
    name: String,
    row_bytes: usize,
    left: usize,
    height: usize,
}

enum Rows<W: Write + 'static> {
    Png(Box<PngRows<W>>),
    Tiff(Box<TiffRows<W>>),
}

impl<W: Write + Seek + Send + 'static> RowEncoder<W> {
    /// An encoder for `height` rows of `width` pixels; `name` stands for the file in errors.
    pub(in super::super) fn new(
        out: W,
        name: &str,
        format: Format,
        ty: ImageType,
        width: usize,
        height: usize,
        options: WriteOptions,
    ) -> Result<Self> {
        check_format(ty, format).map_err(|error| error.within(format!("`{name}`")))?;
        // PNG has 31 bits for a size, and the bytes of a row must have an address.
        let most = i32::MAX as u32;
        let fits = |size: usize| u32::try_from(size).ok().filter(|size| (1..=most).contains(size));
        let row_bytes = width.checked_mul(ty.pixel_size());
        let (Some(w), Some(h), Some(row_bytes)) = (fits(width), fits(height), row_bytes) else {
            let message =
                format!("`{name}`: {format} holds 1x1 to {most}x{most} pixels, got {width}x{height}");
            return Err(Error::shape(message));
        };
        let compression = options.compression;
        let rows = match format {
            Format::Png => PngRows::new(out, ty, w, h, compression).map(|rows| Rows::Png(Box::new(rows))),
            Format::Tiff => TiffRows::new(out, ty, w, h, compression).map(|rows| Rows::Tiff(Box::new(rows))),
            _ => {
                let message = format!("`{name}`: {format} cannot be written row by row");
                return Err(Error::unsupported(message).with_hint("write PNG or TIFF"));
            }
        };
        let rows = rows.map_err(|error| failed(name, error))?;
        Ok(Self { rows: Some(rows), name: name.into(), row_bytes, left: height, height })
    }

    pub(in super::super) fn write_row(&mut self, row: &[u8]) -> Result<()> {
        if row.len() != self.row_bytes {
            let (name, wants, got) = (&self.name, self.row_bytes, row.len());
            return Err(Error::shape(format!("`{name}`: a row has {wants} bytes, got {got}")));
        }
        let Some(rows) = self.rows.as_mut().filter(|_| self.left > 0) else {
            let (name, height) = (&self.name, self.height);
            return Err(Error::shape(format!(
                "`{name}`: a row too many after {height}, or one after an error"
            )));
        };
        let result = match rows {
            Rows::Png(rows) => rows.write_row(row),
            Rows::Tiff(rows) => rows.write_row(row),
        };
        if let Err(error) = result {
            self.rows = None;
            return Err(failed(&self.name, error));
        }
        self.left -= 1;
        Ok(())
    }

    /// Ends the file after its last row.
    pub(in super::super) fn finish(mut self) -> Result<W> {
        let (name, height) = (&self.name, self.height);
        let Some(rows) = self.rows.take().filter(|_| self.left == 0) else {
            let got = height - self.left;
            return Err(Error::shape(format!("`{name}`: expected {height} rows, got {got}")));
        };
        let result = match rows {
            Rows::Png(rows) => rows.finish(),
            Rows::Tiff(rows) => rows.finish(),
        };
        result.map_err(|error| failed(name, error))
    }
}

fn failed(name: &str, error: io::Error) -> Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<LabelTooLarge>()) {
        Some(label) => Error::unsupported(format!("`{name}`: {label}, which is all that PNG has"))
            .with_hint("write TIFF, or filter the regions"),
        None => Error::io(name, error),
    }
}
