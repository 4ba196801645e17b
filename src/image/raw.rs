//! Pixels in somebody else's buffer: rows that lie a stride apart, channels in any usual order.

use std::fmt;

use super::alpha::Alpha;
use super::{Element, Image, ImageType, Pixel, Plane};
use crate::{Error, Result};

/// How the pixels of a raw buffer are laid out: the order of the channels, and the number type of each.
///
/// Numbers of 16 bit and floats are in the byte order of the computer; floats use 0 to 1.
///
/// ```
/// use lyncean::image::{ImageType, PixelFormat};
///
/// let format = PixelFormat::Bgra8;
/// assert_eq!((format.pixel_size(), format.has_alpha(), format.ty()), (4, true, ImageType::Rgb8));
/// assert_eq!(format.to_string(), "bgra8");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PixelFormat {
    order: Order,
    element: Element,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Order {
    Gray,
    Rgb,
    Bgr,
    Rgba,
    Bgra,
}

/// The formats, named as everywhere.
#[allow(non_upper_case_globals, reason = "they read as the variants of an enum")]
impl PixelFormat {
    /// One channel of 8 bit.
    pub const Gray8: Self = Self::new(Order::Gray, Element::U8);
    /// One channel of 16 bit.
    pub const Gray16: Self = Self::new(Order::Gray, Element::U16);
    /// One channel, `f32`.
    pub const GrayF32: Self = Self::new(Order::Gray, Element::F32);
    /// Red, green, blue of 8 bit.
    pub const Rgb8: Self = Self::new(Order::Rgb, Element::U8);
    /// Red, green, blue of 16 bit.
    pub const Rgb16: Self = Self::new(Order::Rgb, Element::U16);
    /// Red, green, blue, `f32`.
    pub const RgbF32: Self = Self::new(Order::Rgb, Element::F32);
    /// Blue, green, red of 8 bit: OpenCV's order.
    pub const Bgr8: Self = Self::new(Order::Bgr, Element::U8);
    /// Blue, green, red of 16 bit.
    pub const Bgr16: Self = Self::new(Order::Bgr, Element::U16);
    /// Blue, green, red, `f32`.
    pub const BgrF32: Self = Self::new(Order::Bgr, Element::F32);
    /// Red, green, blue, alpha of 8 bit.
    pub const Rgba8: Self = Self::new(Order::Rgba, Element::U8);
    /// Red, green, blue, alpha of 16 bit.
    pub const Rgba16: Self = Self::new(Order::Rgba, Element::U16);
    /// Red, green, blue, alpha, `f32`.
    pub const RgbaF32: Self = Self::new(Order::Rgba, Element::F32);
    /// Blue, green, red, alpha of 8 bit: that of most windows and screens.
    pub const Bgra8: Self = Self::new(Order::Bgra, Element::U8);
    /// Blue, green, red, alpha of 16 bit.
    pub const Bgra16: Self = Self::new(Order::Bgra, Element::U16);
    /// Blue, green, red, alpha, `f32`.
    pub const BgraF32: Self = Self::new(Order::Bgra, Element::F32);

    const fn new(order: Order, element: Element) -> Self {
        Self { order, element }
    }

    /// Channels of a pixel, alpha among them.
    pub const fn channels(self) -> usize {
        match self.order {
            Order::Gray => 1,
            Order::Rgb | Order::Bgr => 3,
            Order::Rgba | Order::Bgra => 4,
        }
    }

    /// Whether the last channel is alpha.
    pub const fn has_alpha(self) -> bool {
        matches!(self.order, Order::Rgba | Order::Bgra)
    }

    /// Bytes of a pixel.
    pub const fn pixel_size(self) -> usize {
        self.channels() * self.element.size()
    }

    /// The type of the image that such pixels become.
    pub const fn ty(self) -> ImageType {
        match (self.order, self.element) {
            (Order::Gray, Element::U8) => ImageType::Gray8,
            (Order::Gray, Element::U16) => ImageType::Gray16,
            (Order::Gray, _) => ImageType::GrayF32,
            (_, Element::U8) => ImageType::Rgb8,
            (_, Element::U16) => ImageType::Rgb16,
            _ => ImageType::RgbF32,
        }
    }
}

impl fmt::Display for PixelFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = match self.order {
            Order::Gray => "gray",
            Order::Rgb => "rgb",
            Order::Bgr => "bgr",
            Order::Rgba => "rgba",
            Order::Bgra => "bgra",
        };
        let element = match self.element {
            Element::U8 => "8",
            Element::U16 => "16",
            _ => "-f32",
        };
        write!(f, "{order}{element}")
    }
}

impl Image {
    /// An image, and its alpha if the format has one, from the pixels of a buffer whose rows start `stride`
    /// bytes apart.
    ///
    /// Blue and red change places where the format says so. Alpha becomes 0 to 255; colours are not
    /// multiplied with it.
    ///
    /// ```
    /// use lyncean::image::{Image, PixelFormat};
    ///
    /// // Two rows of one pixel, blue first, and four bytes that fill each row up.
    /// let bytes = [3, 2, 1, 255, 0, 0, 0, 0, 30, 20, 10, 128, 0, 0, 0, 0];
    /// let (image, alpha) = Image::from_raw(&bytes, 1, 2, 8, PixelFormat::Bgra8)?;
    /// let Image::Rgb8(plane) = image else { panic!("{}", image.ty()) };
    /// assert_eq!(plane.as_slice(), [[1, 2, 3], [10, 20, 30]]);
    /// assert_eq!(alpha.unwrap().as_slice(), [255, 128]);
    /// # Ok::<(), lyncean::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when a row does not fit into the stride, or the rows into the
    /// buffer.
    pub fn from_raw(
        bytes: &[u8],
        width: usize,
        height: usize,
        stride: usize,
        format: PixelFormat,
    ) -> Result<(Self, Option<Plane<u8>>)> {
        check(bytes.len(), width, height, stride, format)?;
        let mut image = Self::new(format.ty(), width, height);
        image.fill_from_raw(bytes, stride, format);
        let mut alpha = format.has_alpha().then(|| Plane::new(width, height));
        if let Some(alpha) = &mut alpha {
            fill_alpha(alpha, bytes, stride, format);
        }
        Ok((image, alpha))
    }

    /// Writes the pixels of a buffer, as of [`from_raw`](Self::from_raw), over this image, which keeps its
    /// size: for cameras, whose frames need no fresh memory then. Alpha is left out.
    ///
    /// ```
    /// use lyncean::image::{Image, ImageType, PixelFormat};
    ///
    /// let mut frame = Image::new(ImageType::Gray8, 2, 1);
    /// frame.update_from_raw(&[7, 8, 0, 0], 4, PixelFormat::Gray8)?;
    /// assert_eq!(frame.as_gray8()?.as_slice(), [7, 8]);
    /// let error = frame.update_from_raw(&[7], 2, PixelFormat::Gray8).unwrap_err();
    /// assert_eq!(error.message(), "a buffer of 2x1 `gray8` wants at least 2 bytes, got 1");
    /// # Ok::<(), lyncean::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when the image is of another type than the format gives, and as
    /// [`from_raw`](Self::from_raw).
    pub fn update_from_raw(&mut self, bytes: &[u8], stride: usize, format: PixelFormat) -> Result<()> {
        if self.ty() != format.ty() {
            let (ty, wanted) = (self.ty(), format.ty());
            return Err(Error::shape(format!(
                "`{format}` is written into `{wanted}`, got an image of `{ty}`"
            )));
        }
        check(bytes.len(), self.width(), self.height(), stride, format)?;
        self.fill_from_raw(bytes, stride, format);
        Ok(())
    }

    fn fill_from_raw(&mut self, bytes: &[u8], stride: usize, format: PixelFormat) {
        let (from, by) = (bytes, stride);
        match self {
            Self::Gray8(plane) => copy_rows(plane, from, by),
            Self::Gray16(plane) => copy_rows(plane, from, by),
            Self::GrayF32(plane) => copy_rows(plane, from, by),
            Self::Rgb8(plane) => fill_colors(plane, from, by, format),
            Self::Rgb16(plane) => fill_colors(plane, from, by, format),
            Self::RgbF32(plane) => fill_colors(plane, from, by, format),
            Self::Mask(_) | Self::Labels(_) | Self::Gradient(_) => {
                unreachable!("no format gives `{}`", self.ty())
            }
        }
    }
}

/// Whether a buffer holds what it is said to hold.
fn check(len: usize, width: usize, height: usize, stride: usize, format: PixelFormat) -> Result<()> {
    let what = || format!("a buffer of {width}x{height} `{format}`");
    let too_large = || Error::limit(format!("{} is larger than the memory of any computer", what()));
    let row = width.checked_mul(format.pixel_size()).ok_or_else(too_large)?;
    if row == 0 || height == 0 {
        return Ok(());
    }
    if stride < row {
        return Err(Error::shape(format!("{} wants a stride of at least {row} bytes, got {stride}", what()))
            .with_hint("the stride counts bytes, not pixels"));
    }
    // Of the last row no more than its pixels has to be there.
    let needed = stride.checked_mul(height - 1).and_then(|above| above.checked_add(row));
    let needed = needed.ok_or_else(too_large)?;
    if len < needed {
        return Err(Error::shape(format!("{} wants at least {needed} bytes, got {len}", what())));
    }
    Ok(())
}

fn copy_rows<T: Pixel>(plane: &mut Plane<T>, bytes: &[u8], stride: usize) {
    let row = plane.width() * size_of::<T>();
    if row == 0 {
        return;
    }
    let rows = plane.as_mut_slice().chunks_exact_mut(row / size_of::<T>());
    for (out, from) in rows.zip(bytes.chunks(stride)) {
        bytemuck::cast_slice_mut(out).copy_from_slice(&from[..row]);
    }
}

fn fill_colors<T>(plane: &mut Plane<[T; 3]>, bytes: &[u8], stride: usize, format: PixelFormat)
where
    T: bytemuck::Pod,
    [T; 3]: Pixel,
{
    match format.order {
        Order::Rgba => each_row(plane, bytes, stride, |&[r, g, b, _]: &[T; 4]| [r, g, b]),
        Order::Bgra => each_row(plane, bytes, stride, |&[b, g, r, _]: &[T; 4]| [r, g, b]),
        Order::Bgr => each_row(plane, bytes, stride, |&[b, g, r]: &[T; 3]| [r, g, b]),
        Order::Rgb | Order::Gray => copy_rows(plane, bytes, stride),
    }
}

fn fill_alpha(alpha: &mut Plane<u8>, bytes: &[u8], stride: usize, format: PixelFormat) {
    match format.element {
        Element::U8 => each_row(alpha, bytes, stride, |&[.., a]: &[u8; 4]| a),
        Element::U16 => each_row(alpha, bytes, stride, |&[.., a]: &[u16; 4]| a.to_u8()),
        _ => each_row(alpha, bytes, stride, |&[.., a]: &[f32; 4]| a.to_u8()),
    }
}

/// Maps pixels `P` of a buffer to those of a plane.
fn each_row<P: bytemuck::Pod, T: Pixel>(
    plane: &mut Plane<T>,
    bytes: &[u8],
    stride: usize,
    map: impl Fn(&P) -> T,
) {
    let width = plane.width();
    if width == 0 {
        return;
    }
    for (out, from) in plane.as_mut_slice().chunks_exact_mut(width).zip(bytes.chunks(stride)) {
        let from = &from[..width * size_of::<P>()];
        match bytemuck::try_cast_slice::<u8, P>(from) {
            Ok(pixels) => out.iter_mut().zip(pixels).for_each(|(out, pixel)| *out = map(pixel)),
            // A buffer may start anywhere.
            Err(_) => {
                let pixels = from.chunks_exact(size_of::<P>()).map(bytemuck::pod_read_unaligned::<P>);
                out.iter_mut().zip(pixels).for_each(|(out, pixel)| *out = map(&pixel));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDERS: [(Order, &[usize]); 5] = [
        (Order::Gray, &[0]),
        (Order::Rgb, &[0, 1, 2]),
        (Order::Bgr, &[2, 1, 0]),
        (Order::Rgba, &[0, 1, 2, 3]),
        (Order::Bgra, &[2, 1, 0, 3]),
    ];

    /// Channel `c` of pixel `(x, y)`, as the bytes of its element.
    fn sample(x: usize, y: usize, c: usize, element: Element) -> Vec<u8> {
        let value = 40 * c + 10 * y + x + 1;
        match element {
            Element::U8 => vec![value as u8],
            Element::U16 => (value as u16 * 257).to_ne_bytes().to_vec(),
            _ => (value as f32 / 255.0).to_ne_bytes().to_vec(),
        }
    }

    #[test]
    fn every_format_stride_and_alignment_gives_the_same_picture() {
        let (width, height) = (5, 3);
        for element in [Element::U8, Element::U16, Element::F32] {
            for (order, channels) in ORDERS {
                let format = PixelFormat { order, element };
                for (pad, shift) in [(0, 0), (3, 0), (8, 1)] {
                    let stride = width * format.pixel_size() + pad;
                    let mut bytes = vec![99u8; shift];
                    for y in 0..height {
                        for x in 0..width {
                            for &c in channels {
                                bytes.extend(sample(x, y, c, element));
                            }
                        }
                        bytes.resize(shift + (y + 1) * stride, 77);
                    }
                    // The last row ends with its pixels.
                    bytes.truncate(bytes.len() - pad);
                    let (image, alpha) =
                        Image::from_raw(&bytes[shift..], width, height, stride, format).unwrap();
                    let colors = image.ty().channels();
                    let wanted: Vec<u8> = (0..height * width * colors)
                        .flat_map(|i| {
                            let (pixel, c) = (i / colors, i % colors);
                            sample(pixel % width, pixel / width, c, element)
                        })
                        .collect();
                    assert_eq!(image.plane_bytes(0), wanted, "{format} {pad} {shift}");
                    assert_eq!(alpha.is_some(), format.has_alpha());
                    if let Some(alpha) = alpha {
                        assert_eq!(alpha, Plane::from_fn(width, height, |x, y| (121 + 10 * y + x) as u8));
                    }
                    let mut again = Image::new(format.ty(), width, height);
                    again.update_from_raw(&bytes[shift..], stride, format).unwrap();
                    assert_eq!(again, image);
                    let short = bytes.len() - shift - 1;
                    assert!(again.update_from_raw(&bytes[shift..][..short], stride, format).is_err());
                }
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_told_with_numbers() {
        let message = |len, w, h, stride, format| {
            Image::from_raw(&vec![0; len], w, h, stride, format).unwrap_err().message().to_owned()
        };
        assert_eq!(
            message(100, 4, 2, 4, PixelFormat::Rgb8),
            "a buffer of 4x2 `rgb8` wants a stride of at least 12 bytes, got 4"
        );
        assert_eq!(
            message(27, 3, 2, 16, PixelFormat::Bgra8),
            "a buffer of 3x2 `bgra8` wants at least 28 bytes, got 27"
        );
        assert!(message(0, usize::MAX, 2, 1, PixelFormat::Gray16).contains("larger than the memory"));
        assert!(message(0, 1, usize::MAX, usize::MAX, PixelFormat::Gray8).contains("larger than the memory"));
        let mut mask = Image::new(ImageType::Mask, 1, 1);
        let error = mask.update_from_raw(&[0], 1, PixelFormat::Gray8).unwrap_err();
        assert_eq!(error.message(), "`gray8` is written into `gray8`, got an image of `mask`");
        assert!(Image::from_raw(&[], 0, 5, 0, PixelFormat::Rgb8).is_ok());
    }
}
