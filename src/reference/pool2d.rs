//! Pooling of planes and its gradients.

/// Sizes of a pool of some planes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool2dSizes {
    /// Planes: samples times channels.
    pub planes: usize,
    /// Input height and width.
    pub input: [usize; 2],
    /// Window height and width.
    pub kernel: [usize; 2],
    /// Vertical and horizontal stride.
    pub stride: [usize; 2],
    /// Vertical and horizontal distance of neighbouring taps.
    pub dilation: [usize; 2],
    /// Top, left, bottom, right; each smaller than the window.
    pub padding: [usize; 4],
    /// A last window may reach past the padding, if it begins before the padding of the end.
    pub ceil: bool,
}

impl Pool2dSizes {
    /// Output height and width.
    pub fn output(&self) -> [usize; 2] {
        [0, 1].map(|axis| {
            let padded = self.input[axis] + self.padding[axis] + self.padding[axis + 2];
            let reach = (self.kernel[axis] - 1) * self.dilation[axis] + 1;
            let mut count = 0;
            loop {
                let start = count * self.stride[axis];
                let fits = start + reach <= padded;
                // The first window that does not fit whole is the last to count.
                let is_cut = self.ceil
                    && start < self.input[axis] + self.padding[axis]
                    && (count == 0 || start - self.stride[axis] + reach < padded);
                if !fits && !is_cut {
                    return count;
                }
                count += 1;
            }
        })
    }

    /// For every output in order, the indices of the inputs in its window in row order.
    fn windows(&self) -> Vec<Vec<usize>> {
        let ([height, width], [rows, columns]) = (self.input, self.output());
        let mut windows = Vec::new();
        for plane in 0..self.planes {
            for row in 0..rows {
                for column in 0..columns {
                    let mut window = Vec::new();
                    for ky in 0..self.kernel[0] {
                        for kx in 0..self.kernel[1] {
                            let y = (row * self.stride[0] + ky * self.dilation[0]) as i64
                                - self.padding[0] as i64;
                            let x = (column * self.stride[1] + kx * self.dilation[1]) as i64
                                - self.padding[1] as i64;
                            if y >= 0 && y < height as i64 && x >= 0 && x < width as i64 {
                                window.push((plane * height + y as usize) * width + x as usize);
                            }
                        }
                    }
                    windows.push(window);
                }
            }
        }
        windows
    }

    /// What the sum over the window of an output is divided by.
    fn divisor(&self, output: usize, window: &[usize], count_padding: bool) -> f64 {
        if !count_padding {
            return window.len() as f64;
        }
        let [rows, columns] = self.output();
        let at = [output / columns % rows, output % columns];
        let inside = [0, 1].map(|axis| {
            let padded = self.input[axis] + self.padding[axis] + self.padding[axis + 2];
            (0..self.kernel[axis]).filter(|k| at[axis] * self.stride[axis] + k < padded).count()
        });
        (inside[0] * inside[1]) as f64
    }
}

/// The index of the first largest value of a window.
fn winner(window: &[usize], x: &[f64]) -> usize {
    let largest = window.iter().map(|&i| x[i]).fold(f64::NEG_INFINITY, f64::max);
    window.iter().copied().find(|&i| x[i] == largest).unwrap_or_default()
}

/// The largest value of each window.
pub fn max_pool(sizes: &Pool2dSizes, x: &[f64]) -> Vec<f64> {
    sizes.windows().iter().map(|window| x[winner(window, x)]).collect()
}

/// Its gradient: each `dy` goes to the first largest value of the window.
pub fn max_pool_grad(sizes: &Pool2dSizes, x: &[f64], dy: &[f64]) -> Vec<f64> {
    let mut dx = vec![0.0; x.len()];
    for (window, dy) in sizes.windows().iter().zip(dy) {
        dx[winner(window, x)] += dy;
    }
    dx
}

/// The mean of each window, padding counted as zeros or not at all.
pub fn avg_pool(sizes: &Pool2dSizes, x: &[f64], count_padding: bool) -> Vec<f64> {
    let mean = |(output, window): (usize, &Vec<usize>)| {
        window.iter().map(|&i| x[i]).sum::<f64>() / sizes.divisor(output, window, count_padding)
    };
    sizes.windows().iter().enumerate().map(mean).collect()
}

/// Its gradient: each `dy` is shared by the values of the window.
pub fn avg_pool_grad(sizes: &Pool2dSizes, dy: &[f64], count_padding: bool) -> Vec<f64> {
    let mut dx = vec![0.0; sizes.planes * sizes.input[0] * sizes.input[1]];
    for (output, (window, dy)) in sizes.windows().iter().zip(dy).enumerate() {
        for &i in window {
            dx[i] += dy / sizes.divisor(output, window, count_padding);
        }
    }
    dx
}

/// The inputs of window `index` of `count` that cover `len` values evenly.
fn even(index: usize, count: usize, len: usize) -> Vec<usize> {
    // Value i, from i / len to (i + 1) / len of the whole, overlaps window index of count.
    (0..len).filter(|i| i * count < (index + 1) * len && index * len < (i + 1) * count).collect()
}

/// The share of every (output, input) pair of a plane that is averaged to `output` pixels.
fn adaptive(
    planes: usize,
    [height, width]: [usize; 2],
    [rows, columns]: [usize; 2],
    mut meet: impl FnMut(usize, usize, f64),
) {
    for plane in 0..planes {
        for row in 0..rows {
            for column in 0..columns {
                let (down, across) = (even(row, rows, height), even(column, columns, width));
                let share = 1.0 / (down.len() * across.len()) as f64;
                for y in &down {
                    for x in &across {
                        let to = (plane * rows + row) * columns + column;
                        meet(to, (plane * height + y) * width + x, share);
                    }
                }
            }
        }
    }
}

/// Means over windows that cover the planes evenly.
pub fn adaptive_avg_pool(planes: usize, input: [usize; 2], output: [usize; 2], x: &[f64]) -> Vec<f64> {
    let mut y = vec![0.0; planes * output[0] * output[1]];
    adaptive(planes, input, output, |to, from, share| y[to] += share * x[from]);
    y
}

/// Their gradient.
pub fn adaptive_avg_pool_grad(planes: usize, input: [usize; 2], output: [usize; 2], dy: &[f64]) -> Vec<f64> {
    let mut dx = vec![0.0; planes * input[0] * input[1]];
    adaptive(planes, input, output, |to, from, share| dx[from] += share * dy[to]);
    dx
}
