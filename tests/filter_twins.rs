//! Operations over windows, tables and resized grids, on every instruction set, against their
//! definitions.

use lyncean::image::{Image, ImageType, Pixel, Plane, Rect};
use lyncean::kernel::Isa;
use lyncean::ops::convert::Depth;
use lyncean::ops::convolve::output_length;
use lyncean::ops::row::{Shape, apply};
use lyncean::ops::{
    self, Canny, Context, Convert, Convolve, ConvolveOutput, ElementShape, Histogram, Interpolation,
    Morphology, MorphologyOp, Resize,
};
use lyncean::reference;
use lyncean::reference::conv::Problem;
use proptest::prelude::*;

use crate::support::strategies::{border, isa, noise, plane};

fn context(isa: Isa) -> Context {
    Context::default().with_isa(isa)
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn channel_of<T: Pixel>(image: &Image) -> Vec<T> {
    bytemuck::cast_slice(image.plane_bytes(0)).to_vec()
}

/// Kernels of small integers, halves, products, zeros, or noise.
fn problems() -> impl Strategy<Value = Problem> {
    let size = prop_oneof![4 => (1usize..=5, 1usize..=5), 1 => (1usize..=17, 1usize..=17)];
    (
        size,
        (0u8..4, any::<u64>()),
        (any::<u16>(), any::<u16>()),
        (1usize..=3, 1usize..=3),
        any::<bool>(),
        border(),
    )
        .prop_map(|((width, height), (form, seed), (ax, ay), stride, flip, border)| {
            let whole = |x: usize, y: usize| (noise(seed, x, y, 0) % 7) as f32 - 3.0;
            let weight = |i: usize| {
                let (x, y) = (i % width, i / width);
                match form {
                    0 => whole(x, y),
                    1 => whole(x, 0) * whole(0, y + 1),
                    2 => whole(x, y) / 4.0,
                    // No power of two makes thirds whole, unless all of them are.
                    _ => whole(x, y) / 3.0,
                }
            };
            Problem {
                weights: (0..width * height).map(weight).collect(),
                size: (width, height),
                anchor: (usize::from(ax) % width, usize::from(ay) % height),
                stride,
                flip,
                border,
            }
        })
}

fn parameters(problem: &Problem) -> Convolve {
    Convolve {
        anchor: Some(problem.anchor),
        stride: problem.stride,
        flip: problem.flip,
        border: problem.border,
        ..Convolve::new(problem.size.0, problem.size.1, problem.weights.clone())
    }
}

fn is_exact(problem: &Problem) -> bool {
    problem.weights.iter().all(|weight| (weight * 4.0).fract() == 0.0)
}

/// Integer images: exact sums where weights have few digits, else sums in order.
fn check_integers<T>(
    image: Image,
    planes: &[Plane<T>],
    problem: &Problem,
    constant: T,
    isa: Isa,
    (scale, bias): (f32, f32),
) where
    T: Pixel + Into<f64> + Into<f32> + Copy,
{
    let largest = if size_of::<T>() == 1 { 255 } else { 65535 };
    let (width, height) = problem.output_size(&planes[0]);
    assert_eq!(width, output_length(image.width(), problem.size.0, problem.stride.0, problem.border.mode));
    assert_eq!(height, output_length(image.height(), problem.size.1, problem.stride.1, problem.border.mode));
    for output in [ConvolveOutput::F32, ConvolveOutput::Same] {
        let params = Convolve { output, scale, bias, ..parameters(problem) };
        let got = ops::convolve(&image, &params, &context(isa)).unwrap();
        assert_eq!((got.width(), got.height()), (width, height));
        for (c, plane) in planes.iter().enumerate() {
            let sums: Vec<f32> = if is_exact(problem) {
                problem.exact(plane, constant).iter().map(|&sum| sum as f32).collect()
            } else {
                let mut problem = problem.clone();
                problem.border.value = constant.into();
                problem.in_order(&plane.map(Into::<f32>::into))
            };
            let channels = planes.len();
            if output == ConvolveOutput::F32 {
                let got: Vec<f32> = channel_of::<f32>(&got).into_iter().skip(c).step_by(channels).collect();
                let wanted: Vec<f32> = sums.iter().map(|sum| sum * scale + bias).collect();
                assert_eq!(bits(&got), bits(&wanted));
            } else {
                let got = channel_of::<T>(&got).into_iter().skip(c).step_by(channels);
                let got: Vec<i64> = got.map(|value| Into::<f64>::into(value) as i64).collect();
                let wanted: Vec<i64> =
                    sums.iter().map(|&sum| reference::pixel::convert(sum, scale, bias, largest)).collect();
                assert_eq!(got, wanted);
            }
        }
    }
}

fn floats_of(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |largest, value| largest.max(value.abs()))
}

/// The least and the most of what rounding may make of the real values.
fn assert_close(got: &[f64], wanted: &[f64], bound: f64) {
    assert_eq!(got.len(), wanted.len());
    for (i, (got, wanted)) in got.iter().zip(wanted).enumerate() {
        assert!((got - wanted).abs() <= bound, "{got} for {wanted} at {i}");
    }
}

proptest! {
    #[test]
    fn convolve_u8(image in plane::<u8>(), problem in problems(), isa in isa()) {
        let constant = problem.border.value as u8;
        check_integers(Image::Gray8(image.clone()), &[image], &problem, constant, isa, (1.0, 0.0));
    }

    #[test]
    fn convolve_scaled(image in plane::<u8>(), problem in problems(), isa in isa(), scale in -0.4f32..0.4, bias in -99i16..99) {
        let constant = problem.border.value as u8;
        let scaling = (scale, f32::from(bias) / 2.0);
        check_integers(Image::Gray8(image.clone()), &[image], &problem, constant, isa, scaling);
    }

    #[test]
    fn convolve_rgb8(image in plane::<[u8; 3]>(), problem in problems(), isa in isa()) {
        let planes = [0, 1, 2].map(|c| reference::channel(&image, c));
        let constant = problem.border.value as u8;
        check_integers(Image::Rgb8(image), &planes, &problem, constant, isa, (1.0, 0.0));
    }

    #[test]
    fn convolve_u16(image in plane::<u16>(), problem in problems(), isa in isa()) {
        // Where sums leave 32 bits they are floats; these kernels are small enough that none does.
        prop_assume!(problem.weights.iter().map(|weight| 4.0 * weight.abs()).sum::<f32>() < 32000.0);
        let constant = problem.border.value as u16;
        check_integers(Image::Gray16(image.clone()), &[image], &problem, constant, isa, (1.0, 0.0));
    }

    #[test]
    fn convolve_f32(image in plane::<f32>(), problem in problems(), isa in isa()) {
        let wanted: Vec<f32> = problem.in_order(&image).iter().map(|sum| sum * 1.0 + 0.0).collect();
        let got = ops::convolve(&Image::GrayF32(image), &parameters(&problem), &context(isa)).unwrap();
        prop_assert_eq!(bits(&channel_of::<f32>(&got)), bits(&wanted));
    }

    #[test]
    fn morphology(
        image in plane::<u8>(), deep in plane::<u16>(), float in plane::<f32>(),
        (width, height) in prop_oneof![(1usize..=7, 1usize..=7), (1usize..=33, 1usize..=9)],
        shape in prop::sample::select(vec![("rect", ElementShape::Rect), ("cross", ElementShape::Cross), ("ellipse", ElementShape::Ellipse)]),
        op in prop::sample::select(vec![MorphologyOp::Erode, MorphologyOp::Dilate, MorphologyOp::Open, MorphologyOp::Close]),
        iterations in 0usize..=3, isa in isa(),
    ) {
        let element = reference::morphology::element(shape.0, width, height);
        let steps: Vec<bool> = match op {
            MorphologyOp::Erode => vec![false],
            MorphologyOp::Dilate => vec![true],
            MorphologyOp::Open => vec![false, true],
            MorphologyOp::Close => vec![true, false],
        };
        let steps: Vec<bool> = steps.into_iter().flat_map(|step| vec![step; iterations]).collect();
        let params = Morphology { op, shape: shape.1, size: (width, height), iterations };
        let run = |image: &Image| ops::morphology(image, &params, &context(isa)).unwrap();
        let twin = |plane: &Plane<u8>| steps.iter().fold(plane.clone(), |plane, &greatest| {
            reference::morphology::extremum(&plane, &element, greatest, if greatest { 0 } else { 255 })
        });
        prop_assert_eq!(run(&Image::Gray8(image.clone())), Image::Gray8(twin(&image)));
        prop_assert_eq!(run(&Image::Mask(image.clone())), Image::Mask(twin(&image)));
        let wanted = steps.iter().fold(deep.clone(), |plane, &greatest| {
            reference::morphology::extremum(&plane, &element, greatest, if greatest { 0 } else { u16::MAX })
        });
        prop_assert_eq!(run(&Image::Gray16(deep)), Image::Gray16(wanted));
        let wanted = steps.iter().fold(float.clone(), |plane, &greatest| {
            let none = if greatest { f32::NEG_INFINITY } else { f32::INFINITY };
            reference::morphology::extremum(&plane, &element, greatest, none)
        });
        prop_assert_eq!(run(&Image::GrayF32(float)), Image::GrayF32(wanted));
    }

    #[test]
    fn canny_classes(
        image in plane::<u8>(), size in prop::sample::select(vec![3usize, 5]), l2 in any::<bool>(),
        low in 0.0f32..900.0, more in 0.0f32..900.0, isa in isa(),
    ) {
        let params = Canny { low, high: low + more, size, l2 };
        let level = |level: f32| if l2 { f64::from(level).powi(2).floor() } else { f64::from(level).floor() } as i64;
        let wanted = reference::canny::classes(&image, size, l2, level(low), level(low + more));
        let image = Image::Gray8(image);
        let got = ops::apply_chain(ops::canny::nodes(Shape::of(&image), &params).unwrap(), &image, &context(isa)).unwrap();
        prop_assert_eq!(got, Image::Gray8(wanted));
    }

    #[test]
    fn conversions(
        image in plane::<u8>(), deep in plane::<u16>(), float in plane::<f32>(),
        scale in prop_oneof![Just(None), (-3.0f32..300.0).prop_map(Some)], offset in prop_oneof![Just(0.0f32), -70.0f32..300.0],
        isa in isa(),
    ) {
        let inputs = [
            (Image::Gray8(image.clone()), image.as_slice().iter().map(|&v| f32::from(v)).collect::<Vec<_>>(), 255.0),
            (Image::Gray16(deep.clone()), deep.as_slice().iter().map(|&v| f32::from(v)).collect(), 65535.0),
            (Image::GrayF32(float.clone()), float.as_slice().to_vec(), 1.0f32),
        ];
        for (image, values, white) in inputs {
            for (to, largest) in [(Depth::U8, 255i64), (Depth::U16, 65535), (Depth::F32, 1)] {
                let factor = scale.unwrap_or(largest as f32 / white);
                let got = ops::convert(&image, &Convert { to, scale, offset }, &context(isa)).unwrap();
                match got {
                    Image::GrayF32(got) => {
                        let wanted: Vec<f32> = values.iter().map(|value| value * factor + offset).collect();
                        // Where nothing changes -0 stays, and +0 is added to nothing.
                        prop_assert_eq!(got.as_slice(), &wanted);
                    }
                    got => {
                        let got: Vec<i64> = if largest == 255 {
                            channel_of::<u8>(&got).into_iter().map(i64::from).collect()
                        } else {
                            channel_of::<u16>(&got).into_iter().map(i64::from).collect()
                        };
                        let twin = |&value: &f32| reference::pixel::convert(value, factor, offset, largest);
                        prop_assert_eq!(got, values.iter().map(twin).collect::<Vec<_>>());
                    }
                }
            }
        }
    }

    #[test]
    fn channel_and_crop_and_difference(image in plane::<[u8; 3]>(), corner in any::<(u16, u16, u16, u16)>(), isa in isa()) {
        let cx = context(isa);
        let rgb = Image::Rgb8(image.clone());
        let red = ops::channel(&rgb, 0, &cx).unwrap();
        let blue = ops::channel(&rgb, 2, &cx).unwrap();
        prop_assert_eq!(&red, &Image::Gray8(reference::channel(&image, 0)));
        let wanted = image.map(|[r, _, b]| r.abs_diff(b));
        prop_assert_eq!(ops::difference(&red, &blue, false, &cx).unwrap(), Image::Gray8(wanted));
        let wanted = image.map(|[r, _, b]| f32::from(r) - f32::from(b));
        prop_assert_eq!(ops::difference(&red, &blue, true, &cx).unwrap(), Image::GrayF32(wanted));
        let (x, y) = (usize::from(corner.0) % (image.width() + 1), usize::from(corner.1) % (image.height() + 1));
        let width = usize::from(corner.2) % (image.width() - x + 1);
        let rect = Rect::new(x, y, width, usize::from(corner.3) % (image.height() - y + 1));
        let wanted = image.view().crop(rect).unwrap().to_plane();
        prop_assert_eq!(ops::crop(&rgb, rect, &cx).unwrap(), Image::Rgb8(wanted));
    }

    #[test]
    fn histograms_and_otsu(image in plane::<u8>(), deep in plane::<u16>(), threads in 1usize..4, strip in 1usize..9) {
        let cx = Context::default().with_threads(threads).with_strip_rows(strip);
        let counts = reference::histogram::histogram(image.as_slice().iter().map(|&v| usize::from(v)), 256);
        let got = ops::histogram(&Image::Gray8(image), &cx).unwrap();
        prop_assert_eq!(&got, &Histogram { counts: counts.clone(), range: None });
        check_otsu(&counts, ops::otsu_level(&got));
        let counts = reference::histogram::histogram(deep.as_slice().iter().map(|&v| usize::from(v)), 65536);
        let got = ops::histogram(&Image::Gray16(deep), &cx).unwrap();
        prop_assert_eq!(&got.counts, &counts);
    }

    #[test]
    fn float_histograms_span_what_is_finite(mut image in plane::<f32>(), odd in 0usize..3, isa in isa()) {
        if let Some(pixel) = image.as_mut_slice().last_mut() {
            *pixel = [f32::NAN, f32::INFINITY, 0.25][odd];
        }
        let finite: Vec<f32> = image.as_slice().iter().copied().filter(|v| v.is_finite()).collect();
        let got = ops::histogram(&Image::GrayF32(image), &context(isa)).unwrap();
        prop_assert_eq!(got.total(), finite.len() as u64);
        let (low, high) = got.range.unwrap();
        if !finite.is_empty() {
            prop_assert_eq!(low, finite.iter().copied().fold(f32::INFINITY, f32::min));
            prop_assert_eq!(high, finite.iter().copied().fold(f32::NEG_INFINITY, f32::max));
            for (bin, &count) in got.counts.iter().enumerate() {
                let near = |&&value: &&f32| (f64::from(value) - f64::from(got.value(bin))).abs()
                    <= (f64::from(high) - f64::from(low)) / 512.0 + 1e-6 * f64::from(high.abs().max(low.abs()));
                prop_assert!(finite.iter().filter(near).count() as u64 >= count);
            }
        }
    }

    #[test]
    fn equalized_shares(image in plane::<u8>(), deep in plane::<u16>(), isa in isa()) {
        let rank = |values: &[u16]| -> Vec<Option<f64>> {
            let least = values.iter().copied().min().unwrap_or(0);
            let rest = values.iter().filter(|&&v| v > least).count();
            values.iter().map(|&v| {
                let below = values.iter().filter(|&&u| u > least && u <= v).count();
                (rest > 0).then(|| below as f64 / rest as f64)
            }).collect()
        };
        let small = image.view().crop(Rect::new(0, 0, image.width().min(40), image.height().min(8))).unwrap().to_plane();
        let values: Vec<u16> = small.as_slice().iter().map(|&v| u16::from(v)).collect();
        let got = ops::equalize(&Image::Gray8(small), &context(isa)).unwrap();
        for ((got, share), value) in channel_of::<u8>(&got).iter().zip(rank(&values)).zip(&values) {
            prop_assert!((f64::from(*got) - share.map_or(f64::from(*value), |share| share * 255.0)).abs() <= 0.5001);
        }
        let small = deep.view().crop(Rect::new(0, 0, deep.width().min(40), deep.height().min(8))).unwrap().to_plane();
        let values = small.as_slice().to_vec();
        let got = ops::equalize(&Image::Gray16(small), &context(isa)).unwrap();
        for ((got, share), value) in channel_of::<u16>(&got).iter().zip(rank(&values)).zip(&values) {
            prop_assert!((f64::from(*got) - share.map_or(f64::from(*value), |share| share * 65535.0)).abs() <= 0.5001);
        }
    }

    #[test]
    fn resize(image in plane::<u8>(), deep in plane::<u16>(), float in plane::<f32>(), width in 1usize..90, height in 1usize..30, isa in isa()) {
        let cx = context(isa);
        let doubles = |image: &Image| -> Vec<f64> { match image.ty() {
            ImageType::Gray8 => channel_of::<u8>(image).into_iter().map(f64::from).collect(),
            ImageType::Gray16 => channel_of::<u16>(image).into_iter().map(f64::from).collect(),
            _ => channel_of::<f32>(image).into_iter().map(f64::from).collect(),
        }};
        for (input, unit) in [(Image::Gray8(image.clone()), 255.0), (Image::Gray16(deep.clone()), 65535.0), (Image::GrayF32(float.clone()), 0.0)] {
            let size = |interpolation| Resize { width, height, interpolation };
            if input.width() == 0 || input.height() == 0 {
                prop_assert!(ops::resize(&input, &size(Interpolation::Bilinear), &cx).is_err());
                continue;
            }
            // A tick of half a level, and of `f32`; 11-bit weights besides for 8 bit.
            let scale: f64 = if unit > 0.0 { unit } else { floats_of(&doubles(&input)) };
            let rounding = if unit > 0.0 { 0.5 } else { 0.0 } + scale * 2e-6;
            // Positions are `f32`: far along a row they are off by more.
            let position = scale * 2.0 * input.width().max(input.height()) as f64 * 6e-8;
            let bilinear = match &input {
                Image::Gray8(plane) => reference::resize::bilinear(plane, width, height),
                Image::Gray16(plane) => reference::resize::bilinear(plane, width, height),
                Image::GrayF32(plane) => reference::resize::bilinear(plane, width, height),
                _ => unreachable!(),
            };
            let got = ops::resize(&input, &size(Interpolation::Bilinear), &cx).unwrap();
            let fixed = if unit == 255.0 { 255.0 / 1024.0 + 0.5 } else { 0.0 };
            assert_close(&doubles(&got), &bilinear, rounding + position + fixed);

            let got = ops::resize(&input, &size(Interpolation::Area), &cx);
            if width > input.width() || height > input.height() {
                prop_assert!(got.is_err());
            } else {
                let area = match &input {
                    Image::Gray8(plane) => reference::resize::area(plane, width, height),
                    Image::Gray16(plane) => reference::resize::area(plane, width, height),
                    Image::GrayF32(plane) => reference::resize::area(plane, width, height),
                    _ => unreachable!(),
                };
                // Slivers below a thousandth of a pixel are left out.
                assert_close(&doubles(&got.unwrap()), &area, rounding + scale * 5e-3);
            }

            let got = ops::resize(&input, &size(Interpolation::Nearest), &cx).unwrap();
            let (values, got) = (doubles(&input), doubles(&got));
            for y in 0..height {
                for x in 0..width {
                    // 1e-9: the scale is rounded, and may fall short of a whole number.
                    let pick = |i: usize, n: usize, m: usize| [0.0, 1e-9].map(|e| {
                        (((i as f64 * n as f64 / m as f64) - e).max(0.0).floor() as usize).min(n - 1)
                    });
                    let candidates = pick(y, input.height(), height).map(|v| pick(x, input.width(), width).map(|u| values[v * input.width() + u]));
                    prop_assert!(candidates.as_flattened().contains(&got[y * width + x]));
                }
            }
        }
    }
}

/// The level's variance is the largest, up to the rounding of `f64`.
/// Large enough to be counted by neighbouring two; rough and smooth rows, an odd width.
#[test]
fn histograms_of_large_images() {
    let image = Plane::from_fn(701, 431, |x, y| match y % 3 {
        0 => (x as u32).wrapping_mul(2_654_435_761).wrapping_add(y as u32 * 77_777) as u8 ^ (x >> 3) as u8,
        1 => (x / 9 + y) as u8,
        _ => 200,
    });
    let wanted = reference::histogram::histogram(image.as_slice().iter().map(|&v| usize::from(v)), 256);
    let image = Image::Gray8(image);
    for (threads, strip) in [(1, 431), (2, 100), (3, 7)] {
        let cx = Context::default().with_threads(threads).with_strip_rows(strip);
        assert_eq!(ops::histogram(&image, &cx).unwrap().counts, wanted);
    }
}

fn check_otsu(counts: &[u64], level: f32) {
    let of = |level| reference::histogram::variance_between(counts, level).map(|(n, d)| n as f64 / d as f64);
    let best = (0..counts.len() - 1).filter_map(of).fold(0.0, f64::max);
    let got = of((level as usize).min(counts.len() - 2)).unwrap_or(0.0);
    assert!(got >= best * (1.0 - 1e-9), "{got} at {level}, but {best} is in reach");
}

#[test]
fn otsu_of_two_values_separates_them() {
    let image = Plane::from_fn(10, 10, |x, _| if x < 3 { 40 } else { 200 });
    let level = ops::otsu_level(&ops::histogram(&Image::Gray8(image), &Context::default()).unwrap());
    assert!((40.0..200.0).contains(&level), "{level}");
}

#[test]
fn equal_pixels_stay_when_equalized() {
    let image = Image::Gray8(Plane::filled(5, 4, 77));
    assert_eq!(ops::equalize(&image, &Context::default()).unwrap(), image);
}

#[test]
fn kernels_are_taken_apart_where_that_is_exact() {
    use lyncean::ops::convolve::ConvolveRows;
    let node = |ty, weights: Vec<f32>| {
        let side = weights.len().isqrt();
        ConvolveRows::new(ty, &Convolve::new(side, side, weights)).unwrap()
    };
    assert!(node(ImageType::Gray8, vec![1.0; 9]).is_factored());
    assert!(node(ImageType::Gray16, vec![0.25; 25]).is_factored());
    assert!(!node(ImageType::Gray8, vec![1.0 / 9.0; 9]).is_factored());
    assert!(!node(ImageType::GrayF32, vec![1.0; 9]).is_factored());
    assert!(!node(ImageType::Gray8, vec![0.0, 1.0, 0.0, 1.0, -4.0, 1.0, 0.0, 1.0, 0.0]).is_factored());
}

#[test]
fn wrong_parameters_are_refused_with_reasons() {
    let cx = Context::default();
    let gray = Image::Gray8(Plane::new(8, 8));
    let rgb = Image::Rgb8(Plane::new(8, 8));
    let error = ops::sobel(&rgb, &ops::Sobel::default(), &cx).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`sobel` wants `gray8` or `gray16` or `gray-f32` or `mask`, got `rgb8`\nhint: put `gray` before it"
    );
    let convolve = |params: Convolve| ops::convolve(&gray, &params, &cx).unwrap_err().to_string();
    assert_eq!(convolve(Convolve::new(3, 3, vec![1.0; 8])), "a kernel of 3x3 wants 9 weights, got 8");
    assert_eq!(
        convolve(Convolve { anchor: Some((3, 0)), ..Convolve::new(3, 3, vec![1.0; 9]) }),
        "`anchor` (3, 0) is not in a kernel of 3x3"
    );
    assert_eq!(
        convolve(Convolve { stride: (0, 1), ..Convolve::new(1, 1, vec![1.0]) }),
        "`stride` wants at least 1"
    );
    assert!(convolve(Convolve::new(1, 1, vec![f32::NAN])).contains("finite"));
    let difference = ops::difference(&gray, &rgb, false, &cx).unwrap_err();
    assert!(difference.message().contains("`gray8` 8x8 and `rgb8` 8x8"), "{difference}");
    let canny = ops::canny(&gray, &Canny { low: 9.0, high: 3.0, ..Canny::default() }, &cx).unwrap_err();
    assert!(canny.message().contains("low = 9, high = 3"), "{canny}");
    assert!(ops::channel(&gray, 0, &cx).is_err() && ops::channel(&rgb, 3, &cx).is_err());
    assert!(ops::crop(&gray, Rect::new(usize::MAX, 0, 2, 1), &cx).is_err());
    let size = Morphology { size: (0, 3), ..Morphology::default() };
    assert!(ops::morphology(&gray, &size, &cx).is_err());
    let node = ops::difference::node(Shape::of(&gray), Shape::of(&gray), false).unwrap();
    assert!(apply(node, &[&gray], &cx).unwrap_err().message().contains("wants 2 inputs, got 1"));
}
