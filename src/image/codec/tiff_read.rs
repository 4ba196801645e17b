//! TIFF, whose sample formats go beyond what the `image` crate reads.

use std::io::{Read, Seek};
use std::sync::Arc;

use tiff::ColorType;
use tiff::decoder::{BufferLayoutPreference, Decoder, Limits as TiffLimits};
use tiff::tags::{SampleFormat, Tag};

use super::tiff_disguise::{Disguise, unpacked};
use super::{Format, Limits, Orientation, Picture, Source, fail, pixels};
use crate::image::ImageType;
use crate::{Error, Result};

/// How stored samples become channels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Samples {
    /// As they are.
    Plain,
    /// Scaled from 1, 2 or 4 bits to 8.
    Bits(u8),
    Int8,
    Int16,
    Half,
    Double,
    Cmyk8,
    Cmyk16,
    YCbCr8,
    /// Numbers of so many bits that are colours of a palette, `width` of them a row.
    Palette {
        colors: Arc<[[u8; 3]]>,
        bits: u32,
        width: usize,
    },
    /// Numbers of 9 to 15 bits without gaps, `length` of them a row; `top` less each where 0 is white.
    Packed {
        bits: u32,
        length: usize,
        inverted: bool,
    },
}

/// A decoder that reads through a [`Disguise`].
pub(super) type TiffDecoder<R> = Decoder<Disguise<R>>;

/// The picture of a file.
pub(super) fn read<R: Read + Seek>(
    reader: R,
    name: &str,
    limits: &Limits,
    page: Option<usize>,
) -> Result<Picture> {
    let (mut decoder, source, samples) = open(reader, name, limits, page)?;
    limits.check(&source, name)?;
    pixels::assemble(source, |out| fill(&mut decoder, &source, &samples, limits, name, out))
}

/// The header of a file, or of one of its pages.
pub(super) fn probe<R: Read + Seek>(reader: R, name: &str, page: Option<usize>) -> Result<Source> {
    Ok(open(reader, name, &Limits::default(), page)?.1)
}

/// How many pages a file has.
pub(super) fn count_pages<R: Read + Seek>(reader: R, name: &str) -> Result<usize> {
    let wrong = |error| fail::from_tiff(name, error);
    let mut decoder = start(reader, name, &Limits::default())?;
    Ok(pages(&mut decoder).map_err(wrong)?.len())
}

/// The directories that are pages: smaller copies of a page, as in pyramids, are none.
fn pages<R: Read + Seek>(decoder: &mut TiffDecoder<R>) -> tiff::TiffResult<Vec<usize>> {
    let mut pages = Vec::new();
    for directory in 0.. {
        let kind = decoder.find_tag_unsigned::<u32>(Tag::NewSubfileType)?.unwrap_or_default();
        if kind & 1 == 0 || directory == 0 {
            pages.push(directory);
        }
        if !decoder.more_images() {
            break;
        }
        decoder.next_image()?;
    }
    Ok(pages)
}

fn start<R: Read + Seek>(reader: R, name: &str, limits: &Limits) -> Result<TiffDecoder<R>> {
    /// Room for the offsets of four million strips.
    const TAG_BYTES: usize = 32 << 20;
    let most = usize::try_from(limits.max_bytes).unwrap_or(usize::MAX);
    let mut bounds = TiffLimits::default();
    bounds.decoding_buffer_size = most;
    bounds.intermediate_buffer_size = most;
    bounds.ifd_value_size = TAG_BYTES;
    Ok(Decoder::new(Disguise::new(reader)).map_err(|error| fail::from_tiff(name, error))?.with_limits(bounds))
}

/// A decoder at a page, counted from 0, with what it says; without one at the only page of a file.
pub(super) fn open<R: Read + Seek>(
    reader: R,
    name: &str,
    limits: &Limits,
    page: Option<usize>,
) -> Result<(TiffDecoder<R>, Source, Samples)> {
    let wrong = |error| fail::from_tiff(name, error);
    let mut decoder = start(reader, name, limits)?;
    let mut at = 0;
    if decoder.more_images() || page.is_some_and(|page| page > 0) {
        let pages = pages(&mut decoder).map_err(wrong)?;
        at = match page {
            None if pages.len() > 1 => {
                let message = format!("`{name}`: a TIFF of {} pages, expected one picture", pages.len());
                return Err(
                    Error::input(message).with_hint("`--pages all` takes every page, `--pages 1` one")
                );
            }
            None => 0,
            Some(page) => *pages.get(page).ok_or_else(|| {
                Error::input(format!("`{name}`: there is no page {}, the last is {}", page + 1, pages.len()))
            })?,
        };
        decoder.seek_to_image(at).map_err(wrong)?;
    }
    let (width, height) = decoder.dimensions().map_err(wrong)?;
    let (mut width, mut height) =
        (fail::size(width, name, Format::Tiff)?, fail::size(height, name, Format::Tiff)?);
    let special = special(&mut decoder, name, at, width)?;
    let (ty, samples, bits, channels, alpha) = if let Some((ty, samples, bits)) = special {
        // A palette counts as the colours it holds.
        let bits = if matches!(samples, Samples::Palette { .. }) { 8 } else { bits };
        (ty, samples, bits, ty.channels(), false)
    } else {
        let color = decoder.colortype().map_err(wrong)?;
        let format = decoder.image_buffer_layout().map_err(wrong)?.sample_format;
        let gray_alpha = is_gray_alpha(&mut decoder, color).map_err(wrong)?;
        let Some((ty, samples)) = kind(color, gray_alpha, format) else {
            let words = format_args!("{color:?} samples of type {format:?}");
            return Err(fail::unread(name, Format::Tiff, words));
        };
        let alpha = gray_alpha || matches!(color, ColorType::RGBA(_));
        (ty, samples, u32::from(color.bit_depth()), usize::from(color.num_samples()), alpha)
    };
    let turn = decoder.find_tag_unsigned::<u16>(Tag::Orientation).ok().flatten().unwrap_or(1);
    let orientation = Orientation::from_exif(turn);
    if orientation.swaps_axes() {
        (width, height) = (height, width);
    }
    let source = Source { format: Format::Tiff, width, height, ty, bits, channels, alpha, orientation };
    Ok((decoder, source, samples))
}

/// Type, samples and stored bits of what the decoder refuses as it is: palettes and packed bits. The
/// directory is then disguised.
fn special<R: Read + Seek>(
    decoder: &mut TiffDecoder<R>,
    name: &str,
    directory: usize,
    width: usize,
) -> Result<Option<(ImageType, Samples, u32)>> {
    let wrong = |error| fail::from_tiff(name, error);
    let mut numbers =
        |tag| decoder.find_tag_unsigned_vec::<u32>(tag).map(Option::unwrap_or_default).map_err(wrong);
    let photometric = numbers(Tag::PhotometricInterpretation)?.first().copied();
    let bits = numbers(Tag::BitsPerSample)?;
    let count = numbers(Tag::SamplesPerPixel)?.first().copied().unwrap_or(1);
    let Some(&depth) = bits.first().filter(|first| bits.iter().all(|bits| bits == *first)) else {
        return Ok(None);
    };
    let is_unsigned = numbers(Tag::SampleFormat)?.iter().all(|&format| format == 1);
    let photometric_tag = Tag::PhotometricInterpretation.to_u16();
    let (shown, found) = match (photometric, depth, count) {
        (Some(3), 1 | 2 | 4 | 8, 1) => {
            let map = decoder.find_tag_unsigned_vec::<u16>(Tag::ColorMap).map_err(wrong)?.unwrap_or_default();
            let length = map.len() / 3;
            if length == 0 {
                return Err(fail::broken(name, Format::Tiff, "a palette without colours"));
            }
            // Values of 16 bits by the standard; writers that use 8 are known too.
            let shift = if map.iter().any(|&value| value > 255) { 8 } else { 0 };
            let color = |at: usize| [0, 1, 2].map(|c| (map[c * length + at] >> shift) as u8);
            let samples = Samples::Palette { colors: (0..length).map(color).collect(), bits: depth, width };
            (vec![(photometric_tag, 1)], (ImageType::Rgb8, samples, depth))
        }
        (Some(0..=2), 9..=15, 1 | 3) if is_unsigned => {
            let is_tiled = decoder.get_chunk_type() != tiff::decoder::ChunkType::Strip;
            let is_plain = |decoder: &mut TiffDecoder<R>, tag| {
                let value = decoder.find_tag_unsigned::<u16>(tag).map_err(wrong)?;
                Ok::<_, Error>(value.unwrap_or(1) == 1)
            };
            let in_order = is_plain(decoder, Tag::PlanarConfiguration)? || count == 1;
            if is_tiled || !in_order || !is_plain(decoder, Tag::Predictor)? {
                let words = format_args!("samples of {depth} bits in tiles or planes, or with a predictor");
                return Err(fail::unread(name, Format::Tiff, words));
            }
            let length = width.saturating_mul(count as usize);
            let bytes = length.saturating_mul(depth as usize).div_ceil(8);
            let bytes =
                u32::try_from(bytes).map_err(|_| fail::broken(name, Format::Tiff, "a row too long"))?;
            let shown = vec![
                (Tag::ImageWidth.to_u16(), bytes),
                (Tag::BitsPerSample.to_u16(), 8),
                (Tag::SamplesPerPixel.to_u16(), 1),
                (photometric_tag, 1),
            ];
            let samples = Samples::Packed { bits: depth, length, inverted: photometric == Some(0) };
            let ty = if count == 3 { ImageType::Rgb16 } else { ImageType::Gray16 };
            (shown, (ty, samples, depth))
        }
        _ => return Ok(None),
    };
    let place = decoder.ifd_pointer().map_or(0, |pointer| pointer.0);
    decoder.inner().show(place, &shown).map_err(|error| fail::from_io(name, Format::Tiff, error))?;
    decoder.seek_to_image(directory).map_err(wrong)?;
    Ok(Some(found))
}

/// The decoder calls gray with anything beside it bands; the tag says whether that is alpha.
fn is_gray_alpha<R: Read + Seek>(decoder: &mut TiffDecoder<R>, color: ColorType) -> tiff::TiffResult<bool> {
    let ColorType::Multiband { num_samples: 2, .. } = color else { return Ok(false) };
    let extra = decoder.find_tag_unsigned_vec::<u16>(Tag::ExtraSamples)?;
    Ok(matches!(extra.as_deref(), Some([1 | 2])))
}

fn kind(color: ColorType, gray_alpha: bool, format: SampleFormat) -> Option<(ImageType, Samples)> {
    use ColorType as C;
    use SampleFormat::{IEEEFP, Int, Uint};
    let bits = color.bit_depth();
    let alpha = gray_alpha || matches!(color, C::RGBA(_));
    let (eight, sixteen, float) = match color {
        C::Gray(_) => (ImageType::Gray8, ImageType::Gray16, ImageType::GrayF32),
        C::Multiband { .. } if gray_alpha => (ImageType::Gray8, ImageType::Gray16, ImageType::GrayF32),
        C::RGB(_) | C::RGBA(_) => (ImageType::Rgb8, ImageType::Rgb16, ImageType::RgbF32),
        C::CMYK(8) if format == Uint => return Some((ImageType::Rgb8, Samples::Cmyk8)),
        C::CMYK(16) if format == Uint => return Some((ImageType::Rgb16, Samples::Cmyk16)),
        C::YCbCr(8) if format == Uint => return Some((ImageType::Rgb8, Samples::YCbCr8)),
        _ => return None,
    };
    Some(match (format, bits) {
        (Uint, 1 | 2 | 4) if color == C::Gray(bits) => (eight, Samples::Bits(bits)),
        (Uint, 8) => (eight, Samples::Plain),
        (Uint, 16) => (sixteen, Samples::Plain),
        (Uint, 32) if color == C::Gray(32) => (ImageType::Labels, Samples::Plain),
        // Integers of more bits would be rounded; signed alpha has no meaning.
        (Int, 8) if !alpha => (float, Samples::Int8),
        (Int, 16) if !alpha => (float, Samples::Int16),
        (IEEEFP, 16) => (float, Samples::Half),
        (IEEEFP, 32) => (float, Samples::Plain),
        (IEEEFP, 64) => (float, Samples::Double),
        _ => return None,
    })
}

/// Decodes into `out`: interleaved samples of the type of `source`, alpha last.
fn fill<R: Read + Seek>(
    decoder: &mut TiffDecoder<R>,
    source: &Source,
    samples: &Samples,
    limits: &Limits,
    name: &str,
    out: &mut [u8],
) -> Result<()> {
    let wrong = |error| fail::from_tiff(name, error);
    let layout = decoder.image_buffer_layout().map_err(wrong)?;
    if layout.complete_len as u64 > limits.max_bytes {
        return Err(fail::from_tiff(name, tiff::TiffError::LimitsExceeded));
    }
    if layout.planes <= 1 && *samples == Samples::Plain && layout.complete_len == out.len() {
        return decoder.read_image_bytes(out).map_err(wrong);
    }
    let mut raw = vec![0; layout.complete_len];
    decoder.read_image_bytes(&mut raw).map_err(wrong)?;
    if layout.planes > 1 {
        raw = interleave(&raw, &layout, source.bits)
            .ok_or_else(|| fail::unread(name, Format::Tiff, "planes of less than a byte a sample"))?;
    }
    if convert(&raw, &layout, samples, out) {
        Ok(())
    } else {
        Err(fail::broken(name, Format::Tiff, "sizes that contradict each other"))
    }
}

/// From plane after plane to pixel after pixel.
fn interleave(raw: &[u8], layout: &BufferLayoutPreference, bits: u32) -> Option<Vec<u8>> {
    let size = usize::try_from(bits / 8).ok().filter(|&size| size > 0)?;
    let stride = layout.plane_stride?.get();
    let mut pixels = vec![0; raw.len()];
    for (channel, plane) in raw.chunks_exact(stride).enumerate() {
        let places = pixels.chunks_exact_mut(size * layout.planes);
        for (sample, pixel) in plane.chunks_exact(size).zip(places) {
            pixel[channel * size..][..size].copy_from_slice(sample);
        }
    }
    Some(pixels)
}

/// From stored samples to channels; false when the sizes do not fit.
fn convert(raw: &[u8], layout: &BufferLayoutPreference, samples: &Samples, out: &mut [u8]) -> bool {
    match *samples {
        Samples::Plain => {
            raw.len() == out.len() && {
                out.copy_from_slice(raw);
                true
            }
        }
        Samples::Bits(bits) => unpack(raw, layout, bits, out),
        Samples::Int8 => each(raw, out, |[v]| f32::from(i8::from_ne_bytes([v])).to_ne_bytes()),
        Samples::Int16 => each(raw, out, |v| f32::from(i16::from_ne_bytes(v)).to_ne_bytes()),
        Samples::Half => each(raw, out, |v| f32_from_half(u16::from_ne_bytes(v)).to_ne_bytes()),
        Samples::Double => each(raw, out, |v| (f64::from_ne_bytes(v) as f32).to_ne_bytes()),
        Samples::Cmyk8 => {
            each(raw, out, |[c, m, y, k]| [c, m, y].map(|ink| light(ink.into(), k.into(), 255) as u8))
        }
        Samples::YCbCr8 => each(raw, out, |[y, cb, cr]| rgb_from_ycbcr(y, cb, cr)),
        Samples::Palette { ref colors, bits, width } => rows(
            raw,
            layout,
            width,
            |row| unpacked(row, bits),
            out,
            |index, to: &mut [u8; 3]| {
                let color = colors.get(usize::from(index));
                color.is_some_and(|color| {
                    *to = *color;
                    true
                })
            },
        ),
        Samples::Packed { bits, length, inverted } => {
            let top = ((1u32 << bits) - 1) as u16;
            rows(
                raw,
                layout,
                length,
                |row| unpacked(row, bits),
                out,
                |value, to: &mut [u8; 2]| {
                    *to = if inverted { top - value } else { value }.to_ne_bytes();
                    true
                },
            )
        }
        Samples::Cmyk16 => each(raw, out, |[c0, c1, m0, m1, y0, y1, k0, k1]: [u8; 8]| {
            let k = u16::from_ne_bytes([k0, k1]);
            let of = |ink| (light(u16::from_ne_bytes(ink).into(), k.into(), 65535) as u16).to_ne_bytes();
            let ([r0, r1], [g0, g1], [b0, b1]) = (of([c0, c1]), of([m0, m1]), of([y0, y1]));
            [r0, r1, g0, g1, b0, b1]
        }),
    }
}

/// The light that an ink and black leave, of `max`, rounded. No colour profile is applied.
fn light(ink: u32, black: u32, max: u32) -> u32 {
    // 65535 squared and a half of 65535 more is still a u32.
    ((max - ink) * (max - black) + max / 2) / max
}

/// The conversion of JFIF, rounded. TIFF's own tags for it are in practice always these values.
fn rgb_from_ycbcr(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    let (y, cb, cr) = (f32::from(y), f32::from(cb) - 128.0, f32::from(cr) - 128.0);
    // The casts saturate.
    [y + 1.402 * cr, y - 0.344_136 * cb - 0.714_136 * cr, y + 1.772 * cb].map(|v| (v + 0.5) as u8)
}

fn each<const N: usize, const M: usize>(raw: &[u8], out: &mut [u8], f: impl Fn([u8; N]) -> [u8; M]) -> bool {
    let (from, rest) = raw.as_chunks::<N>();
    let (to, left) = out.as_chunks_mut::<M>();
    if from.len() != to.len() || !rest.is_empty() || !left.is_empty() {
        return false;
    }
    for (from, to) in from.iter().zip(to) {
        *to = f(*from);
    }
    true
}

/// The numbers of every row, `length` of them, each written by `put`; false when sizes or `put` do not fit.
fn rows<'a, const N: usize, I: Iterator<Item = u16>>(
    raw: &'a [u8],
    layout: &BufferLayoutPreference,
    length: usize,
    numbers: impl Fn(&'a [u8]) -> I,
    out: &mut [u8],
    mut put: impl FnMut(u16, &mut [u8; N]) -> bool,
) -> bool {
    let Some(stride) = layout.row_stride.map(std::num::NonZero::get) else { return false };
    let (out, rest) = out.as_chunks_mut::<N>();
    if !rest.is_empty() || length == 0 || raw.len() / stride * length != out.len() {
        return false;
    }
    raw.chunks_exact(stride).zip(out.chunks_exact_mut(length)).all(|(row, out)| {
        let mut numbers = numbers(row);
        out.iter_mut().all(|to| numbers.next().is_some_and(|number| put(number, to)))
    })
}

fn unpack(raw: &[u8], layout: &BufferLayoutPreference, bits: u8, out: &mut [u8]) -> bool {
    let (Some(stride), bits) = (layout.row_stride, usize::from(bits)) else { return false };
    let rows = raw.len() / stride.get();
    if rows == 0 || !out.len().is_multiple_of(rows) || (out.len() / rows * bits).div_ceil(8) > stride.get() {
        return false;
    }
    let max = (1u8 << bits) - 1;
    for (packed, row) in raw.chunks_exact(stride.get()).zip(out.chunks_exact_mut(out.len() / rows)) {
        for (x, value) in row.iter_mut().enumerate() {
            let shift = 8 - bits - x * bits % 8;
            *value = (packed[x * bits / 8] >> shift & max) * (255 / max);
        }
    }
    true
}

/// IEEE 754 binary16 to binary32, exact.
fn f32_from_half(half: u16) -> f32 {
    let (sign, exponent, fraction) = (half >> 15, half >> 10 & 31, half & 1023);
    let magnitude = match exponent {
        // Subnormal: a multiple of 2^-24.
        0 => f32::from(fraction) * f32::from_bits((127 - 24) << 23),
        31 => f32::from_bits(0xff << 23 | u32::from(fraction) << 13),
        _ => f32::from_bits((u32::from(exponent) + 127 - 15) << 23 | u32::from(fraction) << 13),
    };
    if sign == 1 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves() {
        for (half, value) in [
            (0x0000, 0.0),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0001, 5.960_464_5e-8),
            (0x03ff, 6.097_555e-5),
            (0x0400, 6.103_515_6e-5),
            (0x3555, 0.333_251_95),
            (0xfc00, f32::NEG_INFINITY),
        ] {
            assert_eq!(f32_from_half(half), value, "{half:#06x}");
        }
        assert!(f32_from_half(0x7e00).is_nan());
    }

    #[test]
    fn primaries() {
        assert_eq!(rgb_from_ycbcr(255, 128, 128), [255; 3]);
        assert_eq!(rgb_from_ycbcr(76, 85, 255), [254, 0, 0]);
        assert_eq!(rgb_from_ycbcr(29, 255, 107), [0, 0, 254]);
    }

    #[test]
    fn no_ink_is_white_and_all_is_black() {
        assert_eq!(light(0, 0, 65535), 65535);
        assert_eq!(light(65535, 0, 65535), 0);
        assert_eq!(light(0, 255, 255), 0);
        assert_eq!(light(55, 100, 255), 122); // 200 * 155 / 255 = 121.57
    }
}
