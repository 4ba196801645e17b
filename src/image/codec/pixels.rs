//! From the samples of a decoder to an image and its alpha.

use super::{NewImage, Picture, Source, orient};
use crate::image::alpha::Alpha;
use crate::image::{Element, Image, Plane};
use crate::{Error, Result};

/// The picture of a source whose interleaved samples, alpha last, are written by `fill` into bytes
/// of the native order.
pub(super) fn assemble(source: Source, fill: impl FnOnce(&mut [u8]) -> Result<()>) -> Result<Picture> {
    assemble_in(&Image::new, source, fill)
}

/// As [`assemble`], in memory that is had from `new_image`: `fill` has to write every byte.
pub(super) fn assemble_in(
    new_image: NewImage<'_>,
    source: Source,
    fill: impl FnOnce(&mut [u8]) -> Result<()>,
) -> Result<Picture> {
    let (mut width, mut height) = (source.width, source.height);
    if source.orientation.swaps_axes() {
        (width, height) = (height, width);
    }
    let mut image = new_image(source.ty, width, height);
    let mut planes = image.planes_bytes_mut();
    let [colors] = planes.as_mut_slice() else {
        return Err(Error::unsupported(format!("a picture of type `{}`", source.ty)));
    };
    let alpha = if source.alpha {
        let mut alpha = Plane::new(width, height);
        match source.ty.element() {
            Element::U8 => split::<u8>(colors, &mut alpha, source, fill)?,
            Element::U16 => split::<u16>(colors, &mut alpha, source, fill)?,
            Element::F32 => split::<f32>(colors, &mut alpha, source, fill)?,
            _ => return Err(Error::unsupported(format!("alpha beside `{}`", source.ty))),
        }
        Some(orient::plane(alpha, source.orientation))
    } else {
        fill(colors)?;
        None
    };
    drop(planes);
    Ok(Picture { image: orient::image(image, source.orientation), alpha, source })
}

fn split<T: Alpha>(
    colors: &mut [u8],
    alpha: &mut Plane<u8>,
    source: Source,
    fill: impl FnOnce(&mut [u8]) -> Result<()>,
) -> Result<()> {
    let channels = source.ty.channels();
    let mut samples = vec![T::zeroed(); alpha.as_slice().len() * (channels + 1)];
    fill(bytemuck::cast_slice_mut(&mut samples))?;
    let colors: &mut [T] = bytemuck::cast_slice_mut(colors);
    let alpha = alpha.as_mut_slice();
    if channels == 3 {
        let pixels = samples.as_chunks::<4>().0.iter();
        for ((&[r, g, b, a], out), alpha) in pixels.zip(colors.as_chunks_mut::<3>().0).zip(alpha) {
            *out = [r, g, b];
            *alpha = a.to_u8();
        }
    } else {
        let pixels = samples.as_chunks::<2>().0.iter();
        for ((&[v, a], out), alpha) in pixels.zip(colors).zip(alpha) {
            *out = v;
            *alpha = a.to_u8();
        }
    }
    Ok(())
}
