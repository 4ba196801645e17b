//! Masks cleaned by what hangs together: holes filled, small parts and parts at the edge taken away.
//!
//! All of them look at connected components; see [`mod@super::label`].

use super::band::Cancelled;
use super::label::{Components, Connectivity, Run, components};
use crate::Result;
use crate::image::{Plane, View};
use crate::kernel::Isa;

/// How many pixels each component has, and whether it comes nearer to the edge than `margin` pixels; by
/// label, the first of no meaning.
fn measure(components: &Components, margin: usize) -> (Vec<u64>, Vec<bool>) {
    let count = components.count() as usize + 1;
    let (mut areas, mut at_edge) = (vec![0; count], vec![false; count]);
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
/// Those of [`components`].
pub fn fill_holes(
    isa: Isa,
    mask: View<u8>,
    connectivity: Connectivity,
    max_area: Option<u64>,
    threads: usize,
    cancelled: Cancelled,
) -> Result<Plane<u8>> {
    let background = Plane::from_fn(mask.width(), mask.height(), |x, y| u8::from(mask.row(y)[x] == 0));
    let other = match connectivity {
        Connectivity::Four => Connectivity::Eight,
        Connectivity::Eight => Connectivity::Four,
    };
    let components = components(isa, background.view(), other, threads, cancelled)?;
    let (areas, at_edge) = measure(&components, 0);
    let is_hole = |label: u32| {
        let label = label as usize;
        label > 0 && !at_edge[label] && max_area.is_none_or(|most| areas[label] <= most)
    };
    let holes = components.paint_with(threads, |label| if is_hole(label) { 255 } else { 0 });
    Ok(Plane::from_fn(
        mask.width(),
        mask.height(),
        |x, y| {
            if mask.row(y)[x] != 0 { 255 } else { holes.get(x, y) }
        },
    ))
}

/// Takes away components of fewer than `min_area` pixels: scikit-image's `remove_small_objects`.
///
/// # Errors
/// Those of [`components`].
pub fn remove_small(
    isa: Isa,
    mask: View<u8>,
    connectivity: Connectivity,
    min_area: u64,
    threads: usize,
    cancelled: Cancelled,
) -> Result<Plane<u8>> {
    let components = components(isa, mask, connectivity, threads, cancelled)?;
    let (areas, _) = measure(&components, 0);
    let stays = |label: u32| label > 0 && areas[label as usize] >= min_area;
    Ok(components.paint_with(threads, |label| if stays(label) { 255 } else { 0 }))
}

/// Takes away components that touch the edge, or come nearer to it than `margin` pixels: scikit-image's
/// `clear_border` with this `buffer_size`.
///
/// # Errors
/// Those of [`components`].
pub fn clear_border(
    isa: Isa,
    mask: View<u8>,
    connectivity: Connectivity,
    margin: usize,
    threads: usize,
    cancelled: Cancelled,
) -> Result<Plane<u8>> {
    let components = components(isa, mask, connectivity, threads, cancelled)?;
    let (_, at_edge) = measure(&components, margin);
    let stays = |label: u32| label > 0 && !at_edge[label as usize];
    Ok(components.paint_with(threads, |label| if stays(label) { 255 } else { 0 }))
}
