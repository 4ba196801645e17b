//! Edge linking with two thresholds: weak pixels stay where they hang on strong ones.
//!
//! The last step of J. Canny (1986). It is a question about connected components, so it works on
//! the runs of [`label`](mod@super::label).

use std::sync::Arc;

use super::Context;
use super::chain::{Chain, apply_chain};
use super::label::{Connectivity, components_of};
use super::row::{RowNode, RowOut, Rows, Shape, State};
use super::stencil::expect_types;
use crate::Result;
use crate::image::{Element, Image, ImageType, Plane, View};
use crate::kernel::Isa;
use crate::kernel::threshold::classify_row;

/// The class of pixels that are edges only where they hang together with a strong one.
pub const WEAK: u8 = 1;
/// The class of pixels that are edges.
pub const STRONG: u8 = 2;

/// The mask (0 or 255) of the 8-connected components of `classes` that have a [`STRONG`] pixel.
///
/// Classes are 0 (none), [`WEAK`], and [`STRONG`]; larger ones count as strong.
///
/// # Errors
/// Those of [`components`](super::label::components).
pub fn hysteresis(classes: View<u8>, cx: &Context) -> Result<Plane<u8>> {
    hysteresis_of(classes, Connectivity::Eight, cx)
}

/// [`hysteresis`] with a choice of neighbours.
///
/// # Errors
/// Those of [`components`](super::label::components).
pub fn hysteresis_of(classes: View<u8>, connectivity: Connectivity, cx: &Context) -> Result<Plane<u8>> {
    let components = components_of(cx, classes, connectivity)?;
    let mut strong = cx.room::<Vec<bool>>();
    strong.clear();
    strong.resize(components.count() as usize + 1, false);
    for y in 0..components.height() {
        let row = classes.row(y);
        for (run, label) in components.row(y) {
            let strong = &mut strong[label as usize];
            // A long weak run of a component known to be strong need not be read.
            *strong =
                *strong || row[run.start as usize..run.end as usize].iter().any(|class| *class >= STRONG);
        }
    }
    Ok(components.paint_with(cx, |label| if strong[label as usize] { 255 } else { 0 }))
}

/// Sorts pixels into [`WEAK`] above `low`, [`STRONG`] above `high` as well, and none, as `gray8`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassifyRows {
    /// In units of the image.
    pub low: f32,
    /// In units of the image, at least `low`.
    pub high: f32,
}

impl RowNode for ClassifyRows {
    fn name(&self) -> &'static str {
        "hysteresis-classes"
    }

    fn output(&self, inputs: &[Shape]) -> Shape {
        Shape { ty: ImageType::Gray8, ..inputs[0] }
    }

    fn is_map(&self) -> bool {
        true
    }

    fn row(&self, isa: Isa, _state: &mut State, rows: &Rows<'_>, y: usize, out: &mut RowOut<'_>) {
        let (low, high, y) = (self.low, self.high, y as isize);
        match rows.shape(0).ty.element() {
            Element::U16 => classify_row::<u16>(isa, rows.get(0, 0, y), low, high, out.row()),
            Element::F32 => classify_row::<f32>(isa, rows.get(0, 0, y), low, high, out.row()),
            _ => classify_row::<u8>(isa, rows.get(0, 0, y), low, high, out.row()),
        }
    }
}

/// Parameters of [`hysteresis_threshold`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hysteresis {
    /// Pixels above it are in where a stronger one is near, in units of the image.
    pub low: f32,
    /// Pixels above it are in by themselves, in units of the image; at least `low`.
    pub high: f32,
    /// Neighbours of a pixel.
    pub connectivity: Connectivity,
}

impl Default for Hysteresis {
    /// Levels for 8 bit that are no more than a start; four neighbours.
    fn default() -> Self {
        Self { low: 80.0, high: 150.0, connectivity: Connectivity::Four }
    }
}

/// The mask of the pixels above `low` that hang together with one above `high`: scikit-image's
/// `apply_hysteresis_threshold` with four neighbours.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::{Context, Hysteresis, hysteresis_threshold};
///
/// let image = Image::Gray8(Plane::from_vec(5, 1, vec![90, 160, 90, 0, 90])?);
/// let mask = hysteresis_threshold(&image, &Hysteresis::default(), &Context::default())?;
/// assert_eq!(mask.as_gray8()?.as_slice(), [255, 255, 255, 0, 0]);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for images that are not gray, [`Cancelled`](crate::ErrorKind::Cancelled).
pub fn hysteresis_threshold(image: &Image, params: &Hysteresis, cx: &Context) -> Result<Image> {
    let &Hysteresis { low, high, connectivity } = params;
    let classes = apply_chain(nodes(Shape::of(image), low, high)?, image, cx)?;
    let mask = hysteresis_of(classes.as_gray8()?.view(), connectivity, cx)?;
    cx.reuse(cx.share(classes));
    Ok(Image::Mask(mask))
}

/// The node that classifies for [`hysteresis_of`].
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) for images that are not gray.
pub fn nodes(input: Shape, low: f32, high: f32) -> Result<Chain> {
    use ImageType::{Gray8, Gray16, GrayF32, Mask};
    expect_types("hysteresis", input, &[Gray8, Gray16, GrayF32, Mask])?;
    // The higher level counts only where the lower one holds too.
    Ok(vec![Arc::new(ClassifyRows { low, high: high.max(low) })])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reference;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn edges_are_the_fixpoint_of_growing(
            classes in (0usize..30, 0usize..150, 0usize..40).prop_flat_map(|(width, height, weak)| {
                let class = (0usize..100).prop_map(move |dice| match dice {
                    0..3 => STRONG,
                    _ if dice < 10 + weak => WEAK,
                    _ => 0,
                });
                prop::collection::vec(class, width * height)
                    .prop_map(move |data| Plane::from_vec(width, height, data).unwrap())
            }),
        ) {
            let expected = reference::hysteresis::hysteresis(classes.view());
            for isa in Isa::available() {
                for threads in [1, 2] {
                    let cx = Context::default().with_isa(isa).with_threads(threads);
                    let got = hysteresis(classes.view(), &cx).unwrap();
                    prop_assert_eq!(&got, &expected);
                }
            }
        }
    }
}
