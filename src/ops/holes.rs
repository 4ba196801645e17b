//! Masks cleaned by what hangs together: holes filled, small parts and parts at the edge taken away.
//!
//! All of them look at connected components; see [`mod@super::label`].

use super::Context;
use super::label::{Components, Connectivity, Run, components_of};
use super::spare::Room;
use crate::Result;
use crate::image::{Image, Plane, View};

/// How many pixels each component has, and whether it comes nearer to the edge than `margin` pixels; by
/// label, the first of no meaning.
fn measure<'a>(
    components: &Components,
    margin: usize,
    cx: &'a Context,
) -> (Room<'a, Vec<u64>>, Room<'a, Vec<bool>>) {
    let count = components.count() as usize + 1;
    let (mut areas, mut at_edge) = (cx.room::<Vec<u64>>(), cx.room::<Vec<bool>>());
    areas.clear();
    areas.resize(count, 0);
    at_edge.clear();
    at_edge.resize(count, false);
    let (width, height) = (components.width(), components.height());
    for y in 0..height {
        let is_edge_row = y <= margin || y + margin + 1 >= height;
        for (Run { start, end }, label) in components.row(y) {
            areas[label as usize] += u64::from(end - start);
            at_edge[label as usize] |=
                is_edge_row || start as usize <= margin || end as usize + margin >= width;
        }
    }
    (areas, at_edge)
}

/// Fills the holes of a mask: background that does not hang together with the edge, 255 from then on.
///
/// `connectivity` is that of the foreground; the background's is the other one. Holes of more than
/// `max_area` pixels stay. Equal to SciPy's `binary_fill_holes` with 8 neighbours and no limit.
///
/// # Errors
/// Those of [`components`](super::label::components).
pub fn fill_holes(
    mask: View<u8>,
    connectivity: Connectivity,
    max_area: Option<u64>,
    cx: &Context,
) -> Result<Plane<u8>> {
    let (width, height) = (mask.width(), mask.height());
    let mut background: Plane<u8> = cx.plane(width, height);
    for y in 0..height {
        background
            .row_mut(y)
            .iter_mut()
            .zip(mask.row(y))
            .for_each(|(out, &pixel)| *out = u8::from(pixel == 0));
    }
    let other = match connectivity {
        Connectivity::Four => Connectivity::Eight,
        Connectivity::Eight => Connectivity::Four,
    };
    let components = components_of(cx, background.view(), other)?;
    let (areas, at_edge) = measure(&components, 0, cx);
    let is_hole = |label: u32| {
        let label = label as usize;
        label > 0 && !at_edge[label] && max_area.is_none_or(|most| areas[label] <= most)
    };
    cx.reuse(cx.share(Image::Gray8(background)));
    let mut filled: Plane<u8> = components.paint_with(cx, |label| if is_hole(label) { 255 } else { 0 });
    for y in 0..height {
        let pairs = filled.row_mut(y).iter_mut().zip(mask.row(y));
        pairs.for_each(|(out, &pixel)| *out |= if pixel == 0 { 0 } else { 255 });
    }
    Ok(filled)
}

/// Takes away components of fewer than `min_area` pixels: scikit-image's `remove_small_objects`.
///
/// # Errors
/// Those of [`components`](super::label::components).
pub fn remove_small(
    mask: View<u8>,
    connectivity: Connectivity,
    min_area: u64,
    cx: &Context,
) -> Result<Plane<u8>> {
    let components = components_of(cx, mask, connectivity)?;
    let (areas, _) = measure(&components, 0, cx);
    let stays = |label: u32| label > 0 && areas[label as usize] >= min_area;
    Ok(components.paint_with(cx, |label| if stays(label) { 255 } else { 0 }))
}

/// Takes away components that touch the edge, or come nearer to it than `margin` pixels: scikit-image's
/// `clear_border` with this `buffer_size`.
///
/// # Errors
/// Those of [`components`](super::label::components).
pub fn clear_border(
    mask: View<u8>,
    connectivity: Connectivity,
    margin: usize,
    cx: &Context,
) -> Result<Plane<u8>> {
    let components = components_of(cx, mask, connectivity)?;
    let (_, at_edge) = measure(&components, margin, cx);
    let stays = |label: u32| label > 0 && !at_edge[label as usize];
    Ok(components.paint_with(cx, |label| if stays(label) { 255 } else { 0 }))
}
