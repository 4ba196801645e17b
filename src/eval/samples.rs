//! Pictures drawn for training detectors: cut-outs of objects, laid on backgrounds as a camera might have seen them.

mod layer;

use layer::Layer;

use crate::image::{Image, Plane, Rect};
use crate::nn::Rng;
use crate::ops::resize::{Interpolation, Resize, resize};
use crate::ops::{Context, draw};
use crate::{Error, Result};

/// Places that are tried for an object before it is left out.
const TRIES: u64 = 20;

/// An object cut out of a picture.
#[derive(Clone, Debug)]
pub struct CutOut {
    pixels: Plane<[u8; 3]>,
    alpha: Plane<u8>,
    /// What it is called.
    pub label: String,
}

impl CutOut {
    /// Of a picture, whose values become 8 bit, and what of it belongs to the object: 0 nothing of a pixel, 255 all of
    /// it. Without that the whole rectangle is the object.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) for a picture without pixels, and an alpha of another size or without any
    /// pixel of 128 and more.
    pub fn new(picture: &Image, alpha: Option<Plane<u8>>, label: impl Into<String>) -> Result<Self> {
        let pixels = draw::to_rgb8(picture)?;
        let (width, height) = (pixels.width(), pixels.height());
        if width == 0 || height == 0 {
            return Err(Error::shape("a cut-out has no pixels"));
        }
        let alpha = alpha.unwrap_or_else(|| Plane::filled(width, height, 255));
        if (alpha.width(), alpha.height()) != (width, height) {
            return Err(Error::shape(format!(
                "a cut-out of {width}x{height} has an alpha of {}x{}",
                alpha.width(),
                alpha.height()
            )));
        }
        if alpha.as_slice().iter().all(|&alpha| alpha < 128) {
            return Err(Error::shape("a cut-out is transparent everywhere"));
        }
        Ok(Self { pixels, alpha, label: label.into() })
    }
}

/// How samples are drawn. Every share is of the whole, so that 0 changes nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleOptions {
    /// Width and height of the pictures in pixels.
    pub size: (usize, usize),
    /// The least and the most objects of a picture.
    pub objects: (usize, usize),
    /// The least and the greatest size of an object: its longer side as a share of the picture's shorter side.
    pub scale: (f32, f32),
    /// Objects are turned by up to so many degrees, to either side.
    pub rotate: f32,
    /// Each corner is moved by up to this share of the object's size, which looks like a view from the side.
    pub perspective: f32,
    /// What is added to the object's values at most, up or down, as a share of white.
    pub brightness: f32,
    /// By which share its contrast grows or shrinks at most.
    pub contrast: f32,
    /// The greatest standard deviation of a blur of the object, in pixels.
    pub blur: f32,
    /// The greatest standard deviation of noise on the whole picture, as a share of white.
    pub noise: f32,
    /// Where all randomness comes from.
    pub seed: u64,
}

impl Default for SampleOptions {
    fn default() -> Self {
        Self {
            size: (320, 240),
            objects: (1, 1),
            scale: (0.2, 0.6),
            rotate: 10.0,
            perspective: 0.1,
            brightness: 0.15,
            contrast: 0.2,
            blur: 0.8,
            noise: 0.02,
            seed: 1,
        }
    }
}

impl SampleOptions {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) with the first option outside its range.
    pub fn check(&self) -> Result<()> {
        let share = |value: f32| (0.0..=1.0).contains(&value);
        let sides = 8..=16384;
        let checks = [
            (sides.contains(&self.size.0) && sides.contains(&self.size.1), "a size of 8 to 16384 pixels"),
            (
                self.objects.0 <= self.objects.1 && self.objects.1 <= 1000,
                "at most 1000 objects, the least first",
            ),
            (
                self.scale.0 > 0.0 && self.scale.0 <= self.scale.1 && self.scale.1 <= 1.0,
                "scales above 0 and up to 1, the least first",
            ),
            ((0.0..=180.0).contains(&self.rotate), "a rotation of 0 to 180 degrees"),
            ((0.0..=0.4).contains(&self.perspective), "a perspective of 0 to 0.4"),
            (share(self.brightness), "a brightness of 0 to 1"),
            (share(self.contrast), "a contrast of 0 to 1"),
            ((0.0..=50.0).contains(&self.blur), "a blur of 0 to 50 pixels"),
            (share(self.noise), "noise of 0 to 1"),
        ];
        match checks.iter().find(|(good, _)| !good) {
            Some((_, wanted)) => Err(Error::pipeline(format!("expected {wanted}"))),
            None => Ok(()),
        }
    }
}

/// A picture and the objects on it.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The picture.
    pub picture: Plane<[u8; 3]>,
    /// For each object the index of its cut-out, and the box around the pixels that are at least half its own.
    pub objects: Vec<(usize, Rect)>,
}

/// Draws the sample with this number: the same for the same cut-outs, background, options and number, whatever else is
/// drawn. The background is a random part of the picture, enlarged where that is smaller than the sample. Objects
/// do not overlap; one for which there is no room after twenty tries is left out.
///
/// ```
/// use lyncean::eval::{CutOut, SampleOptions, sample};
/// use lyncean::image::{Image, Plane};
///
/// let coin = CutOut::new(&Image::Gray8(Plane::filled(20, 20, 200)), None, "coin")?;
/// let table = Image::Gray8(Plane::from_fn(400, 300, |x, y| (x + y) as u8));
/// let drawn = sample(&[coin], &table, &SampleOptions::default(), 7)?;
/// assert_eq!((drawn.picture.width(), drawn.picture.height(), drawn.objects.len()), (320, 240, 1));
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// Those of [`SampleOptions::check`], and [`Shape`](crate::ErrorKind::Shape) where there is no cut-out or the background
/// has no pixels.
pub fn sample(
    cut_outs: &[CutOut],
    background: &Image,
    options: &SampleOptions,
    number: u64,
) -> Result<Sample> {
    options.check()?;
    if cut_outs.is_empty() {
        return Err(Error::shape("expected a cut-out at least, got none"));
    }
    let rng = Rng::new(options.seed).stream("samples").substream(number);
    let mut picture = part_of(background, options.size, rng.stream("background"))?;
    let mut objects: Vec<(usize, Rect)> = Vec::new();
    let (least, most) = options.objects;
    let count = least + rng.stream("count").below(0, most - least + 1);
    for object in 0..count as u64 {
        for attempt in 0..TRIES {
            let rng = rng.substream(object).substream(attempt);
            let index = rng.below(0, cut_outs.len());
            let Some(layer) = Layer::of(&cut_outs[index], options, rng)? else { continue };
            let free = |other: &(usize, Rect)| !overlap(layer.bounds, other.1);
            if objects.iter().all(free) {
                layer.lay_on(&mut picture);
                objects.push((index, layer.bounds));
                break;
            }
        }
    }
    let noise = 255.0 * options.noise * rng.stream("noise").uniform(0);
    if noise > 0.0 {
        let rng = rng.stream("grain");
        let mut place = 0;
        for y in 0..picture.height() {
            for value in picture.row_mut(y).iter_mut().flatten() {
                *value = (f32::from(*value) + noise * rng.normal(place)).round() as u8;
                place += 1;
            }
        }
    }
    Ok(Sample { picture, objects })
}

fn overlap(a: Rect, b: Rect) -> bool {
    a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
}

/// A random part of a picture, of a size.
fn part_of(picture: &Image, (width, height): (usize, usize), rng: Rng) -> Result<Plane<[u8; 3]>> {
    let mut whole = draw::to_rgb8(picture)?;
    if whole.width() == 0 || whole.height() == 0 {
        return Err(Error::shape("a background has no pixels"));
    }
    if whole.width() < width || whole.height() < height {
        let factor = (width as f64 / whole.width() as f64).max(height as f64 / whole.height() as f64);
        let grown = |length: usize, least: usize| ((length as f64 * factor).ceil() as usize).max(least);
        let params = Resize {
            width: grown(whole.width(), width),
            height: grown(whole.height(), height),
            interpolation: Interpolation::Bilinear,
        };
        whole = rgb8(resize(&Image::Rgb8(whole), &params, &Context::default())?)?;
    }
    let x = rng.below(0, whole.width() - width + 1);
    let y = rng.below(1, whole.height() - height + 1);
    Ok(whole.view().crop(Rect::new(x, y, width, height))?.to_plane())
}

fn rgb8(image: Image) -> Result<Plane<[u8; 3]>> {
    match image {
        Image::Rgb8(plane) => Ok(plane),
        other => Err(Error::shape(format!("expected `rgb8`, got `{}`", other.ty()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain() -> SampleOptions {
        SampleOptions {
            rotate: 0.0,
            perspective: 0.0,
            brightness: 0.0,
            contrast: 0.0,
            blur: 0.0,
            noise: 0.0,
            ..SampleOptions::default()
        }
    }

    fn ground() -> Image {
        Image::Gray8(Plane::from_fn(500, 400, |x, y| (40 + (x / 20 + y / 20) % 2 * 20) as u8))
    }

    #[test]
    fn an_object_lies_in_its_box_and_nowhere_else() {
        let object = CutOut::new(&Image::Gray8(Plane::filled(30, 20, 250)), None, "it").unwrap();
        for number in 0..20 {
            let Sample { picture, objects } =
                sample(std::slice::from_ref(&object), &ground(), &plain(), number).unwrap();
            let [(0, bounds)] = objects[..] else { panic!("{objects:?}") };
            let share = bounds.width as f64 / 240.0;
            assert!((0.19..0.62).contains(&share), "{share}");
            assert!((bounds.width as f64 / bounds.height as f64 - 1.5).abs() < 0.1, "{bounds:?}");
            for y in 0..240 {
                for x in 0..320 {
                    let inside = |margin: usize| {
                        (bounds.x + margin..(bounds.x + bounds.width).saturating_sub(margin)).contains(&x)
                            && (bounds.y + margin..(bounds.y + bounds.height).saturating_sub(margin))
                                .contains(&y)
                    };
                    let value = picture.row(y)[x][0];
                    // Enlarged almost five times, the edge is as many pixels wide.
                    if inside(4) {
                        assert_eq!(value, 250);
                    }
                    let near = x + 4 >= bounds.x && x < bounds.x + bounds.width + 4;
                    if !(near && y + 4 >= bounds.y && y < bounds.y + bounds.height + 4) {
                        assert!(value == 40 || value == 60, "{value} at ({x}, {y})");
                    }
                }
            }
        }
    }

    #[test]
    fn transparent_parts_show_the_ground_and_do_not_count() {
        let alpha = Plane::from_fn(40, 40, |x, _| if x < 20 { 255 } else { 0 });
        let object = CutOut::new(&Image::Gray8(Plane::filled(40, 40, 250)), Some(alpha), "half").unwrap();
        let Sample { objects, .. } = sample(&[object], &ground(), &plain(), 3).unwrap();
        let ratio = objects[0].1.width as f64 / objects[0].1.height as f64;
        assert!((ratio - 0.5).abs() < 0.05, "{ratio}");
    }

    #[test]
    fn samples_depend_on_seed_and_number_alone() {
        let object =
            CutOut::new(&Image::Gray8(Plane::from_fn(30, 20, |x, y| (x * y) as u8)), None, "it").unwrap();
        let options = SampleOptions { objects: (2, 4), scale: (0.1, 0.2), ..SampleOptions::default() };
        let draw = |seed, number| {
            let options = SampleOptions { seed, ..options.clone() };
            sample(std::slice::from_ref(&object), &ground(), &options, number).unwrap()
        };
        let (first, again) = (draw(1, 5), draw(1, 5));
        assert_eq!(first.picture.as_slice(), again.picture.as_slice());
        assert_eq!(first.objects, again.objects);
        assert!((2..=4).contains(&first.objects.len()));
        assert_ne!(first.picture.as_slice(), draw(1, 6).picture.as_slice());
        assert_ne!(first.picture.as_slice(), draw(2, 5).picture.as_slice());
        for (index, (_, a)) in first.objects.iter().enumerate() {
            for (_, b) in &first.objects[index + 1..] {
                assert!(!overlap(*a, *b));
            }
        }
    }

    #[test]
    fn small_backgrounds_are_enlarged() {
        let object = CutOut::new(&Image::Gray8(Plane::filled(8, 8, 250)), None, "it").unwrap();
        let ground = Image::Gray8(Plane::filled(7, 3, 90));
        let drawn = sample(&[object], &ground, &plain(), 0).unwrap();
        assert_eq!((drawn.picture.width(), drawn.picture.height()), (320, 240));
        assert_eq!(drawn.picture.row(0)[0], [90; 3]);
    }

    #[test]
    fn bad_options_and_cut_outs_are_refused() {
        let object = CutOut::new(&Image::Gray8(Plane::filled(8, 8, 250)), None, "it").unwrap();
        for options in [
            SampleOptions { size: (0, 240), ..plain() },
            SampleOptions { objects: (3, 2), ..plain() },
            SampleOptions { scale: (0.0, 0.5), ..plain() },
            SampleOptions { rotate: f32::NAN, ..plain() },
            SampleOptions { perspective: 0.5, ..plain() },
            SampleOptions { noise: -0.1, ..plain() },
        ] {
            assert!(sample(std::slice::from_ref(&object), &ground(), &options, 0).is_err(), "{options:?}");
        }
        assert!(sample(&[], &ground(), &plain(), 0).is_err());
        let clear = Plane::filled(8, 8, 127u8);
        assert!(CutOut::new(&Image::Gray8(Plane::filled(8, 8, 1)), Some(clear), "").is_err());
        assert!(
            CutOut::new(&Image::Gray8(Plane::filled(8, 9, 1)), Some(Plane::filled(8, 8, 255)), "").is_err()
        );
        assert!(CutOut::new(&Image::Gray8(Plane::new(0, 9)), None, "").is_err());
    }
}
