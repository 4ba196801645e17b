//! Layers that normalise, and their gradients, value by value. Batches are `samples x channels x area`.

/// Samples, channels, and values of a channel.
pub type Sizes = [usize; 3];

fn at([_, channels, area]: Sizes, n: usize, c: usize, i: usize) -> usize {
    (n * channels + c) * area + i
}

/// Mean and variance of a channel over the batch.
fn statistics(sizes: Sizes, x: &[f64], c: usize) -> (f64, f64) {
    let [samples, _, area] = sizes;
    let values: Vec<f64> =
        (0..samples).flat_map(|n| (0..area).map(move |i| at(sizes, n, c, i))).map(|i| x[i]).collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (mean, values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64)
}

/// `w (x - mean) / sqrt(variance + eps) + b`, with the statistics of the batch.
pub fn batch_norm(sizes: Sizes, eps: f64, x: &[f64], w: &[f64], b: &[f64]) -> Vec<f64> {
    let [samples, channels, area] = sizes;
    let mut y = vec![0.0; x.len()];
    for c in 0..channels {
        let (mean, variance) = statistics(sizes, x, c);
        for n in 0..samples {
            for i in 0..area {
                let k = at(sizes, n, c, i);
                y[k] = w[c] * (x[k] - mean) / (variance + eps).sqrt() + b[c];
            }
        }
    }
    y
}

/// Its gradients for input, weight and bias: the Jacobian of every pair of values of a channel.
pub fn batch_norm_grad(sizes: Sizes, eps: f64, x: &[f64], w: &[f64], dy: &[f64]) -> [Vec<f64>; 3] {
    let [samples, channels, area] = sizes;
    let (mut dx, mut dw, mut db) = (vec![0.0; x.len()], vec![0.0; channels], vec![0.0; channels]);
    let count = (samples * area) as f64;
    for c in 0..channels {
        let (mean, variance) = statistics(sizes, x, c);
        let deviation = (variance + eps).sqrt();
        let places: Vec<usize> =
            (0..samples).flat_map(|n| (0..area).map(move |i| at(sizes, n, c, i))).collect();
        let unit = |k: usize| (x[k] - mean) / deviation;
        for &j in &places {
            dw[c] += dy[j] * unit(j);
            db[c] += dy[j];
            for &k in &places {
                let same = if j == k { 1.0 } else { 0.0 };
                dx[k] += dy[j] * w[c] / deviation * (same - 1.0 / count - unit(j) * unit(k) / count);
            }
        }
    }
    [dx, dw, db]
}

/// Sizes and constants of [`local_response_norm`].
#[derive(Clone, Copy, Debug)]
pub struct Lrn {
    /// Channels of a window.
    pub size: usize,
    /// Factor of the mean square.
    pub alpha: f64,
    /// Exponent.
    pub beta: f64,
    /// What is added.
    pub k: f64,
}

impl Lrn {
    fn sees(&self, c: usize, other: usize) -> bool {
        let before = self.size / 2;
        other + before >= c && other < c + self.size - before
    }

    fn base(&self, sizes: Sizes, x: &[f64], n: usize, c: usize, i: usize) -> f64 {
        let seen = (0..sizes[1]).filter(|&other| self.sees(c, other));
        self.k
            + self.alpha / self.size as f64 * seen.map(|other| x[at(sizes, n, other, i)].powi(2)).sum::<f64>()
    }
}

/// `x / (k + alpha / size * sum of squares)^beta`.
pub fn local_response_norm(lrn: &Lrn, sizes: Sizes, x: &[f64]) -> Vec<f64> {
    let [samples, channels, area] = sizes;
    let mut y = vec![0.0; x.len()];
    for n in 0..samples {
        for c in 0..channels {
            for i in 0..area {
                let k = at(sizes, n, c, i);
                y[k] = x[k] / lrn.base(sizes, x, n, c, i).powf(lrn.beta);
            }
        }
    }
    y
}

/// Its gradient.
pub fn local_response_norm_grad(lrn: &Lrn, sizes: Sizes, x: &[f64], dy: &[f64]) -> Vec<f64> {
    let [samples, channels, area] = sizes;
    let mut dx = vec![0.0; x.len()];
    for n in 0..samples {
        for i in 0..area {
            for c in 0..channels {
                let (k, base) = (at(sizes, n, c, i), lrn.base(sizes, x, n, c, i));
                dx[k] += dy[k] / base.powf(lrn.beta);
                for other in (0..channels).filter(|&other| lrn.sees(c, other)) {
                    let j = at(sizes, n, other, i);
                    let slope = 2.0 * lrn.alpha / lrn.size as f64 * x[j];
                    dx[j] -= dy[k] * x[k] * lrn.beta * base.powf(-lrn.beta - 1.0) * slope;
                }
            }
        }
    }
    dx
}

/// `exp(x) / sum of exp(x)` over the channels.
pub fn softmax(sizes: Sizes, x: &[f64]) -> Vec<f64> {
    let [samples, channels, area] = sizes;
    let mut y = vec![0.0; x.len()];
    for n in 0..samples {
        for i in 0..area {
            let sum: f64 = (0..channels).map(|c| x[at(sizes, n, c, i)].exp()).sum();
            for c in 0..channels {
                y[at(sizes, n, c, i)] = x[at(sizes, n, c, i)].exp() / sum;
            }
        }
    }
    y
}

/// Its gradient: the Jacobian `y_j (same - y_k)`.
pub fn softmax_grad(sizes: Sizes, x: &[f64], dy: &[f64]) -> Vec<f64> {
    let [samples, channels, area] = sizes;
    let (y, mut dx) = (softmax(sizes, x), vec![0.0; x.len()]);
    for n in 0..samples {
        for i in 0..area {
            for j in 0..channels {
                for k in 0..channels {
                    let (j, k) = (at(sizes, n, j, i), at(sizes, n, k, i));
                    dx[k] += dy[j] * y[j] * (if j == k { 1.0 } else { 0.0 } - y[k]);
                }
            }
        }
    }
    dx
}
