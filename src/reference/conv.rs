//! Twins of [`crate::kernel::conv`].

use super::{at, placement};
use crate::image::{Border, Pixel, Plane};

/// A kernel and how it is laid over an image.
#[derive(Clone, Debug)]
pub struct Problem {
    /// Weights, row by row.
    pub weights: Vec<f32>,
    /// Weights in a row, and rows.
    pub size: (usize, usize),
    /// The weight on the output's pixel.
    pub anchor: (usize, usize),
    /// Input pixels from one output pixel to the next.
    pub stride: (usize, usize),
    /// Whether the kernel is turned by half a turn.
    pub flip: bool,
    /// What lies beyond the edge.
    pub border: Border,
}

impl Problem {
    /// The weight that falls on pixel `(i, j)` of the window.
    fn weight(&self, i: usize, j: usize) -> f32 {
        let (width, height) = self.size;
        let (i, j) = if self.flip { (width - 1 - i, height - 1 - j) } else { (i, j) };
        self.weights[j * width + i]
    }

    /// Where windows start, row by row of the output, and the output's size.
    fn windows<T: Pixel>(&self, plane: &Plane<T>) -> (usize, usize, Vec<(isize, isize)>) {
        let (width, height) = self.size;
        let anchor = match self.flip {
            false => self.anchor,
            true => (width - 1 - self.anchor.0, height - 1 - self.anchor.1),
        };
        let (dense_width, dense_height, left, top) = placement(plane, self.size, anchor, self.border);
        let xs: Vec<usize> = (0..dense_width).step_by(self.stride.0).collect();
        let ys: Vec<usize> = (0..dense_height).step_by(self.stride.1).collect();
        let starts =
            ys.iter().flat_map(|&y| xs.iter().map(move |&x| (x as isize + left, y as isize + top))).collect();
        (xs.len(), ys.len(), starts)
    }

    /// Size of the output.
    pub fn output_size<T: Pixel>(&self, plane: &Plane<T>) -> (usize, usize) {
        let (width, height, _) = self.windows(plane);
        (width, height)
    }

    /// Sums in `f64`, exact for weights of few binary digits over integers, row by row.
    pub fn exact<T: Pixel + Into<f64>>(&self, plane: &Plane<T>, constant: T) -> Vec<f64> {
        let sum = |(x, y): (isize, isize)| {
            let mut sum = 0.0;
            for j in 0..self.size.1 {
                for i in 0..self.size.0 {
                    let pixel = at(plane, self.border.mode, constant, x + i as isize, y + j as isize);
                    sum += f64::from(self.weight(i, j)) * pixel.into();
                }
            }
            sum
        };
        self.windows(plane).2.into_iter().map(sum).collect()
    }

    /// Sums in `f32` in the documented order: the window row by row, zeros left out.
    pub fn in_order(&self, plane: &Plane<f32>) -> Vec<f32> {
        let sum = |(x, y): (isize, isize)| {
            let mut sum = None;
            for j in 0..self.size.1 {
                for i in 0..self.size.0 {
                    let weight = self.weight(i, j);
                    if weight != 0.0 {
                        let (x, y) = (x + i as isize, y + j as isize);
                        let product = weight * at(plane, self.border.mode, self.border.value, x, y);
                        sum = Some(sum.map_or(product, |sum: f32| sum + product));
                    }
                }
            }
            sum.unwrap_or(0.0)
        };
        self.windows(plane).2.into_iter().map(sum).collect()
    }
}
