//! From and to `image::DynamicImage`, without copies where the memory is alike.

use image::{DynamicImage, ImageBuffer};

use super::{Image, Pixel, PixelFormat, Plane};
use crate::{Error, Result};

impl Image {
    /// The image of the `image` crate, and its alpha if it has one. Without alpha its memory is taken over.
    ///
    /// # Errors
    /// [`Unsupported`](crate::ErrorKind::Unsupported) for types of pixels that came after this was written.
    pub fn from_dynamic(image: DynamicImage) -> Result<(Self, Option<Plane<u8>>)> {
        let (width, height) = (image.width() as usize, image.height() as usize);
        let raw = |bytes: &[u8], format: PixelFormat| {
            Self::from_raw(bytes, width, height, width * format.pixel_size(), format)
        };
        Ok(match image {
            DynamicImage::ImageLuma8(image) => (Self::Gray8(take(width, height, image.into_raw())?), None),
            DynamicImage::ImageLuma16(image) => (Self::Gray16(take(width, height, image.into_raw())?), None),
            DynamicImage::ImageRgb8(image) => (Self::Rgb8(take(width, height, image.into_raw())?), None),
            DynamicImage::ImageRgb16(image) => (Self::Rgb16(take(width, height, image.into_raw())?), None),
            DynamicImage::ImageRgb32F(image) => (Self::RgbF32(take(width, height, image.into_raw())?), None),
            DynamicImage::ImageRgba8(image) => raw(&image, PixelFormat::Rgba8)?,
            DynamicImage::ImageRgba16(image) => raw(bytemuck::cast_slice(&image), PixelFormat::Rgba16)?,
            DynamicImage::ImageRgba32F(image) => raw(bytemuck::cast_slice(&image), PixelFormat::RgbaF32)?,
            DynamicImage::ImageLumaA8(image) => {
                let pixels = image.as_chunks::<2>().0;
                let (gray, alpha) = pixels.iter().map(|&[gray, alpha]| (gray, alpha)).unzip();
                (Self::Gray8(take(width, height, gray)?), Some(take(width, height, alpha)?))
            }
            DynamicImage::ImageLumaA16(image) => {
                let pixels = image.as_chunks::<2>().0;
                let alpha = |alpha: u16| super::alpha::Alpha::to_u8(alpha);
                let (gray, alpha) = pixels.iter().map(|&[gray, a]| (gray, alpha(a))).unzip();
                (Self::Gray16(take(width, height, gray)?), Some(take(width, height, alpha)?))
            }
            other => return Err(Error::unsupported(format!("pixels of type {:?}", other.color()))),
        })
    }
}

impl TryFrom<DynamicImage> for Image {
    type Error = Error;

    /// As [`Image::from_dynamic`], without alpha.
    fn try_from(image: DynamicImage) -> Result<Self> {
        Ok(Self::from_dynamic(image)?.0)
    }
}

impl TryFrom<Image> for DynamicImage {
    type Error = Error;

    /// Takes the memory over. Masks become gray.
    fn try_from(image: Image) -> Result<Self> {
        let (width, height) = (image.width(), image.height());
        let (Ok(w), Ok(h)) = (u32::try_from(width), u32::try_from(height)) else {
            return Err(Error::limit(format!("{width}x{height} is too large for the `image` crate")));
        };
        let made = match image {
            Image::Gray8(plane) | Image::Mask(plane) => {
                ImageBuffer::from_raw(w, h, flat(plane)).map(Self::ImageLuma8)
            }
            Image::Gray16(plane) => ImageBuffer::from_raw(w, h, flat(plane)).map(Self::ImageLuma16),
            Image::Rgb8(plane) => ImageBuffer::from_raw(w, h, flat(plane)).map(Self::ImageRgb8),
            Image::Rgb16(plane) => ImageBuffer::from_raw(w, h, flat(plane)).map(Self::ImageRgb16),
            Image::RgbF32(plane) => ImageBuffer::from_raw(w, h, flat(plane)).map(Self::ImageRgb32F),
            other => {
                let message = format!("the `image` crate has no pixels of type `{}`", other.ty());
                return Err(Error::unsupported(message).with_hint("`ops::convert` makes `gray8` of them"));
            }
        };
        made.ok_or_else(|| Error::new(crate::ErrorKind::Internal, "the memory of an image is too short"))
    }
}

/// A plane over channels one after the other, in their memory where its size is that of whole pixels.
fn take<T: Pixel>(width: usize, height: usize, channels: Vec<T::Channel>) -> Result<Plane<T>> {
    let pixels = bytemuck::allocation::try_cast_vec(channels)
        .unwrap_or_else(|(_, channels)| bytemuck::cast_slice(&channels).to_vec());
    Plane::from_vec(width, height, pixels)
}

fn flat<T: Pixel>(plane: Plane<T>) -> Vec<T::Channel> {
    bytemuck::allocation::try_cast_vec(plane.into_vec())
        .unwrap_or_else(|(_, pixels)| bytemuck::cast_slice(&pixels).to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::ImageType;

    #[test]
    fn there_and_back_in_the_same_memory() {
        for ty in [ImageType::Gray8, ImageType::Gray16, ImageType::Rgb8, ImageType::Rgb16, ImageType::RgbF32]
        {
            let mut image = Image::new(ty, 5, 3);
            image.planes_bytes_mut()[0].iter_mut().enumerate().for_each(|(i, byte)| *byte = i as u8 & 0x3f);
            let (copy, start) = (image.clone(), image.plane_bytes(0).as_ptr());
            let dynamic = DynamicImage::try_from(image).unwrap();
            assert_eq!(dynamic.as_bytes(), copy.plane_bytes(0), "{ty}");
            let back = Image::try_from(dynamic).unwrap();
            assert_eq!(back, copy);
            assert_eq!(back.plane_bytes(0).as_ptr(), start, "{ty} was copied");
        }
        assert!(DynamicImage::try_from(Image::new(ImageType::Labels, 1, 1)).is_err());
    }

    #[test]
    fn alpha_comes_apart() {
        let buffer = ImageBuffer::from_raw(1, 2, vec![1u8, 2, 3, 4, 5, 6, 7, 8]).unwrap();
        let (image, alpha) = Image::from_dynamic(DynamicImage::ImageRgba8(buffer)).unwrap();
        assert_eq!(image.plane_bytes(0), [1, 2, 3, 5, 6, 7]);
        assert_eq!(alpha.unwrap().as_slice(), [4, 8]);
        let buffer = ImageBuffer::from_raw(2, 1, vec![1u16, 65535, 3, 257]).unwrap();
        let (image, alpha) = Image::from_dynamic(DynamicImage::ImageLumaA16(buffer)).unwrap();
        assert_eq!(image, Image::Gray16(Plane::from_vec(2, 1, vec![1, 3]).unwrap()));
        assert_eq!(alpha.unwrap().as_slice(), [255, 1]);
    }
}
