//! Images seen through an affine map: turned by any angle, sheared, moved.

use super::band::{bands, fill_bands, rows_of};
use super::row::Shape;
use super::stencil::expect_types;
use crate::image::{Affine, Border, BorderMode, Image, ImageType, Pixel, Plane};
pub use crate::kernel::warp::Taps;
use crate::kernel::warp::{Line, Source, Weighted, cubic_weights, warp_row};
use crate::ops::Context;
use crate::{Error, Result};

/// The largest width and height of a result.
pub const MAX_SIZE: usize = 65535;

/// Parameters of [`warp_affine`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Warp {
    /// From coordinates of the result to those of the image, both counted from pixel edges: the centre of
    /// the first pixel is at one half.
    pub map: Affine,
    /// Width of the result in pixels.
    pub width: usize,
    /// Height of the result in pixels.
    pub height: usize,
    /// How values between pixels are found.
    pub taps: Taps,
    /// What lies beyond the image; not [`BorderMode::Valid`].
    pub border: Border,
}

/// From a matrix that takes pixel centres of the image to pixel centres of the result, counted from 0 as
/// OpenCV does, to the [map](Warp::map) that is wanted here.
///
/// # Errors
/// [`Pipeline`](crate::ErrorKind::Pipeline) for a matrix that makes everything one line, and numbers that
/// are not finite.
pub fn from_centres(matrix: Affine) -> Result<Affine> {
    let is_finite = matrix.rows.as_flattened().iter().all(|value| value.is_finite());
    let edges = Affine::translation(0.5, 0.5).after(&matrix).after(&Affine::translation(-0.5, -0.5));
    match edges.inverse() {
        Some(inverse) if is_finite => Ok(inverse),
        _ => Err(Error::pipeline("the matrix cannot be inverted").with_hint("its picture would be a line")),
    }
}

/// The size of an image turned by an angle, so that no corner is cut off; and the map back to it.
pub fn rotation(width: usize, height: usize, degrees: f64, expand: bool) -> (usize, usize, Affine) {
    let (sin, cos) = sin_cos(degrees);
    let (w, h) = (width as f64, height as f64);
    // What is within a millionth of a pixel is rounding.
    let length = |value: f64| ((value - 1e-6).ceil().max(1.0)) as usize;
    let (to_width, to_height) = if expand {
        (length(w * cos.abs() + h * sin.abs()), length(w * sin.abs() + h * cos.abs()))
    } else {
        (width, height)
    };
    let turn = Affine { rows: [[cos, -sin, 0.0], [sin, cos, 0.0]] };
    let map = Affine::translation(w / 2.0, h / 2.0)
        .after(&turn)
        .after(&Affine::translation(-(to_width as f64) / 2.0, -(to_height as f64) / 2.0));
    (to_width, to_height, map)
}

/// Sine and cosine, exact at right angles.
fn sin_cos(degrees: f64) -> (f64, f64) {
    let turns = degrees.rem_euclid(360.0);
    match turns {
        0.0 => (0.0, 1.0),
        90.0 => (1.0, 0.0),
        180.0 => (0.0, -1.0),
        270.0 => (-1.0, 0.0),
        _ => libm::sincos(turns.to_radians()),
    }
}

/// The type of the result: masks stay masks with the nearest pixel alone.
pub(crate) fn output_type(input: ImageType, taps: Taps) -> ImageType {
    if input == ImageType::Mask && taps != Taps::Nearest { ImageType::Gray8 } else { input }
}

/// Checks that an image can be warped.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for gradients, labels unless nearest, images without pixels, and masks
/// whose border is neither 0 nor 255; [`Pipeline`](crate::ErrorKind::Pipeline) for sizes of 0 or beyond
/// [`MAX_SIZE`], the border `valid`, and a map that is not finite.
pub fn check(input: Shape, params: &Warp) -> Result<()> {
    use ImageType::{Gray8, Gray16, GrayF32, Labels, Mask, Rgb8, Rgb16, RgbF32};
    let Warp { width, height, taps, border, .. } = *params;
    // Labels last: they are not to be blended.
    let accepted = [Gray8, Gray16, GrayF32, Rgb8, Rgb16, RgbF32, Mask, Labels];
    let blended = accepted.len() - usize::from(taps != Taps::Nearest);
    expect_types("warp", input, &accepted[..blended])?;
    if params.map.rows.as_flattened().iter().any(|value| !value.is_finite()) {
        return Err(Error::pipeline("a warp wants a map of finite numbers"));
    }
    if border.mode == BorderMode::Valid {
        return Err(Error::pipeline("a warp wants a border that gives pixels, got `valid`"));
    }
    if width == 0 || height == 0 || width > MAX_SIZE || height > MAX_SIZE {
        return Err(Error::pipeline(format!(
            "a warp wants a size of 1x1 to {MAX_SIZE}x{MAX_SIZE}, got {width}x{height}"
        )));
    }
    if input.width == 0 || input.height == 0 {
        return Err(Error::shape(format!(
            "a warp wants pixels to start from, got {}x{}",
            input.width, input.height
        )));
    }
    let is_mask = output_type(input.ty, taps) == ImageType::Mask && border.mode == BorderMode::Constant;
    if is_mask && border.value != 0.0 && border.value != 255.0 {
        return Err(Error::shape(format!("masks hold 0 and 255 only, not {}", border.value)));
    }
    Ok(())
}

/// The image seen through a map, in its type; masks become gray unless nearest.
///
/// Positions are rounded to 1/2048 pixel (OpenCV's `warpAffine`: 1/32), integers then exactly weighted and
/// rounded half up.
///
/// # Errors
/// As [`check`], and [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn warp_affine(image: &Image, params: &Warp, cx: &Context) -> Result<Image> {
    check(Shape::of(image), params)?;
    let value = params.border.value;
    // Rust's casts from floats saturate.
    let (byte, word) = (value.round_ties_even() as u8, value.round_ties_even() as u16);
    Ok(match image {
        Image::Gray8(plane) => Image::Gray8(warp::<_, u8, 1>(plane, byte, params, cx)?),
        Image::Mask(plane) => {
            let plane = warp::<_, u8, 1>(plane, byte, params, cx)?;
            if params.taps == Taps::Nearest { Image::Mask(plane) } else { Image::Gray8(plane) }
        }
        Image::Gray16(plane) => Image::Gray16(warp::<_, u16, 1>(plane, word, params, cx)?),
        Image::GrayF32(plane) => Image::GrayF32(warp::<_, f32, 1>(plane, value, params, cx)?),
        Image::Rgb8(plane) => Image::Rgb8(warp::<_, u8, 3>(plane, byte, params, cx)?),
        Image::Rgb16(plane) => Image::Rgb16(warp::<_, u16, 3>(plane, word, params, cx)?),
        Image::RgbF32(plane) => Image::RgbF32(warp::<_, f32, 3>(plane, value, params, cx)?),
        Image::Labels(plane) => {
            // Only copied, so that any type of four bytes will do.
            let floats: Plane<f32> = plane.map(f32::from_bits);
            let constant = f32::from_bits(value.round_ties_even() as u32);
            let warped = warp::<_, f32, 1>(&floats, constant, params, cx)?;
            Image::Labels(warped.map(f32::to_bits))
        }
        Image::Gradient(_) => return Err(Error::shape("a gradient cannot be warped")),
    })
}

fn warp<P, T, const C: usize>(plane: &Plane<P>, constant: T, params: &Warp, cx: &Context) -> Result<Plane<P>>
where
    P: Pixel<Channel = T>,
    T: Weighted,
{
    let source = Source {
        values: bytemuck::cast_slice(plane.as_slice()),
        width: plane.width(),
        height: plane.height(),
        border: params.border,
        constant,
    };
    // The same map between pixel centres.
    let [[a, b, c], [d, e, f]] =
        Affine::translation(-0.5, -0.5).after(&params.map).after(&Affine::translation(0.5, 0.5)).rows;
    let cubic = if params.taps == Taps::Bicubic { cubic_weights() } else { Vec::new() };
    let mut out = cx.plane(params.width, params.height);
    fill_bands(
        &mut out,
        &bands(params.height, cx.threads, rows_of(cx, 32 << 10, params.width, 16)),
        |band, out| {
            let out: &mut [T] = bytemuck::cast_slice_mut(out);
            for (y, out) in band.zip(out.chunks_exact_mut(params.width * C)) {
                if y % 64 == 0 {
                    cx.check()?;
                }
                let line = Line { x: b * y as f64 + c, x_step: a, y: e * y as f64 + f, y_step: d };
                warp_row::<T, C>(cx.isa, &source, line, params.taps, &cubic, out);
            }
            Ok(())
        },
    )?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::BorderMode;
    use crate::kernel::Isa;

    #[test]
    fn the_far_end_of_a_very_wide_picture_is_seen_by_every_set() {
        // Positions in units of 1/2048 fit 31 bits, and do not.
        for width in [600_000, 1_200_000] {
            let value = |x: usize, y: usize| ((x * 7 + y * 31) % 251) as u8;
            let params = Warp {
                map: Affine::translation(width as f64 - 9_999.75, 0.5),
                width: 128,
                height: 3,
                taps: Taps::Bilinear,
                border: BorderMode::Constant.into(),
            };
            for image in [
                Image::Gray8(Plane::from_fn(width, 4, value)),
                Image::Rgb8(Plane::from_fn(width, 4, |x, y| [value(x, y), value(y, x), 9])),
            ] {
                let run = |isa| warp_affine(&image, &params, &Context::default().with_isa(isa)).unwrap();
                let portable = run(Isa::PORTABLE);
                for isa in Isa::available() {
                    assert_eq!(run(isa), portable, "{isa:?} {width}");
                }
            }
        }
    }

    #[test]
    fn turned_gray_and_colours_are_the_same_on_every_set() {
        let value = |x: usize, y: usize, c: usize| (x * 37 + y * 101 + c * 59 + x * y) as u8;
        let gray = Image::Gray8(Plane::from_fn(61, 47, |x, y| value(x, y, 0)));
        let colours = Image::Rgb8(Plane::from_fn(61, 47, |x, y| [0, 1, 2].map(|c| value(x, y, c))));
        for degrees in [0.0, 3.0, 45.0, 90.0, 200.0] {
            let (width, height, map) = rotation(61, 47, degrees, true);
            for border in [BorderMode::Constant, BorderMode::Reflect101] {
                let params = Warp { map, width, height, taps: Taps::Bilinear, border: border.into() };
                let run = |image: &Image, isa| {
                    warp_affine(image, &params, &Context::default().with_isa(isa)).unwrap()
                };
                let turned = run(&colours, Isa::PORTABLE);
                let channel = |image: &Image| match image {
                    Image::Rgb8(plane) => plane.map(|pixel| pixel[0]),
                    other => other.as_gray8().unwrap().clone(),
                };
                assert_eq!(channel(&turned), channel(&run(&gray, Isa::PORTABLE)), "{degrees}");
                for isa in Isa::available() {
                    assert_eq!(run(&colours, isa), turned, "{isa:?} {degrees}");
                    assert_eq!(channel(&run(&gray, isa)), channel(&turned), "{isa:?} {degrees}");
                }
            }
        }
    }
}
