//! Exact Euclidean distances.
//!
//! In two passes: down and up the columns to the nearest background of the column, then along each row the
//! lower envelope of the parabolas that stand on its pixels (A. Meijster, J. Roerdink and W. Hesselink
//! 2000; P. Felzenszwalb and D. Huttenlocher 2012). Squares are integers throughout, so that results do
//! not depend on the order of work.

use super::Context;
use super::band::{bands, fill_rows, rows_of};
use super::spare::Furnished;
use crate::Result;
use crate::image::{Image, Plane, View};

/// No background in reach.
const FAR: u32 = u32::MAX;

/// Squared distances, in pixels, from each pixel's centre to that of the nearest background pixel; 0 for
/// background, `None` where the mask has none at all.
///
/// # Errors
/// [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn squared_distances(mask: View<u8>, cx: &Context) -> Result<Option<Plane<u64>>> {
    let mut squares = Vec::new();
    let has_background = squares_of(mask, &mut squares, cx)?;
    has_background.then(|| Plane::from_vec(mask.width(), mask.height(), squares)).transpose()
}

/// [`squared_distances`] row after row into memory that is there; `false` where there is no background.
fn squares_of(mask: View<u8>, squares: &mut Vec<u64>, cx: &Context) -> Result<bool> {
    let (width, height) = (mask.width(), mask.height());
    if (0..height).all(|y| mask.row(y).iter().all(|&pixel| pixel != 0)) {
        return Ok(false);
    }
    // Distances along columns: whole rows at a time, so that memory is read in order.
    let mut along: Plane<u32> = cx.plane(width, height);
    for y in 0..height {
        if y % 64 == 0 {
            cx.check()?;
        }
        let pixels = along.as_mut_slice();
        let (above, here) = pixels.split_at_mut(y * width);
        let above = above.len().checked_sub(width).map(|start| &above[start..]);
        for (x, (here, &pixel)) in here.iter_mut().zip(mask.row(y)).enumerate() {
            *here = if pixel == 0 { 0 } else { above.map_or(FAR, |above| above[x].saturating_add(1)) };
        }
    }
    for y in (1..height).rev() {
        let (above, here) = along.as_mut_slice().split_at_mut(y * width);
        for (above, &here) in above[(y - 1) * width..].iter_mut().zip(&here[..width]) {
            *above = (*above).min(here.saturating_add(1));
        }
    }
    // All of it is written over.
    squares.resize(width * height, 0);
    fill_rows(squares, width, &bands(height, cx.threads, rows_of(cx, 8 << 10, width, 16)), |band, out| {
        let mut envelope = cx.room::<Envelope>();
        for (i, y) in band.enumerate() {
            if i % 64 == 0 {
                cx.check()?;
            }
            envelope.row(along.row(y), &mut out[i * width..][..width]);
        }
        Ok(())
    })?;
    cx.reuse(cx.share(Image::Labels(along)));
    Ok(true)
}

/// The parabolas that are lowest somewhere on a row.
#[derive(Default)]
struct Envelope {
    /// Their vertices, and the first pixel where each is lowest.
    parts: Vec<(i64, i64)>,
}

impl Furnished for Envelope {
    fn bytes(&self) -> usize {
        self.parts.bytes()
    }
}

impl Envelope {
    fn row(&mut self, along: &[u32], out: &mut [u64]) {
        self.parts.clear();
        let width = along.len() as i64;
        let height = |x: i64| i64::from(along[x as usize]);
        for x in 0..width {
            if along[x as usize] == FAR {
                continue;
            }
            let square = height(x) * height(x);
            let mut from = 0;
            while let Some(&(vertex, start)) = self.parts.last() {
                // From which pixel on the new parabola is below the last one.
                let top = x * x - vertex * vertex + square - height(vertex) * height(vertex);
                from = top.div_euclid(2 * (x - vertex)) + 1;
                if from > start {
                    break;
                }
                self.parts.pop();
                from = 0;
            }
            if from < width {
                self.parts.push((x, from));
            }
        }
        let mut end = width;
        for &(vertex, start) in self.parts.iter().rev() {
            let square = height(vertex) * height(vertex);
            for x in start..end {
                out[x as usize] = ((x - vertex) * (x - vertex) + square) as u64;
            }
            end = start;
        }
    }
}

/// The distance of each pixel from the nearest background pixel, in pixels: SciPy's
/// `distance_transform_edt`, rounded to `f32`. Infinite where the mask has no background; what lies
/// beyond the edge does not count.
///
/// # Errors
/// [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn distance_transform(mask: View<u8>, cx: &Context) -> Result<Plane<f32>> {
    let mut squares = cx.room::<Vec<u64>>();
    let has_background = squares_of(mask, &mut squares, cx)?;
    let mut distances: Plane<f32> = cx.plane(mask.width(), mask.height());
    let out = distances.as_mut_slice();
    if has_background {
        out.iter_mut().zip(squares.iter()).for_each(|(out, &square)| *out = (square as f64).sqrt() as f32);
    } else {
        out.fill(f32::INFINITY);
    }
    Ok(distances)
}
