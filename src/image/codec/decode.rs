//! BMP, PNM, WebP and GIF, through the decoders of the `image` crate.

use std::io::{BufRead, Cursor, Seek};

use image::codecs::{bmp::BmpDecoder, gif::GifDecoder, pnm::PnmDecoder, webp::WebPDecoder};
use image::{ColorType, ImageDecoder, ImageResult};

use super::{Format, Limits, Orientation, Picture, Source, fail, pixels};
use crate::Result;
use crate::image::ImageType;

/// A decoder, and whether the colours it delivers are all gray, as those of most 8-bit BMPs.
struct Decoder<'a> {
    inner: Box<dyn ImageDecoder + 'a>,
    gray: bool,
}

/// The picture in the bytes of a file.
pub(super) fn read(bytes: &[u8], name: &str, format: Format, limits: &Limits) -> Result<Picture> {
    let wrong = |error| fail::from_image(name, format, error);
    let mut decoder = open(Cursor::new(bytes), format, limits).map_err(wrong)?;
    let source = source(&mut decoder, name, format)?;
    limits.check(&source, name)?;
    let Decoder { inner, gray } = decoder;
    pixels::assemble(source, |out| {
        if !gray {
            return inner.read_image(out).map_err(wrong);
        }
        let mut colors = vec![[0u8; 3]; out.len()];
        inner.read_image(colors.as_flattened_mut()).map_err(wrong)?;
        out.iter_mut().zip(&colors).for_each(|(value, &[red, ..])| *value = red);
        Ok(())
    })
}

/// The header of a file.
pub(super) fn probe<R: BufRead + Seek>(reader: R, name: &str, format: Format) -> Result<Source> {
    let limits = Limits::default();
    let mut decoder = open(reader, format, &limits).map_err(|error| fail::from_image(name, format, error))?;
    source(&mut decoder, name, format)
}

fn open<'a, R: BufRead + Seek + 'a>(reader: R, format: Format, limits: &Limits) -> ImageResult<Decoder<'a>> {
    let mut gray = false;
    let mut inner: Box<dyn ImageDecoder> = match format {
        Format::Bmp => {
            let decoder = BmpDecoder::new(reader)?;
            let palette = decoder.get_palette();
            gray = palette.is_some_and(|colors| colors.iter().all(|[r, g, b]| r == g && g == b))
                && decoder.color_type() == ColorType::Rgb8;
            Box::new(decoder)
        }
        Format::Webp => Box::new(WebPDecoder::new(reader)?),
        Format::Gif => Box::new(GifDecoder::new(reader)?),
        Format::Png | Format::Jpeg | Format::Tiff | Format::Pnm => Box::new(PnmDecoder::new(reader)?),
    };
    // The sizes of pictures are checked here, with better words; this bounds what else a file may ask for.
    let mut bounds = image::Limits::no_limits();
    bounds.max_alloc = Some(limits.max_bytes);
    inner.set_limits(bounds)?;
    Ok(Decoder { inner, gray })
}

fn source(decoder: &mut Decoder<'_>, name: &str, format: Format) -> Result<Source> {
    let gray = decoder.gray;
    let decoder = &mut decoder.inner;
    let (width, height) = decoder.dimensions();
    let (mut width, mut height) = (fail::size(width, name, format)?, fail::size(height, name, format)?);
    if width == 0 || height == 0 {
        return Err(fail::broken(name, format, format_args!("a picture of {width}x{height}")));
    }
    let (ty, alpha) = match decoder.color_type() {
        ColorType::Rgb8 if gray => (ImageType::Gray8, false),
        ColorType::L8 => (ImageType::Gray8, false),
        ColorType::La8 => (ImageType::Gray8, true),
        ColorType::Rgb8 => (ImageType::Rgb8, false),
        ColorType::Rgba8 => (ImageType::Rgb8, true),
        ColorType::L16 => (ImageType::Gray16, false),
        ColorType::La16 => (ImageType::Gray16, true),
        ColorType::Rgb16 => (ImageType::Rgb16, false),
        ColorType::Rgba16 => (ImageType::Rgb16, true),
        ColorType::Rgb32F => (ImageType::RgbF32, false),
        ColorType::Rgba32F => (ImageType::RgbF32, true),
        other => return Err(fail::unread(name, format, format_args!("pixels of type {other:?}"))),
    };
    let stored = decoder.original_color_type();
    let bits = u32::from(stored.bits_per_pixel() / u16::from(stored.channel_count()).max(1));
    let channels = if gray { 1 } else { usize::from(stored.channel_count()) };
    // Metadata that cannot be read turns nothing: the pixels are still good.
    let turn = decoder.orientation().map_or(1, image::metadata::Orientation::to_exif);
    let orientation = Orientation::from_exif(u16::from(turn));
    if orientation.swaps_axes() {
        (width, height) = (height, width);
    }
    Ok(Source { format, width, height, ty, bits, channels, alpha, orientation })
}
