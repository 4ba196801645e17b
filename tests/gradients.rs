//! The gradient of every layer: finite differences pin the references, the references pin the layers,
//! PyTorch pins a whole training step.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use lyncean::document::Source;
use lyncean::nn::layer::{self, Kind, Mode};
use lyncean::nn::loss::softmax_cross_entropy;
use lyncean::nn::{Grads, Net, Rng, Shape, Tensor, arch};
use lyncean::reference::{activation, conv2d, cross_entropy, linear, pool2d};

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

/// A layer's reference: the output for an input and parameters, and from an output gradient those of
/// the input and of each parameter.
struct Twin {
    /// The layer's lines in an architecture.
    toml: &'static str,
    input: &'static [usize],
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
const POOL: pool2d::Pool2dSizes =
    pool2d::Pool2dSizes { planes: 6, input: [5, 7], kernel: [3, 2], stride: [2, 2], padding: [1, 0, 1, 1] };

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
        forward: |x, p| conv2d::conv2d(&CONV, x, &p[0], &p[1]),
        backward: |x, p, dy| {
            let (dw, db) = (conv2d::conv2d_weight_grad(&CONV, x, dy), conv2d::conv2d_bias_grad(&CONV, dy));
            (conv2d::conv2d_input_grad(&CONV, dy, &p[0]), vec![dw, db])
        },
    },
    Twin {
        toml: "use = \"linear\"\nout = 5",
        input: &[7],
        forward: |x, p| linear::linear([2, 5, 7], x, &p[0], &p[1]),
        backward: |x, p, dy| {
            let [dx, dw, db] = linear::linear_grad([2, 5, 7], x, &p[0], dy);
            (dx, vec![dw, db])
        },
    },
    Twin {
        toml: "use = \"max-pool\"\nkernel = [3, 2]\nstride = 2\npadding = [1, 0, 1, 1]",
        input: &[3, 5, 7],
        forward: |x, _| pool2d::max_pool(&POOL, x),
        backward: |x, _, dy| (pool2d::max_pool_grad(&POOL, x, dy), Vec::new()),
    },
    Twin {
        toml: "use = \"avg-pool\"\nkernel = [3, 2]\nstride = 2\npadding = [1, 0, 1, 1]",
        input: &[3, 5, 7],
        forward: |x, _| pool2d::avg_pool(&POOL, x, true),
        backward: |_, _, dy| (pool2d::avg_pool_grad(&POOL, dy, true), Vec::new()),
    },
    Twin {
        toml: "use = \"avg-pool\"\nkernel = [3, 2]\nstride = 2\npadding = [1, 0, 1, 1]\ncount-padding = false",
        input: &[3, 5, 7],
        forward: |x, _| pool2d::avg_pool(&POOL, x, false),
        backward: |_, _, dy| (pool2d::avg_pool_grad(&POOL, dy, false), Vec::new()),
    },
    Twin {
        toml: "use = \"add\"\nin = [\"input\", \"input\"]",
        input: &[11],
        forward: |x, _| each(x, |x| 2.0 * x),
        backward: |x, _, dy| sloped(x, dy, |_| 2.0),
    },
    Twin {
        toml: "use = \"relu\"",
        input: &[11],
        forward: |x, _| each(x, activation::relu),
        backward: |x, _, dy| sloped(x, dy, activation::relu_slope),
    },
    Twin {
        toml: "use = \"tanh\"",
        input: &[11],
        forward: |x, _| each(x, activation::tanh),
        backward: |x, _, dy| sloped(x, dy, activation::tanh_slope),
    },
    Twin {
        toml: "use = \"sigmoid\"",
        input: &[11],
        forward: |x, _| each(x, activation::sigmoid),
        backward: |x, _, dy| sloped(x, dy, activation::sigmoid_slope),
    },
    Twin {
        toml: "use = \"flatten\"",
        input: &[2, 3, 2],
        forward: |x, _| x.to_vec(),
        backward: |_, _, dy| (dy.to_vec(), Vec::new()),
    },
    // Which values are dropped is the business of the layer's own test.
    Twin {
        toml: "use = \"dropout\"\np = 0.0",
        input: &[11],
        forward: |x, _| x.to_vec(),
        backward: |_, _, dy| (dy.to_vec(), Vec::new()),
    },
];

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
        let x = values(2 * twin.input.iter().product::<usize>(), 1);
        let dy = values((twin.forward)(&x, &params).len(), 2);
        let (dx, dp) = (twin.backward)(&x, &params, &dy);
        check_slopes(twin.toml, |x| dot(&(twin.forward)(x, &params), &dy), &x, &dx);
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
        let x = narrow(shape, &values(shape.count(), 1));
        let (y, saved) = layer.forward(&vec![&x; inputs(twin)], &Mode::training(Rng::new(0))).unwrap();
        check_close(twin.toml, &wide(&y), &(twin.forward)(&wide(&x), &params));
        let (plain, _) = layer.forward(&vec![&x; inputs(twin)], &Mode::inference()).unwrap();
        assert_eq!(plain, y, "{}", twin.toml);

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
