//! The gradient of every layer: finite differences pin the references, the references pin the layers,
//! PyTorch pins a whole training step.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use lyncean::document::Source;
use lyncean::nn::layer::{self, Kind, Mode};
use lyncean::nn::loss::{CrossEntropyOptions, IGNORED, pixel_cross_entropy, softmax_cross_entropy};
use lyncean::nn::{Grads, Net, Rng, Shape, Tensor, arch};
use lyncean::reference::{activation, arrange, conv2d, cross_entropy, linear, norm, pool2d, upsample};

/// Numbers that are all different, so that no maximum is near a tie, and none near 0.
fn values(len: usize, seed: u64) -> Vec<f64> {
    let order = Rng::new(seed).permutation(len);
    order.iter().map(|&at| (at as f64 + 0.5) / len as f64 * 3.0 - 1.5 + 0.01 / len as f64).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Checks a gradient of `f` at `at` against central differences.
fn check_slopes(what: &str, f: impl Fn(&[f64]) -> f64, at: &[f64], gradient: &[f64]) {
    const STEP: f64 = 1e-5;
    assert_eq!(at.len(), gradient.len(), "{what}");
    let mut moved = at.to_vec();
    for i in 0..at.len() {
        moved[i] = at[i] + STEP;
        let above = f(&moved);
        moved[i] = at[i] - STEP;
        let below = f(&moved);
        moved[i] = at[i];
        let slope = (above - below) / (2.0 * STEP);
        let bound = 1e-7 * (1.0 + slope.abs());
        assert!((slope - gradient[i]).abs() < bound, "{what} {i}: {slope} by differences, {}", gradient[i]);
    }
}

/// The gradients of an input and of each parameter.
type Gradients = (Vec<f64>, Vec<Vec<f64>>);

/// From input, parameters and output gradient to gradients.
type Backward = fn(&[f64], &[Vec<f64>], &[f64]) -> Gradients;

/// What is special to a layer.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    Plain,
    /// It sees the batch as a whole in training, and something else in inference.
    Batch,
    /// Its inputs are whole numbers, which have no gradient.
    Words,
}

/// A layer's reference: the output for an input and parameters, and from an output gradient those of
/// the input and of each parameter.
struct Twin {
    /// The layer's lines in an architecture.
    toml: &'static str,
    input: &'static [usize],
    role: Role,
    forward: fn(&[f64], &[Vec<f64>]) -> Vec<f64>,
    backward: Backward,
}

const CONV: conv2d::Conv2dSizes = conv2d::Conv2dSizes {
    samples: 2,
    channels: 4,
    input: [5, 6],
    filters: 6,
    kernel: [3, 2],
    padding: [1, 0, 2, 1],
    stride: [2, 1],
    dilation: [1, 2],
    groups: 2,
};
const POOL: pool2d::Pool2dSizes = pool2d::Pool2dSizes {
    planes: 6,
    input: [5, 7],
    kernel: [3, 2],
    stride: [2, 2],
    dilation: [1, 1],
    padding: [1, 0, 1, 1],
    ceil: false,
};
const CEIL: pool2d::Pool2dSizes = pool2d::Pool2dSizes {
    planes: 6,
    input: [6, 8],
    kernel: [3, 3],
    stride: [2, 3],
    dilation: [1, 1],
    padding: [0, 1, 0, 1],
    ceil: true,
};

fn each(x: &[f64], f: impl Fn(f64) -> f64) -> Vec<f64> {
    x.iter().map(|&x| f(x)).collect()
}

fn sloped(x: &[f64], dy: &[f64], slope: impl Fn(f64) -> f64) -> Gradients {
    (x.iter().zip(dy).map(|(&x, dy)| dy * slope(x)).collect(), Vec::new())
}

const TWINS: &[Twin] = &[
    Twin {
        toml: "use = \"conv2d\"\nout = 6\nkernel = [3, 2]\npadding = [1, 0, 2, 1]\nstride = [2, 1]\ndilation = [1, 2]\ngroups = 2",
        input: &[4, 5, 6],
        role: Role::Plain,
        forward: |x, p| conv2d::conv2d(&CONV, x, &p[0], &p[1]),
        backward: |x, p, dy| {
            let (dw, db) = (conv2d::conv2d_weight_grad(&CONV, x, dy), conv2d::conv2d_bias_grad(&CONV, dy));
            (conv2d::conv2d_input_grad(&CONV, dy, &p[0]), vec![dw, db])
        },
    },
    Twin {
        toml: "use = \"linear\"\nout = 5",
        input: &[7],
        role: Role::Plain,
        forward: |x, p| linear::linear([2, 5, 7], x, &p[0], &p[1]),
        backward: |x, p, dy| {
            let [dx, dw, db] = linear::linear_grad([2, 5, 7], x, &p[0], dy);
            (dx, vec![dw, db])
        },
    },
    Twin {
        toml: "use = \"max-pool\"\nkernel = [3, 2]\nstride = 2\npadding = [1, 0, 1, 1]",
        input: &[3, 5, 7],
        role: Role::Plain,
        forward: |x, _| pool2d::max_pool(&POOL, x),
        backward: |x, _, dy| (pool2d::max_pool_grad(&POOL, x, dy), Vec::new()),
    },
    Twin {
        toml: "use = \"avg-pool\"\nkernel = [3, 2]\nstride = 2\npadding = [1, 0, 1, 1]",
        input: &[3, 5, 7],
        role: Role::Plain,
        forward: |x, _| pool2d::avg_pool(&POOL, x, true),
        backward: |_, _, dy| (pool2d::avg_pool_grad(&POOL, dy, true), Vec::new()),
    },
    Twin {
        toml: "use = \"avg-pool\"\nkernel = [3, 2]\nstride = 2\npadding = [1, 0, 1, 1]\ncount-include-pad = false",
        input: &[3, 5, 7],
        role: Role::Plain,
        forward: |x, _| pool2d::avg_pool(&POOL, x, false),
        backward: |_, _, dy| (pool2d::avg_pool_grad(&POOL, dy, false), Vec::new()),
    },
    Twin {
        toml: "use = \"add\"\nin = [\"input\", \"input\"]",
        input: &[11],
        role: Role::Plain,
        forward: |x, _| each(x, |x| 2.0 * x),
        backward: |x, _, dy| sloped(x, dy, |_| 2.0),
    },
    Twin {
        toml: "use = \"relu\"",
        input: &[11],
        role: Role::Plain,
        forward: |x, _| each(x, activation::relu),
        backward: |x, _, dy| sloped(x, dy, activation::relu_slope),
    },
    Twin {
        toml: "use = \"tanh\"",
        input: &[11],
        role: Role::Plain,
        forward: |x, _| each(x, activation::tanh),
        backward: |x, _, dy| sloped(x, dy, activation::tanh_slope),
    },
    Twin {
        toml: "use = \"sigmoid\"",
        input: &[11],
        role: Role::Plain,
        forward: |x, _| each(x, activation::sigmoid),
        backward: |x, _, dy| sloped(x, dy, activation::sigmoid_slope),
    },
    Twin {
        toml: "use = \"flatten\"",
        input: &[2, 3, 2],
        role: Role::Plain,
        forward: |x, _| x.to_vec(),
        backward: |_, _, dy| (dy.to_vec(), Vec::new()),
    },
    // Which values are dropped is the business of the layer's own test.
    Twin {
        toml: "use = \"dropout\"\np = 0.0",
        input: &[11],
        role: Role::Plain,
        forward: |x, _| x.to_vec(),
        backward: |_, _, dy| (dy.to_vec(), Vec::new()),
    },
    Twin {
        toml: "use = \"max-pool\"\nkernel = 3\nstride = [2, 3]\npadding = [0, 1, 0, 1]\nceil-mode = true",
        input: &[3, 6, 8],
        role: Role::Plain,
        forward: |x, _| pool2d::max_pool(&CEIL, x),
        backward: |x, _, dy| (pool2d::max_pool_grad(&CEIL, x, dy), Vec::new()),
    },
    Twin {
        toml: "use = \"max-pool\"\nkernel = 3\nstride = [2, 3]\npadding = [1, 1, 1, 0]\ndilation = [2, 3]\nceil-mode = true",
        input: &[3, 6, 8],
        role: Role::Plain,
        forward: |x, _| pool2d::max_pool(&APART, x),
        backward: |x, _, dy| (pool2d::max_pool_grad(&APART, x, dy), Vec::new()),
    },
    Twin {
        toml: "use = \"avg-pool\"\nkernel = 3\nstride = [2, 3]\npadding = [0, 1, 0, 1]\nceil-mode = true",
        input: &[3, 6, 8],
        role: Role::Plain,
        forward: |x, _| pool2d::avg_pool(&CEIL, x, true),
        backward: |_, _, dy| (pool2d::avg_pool_grad(&CEIL, dy, true), Vec::new()),
    },
    Twin {
        toml: "use = \"adaptive-avg-pool\"\nsize = [3, 4]",
        input: &[3, 7, 3],
        role: Role::Plain,
        forward: |x, _| pool2d::adaptive_avg_pool(6, [7, 3], [3, 4], x),
        backward: |_, _, dy| (pool2d::adaptive_avg_pool_grad(6, [7, 3], [3, 4], dy), Vec::new()),
    },
    Twin {
        toml: "use = \"global-avg-pool\"",
        input: &[3, 4, 5],
        role: Role::Plain,
        forward: |x, _| pool2d::adaptive_avg_pool(6, [4, 5], [1, 1], x),
        backward: |_, _, dy| (pool2d::adaptive_avg_pool_grad(6, [4, 5], [1, 1], dy), Vec::new()),
    },
    Twin {
        toml: "use = \"max-over-time\"",
        input: &[3, 7],
        role: Role::Plain,
        forward: |x, _| x.chunks(7).map(|row| row.iter().copied().fold(f64::MIN, f64::max)).collect(),
        backward: |x, _, dy| {
            let largest = |row: &[f64]| row.iter().copied().fold(f64::MIN, f64::max);
            let of = |(row, dy): (&[f64], &f64)| {
                let most = largest(row);
                row.iter().map(|&x| if x == most { *dy } else { 0.0 }).collect::<Vec<_>>()
            };
            (x.chunks(7).zip(dy).flat_map(of).collect(), Vec::new())
        },
    },
    Twin {
        toml: "use = \"batch-norm\"\neps = 0.01",
        input: &[3, 2, 4],
        role: Role::Batch,
        forward: |x, p| norm::batch_norm([2, 3, 8], f64::from(0.01f32), x, &p[0], &p[1]),
        backward: |x, p, dy| {
            let [dx, dw, db] = norm::batch_norm_grad([2, 3, 8], f64::from(0.01f32), x, &p[0], dy);
            (dx, vec![dw, db])
        },
    },
    Twin {
        toml: "use = \"local-response-norm\"\nsize = 4\nalpha = 0.8\nbeta = 0.6\nk = 1.5",
        input: &[6, 3, 2],
        role: Role::Plain,
        forward: |x, _| norm::local_response_norm(&LRN, [2, 6, 6], x),
        backward: |x, _, dy| (norm::local_response_norm_grad(&LRN, [2, 6, 6], x, dy), Vec::new()),
    },
    Twin {
        toml: "use = \"local-response-norm\"\nalpha = 1.0\nk = 2.0",
        input: &[6, 3],
        role: Role::Plain,
        forward: |x, _| norm::local_response_norm(&USUAL_LRN, [2, 6, 3], x),
        backward: |x, _, dy| (norm::local_response_norm_grad(&USUAL_LRN, [2, 6, 3], x, dy), Vec::new()),
    },
    Twin {
        toml: "use = \"softmax\"",
        input: &[4, 3, 2],
        role: Role::Plain,
        forward: |x, _| norm::softmax([2, 4, 6], x),
        backward: |x, _, dy| (norm::softmax_grad([2, 4, 6], x, dy), Vec::new()),
    },
    Twin {
        toml: "use = \"leaky-relu\"\nslope = 0.25",
        input: &[11],
        role: Role::Plain,
        forward: |x, _| each(x, |x| activation::leaky_relu(0.25, x)),
        backward: |x, _, dy| sloped(x, dy, |x| activation::leaky_relu_slope(0.25, x)),
    },
    Twin {
        toml: "use = \"reshape\"\nshape = [3, 4]",
        input: &[2, 3, 2],
        role: Role::Plain,
        forward: |x, _| x.to_vec(),
        backward: |_, _, dy| (dy.to_vec(), Vec::new()),
    },
    Twin {
        toml: "use = \"concat\"\nin = [\"input\", \"input\"]",
        input: &[2, 5],
        role: Role::Plain,
        forward: |x, _| x.chunks(10).flat_map(|sample| [sample, sample].concat()).collect(),
        backward: |_, _, dy| {
            let of = |sample: &[f64]| {
                sample[..10].iter().zip(&sample[10..]).map(|(a, b)| a + b).collect::<Vec<_>>()
            };
            (dy.chunks(20).flat_map(of).collect(), Vec::new())
        },
    },
    Twin {
        toml: "use = \"upsample\"\nfactor = [2, 3]",
        input: &[2, 3, 2],
        role: Role::Plain,
        forward: |x, _| upsample::upsample(&NEAREST, x),
        backward: |_, _, dy| (upsample::upsample_grad(&NEAREST, dy), Vec::new()),
    },
    Twin {
        toml: "use = \"upsample\"\nfactor = [2, 3]\nmethod = \"bilinear\"",
        input: &[2, 3, 2],
        role: Role::Plain,
        forward: |x, _| upsample::upsample(&BILINEAR, x),
        backward: |_, _, dy| (upsample::upsample_grad(&BILINEAR, dy), Vec::new()),
    },
    Twin {
        toml: "use = \"resize\"\nsize = [5, 2]",
        input: &[2, 3, 4],
        role: Role::Plain,
        forward: |x, _| upsample::resize(&LINEAR, x),
        backward: |_, _, dy| (upsample::resize_grad(&LINEAR, dy), Vec::new()),
    },
    Twin {
        toml: "use = \"resize\"\nsize = [5, 2]\nplaces = \"align-corners\"",
        input: &[2, 3, 4],
        role: Role::Plain,
        forward: |x, _| upsample::resize(&CORNERS, x),
        backward: |_, _, dy| (upsample::resize_grad(&CORNERS, dy), Vec::new()),
    },
    Twin {
        toml: "use = \"resize\"\nsize = [5, 2]\nmethod = \"bicubic\"\nplaces = \"asymmetric\"\nexclude-outside = true",
        input: &[2, 3, 4],
        role: Role::Plain,
        forward: |x, _| upsample::resize(&CUBIC, x),
        backward: |_, _, dy| (upsample::resize_grad(&CUBIC, dy), Vec::new()),
    },
    Twin {
        toml: "use = \"resize\"\nsize = [5, 2]\nantialias = true",
        input: &[2, 3, 7],
        role: Role::Plain,
        forward: |x, _| upsample::resize(&SPREAD, x),
        backward: |_, _, dy| (upsample::resize_grad(&SPREAD, dy), Vec::new()),
    },
    Twin {
        toml: "use = \"resize\"\nsize = [2, 3]\nmethod = \"bicubic\"\ncubic = -0.5\nexclude-outside = true\nantialias = true",
        input: &[2, 7, 8],
        role: Role::Plain,
        forward: |x, _| upsample::resize(&SPREAD_CUBIC, x),
        backward: |_, _, dy| (upsample::resize_grad(&SPREAD_CUBIC, dy), Vec::new()),
    },
    Twin {
        toml: "use = \"conv-transpose2d\"\nout = 6\nkernel = [3, 4]\nstride = [2, 3]\npadding = [1, 0, 2, 1]\noutput-padding = [1, 2]\ngroups = 2",
        input: &[4, 3, 4],
        role: Role::Plain,
        forward: |x, p| upsample::conv_transpose2d(&TRANSPOSE, x, &p[0], &p[1]),
        backward: |x, p, dy| {
            let [dx, dw, db] = upsample::conv_transpose2d_grad(&TRANSPOSE, x, &p[0], dy);
            (dx, vec![dw, db])
        },
    },
    Twin {
        toml: "use = \"conv1d\"\nout = 4\nkernel = 3\npadding = 2\nstride = 2\ndilation = 2\ngroups = 2",
        input: &[4, 9],
        role: Role::Plain,
        forward: |x, p| conv2d::conv2d(&SEQUENCE, x, &p[0], &p[1]),
        backward: |x, p, dy| {
            let dw = conv2d::conv2d_weight_grad(&SEQUENCE, x, dy);
            (
                conv2d::conv2d_input_grad(&SEQUENCE, dy, &p[0]),
                vec![dw, conv2d::conv2d_bias_grad(&SEQUENCE, dy)],
            )
        },
    },
    Twin {
        toml: "use = \"conv2d\"\nout = 16\nkernel = 2\nconnections = \"lenet-c3\"",
        input: &[6, 3, 3],
        role: Role::Plain,
        forward: |x, p| conv2d::conv2d(&C3, x, &c3_dense(&p[0]), &p[1]),
        backward: |x, p, dy| {
            let dw = conv2d::conv2d_weight_grad(&C3, x, dy);
            let places = c3_places().into_iter().flat_map(|at| dw[at * 4..][..4].to_vec());
            let db = conv2d::conv2d_bias_grad(&C3, dy);
            (conv2d::conv2d_input_grad(&C3, dy, &c3_dense(&p[0])), vec![places.collect(), db])
        },
    },
    Twin {
        toml: "use = \"subsample\"",
        input: &[3, 4, 6],
        role: Role::Plain,
        // Four times the mean of each window.
        forward: |x, p| {
            let means = pool2d::avg_pool(&HALVES, x, true);
            means.iter().enumerate().map(|(i, mean)| 4.0 * mean * p[0][i / 6 % 3] + p[1][i / 6 % 3]).collect()
        },
        backward: |x, p, dy| {
            let means = pool2d::avg_pool(&HALVES, x, true);
            let (mut dw, mut db) = (vec![0.0; 3], vec![0.0; 3]);
            let scaled: Vec<f64> = dy.iter().enumerate().map(|(i, dy)| 4.0 * dy * p[0][i / 6 % 3]).collect();
            for (i, dy) in dy.iter().enumerate() {
                dw[i / 6 % 3] += 4.0 * means[i] * dy;
                db[i / 6 % 3] += dy;
            }
            (pool2d::avg_pool_grad(&HALVES, &scaled, true), vec![dw, db])
        },
    },
    Twin {
        toml: "use = \"radial-basis\"\nout = 3",
        input: &[5],
        role: Role::Plain,
        forward: |x, _| {
            let near = |x: &[f64], code: &[f64]| {
                -x.iter().zip(code).map(|(x, c)| (x - c).powi(2)).sum::<f64>() / 2.0
            };
            x.chunks(5)
                .flat_map(|x| codes().chunks(5).map(|code| near(x, code)).collect::<Vec<_>>())
                .collect()
        },
        backward: |x, _, dy| {
            let slope = |i: usize, code: usize| codes()[code * 5 + i % 5] - x[i];
            let of = |i: usize| (0..3).map(|code| dy[i / 5 * 3 + code] * slope(i, code)).sum();
            ((0..10).map(of).collect(), Vec::new())
        },
    },
    Twin {
        toml: "use = \"embedding\"\ncount = 5\nsize = 3",
        input: &[4],
        role: Role::Words,
        forward: |x, p| {
            let vector = |word: f64, channel: usize| p[0][word as usize * 3 + channel];
            x.chunks(4).flat_map(|words| (0..12).map(move |i| vector(words[i % 4], i / 4))).collect()
        },
        backward: |x, _, dy| {
            let mut dw = vec![0.0; 15];
            for (i, dy) in dy.iter().enumerate() {
                dw[x[i / 12 * 4 + i % 4] as usize * 3 + i / 4 % 3] += dy;
            }
            (vec![0.0; x.len()], vec![dw])
        },
    },
    Twin {
        toml: "use = \"elu\"\nalpha = 0.5",
        input: &[11],
        role: Role::Plain,
        forward: |x, _| each(x, |x| activation::elu(0.5, x)),
        backward: |x, _, dy| sloped(x, dy, |x| activation::elu_slope(0.5, x)),
    },
    Twin {
        toml: "use = \"clip\"\nmin = -0.75\nmax = 0.5",
        input: &[11],
        role: Role::Plain,
        forward: |x, _| each(x, |x| activation::clip(-0.75, 0.5, x)),
        backward: |x, _, dy| sloped(x, dy, |x| activation::clip_slope(-0.75, 0.5, x)),
    },
    Twin {
        toml: "use = \"scale\"\nfactor = -2.5\noffset = 0.75",
        input: &[11],
        role: Role::Plain,
        forward: |x, _| each(x, |x| 0.75 - 2.5 * x),
        backward: |x, _, dy| sloped(x, dy, |_| -2.5),
    },
    Twin {
        toml: "use = \"constant\"\nshape = [3, 2]",
        input: &[4],
        role: Role::Plain,
        forward: |x, p| p[0].repeat(x.len() / 4),
        backward: |x, _, dy| {
            let sum = |i: usize| dy.iter().skip(i).step_by(6).sum();
            (vec![0.0; x.len()], vec![(0..6).map(sum).collect()])
        },
    },
    Twin {
        toml: "use = \"mean\"\naxes = [2, 0]",
        input: &[3, 4, 5],
        role: Role::Plain,
        forward: |x, _| arrange::mean(&[3, 4, 5], &[1, 4, 1], x),
        backward: |_, _, dy| (arrange::mean_grad(&[3, 4, 5], &[1, 4, 1], dy), Vec::new()),
    },
    Twin {
        toml: "use = \"slice\"\naxis = 1\nstart = 5\ncount = 3\nstep = -2",
        input: &[2, 6, 3],
        role: Role::Plain,
        forward: |x, _| {
            arrange::moved(&[2, 6, 3], &[2, 3, 3], 0.0, &|to| Some(vec![to[0], 5 - 2 * to[1], to[2]]), x)
        },
        backward: |_, _, dy| {
            let from = |to: &[usize]| Some(vec![to[0], 5 - 2 * to[1], to[2]]);
            (arrange::moved_grad(&[2, 6, 3], &[2, 3, 3], &from, dy), Vec::new())
        },
    },
    Twin {
        toml: "use = \"transpose\"\norder = [2, 0, 1]",
        input: &[2, 3, 4],
        role: Role::Plain,
        forward: |x, _| arrange::moved(&[2, 3, 4], &[4, 2, 3], 0.0, &|to| Some(vec![to[1], to[2], to[0]]), x),
        backward: |_, _, dy| {
            let from = |to: &[usize]| Some(vec![to[1], to[2], to[0]]);
            (arrange::moved_grad(&[2, 3, 4], &[4, 2, 3], &from, dy), Vec::new())
        },
    },
    Twin {
        toml: "use = \"pad\"\nbefore = [1, 0, 2]\nafter = [0, 3, 1]\nvalue = 0.5",
        input: &[2, 3, 2],
        role: Role::Plain,
        forward: |x, _| arrange::moved(&[2, 3, 2], &[3, 6, 5], 0.5, &inside, x),
        backward: |_, _, dy| (arrange::moved_grad(&[2, 3, 2], &[3, 6, 5], &inside, dy), Vec::new()),
    },
    Twin {
        toml: "use = \"pad\"\nbefore = [0, 2]\nafter = [2, 1]\nmode = \"reflect\"",
        input: &[3, 4],
        role: Role::Plain,
        forward: |x, _| arrange::moved(&[3, 4], &[5, 7], 0.0, &|to| Some(mirrored(to)), x),
        backward: |_, _, dy| {
            (arrange::moved_grad(&[3, 4], &[5, 7], &|to| Some(mirrored(to)), dy), Vec::new())
        },
    },
    Twin {
        toml: "use = \"pad\"\nbefore = [0, 2]\nafter = [4, 1]\nmode = \"edge\"",
        input: &[3, 4],
        role: Role::Plain,
        forward: |x, _| arrange::moved(&[3, 4], &[7, 7], 0.0, &|to| Some(outermost(to)), x),
        backward: |_, _, dy| {
            (arrange::moved_grad(&[3, 4], &[7, 7], &|to| Some(outermost(to)), dy), Vec::new())
        },
    },
    // Two inputs of unlike shapes have a test of their own.
    Twin {
        toml: "use = \"sub\"\nin = [\"input\", \"input\"]",
        input: &[11],
        role: Role::Plain,
        forward: |x, _| each(x, |_| 0.0),
        backward: |x, _, dy| sloped(x, dy, |_| 0.0),
    },
    Twin {
        toml: "use = \"mul\"\nin = [\"input\", \"input\"]",
        input: &[11],
        role: Role::Plain,
        forward: |x, _| each(x, |x| x * x),
        backward: |x, _, dy| sloped(x, dy, |x| 2.0 * x),
    },
    Twin {
        toml: "use = \"div\"\nin = [\"input\", \"input\"]",
        input: &[11],
        role: Role::Plain,
        forward: |x, _| each(x, |_| 1.0),
        backward: |x, _, dy| sloped(x, dy, |_| 0.0),
    },
];

/// Where a padding with a number has values of the input.
fn inside(to: &[usize]) -> Option<Vec<usize>> {
    let from = [to[0].checked_sub(1)?, to[1], to[2].checked_sub(2)?];
    (from[0] < 2 && from[1] < 3 && from[2] < 2).then(|| from.to_vec())
}

fn mirrored(to: &[usize]) -> Vec<usize> {
    vec![arrange::reflected(to[0] as i64, 3), arrange::reflected(to[1] as i64 - 2, 4)]
}

fn outermost(to: &[usize]) -> Vec<usize> {
    vec![to[0].min(2), to[1].saturating_sub(2).min(3)]
}

const LRN: norm::Lrn = norm::Lrn { size: 4, alpha: 0.8, beta: 0.6, k: 1.5 };
const USUAL_LRN: norm::Lrn = norm::Lrn { size: 5, alpha: 1.0, beta: 0.75, k: 2.0 };
const NEAREST: upsample::UpsampleSizes =
    upsample::UpsampleSizes { planes: 4, input: [3, 2], factor: [2, 3], bilinear: false };
const BILINEAR: upsample::UpsampleSizes = upsample::UpsampleSizes { bilinear: true, ..NEAREST };
const LINEAR: upsample::ResizeSizes = upsample::ResizeSizes {
    planes: 4,
    input: [3, 4],
    output: [5, 2],
    cubic: None,
    place: |len, count, to| (to as f64 + 0.5) * len as f64 / count as f64 - 0.5,
    outside: true,
    antialias: false,
};
const SPREAD: upsample::ResizeSizes = upsample::ResizeSizes { input: [3, 7], antialias: true, ..LINEAR };
const SPREAD_CUBIC: upsample::ResizeSizes = upsample::ResizeSizes {
    input: [7, 8],
    output: [2, 3],
    cubic: Some(-0.5),
    outside: false,
    antialias: true,
    ..LINEAR
};
const CORNERS: upsample::ResizeSizes = upsample::ResizeSizes {
    place: |len, count, to| to as f64 * (len as f64 - 1.0) / (count as f64 - 1.0),
    ..LINEAR
};
const CUBIC: upsample::ResizeSizes = upsample::ResizeSizes {
    cubic: Some(-0.75),
    place: |len, count, to| to as f64 * len as f64 / count as f64,
    outside: false,
    ..LINEAR
};
const APART: pool2d::Pool2dSizes =
    pool2d::Pool2dSizes { dilation: [2, 3], padding: [1, 1, 1, 0], ceil: true, ..CEIL };
const HALVES: pool2d::Pool2dSizes = pool2d::Pool2dSizes {
    planes: 6,
    input: [4, 6],
    kernel: [2, 2],
    stride: [2, 2],
    dilation: [1, 1],
    padding: [0; 4],
    ceil: false,
};
const TRANSPOSE: upsample::TransposeSizes = upsample::TransposeSizes {
    samples: 2,
    channels: 4,
    input: [3, 4],
    out: 6,
    kernel: [3, 4],
    padding: [1, 0, 2, 1],
    growth: [1, 2],
    stride: [2, 3],
    groups: 2,
};
const SEQUENCE: conv2d::Conv2dSizes = conv2d::Conv2dSizes {
    samples: 2,
    channels: 4,
    input: [1, 9],
    filters: 4,
    kernel: [1, 3],
    padding: [0, 2, 0, 2],
    stride: [1, 2],
    dilation: [1, 2],
    groups: 2,
};
const C3: conv2d::Conv2dSizes = conv2d::Conv2dSizes {
    samples: 2,
    channels: 6,
    input: [3, 3],
    filters: 16,
    kernel: [2, 2],
    padding: [0; 4],
    stride: [1, 1],
    dilation: [1, 1],
    groups: 1,
};

/// Table I of LeCun et al. (1998), column after column: the maps that each of the sixteen sees.
const C3_TABLE: [&str; 16] = [
    "012", "123", "234", "345", "045", "015", "0123", "1234", "2345", "0345", "0145", "0125", "0134", "1245",
    "0235", "012345",
];

/// Where the kernels of [`C3_TABLE`] lie among 16 times 6.
fn c3_places() -> Vec<usize> {
    let columns = C3_TABLE.iter().enumerate();
    columns.flat_map(|(map, seen)| seen.bytes().map(move |b| map * 6 + usize::from(b - b'0'))).collect()
}

fn c3_dense(kernels: &[f64]) -> Vec<f64> {
    let mut dense = vec![0.0; 16 * 6 * 4];
    for (kernel, at) in kernels.chunks(4).zip(c3_places()) {
        dense[at * 4..][..4].copy_from_slice(kernel);
    }
    dense
}

/// The codes of the twin with a radial basis.
fn codes() -> Vec<f64> {
    let twin = TWINS.iter().find(|twin| kind_of(twin).name == "radial-basis").unwrap();
    let codes = wide(&build(twin).buffers()[0].value);
    assert!(codes.iter().all(|code| code.abs() == 1.0) && codes.contains(&1.0) && codes.contains(&-1.0));
    codes
}

/// An input for a twin.
fn input_of(twin: &Twin, len: usize) -> Vec<f64> {
    match twin.role {
        Role::Words => (0..len).map(|i| (i * i % 5) as f64).collect(),
        _ => values(len, 1),
    }
}

fn kind_of(twin: &Twin) -> &'static Kind {
    let table = lyncean::document::parse(twin.toml).unwrap();
    Kind::by_name(table.get("use").unwrap().as_str().unwrap()).unwrap()
}

/// How many times the layer takes the input.
fn inputs(twin: &Twin) -> usize {
    let table = lyncean::document::parse(twin.toml).unwrap();
    table.get("in").map_or(1, |list| list.as_array().unwrap().len())
}

fn build(twin: &Twin) -> Box<dyn layer::Layer> {
    let table = lyncean::document::parse(twin.toml).unwrap().without(&["use", "in"]);
    let spec = (kind_of(twin).parse)(table.to_json()).unwrap();
    spec.build("it", &vec![Shape::new(twin.input).unwrap(); inputs(twin)], Rng::new(4)).unwrap()
}

fn wide(tensor: &Tensor) -> Vec<f64> {
    tensor.data().iter().map(|&value| f64::from(value)).collect()
}

fn narrow(shape: Shape, values: &[f64]) -> Tensor {
    Tensor::from_vec(shape, values.iter().map(|&value| value as f32).collect()).unwrap()
}

/// Equal up to rounding, relative to the largest value.
fn check_close(what: &str, got: &[f64], wanted: &[f64]) {
    assert_eq!(got.len(), wanted.len(), "{what}");
    let largest = wanted.iter().fold(1.0f64, |largest, value| largest.max(value.abs()));
    for (i, (got, wanted)) in got.iter().zip(wanted).enumerate() {
        assert!((got - wanted).abs() < 2e-6 * largest, "{what} {i}: {got}, wanted {wanted}");
    }
}

#[test]
fn every_kind_of_layer_has_a_twin() {
    for kind in layer::ALL {
        assert!(TWINS.iter().any(|twin| kind_of(twin).name == kind.name), "no twin of {}", kind.name);
    }
}

#[test]
fn the_twins_have_the_slopes_of_finite_differences() {
    for twin in TWINS {
        let params: Vec<Vec<f64>> = build(twin).params().iter().map(|param| wide(&param.value)).collect();
        let x = input_of(twin, 2 * twin.input.iter().product::<usize>());
        let dy = values((twin.forward)(&x, &params).len(), 2);
        let (dx, dp) = (twin.backward)(&x, &params, &dy);
        if twin.role != Role::Words {
            check_slopes(twin.toml, |x| dot(&(twin.forward)(x, &params), &dy), &x, &dx);
        }
        assert_eq!(dp.len(), params.len());
        for (which, gradient) in dp.iter().enumerate() {
            let loss = |values: &[f64]| {
                let mut params = params.clone();
                params[which] = values.to_vec();
                dot(&(twin.forward)(&x, &params), &dy)
            };
            check_slopes(twin.toml, loss, &params[which], gradient);
        }
    }
}

#[test]
fn the_layers_equal_their_twins() {
    for twin in TWINS {
        let layer = build(twin);
        let params: Vec<Vec<f64>> = layer.params().iter().map(|param| wide(&param.value)).collect();
        let shape = Shape::new(twin.input).unwrap().batched(2).unwrap();
        let x = narrow(shape, &input_of(twin, shape.count()));
        let (y, saved) = layer.forward(&vec![&x; inputs(twin)], &Mode::training(Rng::new(0))).unwrap();
        check_close(twin.toml, &wide(&y), &(twin.forward)(&wide(&x), &params));
        let (plain, _) = layer.forward(&vec![&x; inputs(twin)], &Mode::inference()).unwrap();
        assert_eq!(plain == y, twin.role != Role::Batch, "{}", twin.toml);

        let dy = narrow(y.shape(), &values(y.shape().count(), 2));
        let mut grads = Grads::default();
        let mut parts = layer.backward(&saved, &dy, &mut grads, true).unwrap();
        let mut dx = parts.remove(0);
        for part in &parts {
            dx.add(part).unwrap();
        }
        let (wanted_dx, wanted) = (twin.backward)(&wide(&x), &params, &wide(&dy));
        check_close(twin.toml, &wide(&dx), &wanted_dx);
        for (param, wanted) in layer.params().iter().zip(&wanted) {
            check_close(&param.name, &wide(grads.get(&param.name).unwrap()), wanted);
        }
        let mut alone = Grads::default();
        assert!(layer.backward(&saved, &dy, &mut alone, false).unwrap().is_empty());
        assert_eq!(alone, grads);
        let wrong = narrow(Shape::new(&[1, 1]).unwrap(), &[0.0]);
        let refused = layer.backward(&saved, &wrong, &mut Grads::default(), true).unwrap_err();
        assert_eq!(refused.kind(), lyncean::ErrorKind::Shape, "{}", twin.toml);
    }
}

/// A function of two values, and its derivatives.
type Pair = (fn(f64, f64) -> f64, fn(f64, f64) -> [f64; 2]);

#[test]
fn inputs_of_unlike_shapes_spread_and_have_the_slopes_of_finite_differences() {
    let pairs: [(&str, Pair); 4] = [
        ("add", (|a, b| a + b, |_, _| [1.0, 1.0])),
        ("sub", (|a, b| a - b, |_, _| [1.0, -1.0])),
        ("mul", (|a, b| a * b, |a, b| [b, a])),
        ("div", (|a, b| a / b, |a, b| [1.0 / b, -a / (b * b)])),
    ];
    let sizes = arrange::PairSizes { first: &[3, 1, 2], second: &[1, 4, 2], output: &[3, 4, 2] };
    for (name, (f, slopes)) in pairs {
        // Nothing near 0, that a quotient be tame.
        let a = values(2 * 6, 1);
        let b: Vec<f64> = values(2 * 8, 2).iter().map(|b| b + b.signum()).collect();
        let dy = values(2 * 24, 3);
        let [da, db] = arrange::pairwise_grad(&sizes, slopes, &a, &b, &dy);
        check_slopes(name, |a| dot(&arrange::pairwise(&sizes, f, a, &b), &dy), &a, &da);
        check_slopes(name, |b| dot(&arrange::pairwise(&sizes, f, &a, b), &dy), &b, &db);

        let spec = (Kind::by_name(name).unwrap().parse)(serde_json::json!({})).unwrap();
        let shapes = [sizes.first, sizes.second].map(|shape| Shape::new(shape).unwrap());
        let layer = spec.build("it", &shapes, Rng::new(0)).unwrap();
        let (a, b) = (narrow(shapes[0].batched(2).unwrap(), &a), narrow(shapes[1].batched(2).unwrap(), &b));
        let (y, saved) = layer.forward(&[&a, &b], &Mode::training(Rng::new(0))).unwrap();
        assert_eq!(&*y.shape(), [2, 3, 4, 2]);
        check_close(name, &wide(&y), &arrange::pairwise(&sizes, f, &wide(&a), &wide(&b)));
        let dx = layer.backward(&saved, &narrow(y.shape(), &dy), &mut Grads::default(), true).unwrap();
        check_close(name, &wide(&dx[0]), &da);
        check_close(name, &wide(&dx[1]), &db);
        let fewer = narrow(shapes[1].batched(1).unwrap(), &[1.0; 8]);
        assert!(layer.forward(&[&a, &fewer], &Mode::inference()).is_err());
    }
}

#[test]
fn cross_entropy_equals_its_twin_and_that_finite_differences() {
    let (scores, labels) = (values(15, 3), [2, 0, 4]);
    let gradient = cross_entropy::softmax_cross_entropy_grad(5, &scores, &labels);
    check_slopes("loss", |s| cross_entropy::softmax_cross_entropy(5, s, &labels), &scores, &gradient);
    let tensor = narrow(Shape::new(&[3, 5]).unwrap(), &scores);
    let result = softmax_cross_entropy(&tensor, &labels).unwrap();
    check_close("loss", &[result.loss], &[cross_entropy::softmax_cross_entropy(5, &scores, &labels)]);
    check_close("gradient", &wide(&result.gradient), &gradient);
}

#[test]
fn cross_entropy_of_pixels_equals_its_twin_and_that_finite_differences() {
    let sizes = [3, 4];
    let scores = values(24, 7);
    let labels = [Some(2), None, Some(0), Some(1), Some(1), Some(1), None, Some(2)];
    for weights in [[1.0; 3], [0.5, 2.0, 3.0]] {
        let loss = |s: &[f64]| cross_entropy::pixel_cross_entropy(sizes, s, &labels, &weights);
        let gradient = cross_entropy::pixel_cross_entropy_grad(sizes, &scores, &labels, &weights);
        check_slopes("loss", loss, &scores, &gradient);
        let tensor = narrow(Shape::new(&[2, 3, 2, 2]).unwrap(), &scores);
        let weights = weights.map(|weight| weight as f32).to_vec();
        let options = CrossEntropyOptions { smoothing: 0.0, weights };
        let known = labels.map(|label| label.unwrap_or(IGNORED));
        let result = pixel_cross_entropy(&tensor, &known, &options).unwrap();
        check_close("loss", &[result.loss], &[loss(&scores)]);
        check_close("gradient", &wide(&result.gradient), &gradient);
    }
}

/// Paths that part and meet again: the gradients of a layer with two readers are added.
#[test]
fn a_net_has_the_slopes_of_finite_differences() {
    let text = "version = 1\nname = \"t\"\ninput = [4]\n[[layer]]\nuse = \"linear\"\nname = \"a\"\nout = 3\n\
                [[layer]]\nuse = \"tanh\"\n[[layer]]\nuse = \"linear\"\nname = \"b\"\nout = 3\n\
                [[layer]]\nuse = \"add\"\nin = [\"b\", \"a\", \"tanh\"]\n";
    let net = || Net::build(arch::parse(&Source::new("t", text)).unwrap(), 5).unwrap();
    let x = narrow(Shape::new(&[2, 4]).unwrap(), &values(8, 1));
    let loss = |net: &Net| softmax_cross_entropy(&net.forward(&x).unwrap(), &[1, 2]).unwrap().loss;
    let (scores, tape) = net().record(&x, &Mode::training(Rng::new(0))).unwrap();
    let grads = net().backward(&tape, softmax_cross_entropy(&scores, &[1, 2]).unwrap().gradient).unwrap();
    for (which, param) in net().params().enumerate() {
        for i in 0..param.value.shape().count() {
            let moved = |by: f32| {
                let mut other = net();
                other.params_mut().nth(which).unwrap().value.data_mut()[i] += by;
                loss(&other)
            };
            let slope = (moved(1e-2) - moved(-1e-2)) / 2e-2;
            let got = f64::from(grads.get(&param.name).unwrap().data()[i]);
            assert!((slope - got).abs() < 1e-4, "{} {i}: {slope} by differences, got {got}", param.name);
        }
    }
}

/// The loss of a head, times its weight, reaches what lies below.
#[test]
fn heads_have_the_slopes_of_finite_differences() {
    let text = "version = 1\nname = \"t\"\ninput = [4]\n[[head]]\nlayer = \"early\"\nweight = 0.3\n\
                [[layer]]\nuse = \"linear\"\nname = \"a\"\nout = 3\n[[layer]]\nuse = \"linear\"\nname = \"early\"\nout = 3\n\
                [[layer]]\nuse = \"linear\"\nname = \"late\"\nin = \"a\"\nout = 3\n";
    let net = || Net::build(arch::parse(&Source::new("t", text)).unwrap(), 5).unwrap();
    let x = narrow(Shape::new(&[2, 4]).unwrap(), &values(8, 1));
    let mode = Mode::training(Rng::new(0));
    let measure = |y: &Tensor| softmax_cross_entropy(y, &[1, 2]).unwrap();
    let loss = |net: &Net| {
        let (y, tape) = net.record(&x, &mode).unwrap();
        measure(&y).loss + 0.3 * measure(&tape.heads()[0]).loss
    };
    let (y, tape) = net().record(&x, &mode).unwrap();
    let heads = vec![measure(&tape.heads()[0]).gradient];
    let grads = net().backward_heads(&tape, measure(&y).gradient, heads).unwrap();
    for (which, param) in net().params().enumerate() {
        for i in 0..param.value.shape().count() {
            let moved = |by: f32| {
                let mut other = net();
                other.params_mut().nth(which).unwrap().value.data_mut()[i] += by;
                loss(&other)
            };
            let slope = (moved(1e-2) - moved(-1e-2)) / 2e-2;
            let got = f64::from(grads.get(&param.name).unwrap().data()[i]);
            assert!((slope - got).abs() < 1e-4, "{} {i}: {slope} by differences, got {got}", param.name);
        }
    }
}
