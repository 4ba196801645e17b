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
