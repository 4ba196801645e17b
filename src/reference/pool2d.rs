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
    /// Top, left, bottom, right; each smaller than the window.
    pub padding: [usize; 4],
}

impl Pool2dSizes {
    /// Output height and width.
    pub fn output(&self) -> [usize; 2] {
        [0, 1].map(|axis| {
            let padded = self.input[axis] + self.padding[axis] + self.padding[axis + 2];
            (padded - self.kernel[axis]) / self.stride[axis] + 1
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
                            let y = (row * self.stride[0] + ky) as i64 - self.padding[0] as i64;
                            let x = (column * self.stride[1] + kx) as i64 - self.padding[1] as i64;
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

    fn divisor(&self, window: &[usize], count_padding: bool) -> f64 {
        if count_padding { (self.kernel[0] * self.kernel[1]) as f64 } else { window.len() as f64 }
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
    let mean = |window: &Vec<usize>| {
        window.iter().map(|&i| x[i]).sum::<f64>() / sizes.divisor(window, count_padding)
    };
    sizes.windows().iter().map(mean).collect()
}

/// Its gradient: each `dy` is shared by the values of the window.
pub fn avg_pool_grad(sizes: &Pool2dSizes, dy: &[f64], count_padding: bool) -> Vec<f64> {
    let mut dx = vec![0.0; sizes.planes * sizes.input[0] * sizes.input[1]];
    for (window, dy) in sizes.windows().iter().zip(dy) {
        for &i in window {
            dx[i] += dy / sizes.divisor(window, count_padding);
        }
    }
    dx
}
