//! The background of a picture, by a ball rolled under it (S. Sternberg, "Biomedical image processing",
//! 1983).
//!
//! The definition is that of scikit-image's `restoration.rolling_ball`, exact for every type; how it is
//! made fast is told in [`crate::kernel::rolling_ball`].

use super::band::{bands, fill_bands};
use super::row::Shape;
use super::stencil::expect_types;
use crate::image::{Image, ImageType, Pixel, Plane};
use crate::kernel::rolling_ball::{DiskRow, Ground, Height, rolling_ball_row, subtract_row};
use crate::ops::Context;
use crate::{Error, Result};

/// The largest radius in pixels.
pub const MAX_RADIUS: f64 = 1000.0;

/// Parameters of [`rolling_ball`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RollingBall {
    /// Radius of the ball in pixels; larger than what is no background.
    pub radius: f64,
    /// Height of the ball in units of the image, where it is to be an ellipsoid: scikit-image's
    /// `ellipsoid_kernel`. `None` is the radius.
    pub height: Option<f64>,
    /// Whether the background itself is wanted, or the image without it.
    pub background: bool,
}

impl Default for RollingBall {
    fn default() -> Self {
        Self { radius: 100.0, height: None, background: false }
    }
}

/// The disk of the ball, from the middle row outwards.
fn disk<T: Height>(params: &RollingBall) -> Vec<DiskRow<T>> {
    let radius = params.radius;
    let reach = radius.ceil() as usize;
    // Of an ellipsoid the axis is whole, and heights are scaled.
    let depth = |x: usize, y: usize| -> Option<T> {
        let (x, y) = (x as f64, y as f64);
        match params.height {
            None => {
                let squares = x * x + y * y;
                let height = (radius * radius - squares).max(0.0).sqrt();
                (squares.sqrt() <= radius).then(|| T::depth(radius, height))
            }
            Some(height) => {
                let axis = radius.ceil().max(1.0);
                let rest = 1.0 - ((y / axis) * (y / axis) + (x / axis) * (x / axis));
                (rest >= 0.0).then(|| T::depth(height, height * rest.sqrt()))
            }
        }
    };
    (0..=reach)
        .map(|distance| {
            let depths = (0..=reach).map_while(|x| depth(x, distance)).collect();
            DiskRow { distance, depths }
        })
        .filter(|row: &DiskRow<T>| !row.depths.is_empty())
        .collect()
}

/// Checks that a ball can be rolled under an image.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for anything but gray images, [`Pipeline`](crate::ErrorKind::Pipeline)
/// for a radius that is not within 0 to [`MAX_RADIUS`] and a height below 0.
pub fn check(input: Shape, params: &RollingBall) -> Result<()> {
    expect_types("rolling-ball", input, &[ImageType::Gray8, ImageType::Gray16, ImageType::GrayF32])?;
    if !(0.0..=MAX_RADIUS).contains(&params.radius) {
        return Err(Error::pipeline(format!(
            "`rolling-ball` wants a radius of 0 to {MAX_RADIUS} pixels, got {}",
            params.radius
        )));
    }
    match params.height {
        Some(height) if height < 0.0 || !height.is_finite() => {
            Err(Error::pipeline(format!("`rolling-ball` wants a height of 0 or more, got {height}")))
        }
        _ => Ok(()),
    }
}

/// The background of a gray image, or the image without it, in its type.
///
/// The background at a pixel is the least of `value + radius - sqrt(radius^2 - d^2)` over the pixels at
/// distances `d` up to the radius; of integers its whole part. Beyond the edge there is nothing.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Context, RollingBall, rolling_ball};
///
/// // Nothing stands out of an even background.
/// let even = Image::Gray8(Plane::filled(16, 16, 90));
/// let params = RollingBall { radius: 5.0, ..RollingBall::default() };
/// let left = rolling_ball(&even, &params, &Context::default())?;
/// assert_eq!(left.as_gray8()?.get(8, 8), 0);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// As [`check`], and [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn rolling_ball(image: &Image, params: &RollingBall, cx: &Context) -> Result<Image> {
    check(Shape::of(image), params)?;
    Ok(match image {
        Image::Gray8(plane) => Image::Gray8(roll(plane, params, cx)?),
        Image::Gray16(plane) => Image::Gray16(roll(plane, params, cx)?),
        Image::GrayF32(plane) => Image::GrayF32(roll(plane, params, cx)?),
        other => return Err(Error::shape(format!("expected a gray image, got `{}`", other.ty()))),
    })
}

fn roll<T: Pixel + Height>(plane: &Plane<T>, params: &RollingBall, cx: &Context) -> Result<Plane<T>> {
    let (width, height) = (plane.width(), plane.height());
    let disk = disk::<T>(params);
    let reach = disk.iter().map(|row| row.depths.len() - 1).max().unwrap_or_default();
    let mut ground = Ground::new(width, height, reach);
    let view = plane.view();
    for y in 0..height {
        ground.set_row(cx.isa, y, view.row(y));
    }
    let mut out = cx.plane(width, height);
    fill_bands(&mut out, &bands(height, cx.threads, 8), |band, out| {
        for (y, out) in band.zip(out.chunks_exact_mut(width.max(1))) {
            cx.check()?;
            rolling_ball_row(cx.isa, &ground, &disk, y, out);
            if !params.background {
                subtract_row(cx.isa, view.row(y), out);
            }
        }
        Ok(())
    })?;
    Ok(out)
}
