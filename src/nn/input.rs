//! From pictures to the values that nets take.

use crate::image::Image;
use crate::{Error, Result};

/// Fills `values` with a picture, from 0 to 1, as `shape` says: channels, height, width.
///
/// Gray pictures fill every channel; of coloured ones a net with one channel sees the luma of
/// ITU-R BT.601, `0.299 R + 0.587 G + 0.114 B`. 8 bit are divided by 255, 16 bit by 65535, floats
/// taken as they are.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) when the picture has another size, or is not gray or RGB, or the
/// net takes neither one nor three channels.
pub fn fill(image: &Image, shape: [usize; 3], values: &mut [f32]) -> Result<()> {
    let [channels, height, width] = shape;
    if [image.height(), image.width()] != [height, width] {
        let (got_width, got_height) = (image.width(), image.height());
        return Err(Error::shape(format!(
            "expected a picture of {width}x{height}, got {got_width}x{got_height}"
        )));
    }
    if channels != 1 && channels != 3 {
        return Err(Error::shape(format!("pictures have one or three channels, the net wants {channels}")));
    }
    if values.len() != channels * height * width {
        let wanted = channels * height * width;
        return Err(Error::shape(format!("expected room for {wanted} values, got {}", values.len())));
    }
    match image {
        Image::Gray8(plane) | Image::Mask(plane) => gray(plane.as_slice(), values, |v| f32::from(v) / 255.0),
        Image::Gray16(plane) => gray(plane.as_slice(), values, |v| f32::from(v) / 65535.0),
        Image::GrayF32(plane) => gray(plane.as_slice(), values, |v| v),
        Image::Rgb8(plane) => colour(plane.as_slice(), channels, values, |v| f32::from(v) / 255.0),
        Image::Rgb16(plane) => colour(plane.as_slice(), channels, values, |v| f32::from(v) / 65535.0),
        Image::RgbF32(plane) => colour(plane.as_slice(), channels, values, |v| v),
        other => return Err(Error::shape(format!("expected a gray or RGB picture, got `{}`", other.ty()))),
    }
    Ok(())
}

fn gray<T: Copy>(pixels: &[T], values: &mut [f32], unit: impl Fn(T) -> f32) {
    if pixels.is_empty() {
        return;
    }
    for plane in values.chunks_exact_mut(pixels.len()) {
        plane.iter_mut().zip(pixels).for_each(|(value, &pixel)| *value = unit(pixel));
    }
}

fn colour<T: Copy>(pixels: &[[T; 3]], channels: usize, values: &mut [f32], unit: impl Fn(T) -> f32) {
    for (at, pixel) in pixels.iter().enumerate() {
        let [r, g, b] = pixel.map(&unit);
        if channels == 1 {
            values[at] = 0.299 * r + 0.587 * g + 0.114 * b;
        } else {
            values[at] = r;
            values[pixels.len() + at] = g;
            values[2 * pixels.len() + at] = b;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Plane;

    #[test]
    fn channels_are_planes_from_0_to_1() {
        let rgb = Image::Rgb8(Plane::from_vec(2, 1, vec![[255, 0, 51], [0, 255, 0]]).unwrap());
        let mut values = [9.0; 6];
        fill(&rgb, [3, 1, 2], &mut values).unwrap();
        assert_eq!(values, [1.0, 0.0, 0.0, 1.0, 0.2, 0.0]);
        fill(&rgb, [1, 1, 2], &mut values[..2]).unwrap();
        assert!((values[0] - (0.299 + 0.2 * 0.114)).abs() < 1e-6 && values[1] == 0.587);
        let gray = Image::Gray16(Plane::from_vec(2, 1, vec![65535, 0]).unwrap());
        fill(&gray, [3, 1, 2], &mut values).unwrap();
        assert_eq!(values, [1.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
    }

    #[test]
    fn other_sizes_are_refused() {
        let gray = Image::Gray8(Plane::new(3, 2));
        let error = fill(&gray, [1, 3, 2], &mut [0.0; 6]).unwrap_err();
        assert_eq!(error.message(), "expected a picture of 2x3, got 3x2");
        assert!(fill(&gray, [2, 2, 3], &mut [0.0; 12]).is_err());
        assert!(fill(&Image::Labels(Plane::new(1, 1)), [1, 1, 1], &mut [0.0]).is_err());
        assert!(fill(&Image::Gray8(Plane::new(0, 2)), [1, 2, 0], &mut []).is_ok());
    }
}
