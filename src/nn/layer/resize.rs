//! Images at other sizes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Grads, Kind, Layer, Mode, Reach, Rng, Saved, Shape, Spec, Tensor, expect_gradient, image, one};
use crate::nn::Pair;
use crate::nn::conv2d::axes;
use crate::nn::parallel::for_each_piece;
use crate::{Error, Result};

/// The image at another size, interpolated (PyTorch's `interpolate`, ONNX's `Resize`). Beyond its edges the image goes on as it ends.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Resize {
    /// Height and width of the output in pixels.
    pub size: Pair,
    /// How values between pixels are made.
    #[serde(default)]
    pub method: ResizeMethod,
    /// Where the pixels of the output lie in the input.
    #[serde(default)]
    pub places: Places,
    /// Output pixels for each input pixel, down and across, where they are not the ratio of the sizes; times the size of the
    /// input and rounded down they are the size of the output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<[f32; 2]>,
    /// The free number of the cubic: -0.75 in PyTorch and OpenCV, -0.5 in Keys' paper.
    #[serde(default = "cubic")]
    pub cubic: f32,
    /// Whether pixels beyond the edges are left out, and the others count the more.
    #[serde(default)]
    pub exclude_outside: bool,
    /// Whether a smaller image is made of all pixels it stands for, not of the two or four nearest along each axis: their
    /// weights spread as far as the image shrinks. With `exclude-outside` and, for the cubic, -0.5, this is PyTorch's
    /// `antialias` and what Pillow does.
    #[serde(default)]
    pub antialias: bool,
}

const fn cubic() -> f32 {
    -0.75
}

/// How values between pixels are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ResizeMethod {
    /// Of the two nearest pixels along each axis.
    #[default]
    Bilinear,
    /// Of the four nearest along each axis (R. Keys, 1981).
    Bicubic,
}

/// Where the pixels of the output lie in the input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Places {
    /// Pixels are squares, and both images cover the same area.
    #[default]
    HalfPixel,
    /// The same about the centre, where the scale is not the ratio of the sizes.
    HalfPixelSymmetric,
    /// The same, but a single pixel is the first one.
    HalfPixelOrFirst,
    /// The centres of the outermost pixels lie on each other.
    AlignCorners,
    /// The centres of the first pixels lie on each other.
    Asymmetric,
}

/// The kind `resize`.
pub(super) const KIND: Kind = Kind {
    name: "resize",
    summary: "The image at another size, bilinear or bicubic.",
    example: "use = \"resize\"\nsize = [4, 6]\nplaces = \"align-corners\"\n",
    parse: super::parse::<Resize>,
    schema: super::schema::<Resize>,
};

/// What an output position of an axis is made of: input positions with their weights.
type Taps = Vec<(usize, f32)>;

impl Resize {
    /// To a height and a width, bilinear, by areas.
    pub const fn new(height: usize, width: usize) -> Self {
        Self {
            size: Pair::Two([height, width]),
            method: ResizeMethod::Bilinear,
            places: Places::HalfPixel,
            scale: None,
            cubic: cubic(),
            exclude_outside: false,
            antialias: false,
        }
    }

    /// The scale of an axis of so many pixels.
    fn scale(&self, axis: usize, len: usize) -> f64 {
        let ratio = self.size.both()[axis] as f64 / len as f64;
        self.scale.map_or(ratio, |scale| f64::from(scale[axis]))
    }

    /// The place in the input of pixel `to` of an axis.
    fn place(&self, axis: usize, len: usize, to: usize) -> f64 {
        let (len, scale, to) = (len as f64, self.scale(axis, len), to as f64);
        let count = self.size.both()[axis] as f64;
        match self.places {
            Places::HalfPixelOrFirst if count <= 1.0 => 0.0,
            Places::HalfPixel | Places::HalfPixelOrFirst => (to + 0.5) / scale - 0.5,
            Places::HalfPixelSymmetric => {
                let offset = len / 2.0 * (1.0 - count / (len * scale));
                offset + (to + 0.5) / scale - 0.5
            }
            Places::AlignCorners if count <= 1.0 => 0.0,
            Places::AlignCorners => to * (len - 1.0) / (len * scale - 1.0),
            Places::Asymmetric => to / scale,
        }
    }

    fn weight(&self, distance: f64) -> f64 {
        let (d, a) = (distance.abs(), f64::from(self.cubic));
        match self.method {
            ResizeMethod::Bilinear => (1.0 - d).max(0.0),
            ResizeMethod::Bicubic if d < 1.0 => ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0,
            ResizeMethod::Bicubic if d < 2.0 => ((d - 5.0) * d + 8.0) * a * d - 4.0 * a,
            ResizeMethod::Bicubic => 0.0,
        }
    }

    /// What distances are multiplied with before they are weighed: below 1 where weights spread.
    fn shrink(&self, axis: usize, len: usize) -> f64 {
        if self.antialias { self.scale(axis, len).min(1.0) } else { 1.0 }
    }

    /// How far pixels count, before they spread.
    fn radius(&self) -> f64 {
        if self.method == ResizeMethod::Bilinear { 1.0 } else { 2.0 }
    }

    /// The taps of an axis.
    fn taps(&self, axis: usize, len: usize) -> Vec<Taps> {
        let shrink = self.shrink(axis, len);
        let radius = self.radius() / shrink;
        // Weights that spread have no sum of their own.
        let is_normalised = self.exclude_outside || shrink < 1.0;
        let of = |to: usize| {
            let at = self.place(axis, len, to);
            let first = (at - radius).floor() as isize + 1;
            let mut taps: Vec<(usize, f64)> = Vec::new();
            for from in first..first + (2.0 * radius).ceil() as isize {
                let weight = self.weight((at - from as f64) * shrink);
                let inside = from.clamp(0, len as isize - 1) as usize;
                if weight == 0.0 || (self.exclude_outside && inside as isize != from) {
                    continue;
                }
                match taps.last_mut().filter(|(last, _)| *last == inside) {
                    Some((_, sum)) => *sum += weight,
                    None => taps.push((inside, weight)),
                }
            }
            let sum: f64 = if is_normalised { taps.iter().map(|(_, weight)| weight).sum() } else { 1.0 };
            taps.into_iter().map(|(from, weight)| (from, (weight / sum) as f32)).collect()
        };
        (0..self.size.both()[axis]).map(of).collect()
    }
}

impl Spec for Resize {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let [channels, height, width] = image(one(inputs)?)?;
        let [rows, columns] = self.size.both();
        if rows * columns == 0 || rows.max(columns) > 1 << 24 || height * width == 0 {
            return Err(Error::shape(format!(
                "expected an image with pixels and a `size` from 1 to {}, got {height}x{width} and {rows}x{columns}",
                1 << 24
            )));
        }
        if let Some(scale) = self.scale {
            let made = [0, 1].map(|axis| ([height, width][axis] as f64 * f64::from(scale[axis])).floor());
            if made != [rows as f64, columns as f64] {
                return Err(Error::pipeline(format!(
                    "`scale` makes {}x{} of {height}x{width}, and `size` wants {rows}x{columns}",
                    made[0], made[1]
                )));
            }
        }
        if !self.cubic.is_finite() {
            return Err(Error::pipeline("`cubic` wants a finite number"));
        }
        Shape::new(&[channels, rows, columns])
    }

    fn reach(&self) -> Reach {
        // Sizes alone do not tell how far pixels lie apart.
        let Some(scale) = self.scale else { return Reach::All };
        let step = scale.map(|scale| 1.0 / f64::from(scale));
        let spread = |step: f64| if self.antialias { step.max(1.0) } else { 1.0 };
        Reach::Window { size: step.map(|step| 2.0 * self.radius() * spread(step)), step }
    }

    fn build(&self, _name: &str, inputs: &[Shape], _rng: Rng) -> Result<Box<dyn Layer>> {
        self.output(inputs)?;
        Ok(Box::new(Built { spec: *self }))
    }
}

#[derive(Debug)]
struct Built {
    spec: Resize,
}

impl Layer for Built {
    /// # Shapes
    /// `[n, c, h, w]` to `[n, c, rows, columns]`.
    fn forward(&self, inputs: &[&Tensor], mode: &Mode) -> Result<(Tensor, Saved)> {
        let x = *one(inputs)?;
        let [samples, _, height, width] = axes("input", x.shape())?;
        let mut y = Tensor::zeros(self.spec.output(&[x.shape().sample()])?.batched(samples)?);
        let [down, across] = [(0, height), (1, width)].map(|(axis, len)| self.spec.taps(axis, len));
        let columns = across.len();
        // Along the rows first, then down the columns.
        for_each_piece(y.data_mut(), down.len() * columns, |plane, y| {
            let x = &x.data()[plane * height * width..][..height * width];
            let mut narrow = vec![0.0; height * columns];
            for (narrow, x) in narrow.chunks_exact_mut(columns).zip(x.chunks_exact(width)) {
                for (value, taps) in narrow.iter_mut().zip(&across) {
                    *value = taps.iter().map(|&(from, weight)| weight * x[from]).sum();
                }
            }
            for (y, taps) in y.chunks_exact_mut(columns).zip(&down) {
                for &(from, weight) in taps {
                    let row = &narrow[from * columns..][..columns];
                    y.iter_mut().zip(row).for_each(|(y, value)| *y += weight * value);
                }
            }
        });
        Ok((y, Saved::new(mode, x.shape())))
    }

    fn backward(&self, saved: &Saved, dy: &Tensor, _grads: &mut Grads, need_dx: bool) -> Result<Vec<Tensor>> {
        expect_gradient(dy, self.spec.output(&[saved.input.sample()])?.batched(saved.input[0])?)?;
        if !need_dx {
            return Ok(Vec::new());
        }
        let [_, _, height, width] = axes("input", saved.input)?;
        let mut dx = Tensor::zeros(saved.input);
        let [down, across] = [(0, height), (1, width)].map(|(axis, len)| self.spec.taps(axis, len));
        let columns = across.len();
        for_each_piece(dx.data_mut(), height * width, |plane, dx| {
            let dy = &dy.data()[plane * down.len() * columns..][..down.len() * columns];
            let mut narrow = vec![0.0; height * columns];
            for (dy, taps) in dy.chunks_exact(columns).zip(&down) {
                for &(from, weight) in taps {
                    let row = &mut narrow[from * columns..][..columns];
                    row.iter_mut().zip(dy).for_each(|(value, dy)| *value += weight * dy);
                }
            }
            for (dx, narrow) in dx.chunks_exact_mut(width).zip(narrow.chunks_exact(columns)) {
                for (value, taps) in narrow.iter().zip(&across) {
                    for &(from, weight) in taps {
                        dx[from] += weight * value;
                    }
                }
            }
        });
        Ok(vec![dx])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_lie_on_corners() {
        let input = Shape::new(&[1, 1, 3]).unwrap();
        let spec = Resize { places: Places::AlignCorners, ..Resize::new(1, 5) };
        let layer = spec.build("resize", &[input], Rng::new(0)).unwrap();
        let x = Tensor::from_vec(input.batched(1).unwrap(), vec![1.0, 3.0, -1.0]).unwrap();
        let (y, _) = layer.forward(&[&x], &Mode::inference()).unwrap();
        assert_eq!(y.data(), [1.0, 2.0, 3.0, 1.0, -1.0]);
    }

    #[test]
    fn a_picture_that_shrinks_is_made_of_all_its_pixels() {
        let input = Shape::new(&[1, 1, 8]).unwrap();
        let spec = Resize { antialias: true, exclude_outside: true, ..Resize::new(1, 2) };
        let layer = spec.build("resize", &[input], Rng::new(0)).unwrap();
        // A triangle as wide as eight pixels about place 1.5; Pillow gives the same.
        for (at, weight) in [5.0, 7.0, 7.0, 5.0, 3.0, 1.0, 0.0, 0.0].into_iter().enumerate() {
            let mut x = Tensor::zeros(input.batched(1).unwrap());
            x.data_mut()[at] = 28.0;
            let (y, _) = layer.forward(&[&x], &Mode::inference()).unwrap();
            assert_eq!(y.data()[0], weight, "{at}");
        }
    }

    #[test]
    fn what_grows_does_not_spread() {
        let spec = Resize { antialias: true, ..Resize::new(7, 9) };
        let plain = Resize { antialias: false, ..spec };
        assert_eq!(spec.taps(0, 3), plain.taps(0, 3));
        assert_eq!(spec.taps(1, 9), plain.taps(1, 9));
        assert_ne!(spec.taps(0, 8), plain.taps(0, 8));
    }

    #[test]
    fn a_scale_that_makes_another_size_is_refused() {
        let spec: Resize = serde_json::from_str(r#"{"size": 4, "scale": [1.5, 1.5]}"#).unwrap();
        assert!(spec.output(&[Shape::new(&[1, 3, 3]).unwrap()]).is_ok());
        let error = spec.output(&[Shape::new(&[1, 3, 4]).unwrap()]).unwrap_err().to_string();
        assert_eq!(error, "`scale` makes 4x6 of 3x4, and `size` wants 4x4");
    }
}
