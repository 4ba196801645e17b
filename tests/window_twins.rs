//! Means, local thresholds, medians and second derivatives over windows, on every instruction set, against their definitions.

use lyncean::image::{Border, BorderMode, Image, Pixel, Plane};
use lyncean::ops::adaptive::Surroundings;
use lyncean::ops::label::Connectivity;
use lyncean::ops::local_threshold::Formula;
use lyncean::ops::{self, Adaptive, Context};
use lyncean::reference;
use lyncean::reference::window_sum::{mean_and_deviation, rounded_mean, sums};
use proptest::prelude::*;

use crate::support::strategies::{border, isa, plane};

fn size() -> impl Strategy<Value = (usize, usize)> {
    prop_oneof![4 => (1usize..=9, 1usize..=9), 1 => (1usize..=70, 1usize..=70)]
}

fn means<T: Pixel + Into<f64> + TryFrom<i64>>(
    plane: &Plane<T>,
    size: (usize, usize),
    border: Border,
    constant: T,
) -> Plane<T> {
    let (width, height, sums) = sums(plane, size, border, constant);
    let mean = |sum: f64| T::try_from(rounded_mean(sum, size.0 * size.1)).ok().unwrap();
    Plane::from_vec(width, height, sums.iter().map(|&[sum, _]| mean(sum)).collect()).unwrap()
}

fn odd(size: (usize, usize)) -> (usize, usize) {
    (size.0 | 1, size.1 | 1)
}

/// 255 where it holds.
fn mask(width: usize, height: usize, mut above: impl FnMut(usize, usize) -> bool) -> Image {
    Image::Mask(Plane::from_fn(width, height, |x, y| if above(x, y) { 255 } else { 0 }))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn box_blur(
        image in plane::<u8>(), deep in plane::<u16>(), color in plane::<[u8; 3]>(), float in plane::<f32>(),
        size in size(), border in border(), isa in isa(), threads in 1usize..3, strip in 1usize..9,
    ) {
        let cx = Context::default().with_isa(isa).with_threads(threads).with_strip_rows(strip);
        let run = |image: Image| ops::box_blur(&image, &ops::BoxBlur { size, border }, &cx).unwrap();
        let constant = border.value as u8;
        prop_assert_eq!(run(Image::Gray8(image.clone())), Image::Gray8(means(&image, size, border, constant)));
        prop_assert_eq!(run(Image::Gray16(deep.clone())), Image::Gray16(means(&deep, size, border, constant.into())));
        let Image::Rgb8(got) = run(Image::Rgb8(color.clone())) else { panic!("rgb8") };
        for channel in 0..3 {
            let wanted = means(&reference::channel(&color, channel), size, border, constant);
            prop_assert_eq!(reference::channel(&got, channel), wanted);
        }
        let Image::GrayF32(got) = run(Image::GrayF32(float.clone())) else { panic!("float") };
        let (_, _, sums) = sums(&float, size, border, border.value);
        let largest = float.as_slice().iter().fold(border.value, |largest, value| largest.max(value.abs()));
        for (got, [sum, _]) in got.as_slice().iter().zip(sums) {
            let wanted = sum / (size.0 * size.1) as f64;
            prop_assert!((f64::from(*got) - wanted).abs() <= 1e-6 * f64::from(largest), "{} {}", got, wanted);
        }
    }

    #[test]
    fn adaptive(
        image in plane::<u8>(), deep in plane::<u16>(), float in plane::<f32>(), size in 1usize..20,
        offset in -20.0f32..20.0, inverted in any::<bool>(), isa in isa(),
    ) {
        let cx = Context::default().with_isa(isa);
        let size = 2 * size + 1;
        let params = Adaptive { surroundings: Surroundings::Mean, size, offset, inverted };
        let border = Border::new(BorderMode::Replicate);
        let whole = if inverted { offset.floor() } else { offset.ceil() };
        let mean = means(&image, (size, size), border, 0);
        let wanted = mask(image.width(), image.height(), |x, y| {
            (f32::from(image.get(x, y)) - f32::from(mean.get(x, y)) > -whole) != inverted
        });
        prop_assert_eq!(ops::adaptive_threshold(&Image::Gray8(image), &params, &cx).unwrap(), wanted);
        let mean = means(&deep, (size, size), border, 0);
        let wanted = mask(deep.width(), deep.height(), |x, y| {
            (f32::from(deep.get(x, y)) - f32::from(mean.get(x, y)) > -whole) != inverted
        });
        prop_assert_eq!(ops::adaptive_threshold(&Image::Gray16(deep), &params, &cx).unwrap(), wanted);
        let around = ops::box_blur(&Image::GrayF32(float.clone()), &ops::BoxBlur { size: (size, size), border }, &cx).unwrap();
        let Image::GrayF32(around) = around else { panic!("float") };
        let wanted = mask(float.width(), float.height(), |x, y| {
            (float.get(x, y) > around.get(x, y) - offset) != inverted
        });
        prop_assert_eq!(ops::adaptive_threshold(&Image::GrayF32(float), &params, &cx).unwrap(), wanted);
    }

    #[test]
    fn niblack_and_sauvola(image in plane::<u8>(), deep in plane::<u16>(), size in size(), k in -1.0f64..1.0, isa in isa()) {
        let cx = Context::default().with_isa(isa);
        let size = odd(size);
        let border = Border::new(BorderMode::Reflect101);
        for (image, values, half) in [
            (Image::Gray8(image.clone()), image.map(f32::from), 127.5),
            (Image::Gray16(deep.clone()), deep.map(f32::from), 32767.5),
        ] {
            let (width, height, sums) = sums(&values, size, border, 0.0);
            for formula in [Formula::Niblack { k }, Formula::Sauvola { k, r: None }] {
                let wanted = mask(width, height, |x, y| {
                    let (m, s) = mean_and_deviation(sums[y * width + x], size.0 * size.1);
                    let level = match formula {
                        Formula::Niblack { k } => m - k * s,
                        Formula::Sauvola { k, .. } => m * (1.0 + k * (s / half - 1.0)),
                    };
                    f64::from(values.get(x, y)) > level
                });
                prop_assert_eq!(ops::local_threshold(&image, &ops::LocalThreshold { size, formula }, &cx).unwrap(), wanted);
            }
        }
    }

    #[test]
    fn median(
        image in plane::<u8>(), deep in plane::<u16>(), color in plane::<[u8; 3]>(), float in plane::<f32>(),
        size in prop::sample::select(vec![1usize, 3, 5, 7, 9, 13, 17]), border in border(), isa in isa(),
        threads in 1usize..3, strip in 1usize..9,
    ) {
        let cx = Context::default().with_isa(isa).with_threads(threads).with_strip_rows(strip);
        let run = |image: Image| ops::median(&image, &ops::Median { size, border }, &cx).unwrap();
        let constant = border.value as u8;
        let twin = reference::median::median(&image, size, border, constant);
        prop_assert_eq!(run(Image::Gray8(image)), Image::Gray8(twin));
        if size <= 7 {
            let twin = reference::median::median(&deep, size, border, constant.into());
            prop_assert_eq!(run(Image::Gray16(deep)), Image::Gray16(twin));
            let twin = reference::median::median(&float, size, border, border.value);
            prop_assert_eq!(run(Image::GrayF32(float)), Image::GrayF32(twin));
        }
        let Image::Rgb8(got) = run(Image::Rgb8(color.clone())) else { panic!("rgb8") };
        for channel in 0..3 {
            let twin = reference::median::median(&reference::channel(&color, channel), size, border, constant);
            prop_assert_eq!(reference::channel(&got, channel), twin);
        }
    }

    #[test]
    fn laplacians(
        image in plane::<u8>(), float in plane::<f32>(), size in prop::sample::select(vec![1usize, 3, 5, 7]),
        sigma in 0.3f64..2.5, border in border(), isa in isa(),
    ) {
        let cx = Context::default().with_isa(isa);
        let weights: Vec<f64> = match size {
            1 => vec![0.0, 1.0, 0.0, 1.0, -4.0, 1.0, 0.0, 1.0, 0.0],
            3 => vec![2.0, 0.0, 2.0, 0.0, -8.0, 0.0, 2.0, 0.0, 2.0],
            _ => {
                // The difference of differences is a binomial taken apart once more.
                let smooth = reference::sobel::binomial(size);
                let slope = reference::sobel::binomial_derivative(size - 1);
                let second: Vec<i64> = (0..size).map(|i| {
                    let before = if i > 0 { slope[i - 1] } else { 0 };
                    before - slope.get(i).copied().unwrap_or(0)
                }).collect();
                (0..size * size).map(|i| {
                    let (x, y) = (i % size, i / size);
                    (second[x] * smooth[y] + smooth[x] * second[y]) as f64
                }).collect()
            }
        };
        let Image::GrayF32(got) = ops::laplacian(&Image::Gray8(image.clone()), &ops::Laplacian { size, border }, &cx).unwrap() else {
            panic!("float")
        };
        let wanted = reference::laplacian::correlate(&image, &weights, size.max(3), border, border.value as u8);
        let got: Vec<f64> = got.as_slice().iter().map(|&value| f64::from(value)).collect();
        prop_assert_eq!(got, wanted);

        let (window, weights) = reference::laplacian::laplacian_of_gaussian(sigma);
        let Image::GrayF32(got) =
            ops::laplacian_of_gaussian(&Image::GrayF32(float.clone()), &ops::LaplacianOfGaussian { sigma, border }, &cx).unwrap()
        else {
            panic!("float")
        };
        let wanted = reference::laplacian::correlate(&float, &weights, window, border, border.value);
        let largest = float.as_slice().iter().fold(border.value, |largest, value| largest.max(value.abs()));
        let bound = 4e-6 * f64::from(largest) * weights.iter().map(|weight| weight.abs()).sum::<f64>();
        for (got, wanted) in got.as_slice().iter().zip(wanted) {
            prop_assert!((f64::from(*got) - wanted).abs() <= bound, "{} {}", got, wanted);
        }
    }

    #[test]
    fn hysteresis(image in plane::<u8>(), low in 0u8..=255, more in 0u8..=90, eight in any::<bool>(), isa in isa()) {
        let high = low.saturating_add(more);
        let classes = image.map(|value| u8::from(value > low) + u8::from(value > high));
        let wanted = reference::hysteresis::hysteresis_of(classes.view(), eight);
        let connectivity = if eight { Connectivity::Eight } else { Connectivity::Four };
        let cx = Context::default().with_isa(isa);
        for image in [Image::Gray8(image.clone()), Image::Gray16(image.map(u16::from)), Image::GrayF32(image.map(f32::from))] {
            let got = ops::hysteresis_threshold(&image, &ops::Hysteresis { low: low.into(), high: high.into(), connectivity }, &cx).unwrap();
            prop_assert_eq!(got, Image::Mask(wanted.clone()));
        }
    }
}
