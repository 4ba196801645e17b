//! Larger images and transposed convolution, as sums over every pair of an input and an output.

/// How much of input `from` is in output `to` along an axis of `len` values and a whole factor.
fn share(len: usize, factor: usize, bilinear: bool, to: usize, from: usize) -> f64 {
    if !bilinear {
        return if to / factor == from { 1.0 } else { 0.0 };
    }
    // The centre of the output pixel among the centres of the input pixels, held within them.
    let at = ((to as f64 + 0.5) / factor as f64 - 0.5).clamp(0.0, len as f64 - 1.0);
    (1.0 - (at - from as f64).abs()).max(0.0)
}

/// Sizes of [`upsample`].
#[derive(Clone, Copy, Debug)]
pub struct UpsampleSizes {
    /// Planes: samples times channels.
    pub planes: usize,
    /// Input height and width.
    pub input: [usize; 2],
    /// Vertical and horizontal factor.
    pub factor: [usize; 2],
    /// Between the centres of pixels, or the nearest one.
    pub bilinear: bool,
}

impl UpsampleSizes {
    fn visit(&self, mut meet: impl FnMut(usize, usize, f64)) {
        let ([height, width], [down, across]) = (self.input, self.factor);
        for plane in 0..self.planes {
            for y in 0..height * down {
                for x in 0..width * across {
                    for v in 0..height {
                        for u in 0..width {
                            let part = share(height, down, self.bilinear, y, v)
                                * share(width, across, self.bilinear, x, u);
                            let to = (plane * height * down + y) * width * across + x;
                            meet(to, (plane * height + v) * width + u, part);
                        }
                    }
                }
            }
        }
    }
}

/// Planes made larger.
pub fn upsample(sizes: &UpsampleSizes, x: &[f64]) -> Vec<f64> {
    let mut y = vec![0.0; x.len() * sizes.factor[0] * sizes.factor[1]];
    sizes.visit(|to, from, part| y[to] += part * x[from]);
    y
}

/// Its gradient.
pub fn upsample_grad(sizes: &UpsampleSizes, dy: &[f64]) -> Vec<f64> {
    let mut dx = vec![0.0; dy.len() / sizes.factor[0] / sizes.factor[1]];
    sizes.visit(|to, from, part| dx[from] += part * dy[to]);
    dx
}

/// Sizes of [`resize`], and where its pixels lie.
#[derive(Clone, Copy, Debug)]
pub struct ResizeSizes {
    /// Planes: samples times channels.
    pub planes: usize,
    /// Input height and width.
    pub input: [usize; 2],
    /// Output height and width.
    pub output: [usize; 2],
    /// The free number of the cubic, or none for two pixels along each axis.
    pub cubic: Option<f64>,
    /// The place in an axis of the input, given its length, that of the output, and the pixel.
    pub place: fn(usize, usize, usize) -> f64,
    /// Whether pixels beyond the edges count.
    pub outside: bool,
    /// Whether weights spread as far as an axis shrinks.
    pub antialias: bool,
}

impl ResizeSizes {
    /// How much of each input is in an output of an axis.
    fn shares(&self, axis: usize, to: usize) -> Vec<f64> {
        let len = self.input[axis];
        let at = (self.place)(len, self.output[axis], to);
        let wide = if self.antialias { (len as f64 / self.output[axis] as f64).max(1.0) } else { 1.0 };
        let mut shares = vec![0.0; len];
        for from in -20..len as i64 + 20 {
            let d = (at - from as f64).abs() / wide;
            let weight = match self.cubic {
                None => (1.0 - d).max(0.0),
                Some(a) if d <= 1.0 => (a + 2.0) * d.powi(3) - (a + 3.0) * d.powi(2) + 1.0,
                Some(a) if d < 2.0 => a * d.powi(3) - 5.0 * a * d.powi(2) + 8.0 * a * d - 4.0 * a,
                Some(_) => 0.0,
            };
            let inside = from.clamp(0, len as i64 - 1);
            if self.outside || inside == from {
                shares[inside as usize] += weight;
            }
        }
        let sum: f64 = shares.iter().sum();
        shares.iter().map(|share| share / sum).collect()
    }

    fn visit(&self, mut meet: impl FnMut(usize, usize, f64)) {
        let ([height, width], [rows, columns]) = (self.input, self.output);
        for plane in 0..self.planes {
            for y in 0..rows {
                for x in 0..columns {
                    let (down, across) = (self.shares(0, y), self.shares(1, x));
                    for v in 0..height {
                        for u in 0..width {
                            let to = (plane * rows + y) * columns + x;
                            meet(to, (plane * height + v) * width + u, down[v] * across[u]);
                        }
                    }
                }
            }
        }
    }
}

/// Planes at another size.
pub fn resize(sizes: &ResizeSizes, x: &[f64]) -> Vec<f64> {
    let mut y = vec![0.0; sizes.planes * sizes.output[0] * sizes.output[1]];
    sizes.visit(|to, from, part| y[to] += part * x[from]);
    y
}

/// Its gradient.
pub fn resize_grad(sizes: &ResizeSizes, dy: &[f64]) -> Vec<f64> {
    let mut dx = vec![0.0; sizes.planes * sizes.input[0] * sizes.input[1]];
    sizes.visit(|to, from, part| dx[from] += part * dy[to]);
    dx
}

/// Sizes of [`conv_transpose2d`].
#[derive(Clone, Copy, Debug)]
pub struct TransposeSizes {
    /// Samples.
    pub samples: usize,
    /// Input channels, a multiple of `groups`.
    pub channels: usize,
    /// Input height and width.
    pub input: [usize; 2],
    /// Output channels, a multiple of `groups`.
    pub out: usize,
    /// Filter height and width.
    pub kernel: [usize; 2],
    /// Top, left, bottom, right.
    pub padding: [usize; 4],
    /// Rows and columns that are added at the end.
    pub growth: [usize; 2],
    /// Vertical and horizontal stride.
    pub stride: [usize; 2],
    /// Groups.
    pub groups: usize,
}

impl TransposeSizes {
    fn output(&self) -> [usize; 2] {
        [0, 1].map(|axis| {
            (self.input[axis] - 1) * self.stride[axis] + self.kernel[axis] + self.growth[axis]
                - self.padding[axis]
                - self.padding[axis + 2]
        })
    }

    /// Calls `meet(input, weight, output, output channel)` for every product.
    fn visit(&self, mut meet: impl FnMut(usize, usize, usize)) {
        let ([height, width], [rows, columns]) = (self.input, self.output());
        let (group_channels, group_out) = (self.channels / self.groups, self.out / self.groups);
        for n in 0..self.samples {
            for c in 0..self.channels {
                for o in 0..group_out {
                    for v in 0..height {
                        for u in 0..width {
                            for ky in 0..self.kernel[0] {
                                for kx in 0..self.kernel[1] {
                                    let y = (v * self.stride[0] + ky) as i64 - self.padding[0] as i64;
                                    let x = (u * self.stride[1] + kx) as i64 - self.padding[1] as i64;
                                    if y < 0 || y >= rows as i64 || x < 0 || x >= columns as i64 {
                                        continue;
                                    }
                                    let channel = c / group_channels * group_out + o;
                                    let plane = n * self.out + channel;
                                    meet(
                                        ((n * self.channels + c) * height + v) * width + u,
                                        ((c * group_out + o) * self.kernel[0] + ky) * self.kernel[1] + kx,
                                        (plane * rows + y as usize) * columns + x as usize,
                                    );
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Every input value spreads its filters over the output, on top of the bias.
pub fn conv_transpose2d(sizes: &TransposeSizes, x: &[f64], w: &[f64], b: &[f64]) -> Vec<f64> {
    let area = sizes.output()[0] * sizes.output()[1];
    let mut y: Vec<f64> = (0..sizes.samples * sizes.out * area).map(|i| b[i / area % sizes.out]).collect();
    sizes.visit(|i, k, o| y[o] += x[i] * w[k]);
    y
}

/// Its gradients for input, weight and bias.
pub fn conv_transpose2d_grad(sizes: &TransposeSizes, x: &[f64], w: &[f64], dy: &[f64]) -> [Vec<f64>; 3] {
    let area = sizes.output()[0] * sizes.output()[1];
    let (mut dx, mut dw, mut db) = (vec![0.0; x.len()], vec![0.0; w.len()], vec![0.0; sizes.out]);
    sizes.visit(|i, k, o| {
        dx[i] += dy[o] * w[k];
        dw[k] += dy[o] * x[i];
    });
    dy.iter().enumerate().for_each(|(i, dy)| db[i / area % sizes.out] += dy);
    [dx, dw, db]
}
