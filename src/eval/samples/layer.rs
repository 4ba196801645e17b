//! One object as it lies on a picture: turned, seen askew, lit, blurred and laid over what is there.

use super::{CutOut, SampleOptions, rgb8};
use crate::image::{Image, Plane, Rect};
use crate::nn::Rng;
use crate::ops::Context;
use crate::ops::gaussian::{Gaussian, gaussian};
use crate::ops::resize::{Interpolation, Resize, resize};
use crate::{Error, Result};

/// An object as it lies on the picture.
pub(super) struct Layer {
    /// The part of the picture that the layer covers.
    area: Rect,
    /// Values times alpha, and alpha, 0 to 1 of white: three colours and how much of the pixel is the object's.
    pixels: Vec<[f32; 4]>,
    /// The box around the pixels that are at least half the object's.
    pub(super) bounds: Rect,
}

impl Layer {
    /// A random view of a cut-out; nothing where that leaves the picture.
    pub(super) fn of(cut_out: &CutOut, options: &SampleOptions, rng: Rng) -> Result<Option<Self>> {
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

    /// Lays it over what is there.
    pub(super) fn lay_on(&self, picture: &mut Plane<[u8; 3]>) {
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
