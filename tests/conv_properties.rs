//! Convolution and its gradients: what must hold for every geometry.
//!
//! Data are small integers, so every sum is exact and every comparison is for equality.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use lyncean::kernel::Isa;
use lyncean::nn::conv2d::{conv2d, conv2d_bias_grad, conv2d_input_grad, conv2d_weight_grad};
use lyncean::nn::{Rng, Shape, Tensor, Window};
use lyncean::reference::conv2d as reference;
use lyncean::reference::conv2d::Conv2dSizes;
use proptest::prelude::*;

/// A convolution with data.
#[derive(Clone)]
struct ConvProblem {
    sizes: Conv2dSizes,
    seed: u64,
}

/// Its constructor, on one line wherever it is printed.
impl std::fmt::Debug for ConvProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { sizes, seed } = self;
        write!(f, "ConvProblem {{ sizes: {sizes:?}, seed: {seed} }}")
    }
}

impl Arbitrary for ConvProblem {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    /// Any geometry, including filters larger than the image.
    fn arbitrary_with((): ()) -> Self::Strategy {
        let size = prop_oneof![4 => 0..=9usize, 1 => prop::sample::select(vec![1, 13, 17, 23, 31])];
        // Those of few channels, and those with vectors of channels and filters.
        let many = || prop::sample::select(vec![1usize, 3, 12, 17, 35]);
        let channels = prop_oneof![
            3 => (1..=3usize, 1..=3usize, 1..=3usize),
            2 => (Just(1usize), many(), many()),
        ];
        let pair = |most: usize| [1..=most, 1..=most];
        (
            0..=3usize,
            channels,
            [size.clone(), size],
            pair(5),
            [0..=3usize, 0..=3, 0..=3, 0..=3],
            pair(3),
            pair(3),
            any::<u16>(),
        )
            .prop_map(
                |(samples, (groups, channels, filters), input, kernel, padding, stride, dilation, seed)| {
                    Self {
                        sizes: Conv2dSizes {
                            samples,
                            channels: groups * channels,
                            input,
                            filters: groups * filters,
                            kernel,
                            padding,
                            stride,
                            dilation,
                            groups,
                        },
                        seed: u64::from(seed),
                    }
                },
            )
            .boxed()
    }
}

/// A strategy for convolutions that have an output.
fn problems() -> impl Strategy<Value = ConvProblem> {
    any::<ConvProblem>().prop_map(|mut problem| {
        let sizes = &mut problem.sizes;
        for axis in [0, 1] {
            let padded = sizes.input[axis] + sizes.padding[axis] + sizes.padding[axis + 2];
            let reach = sizes.dilation[axis] * (sizes.kernel[axis] - 1) + 1;
            sizes.input[axis] += reach.saturating_sub(padded);
        }
        problem
    })
}

impl ConvProblem {
    /// Whole numbers from -5 to 5.
    fn integers(&self, name: &str, shape: &[usize]) -> Tensor {
        let rng = Rng::new(self.seed).stream(name);
        Tensor::from_fn(Shape::new(shape).unwrap(), |i| rng.below(i as u64, 11) as f32 - 5.0)
    }

    fn x(&self, name: &str) -> Tensor {
        self.integers(name, &self.sizes.input_shape())
    }

    fn weight(&self, name: &str) -> Tensor {
        self.integers(name, &self.sizes.weight_shape())
    }

    fn bias(&self) -> Tensor {
        self.integers("bias", &[self.sizes.filters])
    }

    fn dy(&self) -> Tensor {
        self.integers("dy", &self.sizes.output_shape())
    }

    fn window(&self) -> Window {
        let Conv2dSizes { kernel, stride, padding, dilation, .. } = self.sizes;
        Window { kernel, stride, padding, dilation }
    }

    fn forward(&self, isa: Isa, x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Tensor {
        conv2d(isa, x, weight, bias, &self.window(), self.sizes.groups).unwrap()
    }

    fn input_grad(&self, isa: Isa, dy: &Tensor, weight: &Tensor) -> Tensor {
        let shape = Shape::new(&self.sizes.input_shape()).unwrap();
        conv2d_input_grad(isa, dy, weight, shape, &self.window(), self.sizes.groups).unwrap()
    }

    fn weight_grad(&self, isa: Isa, x: &Tensor, dy: &Tensor) -> Tensor {
        let shape = Shape::new(&self.sizes.weight_shape()).unwrap();
        conv2d_weight_grad(isa, x, dy, shape, &self.window(), self.sizes.groups).unwrap()
    }
}

fn wide(tensor: &Tensor) -> Vec<f64> {
    tensor.data().iter().map(|&value| f64::from(value)).collect()
}

fn dot(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.shape(), b.shape());
    wide(a).iter().zip(wide(b)).map(|(a, b)| a * b).sum()
}

/// `a * x + b * z`.
fn combined(a: f32, x: &Tensor, b: f32, z: &Tensor) -> Tensor {
    Tensor::from_fn(x.shape(), |i| a * x.data()[i] + b * z.data()[i])
}

/// A tensor with other elements at given places: `at(index)` of the output's four axes.
fn image(shape: [usize; 4], mut at: impl FnMut([usize; 4]) -> f32) -> Tensor {
    let [_, c, h, w] = shape;
    Tensor::from_fn(Shape::new(&shape).unwrap(), |i| at([i / (c * h * w), i / (h * w) % c, i / w % h, i % w]))
}

fn get(tensor: &Tensor, at: [usize; 4]) -> f32 {
    let shape = tensor.shape();
    tensor.data()[((at[0] * shape[1] + at[1]) * shape[2] + at[2]) * shape[3] + at[3]]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(160))]

    #[test]
    fn equal_to_the_loop_nest_on_every_instruction_set(problem in problems()) {
        let (x, w, b, dy) = (problem.x("x"), problem.weight("w"), problem.bias(), problem.dy());
        let sizes = &problem.sizes;
        let y = reference::conv2d(sizes, &wide(&x), &wide(&w), &wide(&b));
        let dx = reference::conv2d_input_grad(sizes, &wide(&dy), &wide(&w));
        let dw = reference::conv2d_weight_grad(sizes, &wide(&x), &wide(&dy));
        let db = reference::conv2d_bias_grad(sizes, &wide(&dy));
        for isa in Isa::available() {
            prop_assert_eq!(wide(&problem.forward(isa, &x, &w, Some(&b))), y.as_slice(), "{:?}: y", isa);
            prop_assert_eq!(wide(&problem.input_grad(isa, &dy, &w)), dx.as_slice(), "{:?}: dx", isa);
            prop_assert_eq!(wide(&problem.weight_grad(isa, &x, &dy)), dw.as_slice(), "{:?}: dw", isa);
        }
        prop_assert_eq!(wide(&conv2d_bias_grad(&dy).unwrap()), db);
    }

    #[test]
    fn a_filter_larger_than_the_padded_image_is_an_error(problem in any::<ConvProblem>()) {
        let result = conv2d(Isa::best(), &problem.x("x"), &problem.weight("w"), None, &problem.window(), problem.sizes.groups);
        if let Some(output) = problem.sizes.output() {
            prop_assert_eq!(&result.unwrap().shape()[2..], output);
        } else {
            prop_assert_eq!(result.unwrap_err().kind(), lyncean::ErrorKind::Shape);
        }
    }

    #[test]
    fn linear_in_the_image_and_in_the_filters(problem in problems()) {
        let isa = Isa::best();
        let (x, z, w, v) = (problem.x("x"), problem.x("z"), problem.weight("w"), problem.weight("v"));
        let forward = |x: &Tensor, w: &Tensor| problem.forward(isa, x, w, None);
        let (xw, zw, xv) = (forward(&x, &w), forward(&z, &w), forward(&x, &v));
        prop_assert_eq!(forward(&combined(2.0, &x, -3.0, &z), &w), combined(2.0, &xw, -3.0, &zw));
        prop_assert_eq!(forward(&x, &combined(2.0, &w, -3.0, &v)), combined(2.0, &xw, -3.0, &xv));
    }

    #[test]
    fn the_gradients_are_the_adjoints(problem in problems()) {
        let isa = Isa::best();
        let (x, w, g) = (problem.x("x"), problem.weight("w"), problem.dy());
        let met = dot(&problem.forward(isa, &x, &w, None), &g);
        prop_assert_eq!(met, dot(&x, &problem.input_grad(isa, &g, &w)));
        prop_assert_eq!(met, dot(&w, &problem.weight_grad(isa, &x, &g)));
    }

    #[test]
    fn a_moved_image_gives_a_moved_output(problem in problems(), down in 0..3usize, right in 0..3usize) {
        let isa = Isa::best();
        let (x, w) = (problem.x("x"), problem.weight("w"));
        let Conv2dSizes { input: [height, width], stride, kernel, dilation, .. } = problem.sizes;
        // Zeros around the image so wide that no window sees both it and the border, moved or not.
        let margin = [0, 1].map(|axis| (kernel[axis] - 1) * dilation[axis] + 3 * stride[axis]);
        let canvas = |moved: [usize; 2]| {
            let corner = [0, 1].map(|axis| margin[axis] + moved[axis] * stride[axis]);
            let shape = [problem.sizes.samples, problem.sizes.channels, height + 2 * margin[0], width + 2 * margin[1]];
            image(shape, |[n, c, y, x_at]| {
                let inside = y >= corner[0] && y < corner[0] + height && x_at >= corner[1] && x_at < corner[1] + width;
                if inside { get(&x, [n, c, y - corner[0], x_at - corner[1]]) } else { 0.0 }
            })
        };
        let still = problem.forward(isa, &canvas([0, 0]), &w, None);
        let moved = problem.forward(isa, &canvas([down, right]), &w, None);
        let shape = <[usize; 4]>::try_from(&*still.shape()).unwrap();
        for y in down..shape[2] {
            for x in right..shape[3] {
                for n in 0..shape[0] {
                    for c in 0..shape[1] {
                        prop_assert_eq!(get(&moved, [n, c, y, x]), get(&still, [n, c, y - down, x - right]));
                    }
                }
            }
        }
    }

    #[test]
    fn a_product_of_a_column_and_a_row_is_two_convolutions(
        seed in any::<u16>(), kernel in [1..=5usize, 1..=5usize], extra in [0..9usize, 0..9usize],
    ) {
        let isa = Isa::best();
        let input = [kernel[0] + extra[0], kernel[1] + extra[1]];
        let sizes = Conv2dSizes {
            samples: 2, channels: 1, input, filters: 1, kernel, padding: [0; 4], stride: [1; 2], dilation: [1; 2], groups: 1,
        };
        let problem = ConvProblem { sizes, seed: u64::from(seed) };
        let (column, row) = (problem.integers("column", &[1, 1, kernel[0], 1]), problem.integers("row", &[1, 1, 1, kernel[1]]));
        let outer = image([1, 1, kernel[0], kernel[1]], |[_, _, y, x]| column.data()[y] * row.data()[x]);
        let along = |x: &Tensor, w: &Tensor, kernel| conv2d(isa, x, w, None, &Window { kernel, ..Window::square(1, 0, 1) }, 1).unwrap();
        let x = problem.x("x");
        let twice = along(&along(&x, &column, [kernel[0], 1]), &row, [1, kernel[1]]);
        prop_assert_eq!(twice, problem.forward(isa, &x, &outer, None));
    }

    #[test]
    fn threads_change_no_bit(problem in problems(), samples in 0..20usize) {
        let mut problem = problem;
        problem.sizes.samples = samples;
        let rng = Rng::new(problem.seed);
        let real = |name: &str, shape: &[usize]| {
            Tensor::from_fn(Shape::new(shape).unwrap(), |i| rng.stream(name).normal(i as u64))
        };
        let x = real("x", &problem.sizes.input_shape());
        let w = real("w", &problem.sizes.weight_shape());
        let dy = real("dy", &problem.sizes.output_shape());
        let all = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let isa = Isa::best();
                let results = [
                    problem.forward(isa, &x, &w, None), problem.input_grad(isa, &dy, &w),
                    problem.weight_grad(isa, &x, &dy), conv2d_bias_grad(&dy).unwrap(),
                ];
                results.map(|tensor| tensor.data().iter().map(|value| value.to_bits()).collect::<Vec<_>>())
            })
        };
        let one = all(1);
        prop_assert_eq!(&one, &all(2));
        prop_assert_eq!(&one, &all(3));
    }
}

#[test]
fn the_example_of_the_lecture() {
    let square = |side: usize, values: &[f32]| {
        Tensor::from_vec(Shape::new(&[1, 1, side, side]).unwrap(), values.to_vec()).unwrap()
    };
    #[rustfmt::skip]
    let x = square(5, &[
        0.0, 1.0, 2.0, 1.0, 0.0,
        4.0, 1.0, 0.0, 1.0, 0.0,
        2.0, 0.0, 1.0, 1.0, 1.0,
        1.0, 2.0, 3.0, 1.0, 0.0,
        0.0, 4.0, 3.0, 2.0, 0.0,
    ]);
    let w = square(3, &[0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 2.0, 1.0, 0.0]);
    let deltas = square(3, &[1.0; 9]);
    let window = Window::square(3, 0, 1);
    for isa in Isa::available() {
        let y = conv2d(isa, &x, &w, None, &window, 1).unwrap();
        assert_eq!(y.data(), [9.0, 5.0, 4.0, 8.0, 8.0, 10.0, 8.0, 15.0, 12.0]);
        let dw = conv2d_weight_grad(isa, &x, &deltas, w.shape(), &window, 1).unwrap();
        assert_eq!(dw.data(), [11.0, 8.0, 7.0, 14.0, 10.0, 8.0, 16.0, 17.0, 12.0]);
    }
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let tensor = |shape: &[usize]| Tensor::zeros(Shape::new(shape).unwrap());
    let (isa, window) = (Isa::best(), Window::square(3, 1, 1));
    let x = tensor(&[2, 4, 5, 5]);
    let refused = |w: &[usize], bias: Option<&[usize]>, groups: usize| {
        conv2d(isa, &x, &tensor(w), bias.map(tensor).as_ref(), &window, groups).unwrap_err().to_string()
    };
    assert_eq!(refused(&[6, 3, 3, 3], None, 1), "expected a weight of [6, 4, 3, 3], got [6, 3, 3, 3]");
    assert_eq!(refused(&[6, 4, 3, 3], Some(&[5]), 1), "expected bias of [6], got [5]");
    assert!(refused(&[6, 2, 3, 3], None, 3).contains("`groups = 3` divides, got 4 and 6"));
    assert!(refused(&[6, 4, 3, 3], None, 0).contains("`groups = 0`"));
    assert_eq!(refused(&[6, 4, 3], None, 1), "expected weight with four axes, got [6, 4, 3]");
    let dy = tensor(&[2, 6, 5, 4]);
    let weight = Shape::new(&[6, 4, 3, 3]).unwrap();
    let error = conv2d_weight_grad(isa, &x, &dy, weight, &window, 1).unwrap_err();
    assert_eq!(error.to_string(), "expected output gradient of [2, 6, 5, 5], got [2, 6, 5, 4]");
    assert!(conv2d_input_grad(isa, &dy, &tensor(&[6, 4, 3, 3]), x.shape(), &window, 1).is_err());
}
