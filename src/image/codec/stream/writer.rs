//! Rows to a file.

use std::path::Path;

use super::atomic::AtomicFile;
use super::encoder::RowEncoder;
use crate::Result;
use crate::image::ImageType;
use crate::image::codec::{Format, WriteOptions};

/// Writes a PNG or TIFF row by row, in memory that does not grow with its height.
///
/// The file appears under its name with [`finish`](Self::finish); dropped before, it vanishes.
/// TIFF files of more than 4 GiB become BigTIFF.
///
/// ```
/// use lyncean::image::ImageType;
/// use lyncean::image::codec::stream::{RowReader, RowWriter};
/// use lyncean::image::codec::{Format, Limits, WriteOptions};
///
/// let folder = tempfile::tempdir().unwrap();
/// let path = folder.path().join("rows.png");
/// let mut writer = RowWriter::create(&path, Format::Png, ImageType::Gray8, 3, 2, &WriteOptions::default())?;
/// writer.write_row(&[1, 2, 3])?;
/// writer.write_row(&[4, 5, 6])?;
/// writer.finish()?;
/// let mut reader = RowReader::open(&path, &Limits::NONE)?.unwrap();
/// let mut row = vec![0; 3];
/// reader.next_row(&mut row)?;
/// reader.next_row(&mut row)?;
/// assert_eq!(row, [4, 5, 6]);
/// # Ok::<(), lyncean::Error>(())
/// ```
pub struct RowWriter(RowEncoder<AtomicFile>);

impl RowWriter {
    /// A writer for `height` rows of `width` pixels.
    ///
    /// # Errors
    /// As [`check_format`](crate::image::codec::check_format);
    /// [`Unsupported`](crate::ErrorKind::Unsupported) for JPEG;
    /// [`Shape`](crate::ErrorKind::Shape) for a size of zero or over 31 bits;
    /// [`Io`](crate::ErrorKind::Io).
    pub fn create(
        path: impl AsRef<Path>,
        format: Format,
        ty: ImageType,
        width: usize,
        height: usize,
        options: &WriteOptions,
    ) -> Result<Self> {
        let path = path.as_ref();
        let file = AtomicFile::create(path)?;
        let name = path.display().to_string();
        Ok(Self(RowEncoder::new(file, &name, format, ty, width, height, *options)?))
    }

    /// Writes the next row: `width * ty.pixel_size()` bytes in the native order.
    ///
    /// # Errors
    /// [`Io`](crate::ErrorKind::Io); [`Shape`](crate::ErrorKind::Shape) for a row of another
    /// length or one too many; [`Unsupported`](crate::ErrorKind::Unsupported) for labels over
    /// 65535 in a PNG.
    pub fn write_row(&mut self, row: &[u8]) -> Result<()> {
        self.0.write_row(row)
    }

    /// Ends the file and moves it to its place.
    ///
    /// # Errors
    /// [`Io`](crate::ErrorKind::Io); [`Shape`](crate::ErrorKind::Shape) when rows are missing.
    pub fn finish(self) -> Result<()> {
        self.0.finish()?.persist()
    }
}
