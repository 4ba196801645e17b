//! Small pictures with some structure: blobs on a slope, with grain.

use lyncean::image::{Image, ImageType, Plane};

/// A picture of a type that files are read as; values 0..=255, spread over the range of the type.
pub(crate) fn picture(ty: ImageType, width: usize, height: usize) -> Image {
    let value = |x: usize, y: usize, channel: usize| -> u8 {
        let (fx, fy) = (x as f64 - 20.0, y as f64 - 18.0 - channel as f64);
        let blob = if fx * fx + fy * fy < 120.0 || (x % 23 > 15 && y % 19 > 12) { 120 } else { 0 };
        let grain = (x * 7919 + y * 104_729 + channel * 31 + x * y) % 37;
        (30 + blob + (x + 2 * y) % 60 + grain).min(255) as u8
    };
    let one = |x, y| value(x, y, 0);
    let three = |x, y| [value(x, y, 0), value(x, y, 1), value(x, y, 2)];
    match ty {
        ImageType::Gray8 => Image::Gray8(Plane::from_fn(width, height, one)),
        ImageType::Gray16 => Image::Gray16(Plane::from_fn(width, height, |x, y| u16::from(one(x, y)) * 251)),
        ImageType::GrayF32 => {
            Image::GrayF32(Plane::from_fn(width, height, |x, y| f32::from(one(x, y)) / 255.0))
        }
        ImageType::Rgb8 => Image::Rgb8(Plane::from_fn(width, height, three)),
        ImageType::Rgb16 => {
            Image::Rgb16(Plane::from_fn(width, height, |x, y| three(x, y).map(|v| u16::from(v) * 251)))
        }
        ImageType::RgbF32 => {
            Image::RgbF32(Plane::from_fn(width, height, |x, y| three(x, y).map(|v| f32::from(v) / 255.0)))
        }
        other => panic!("no file is read as {other}"),
    }
}
