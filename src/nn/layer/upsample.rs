//! Larger images.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Grads, Kind, Layer, Mode, Reach, Rng, Saved, Shape, Spec, Tensor, expect_gradient, image, one};
use crate::nn::Pair;
use crate::nn::conv2d::axes;
use crate::{Error, Result};

/// The image made larger by a whole factor.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Upsample {
    /// Output pixels for each input pixel, along each axis.
    pub factor: Pair,
    /// Where values between pixels come from.
    #[serde(default)]
    pub method: UpsampleMethod,
}

/// Where values between pixels come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UpsampleMethod {
    /// Each pixel is repeated.
    #[default]
    Nearest,
    /// Between the centres of the four nearest pixels; those of the edge go on outside
    /// (PyTorch's `align_corners=False`).
    Bilinear,
}

/// The kind `upsample`.
pub(super) const KIND: Kind = Kind {
    name: "upsample",
    summary: "The image made larger by a whole factor.",
    example: "use = \"upsample\"\nfactor = 2\nmethod = \"bilinear\"\n",
    parse: super::parse::<Upsample>,
    schema: super::schema::<Upsample>,
};

impl Spec for Upsample {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let [channels, height, width] = image(one(inputs)?)?;
        let [down, across] = self.factor.both();
        if down * across == 0 || down.max(across) > 1 << 16 {
            return Err(Error::pipeline(format!(
                "`factor` must be from 1 to 65536, got {down} and {across}"
            )));
        }
        Shape::new(&[channels, height.saturating_mul(down), width.saturating_mul(across)])
    }

    fn reach(&self) -> Reach {
        let size = if self.method == UpsampleMethod::Bilinear { 2.0 } else { 1.0 };
        Reach::Window { size: [size; 2], step: self.factor.both().map(|factor| 1.0 / factor as f64) }
    }

    fn build(&self, _name: &str, inputs: &[Shape], _rng: Rng) -> Result<Box<dyn Layer>> {
        self.output(inputs)?;
        Ok(Box::new(Built { spec: *self }))
    }
}

#[derive(Debug)]
struct Built {
    spec: Upsample,
}

/// Two input positions and the share of the second.
type Tap = (usize, usize, f32);

impl Built {
    /// What each output position of an axis is made of.
    fn taps(&self, len: usize, factor: usize) -> Vec<Tap> {
        let of = |to: usize| match self.spec.method {
            UpsampleMethod::Nearest => (to / factor, to / factor, 0.0),
            UpsampleMethod::Bilinear => {
                let at = ((to as f32 + 0.5) / factor as f32 - 0.5).max(0.0);
                let first = (at as usize).min(len - 1);
                (first, (first + 1).min(len - 1), at - first as f32)
            }
        };
        (0..len * factor).map(of).collect()
    }

    /// Calls `visit(output, input, share)` for every pair of pixels of a plane that have to do with
    /// each other.
    fn visit(&self, [height, width]: [usize; 2], mut visit: impl FnMut(usize, usize, f32)) {
        let [down, across] = self.spec.factor.both();
        let (rows, columns) = (self.taps(height, down), self.taps(width, across));
        for (y, &(top, bottom, below)) in rows.iter().enumerate() {
            for (x, &(left, right, beside)) in columns.iter().enumerate() {
                let to = y * columns.len() + x;
                visit(to, top * width + left, (1.0 - below) * (1.0 - beside));
                if self.spec.method == UpsampleMethod::Bilinear {
                    visit(to, top * width + right, (1.0 - below) * beside);
                    visit(to, bottom * width + left, below * (1.0 - beside));
                    visit(to, bottom * width + right, below * beside);
                }
            }
        }
    }
}

impl Layer for Built {
    /// # Shapes
    /// `[n, c, h, w]` to `[n, c, factor * h, factor * w]`.
    fn forward(&self, inputs: &[&Tensor], mode: &Mode) -> Result<(Tensor, Saved)> {
        let x = *one(inputs)?;
        let [_, _, height, width] = axes("input", x.shape())?;
        let mut y = Tensor::zeros(self.spec.output(&[x.shape().sample()])?.batched(x.samples())?);
        let area = y.shape()[2] * y.shape()[3];
        if area > 0 {
            let planes = y.data_mut().chunks_exact_mut(area).zip(x.data().chunks_exact(height * width));
            for (y, x) in planes {
                self.visit([height, width], |to, from, share| y[to] += share * x[from]);
            }
        }
        Ok((y, Saved::new(mode, x.shape())))
    }

    fn backward(&self, saved: &Saved, dy: &Tensor, _grads: &mut Grads, need_dx: bool) -> Result<Vec<Tensor>> {
        expect_gradient(dy, self.spec.output(&[saved.input.sample()])?.batched(saved.input[0])?)?;
        if !need_dx {
            return Ok(Vec::new());
        }
        let [_, _, height, width] = axes("input", saved.input)?;
        let mut dx = Tensor::zeros(saved.input);
        let area = dy.shape()[2] * dy.shape()[3];
        if area > 0 {
            let planes = dx.data_mut().chunks_exact_mut(height * width).zip(dy.data().chunks_exact(area));
            for (dx, dy) in planes {
                self.visit([height, width], |to, from, share| dx[from] += share * dy[to]);
            }
        }
        Ok(vec![dx])
    }
}
