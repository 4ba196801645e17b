//! Images with a type that is known at run time.

use std::fmt;

use super::{Pixel, Plane};
use crate::{Error, Result};

/// The number type of a channel.
///
/// ```
/// use lyncean::image::{Element, ImageType, Pixel};
///
/// assert_eq!((ImageType::Rgb16.element(), Element::U16.size()), (Element::U16, 2));
/// assert_eq!((<[f32; 3]>::ELEMENT, <[f32; 3]>::CHANNELS), (Element::F32, 3));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Element {
    /// `u8`, 0..=255.
    U8,
    /// `u16`, 0..=65535.
    U16,
    /// `i16`.
    I16,
    /// `u32`.
    U32,
    /// `i32`.
    I32,
    /// `u64`.
    U64,
    /// `f32`; pictures use 0..=1.
    F32,
    /// `f64`.
    F64,
}

impl Element {
    /// Size in bytes.
    pub const fn size(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::F64 => 8,
        }
    }
}

/// The type of an image value in a pipeline.
///
/// ```
/// use lyncean::image::ImageType;
///
/// assert_eq!((ImageType::Rgb16.channels(), ImageType::Rgb16.pixel_size()), (3, 6));
/// assert_eq!(ImageType::GrayF32.to_string(), "gray-f32");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ImageType {
    /// One channel, `u8`.
    Gray8,
    /// One channel, `u16`.
    Gray16,
    /// One channel, `f32`.
    GrayF32,
    /// Red, green, blue, `u8`.
    Rgb8,
    /// Red, green, blue, `u16`.
    Rgb16,
    /// Red, green, blue, `f32`.
    RgbF32,
    /// `u8`, 0 or 255.
    Mask,
    /// `u32`, 0 is background.
    Labels,
    /// Two `i16` planes, dx and dy: of 8-bit images, where every value fits.
    GradientI16,
    /// Two `f32` planes, dx and dy.
    GradientF32,
}

impl ImageType {
    /// Every type.
    pub const ALL: [Self; 10] = [
        Self::Gray8,
        Self::Gray16,
        Self::GrayF32,
        Self::Rgb8,
        Self::Rgb16,
        Self::RgbF32,
        Self::Mask,
        Self::Labels,
        Self::GradientI16,
        Self::GradientF32,
    ];

    /// The types that files are read as.
    pub const READ: [Self; 6] =
        [Self::Gray8, Self::Gray16, Self::GrayF32, Self::Rgb8, Self::Rgb16, Self::RgbF32];

    /// The number type of a channel.
    pub const fn element(self) -> Element {
        match self {
            Self::Gray8 | Self::Rgb8 | Self::Mask => Element::U8,
            Self::Gray16 | Self::Rgb16 => Element::U16,
            Self::GrayF32 | Self::RgbF32 | Self::GradientF32 => Element::F32,
            Self::Labels => Element::U32,
            Self::GradientI16 => Element::I16,
        }
    }

    /// Interleaved channels of a plane.
    pub const fn channels(self) -> usize {
        match self {
            Self::Rgb8 | Self::Rgb16 | Self::RgbF32 => 3,
            _ => 1,
        }
    }

    /// Planes of the image: two for gradients.
    pub const fn planes(self) -> usize {
        match self {
            Self::GradientI16 | Self::GradientF32 => 2,
            _ => 1,
        }
    }

    /// The bytes of one pixel in one plane.
    pub const fn pixel_size(self) -> usize {
        self.element().size() * self.channels()
    }

    /// The name used by pipelines and messages; both gradients are `gradient`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gray8 => "gray8",
            Self::Gray16 => "gray16",
            Self::GrayF32 => "gray-f32",
            Self::Rgb8 => "rgb8",
            Self::Rgb16 => "rgb16",
            Self::RgbF32 => "rgb-f32",
            Self::Mask => "mask",
            Self::Labels => "labels",
            Self::GradientI16 | Self::GradientF32 => "gradient",
        }
    }
}

impl fmt::Display for ImageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Two planes of derivatives.
///
/// ```
/// use lyncean::image::{Gradient, Image, ImageType, Plane};
///
/// let gradient = Gradient::I16 { dx: Plane::filled(4, 3, -7), dy: Plane::new(4, 3) };
/// let image = Image::Gradient(gradient);
/// assert_eq!((image.ty(), image.ty().planes()), (ImageType::GradientI16, 2));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Gradient {
    /// Of 8-bit images, where every value fits.
    I16 {
        /// Along x, positive where values rise to the right.
        dx: Plane<i16>,
        /// Along y, positive where values rise downwards.
        dy: Plane<i16>,
    },
    /// Of all other images.
    F32 {
        /// Along x.
        dx: Plane<f32>,
        /// Along y.
        dy: Plane<f32>,
    },
}

/// An image of any type.
///
/// ```
/// use lyncean::image::{Image, ImageType, Plane};
///
/// let image = Image::Gray8(Plane::filled(4, 3, 7));
/// assert_eq!((image.ty(), image.width(), image.height()), (ImageType::Gray8, 4, 3));
/// assert_eq!(image.as_gray8()?.get(3, 2), 7);
/// assert!(image.as_gray_f32().is_err());
/// # Ok::<(), lyncean::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Image {
    /// See [`ImageType::Gray8`].
    Gray8(Plane<u8>),
    /// See [`ImageType::Gray16`].
    Gray16(Plane<u16>),
    /// See [`ImageType::GrayF32`].
    GrayF32(Plane<f32>),
    /// See [`ImageType::Rgb8`].
    Rgb8(Plane<[u8; 3]>),
    /// See [`ImageType::Rgb16`].
    Rgb16(Plane<[u16; 3]>),
    /// See [`ImageType::RgbF32`].
    RgbF32(Plane<[f32; 3]>),
    /// See [`ImageType::Mask`].
    Mask(Plane<u8>),
    /// See [`ImageType::Labels`].
    Labels(Plane<u32>),
    /// See [`ImageType::GradientI16`] and [`ImageType::GradientF32`].
    Gradient(Gradient),
}

/// Runs `$body` with `$plane` bound to the first plane of an image, whatever its pixels.
macro_rules! with_first_plane {
    ($image:expr, $plane:ident => $body:expr) => {
        match $image {
            Image::Gray8($plane) | Image::Mask($plane) => $body,
            Image::Gray16($plane) => $body,
            Image::GrayF32($plane) => $body,
            Image::Rgb8($plane) => $body,
            Image::Rgb16($plane) => $body,
            Image::RgbF32($plane) => $body,
            Image::Labels($plane) => $body,
            Image::Gradient(Gradient::I16 { dx: $plane, .. }) => $body,
            Image::Gradient(Gradient::F32 { dx: $plane, .. }) => $body,
        }
    };
}

impl Image {
    /// A zeroed image.
    pub fn new(ty: ImageType, width: usize, height: usize) -> Self {
        let (w, h) = (width, height);
        match ty {
            ImageType::Gray8 => Self::Gray8(Plane::new(w, h)),
            ImageType::Gray16 => Self::Gray16(Plane::new(w, h)),
            ImageType::GrayF32 => Self::GrayF32(Plane::new(w, h)),
            ImageType::Rgb8 => Self::Rgb8(Plane::new(w, h)),
            ImageType::Rgb16 => Self::Rgb16(Plane::new(w, h)),
            ImageType::RgbF32 => Self::RgbF32(Plane::new(w, h)),
            ImageType::Mask => Self::Mask(Plane::new(w, h)),
            ImageType::Labels => Self::Labels(Plane::new(w, h)),
            ImageType::GradientI16 => {
                Self::Gradient(Gradient::I16 { dx: Plane::new(w, h), dy: Plane::new(w, h) })
            }
            ImageType::GradientF32 => {
                Self::Gradient(Gradient::F32 { dx: Plane::new(w, h), dy: Plane::new(w, h) })
            }
        }
    }

    /// The type.
    pub fn ty(&self) -> ImageType {
        match self {
            Self::Gray8(_) => ImageType::Gray8,
            Self::Gray16(_) => ImageType::Gray16,
            Self::GrayF32(_) => ImageType::GrayF32,
            Self::Rgb8(_) => ImageType::Rgb8,
            Self::Rgb16(_) => ImageType::Rgb16,
            Self::RgbF32(_) => ImageType::RgbF32,
            Self::Mask(_) => ImageType::Mask,
            Self::Labels(_) => ImageType::Labels,
            Self::Gradient(Gradient::I16 { .. }) => ImageType::GradientI16,
            Self::Gradient(Gradient::F32 { .. }) => ImageType::GradientF32,
        }
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        with_first_plane!(self, plane => plane.width())
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        with_first_plane!(self, plane => plane.height())
    }

    /// Whether its pixels belong to [somebody else](Plane::from_shared).
    pub fn is_shared(&self) -> bool {
        with_first_plane!(self, plane => plane.is_shared())
    }

    /// The bytes of a plane, row after row: plane 0, or 1 (dy) of gradients.
    ///
    /// # Panics
    /// When there is no such plane.
    pub fn plane_bytes(&self, plane: usize) -> &[u8] {
        assert!(plane < self.ty().planes(), "plane {plane} of {}", self.ty());
        match self {
            Self::Gradient(Gradient::I16 { dy, .. }) if plane == 1 => bytemuck::cast_slice(dy.as_slice()),
            Self::Gradient(Gradient::F32 { dy, .. }) if plane == 1 => bytemuck::cast_slice(dy.as_slice()),
            _ => with_first_plane!(self, plane => bytemuck::cast_slice(plane.as_slice())),
        }
    }

    /// The bytes of every plane, to write.
    pub fn planes_bytes_mut(&mut self) -> Vec<&mut [u8]> {
        let planes = self.ty().planes();
        self.plane_pair_bytes_mut().into_iter().take(planes).collect()
    }

    /// The bytes of both planes, to write; the second is empty where there is but one.
    pub(crate) fn plane_pair_bytes_mut(&mut self) -> [&mut [u8]; 2] {
        fn bytes<T: Pixel>(plane: &mut Plane<T>) -> &mut [u8] {
            bytemuck::cast_slice_mut(plane.as_mut_slice())
        }
        match self {
            Self::Gray8(p) | Self::Mask(p) => [bytes(p), &mut []],
            Self::Gray16(p) => [bytes(p), &mut []],
            Self::GrayF32(p) => [bytes(p), &mut []],
            Self::Rgb8(p) => [bytes(p), &mut []],
            Self::Rgb16(p) => [bytes(p), &mut []],
            Self::RgbF32(p) => [bytes(p), &mut []],
            Self::Labels(p) => [bytes(p), &mut []],
            Self::Gradient(Gradient::I16 { dx, dy }) => [bytes(dx), bytes(dy)],
            Self::Gradient(Gradient::F32 { dx, dy }) => [bytes(dx), bytes(dy)],
        }
    }

    /// The plane of an 8-bit gray image or mask.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) for any other type.
    pub fn as_gray8(&self) -> Result<&Plane<u8>> {
        match self {
            Self::Gray8(plane) | Self::Mask(plane) => Ok(plane),
            other => Err(Error::shape(format!("expected a `gray8` or `mask` image, got `{}`", other.ty()))),
        }
    }

    /// The plane of a float gray image.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) for any other type.
    pub fn as_gray_f32(&self) -> Result<&Plane<f32>> {
        match self {
            Self::GrayF32(plane) => Ok(plane),
            other => Err(Error::shape(format!("expected a `gray-f32` image, got `{}`", other.ty()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_images_have_the_type_and_size_asked_for() {
        for ty in ImageType::ALL {
            let mut image = Image::new(ty, 3, 2);
            assert_eq!((image.ty(), image.width(), image.height()), (ty, 3, 2));
            assert_eq!(image.planes_bytes_mut().len(), ty.planes());
            for plane in 0..ty.planes() {
                assert_eq!(image.plane_bytes(plane).len(), 6 * ty.pixel_size());
            }
        }
    }
}
