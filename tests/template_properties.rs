//! Template matching against its definition, and what must be true of any score.

use lyncean::image::{Pixel, Plane, Rect};
use lyncean::kernel::Isa;
use lyncean::ops::Cancelled;
use lyncean::ops::nms::nms;
use lyncean::ops::template::{
    BestMatches, Channels, Method, best_matches, match_masked_template, match_template,
};
use lyncean::reference;
use proptest::prelude::*;

const GO_ON: Cancelled = &|| false;

fn run<P: Channels>(image: &Plane<P>, template: &Plane<P>, method: Method) -> Plane<f32> {
    match_template(Isa::best(), image.view(), template.view(), method, 1, GO_ON).unwrap()
}

/// An image and a template that fits, of values below `top`, some of them flat.
fn pictures(top: u16) -> impl Strategy<Value = (Plane<u16>, Plane<u16>)> {
    (1usize..8, 1usize..7, 0usize..40, 0usize..20, prop_oneof![Just(1), Just(4), Just(top)]).prop_flat_map(
        |(w, h, dx, dy, top)| {
            let plane = move |w: usize, h: usize| {
                prop::collection::vec(0..top, w * h)
                    .prop_map(move |data| Plane::from_vec(w, h, data).unwrap())
            };
            (plane(w + dx, h + dy), plane(w, h))
        },
    )
}

fn rgb<T: Pixel>(plane: &Plane<T>, shift: usize) -> Plane<[T; 3]>
where
    [T; 3]: Pixel,
{
    let data = plane.as_slice();
    let channel = |i: usize, c: usize| data[(i + c * shift) % data.len()];
    let pixels = (0..data.len()).map(|i| [channel(i, 0), channel(i, 1), channel(i, 2)]).collect();
    Plane::from_vec(plane.width(), plane.height(), pixels).unwrap()
}

/// Compares with the definition, within a few units of the last place of what is summed.
fn compare<P: Channels>(image: &Plane<P>, template: &Plane<P>, floats: impl Fn(P) -> Vec<f64> + Copy) {
    compare_masked(image, template, None, floats);
}

fn compare_masked<P: Channels>(
    image: &Plane<P>,
    template: &Plane<P>,
    mask: Option<&Plane<u8>>,
    floats: impl Fn(P) -> Vec<f64> + Copy,
) {
    use reference::template as twin;
    let planes = |plane: &Plane<P>| -> Vec<Plane<f64>> {
        (0..P::CHANNELS).map(|c| plane.map(|pixel| floats(pixel)[c])).collect()
    };
    let (images, templates) = (planes(image), planes(template));
    let all = images.iter().chain(&templates).flat_map(|plane| plane.as_slice());
    let energy =
        all.fold(1.0, |most: f64, value| most.max(value * value)) * (template.as_slice().len() * 3) as f64;
    for method in Method::ALL {
        let definition = match method {
            Method::SquaredDifference => twin::squared_difference,
            Method::SquaredDifferenceNormed => twin::squared_difference_normed,
            Method::CrossCorrelation => twin::cross_correlation,
            Method::CrossCorrelationNormed => twin::cross_correlation_normed,
            Method::CorrelationCoefficient => twin::correlation_coefficient,
            Method::CorrelationCoefficientNormed => twin::correlation_coefficient_normed,
        };
        let expected = definition(&images, &templates, mask);
        let run = |isa, threads| match mask {
            None => match_template(isa, image.view(), template.view(), method, threads, GO_ON),
            Some(mask) => {
                let template = (template.view(), mask.view());
                match_masked_template(isa, image.view(), template, method, threads, GO_ON)
            }
        };
        let scale = if method.is_normed() { 1.0 } else { energy };
        let first = run(Isa::best(), 1).unwrap();
        assert_eq!((first.width(), first.height()), (expected.width(), expected.height()));
        for (got, expected) in first.as_slice().iter().zip(expected.as_slice()) {
            assert!(got.is_finite());
            assert!((f64::from(*got) - expected).abs() <= 1e-6 * scale, "{method:?}: {got} for {expected}");
        }
        for isa in Isa::available() {
            for threads in [1, 2] {
                assert_eq!(run(isa, threads).unwrap(), first, "{isa:?} {threads}");
            }
        }
    }
}

/// A mask of the size of a template: no pixel alone, all of them, or some.
fn mask_of(width: usize, height: usize, seed: u64) -> Plane<u8> {
    let value = |x: usize, y: usize| seed.wrapping_mul((x * 977 + y * 131 + 7) as u64) >> 29;
    let mut mask = Plane::from_fn(width, height, |x, y| match seed % 4 {
        0 => 255,
        1 => u8::from(x == y),
        _ => {
            if value(x, y) % 3 == 0 {
                0
            } else {
                (value(x, y) % 255) as u8 + 1
            }
        }
    });
    mask.set(width / 2, height / 2, 1);
    mask
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn scores_are_those_of_the_definition((image, template) in pictures(256)) {
        let bytes = |plane: &Plane<u16>| plane.map(|value| value as u8);
        compare(&bytes(&image), &bytes(&template), |value| vec![f64::from(value)]);
        compare(&rgb(&bytes(&image), 5), &rgb(&bytes(&template), 3), |v| v.map(f64::from).to_vec());
    }

    #[test]
    fn scores_of_words_and_floats_are_those_of_the_definition((image, template) in pictures(u16::MAX)) {
        compare(&image, &template, |value| vec![f64::from(value)]);
        let floats = |plane: &Plane<u16>| plane.map(|value| f32::from(value) / 65535.0 - 0.25);
        compare(&floats(&image), &floats(&template), |value| vec![f64::from(value)]);
        compare(&rgb(&floats(&image), 7), &rgb(&floats(&template), 2), |v| v.map(f64::from).to_vec());
    }

    #[test]
    fn masked_scores_are_those_of_the_definition((image, template) in pictures(u16::MAX), seed in any::<u64>()) {
        let mask = mask_of(template.width(), template.height(), seed);
        let bytes = |plane: &Plane<u16>| plane.map(|value| value as u8);
        compare_masked(&bytes(&image), &bytes(&template), Some(&mask), |value| vec![f64::from(value)]);
        compare_masked(&rgb(&bytes(&image), 5), &rgb(&bytes(&template), 3), Some(&mask), |v| v.map(f64::from).to_vec());
        compare_masked(&image, &template, Some(&mask), |value| vec![f64::from(value)]);
        compare_masked(&rgb(&image, 5), &rgb(&template, 3), Some(&mask), |v| v.map(f64::from).to_vec());
        let floats = |plane: &Plane<u16>| plane.map(|value| f32::from(value) / 65535.0 - 0.25);
        compare_masked(&floats(&image), &floats(&template), Some(&mask), |value| vec![f64::from(value)]);
        compare_masked(&rgb(&floats(&image), 7), &rgb(&floats(&template), 2), Some(&mask), |v| v.map(f64::from).to_vec());
    }

    #[test]
    fn masked_templates_are_found_whatever_lies_outside_the_mask(
        (image, other) in pictures(256), at in (0usize..1000, 0usize..1000), seed in any::<u64>(),
    ) {
        let (w, h) = (other.width(), other.height());
        let mask = mask_of(w, h, seed);
        let (x, y) = (at.0 % (image.width() - w + 1), at.1 % (image.height() - h + 1));
        let inside = |i: usize, j: usize| mask.get(i, j) != 0;
        let template = Plane::from_fn(w, h, |i, j| if inside(i, j) { image.get(x + i, y + j) } else { other.get(i, j) });
        let template = template.map(|value| value as u8);
        let image = image.map(|value| value as u8);
        let score = |method| {
            match_masked_template(Isa::best(), image.view(), (template.view(), mask.view()), method, 1, GO_ON).unwrap()
        };
        prop_assert_eq!(score(Method::SquaredDifference).get(x, y), 0.0);
        let picked: Vec<u8> = (0..w * h).filter(|k| mask.as_slice()[*k] != 0).map(|k| template.as_slice()[k]).collect();
        let flat = picked.iter().all(|value| *value == picked[0]);
        prop_assert_eq!(score(Method::CorrelationCoefficientNormed).get(x, y), if flat { 0.0 } else { 1.0 });
        // A mask that is nowhere 0 is none.
        let full = Plane::filled(w, h, 3u8);
        for method in Method::ALL {
            let masked = match_masked_template(Isa::best(), image.view(), (template.view(), full.view()), method, 1, GO_ON);
            prop_assert_eq!(masked.unwrap(), run(&image, &template, method));
        }
    }

    #[test]
    fn squared_differences_of_integers_are_exact((image, template) in pictures(256), seed in any::<u64>()) {
        let mask = mask_of(template.width(), template.height(), seed);
        let image = image.map(|value| value as u8);
        let template = template.map(|value| value as u8);
        let (images, templates) = ([image.map(f64::from)], [template.map(f64::from)]);
        let expected = reference::template::squared_difference(&images, &templates, None);
        let got = run(&image, &template, Method::SquaredDifference);
        prop_assert_eq!(got, expected.map(|value| value as f32));
        let expected = reference::template::squared_difference(&images, &templates, Some(&mask));
        let masked = (template.view(), mask.view());
        let got = match_masked_template(Isa::best(), image.view(), masked, Method::SquaredDifference, 1, GO_ON);
        prop_assert_eq!(got.unwrap(), expected.map(|value| value as f32));
    }

    #[test]
    fn planted_templates_are_found(
        (image, _) in pictures(256), at in (0usize..1000, 0usize..1000), size in (1usize..8, 1usize..7),
    ) {
        let image = image.map(|value| value as u8);
        let (w, h) = (size.0.min(image.width()), size.1.min(image.height()));
        let (x, y) = (at.0 % (image.width() - w + 1), at.1 % (image.height() - h + 1));
        let template = image.view().crop(Rect::new(x, y, w, h)).unwrap().to_plane();
        let flat = template.as_slice().iter().all(|value| *value == template.as_slice()[0]);
        prop_assert_eq!(run(&image, &template, Method::SquaredDifference).get(x, y), 0.0);
        let score = run(&image, &template, Method::CorrelationCoefficientNormed).get(x, y);
        prop_assert_eq!(score, if flat { 0.0 } else { 1.0 });
    }

    #[test]
    fn gain_and_offset_of_the_image_do_not_matter((image, template) in pictures(80), gain in 1u16..4, offset in 0u16..15) {
        let template = template.map(|value| value as u8);
        let plain = image.map(|value| value as u8);
        let changed = image.map(|value| (gain * value + offset) as u8);
        let before = run(&plain, &template, Method::CorrelationCoefficientNormed);
        let after = run(&changed, &template, Method::CorrelationCoefficientNormed);
        for (a, b) in before.as_slice().iter().zip(after.as_slice()) {
            prop_assert!((a - b).abs() <= f32::EPSILON);
        }
    }

    #[test]
    fn best_matches_are_those_of_suppressing_boxes(
        scores in prop::collection::vec(-4i16..40, 600), size in (1usize..9, 1usize..4), overlap in 0u8..11, max_count in 0usize..60,
    ) {
        let scores = Plane::from_vec(150, 4, scores).unwrap().map(f32::from);
        let params = BestMatches { threshold: 20.0, max_count, max_overlap: f64::from(overlap) / 10.0 };
        let boxes: Vec<[f64; 4]> =
            (0..600).map(|i| [(i % 150) as f64, (i / 150) as f64, size.0 as f64, size.1 as f64]).collect();
        for method in [Method::SquaredDifference, Method::CorrelationCoefficientNormed] {
            let sign = if method.lower_is_better() { -1.0 } else { 1.0 };
            let quality: Vec<f64> = scores.as_slice().iter().map(|score| sign * f64::from(*score)).collect();
            let good = |i: &usize| quality[*i] >= 20.0 * sign;
            let expected: Vec<usize> =
                nms(&boxes, &quality, params.max_overlap, 600).into_iter().filter(good).take(max_count).collect();
            let got = best_matches(scores.view(), size, method, &params);
            let got: Vec<usize> = got.iter().map(|found| found.rect.y * 150 + found.rect.x).collect();
            prop_assert_eq!(got, expected);
        }
    }
}

#[test]
fn scores_that_are_no_numbers_are_no_matches() {
    let params = BestMatches { threshold: f32::NEG_INFINITY, max_count: 9, max_overlap: 0.0 };
    let mut scores = Plane::filled(200, 3, f32::NAN);
    let found = |scores: &Plane<f32>| best_matches(scores.view(), (2, 2), Method::CrossCorrelation, &params);
    assert_eq!(found(&scores), []);
    scores.set(70, 1, f32::NEG_INFINITY);
    scores.set(199, 2, -3.0);
    scores.set(198, 2, -4.0);
    let places: Vec<_> = found(&scores).iter().map(|found| (found.rect.x, found.rect.y)).collect();
    assert_eq!(places, [(199, 2), (70, 1)]);
}

#[test]
fn sums_of_large_bright_templates_do_not_overflow() {
    // 70,000 pixels of 255: more than a 32-bit sum holds.
    let image = Plane::filled(351, 201, 255u8);
    let template = Plane::filled(350, 200, 255u8);
    let sums = run(&image, &template, Method::CrossCorrelation);
    assert_eq!(sums.as_slice(), [(70_000.0 * 255.0 * 255.0) as f32; 4]);
    // A row of more pixels than one tile has.
    let image = Plane::filled(70_003, 2, 255u8);
    let template = Plane::from_fn(70_001, 2, |x, _| if x % 2 == 0 { 255u8 } else { 254 });
    let expected = 2.0 * 255.0 * (35_001.0 * 255.0 + 35_000.0 * 254.0);
    let sums = run(&image, &template, Method::CrossCorrelation);
    assert_eq!(sums.as_slice(), [expected as f32; 3]);
}

#[test]
fn templates_of_several_tiles_score_like_those_of_one() {
    // Bytes are summed in tiles of 66,051 pixels, words in one piece.
    for (w, h) in [(257, 260), (66_060, 2)] {
        let image = Plane::from_fn(w + 2, h + 1, |x, y| ((x * 7 + y * 13 + (x * y) % 97) % 256) as u8);
        let template = image.view().crop(Rect::new(1, 1, w, h)).unwrap().to_plane();
        let words = (image.map(u16::from), template.map(u16::from));
        for method in [Method::SquaredDifference, Method::CorrelationCoefficientNormed] {
            assert_eq!(run(&image, &template, method), run(&words.0, &words.1, method), "{w}x{h}");
        }
        assert_eq!(run(&image, &template, Method::SquaredDifference).get(1, 1), 0.0);
    }
}

#[test]
fn coefficients_of_large_words_do_not_overflow() {
    // 240 x 240 pixels: n² times the variance passes 2^63.
    let image = Plane::from_fn(242, 241, |x, y| if (x / 7 + y / 5) % 2 == 0 { 65535u16 } else { 0 });
    let template = image.view().crop(Rect::new(1, 0, 240, 240)).unwrap().to_plane();
    let flipped = template.map(|value| 65535 - value);
    let scores = run(&image, &template, Method::CorrelationCoefficientNormed);
    let opposite = run(&image, &flipped, Method::CorrelationCoefficientNormed);
    assert_eq!((scores.get(1, 0), opposite.get(1, 0)), (1.0, -1.0));
    assert!(scores.get(0, 0) < 0.9);
}

#[test]
fn flat_float_windows_far_from_zero_are_flat() {
    let image = Plane::filled(40, 40, 0.1f32 + 1000.0);
    let template = Plane::from_fn(9, 9, |x, y| (x * y) as f32);
    let scores = run(&image, &template, Method::CorrelationCoefficientNormed);
    assert!(scores.as_slice().iter().all(|score| *score == 0.0));
    let flat = Plane::filled(9, 9, 0.1f32);
    let image = Plane::from_fn(40, 40, |x, y| (x * y) as f32);
    let scores = run(&image, &flat, Method::CorrelationCoefficientNormed);
    assert!(scores.as_slice().iter().all(|score| *score == 0.0));
}

#[test]
fn scores_are_finite_whatever_the_pixels() {
    let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, 0.0, 1.0];
    let image = Plane::from_fn(7, 7, |x, y| odd[(x + 3 * y) % 7]);
    let template = Plane::from_fn(2, 2, |x, y| odd[(x + y + 3) % 7]);
    for method in Method::ALL {
        assert!(
            run(&image, &template, method).as_slice().iter().all(|score| score.is_finite()),
            "{method:?}"
        );
    }
}

#[test]
fn masked_scores_are_finite_and_flat_parts_are_flat() {
    let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, 0.0, 1.0];
    let image = Plane::from_fn(7, 7, |x, y| odd[(x + 3 * y) % 7]);
    let template = Plane::from_fn(2, 2, |x, y| odd[(x + y + 3) % 7]);
    let mask = Plane::from_vec(2, 2, vec![1u8, 0, 0, 9]).unwrap();
    let score = |image: &Plane<f32>, template: &Plane<f32>, mask: &Plane<u8>, method| {
        match_masked_template(Isa::best(), image.view(), (template.view(), mask.view()), method, 1, GO_ON)
            .unwrap()
    };
    for method in Method::ALL {
        let scores = score(&image, &template, &mask, method);
        let range = if method.is_normed() { 1.0 } else { f32::MAX };
        assert!(scores.as_slice().iter().all(|score| score.abs() <= range), "{method:?}");
    }
    // Flat where the mask looks, and far from zero; the rest varies.
    let mask = Plane::from_fn(9, 9, |x, y| u8::from((x + y) % 2 == 0));
    let flat = Plane::from_fn(9, 9, |x, y| if (x + y) % 2 == 0 { 1000.1 } else { x as f32 });
    let varied = Plane::from_fn(40, 40, |x, y| (x * y) as f32);
    let board = Plane::from_fn(40, 40, |x, y| if (x + y) % 2 == 0 { 1000.1 } else { y as f32 });
    let method = Method::CorrelationCoefficientNormed;
    assert!(score(&varied, &flat, &mask, method).as_slice().iter().all(|score| *score == 0.0));
    let template = Plane::from_fn(9, 9, |x, y| (x * y) as f32);
    let scores = score(&board, &template, &mask, method);
    let seen = |x: usize, y: usize| scores.get(x, y) == 0.0;
    assert!((0..32).all(|y| (0..32).all(|x| seen(x, y) == ((x + y) % 2 == 0))));
}

#[test]
fn templates_that_do_not_fit_are_refused() {
    let image = Plane::<u8>::new(4, 3);
    let refused = |w: usize, h: usize| {
        let template = Plane::<u8>::new(w, h);
        match_template(Isa::best(), image.view(), template.view(), Method::default(), 1, GO_ON).unwrap_err()
    };
    assert_eq!(refused(5, 1).to_string(), "a template of 5x1 is larger than the image of 4x3");
    assert_eq!(refused(0, 3).to_string(), "the template has no pixels");
    assert!(run(&image, &image, Method::SquaredDifference).as_slice() == [0.0]);
    let masked = |mask: &Plane<u8>| {
        let template = (image.view(), mask.view());
        match_masked_template(Isa::best(), image.view(), template, Method::default(), 1, GO_ON).unwrap_err()
    };
    let error = masked(&Plane::new(4, 3));
    assert_eq!(error.message(), "the mask of 4x3 is 0 everywhere");
    assert_eq!(error.kind(), lyncean::ErrorKind::Shape);
    let error = masked(&Plane::filled(3, 4, 1));
    assert_eq!(error.to_string(), "the mask of 3x4 is not of the template's size of 4x3");
}
