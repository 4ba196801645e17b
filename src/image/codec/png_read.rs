//! PNG, whole or row by row.

use std::io::{BufRead, Seek};

use png::{BitDepth, ColorType, Decoder, Reader, Transformations};

use super::{Format, Limits, Orientation, Picture, ReadOptions, Source, fail, pixels};
use crate::Result;
use crate::image::{Element, ImageType};

/// The picture of a file. The first one, if it is animated.
pub(super) fn read<R: BufRead + Seek>(reader: R, name: &str, options: &ReadOptions<'_>) -> Result<Picture> {
    let (mut reader, source) = open(reader, name, &options.limits)?;
    options.limits.check(&source, name)?;
    pixels::assemble_in(options.new_image(), source, |out| {
        reader.next_frame(out).map_err(|error| fail::from_png(name, error))?;
        native_order(out, source.ty);
        Ok(())
    })
}

/// The header of a file.
pub(super) fn probe<R: BufRead + Seek>(reader: R, name: &str) -> Result<Source> {
    Ok(open(reader, name, &Limits::default())?.1)
}

/// A reader before the first row, with what the file says.
pub(super) fn open<R: BufRead + Seek>(reader: R, name: &str, limits: &Limits) -> Result<(Reader<R>, Source)> {
    let most = usize::try_from(limits.max_bytes).unwrap_or(usize::MAX);
    let mut decoder = Decoder::new_with_limits(reader, png::Limits { bytes: most });
    // Palettes to colours, few bits to eight, a transparent colour to alpha.
    decoder.set_transformations(Transformations::EXPAND);
    let reader = decoder.read_info().map_err(|error| fail::from_png(name, error))?;
    let (color, depth) = reader.output_color_type();
    let alpha = matches!(color, ColorType::GrayscaleAlpha | ColorType::Rgba);
    let gray = matches!(color, ColorType::Grayscale | ColorType::GrayscaleAlpha);
    let ty = match (depth, gray) {
        (BitDepth::Sixteen, true) => ImageType::Gray16,
        (BitDepth::Sixteen, false) => ImageType::Rgb16,
        (_, true) => ImageType::Gray8,
        (_, false) => ImageType::Rgb8,
    };
    let info = reader.info();
    let turn = info.exif_metadata.as_deref().and_then(image::metadata::Orientation::from_exif_chunk);
    let orientation = Orientation::from_exif(turn.map_or(1, |turn| turn.to_exif().into()));
    let mut width = fail::size(info.width, name, Format::Png)?;
    let mut height = fail::size(info.height, name, Format::Png)?;
    if orientation.swaps_axes() {
        (width, height) = (height, width);
    }
    let source = Source {
        format: Format::Png,
        width,
        height,
        ty,
        bits: if info.color_type == ColorType::Indexed { 8 } else { u32::from(info.bit_depth as u8) },
        channels: ty.channels() + usize::from(alpha),
        alpha,
        orientation,
    };
    Ok((reader, source))
}

/// From the big-endian order of PNG.
pub(super) fn native_order(samples: &mut [u8], ty: ImageType) {
    if ty.element() == Element::U16 {
        for value in samples.as_chunks_mut().0 {
            *value = u16::from_be_bytes(*value).to_ne_bytes();
        }
    }
}
