//! The fully connected layer and its gradients.

/// `y[n, o] = bias[o] + sum over i of weight[o, i] * x[n, i]`; the sizes are `[samples, out, inputs]`.
pub fn linear([samples, out, inputs]: [usize; 3], x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let mut y = vec![0.0; samples * out];
    for n in 0..samples {
        for o in 0..out {
            let sum: f64 = (0..inputs).map(|i| weight[o * inputs + i] * x[n * inputs + i]).sum();
            y[n * out + o] = bias[o] + sum;
        }
    }
    y
}

/// The gradients for input, weight and bias.
pub fn linear_grad(
    [samples, out, inputs]: [usize; 3],
    x: &[f64],
    weight: &[f64],
    dy: &[f64],
) -> [Vec<f64>; 3] {
    let (mut dx, mut dw, mut db) = (vec![0.0; samples * inputs], vec![0.0; out * inputs], vec![0.0; out]);
    for n in 0..samples {
        for o in 0..out {
            let dy = dy[n * out + o];
            db[o] += dy;
            for i in 0..inputs {
                dx[n * inputs + i] += dy * weight[o * inputs + i];
                dw[o * inputs + i] += dy * x[n * inputs + i];
            }
        }
    }
    [dx, dw, db]
}
