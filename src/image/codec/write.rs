//! Whole images to files.

use std::io::{Cursor, Write};
use std::path::Path;

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::Format;
use super::stream::RowEncoder;
use super::stream::atomic::AtomicFile;
use crate::image::{Image, ImageType};
use crate::{Error, Result};

/// How hard PNG and TIFF are pressed. All are lossless.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Compression {
    /// Not at all.
    None,
    /// In little time. Floats stay as they are.
    #[default]
    Fast,
    /// As small as it gets, many times slower.
    Small,
}

/// How images are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteOptions {
    /// Quality of JPEG, 1 to 100. From 90 on colours keep their full resolution.
    pub quality: u8,
    /// Compression of PNG and TIFF.
    pub compression: Compression,
}

impl Default for WriteOptions {
    /// Quality 92, fast compression.
    fn default() -> Self {
        Self { quality: 92, compression: Compression::Fast }
    }
}

/// Whether images of type `ty` can be written as `format` with their true values.
///
/// | type | PNG | JPEG | TIFF |
/// |---|---|---|---|
/// | `gray8`, `rgb8` | yes | yes | yes |
/// | `gray16`, `rgb16` | yes | no | yes |
/// | `mask` | 8-bit gray | no | 8-bit gray |
/// | `labels` | 16-bit gray, up to 65535 | no | 32-bit |
/// | `gray-f32`, `rgb-f32` | no | no | yes |
/// | `gradient` | no | no | no: two planes are no picture |
///
/// Unsigned 32-bit TIFF is read by libtiff, tifffile and scikit-image, but not by OpenCV.
///
/// # Errors
/// [`Unsupported`](crate::ErrorKind::Unsupported), with what to do instead.
pub fn check_format(ty: ImageType, format: Format) -> Result<()> {
    use ImageType as T;
    let hint = match (format, ty) {
        (Format::Bmp | Format::Pnm | Format::Webp | Format::Gif, _) => {
            let message = format!("{format} is read, but not written");
            return Err(Error::unsupported(message).with_hint("write PNG, JPEG or TIFF"));
        }
        (_, T::GradientI16 | T::GradientF32) => {
            "write the magnitude, the direction or one derivative of the gradient"
        }
        (Format::Tiff, _) => return Ok(()),
        (Format::Png, T::GrayF32 | T::RgbF32) => "write TIFF, or put `to-u8` before it",
        (Format::Png, _) | (Format::Jpeg, T::Gray8 | T::Rgb8) => return Ok(()),
        (Format::Jpeg, T::Mask | T::Labels) => "JPEG changes values: write PNG or TIFF",
        (Format::Jpeg, T::Gray16 | T::Rgb16) => "write PNG or TIFF, or put `to-u8` before it",
        (Format::Jpeg, T::GrayF32 | T::RgbF32) => "write TIFF, or put `to-u8` before it",
    };
    Err(Error::unsupported(format!("{format} cannot hold a `{ty}` image")).with_hint(hint))
}

/// The bytes of a file with this image.
///
/// # Errors
/// As [`check_format`]; [`Shape`](crate::ErrorKind::Shape) for an image without pixels or too
/// large for the format; [`Unsupported`](crate::ErrorKind::Unsupported) for labels that do not
/// fit.
pub fn encode(image: &Image, format: Format, options: &WriteOptions) -> Result<Vec<u8>> {
    check_format(image.ty(), format)?;
    if format == Format::Jpeg {
        return jpeg(image, options.quality);
    }
    let out = Cursor::new(Vec::new());
    let encoder =
        RowEncoder::new(out, "memory", format, image.ty(), image.width(), image.height(), *options)?;
    Ok(rows(image, encoder)?.into_inner())
}

/// Writes an image to a file. Either the whole file appears under its name, or nothing changes.
///
/// # Errors
/// As [`encode`], and [`Io`](crate::ErrorKind::Io).
pub fn write(path: impl AsRef<Path>, image: &Image, format: Format, options: &WriteOptions) -> Result<()> {
    let path = path.as_ref();
    let name = path.display().to_string();
    let placed = |error: Error| error.within(format!("`{name}`"));
    check_format(image.ty(), format).map_err(placed)?;
    let mut file = AtomicFile::create(path)?;
    if format == Format::Jpeg {
        let bytes = jpeg(image, options.quality).map_err(placed)?;
        file.write_all(&bytes).map_err(|error| Error::io(&name, error))?;
    } else {
        let (width, height) = (image.width(), image.height());
        let encoder = RowEncoder::new(file, &name, format, image.ty(), width, height, *options)?;
        file = rows(image, encoder)?;
    }
    file.persist()
}

fn rows<W: Write + std::io::Seek + Send + 'static>(image: &Image, mut encoder: RowEncoder<W>) -> Result<W> {
    let row_bytes = image.width() * image.ty().pixel_size();
    for row in image.plane_bytes(0).chunks_exact(row_bytes) {
        encoder.write_row(row)?;
    }
    encoder.finish()
}

fn jpeg(image: &Image, quality: u8) -> Result<Vec<u8>> {
    let (width, height) = (image.width(), image.height());
    let (Ok(w @ 1..), Ok(h @ 1..)) = (u16::try_from(width), u16::try_from(height)) else {
        let message = format!("JPEG holds 1x1 to 65535x65535 pixels, got {width}x{height}");
        return Err(Error::shape(message).with_hint("write PNG or TIFF"));
    };
    let color = if image.ty().channels() == 3 { ColorType::Rgb } else { ColorType::Luma };
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, quality.clamp(1, 100));
    encoder.set_sampling_factor(if quality >= 90 {
        SamplingFactor::R_4_4_4
    } else {
        SamplingFactor::R_4_2_0
    });
    encoder
        .encode(image.plane_bytes(0), w, h, color)
        .map_err(|error| Error::new(crate::ErrorKind::Internal, format!("JPEG encoder: {error}")))?;
    Ok(out)
}
