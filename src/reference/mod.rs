//! The proof room: every kernel and operation again, as its definition.
//!
//! Written with bounds-checked accessors in `i64` and `f64`, sharing no code with the fast path.
//! Only tests and docs depend on it, and it may change with any version.

pub mod activation;
pub mod arithmetic;
pub mod arrange;
pub mod boost;
pub mod canny;
pub mod cascade;
pub mod clahe;
pub mod conv;
pub mod conv2d;
pub mod cross_entropy;
pub mod decode;
pub mod dice;
pub mod distance;
pub mod draw;
pub mod gaussian;
pub mod half;
pub mod histogram;
pub mod hog;
pub mod hysteresis;
pub mod integral;
pub mod label;
pub mod laplacian;
pub mod level;
pub mod linear;
pub mod median;
pub mod morphology;
pub mod nms;
pub mod norm;
pub mod pixel;
pub mod pool2d;
pub mod regions;
pub mod resize;
pub mod rolling_ball;
pub mod sobel;
pub mod template;
pub mod threshold;
pub mod upsample;
pub mod warp;
pub mod window_sum;

use crate::image::{Border, BorderMode, Pixel, Plane};
/// The pixel at `(x, y)`, which may lie beyond the edge. `constant` stands for the border's value.
pub fn at<T: Pixel>(plane: &Plane<T>, border: BorderMode, constant: T, x: isize, y: isize) -> T {
    match (border.map(x, plane.width()), border.map(y, plane.height())) {
        (Some(x), Some(y)) => plane.get(x, y),
        _ => constant,
    }
}
/// Positions of a window, row by row: the size of the output, and where the window's first pixel
/// lies for the output's first.
pub fn placement<T: Pixel>(
    plane: &Plane<T>,
    (width, height): (usize, usize),
    (anchor_x, anchor_y): (usize, usize),
    border: Border,
) -> (usize, usize, isize, isize) {
    if border.mode == BorderMode::Valid {
        let fits = |length: usize, window: usize| if window > length { 0 } else { length - window + 1 };
        (fits(plane.width(), width), fits(plane.height(), height), 0, 0)
    } else {
        (plane.width(), plane.height(), -(anchor_x as isize), -(anchor_y as isize))
    }
}
/// One channel of a colour image.
pub fn channel<T: Pixel>(plane: &Plane<[T; 3]>, index: usize) -> Plane<T>
where
    [T; 3]: Pixel,
{
    Plane::from_fn(plane.width(), plane.height(), |x, y| plane.get(x, y)[index])
}
