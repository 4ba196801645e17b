//! Every kernel, on every instruction set of the machine, against its definition.

use lyncean::image::{Gradient, Image, Pixel, Plane};
use lyncean::kernel::Isa;
use lyncean::ops::row::{RowNode, Shape, apply};
use lyncean::ops::sobel::{MagnitudeThresholdRows, Operator, SobelRows};
use lyncean::ops::{self, Context, Gaussian, Sobel, SobelOutput, ThresholdType};
use lyncean::reference;
use proptest::prelude::*;

use crate::support::strategies::{Noise, border, isa, noise, plane};

fn context(isa: Isa) -> Context {
    Context::default().with_isa(isa)
}

fn values<T: Pixel + Into<i64>>(plane: &Plane<T>) -> Vec<i64> {
    plane.as_slice().iter().map(|&value| value.into()).collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn smoothed<T: Pixel>(image: Image, params: &Gaussian, isa: Isa) -> Plane<T> {
    let image = ops::gaussian(&image, params, &context(isa)).unwrap();
    Plane::from_vec(image.width(), image.height(), bytemuck::cast_slice(image.plane_bytes(0)).to_vec())
        .unwrap()
}

/// A Gaussian with its size and the reference's way to say the same.
fn gaussians() -> impl Strategy<Value = Gaussian> {
    let size = prop_oneof![
        4 => prop::sample::select(vec![1usize, 3, 5, 7, 9]),
        1 => prop::sample::select(vec![11usize, 13, 17, 31]),
    ];
    let any = (size, 0.3f64..4.0);
    // Sigma 0 takes weights from the size: binomial ones for 3 and 5, which have kernels of their own.
    let binomial = prop::sample::select(vec![3usize, 5]).prop_map(|size| (size, 0.0));
    (prop_oneof![2 => any, 1 => binomial], border()).prop_map(|((size, sigma), border)| Gaussian {
        sigma,
        size: Some(size),
        border,
    })
}

fn sobels() -> impl Strategy<Value = (Sobel, Vec<i64>, Vec<i64>)> {
    (prop::sample::select(vec![3usize, 5, 7, 0, 1]), border()).prop_map(|(size, border)| {
        if size == 0 {
            let sobel = Sobel { operator: Operator::Scharr, border, ..Sobel::default() };
            (sobel, vec![3, 10, 3], vec![-1, 0, 1])
        } else if size == 1 {
            let sobel = Sobel { operator: Operator::Prewitt, border, ..Sobel::default() };
            (sobel, vec![1, 1, 1], vec![-1, 0, 1])
        } else {
            let sobel = Sobel { size, border, ..Sobel::default() };
            (sobel, reference::sobel::binomial(size), reference::sobel::binomial_derivative(size))
        }
    })
}

fn derived(image: &Image, sobel: &Sobel, output: SobelOutput, isa: Isa) -> Image {
    ops::sobel(image, &Sobel { output, ..sobel.clone() }, &context(isa)).unwrap()
}

fn floats(image: &Image) -> Vec<f32> {
    image.as_gray_f32().unwrap().as_slice().to_vec()
}

/// Every output of `sobel` that is made of two derivatives, given as floats.
fn check_derived(image: &Image, sobel: &Sobel, isa: Isa, gradient: &[(f32, f32)], magnitude: &[f32]) {
    let of = |value: &dyn Fn(f32, f32) -> f32| gradient.iter().map(|&(x, y)| value(x, y)).collect::<Vec<_>>();
    let got = |output| bits(&floats(&derived(image, sobel, output, isa)));
    assert_eq!(got(SobelOutput::Dx), bits(&of(&|x, _| x)), "dx");
    assert_eq!(got(SobelOutput::Dy), bits(&of(&|_, y| y)), "dy");
    assert_eq!(got(SobelOutput::L1), bits(&of(&|x, y| x.abs() + y.abs())), "l1");
    assert_eq!(got(SobelOutput::Direction), bits(&of(&|x, y| libm::atan2f(y, x))), "direction");
    assert_eq!(got(SobelOutput::Magnitude), bits(magnitude), "magnitude");
    match derived(image, sobel, SobelOutput::Gradient, isa) {
        Image::Gradient(Gradient::I16 { dx, dy }) => {
            let pairs = dx.as_slice().iter().zip(dy.as_slice()).map(|(&x, &y)| (f32::from(x), f32::from(y)));
            assert_eq!(pairs.collect::<Vec<_>>(), gradient);
        }
        Image::Gradient(Gradient::F32 { dx, dy }) => {
            let pairs = dx.as_slice().iter().zip(dy.as_slice()).map(|(&x, &y)| (x, y));
            assert_eq!(pairs.collect::<Vec<_>>(), gradient);
        }
        other => panic!("{other:?}"),
    }
}

fn integer_gradient<T: Pixel + Into<i64> + Noise>(
    plane: &Plane<T>,
    (sobel, smooth, derive): &(Sobel, Vec<i64>, Vec<i64>),
    constant: T,
) -> (Vec<(f32, f32)>, Vec<f32>) {
    let exact = reference::sobel::gradient_integer(plane, smooth, derive, sobel.border, constant);
    let gradient = exact.iter().map(|&(x, y)| (x as f32, y as f32)).collect();
    let is_narrow = size_of::<T>() == 1 && sobel.size <= 5;
    let length = |&(x, y): &(i64, i64)| {
        if is_narrow {
            ((x * x + y * y) as f32).sqrt()
        } else {
            let (x, y) = (x as f32, y as f32);
            (x * x + y * y).sqrt()
        }
    };
    (gradient, exact.iter().map(length).collect())
}

proptest! {
    #[test]
    fn gray_u8(rgb in plane::<[u8; 3]>(), isa in isa()) {
        let wanted = reference::pixel::gray_u8(&rgb);
        prop_assert_eq!(ops::gray(&Image::Rgb8(rgb), &context(isa)).unwrap(), Image::Gray8(wanted));
    }

    #[test]
    fn gray_u16(rgb in plane::<[u16; 3]>(), isa in isa()) {
        let wanted = reference::pixel::gray_u16(&rgb);
        prop_assert_eq!(ops::gray(&Image::Rgb16(rgb), &context(isa)).unwrap(), Image::Gray16(wanted));
    }

    #[test]
    fn gray_f32(rgb in plane::<[f32; 3]>(), isa in isa()) {
        let wanted = reference::pixel::gray_f32(&rgb);
        let got = ops::gray(&Image::RgbF32(rgb), &context(isa)).unwrap();
        prop_assert_eq!(bits(&floats(&got)), bits(wanted.as_slice()));
    }

    #[test]
    fn gaussian_u8(image in plane::<u8>(), params in gaussians(), isa in isa()) {
        let weights = reference::gaussian::fixed_weights(params.size.unwrap(), params.sigma, 1 << 8);
        let constant = params.border.value as u8;
        let wanted = reference::gaussian::gaussian_integer(&image, &weights, 1 << 8, params.border, constant);
        prop_assert_eq!(values(&smoothed::<u8>(Image::Gray8(image), &params, isa)), wanted);
    }

    #[test]
    fn gaussian_rgb8(image in plane::<[u8; 3]>(), params in gaussians(), isa in isa()) {
        let weights = reference::gaussian::fixed_weights(params.size.unwrap(), params.sigma, 1 << 8);
        let constant = params.border.value as u8;
        let got = smoothed::<[u8; 3]>(Image::Rgb8(image.clone()), &params, isa);
        for c in 0..3 {
            let channel = reference::channel(&image, c);
            let wanted = reference::gaussian::gaussian_integer(&channel, &weights, 1 << 8, params.border, constant);
            prop_assert_eq!(values(&reference::channel(&got, c)), wanted);
        }
    }

    #[test]
    fn gaussian_u16(image in plane::<u16>(), params in gaussians(), isa in isa()) {
        let weights = reference::gaussian::fixed_weights(params.size.unwrap(), params.sigma, 1 << 16);
        let constant = params.border.value as u16;
        let wanted = reference::gaussian::gaussian_integer(&image, &weights, 1 << 16, params.border, constant);
        prop_assert_eq!(values(&smoothed::<u16>(Image::Gray16(image), &params, isa)), wanted);
    }

    #[test]
    fn gaussian_f32(image in plane::<f32>(), params in gaussians(), isa in isa()) {
        let weights: Vec<f32> =
            ops::gaussian::weights(params.size.unwrap(), params.sigma).iter().map(|&w| w as f32).collect();
        let wanted = reference::gaussian::gaussian_f32(&image, &weights, params.border);
        let got = smoothed::<f32>(Image::GrayF32(image), &params, isa);
        prop_assert_eq!(bits(got.as_slice()), bits(wanted.as_slice()));
    }

    #[test]
    fn sobel_u8(image in plane::<u8>(), sobel in sobels(), isa in isa()) {
        let (gradient, magnitude) = integer_gradient(&image, &sobel, sobel.0.border.value as u8);
        check_derived(&Image::Gray8(image), &sobel.0, isa, &gradient, &magnitude);
    }

    #[test]
    fn sobel_u16(image in plane::<u16>(), sobel in sobels(), isa in isa()) {
        let (gradient, magnitude) = integer_gradient(&image, &sobel, sobel.0.border.value as u16);
        check_derived(&Image::Gray16(image), &sobel.0, isa, &gradient, &magnitude);
    }

    #[test]
    fn sobel_f32(image in plane::<f32>(), (sobel, smooth, derive) in sobels(), isa in isa()) {
        let gradient = reference::sobel::gradient_f32(&image, &smooth, &derive, sobel.border);
        let magnitude: Vec<f32> = gradient.iter().map(|(x, y)| (x * x + y * y).sqrt()).collect();
        check_derived(&Image::GrayF32(image), &sobel, isa, &gradient, &magnitude);
    }

    /// Rows longer than a block, whose second block starts somewhere in the middle.
    #[test]
    fn wide_rows(
        width in prop::sample::select(vec![1024usize, 1025, 1087, 1100, 2049, 2113, 3071]), height in 1usize..4,
        seed in any::<u64>(), params in gaussians(), sobel in sobels(), level in 0.0f32..1500.0, isa in isa(),
    ) {
        let image = Plane::from_fn(width, height, |x, y| (noise(seed, x, y, 0) >> 7) as u8);
        let weights = reference::gaussian::fixed_weights(params.size.unwrap(), params.sigma, 1 << 8);
        let constant = params.border.value as u8;
        let wanted = reference::gaussian::gaussian_integer(&image, &weights, 1 << 8, params.border, constant);
        prop_assert_eq!(values(&smoothed::<u8>(Image::Gray8(image.clone()), &params, isa)), wanted);
        let (gradient, magnitude) = integer_gradient(&image, &sobel, sobel.0.border.value as u8);
        let image = Image::Gray8(image);
        check_derived(&image, &sobel.0, isa, &gradient, &magnitude);
        let rows = SobelRows::new(&sobel.0).unwrap();
        let fused = MagnitudeThresholdRows::fuse(&rows, image.ty(), level, false).unwrap();
        let got = apply(std::sync::Arc::new(fused), &[&image], &context(isa)).unwrap();
        let wanted: Vec<u8> = magnitude.iter().map(|&length| if length > level { 255 } else { 0 }).collect();
        prop_assert_eq!(got.as_gray8().unwrap().as_slice(), &wanted[..]);
    }

    #[test]
    fn magnitude_and_threshold_in_one(
        image in plane::<u8>(), deep in plane::<u16>(), sobel in sobels(), isa in isa(),
        level in prop_oneof![Just(-1.0f32), 0.0f32..1500.0, (0u16..1500).prop_map(f32::from), 0.0f32..20000.0],
        inverted in any::<bool>(),
    ) {
        let rows = SobelRows::new(&sobel.0).unwrap();
        let kind = if inverted { ThresholdType::BinaryInv } else { ThresholdType::Binary };
        for image in [Image::Gray8(image), Image::Gray16(deep)] {
            let magnitude = derived(&image, &sobel.0, SobelOutput::Magnitude, isa);
            let wanted = ops::threshold(&magnitude, &ops::Threshold { level, kind }, &context(isa)).unwrap();
            let fused = MagnitudeThresholdRows::fuse(&rows, image.ty(), level, inverted).unwrap();
            let got = apply(std::sync::Arc::new(fused), &[&image], &context(isa)).unwrap();
            prop_assert_eq!(got, wanted);
        }
    }

    #[test]
    fn threshold(
        image in plane::<u8>(), deep in plane::<u16>(), float in plane::<f32>(),
        at in prop_oneof![-0.1f32..1.1, Just(0.0f32), Just(1.0f32), Just(f32::NAN), Just(f32::INFINITY)],
        isa in isa(),
    ) {
        for kind in ThresholdType::ALL {
            let word = match kind {
                ThresholdType::Binary => "binary",
                ThresholdType::BinaryInv => "binary-inv",
                ThresholdType::Trunc => "trunc",
                ThresholdType::ToZero => "tozero",
                ThresholdType::ToZeroInv => "tozero-inv",
            };
            let run = |image: &Image, level| ops::threshold(image, &ops::Threshold { level, kind }, &context(isa)).unwrap();
            let twin = |pixel: f64, level: f32, largest: f64| {
                reference::threshold::threshold(word, pixel, f64::from(level).floor(), largest)
            };
            let level = at * 255.0;
            let got = run(&Image::Gray8(image.clone()), level);
            let wanted: Vec<u8> =
                image.as_slice().iter().map(|&p| twin(f64::from(p), level, 255.0) as u8).collect();
            prop_assert_eq!(got.as_gray8().unwrap().as_slice(), &wanted);
            let node = ops::threshold::ThresholdRows::new(Shape::of(&Image::Gray8(image.clone())).ty, level, kind);
            let table = node.table().unwrap();
            prop_assert!(image.as_slice().iter().zip(&wanted).all(|(&p, &w)| table[usize::from(p)] == w));

            let level = at * 65535.0;
            let got = run(&Image::Gray16(deep.clone()), level);
            let wanted: Vec<u16> =
                deep.as_slice().iter().map(|&p| twin(f64::from(p), level, 65535.0) as u16).collect();
            match got {
                Image::Mask(mask) => prop_assert!(mask.as_slice().iter().zip(&wanted).all(|(&m, &w)| u16::from(m) == w)),
                Image::Gray16(gray) => prop_assert_eq!(gray.as_slice(), &wanted),
                other => panic!("{other:?}"),
            }

            let got = run(&Image::GrayF32(float.clone()), at);
            let wanted = float.as_slice().iter().map(|&p| match (kind, p > at) {
                (ThresholdType::Trunc, true) => at,
                (ThresholdType::Trunc | ThresholdType::ToZeroInv, false) | (ThresholdType::ToZero, true) => p,
                (ThresholdType::Binary, true) | (ThresholdType::BinaryInv, false) => 255.0,
                _ => 0.0,
            });
            let wanted: Vec<f32> = wanted.collect();
            match got {
                Image::Mask(mask) => prop_assert!(mask.as_slice().iter().zip(&wanted).all(|(&m, &w)| f32::from(m) == w)),
                Image::GrayF32(gray) => prop_assert_eq!(bits(gray.as_slice()), bits(&wanted)),
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn the_least_square_is_right_for_every_sum_that_sobel_reaches() {
    use lyncean::kernel::sobel::least_square_above;
    // 2 * 1020², the largest sum of the 3x3 operator; levels on, below and above exact roots.
    for level in [0.0f32, 0.5, 1.0, 99.99999, 100.0, 100.00001, 333.3, 1020.0, 1442.4978, 1443.0] {
        let least = least_square_above(level).unwrap();
        for sum in 0..=2 * 1020 * 1020 {
            assert_eq!(sum >= least, (sum as f32).sqrt() > level, "{sum} at {level}");
        }
    }
    assert_eq!(least_square_above(f32::INFINITY), None);
    assert_eq!(least_square_above(f32::NAN), None);
    assert_eq!(least_square_above(-1.0), Some(0));
}
