//! Rows from a file.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use super::strips::Strips;
use crate::image::ImageType;
use crate::image::codec::{self, Format, Limits, Orientation, Source, fail, guard, png_read, sniff};
use crate::{Error, Result};

pub(super) type Input = BufReader<File>;

/// Reads a PNG or TIFF row by row, in memory that does not grow with its height.
///
/// Rows are exactly those of [`codec::read`].
pub struct RowReader {
    source: Source,
    name: String,
    next: usize,
    /// `None` after an error: a decoder is not asked again.
    rows: Option<Rows>,
}

enum Rows {
    Png(Box<png::Reader<Input>>),
    Tiff(Box<Strips>),
}

impl RowReader {
    /// A reader at the first row, or `None` for a picture that cannot be streamed: formats other
    /// than PNG and TIFF, interlaced, tiled or planar ones, those with alpha or on their side, TIFF
    /// samples that need conversion, compressed strips of more than 16 MiB.
    ///
    /// # Errors
    /// As [`codec::read`], as far as the header shows it.
    pub fn open(path: impl AsRef<Path>, limits: &Limits) -> Result<Option<Self>> {
        Self::open_page(path, limits, None)
    }

    /// As [`open`](Self::open), for one of the pictures in a file, counted from 0.
    ///
    /// # Errors
    /// As [`codec::read_page`].
    pub fn open_page(path: impl AsRef<Path>, limits: &Limits, page: Option<usize>) -> Result<Option<Self>> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let mut input = BufReader::with_capacity(1 << 16, codec::open(path, &name)?);
        let format = sniff::expect_reader(&mut input, &name)?;
        let opened = guard::run(&name, format, || match format {
            Format::Tiff => Ok(Strips::open(input, &name, limits, page)?
                .map(|(strips, source)| (Rows::Tiff(Box::new(strips)), source))),
            _ if page.is_some_and(|page| page > 0) => Err(codec::only_one(&name, format)),
            Format::Png => open_png(input, &name, limits),
            _ => Ok(None),
        })?;
        let Some((rows, source)) = opened else { return Ok(None) };
        limits.check(&source, &name)?;
        Ok(Some(Self { source, name, next: 0, rows: Some(rows) }))
    }

    /// What the file says about its picture.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Reads the next row into `width * ty.pixel_size()` bytes, in the native order.
    ///
    /// # Errors
    /// [`Input`](crate::ErrorKind::Input) for a broken or cut-off file, with the last row at the
    /// latest; [`Io`](crate::ErrorKind::Io); [`Shape`](crate::ErrorKind::Shape) for `out` of
    /// another length, after the last row, or after an error.
    pub fn next_row(&mut self, out: &mut [u8]) -> Result<()> {
        let Source { width, height, ty, format, .. } = self.source;
        let wants = width * ty.pixel_size();
        let name = self.name.as_str();
        if out.len() != wants {
            let got = out.len();
            return Err(Error::shape(format!("`{name}`: a row has {wants} bytes, got room for {got}")));
        }
        let Some(rows) = self.rows.as_mut().filter(|_| self.next < height) else {
            return Err(Error::shape(format!("`{name}`: no row after {height}, and none after an error")));
        };
        let y = self.next;
        self.next += 1;
        let result = guard::run(name, format, || match rows {
            Rows::Png(reader) => png_row(reader, ty, y + 1 == height, name, out),
            Rows::Tiff(strips) => strips.row(y, name, out),
        });
        if result.is_err() {
            self.rows = None;
        }
        result
    }
}

fn open_png(input: Input, name: &str, limits: &Limits) -> Result<Option<(Rows, Source)>> {
    let (reader, source) = png_read::open(input, name, limits)?;
    if reader.info().interlaced || source.alpha || source.orientation != Orientation::Upright {
        return Ok(None);
    }
    Ok(Some((Rows::Png(Box::new(reader)), source)))
}

fn png_row(
    reader: &mut png::Reader<Input>,
    ty: ImageType,
    last: bool,
    name: &str,
    out: &mut [u8],
) -> Result<()> {
    let wrong = |error| fail::from_png(name, error);
    if reader.read_row(out).map_err(wrong)?.is_none() {
        return Err(fail::cut_off(name, Format::Png));
    }
    png_read::native_order(out, ty);
    if last {
        // Only a file that reaches to its end chunk is whole.
        reader.finish().map_err(wrong)?;
    }
    Ok(())
}
