//! Pictures drawn for training detectors: cut-outs of objects, laid on backgrounds as a camera might have seen them.

use crate::image::{Image, Plane, Rect};
use crate::nn::Rng;
use crate::ops::gaussian::{Gaussian, gaussian};
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

/// An object as it lies on the picture.
struct Layer {
    /// The part of the picture that the layer covers.
    area: Rect,
    /// Values times alpha, and alpha, 0 to 1 of white: three colours and how much of the pixel is the object's.
    pixels: Vec<[f32; 4]>,
    /// The box around the pixels that are at least half the object's.
    bounds: Rect,
}

impl Layer {
    /// A random view of a cut-out; nothing where that leaves the picture.
    fn of(cut_out: &CutOut, options: &SampleOptions, rng: Rng) -> Result<Option<Self>> {
        let (width, height) = (cut_out.pixels.width() as f64, cut_out.pixels.height() as f64);
        let share = f64::from(rng.between(1, options.scale.0, options.scale.1));
        let long = (share * options.size.0.min(options.size.1) as f64).max(4.0);
        let factor = long / width.max(height);
        let (wide, high) = ((width * factor).max(2.0), (height * factor).max(2.0));
        let angle = f64::from(rng.between(2, -options.rotate, options.rotate)).to_radians();
        let (sin, cos) = (libm::sin(angle), libm::cos(angle));
        let centre = |index: u64, length: usize| f64::from(rng.uniform(index)) * length as f64;
        let (x, y) = (centre(3, options.size.0), centre(4, options.size.1));
        let moved = |index: u64| {
            long * f64::from(rng.between(index, -options.perspective, options.perspective)) / 2.0
        };
        let corners: [[f64; 2]; 4] = std::array::from_fn(|i| {
            let dx = wide / 2.0 * [-1.0, 1.0, 1.0, -1.0][i] + moved(10 + 2 * i as u64);
            let dy = high / 2.0 * [-1.0, -1.0, 1.0, 1.0][i] + moved(11 + 2 * i as u64);
            [x + dx * cos - dy * sin, y + dx * sin + dy * cos]
        });
        let sigma = f64::from(options.blur * rng.uniform(5));
        let margin = (3.0 * sigma).ceil() + 1.0;
        let edge = |axis: usize, pick: fn(f64, f64) -> f64| {
            corners.iter().map(|c| c[axis]).reduce(pick).unwrap_or(0.0)
        };
        let (left, top) = (edge(0, f64::min) - margin, edge(1, f64::min) - margin);
        let (right, bottom) = (edge(0, f64::max) + margin, edge(1, f64::max) + margin);
        if left < 0.0 || top < 0.0 || right > options.size.0 as f64 || bottom > options.size.1 as f64 {
            return Ok(None);
        }
        let (left, top) = (left.floor() as usize, top.floor() as usize);
        let area = Rect::new(left, top, right.ceil() as usize - left, bottom.ceil() as usize - top);

        let source = shrunk(cut_out, factor)?;
        // From the picture to the cut-out, whose corners are those of its outermost pixels' cells.
        let Some(back) = homography(corners, [source.0.width() as f64, source.0.height() as f64]) else {
            return Ok(None);
        };
        let gain = 1.0 + rng.between(6, -options.contrast, options.contrast);
        let offset = 255.0 * rng.between(7, -options.brightness, options.brightness);
        let mut pixels = Vec::with_capacity(area.width * area.height);
        for y in area.y..area.y + area.height {
            for x in area.x..area.x + area.width {
                let (x, y) = (x as f64 + 0.5, y as f64 + 0.5);
                let [u, v, w] = back.map(|row: [f64; 3]| row[0] * x + row[1] * y + row[2]);
                let mut pixel = between(&source, u / w - 0.5, v / w - 0.5);
                let alpha = pixel[3];
                for value in &mut pixel[..3] {
                    // Round the middle of the range; colours are multiplied by alpha already.
                    *value = (*value - 127.5 * alpha) * gain + (127.5 + offset) * alpha;
                }
                pixels.push(pixel);
            }
        }
        let pixels = blurred(pixels, area, sigma)?;
        let Some(bounds) = bounds(&pixels, area) else { return Ok(None) };
        Ok(Some(Self { area, pixels, bounds }))
    }

    fn lay_on(&self, picture: &mut Plane<[u8; 3]>) {
        let Rect { x, y, width, .. } = self.area;
        for (row, pixels) in self.pixels.chunks_exact(width).enumerate() {
            for (below, pixel) in picture.row_mut(y + row)[x..x + width].iter_mut().zip(pixels) {
                for (value, above) in below.iter_mut().zip(pixel) {
                    // The conversion clamps.
                    *value = (above + (1.0 - pixel[3]) * f32::from(*value)).round() as u8;
                }
            }
        }
    }
}

/// A cut-out brought near the size it is drawn in, where that is smaller, so that no detail is aliased.
fn shrunk(cut_out: &CutOut, factor: f64) -> Result<(Plane<[u8; 3]>, Plane<u8>)> {
    let shrink = |length: usize| ((length as f64 * factor).ceil() as usize).clamp(1, length);
    let (width, height) = (shrink(cut_out.pixels.width()), shrink(cut_out.pixels.height()));
    if (width, height) == (cut_out.pixels.width(), cut_out.pixels.height()) {
        return Ok((cut_out.pixels.clone(), cut_out.alpha.clone()));
    }
    let (params, cx) = (Resize { width, height, interpolation: Interpolation::Area }, Context::default());
    let pixels = rgb8(resize(&Image::Rgb8(cut_out.pixels.clone()), &params, &cx)?)?;
    match resize(&Image::Gray8(cut_out.alpha.clone()), &params, &cx)? {
        Image::Gray8(alpha) => Ok((pixels, alpha)),
        other => Err(Error::shape(format!("expected `gray8`, got `{}`", other.ty()))),
    }
}

/// The value between four pixels, colours times alpha; outside there is nothing.
fn between((pixels, alpha): &(Plane<[u8; 3]>, Plane<u8>), x: f64, y: f64) -> [f32; 4] {
    let mut sum = [0f32; 4];
    // Not for what is far away or no number, as behind the horizon.
    if !(x > -1.0 && y > -1.0 && x < pixels.width() as f64 && y < pixels.height() as f64) {
        return sum;
    }
    let (left, top) = (x.floor(), y.floor());
    let (right_share, low_share) = ((x - left) as f32, (y - top) as f32);
    for (dy, row_share) in [(0, 1.0 - low_share), (1, low_share)] {
        for (dx, column_share) in [(0, 1.0 - right_share), (1, right_share)] {
            let (x, y) = (left as i64 + dx, top as i64 + dy);
            if x < 0 || y < 0 || x >= pixels.width() as i64 || y >= pixels.height() as i64 {
                continue;
            }
            let (x, y) = (x as usize, y as usize);
            let share = row_share * column_share * f32::from(alpha.row(y)[x]) / 255.0;
            for (sum, value) in sum.iter_mut().zip(pixels.row(y)[x]) {
                *sum += share * f32::from(value);
            }
            sum[3] += share;
        }
    }
    sum
}

fn blurred(pixels: Vec<[f32; 4]>, area: Rect, sigma: f64) -> Result<Vec<[f32; 4]>> {
    if sigma < 0.05 {
        return Ok(pixels);
    }
    let params = Gaussian { sigma, ..Gaussian::default() };
    let mut out = pixels.clone();
    for channel in 0..4 {
        let values = pixels.iter().map(|pixel| pixel[channel]).collect();
        let plane = Plane::from_vec(area.width, area.height, values)?;
        let Image::GrayF32(plane) = gaussian(&Image::GrayF32(plane), &params, &Context::default())? else {
            return Err(Error::shape("expected `gray-f32`"));
        };
        for (out, value) in out.iter_mut().zip(plane.as_slice()) {
            out[channel] = *value;
        }
    }
    Ok(out)
}

/// The box around the pixels that are at least half the object's.
fn bounds(pixels: &[[f32; 4]], area: Rect) -> Option<Rect> {
    let (mut left, mut top, mut right, mut bottom) = (usize::MAX, usize::MAX, 0, 0);
    for (at, pixel) in pixels.iter().enumerate() {
        if pixel[3] >= 0.5 {
            let (x, y) = (area.x + at % area.width, area.y + at / area.width);
            (left, top) = (left.min(x), top.min(y));
            (right, bottom) = (right.max(x + 1), bottom.max(y + 1));
        }
    }
    (left < right).then(|| Rect::new(left, top, right - left, bottom - top))
}

/// The projective map that takes four corners to those of a rectangle from (0, 0) on, as rows of a matrix; nothing
/// where the corners do not span one.
fn homography(corners: [[f64; 2]; 4], [width, height]: [f64; 2]) -> Option<[[f64; 3]; 3]> {
    let ends = [[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]];
    // Eight equations for eight entries, the ninth being 1.
    let mut rows = [[0f64; 9]; 8];
    for (i, ([x, y], [u, v])) in corners.into_iter().zip(ends).enumerate() {
        rows[2 * i] = [x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y, u];
        rows[2 * i + 1] = [0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y, v];
    }
    for column in 0..8 {
        let best = (column..8).max_by(|&a, &b| rows[a][column].abs().total_cmp(&rows[b][column].abs()))?;
        rows.swap(column, best);
        let pivot = rows[column];
        if pivot[column].abs() < 1e-9 {
            return None;
        }
        for (index, row) in rows.iter_mut().enumerate() {
            if index != column {
                let share = row[column] / pivot[column];
                for (value, above) in row.iter_mut().zip(pivot) {
                    *value -= share * above;
                }
            }
        }
    }
    let entry = |i: usize| rows[i][8] / rows[i][i];
    Some([[entry(0), entry(1), entry(2)], [entry(3), entry(4), entry(5)], [entry(6), entry(7), 1.0]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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

    proptest! {
        /// The corners come to the corners, and lines stay lines.
        #[test]
        fn homographies_take_corners_to_corners(moves in proptest::array::uniform8(-8.0f64..8.0)) {
            let square = [[10.0, 10.0], [50.0, 10.0], [50.0, 40.0], [10.0, 40.0]];
            let corners: [[f64; 2]; 4] =
                std::array::from_fn(|i| [square[i][0] + moves[2 * i], square[i][1] + moves[2 * i + 1]]);
            let map = homography(corners, [20.0, 30.0]).unwrap();
            let to = |[x, y]: [f64; 2]| {
                let [u, v, w] = map.map(|row| row[0] * x + row[1] * y + row[2]);
                [u / w, v / w]
            };
            for (corner, end) in corners.into_iter().zip([[0.0, 0.0], [20.0, 0.0], [20.0, 30.0], [0.0, 30.0]]) {
                let [u, v] = to(corner);
                prop_assert!((u - end[0]).abs() < 1e-9 && (v - end[1]).abs() < 1e-9);
            }
            let middle = to([0, 1].map(|axis| f64::midpoint(corners[0][axis], corners[1][axis])));
            prop_assert!(middle[1].abs() < 1e-9);
        }
    }
}
