//! Any image as a picture for the eye. Values are lost; what keeps them is [`codec`](crate::image::codec).

use super::draw;
use crate::image::{Gradient, Image, Plane};

/// A picture that can be looked at, 8 or 16 bit, of the same size.
///
/// 8-bit and 16-bit images and masks stay as they are. Floats are stretched: their smallest value
/// becomes 0, their largest 255, for all channels alike. Gradients become their L2 magnitude, from
/// 0 to the largest. Labels get the [colours](draw::color_of) of `draw`, on black. What is no finite
/// number is black, and so is an image of one value.
///
/// ```
/// use lyncean::image::{Image, ImageType};
/// use lyncean::ops::preview::preview;
///
/// let shown = preview(&Image::new(ImageType::GrayF32, 4, 3));
/// assert_eq!((shown.width(), shown.height()), (4, 3));
/// ```
pub fn preview(image: &Image) -> Image {
    match image {
        Image::Gray8(_) | Image::Gray16(_) | Image::Rgb8(_) | Image::Rgb16(_) | Image::Mask(_) => {
            image.clone()
        }
        Image::GrayF32(plane) => {
            let stretch = Stretch::over(plane.as_slice().iter().copied());
            Image::Gray8(plane.map(|value| stretch.level(value)))
        }
        Image::RgbF32(plane) => {
            let stretch = Stretch::over(plane.as_slice().iter().flatten().copied());
            Image::Rgb8(plane.map(|pixel| pixel.map(|value| stretch.level(value))))
        }
        Image::Labels(plane) => {
            Image::Rgb8(plane.map(|label| if label == 0 { [0; 3] } else { draw::color_of(label) }))
        }
        Image::Gradient(Gradient::I16 { dx, dy }) => magnitude(dx, dy),
        Image::Gradient(Gradient::F32 { dx, dy }) => magnitude(dx, dy),
    }
}

fn magnitude<T: Copy + Into<f32> + crate::image::Pixel>(dx: &Plane<T>, dy: &Plane<T>) -> Image {
    let length = |dx: T, dy: T| {
        let (dx, dy): (f32, f32) = (dx.into(), dy.into());
        (dx * dx + dy * dy).sqrt()
    };
    let lengths: Vec<f32> =
        dx.as_slice().iter().zip(dy.as_slice()).map(|(&dx, &dy)| length(dx, dy)).collect();
    let stretch = Stretch::over(lengths.iter().copied().chain([0.0]));
    let width = dx.width();
    Image::Gray8(Plane::from_fn(width, dx.height(), |x, y| stretch.level(lengths[y * width + x])))
}

/// From the range of some values to 0..=255.
struct Stretch {
    least: f32,
    most: f32,
}

impl Stretch {
    fn over(values: impl Iterator<Item = f32>) -> Self {
        let nothing = Self { least: f32::INFINITY, most: f32::NEG_INFINITY };
        values
            .filter(|value| value.is_finite())
            .fold(nothing, |range, value| Self { least: range.least.min(value), most: range.most.max(value) })
    }

    fn level(&self, value: f32) -> u8 {
        // In f64, where the difference of two floats cannot overflow.
        let range = f64::from(self.most) - f64::from(self.least);
        if !value.is_finite() || range <= 0.0 {
            return 0;
        }
        ((f64::from(value) - f64::from(self.least)) / range * 255.0 + 0.5) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::ImageType;

    #[test]
    fn floats_are_stretched_and_odd_ones_are_black() {
        let values = [-1.0, 0.0, 1.0, f32::NAN, f32::INFINITY, 0.5];
        let image = Image::GrayF32(Plane::from_fn(3, 2, |x, y| values[y * 3 + x]));
        assert_eq!(preview(&image).plane_bytes(0), [0, 128, 255, 0, 0, 191]);
        let wide = Image::GrayF32(Plane::from_fn(2, 1, |x, _| if x == 0 { f32::MIN } else { f32::MAX }));
        assert_eq!(preview(&wide).plane_bytes(0), [0, 255]);
        let flat = Image::RgbF32(Plane::filled(2, 2, [0.5; 3]));
        assert_eq!(preview(&flat).plane_bytes(0), [0; 12]);
    }

    #[test]
    fn gradients_show_their_length() {
        let (dx, dy) =
            (Plane::from_fn(3, 1, |x, _| 3 * x as i16), Plane::from_fn(3, 1, |x, _| -4 * x as i16));
        let image = Image::Gradient(Gradient::I16 { dx, dy });
        assert_eq!(preview(&image).plane_bytes(0), [0, 128, 255]);
    }

    #[test]
    fn every_type_of_every_size_can_be_shown() {
        for ty in ImageType::ALL {
            for (width, height) in [(0, 0), (1, 1), (5, 3)] {
                let shown = preview(&Image::new(ty, width, height));
                assert_eq!((shown.width(), shown.height()), (width, height), "{ty}");
                let types =
                    [ImageType::Gray8, ImageType::Rgb8, ImageType::Gray16, ImageType::Rgb16, ImageType::Mask];
                assert!(types.contains(&shown.ty()), "{ty}");
            }
        }
    }
}
