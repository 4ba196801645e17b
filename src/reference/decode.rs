//! The definition of YuNet's boxes (Wu, Peng and Yu, 2023), cell by cell.

/// For each cell of some columns whose score, the square root of class times object, is at least `least`: the score, and
/// left, top, width, height and the landmarks, all in pixels.
///
/// `value(cell, channel)` gives class, object, centre `x` and `y`, width and height, and then `x` and `y` of each point.
pub fn yunet(
    columns: usize,
    stride: f64,
    least: f64,
    value: &dyn Fn(usize, usize) -> f64,
    cells: usize,
    points: usize,
) -> Vec<(f64, Vec<f64>)> {
    let mut objects = Vec::new();
    for row in 0..cells / columns {
        for column in 0..columns {
            let of = |channel| value(row * columns + column, channel);
            let score = (of(0).clamp(0.0, 1.0) * of(1).clamp(0.0, 1.0)).sqrt();
            if score < least {
                continue;
            }
            let (width, height) = (of(4).exp() * stride, of(5).exp() * stride);
            let left = stride * column as f64 + stride * of(2) - 0.5 * width;
            let top = stride * row as f64 + stride * of(3) - 0.5 * height;
            let mut numbers = vec![left, top, width, height];
            for point in 0..points {
                numbers.push(stride * column as f64 + stride * of(6 + 2 * point));
                numbers.push(stride * row as f64 + stride * of(7 + 2 * point));
            }
            objects.push((score, numbers));
        }
    }
    objects
}
