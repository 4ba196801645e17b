//! JPEG, in its colours or as the luma it stores.

use std::io::{BufRead, Seek};

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::{ZByteReaderTrait, ZCursor};
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::jpeg::{self, Scans};
use super::{Decode, Format, Orientation, Picture, ReadOptions, Source, fail, pixels};
use crate::Result;
use crate::image::ImageType;

/// What the decoder is asked for where luma and chroma are stored.
#[derive(Clone, Copy)]
enum Wanted {
    Colors,
    Luma,
    /// Luma and chroma, of which the luma is kept.
    LumaOfAll,
}

/// The picture in the bytes of a file.
pub(super) fn read(bytes: &[u8], name: &str, options: &ReadOptions<'_>) -> Result<Picture> {
    let scans = jpeg::scans(bytes);
    if scans == Scans::ApartAndUneven {
        // zune-jpeg 0.5 mixes up their rows.
        return Err(fail::unread(name, Format::Jpeg, "smaller planes of colour, each in a scan of its own"));
    }
    // Asked for luma alone, it does the same where chroma of a progressive file has half the height.
    let wanted = match options.decode {
        Decode::Stored => Wanted::Colors,
        Decode::Luma if scans == Scans::One => Wanted::Luma,
        Decode::Luma => Wanted::LumaOfAll,
    };
    let (mut decoder, source) = open(ZCursor::new(bytes), name, wanted)?;
    let has_colors = decoder.output_colorspace() == Some(ColorSpace::YCbCr);
    options.limits.check(&source, name)?;
    let mut decode = |out: &mut [u8]| decoder.decode_into(out).map_err(|error| fail::from_jpeg(name, error));
    pixels::assemble_in(options.new_image(), source, |out| {
        // Of a damaged file the decoder may leave parts out: never show what was there before.
        out.fill(0);
        if !has_colors {
            return decode(out);
        }
        let mut planes = vec![[0; 3]; out.len()];
        decode(planes.as_flattened_mut())?;
        out.iter_mut().zip(&planes).for_each(|(value, [luma, ..])| *value = *luma);
        Ok(())
    })
}

/// The header of a file.
pub(super) fn probe<R: BufRead + Seek>(reader: R, name: &str) -> Result<Source> {
    Ok(open(reader, name, Wanted::Colors)?.1)
}

/// A decoder behind the headers, with what the file says.
fn open<T: ZByteReaderTrait>(reader: T, name: &str, wanted: Wanted) -> Result<(JpegDecoder<T>, Source)> {
    // The sizes of pictures are checked here, with better words.
    let options =
        DecoderOptions::default().set_strict_mode(false).set_max_width(usize::MAX).set_max_height(usize::MAX);
    let mut decoder = JpegDecoder::new_with_options(reader, options);
    decoder.decode_headers().map_err(|error| fail::from_jpeg(name, error))?;
    let stored = decoder.input_colorspace().unwrap_or(ColorSpace::Unknown);
    let colors = match (stored, wanted) {
        (ColorSpace::Luma, _) => ColorSpace::Luma,
        (ColorSpace::YCbCr, Wanted::Luma) => ColorSpace::Luma,
        (ColorSpace::YCbCr, Wanted::LumaOfAll) => ColorSpace::YCbCr,
        _ => ColorSpace::RGB,
    };
    decoder.set_options(options.jpeg_set_out_colorspace(colors));
    let (mut width, mut height) = decoder.dimensions().unwrap_or_default();
    if width == 0 || height == 0 {
        let words = format_args!("a picture of {width}x{height}");
        return Err(fail::broken(name, Format::Jpeg, words));
    }
    // Metadata that cannot be read turns nothing: the pixels are still good.
    let turn = decoder.exif().and_then(|exif| image::metadata::Orientation::from_exif_chunk(exif));
    let orientation = Orientation::from_exif(turn.map_or(1, |turn| turn.to_exif().into()));
    if orientation.swaps_axes() {
        (width, height) = (height, width);
    }
    let source = Source {
        format: Format::Jpeg,
        width,
        height,
        ty: if colors == ColorSpace::RGB { ImageType::Rgb8 } else { ImageType::Gray8 },
        bits: 8,
        channels: stored.num_components(),
        alpha: false,
        orientation,
    };
    Ok((decoder, source))
}
