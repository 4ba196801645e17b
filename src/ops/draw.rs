//! Results drawn over pictures: boxes, words, masks, labels.
//!
//! Everything is integer arithmetic on 8-bit rgb and clipped to the picture. Boxes are
//! `[x, y, width, height]` in pixel-edge coordinates: the pixel in column `i` covers `i..i + 1`.
//!
//! ```
//! use lyncean::image::{Image, Plane};
//! use lyncean::ops::draw::{
//!     blend, blend_labels, blend_mask, color_of, contours, fill, outline, polygon, tag, text, text_size, to_rgb8,
//! };
//!
//! let mut picture = to_rgb8(&Image::Gray8(Plane::filled(60, 40, 100)))?;
//! outline(&mut picture, [10.0, 12.0, 20.0, 15.0], 2, color_of(1));
//! tag(&mut picture, [10.0, 12.0, 20.0, 15.0], "coin", 1, color_of(1));
//! text(&mut picture, (2.0, 30.0), "1 coin", 1, [255; 3]);
//! polygon(&mut picture, &[[40.0, 5.0], [48.0, 9.0], [41.0, 20.0]], 1.0, color_of(2));
//! fill(&mut picture, [50.0, 0.0, 10.0, 10.0], [0, 0, 255]);
//! assert_eq!((picture.get(10, 12), picture.get(55, 5), text_size("coin", 2)), (color_of(1), [0, 0, 255], (64, 16)));
//!
//! // Half as strong as what lies below.
//! assert_eq!(blend([0, 0, 0], [255, 255, 255], 128), [128; 3]);
//! let labels = Plane::from_fn(60, 40, |x, _| u32::from(x < 5));
//! blend_labels(&mut picture, labels.view(), 255)?;
//! contours(&mut picture, labels.view())?;
//! blend_mask(&mut picture, Plane::filled(60, 40, 255).view(), [0; 3], 255)?;
//! assert_eq!(picture.get(30, 20), [0; 3]);
//! # Ok::<(), lyncean::Error>(())
//! ```

use font8x8::{BASIC_FONTS, GREEK_FONTS, LATIN_FONTS, UnicodeFonts};

use crate::image::{Image, Pixel, Plane, View};
use crate::{Error, Result};

/// Seven colours that people with any kind of colour vision tell apart: those of M. Okabe and
/// K. Ito (2008) without black. In this order: orange, sky blue, bluish green, yellow, blue,
/// vermilion, reddish purple.
pub const PALETTE: [[u8; 3]; 7] = [
    [230, 159, 0],
    [86, 180, 233],
    [0, 158, 115],
    [240, 228, 66],
    [0, 114, 178],
    [213, 94, 0],
    [204, 121, 167],
];

/// Width and height of a letter at scale 1, in pixels.
pub const LETTER: usize = 8;

/// The colour of label or class `number`: those of the palette in turn, label 1 the first one.
pub const fn color_of(number: u32) -> [u8; 3] {
    PALETTE[(number.wrapping_sub(1) as usize) % PALETTE.len()]
}

/// A picture to draw on.
///
/// 8-bit values and masks stay, 16-bit values lose their low byte, floats of 0..=1 become 0..=255,
/// rounded, and others are clamped; what is no number is black. Gray becomes three equal channels;
/// labels get their colours, on black.
///
/// # Errors
/// [`Unsupported`](crate::ErrorKind::Unsupported) for gradients.
pub fn to_rgb8(image: &Image) -> Result<Plane<[u8; 3]>> {
    let mut picture = Plane::new(image.width(), image.height());
    to_rgb8_over(image, &mut picture)?;
    Ok(picture)
}

/// [`to_rgb8`] over a picture of the same size.
pub(crate) fn to_rgb8_over(image: &Image, picture: &mut Plane<[u8; 3]>) -> Result<()> {
    fn put<T: Pixel>(plane: &Plane<T>, picture: &mut Plane<[u8; 3]>, map: impl Fn(T) -> [u8; 3]) {
        let pairs = picture.as_mut_slice().iter_mut().zip(plane.as_slice());
        pairs.for_each(|(out, &pixel)| *out = map(pixel));
    }
    let word = |value: u16| (value >> 8) as u8;
    let float = |value: f32| (value.clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
    match image {
        Image::Gray8(plane) | Image::Mask(plane) => put(plane, picture, |value| [value; 3]),
        Image::Gray16(plane) => put(plane, picture, |value| [word(value); 3]),
        Image::GrayF32(plane) => put(plane, picture, |value| [float(value); 3]),
        Image::Rgb8(plane) => picture.as_mut_slice().copy_from_slice(plane.as_slice()),
        Image::Rgb16(plane) => put(plane, picture, |pixel| pixel.map(word)),
        Image::RgbF32(plane) => put(plane, picture, |pixel| pixel.map(float)),
        Image::Labels(plane) => {
            put(plane, picture, |label| if label == 0 { [0; 3] } else { color_of(label) });
        }
        Image::Gradient(_) => {
            return Err(Error::unsupported("a `gradient` cannot be drawn on").with_hint("take its magnitude"));
        }
    }
    Ok(())
}

/// `color` over `below`, of opacity `alpha` / 255, rounded.
#[inline]
pub fn blend(below: [u8; 3], color: [u8; 3], alpha: u8) -> [u8; 3] {
    let alpha = u32::from(alpha);
    std::array::from_fn(|c| {
        ((u32::from(color[c]) * alpha + u32::from(below[c]) * (255 - alpha) + 127) / 255) as u8
    })
}

/// Fills the pixels of a box, its edges rounded to the nearest pixel edges.
pub fn fill(picture: &mut Plane<[u8; 3]>, bounds: [f64; 4], color: [u8; 3]) {
    if let Some(area) = Area::round(bounds) {
        area.fill(picture, color);
    }
}

/// Draws the outline of a box, its edges rounded to the nearest pixel edges, with lines of
/// `line_width` pixels inside it. A box without a pixel gets one; one that is no box, none.
pub fn outline(picture: &mut Plane<[u8; 3]>, bounds: [f64; 4], line_width: usize, color: [u8; 3]) {
    let Some(Area { left, top, right, bottom }) = Area::round(bounds) else { return };
    let line = i64::try_from(line_width).unwrap_or(i64::MAX).min(FAR);
    let (inner_top, inner_bottom) = ((top + line).min(bottom), (bottom - line).max(top));
    Area { left, top, right, bottom: inner_top }.fill(picture, color);
    Area { left, top: inner_bottom, right, bottom }.fill(picture, color);
    Area { left, top, right: (left + line).min(right), bottom }.fill(picture, color);
    Area { left: (right - line).max(left), top, right, bottom }.fill(picture, color);
}

/// Draws the lines from each point to the next, and from the last to the first: all pixels whose centre lies at most
/// half of `line_width` from one of them. Points are `[x, y]` in pixel-edge coordinates; a single one is a dot. Lines
/// from or to a place that is no number, or further than 2^40 pixels away, are left out.
pub fn polygon(picture: &mut Plane<[u8; 3]>, points: &[[f64; 2]], line_width: f64, color: [u8; 3]) {
    let reach = line_width / 2.0;
    for (at, &from) in points.iter().enumerate() {
        let to = points[(at + 1) % points.len()];
        if !from.iter().chain(&to).all(|value| value.abs() < FAR as f64) {
            continue;
        }
        // The rows and columns that the line comes near.
        let span = |axis: usize, length: usize| {
            let (low, high) = (from[axis].min(to[axis]) - reach, from[axis].max(to[axis]) + reach);
            (low.max(0.0) as usize).min(length)..((high + 1.0) as usize).min(length)
        };
        for y in span(1, picture.height()) {
            for x in span(0, picture.width()) {
                if is_near([x as f64 + 0.5, y as f64 + 0.5], from, to, reach) {
                    picture.row_mut(y)[x] = color;
                }
            }
        }
    }
}

/// Whether a point is at most `reach` from the line between two others. Squares are compared, which are exact where
/// the numbers are short.
fn is_near(point: [f64; 2], from: [f64; 2], to: [f64; 2], reach: f64) -> bool {
    let dot = |a: [f64; 2], b: [f64; 2]| a[0] * b[0] + a[1] * b[1];
    let (along, there) = ([to[0] - from[0], to[1] - from[1]], [point[0] - from[0], point[1] - from[1]]);
    let (square, share) = (dot(along, along), dot(there, along));
    let limit = reach * reach;
    if share <= 0.0 {
        dot(there, there) <= limit
    } else if share >= square {
        let left = [there[0] - along[0], there[1] - along[1]];
        dot(left, left) <= limit
    } else {
        let across = there[0] * along[1] - there[1] * along[0];
        across * across <= limit * square
    }
}

/// Width and height of a line of text in pixels.
pub fn text_size(text: &str, scale: usize) -> (usize, usize) {
    (text.chars().count() * LETTER * scale, LETTER * scale)
}

/// Draws a line of text with its upper left corner at `(x, y)`, each dot of a letter `scale` pixels
/// wide. Letters that the font lacks become question marks.
pub fn text(picture: &mut Plane<[u8; 3]>, (x, y): (f64, f64), text: &str, scale: usize, color: [u8; 3]) {
    let Some(start) = Area::round([x, y, 1.0, 1.0]) else { return };
    let scale = i64::try_from(scale).unwrap_or(i64::MAX).min(FAR);
    for (column, letter) in (0i64..).zip(text.chars()) {
        for (dot_y, bits) in (0i64..).zip(glyph(letter)) {
            for dot_x in (0..LETTER as i64).filter(|bit| bits >> bit & 1 == 1) {
                let left = start.left + (column * LETTER as i64 + dot_x) * scale;
                let top = start.top + dot_y * scale;
                Area { left, top, right: left + scale, bottom: top + scale }.fill(picture, color);
            }
        }
    }
}

/// Draws a tag with text above a box, or inside it where there is no room: the text in black or
/// white on a field of `color`, whichever stands out.
pub fn tag(picture: &mut Plane<[u8; 3]>, bounds: [f64; 4], words: &str, scale: usize, color: [u8; 3]) {
    if words.is_empty() {
        return;
    }
    let (width, height) = text_size(words, scale);
    let (width, height) = (width as f64 + 2.0 * scale as f64, height as f64 + 2.0 * scale as f64);
    let above = bounds[1] - height;
    let top = if above >= 0.0 { above } else { bounds[1].max(0.0) };
    fill(picture, [bounds[0], top, width, height], color);
    let [r, g, b] = color.map(u32::from);
    let ink = if 299 * r + 587 * g + 114 * b >= 128_000 { [0; 3] } else { [255; 3] };
    text(picture, (bounds[0] + scale as f64, top + scale as f64), words, scale, ink);
}

/// Lays `color` with opacity `alpha` / 255 over the pixels where `mask` is not zero.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) when the sizes differ.
pub fn blend_mask(picture: &mut Plane<[u8; 3]>, mask: View<u8>, color: [u8; 3], alpha: u8) -> Result<()> {
    check_size(picture, mask)?;
    for y in 0..mask.height() {
        for (pixel, on) in picture.row_mut(y).iter_mut().zip(mask.row(y)) {
            if *on != 0 {
                *pixel = blend(*pixel, color, alpha);
            }
        }
    }
    Ok(())
}

/// Lays the colours of labels with opacity `alpha` / 255 over their pixels; 0 stays clear.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) when the sizes differ.
pub fn blend_labels(picture: &mut Plane<[u8; 3]>, labels: View<u32>, alpha: u8) -> Result<()> {
    check_size(picture, labels)?;
    for y in 0..labels.height() {
        for (pixel, label) in picture.row_mut(y).iter_mut().zip(labels.row(y)) {
            if *label != 0 {
                *pixel = blend(*pixel, color_of(*label), alpha);
            }
        }
    }
    Ok(())
}

/// Draws the inner contours of labels in their colours: the pixels of a label that have another
/// value, or the edge of the picture, to the left, to the right, above or below.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) when the sizes differ.
pub fn contours(picture: &mut Plane<[u8; 3]>, labels: View<u32>) -> Result<()> {
    check_size(picture, labels)?;
    let (width, height) = (labels.width(), labels.height());
    for y in 0..height {
        let row = labels.row(y);
        let above = if y > 0 { labels.row(y - 1) } else { &[] };
        let below = if y + 1 < height { labels.row(y + 1) } else { &[] };
        for (x, pixel) in picture.row_mut(y).iter_mut().enumerate() {
            let label = row[x];
            let inner = x > 0
                && x + 1 < width
                && row[x - 1] == label
                && row[x + 1] == label
                && above.get(x) == Some(&label)
                && below.get(x) == Some(&label);
            if label != 0 && !inner {
                *pixel = color_of(label);
            }
        }
    }
    Ok(())
}

fn check_size<T: Pixel>(picture: &Plane<[u8; 3]>, overlay: View<T>) -> Result<()> {
    let (picture, overlay) = ((picture.width(), picture.height()), (overlay.width(), overlay.height()));
    if picture == overlay {
        return Ok(());
    }
    Err(Error::shape(format!(
        "an overlay of {}x{} does not fit a picture of {}x{}",
        overlay.0, overlay.1, picture.0, picture.1
    )))
}

/// The rows of a letter, the lowest bit on the left.
fn glyph(letter: char) -> [u8; 8] {
    let known =
        BASIC_FONTS.get(letter).or_else(|| LATIN_FONTS.get(letter)).or_else(|| GREEK_FONTS.get(letter));
    known.or_else(|| BASIC_FONTS.get('?')).unwrap_or_default()
}

/// Further out than any picture reaches, and far from overflow.
const FAR: i64 = 1 << 40;

/// Columns `left..right` of rows `top..bottom`, which may lie outside the picture.
struct Area {
    left: i64,
    top: i64,
    right: i64,
    bottom: i64,
}

impl Area {
    /// The pixels of a box, at least one; none where a number is none or a side is negative.
    fn round([x, y, width, height]: [f64; 4]) -> Option<Self> {
        let edge = |value: f64| (value.clamp(-(FAR as f64), FAR as f64) + 0.5).floor() as i64;
        let known = [x, y, width, height].iter().all(|value| value.is_finite());
        if !known || width < 0.0 || height < 0.0 {
            return None;
        }
        let (left, top) = (edge(x), edge(y));
        Some(Self { left, top, right: edge(x + width).max(left + 1), bottom: edge(y + height).max(top + 1) })
    }

    fn fill(&self, picture: &mut Plane<[u8; 3]>, color: [u8; 3]) {
        let clip = |value: i64, length: usize| value.clamp(0, length as i64) as usize;
        let (left, right) = (clip(self.left, picture.width()), clip(self.right, picture.width()));
        let (top, bottom) = (clip(self.top, picture.height()), clip(self.bottom, picture.height()));
        for y in top..bottom {
            if left < right {
                picture.row_mut(y)[left..right].fill(color);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reference;

    const RED: [u8; 3] = [255, 0, 0];

    fn picture() -> impl Strategy<Value = Plane<[u8; 3]>> {
        (0usize..12, 0usize..12).prop_map(|(w, h)| Plane::from_fn(w, h, |x, y| [x as u8, y as u8, 7]))
    }

    proptest! {
        #[test]
        fn outlines_are_those_of_the_definition(
            picture in picture(), x in -15i32..30, y in -15i32..30, w in 0i32..30, h in 0i32..30, line in 0usize..5,
        ) {
            let bounds = [x, y, w, h].map(|value| f64::from(value) / 2.0);
            let mut drawn = picture.clone();
            outline(&mut drawn, bounds, line, RED);
            prop_assert_eq!(drawn, reference::draw::outline(&picture, bounds, line, RED));
        }

        #[test]
        fn polygons_are_those_of_the_definition(
            picture in picture(),
            points in prop::collection::vec((-20i32..30, -20i32..30), 0..5),
            line in 0u8..9,
        ) {
            let points: Vec<[f64; 2]> = points.iter().map(|&(x, y)| [f64::from(x) / 2.0, f64::from(y) / 2.0]).collect();
            let mut drawn = picture.clone();
            polygon(&mut drawn, &points, f64::from(line) / 2.0, RED);
            let halves: Vec<[i64; 2]> = points.iter().map(|p| p.map(|value| (2.0 * value) as i64)).collect();
            prop_assert_eq!(drawn, reference::draw::polygon(&picture, &halves, i64::from(line), RED));
        }

        #[test]
        fn overlays_are_those_of_the_definition(
            picture in picture(), alpha: u8, numbers in prop::collection::vec(0u32..4, 144),
        ) {
            let labels = Plane::from_fn(picture.width(), picture.height(), |x, y| numbers[12 * y + x]);
            let mut drawn = picture.clone();
            contours(&mut drawn, labels.view()).unwrap();
            prop_assert_eq!(&drawn, &reference::draw::contours(&picture, labels.view(), color_of));
            let mut drawn = picture.clone();
            blend_labels(&mut drawn, labels.view(), alpha).unwrap();
            let mut masked = picture.clone();
            blend_mask(&mut masked, labels.map(|label| label as u8).view(), RED, alpha).unwrap();
            for y in 0..picture.height() {
                for x in 0..picture.width() {
                    for c in 0..3 {
                        let mix = |color: u8| {
                            let alpha = f64::from(alpha) / 255.0;
                            (f64::from(color) * alpha + f64::from(picture.get(x, y)[c]) * (1.0 - alpha) + 0.5 - 1e-9).floor() as u8
                        };
                        let label = labels.get(x, y);
                        let before = picture.get(x, y)[c];
                        prop_assert_eq!(masked.get(x, y)[c], if label == 0 { before } else { mix(RED[c]) });
                        prop_assert_eq!(drawn.get(x, y)[c], if label == 0 { before } else { mix(color_of(label)[c]) });
                    }
                }
            }
        }
    }

    #[test]
    fn letters_are_upright_and_scaled() {
        let mut picture = Plane::new(8, 8);
        text(&mut picture, (0.0, 0.0), "L", 1, RED);
        let rows: Vec<String> = (0..8)
            .map(|y| picture.row(y).iter().map(|pixel| if *pixel == RED { '#' } else { '.' }).collect())
            .collect();
        let expected =
            ["####....", ".##.....", ".##.....", ".##.....", ".##...#.", ".##..##.", "#######.", "........"];
        assert_eq!(rows, expected);
        let mut large = Plane::new(24, 24);
        text(&mut large, (0.0, 0.0), "L", 3, RED);
        assert_eq!(large, Plane::from_fn(24, 24, |x, y| picture.get(x / 3, y / 3)));
        assert_eq!(text_size("äß?", 3), (72, 24));
    }

    #[test]
    fn tags_stand_above_their_box_or_in_it() {
        let mut picture = Plane::new(40, 40);
        tag(&mut picture, [2.0, 20.0, 10.0, 10.0], "a", 1, PALETTE[3]);
        assert_eq!(
            (picture.get(2, 9), picture.get(2, 10), picture.get(2, 19)),
            ([0; 3], PALETTE[3], PALETTE[3])
        );
        assert_eq!(picture.get(2, 20), [0; 3]);
        let mut picture = Plane::new(40, 40);
        tag(&mut picture, [2.0, 5.0, 10.0, 10.0], "a", 1, PALETTE[3]);
        assert_eq!((picture.get(2, 4), picture.get(2, 5)), ([0; 3], PALETTE[3]));
    }

    #[test]
    fn boxes_from_nowhere_do_no_harm() {
        let blank = Plane::filled(5, 5, [9; 3]);
        let mut picture = blank.clone();
        for bad in [f64::NAN, f64::INFINITY, -1e300, 1e300] {
            outline(&mut picture, [bad, 0.0, 3.0, 3.0], 1, RED);
            outline(&mut picture, [7.0, 7.0, bad, 3.0], usize::MAX, RED);
            polygon(&mut picture, &[[bad, 2.0], [3.0, 4.0]], 1.0, RED);
            text(&mut picture, (bad, 1.0), "x", usize::MAX, RED);
            tag(&mut picture, [bad, bad, 1.0, 1.0], "x", 1, RED);
        }
        assert_eq!(picture, blank);
    }

    #[test]
    fn every_type_becomes_a_picture() {
        let rgb = |image: Image| to_rgb8(&image).unwrap().as_slice().to_vec();
        assert_eq!(rgb(Image::Gray16(Plane::from_vec(2, 1, vec![255, 65535]).unwrap())), [[0; 3], [255; 3]]);
        let floats = vec![-1.0, 0.5, 2.0, f32::NAN];
        assert_eq!(
            rgb(Image::GrayF32(Plane::from_vec(4, 1, floats).unwrap())),
            [[0; 3], [128; 3], [255; 3], [0; 3]]
        );
        assert_eq!(rgb(Image::Labels(Plane::from_vec(2, 1, vec![0, 8]).unwrap())), [[0; 3], PALETTE[0]]);
        assert!(to_rgb8(&Image::new(crate::image::ImageType::GradientI16, 1, 1)).is_err());
    }
}
