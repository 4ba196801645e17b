//! Average pooling to a given size.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Grads, Kind, Layer, Mode, Reach, Rng, Saved, Shape, Spec, Tensor, expect_gradient, image, one};
use crate::nn::Pair;
use crate::nn::conv2d::axes;
use crate::{Error, Result};

/// Means over windows that cover the image evenly, so that every input size gives the same output
/// size: window `i` of `n` reaches from `floor(i N / n)` to `ceil((i + 1) N / n)`, as in PyTorch.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AdaptiveAvgPool {
    /// Output size in pixels.
    pub size: Pair,
}

/// The kind `adaptive-avg-pool`.
pub(super) const KIND: Kind = Kind {
    name: "adaptive-avg-pool",
    summary: "Means over windows that cover the image evenly, to a given size.",
    example: "use = \"adaptive-avg-pool\"\nsize = 7\n",
    parse: super::parse::<AdaptiveAvgPool>,
    schema: super::schema::<AdaptiveAvgPool>,
};

impl Spec for AdaptiveAvgPool {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let [channels, height, width] = image(one(inputs)?)?;
        let [rows, columns] = self.size.both();
        if rows * columns == 0 || height * width == 0 {
            return Err(Error::shape(format!(
                "expected an image with pixels and a `size` of 1 or more, got {height}x{width} and {rows}x{columns}"
            )));
        }
        Shape::new(&[channels, rows, columns])
    }

    fn reach(&self) -> Reach {
        Reach::All
    }

    fn build(&self, _name: &str, inputs: &[Shape], _rng: Rng) -> Result<Box<dyn Layer>> {
        self.output(inputs)?;
        Ok(Box::new(Built { size: self.size.both() }))
    }
}

#[derive(Debug)]
struct Built {
    size: [usize; 2],
}

/// The window `index` of `count` over `len` values.
fn window(index: usize, count: usize, len: usize) -> std::ops::Range<usize> {
    index * len / count..((index + 1) * len).div_ceil(count)
}

impl Built {
    /// Calls `visit(output, window's row, window's area)` for every row of every window of a plane.
    fn visit(&self, [height, width]: [usize; 2], mut visit: impl FnMut(usize, std::ops::Range<usize>, f32)) {
        let [rows, columns] = self.size;
        for row in 0..rows {
            let down = window(row, rows, height);
            for column in 0..columns {
                let across = window(column, columns, width);
                let area = (down.len() * across.len()) as f32;
                for y in down.clone() {
                    let line = y * width + across.start..y * width + across.end;
                    visit(row * columns + column, line, area);
                }
            }
        }
    }
}

impl Layer for Built {
    /// # Shapes
    /// `[n, c, h, w]` to `[n, c, size, size]`.
    fn forward(&self, inputs: &[&Tensor], mode: &Mode) -> Result<(Tensor, Saved)> {
        let x = *one(inputs)?;
        let [samples, channels, height, width] = axes("input", x.shape())?;
        let [rows, columns] = self.size;
        if height * width == 0 {
            return Err(Error::shape(format!("expected an image with pixels, got {}", x.shape())));
        }
        let mut y = Tensor::zeros(Shape::new(&[samples, channels, rows, columns])?);
        let planes = y.data_mut().chunks_exact_mut(rows * columns).zip(x.data().chunks_exact(height * width));
        for (y, x) in planes {
            self.visit([height, width], |at, line, area| y[at] += x[line].iter().sum::<f32>() / area);
        }
        Ok((y, Saved::new(mode, x.shape())))
    }

    fn backward(&self, saved: &Saved, dy: &Tensor, _grads: &mut Grads, need_dx: bool) -> Result<Vec<Tensor>> {
        if !need_dx {
            return Ok(Vec::new());
        }
        let [samples, channels, height, width] = axes("input", saved.input)?;
        let [rows, columns] = self.size;
        expect_gradient(dy, Shape::new(&[samples, channels, rows, columns])?)?;
        let mut dx = Tensor::zeros(saved.input);
        let planes =
            dx.data_mut().chunks_exact_mut(height * width).zip(dy.data().chunks_exact(rows * columns));
        for (dx, dy) in planes {
            self.visit([height, width], |at, line, area| {
                let share = dy[at] / area;
                dx[line].iter_mut().for_each(|dx| *dx += share);
            });
        }
        Ok(vec![dx])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_cover_all_and_may_overlap() {
        assert_eq!((0..3).map(|i| window(i, 3, 7)).collect::<Vec<_>>(), [0..3, 2..5, 4..7]);
        assert_eq!((0..3).map(|i| window(i, 3, 2)).collect::<Vec<_>>(), [0..1, 0..2, 1..2]);
        assert!(AdaptiveAvgPool { size: Pair::One(0) }.output(&[Shape::new(&[1, 2, 2]).unwrap()]).is_err());
    }
}
