//! From the outputs of a detector net to boxes.
//!
//! A single-shot detector (Redmon et al., 2016; Liu et al., 2016) gives its answers on grids: one cell for each square
//! of `stride` pixels, on several grids for objects of several sizes. YuNet (Wu, Peng and Yu, 2023) has no anchors: a
//! cell tells where the centre of its object lies from its own corner, in strides, and the logarithms of width and
//! height in strides.
//!
//! ```
//! use lyncean::ops::decode::{Found, Grid, Values, yunet};
//!
//! // One row of two cells of 8 pixels; the second has an object of 16x8 pixels about (12, 4).
//! let bbox = [0.0, 0.0, 0.0, 0.0, 0.5, 0.5, f32::ln(2.0), 0.0];
//! let grid = Grid {
//!     stride: 8.0,
//!     columns: 2,
//!     cls: Values::rows(&[0.1, 0.81], 1),
//!     obj: Values::rows(&[0.1, 1.0], 1),
//!     bbox: Values::rows(&bbox, 4),
//!     points: None,
//! };
//! let mut found: Vec<Found> = Vec::new();
//! yunet(&grid, 0, 0.5, &mut found)?;
//! assert_eq!(found.len(), 1);
//! let [x, y, width, height] = found[0].bbox;
//! assert!((x - 4.0).abs() < 1e-5 && y == 0.0 && (width - 16.0).abs() < 1e-5 && height == 8.0);
//! assert!((found[0].score - 0.9).abs() < 1e-6);
//! # Ok::<(), lyncean::Error>(())
//! ```

use crate::{Error, Result};

/// Numbers of the cells of a grid, row after row of cells.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    data: &'a [f32],
    channels: usize,
    is_planar: bool,
}

impl<'a> Values<'a> {
    /// The numbers of each cell together: `[cells, channels]`.
    pub fn rows(data: &'a [f32], channels: usize) -> Self {
        Self { data, channels, is_planar: false }
    }

    /// One plane of cells after another: `[channels, rows, columns]`.
    pub fn planes(data: &'a [f32], channels: usize) -> Self {
        Self { data, channels, is_planar: true }
    }

    fn cells(&self) -> usize {
        self.data.len() / self.channels.max(1)
    }

    fn at(&self, cell: usize, channel: usize) -> f64 {
        let index =
            if self.is_planar { channel * self.cells() + cell } else { cell * self.channels + channel };
        f64::from(self.data[index])
    }
}

/// What a net says of one grid.
#[derive(Clone, Copy, Debug)]
pub struct Grid<'a> {
    /// Side of a cell in pixels.
    pub stride: f64,
    /// Cells in a row.
    pub columns: usize,
    /// Probability of each class, 0..=1: a channel a class.
    pub cls: Values<'a>,
    /// Probability that there is an object, 0..=1: one channel.
    pub obj: Values<'a>,
    /// Centre from the cell's corner and logarithms of the size, in strides: `x`, `y`, `width`, `height`.
    pub bbox: Values<'a>,
    /// Landmarks from the cell's corner, in strides: `x` and `y` of each in turn.
    pub points: Option<Values<'a>>,
}

/// An object that a cell speaks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// `[x, y, width, height]` in pixels.
    pub bbox: [f64; 4],
    /// The square root of the probability of the class times that of an object, 0..=1.
    pub score: f64,
    /// Landmarks `[x, y]` in pixels.
    pub points: Vec<[f64; 2]>,
}

/// Adds the objects of class `class` whose score is at least `least`, in the order of their cells. Probabilities outside
/// 0..=1 count as the nearer of both. Cells whose box or landmark is no finite number have no object.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) when the heads are not of as many cells, or have too few channels.
pub fn yunet(grid: &Grid<'_>, class: usize, least: f64, found: &mut Vec<Found>) -> Result<()> {
    let Grid { stride, columns, cls, obj, bbox, points } = *grid;
    let cells = obj.cells();
    let channels = points.map_or(0, |points| points.channels);
    let mut heads = vec![("cls", cls, class + 1), ("obj", obj, 1), ("bbox", bbox, 4)];
    heads.extend(points.map(|points| ("points", points, channels.next_multiple_of(2))));
    for (name, values, wanted) in heads {
        let got = values.channels;
        if got < wanted || values.data.len() != cells * got {
            let len = values.data.len();
            return Err(Error::shape(format!(
                "expected `{name}` of {cells} cells with {wanted} or more channels, got {len} values in {got} channels"
            )));
        }
    }
    if columns == 0 || !cells.is_multiple_of(columns) {
        return Err(Error::shape(format!("expected rows of {columns} cells, got {cells} cells")));
    }
    for cell in 0..cells {
        let score = (cls.at(cell, class).clamp(0.0, 1.0) * obj.at(cell, 0).clamp(0.0, 1.0)).sqrt();
        // What is no number has no object.
        if score < least || score.is_nan() {
            continue;
        }
        let corner = [(cell % columns) as f64, (cell / columns) as f64];
        let place = |axis: usize, offset: f64| (corner[axis] + offset) * stride;
        let [width, height] = [2, 3].map(|channel| libm::exp(bbox.at(cell, channel)) * stride);
        let [x, y] = [0, 1].map(|axis| place(axis, bbox.at(cell, axis)));
        let bbox = [x - width / 2.0, y - height / 2.0, width, height];
        let points: Vec<[f64; 2]> = points.map_or_else(Vec::new, |points| {
            (0..channels / 2)
                .map(|at| [0, 1].map(|axis| place(axis, points.at(cell, 2 * at + axis))))
                .collect()
        });
        if bbox.iter().chain(points.as_flattened()).all(|value| value.is_finite()) {
            found.push(Found { bbox, score, points });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reference;

    /// Cells as planes.
    fn turned(rows: &[f32], channels: usize) -> Vec<f32> {
        (0..channels).flat_map(|c| rows.iter().skip(c).step_by(channels).copied()).collect()
    }

    proptest! {
        #[test]
        fn boxes_are_those_of_the_definition(
            (columns, rows) in (1usize..6, 1usize..6),
            stride in prop::sample::select(vec![1.0, 8.0, 16.0, 32.0]),
            class in 0usize..3,
            seed in prop::collection::vec(-20i8..20, 400),
        ) {
            let cells = columns * rows;
            let part = |at: usize, channels: usize| -> Vec<f32> {
                (0..cells * channels).map(|i| f32::from(seed[(at + 7 * i) % seed.len()]) / 16.0).collect()
            };
            let (cls, obj, bbox, points) = (part(0, 3), part(5, 1), part(11, 4), part(19, 4));
            let wanted = reference::decode::yunet(columns, stride, 0.5, &|cell, channel| {
                f64::from(match channel {
                    0 => cls[cell * 3 + class],
                    1 => obj[cell],
                    2..6 => bbox[cell * 4 + channel - 2],
                    _ => points[cell * 4 + channel - 6],
                })
            }, cells, 2);
            let (cls_planes, bbox_planes) = (turned(&cls, 3), turned(&bbox, 4));
            let (obj_values, points_values) = (Values::rows(&obj, 1), Some(Values::rows(&points, 4)));
            for (cls, bbox) in [
                (Values::rows(&cls, 3), Values::rows(&bbox, 4)),
                (Values::planes(&cls_planes, 3), Values::planes(&bbox_planes, 4)),
            ] {
                let grid = Grid { stride, columns, cls, obj: obj_values, bbox, points: points_values };
                let mut found = Vec::new();
                yunet(&grid, class, 0.5, &mut found).unwrap();
                prop_assert_eq!(found.len(), wanted.len());
                for (found, (score, numbers)) in found.iter().zip(&wanted) {
                    prop_assert_eq!(found.score, *score);
                    let got = found.bbox.iter().chain(found.points.as_flattened());
                    for (got, wanted) in got.zip(numbers) {
                        prop_assert!((got - wanted).abs() <= 1e-9 * (1.0 + wanted.abs()), "{} {}", got, wanted);
                    }
                }
            }
        }

        #[test]
        fn what_the_formula_encodes_is_decoded(
            (x, y) in (0.0f64..320.0, 0.0f64..160.0),
            (width, height) in (1.0f64..300.0, 1.0f64..300.0),
            (px, py) in (-50.0f64..400.0, -50.0f64..400.0),
            stride in prop::sample::select(vec![8usize, 16, 32]),
        ) {
            // The cell that the centre lies in speaks for the object.
            let columns = 320 / stride;
            let cells = columns * (160 / stride);
            let step = stride as f64;
            let (column, row) = ((x / step).floor(), (y / step).floor());
            let at = row as usize * columns + column as usize;
            let mut obj = vec![0.0f32; cells];
            let mut bbox = vec![0.0f32; 4 * cells];
            let mut points = vec![0.0f32; 2 * cells];
            obj[at] = 1.0;
            let code = [x / step - column, y / step - row, (width / step).ln(), (height / step).ln()];
            for (to, value) in bbox[4 * at..].iter_mut().zip(code) {
                *to = value as f32;
            }
            points[2 * at] = (px / step - column) as f32;
            points[2 * at + 1] = (py / step - row) as f32;
            let grid = Grid {
                stride: step,
                columns,
                cls: Values::rows(&obj, 1),
                obj: Values::rows(&obj, 1),
                bbox: Values::rows(&bbox, 4),
                points: Some(Values::rows(&points, 2)),
            };
            let mut found = Vec::new();
            yunet(&grid, 0, 0.9, &mut found).unwrap();
            prop_assert_eq!(found.len(), 1);
            let got = [found[0].bbox, [found[0].points[0][0], found[0].points[0][1], 0.0, 0.0]].concat();
            let wanted = [x - width / 2.0, y - height / 2.0, width, height, px, py];
            for (got, wanted) in got.iter().zip(wanted) {
                prop_assert!((got - wanted).abs() < 1e-3, "{} {}", got, wanted);
            }
        }
    }

    #[test]
    fn heads_that_do_not_fit_are_refused_and_odd_numbers_have_no_object() {
        let ones = [1.0f32; 16];
        let grid = |bbox, points| Grid {
            stride: 8.0,
            columns: 2,
            cls: Values::rows(&ones[..4], 1),
            obj: Values::rows(&ones[..4], 1),
            bbox,
            points,
        };
        let mut found = Vec::new();
        for (bbox, points) in [
            (Values::rows(&ones[..12], 4), None),
            (Values::rows(&ones[..12], 3), None),
            (Values::rows(&ones, 4), Some(Values::rows(&ones[..12], 3))),
        ] {
            assert!(yunet(&grid(bbox, points), 0, 0.5, &mut found).is_err());
        }
        assert!(yunet(&grid(Values::rows(&ones, 4), None), 1, 0.5, &mut found).is_err());
        let mut odd = ones;
        (odd[2], odd[4]) = (f32::INFINITY, f32::NAN);
        yunet(&grid(Values::rows(&odd, 4), None), 0, 0.5, &mut found).unwrap();
        assert_eq!(found.len(), 2);
        let nan = [f32::NAN; 4];
        let blind = Grid { obj: Values::rows(&nan, 1), ..grid(Values::rows(&ones, 4), None) };
        yunet(&blind, 0, 0.0, &mut found).unwrap();
        assert_eq!(found.len(), 2);
    }
}
