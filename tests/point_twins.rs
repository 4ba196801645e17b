//! Points and geometry, on every instruction set, against their definitions.

use lyncean::image::{Affine, Border, BorderMode, Image, ImageType, Pixel, Plane};
use lyncean::kernel::Isa;
use lyncean::ops::warp::Taps;
use lyncean::ops::{
    self, Clahe, Context, Interpolation, Normalize, Operation, Pad, Resize, RollingBall, Turn, Warp,
};
use lyncean::reference;
use lyncean::reference::arithmetic::{Term, combine, nearest, percentile};
use proptest::prelude::*;

use crate::support::strategies::{Noise, Spread, isa, noise_plane, plane};

fn context(isa: Isa, threads: usize) -> Context {
    Context::default().with_isa(isa).with_threads(threads)
}

fn values<T: Pixel>(image: &Image) -> Vec<T> {
    bytemuck::cast_slice(image.plane_bytes(0)).to_vec()
}

/// Every operation whose result on whole numbers is a whole number, and its term.
const TERMS: [(Operation, Term); 9] = [
    (Operation::Add, Term::Sum),
    (Operation::Subtract, Term::Difference),
    (Operation::Multiply(1.0), Term::Product),
    (Operation::Divide(1.0), Term::Quotient),
    (Operation::Min, Term::Least),
    (Operation::Max, Term::Most),
    (Operation::Blend(0.5, 0.5), Term::Eighths(4)),
    (Operation::Blend(0.875, 0.125), Term::Eighths(1)),
    (Operation::Blend(0.0, 1.0), Term::Eighths(8)),
];

/// A pair of planes of one size.
fn pair<T: Noise + Pixel>() -> impl Strategy<Value = (Plane<T>, Plane<T>)> {
    (plane::<T>(), any::<u64>(), prop::sample::select(vec![Spread::Full, Spread::Extremes, Spread::Few]))
        .prop_map(|(a, seed, spread)| {
            let b = noise_plane(a.width(), a.height(), seed, spread);
            (a, b)
        })
}

fn check_terms<T>(
    a: &Plane<T>,
    b: &Plane<T>,
    constant: T,
    image: fn(Plane<T>) -> Image,
    largest: i64,
    isa: Isa,
) where
    T: Pixel + Into<i64> + Into<f32>,
{
    let cx = context(isa, 1);
    let (first, second) = (image(a.clone()), image(b.clone()));
    for (op, term) in TERMS {
        let got = ops::arithmetic(&first, &second, op, &cx).unwrap();
        let pairs = a.as_slice().iter().zip(b.as_slice());
        let wanted: Vec<i64> = pairs.map(|(&a, &b)| combine(term, a.into(), b.into(), largest)).collect();
        assert_eq!(values::<T>(&got).into_iter().map(Into::into).collect::<Vec<i64>>(), wanted, "{op:?}");
        let got = ops::arithmetic_constant(&first, constant.into(), op, &cx).unwrap();
        let wanted = a.as_slice().iter().map(|&a| combine(term, a.into(), constant.into(), largest));
        let wanted: Vec<i64> = wanted.collect();
        assert_eq!(
            values::<T>(&got).into_iter().map(Into::into).collect::<Vec<i64>>(),
            wanted,
            "{op:?} constant"
        );
    }
    let inverted = ops::invert(&first, &cx).unwrap();
    let wanted: Vec<i64> = a.as_slice().iter().map(|&a| largest - Into::<i64>::into(a)).collect();
    assert_eq!(values::<T>(&inverted).into_iter().map(Into::into).collect::<Vec<i64>>(), wanted);
}

/// Maps that turn, shear, shrink and throw far out.
fn maps() -> impl Strategy<Value = Affine> {
    let number = || (-3000i32..3000).prop_map(|n| f64::from(n) / 1024.0);
    let shift =
        || prop_oneof![4 => (-80i32..80).prop_map(|n| f64::from(n) / 8.0), 1 => Just(1e9), 1 => Just(-300.7)];
    (number(), number(), shift(), number(), number(), shift())
        .prop_map(|(a, b, c, d, e, f)| Affine { rows: [[a, b, c], [d, e, f]] })
}

/// Borders that give pixels.
fn modes() -> impl Strategy<Value = BorderMode> {
    prop::sample::select(vec![
        BorderMode::Constant,
        BorderMode::Replicate,
        BorderMode::Reflect,
        BorderMode::Reflect101,
        BorderMode::Wrap,
    ])
}

proptest! {
    #[test]
    fn arithmetic_u8((a, b) in pair::<u8>(), constant in any::<u8>(), isa in isa()) {
        check_terms(&a, &b, constant, Image::Gray8, 255, isa);
    }

    #[test]
    fn arithmetic_u16((a, b) in pair::<u16>(), constant in any::<u16>(), isa in isa()) {
        check_terms(&a, &b, constant, Image::Gray16, 65535, isa);
    }

    #[test]
    fn masks_keep_what_they_cover((image, mask) in pair::<u16>(), outside in any::<u16>(), inverted: bool, isa in isa()) {
        let mask = mask.map(|value| if value % 3 == 0 { 255u8 } else { 0 });
        let got = ops::mask_apply(
            &Image::Gray16(image.clone()), &Image::Mask(mask.clone()), &ops::MaskApply { outside: f32::from(outside), inverted }, &context(isa, 1),
        ).unwrap();
        let wanted = Plane::from_fn(image.width(), image.height(), |x, y| {
            if (mask.get(x, y) == 255) == inverted { outside } else { image.get(x, y) }
        });
        prop_assert_eq!(&got, &Image::Gray16(wanted.clone()));
        let bytes = Image::Gray8(image.map(|value| (value >> 8) as u8));
        let got = ops::mask_apply(&bytes, &Image::Mask(mask.clone()), &ops::MaskApply { outside: f32::from(outside >> 8), inverted }, &context(isa, 1)).unwrap();
        prop_assert_eq!(got, Image::Gray8(wanted.map(|value| (value >> 8) as u8)));
        let colours = Image::Rgb16(image.map(|value| [value, value / 2, 7]));
        let got = ops::mask_apply(&colours, &Image::Mask(mask.clone()), &ops::MaskApply { outside: f32::from(outside), inverted }, &context(isa, 1)).unwrap();
        let wanted = Plane::from_fn(image.width(), image.height(), |x, y| {
            let value = image.get(x, y);
            if (mask.get(x, y) == 255) == inverted { [outside; 3] } else { [value, value / 2, 7] }
        });
        prop_assert_eq!(got, Image::Rgb16(wanted));
    }

    #[test]
    fn normalize_takes_percentiles_to_the_ends(image in plane::<u8>(), low in 0u32..50, high in 51u32..=100, isa in isa()) {
        prop_assume!(image.width() * image.height() > 0);
        let percentiles = [f64::from(low), f64::from(high)];
        let values: Vec<f64> = image.as_slice().iter().map(|&value| f64::from(value)).collect();
        let [from, to] = percentiles.map(|percent| percentile(&values, percent));
        let params = Normalize { percentiles: Some(percentiles), range: None };
        let got = ops::normalize(&Image::Gray8(image.clone()), &params, &context(isa, 2)).unwrap();
        for (&got, &value) in got.plane_bytes(0).iter().zip(&values) {
            let wanted = if to > from { ((value - from) / (to - from) * 255.0).clamp(0.0, 255.0) } else { 0.0 };
            // One rounding in `f64`, and a scale, a product and a sum in `f32`.
            prop_assert!((f64::from(got) - wanted).abs() <= 0.5 + 1e-3, "{got} for {wanted}");
        }
        let floats = Image::GrayF32(image.map(|value| f32::from(value) / 256.0));
        let got = ops::normalize(&floats, &params, &context(isa, 2)).unwrap();
        for (got, &value) in bytemuck::cast_slice::<u8, f32>(got.plane_bytes(0)).iter().zip(&values) {
            let wanted = if to > from { ((value - from) / (to - from)).clamp(0.0, 1.0) } else { 0.0 };
            prop_assert!((f64::from(*got) - wanted).abs() <= 1e-4, "{got} for {wanted}");
        }
    }

    #[test]
    fn flat_field_divides_by_the_light((image, flat) in pair::<u8>(), threads in 1usize..4, isa in isa()) {
        let flat = flat.map(|value| value / 2 + 3);
        let cx = context(isa, threads).with_strip_rows(3);
        let got = ops::flat_field(&Image::Gray8(image.clone()), &Image::Gray8(flat.clone()), None, &cx).unwrap();
        let sum: f64 = flat.as_slice().iter().map(|&value| f64::from(value)).sum();
        let mean = sum / flat.as_slice().len() as f64;
        for ((&got, &image), &flat) in got.plane_bytes(0).iter().zip(image.as_slice()).zip(flat.as_slice()) {
            let wanted = (f64::from(image) * mean / f64::from(flat)).min(255.0);
            prop_assert!((f64::from(got) - wanted).abs() <= 0.5 + 1e-4, "{got} for {wanted}");
        }
    }

    #[test]
    fn clahe_is_its_definition(
        image in plane::<u8>(), limit in prop::sample::select(vec![0.0, 1.0, 2.5, 40.0]),
        tiles in (1usize..9, 1usize..9), threads in 1usize..4, isa in isa(),
    ) {
        prop_assume!(image.width() * image.height() > 0);
        let params = Clahe { clip_limit: limit, tiles };
        let got = ops::clahe(&Image::Gray8(image.clone()), &params, &context(isa, threads)).unwrap();
        let wanted = reference::clahe::clahe(&image.map(u16::from), 256, limit, tiles);
        prop_assert_eq!(got, Image::Gray8(wanted.map(|value| value as u8)));
    }

    #[test]
    fn rolling_ball_is_its_definition(image in plane::<u8>(), radius in prop::sample::select(vec![0.0, 0.5, 1.0, 2.3, 9.0, 17.5, 40.0]), threads in 1usize..4, isa in isa()) {
        // Small, since the definition looks at every pixel of the ball.
        let image = Plane::from_fn(image.width().min(70), image.height().min(12), |x, y| image.get(x, y));
        let wanted = reference::rolling_ball::rolling_ball(&image, radius);
        let cx = context(isa, threads);
        let params = RollingBall { radius, height: None, background: true };
        let got = ops::rolling_ball(&Image::Gray8(image.clone()), &params, &cx).unwrap();
        prop_assert_eq!(&got, &Image::Gray8(wanted.map(|value| value as u8)));
        let wide = Image::Gray16(image.map(|value| u16::from(value) * 257));
        let wanted = reference::rolling_ball::rolling_ball(&image.map(|value| u16::from(value) * 257), radius);
        prop_assert_eq!(ops::rolling_ball(&wide, &params, &cx).unwrap(), Image::Gray16(wanted.map(|v| v as u16)));
        let corrected = ops::rolling_ball(&Image::Gray8(image.clone()), &RollingBall { background: false, ..params }, &cx).unwrap();
        let wanted = ops::arithmetic(&Image::Gray8(image.clone()), &got, Operation::Subtract, &cx).unwrap();
        prop_assert_eq!(corrected, wanted);
        let floats = image.map(|value| f32::from(value) * 3.25);
        let wanted = reference::rolling_ball::rolling_ball(&floats, radius);
        let got = ops::rolling_ball(&Image::GrayF32(floats), &params, &cx).unwrap();
        for (&got, &wanted) in values::<f32>(&got).iter().zip(wanted.as_slice()) {
            prop_assert!((f64::from(got) - wanted).abs() <= 1e-4, "{got} for {wanted}");
        }
    }

    #[test]
    fn padding_is_the_border(image in plane::<u16>(), sides in (0usize..40, 0usize..40, 0usize..40, 0usize..40), mode in modes(), threads in 1usize..4, isa in isa()) {
        prop_assume!(image.width() * image.height() > 0);
        let (left, right, top, bottom) = sides;
        let pad = Pad { left, right, top, bottom, border: Border { mode, value: 300.0 } };
        let cx = context(isa, threads).with_strip_rows(4);
        let got = ops::pad(&Image::Gray16(image.clone()), &pad, &cx).unwrap();
        let wanted = Plane::from_fn(image.width() + left + right, image.height() + top + bottom, |x, y| {
            reference::at(&image, mode, 300, x as isize - left as isize, y as isize - top as isize)
        });
        prop_assert_eq!(got, Image::Gray16(wanted));
    }

    #[test]
    fn turns_move_pixels_where_their_map_says(image in plane::<[u8; 3]>(), turn in prop::sample::select(Turn::ALL.to_vec()), threads in 1usize..4) {
        let (width, height) = turn.size(image.width(), image.height());
        let map = turn.map(image.width(), image.height());
        let wanted = Plane::from_fn(width, height, |x, y| {
            let (x, y) = map.apply(x as f64 + 0.5, y as f64 + 0.5);
            image.get(x.floor() as usize, y.floor() as usize)
        });
        let got = ops::turn::turn(&Image::Rgb8(image), turn, &context(Isa::best(), threads)).unwrap();
        prop_assert_eq!(got, Image::Rgb8(wanted));
    }

    #[test]
    fn warps_weigh_exactly(image in plane::<u8>(), map in maps(), size in (1usize..40, 1usize..20), mode in modes(), constant in any::<u8>(), threads in 1usize..4) {
        prop_assume!(image.width() * image.height() > 0);
        let cx = context(Isa::best(), threads);
        // Coordinates of edges, as the operation wants them; halves and the shifts here are exact.
        let edges = Affine::translation(0.5, 0.5).after(&map).after(&Affine::translation(-0.5, -0.5));
        let centres = Affine::translation(-0.5, -0.5).after(&edges).after(&Affine::translation(0.5, 0.5));
        for (reach, taps) in [Taps::Nearest, Taps::Bilinear, Taps::Bicubic].into_iter().enumerate() {
            let border = Border { mode, value: f32::from(constant) };
            let params = Warp { map: edges, width: size.0, height: size.1, taps, border };
            let got = ops::warp_affine(&Image::Gray8(image.clone()), &params, &cx).unwrap();
            let sums = reference::warp::warp(&image, centres, size, reach as i64, (mode, constant));
            let wanted: Vec<u8> = sums.iter().map(|sum| ((sum + (1 << 21)) >> 22).clamp(0, 255) as u8).collect();
            prop_assert_eq!(got.plane_bytes(0), wanted, "{:?}", taps);
            let floats = Image::GrayF32(image.map(|value| f32::from(value) / 256.0));
            let params = Warp { border: Border { mode, value: f32::from(constant) / 256.0 }, ..params };
            let got = ops::warp_affine(&floats, &params, &cx).unwrap();
            for (&got, &sum) in values::<f32>(&got).iter().zip(&sums) {
                let wanted = sum as f64 / f64::from(1 << 30);
                prop_assert!((f64::from(got) - wanted).abs() <= 1e-6, "{got} for {wanted}");
            }
        }
    }

    #[test]
    fn cubic_and_lanczos_are_their_kernels(image in plane::<u8>(), size in (1usize..90, 1usize..30), isa in isa()) {
        prop_assume!(image.width() * image.height() > 0 && size != (image.width(), image.height()));
        let floats = image.map(|value| f32::from(value) / 256.0);
        for interpolation in [Interpolation::Bicubic, Interpolation::Lanczos] {
            let wanted = match interpolation {
                Interpolation::Bicubic => reference::warp::resize(&image, size, 2, reference::warp::cubic),
                _ => reference::warp::resize(&image, size, 4, reference::warp::lanczos),
            };
            let params = Resize { width: size.0, height: size.1, interpolation };
            let cx = context(isa, 2).with_strip_rows(5);
            let got = ops::resize(&Image::Gray8(image.clone()), &params, &cx).unwrap();
            for (&got, &wanted) in got.plane_bytes(0).iter().zip(&wanted) {
                // Weights in units of 1/2048, of eight taps twice.
                prop_assert!((f64::from(got) - wanted.clamp(0.0, 255.0)).abs() <= 2.0, "{got} for {wanted}");
            }
            let got = ops::resize(&Image::GrayF32(floats.clone()), &params, &cx).unwrap();
            for (&got, &wanted) in values::<f32>(&got).iter().zip(&wanted) {
                prop_assert!((f64::from(got) - wanted / 256.0).abs() <= 2e-4, "{got} for {}", wanted / 256.0);
            }
        }
    }
}

#[test]
fn gamma_rounds_the_power() {
    let ramp = Image::Gray8(Plane::from_fn(256, 1, |x, _| x as u8));
    let got =
        ops::gamma(&ramp, &ops::Gamma { gamma: 0.5, ..Default::default() }, &Context::default()).unwrap();
    for (value, &got) in got.plane_bytes(0).iter().enumerate() {
        // The square root of 255 v, compared in whole numbers: (2 got - 1)^2 <= 4 * 255 v <= (2 got + 1)^2.
        let (low, high) = (2 * i64::from(got) - 1, 2 * i64::from(got) + 1);
        let exact = 4 * 255 * value as i64;
        assert!((got == 0 || low * low <= exact) && exact <= high * high, "{got} for {value}");
    }
}

#[test]
fn colours_of_the_ends_are_those_of_the_tables() {
    use lyncean::ops::{Colormap, colormap};
    let ends = [
        (Colormap::Viridis, [68, 1, 84], [253, 231, 37]),
        (Colormap::Magma, [0, 0, 4], [252, 253, 191]),
        (Colormap::Inferno, [0, 0, 4], [252, 255, 164]),
        (Colormap::Gray, [0, 0, 0], [255, 255, 255]),
    ];
    for (map, first, last) in ends {
        let image = Image::GrayF32(Plane::from_vec(4, 1, vec![-0.5, f32::NAN, 1.0, 7.0]).unwrap());
        let got = colormap(&image, map, &Context::default()).unwrap();
        assert_eq!(
            got,
            Image::Rgb8(Plane::from_vec(4, 1, vec![first, first, last, last]).unwrap()),
            "{map:?}"
        );
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let cx = Context::default();
    let (small, large) = (Image::new(ImageType::Gray8, 3, 2), Image::new(ImageType::Gray8, 4, 2));
    let wide = Image::new(ImageType::Gray16, 3, 2);
    assert!(ops::arithmetic(&small, &large, Operation::Add, &cx).is_err());
    assert!(ops::arithmetic(&small, &wide, Operation::Add, &cx).is_err());
    assert!(ops::flat_field(&small, &large, None, &cx).is_err());
    assert!(ops::mask_apply(&small, &small, &ops::MaskApply::default(), &cx).is_err());
    assert!(ops::gamma(&small, &ops::Gamma { gamma: 0.0, ..Default::default() }, &cx).is_err());
    assert!(ops::clahe(&small, &Clahe { clip_limit: 2.0, tiles: (0, 1) }, &cx).is_err());
    assert!(ops::clahe(&wide, &Clahe { clip_limit: 2.0, tiles: (4096, 4096) }, &cx).is_err());
    assert!(
        ops::rolling_ball(&small, &RollingBall { radius: f64::NAN, ..RollingBall::default() }, &cx).is_err()
    );
    let range = Some([f64::NAN, f64::NAN]);
    assert!(ops::normalize(&small, &Normalize { percentiles: None, range }, &cx).is_err());
    let (width, height, map) = ops::warp::rotation(3, 2, f64::NAN, true);
    let warp = Warp { map, width, height, taps: Taps::Bilinear, border: Border::default() };
    assert!(ops::warp_affine(&small, &warp, &cx).is_err());
    let flat = Affine { rows: [[1.0, 2.0, 0.0], [2.0, 4.0, 0.0]] };
    assert!(ops::warp::from_centres(flat).is_err());
    assert_eq!(nearest(-3, 2), -2);
}
