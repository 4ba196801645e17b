//! Edge linking with two thresholds: weak pixels stay where they hang on strong ones.
//!
//! The last step of J. Canny (1986). It is a question about connected components, so it works on
//! the runs of [`label`](super::label).

use super::band::Cancelled;
use super::label::{Connectivity, components};
use crate::Result;
use crate::image::{Plane, View};
use crate::kernel::Isa;

/// The class of pixels that are edges only where they hang together with a strong one.
pub const WEAK: u8 = 1;
/// The class of pixels that are edges.
pub const STRONG: u8 = 2;

/// The mask (0 or 255) of the 8-connected components of `classes` that have a [`STRONG`] pixel.
///
/// Classes are 0 (none), [`WEAK`], and [`STRONG`]; larger ones count as strong.
///
/// # Errors
/// Those of [`components`].
pub fn hysteresis(isa: Isa, classes: View<u8>, threads: usize, cancelled: Cancelled) -> Result<Plane<u8>> {
    let components = components(isa, classes, Connectivity::Eight, threads, cancelled)?;
    let mut strong = vec![false; components.count() as usize + 1];
    for y in 0..components.height() {
        let row = classes.row(y);
        for (run, label) in components.row(y) {
            let strong = &mut strong[label as usize];
            // A long weak run of a component known to be strong need not be read.
            *strong =
                *strong || row[run.start as usize..run.end as usize].iter().any(|class| *class >= STRONG);
        }
    }
    Ok(components.paint_with(threads, |label| if strong[label as usize] { 255 } else { 0 }))
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
                    let got = hysteresis(isa, classes.view(), threads, &|| false).unwrap();
                    prop_assert_eq!(&got, &expected);
                }
            }
        }
    }
}
