//! Masks of class numbers, as they are stored.

use std::io::Cursor;
use std::path::Path;

use png::{ColorType, Decoder, Transformations};

use super::{Format, Limits, ReadOptions, fail, guard, png_read, read_with};
use crate::image::{Image, Plane};
use crate::{Error, Result};

/// The numbers of a mask: what the pixels of a file hold, without turning palettes to colours or few bits to eight, up
/// to 255. Of a PNG with a palette (those of Pascal VOC) they are the numbers of the colours; of gray files of any
/// format the gray values.
///
/// ```
/// use lyncean::image::codec::{Format, Limits, WriteOptions, read_numbers, write};
/// use lyncean::image::{Image, Plane};
///
/// let folder = tempfile::tempdir().unwrap();
/// let path = folder.path().join("mask.png");
/// let labels = Image::Labels(Plane::from_vec(3, 1, vec![0, 2, 255])?);
/// write(&path, &labels, Format::Png, &WriteOptions::default())?;
/// assert_eq!(read_numbers(&path, &Limits::default())?.as_slice(), [0, 2, 255]);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// As [`read_file`](super::read_file); [`Input`](crate::ErrorKind::Input) for colours without a palette, floats and
/// numbers above 255.
pub fn read_numbers(path: impl AsRef<Path>, limits: &Limits) -> Result<Plane<u8>> {
    let path = path.as_ref();
    let name = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| Error::io(&name, error))?;
    limits.check_file(bytes.len() as u64, &name)?;
    if super::sniff::expect(&bytes, &name)? == Format::Png
        && let Some(plane) = guard::run(&name, Format::Png, || packed(&bytes, &name, limits))?
    {
        return Ok(plane);
    }
    let options = ReadOptions { limits: *limits, ..ReadOptions::default() };
    let image = read_with(&bytes, &name, &options)?.image;
    let small = |value: u32| {
        u8::try_from(value).map_err(|_| {
            Error::input(format!("expected class numbers from 0 to 255 in a mask, got {value}"))
                .within(name.clone())
        })
    };
    let (width, height) = (image.width(), image.height());
    match image {
        Image::Gray8(plane) | Image::Mask(plane) => Ok(plane),
        Image::Gray16(plane) => {
            let values = plane.as_slice().iter().map(|&value| small(value.into())).collect::<Result<_>>()?;
            Plane::from_vec(width, height, values)
        }
        Image::Labels(plane) => {
            let values = plane.as_slice().iter().map(|&value| small(value)).collect::<Result<_>>()?;
            Plane::from_vec(width, height, values)
        }
        other => Err(Error::input(format!("expected a gray mask of class numbers, got `{}`", other.ty()))
            .within(name)
            .with_hint("save it as gray, or as PNG with a palette")),
    }
}

/// The pixels of a PNG with a palette or with fewer than eight bits; none of other PNG.
fn packed(bytes: &[u8], name: &str, limits: &Limits) -> Result<Option<Plane<u8>>> {
    let source = png_read::probe(Cursor::new(bytes), name)?;
    limits.check(&source, name)?;
    let most = usize::try_from(limits.max_bytes).unwrap_or(usize::MAX);
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), png::Limits { bytes: most });
    decoder.set_transformations(Transformations::IDENTITY);
    let mut reader = decoder.read_info().map_err(|error| fail::from_png(name, error))?;
    let (color, depth) = (reader.info().color_type, reader.info().bit_depth as usize);
    let is_packed = color == ColorType::Indexed || (color == ColorType::Grayscale && depth < 8);
    let Some(size) = reader.output_buffer_size().filter(|_| is_packed) else { return Ok(None) };
    let mut rows = vec![0; size];
    let frame = reader.next_frame(&mut rows).map_err(|error| fail::from_png(name, error))?;
    let (width, height) = (frame.width as usize, frame.height as usize);
    let mut pixels = Vec::with_capacity(width * height);
    for row in rows.chunks_exact(frame.line_size).take(height) {
        // The first pixel is in the highest bits.
        pixels.extend((0..width).map(|x| {
            let bit = x * depth;
            row[bit / 8] >> (8 - depth - bit % 8) & (0xff >> (8 - depth)) as u8
        }));
    }
    Plane::from_vec(width, height, pixels).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn palettes_and_few_bits_keep_their_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mask.png");
        let numbers = [[0u8, 1, 3, 2, 1], [3, 3, 0, 1, 2]];
        for (color, depth) in [
            (ColorType::Indexed, png::BitDepth::Two),
            (ColorType::Grayscale, png::BitDepth::Four),
            (ColorType::Indexed, png::BitDepth::Eight),
        ] {
            let file = std::fs::File::create(&path).unwrap();
            let mut encoder = png::Encoder::new(file, 5, 2);
            encoder.set_color(color);
            encoder.set_depth(depth);
            if color == ColorType::Indexed {
                encoder.set_palette(vec![9; 12]);
            }
            let bits = depth as usize;
            let mut data = Vec::new();
            for row in numbers {
                let mut line = vec![0u8; (5 * bits).div_ceil(8)];
                for (x, number) in row.into_iter().enumerate() {
                    line[x * bits / 8] |= number << (8 - bits - x * bits % 8);
                }
                data.extend(line);
            }
            encoder.write_header().unwrap().write_image_data(&data).unwrap();
            let read = read_numbers(&path, &Limits::default()).unwrap();
            assert_eq!(read.as_slice(), numbers.as_flattened(), "{color:?} {depth:?}");
        }
        let rgb = Image::Rgb8(Plane::filled(2, 2, [1, 2, 3]));
        super::super::write(&path, &rgb, Format::Png, &super::super::WriteOptions::default()).unwrap();
        let error = read_numbers(&path, &Limits::default()).unwrap_err().to_string();
        assert!(error.contains("expected a gray mask of class numbers, got `rgb8`"), "{error}");
    }
}
