//! From and to arrays of `ndarray`: `[rows, columns]` for one channel, `[rows, columns, 3]` for colours.
//!
//! Arrays in standard layout give and take their memory; others are copied.

use ndarray::{Array, Array2, Array3, ArrayView2, ArrayView3, Dimension};

use super::{Image, Pixel, Plane, View};
use crate::{Error, Result};

/// The numbers of an array row after row, in its memory where they stand so.
fn numbers<T: Clone, D: Dimension>(array: Array<T, D>) -> Vec<T> {
    let len = array.len();
    if array.is_standard_layout() {
        let (mut values, start) = array.into_raw_vec_and_offset();
        let start = start.unwrap_or_default();
        if start > 0 {
            values.drain(..start);
        }
        values.truncate(len);
        values
    } else {
        array.iter().cloned().collect()
    }
}

/// A plane over an array of so many rows and columns.
fn plane<T: Pixel>(height: usize, width: usize, numbers: Vec<T::Channel>) -> Result<Plane<T>> {
    let pixels = bytemuck::allocation::try_cast_vec(numbers)
        .unwrap_or_else(|(_, numbers)| bytemuck::cast_slice(&numbers).to_vec());
    Plane::from_vec(width, height, pixels)
}

/// The channels of a plane one after the other.
fn flat<T: Pixel>(plane: Plane<T>) -> Vec<T::Channel> {
    bytemuck::allocation::try_cast_vec(plane.into_vec())
        .unwrap_or_else(|(_, pixels)| bytemuck::cast_slice(&pixels).to_vec())
}

fn odd(error: &ndarray::ShapeError) -> Error {
    Error::new(crate::ErrorKind::Internal, format!("a plane is no array: {error}"))
}

macro_rules! arrays {
    ($($number:ty => $gray:ident, $color:ident;)*) => {$(
        impl TryFrom<Array2<$number>> for Image {
            type Error = Error;

            /// A gray image of an array `[rows, columns]`.
            fn try_from(array: Array2<$number>) -> Result<Self> {
                let (height, width) = array.dim();
                Ok(Self::$gray(plane(height, width, numbers(array))?))
            }
        }

        impl TryFrom<Array3<$number>> for Image {
            type Error = Error;

            /// An image of an array `[rows, columns, 3]` of red, green and blue, or `[rows, columns, 1]`.
            fn try_from(array: Array3<$number>) -> Result<Self> {
                let (height, width, channels) = array.dim();
                match channels {
                    1 => Ok(Self::$gray(plane(height, width, numbers(array))?)),
                    3 => Ok(Self::$color(plane(height, width, numbers(array))?)),
                    _ => Err(Error::shape(format!(
                        "an image wants an array of [rows, columns, 3] or [rows, columns, 1], \
                         got [{height}, {width}, {channels}]"
                    ))),
                }
            }
        }

        impl Plane<$number> {
            /// The plane as an array `[rows, columns]`, without a copy.
            ///
            /// # Errors
            /// [`Internal`](crate::ErrorKind::Internal) when the array cannot have that many elements.
            pub fn array_view(&self) -> Result<ArrayView2<'_, $number>> {
                let shape = (self.height(), self.width());
                ArrayView2::from_shape(shape, self.as_slice()).map_err(|error| odd(&error))
            }
        }

        impl Plane<[$number; 3]> {
            /// The plane as an array `[rows, columns, 3]`, without a copy.
            ///
            /// # Errors
            /// [`Internal`](crate::ErrorKind::Internal) when the array cannot have that many elements.
            pub fn array_view(&self) -> Result<ArrayView3<'_, $number>> {
                let shape = (self.height(), self.width(), 3);
                ArrayView3::from_shape(shape, self.as_slice().as_flattened()).map_err(|error| odd(&error))
            }
        }

        impl TryFrom<Plane<$number>> for Array2<$number> {
            type Error = Error;

            /// An array `[rows, columns]` in the memory of the plane.
            fn try_from(plane: Plane<$number>) -> Result<Self> {
                let shape = (plane.height(), plane.width());
                Self::from_shape_vec(shape, plane.into_vec()).map_err(|error| odd(&error))
            }
        }

        impl TryFrom<Plane<[$number; 3]>> for Array3<$number> {
            type Error = Error;

            /// An array `[rows, columns, 3]` in the memory of the plane.
            fn try_from(plane: Plane<[$number; 3]>) -> Result<Self> {
                let shape = (plane.height(), plane.width(), 3);
                Self::from_shape_vec(shape, flat(plane)).map_err(|error| odd(&error))
            }
        }

        impl<'a> TryFrom<ArrayView2<'a, $number>> for View<'a, $number> {
            type Error = Error;

            /// A view of the same memory.
            fn try_from(array: ArrayView2<'a, $number>) -> Result<Self> {
                let (height, width) = array.dim();
                match array.to_slice() {
                    Some(pixels) => View::new(pixels, width, height, width),
                    None => Err(Error::shape("a view wants an array in standard layout")
                        .with_hint("`as_standard_layout` copies it into order")),
                }
            }
        }
    )*};
}

arrays! {
    u8 => Gray8, Rgb8;
    u16 => Gray16, Rgb16;
    f32 => GrayF32, RgbF32;
}
