//! Templates turned and scaled.

use std::sync::Arc;

use super::support::Support;
use crate::image::{Affine, Border, BorderMode, Image, Plane};
use crate::ops::warp::{Taps, Warp, rotation, warp_affine};
use crate::ops::{Context, Interpolation, Resize, crop, resize};
use crate::{Error, Result};

/// The values `min`, `min + step`, `min + 2 step` ... up to `max`, which counts if it is met within a millionth of a step.
///
/// ```
/// use lyncean::ops::template::Steps;
///
/// assert_eq!(Steps { min: -10.0, max: 10.0, step: 10.0 }.values()?, [-10.0, 0.0, 10.0]);
/// assert_eq!(Steps::only(2.0).values()?, [2.0]);
/// # Ok::<(), lyncean::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Steps {
    /// The first value.
    pub min: f64,
    /// What no value is above.
    pub max: f64,
    /// From one value to the next; above 0.
    pub step: f64,
}

/// The most values of scale, and of angle.
const MOST: f64 = 3600.0;

impl Steps {
    /// One value.
    pub const fn only(value: f64) -> Self {
        Self { min: value, max: value, step: 1.0 }
    }

    /// The values, at least one.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) for a `min` above `max`, a step that is not above 0, numbers that are not finite, and
    /// more than 3600 values.
    pub fn values(&self) -> Result<Vec<f64>> {
        let Self { min, max, step } = *self;
        if !(min.is_finite() && max.is_finite() && step.is_finite()) {
            return Err(Error::pipeline("`min`, `max` and `step` want finite numbers"));
        }
        if step <= 0.0 {
            return Err(Error::pipeline(format!("`step` wants a number above 0, got {step}")));
        }
        if min > max {
            return Err(Error::pipeline(format!("`min`, {min}, is above `max`, {max}")));
        }
        let count = ((max - min) / step + 1e-6).floor() + 1.0;
        if count > MOST {
            return Err(Error::pipeline(format!("{min} to {max} by {step} are more than {MOST} values"))
                .with_hint("take a larger `step`"));
        }
        Ok((0..count as usize).map(|at| min + at as f64 * step).collect())
    }
}

/// A template: a picture, and which of its pixels count.
///
/// ```
/// use std::sync::Arc;
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::template::Template;
///
/// let picture = Arc::new(Image::Gray8(Plane::filled(4, 3, 7)));
/// let all = Template::new(Arc::clone(&picture), None)?;
/// assert_eq!((all.picture().width(), all.count()), (4, 12));
/// let mask = Plane::from_fn(4, 3, |x, _| u8::from(x > 0));
/// assert_eq!(Template::new(picture.clone(), Some(&mask))?.count(), 9);
/// assert!(Template::new(picture, Some(&Plane::new(4, 3))).is_err());
/// # Ok::<(), lyncean::Error>(())
/// ```
#[derive(Clone)]
pub struct Template {
    picture: Arc<Image>,
    /// None where all pixels count.
    mask: Option<Plane<u8>>,
    pub(super) support: Arc<Support>,
}

impl Template {
    /// A template of which the pixels count where the mask is not 0; all without one.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) for a picture without pixels, and a mask that is 0 everywhere or of another size.
    pub fn new(picture: Arc<Image>, mask: Option<&Plane<u8>>) -> Result<Self> {
        let (width, height) = (picture.width(), picture.height());
        if width == 0 || height == 0 {
            return Err(Error::shape("the template has no pixels"));
        }
        let Some(mask) = mask else {
            return Ok(Self { picture, mask: None, support: Arc::new(Support::full(width, height)) });
        };
        super::check_mask((width, height), (mask.width(), mask.height()))?;
        let support = Support::of(mask.view())?;
        let mask = (!support.is_full()).then(|| mask.map(|value| if value == 0 { 0 } else { 255 }));
        Ok(Self { picture, mask, support: Arc::new(support) })
    }

    /// The picture.
    pub fn picture(&self) -> &Image {
        &self.picture
    }

    /// 255 where a pixel counts, else 0; none where all do.
    pub fn mask(&self) -> Option<&Plane<u8>> {
        self.mask.as_ref()
    }

    /// How many pixels count; at least one.
    pub fn count(&self) -> usize {
        self.support.count()
    }

    /// The template scaled, then turned counter-clockwise by an angle in degrees.
    ///
    /// Its size is that of the box around it. Pixels are found by linear interpolation, of a template that shrinks in the one of its halves that
    /// is the next larger; they count where all that they are made of counts. A scale of 1 and angles of whole quarters change no value.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) where no pixel is left, [`Pipeline`](crate::ErrorKind::Pipeline) for a scale that is not above 0 and
    /// sizes beyond [`MAX_SIZE`](crate::ops::warp::MAX_SIZE).
    pub fn posed(&self, scale: f64, angle: f64, cx: &Context) -> Result<Self> {
        if scale <= 0.0 || !scale.is_finite() || !angle.is_finite() {
            return Err(Error::pipeline(format!(
                "a template cannot be scaled by {scale} and turned by {angle}"
            )));
        }
        if scale == 1.0 && angle.rem_euclid(360.0) == 0.0 {
            return Ok(self.clone());
        }
        // Halved until what is left of the scale is above one half.
        let mut from = self.clone();
        let mut left = scale;
        while left <= 0.5
            && let Some(half) = from.halved(cx)?
        {
            from = half;
            left *= 2.0;
        }
        let (w, h) = (self.picture.width() as f64, self.picture.height() as f64);
        let (width, height, turn) = turned_box((w * scale, h * scale), angle);
        // Halving leaves odd columns and rows out, but moves nothing.
        let halves = scale / left;
        let map = Affine::translation(w * halves / 2.0, h * halves / 2.0)
            .after(&Affine::scale(1.0 / left, 1.0 / left))
            .after(&turn);
        let border = |mode| Border { mode, value: 0.0 };
        let warp = |mode| Warp { map, width, height, taps: Taps::Bilinear, border: border(mode) };
        let picture = warp_affine(&from.picture, &warp(BorderMode::Replicate), cx)?;
        let mask =
            from.mask.unwrap_or_else(|| Plane::filled(from.picture.width(), from.picture.height(), 255));
        let mask = warp_affine(&Image::Gray8(mask), &warp(BorderMode::Constant), cx)?;
        let mask = mask.as_gray8()?.map(|value| if value == 255 { 255 } else { 0 });
        Self::new(Arc::new(picture), Some(&mask)).map_err(|_| {
            let (width, height) = (self.picture.width(), self.picture.height());
            Error::shape(format!("nothing is left of a template of {width}x{height} at a scale of {scale}"))
        })
    }

    /// Half as wide and high, an odd column or row at the end left out: means of 2x2 pixels, which count where all four do. None where
    /// nothing would be left.
    pub(super) fn halved(&self, cx: &Context) -> Result<Option<Self>> {
        let Some(picture) = halved(&self.picture, cx)? else { return Ok(None) };
        let mask = self.mask.as_ref().map(|mask| {
            Plane::from_fn(picture.width(), picture.height(), |x, y| {
                let (above, below) = (&mask.row(2 * y)[2 * x..][..2], &mask.row(2 * y + 1)[2 * x..][..2]);
                above[0] & above[1] & below[0] & below[1]
            })
        });
        if mask.as_ref().is_some_and(|mask| mask.as_slice().iter().all(|value| *value == 0)) {
            return Ok(None);
        }
        Self::new(Arc::new(picture), mask.as_ref()).map(Some)
    }
}

/// The size of the box around a turned one whose sides need not be whole, and the way from its pixels to the turned one's centre.
pub(super) fn turned_box((w, h): (f64, f64), angle: f64) -> (usize, usize, Affine) {
    // The turn itself does not depend on the size.
    let (.., turn) = rotation(0, 0, angle, false);
    let [[cos, ..], [sin, ..]] = turn.rows;
    // What is within a millionth of a pixel is rounding.
    let length = |value: f64| ((value - 1e-6).ceil().max(1.0)) as usize;
    let width = length(w * cos.abs() + h * sin.abs());
    let height = length(w * sin.abs() + h * cos.abs());
    let map = turn.after(&Affine::translation(-(width as f64) / 2.0, -(height as f64) / 2.0));
    (width, height, map)
}

/// The corners of a template of `width` x `height` pixels, scaled and turned, that lies about `centre`; from its top left one clockwise. They are
/// counted from pixel edges, `inset` template pixels inside its edges.
pub(super) fn corners(
    (width, height): (usize, usize),
    (scale, angle): (f64, f64),
    (x, y): (f64, f64),
    inset: f64,
) -> [[f64; 2]; 4] {
    let (.., turn) = rotation(0, 0, angle, false);
    let [[cos, ..], [sin, ..]] = turn.rows;
    let (right, down) = (scale * (width as f64 / 2.0 - inset), scale * (height as f64 / 2.0 - inset));
    [(-right, -down), (right, -down), (right, down), (-right, down)]
        .map(|(u, v)| [x + cos * u + sin * v, y - sin * u + cos * v])
}

/// An image of half the size, an odd column or row at the end left out; none where it has no two columns and rows.
pub(super) fn halved(image: &Image, cx: &Context) -> Result<Option<Image>> {
    let (width, height) = (image.width() / 2, image.height() / 2);
    if width == 0 || height == 0 {
        return Ok(None);
    }
    let even = crate::image::Rect::new(0, 0, 2 * width, 2 * height);
    let params = Resize { width, height, interpolation: Interpolation::Area };
    if (image.width(), image.height()) == (2 * width, 2 * height) {
        return resize(image, &params, cx).map(Some);
    }
    resize(&crop(image, even, cx)?, &params, cx).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(width: usize, height: usize) -> Template {
        let picture = Plane::from_fn(width, height, |x, y| (x * 31 + y * 7) as u8);
        Template::new(Arc::new(Image::Gray8(picture)), None).unwrap()
    }

    #[test]
    fn quarters_move_pixels_and_count_all_of_them() {
        let cx = Context::default();
        let template = template(5, 3);
        let from = template.picture().as_gray8().unwrap();
        let left = template.posed(1.0, 90.0, &cx).unwrap();
        assert!(left.mask().is_none());
        let turned = left.picture().as_gray8().unwrap();
        assert_eq!((turned.width(), turned.height()), (3, 5));
        // Counter-clockwise: the top right corner goes to the top left.
        for (x, y) in [(0, 0), (2, 1), (1, 4)] {
            assert_eq!(turned.get(x, y), from.get(4 - y, x));
        }
        assert!(template.posed(1.0, 360.0, &cx).unwrap().picture() == template.picture());
    }

    #[test]
    fn corners_of_turned_templates_do_not_count() {
        let turned = template(20, 10).posed(1.0, 30.0, &Context::default()).unwrap();
        let mask = turned.mask().unwrap();
        assert_eq!((mask.width(), mask.height()), (23, 19));
        assert_eq!([(0, 0), (22, 0), (0, 18), (22, 18)].map(|(x, y)| mask.get(x, y)), [0; 4]);
        // Less what touches the edge.
        assert!(turned.count() > 18 * 8 && turned.count() < 20 * 10, "{}", turned.count());
        // A ramp along x lies along the turned x.
        let ramp = Plane::from_fn(20, 10, |x, _| x as f32);
        let ramp = Template::new(Arc::new(Image::GrayF32(ramp)), None).unwrap();
        let turned = ramp.posed(2.0, 30.0, &Context::default()).unwrap();
        let (picture, support) = (turned.picture().as_gray_f32().unwrap(), &turned.support);
        let (sin, cos) = 30f64.to_radians().sin_cos();
        let (x0, y0) = (picture.width() as f64 / 2.0, picture.height() as f64 / 2.0);
        for run in support.runs() {
            for x in run.start..run.end {
                let along = (x as f64 + 0.5 - x0) * cos - (run.y as f64 + 0.5 - y0) * sin;
                let expected = along / 2.0 + 9.5;
                assert!((f64::from(picture.get(x, run.y)) - expected).abs() < 2e-3);
            }
        }
    }

    #[test]
    fn masks_go_with_their_templates() {
        let cx = Context::default();
        let picture = Arc::new(Image::Gray8(Plane::filled(16, 16, 9)));
        let mask = Plane::from_fn(16, 16, |x, _| u8::from(x < 8) * 3);
        let template = Template::new(picture, Some(&mask)).unwrap();
        let half = template.posed(0.5, 180.0, &cx).unwrap();
        let mask = half.mask().unwrap();
        assert_eq!((mask.width(), mask.height(), half.count()), (8, 8, 32));
        assert_eq!((mask.get(3, 4), mask.get(4, 4)), (0, 255));
        let error = template.posed(0.01, 0.0, &cx).err().unwrap();
        assert_eq!(error.message(), "nothing is left of a template of 16x16 at a scale of 0.01");
        assert!(template.posed(0.0, 0.0, &cx).is_err());
    }

    #[test]
    fn corners_lie_where_rotate_puts_them() {
        let near = |a: [[f64; 2]; 4], b: [[f64; 2]; 4]| {
            a.iter().flatten().zip(b.iter().flatten()).all(|(a, b)| (a - b).abs() < 1e-12)
        };
        let upright = corners((4, 2), (1.0, 0.0), (7.0, 5.0), 0.0);
        assert_eq!(upright, [[5.0, 4.0], [9.0, 4.0], [9.0, 6.0], [5.0, 6.0]]);
        let left = corners((4, 2), (2.0, 90.0), (7.0, 5.0), 0.5);
        assert!(near(left, [[6.0, 8.0], [6.0, 2.0], [8.0, 2.0], [8.0, 8.0]]), "{left:?}");
    }

    #[test]
    fn steps_reach_their_end_and_refuse_nonsense() {
        let values = |min, max, step| Steps { min, max, step }.values();
        assert_eq!(values(0.8, 1.2, 0.1).unwrap().len(), 5);
        assert_eq!(values(0.0, 359.0, 2.0).unwrap().len(), 180);
        assert_eq!(values(1.0, 0.0, 1.0).unwrap_err().to_string(), "`min`, 1, is above `max`, 0");
        for (min, max, step) in [(0.0, 1.0, 0.0), (0.0, 1.0, f64::NAN), (0.0, 1.0, 1e-9)] {
            assert_eq!(values(min, max, step).unwrap_err().kind(), crate::ErrorKind::Pipeline);
        }
    }
}
