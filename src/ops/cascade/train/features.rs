//! All Haar features of a window, in a fixed order.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ops::cascade::{Feature, FeatureRect};

/// Which features a cascade is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FeatureSet {
    /// The five of Viola and Jones (2001): two and three rectangles side by side or one above the other, and
    /// four in a square. OpenCV's `BASIC`.
    #[default]
    Upright,
    /// These, and two and three rectangles turned by 45 degrees (Lienhart and Maydt, 2002).
    Tilted,
}

/// A shape: how many times the unit it is wide and high, which unit cells are weighted, and by what on top of
/// the -1 of the whole.
struct Shape {
    cells: (usize, usize),
    parts: &'static [(usize, usize)],
    weight: f32,
    tilted: bool,
}

/// Whole minus part: the weights cancel where the picture is even.
const SHAPES: [Shape; 9] = [
    Shape { cells: (2, 1), parts: &[(1, 0)], weight: 2.0, tilted: false },
    Shape { cells: (1, 2), parts: &[(0, 1)], weight: 2.0, tilted: false },
    Shape { cells: (3, 1), parts: &[(1, 0)], weight: 3.0, tilted: false },
    Shape { cells: (1, 3), parts: &[(0, 1)], weight: 3.0, tilted: false },
    Shape { cells: (2, 2), parts: &[(0, 0), (1, 1)], weight: 2.0, tilted: false },
    Shape { cells: (2, 1), parts: &[(1, 0)], weight: 2.0, tilted: true },
    Shape { cells: (1, 2), parts: &[(0, 1)], weight: 2.0, tilted: true },
    Shape { cells: (3, 1), parts: &[(1, 0)], weight: 3.0, tilted: true },
    Shape { cells: (1, 3), parts: &[(0, 1)], weight: 3.0, tilted: true },
];

/// All features of a window of `width` by `height` pixels, each at every place and in every size.
///
/// The order is fixed: by shape, top edge, left edge, height of the unit, width of the unit. Weights cancel in
/// an even picture.
///
/// ```
/// use lyncean::ops::cascade::train::{FeatureSet, haar_features};
///
/// assert_eq!(haar_features(24, 24, FeatureSet::Upright).len(), 162_336);
/// assert!(haar_features(2, 1, FeatureSet::Upright)[0].rects[0].weight < 0.0);
/// ```
pub fn haar_features(width: usize, height: usize, set: FeatureSet) -> Vec<Feature> {
    let shapes = SHAPES.iter().filter(|shape| set == FeatureSet::Tilted || !shape.tilted);
    shapes.flat_map(|shape| of_shape(shape, width, height)).collect()
}

fn of_shape(shape: &Shape, width: usize, height: usize) -> Vec<Feature> {
    let (across, down) = shape.cells;
    let mut features = Vec::new();
    for y in 0..height {
        for x in 0..width {
            for unit_height in 1..=height / down {
                for unit_width in 1..=width / across {
                    let (wide, high) = (across * unit_width, down * unit_height);
                    // Tilted ones start at their top corner and reach as far left as they are high.
                    let fits = if shape.tilted {
                        x >= high && x + wide <= width && y + wide + high <= height
                    } else {
                        x + wide <= width && y + high <= height
                    };
                    if fits {
                        features.push(feature(shape, (x, y), (unit_width, unit_height)));
                    }
                }
            }
        }
    }
    features
}

fn feature(shape: &Shape, (x, y): (usize, usize), (width, height): (usize, usize)) -> Feature {
    let whole =
        FeatureRect { x, y, width: shape.cells.0 * width, height: shape.cells.1 * height, weight: -1.0 };
    let parts = shape.parts.iter().map(|&(column, row)| {
        let (along, aside) = (column * width, row * height);
        let (x, y) =
            if shape.tilted { (x + along - aside, y + along + aside) } else { (x + along, y + aside) };
        FeatureRect { x, y, width, height, weight: shape.weight }
    });
    Feature { rects: std::iter::once(whole).chain(parts).collect(), tilted: shape.tilted }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::image::Plane;
    use crate::ops::cascade::model::check_haar;
    use crate::reference::cascade::{HaarRect, feature_value};

    fn counts(width: usize, height: usize) -> Vec<usize> {
        SHAPES.iter().map(|shape| of_shape(shape, width, height).len()).collect()
    }

    /// The number that is told everywhere is that of the five shapes in a window of 24x24.
    #[test]
    fn a_window_of_24_has_as_many_as_published() {
        assert_eq!(counts(24, 24)[..5], [43_200, 43_200, 27_600, 27_600, 20_736]);
        assert_eq!(haar_features(24, 24, FeatureSet::Upright).len(), 162_336);
        assert_eq!(haar_features(20, 20, FeatureSet::Upright).len(), 78_460);
        assert_eq!(counts(24, 20)[0], counts(20, 24)[1]);
    }

    #[test]
    fn features_differ_lie_inside_and_cancel_on_even_ground() {
        let even = Plane::filled(9, 8, 7u8);
        let features = haar_features(9, 8, FeatureSet::Tilted);
        let mut met = BTreeSet::new();
        for feature in &features {
            check_haar(feature, 9, 8).unwrap();
            assert!(met.insert(format!("{feature:?}")), "{feature:?}");
            let rects: Vec<HaarRect> = feature
                .rects
                .iter()
                .map(|r| HaarRect {
                    place: [r.x, r.y, r.width, r.height].map(|v| v as i64),
                    weight: r.weight,
                })
                .collect();
            assert_eq!(feature_value(even.view(), (0, 0), &rects, feature.tilted), 0.0, "{feature:?}");
        }
        assert!(features.iter().any(|feature| feature.tilted));
        assert!(haar_features(9, 8, FeatureSet::Upright).iter().all(|feature| !feature.tilted));
    }
}
