//! Watersheds: an image flooded from markers, basin by basin.
//!
//! Pixels are taken in the order of their values, those of one value in the order in which the flood
//! reached them (F. Meyer 1991; P. Soille and L. Vincent 1990; scikit-image's `watershed`). Markers of one
//! value begin in raster order.
//!
//! ```
//! use lyncean::image::{Image, Plane};
//! use lyncean::ops::Context;
//! use lyncean::ops::label::Connectivity;
//! use lyncean::ops::watershed::{peaks, watershed};
//!
//! // Two valleys, and a marker in each.
//! let depth = Plane::from_fn(9, 1, |x, _| [3.0, 1.0, 2.0, 4.0, 6.0, 4.0, 2.0, 1.0, 3.0][x]);
//! let markers = Plane::from_fn(9, 1, |x, _| [0, 1, 0, 0, 0, 0, 0, 2, 0][x]);
//! let parts = watershed(depth.view(), markers.view(), None, Connectivity::Eight, &|| false)?;
//! assert_eq!((parts.get(0, 0), parts.get(8, 0)), (1, 2));
//! assert_eq!(peaks(&Image::GrayF32(depth), 1, 5.0, &Context::default())?, [(4, 0)]);
//! # Ok::<(), lyncean::Error>(())
//! ```

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Context;
use super::band::{Cancelled, poll};
use super::label::Connectivity;
use super::morphology::{ElementShape, Morphology, MorphologyOp, morphology};
use crate::image::{Image, Plane, View};
use crate::{Error, Result};

/// Floods `image` from `markers` (0: none) over the pixels of `mask` that are not 0, low values first. Pixels
/// that no flood reaches are 0.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) when sizes differ, [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn watershed(
    image: View<f32>,
    markers: View<u32>,
    mask: Option<View<u8>>,
    connectivity: Connectivity,
    cancelled: Cancelled,
) -> Result<Plane<u32>> {
    let (width, height) = (image.width(), image.height());
    let same = |w: usize, h: usize| (w, h) == (width, height);
    if !same(markers.width(), markers.height()) || mask.is_some_and(|mask| !same(mask.width(), mask.height()))
    {
        return Err(Error::shape(format!(
            "a watershed wants image, markers and mask of one size, {width}x{height}"
        )));
    }
    let is_open = |x: usize, y: usize| mask.is_none_or(|mask| mask.row(y)[x] != 0);
    let mut labels = Plane::<u32>::new(width, height);
    // Value, age, place. The order of floats is made that of integers.
    let mut flood: BinaryHeap<Reverse<(i32, u64, usize)>> = BinaryHeap::new();
    for y in 0..height {
        for x in 0..width {
            let label = markers.row(y)[x];
            if label != 0 && is_open(x, y) {
                labels.set(x, y, label);
                flood.push(Reverse((ordered(image.row(y)[x]), 0, y * width + x)));
            }
        }
    }
    let neighbours: &[(isize, isize)] = match connectivity {
        Connectivity::Four => &NEIGHBOURS[..4],
        Connectivity::Eight => &NEIGHBOURS,
    };
    let (mut age, mut taken) = (0, 0u64);
    while let Some(Reverse((_, _, place))) = flood.pop() {
        if taken.is_multiple_of(1 << 14) {
            poll(cancelled)?;
        }
        taken += 1;
        let (x, y) = (place % width, place / width);
        let label = labels.get(x, y);
        for &(dx, dy) in neighbours {
            let (Some(x), Some(y)) = (x.checked_add_signed(dx), y.checked_add_signed(dy)) else { continue };
            if x >= width || y >= height || labels.get(x, y) != 0 || !is_open(x, y) {
                continue;
            }
            age += 1;
            labels.set(x, y, label);
            flood.push(Reverse((ordered(image.row(y)[x]), age, y * width + x)));
        }
    }
    Ok(labels)
}

const NEIGHBOURS: [(isize, isize); 8] =
    [(0, -1), (-1, 0), (1, 0), (0, 1), (-1, -1), (1, -1), (-1, 1), (1, 1)];

/// An integer for every float, in the same order; -0 and 0 are one.
fn ordered(value: f32) -> i32 {
    let bits = (value + 0.0).to_bits() as i32;
    if bits < 0 { bits ^ i32::MAX } else { bits }
}

/// The peaks of an image: pixels above `least` with no greater one within `distance` pixels along either axis,
/// the highest first, and of peaks so near to each other only the first; as (x, y).
///
/// scikit-image's `peak_local_max` without excluding borders. Equal values are taken in raster order.
///
/// # Errors
/// [`Pipeline`](crate::ErrorKind::Pipeline) for a distance beyond the largest window,
/// [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn peaks(image: &Image, distance: usize, least: f32, cx: &Context) -> Result<Vec<(usize, usize)>> {
    let Image::GrayF32(plane) = image else { return Err(Error::shape("peaks want a `gray-f32` image")) };
    let side = 2 * distance + 1;
    let window =
        Morphology { op: MorphologyOp::Dilate, shape: ElementShape::Rect, size: (side, side), iterations: 1 };
    let Image::GrayF32(greatest) = morphology(image, &window, cx)? else {
        return Err(Error::shape("a dilation changed the type"));
    };
    let mut found = Vec::new();
    for y in 0..plane.height() {
        for (x, (&value, &greatest)) in plane.row(y).iter().zip(greatest.row(y)).enumerate() {
            if value > least && value == greatest {
                found.push((value, x, y));
            }
        }
    }
    // Stable: raster order stays among equals.
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut taken = Plane::<u8>::new(plane.width(), plane.height());
    let mut kept = Vec::new();
    for (_, x, y) in found {
        if taken.get(x, y) != 0 {
            continue;
        }
        kept.push((x, y));
        let rows = y.saturating_sub(distance)..(y + distance + 1).min(plane.height());
        for row in rows {
            let columns = x.saturating_sub(distance)..(x + distance + 1).min(plane.width());
            taken.row_mut(row)[columns].fill(1);
        }
    }
    Ok(kept)
}
