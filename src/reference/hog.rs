//! Twin of [`crate::ops::hog()`]: angles in degrees, cell after cell, block after block.

use crate::image::Plane;

/// How blocks are normalised; the names are scikit-image's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Norm {
    /// Divided by the sum.
    L1,
    /// The root of that.
    L1Sqrt,
    /// Divided by the length.
    L2,
    /// Divided by the length, cut at 0.2, divided by the length again.
    L2Hys,
}

/// The descriptor of a gray image; cells and blocks as (width, height).
pub fn hog(
    image: &Plane<f64>,
    orientations: usize,
    cell: (usize, usize),
    block: (usize, usize),
    norm: Norm,
    take_root: bool,
) -> Vec<f64> {
    let pixel = |x: usize, y: usize| if take_root { image.get(x, y).sqrt() } else { image.get(x, y) };
    let (width, height) = (image.width(), image.height());
    let (columns, rows) = (width / cell.0, height / cell.1);
    let histogram = |column: usize, row: usize, bin: usize| {
        let mut sum = 0.0;
        for y in row * cell.1..(row + 1) * cell.1 {
            for x in column * cell.0..(column + 1) * cell.0 {
                let inside = |at: usize, size: usize| at > 0 && at + 1 < size;
                let gx = if inside(x, width) { pixel(x + 1, y) - pixel(x - 1, y) } else { 0.0 };
                let gy = if inside(y, height) { pixel(x, y + 1) - pixel(x, y - 1) } else { 0.0 };
                let degrees = libm::atan2(gy, gx).to_degrees().rem_euclid(180.0) % 180.0;
                let width = 180.0 / orientations as f64;
                if degrees >= width * bin as f64 && degrees < width * (bin + 1) as f64 {
                    sum += libm::hypot(gx, gy);
                }
            }
        }
        sum / (cell.0 * cell.1) as f64
    };
    let mut descriptor = Vec::new();
    for top in 0..=rows - block.1 {
        for left in 0..=columns - block.0 {
            let mut values = Vec::new();
            for row in top..top + block.1 {
                for column in left..left + block.0 {
                    values.extend((0..orientations).map(|bin| histogram(column, row, bin)));
                }
            }
            descriptor.extend(normalised(&values, norm));
        }
    }
    descriptor
}

fn normalised(values: &[f64], norm: Norm) -> Vec<f64> {
    const LITTLE: f64 = 1e-5;
    let length = |values: &[f64]| (values.iter().map(|v| v * v).sum::<f64>() + LITTLE * LITTLE).sqrt();
    let over = |values: &[f64], divisor: f64| values.iter().map(|v| v / divisor).collect::<Vec<_>>();
    match norm {
        Norm::L1 => over(values, values.iter().sum::<f64>() + LITTLE),
        Norm::L1Sqrt => normalised(values, Norm::L1).iter().map(|v| v.sqrt()).collect(),
        Norm::L2 => over(values, length(values)),
        Norm::L2Hys => {
            let cut: Vec<f64> = normalised(values, Norm::L2).iter().map(|v| v.min(0.2)).collect();
            over(&cut, length(&cut))
        }
    }
}
