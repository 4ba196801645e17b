//! Convolution of batches and its three gradients, as one loop nest.
//!
//! The nest visits every triple of an input, a weight and an output that meet. The forward pass and
//! the gradients differ in which of the three takes the sum, and in nothing else.

/// Sizes of a convolution of a batch. The field names are those of the usual formula.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conv2dSizes {
    /// Samples.
    pub samples: usize,
    /// Input channels, a multiple of `groups`.
    pub channels: usize,
    /// Input height and width.
    pub input: [usize; 2],
    /// Filters, a multiple of `groups`.
    pub filters: usize,
    /// Filter height and width.
    pub kernel: [usize; 2],
    /// Top, left, bottom, right.
    pub padding: [usize; 4],
    /// Vertical and horizontal stride.
    pub stride: [usize; 2],
    /// Vertical and horizontal dilation.
    pub dilation: [usize; 2],
    /// Groups.
    pub groups: usize,
}

impl Conv2dSizes {
    /// Output height and width, or nothing when the filter is larger than the padded image.
    pub fn output(&self) -> Option<[usize; 2]> {
        let along = |axis: usize| {
            let padded = self.input[axis] + self.padding[axis] + self.padding[axis + 2];
            let reach = self.dilation[axis] * (self.kernel[axis] - 1) + 1;
            (padded >= reach).then(|| (padded - reach) / self.stride[axis] + 1)
        };
        Some([along(0)?, along(1)?])
    }

    /// The shape of a batch of inputs.
    pub fn input_shape(&self) -> [usize; 4] {
        [self.samples, self.channels, self.input[0], self.input[1]]
    }

    /// The shape of the weight.
    pub fn weight_shape(&self) -> [usize; 4] {
        [self.filters, self.channels / self.groups, self.kernel[0], self.kernel[1]]
    }

    /// The shape of a batch of outputs.
    ///
    /// # Panics
    /// When there is no output.
    pub fn output_shape(&self) -> [usize; 4] {
        let [height, width] = self.output().expect("a filter inside the padded image");
        [self.samples, self.filters, height, width]
    }

    /// Calls `meet(input index, weight index, output index)` for every product of the convolution.
    fn visit(&self, mut meet: impl FnMut(usize, usize, usize)) {
        let [_, _, out_height, out_width] = self.output_shape();
        let (group_channels, group_filters) = (self.channels / self.groups, self.filters / self.groups);
        for n in 0..self.samples {
            for o in 0..self.filters {
                for y in 0..out_height {
                    for x in 0..out_width {
                        for c in 0..group_channels {
                            for ky in 0..self.kernel[0] {
                                for kx in 0..self.kernel[1] {
                                    let row = y * self.stride[0] + ky * self.dilation[0];
                                    let column = x * self.stride[1] + kx * self.dilation[1];
                                    if row < self.padding[0]
                                        || row >= self.padding[0] + self.input[0]
                                        || column < self.padding[1]
                                        || column >= self.padding[1] + self.input[1]
                                    {
                                        continue;
                                    }
                                    let channel = o / group_filters * group_channels + c;
                                    meet(
                                        index(
                                            self.input_shape(),
                                            [n, channel, row - self.padding[0], column - self.padding[1]],
                                        ),
                                        index(self.weight_shape(), [o, c, ky, kx]),
                                        index(self.output_shape(), [n, o, y, x]),
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

/// The index of an element, which must be inside the shape.
fn index(shape: [usize; 4], at: [usize; 4]) -> usize {
    assert!(shape.iter().zip(&at).all(|(len, at)| at < len), "{at:?} in {shape:?}");
    ((at[0] * shape[1] + at[1]) * shape[2] + at[2]) * shape[3] + at[3]
}

fn zeros(shape: [usize; 4]) -> Vec<f64> {
    vec![0.0; shape.iter().product()]
}

/// The convolution of a batch, with a number added by each filter.
pub fn conv2d(sizes: &Conv2dSizes, x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let [_, filters, height, width] = sizes.output_shape();
    let mut y = zeros(sizes.output_shape());
    sizes.visit(|i, w, o| y[o] += x[i] * weight[w]);
    y.iter().enumerate().map(|(o, y)| y + bias[o / (height * width) % filters]).collect()
}

/// Its gradient for the input.
pub fn conv2d_input_grad(sizes: &Conv2dSizes, dy: &[f64], weight: &[f64]) -> Vec<f64> {
    let mut dx = zeros(sizes.input_shape());
    sizes.visit(|i, w, o| dx[i] += dy[o] * weight[w]);
    dx
}

/// Its gradient for the weight.
pub fn conv2d_weight_grad(sizes: &Conv2dSizes, x: &[f64], dy: &[f64]) -> Vec<f64> {
    let mut dw = zeros(sizes.weight_shape());
    sizes.visit(|i, w, o| dw[w] += dy[o] * x[i]);
    dw
}

/// Its gradient for the bias.
pub fn conv2d_bias_grad(sizes: &Conv2dSizes, dy: &[f64]) -> Vec<f64> {
    let [_, filters, height, width] = sizes.output_shape();
    let mut db = vec![0.0; filters];
    for (o, dy) in dy.iter().enumerate() {
        db[o / (height * width) % filters] += dy;
    }
    db
}
