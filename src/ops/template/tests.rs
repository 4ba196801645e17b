//! Both forms of sums against each other.

use proptest::prelude::*;

use super::*;
use crate::image::{Image, Rect};
use crate::ops::Context;

const GO_ON: Cancelled = &|| false;

fn scores<T: Sample>(
    isa: Isa,
    images: &[View<T>],
    templates: &[View<T>],
    method: Method,
    plan: Option<Plan>,
    threads: usize,
    cancelled: Cancelled,
) -> Result<Plane<f32>> {
    let support = Support::full(templates[0].width(), templates[0].height());
    masked_scores(isa, images, (templates, &support), method, plan, threads, cancelled)
}

fn masked_scores<T: Sample>(
    isa: Isa,
    images: &[View<T>],
    (templates, support): (&[View<T>], &Support),
    method: Method,
    plan: Option<Plan>,
    threads: usize,
    cancelled: Cancelled,
) -> Result<Plane<f32>> {
    Matcher::new(isa, templates, support, method).map(images, plan, threads, cancelled)
}

/// The scores of both forms, of pixels that are their own channel; those by blocks are the same whatever does the work.
fn both<T: Sample>(image: &Plane<T>, template: &Plane<T>, method: Method) -> (Plane<f32>, Plane<f32>) {
    both_masked(image, template, &Support::full(template.width(), template.height()), method)
}

fn both_masked<T: Sample>(
    image: &Plane<T>,
    template: &Plane<T>,
    support: &Support,
    method: Method,
) -> (Plane<f32>, Plane<f32>) {
    let (images, templates) = ([image.view()], [template.view()]);
    let size = (template.width(), template.height());
    let windows = (image.width() - size.0 + 1, image.height() - size.1 + 1);
    let run = |isa, plan, threads| {
        masked_scores(isa, &images, (&templates, support), method, plan, threads, GO_ON).unwrap()
    };
    let plan = Some(Plan::cheapest(windows, size));
    let blocks = run(Isa::best(), plan, 1);
    for isa in Isa::available() {
        for threads in [1, 3] {
            assert_eq!(run(isa, plan, threads), blocks, "{isa:?} {threads}");
        }
    }
    (run(Isa::best(), None, 1), blocks)
}

/// Some pixels of a template, at least one.
fn some_of(width: usize, height: usize, seed: u64) -> Support {
    let mut mask = Plane::from_fn(width, height, |x, y| {
        (seed.wrapping_mul((x * 977 + y * 131 + 7) as u64) >> 29 & 3).min(1) as u8
    });
    mask.set(width / 3, height / 2, 1);
    Support::of(mask.view()).unwrap()
}

fn pictures() -> impl Strategy<Value = (Plane<u16>, Plane<u16>)> {
    let top = prop_oneof![Just(1u16), Just(3), Just(256), Just(65535)];
    ((1usize..20, 1usize..20), (0usize..60, 0usize..50), top, any::<u64>()).prop_map(
        |((w, h), (dx, dy), top, seed)| {
            let value = |salt: usize, x: usize, y: usize| {
                let mixed = (seed ^ salt as u64)
                    .wrapping_add((x * 8191 + y) as u64)
                    .wrapping_mul(0x9e37_79b9_7f4a_7c15);
                ((mixed >> 40) % (u64::from(top) + 1)) as u16
            };
            let image = Plane::from_fn(w + dx, h + dy, |x, y| value(0, x, y));
            // Half of all templates are there.
            let template = if seed % 2 == 0 {
                image.view().crop(Rect::new(dx / 2, dy / 3, w, h)).unwrap().to_plane()
            } else {
                Plane::from_fn(w, h, |x, y| value(1, x, y))
            };
            (image, template)
        },
    )
}

/// How far the forms may differ: what is stated for sums, and a unit in the last place of the score.
fn assert_close(image: &Plane<f32>, template: &Plane<f32>, method: Method) -> Plane<f32> {
    assert_close_masked(image, template, &Support::full(template.width(), template.height()), method)
}

fn assert_close_masked(
    image: &Plane<f32>,
    template: &Plane<f32>,
    support: &Support,
    method: Method,
) -> Plane<f32> {
    let (direct, blocks) = both_masked(image, template, support, method);
    let norm = |plane: View<f32>| -> f64 {
        let values = support.runs().iter().flat_map(|run| run.of(plane));
        values.map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt()
    };
    let size = (template.width(), template.height());
    for y in 0..direct.height() {
        for x in 0..direct.width() {
            let (a, b) = (f64::from(direct.get(x, y)), f64::from(blocks.get(x, y)));
            let window = image.view().crop(Rect::new(x, y, size.0, size.1)).unwrap();
            let scale = match method {
                Method::SquaredDifference => a,
                Method::CrossCorrelation | Method::CorrelationCoefficient => {
                    norm(template.view()) * norm(window)
                }
                _ => 1.0,
            };
            // Windows with pixels that are not finite are summed directly.
            let allowed = 1.2e-7 * a.abs() + if scale.is_finite() { 2e-8 * scale } else { 0.0 };
            assert!(b.is_finite() && (a - b).abs() <= allowed, "{method:?} ({x}, {y}): {a} and {b}");
        }
    }
    blocks
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn masked_scores_are_the_same_by_blocks((image, template) in pictures(), seed in any::<u64>(), offset in 0u8..3) {
        let support = some_of(template.width(), template.height(), seed);
        let float = |v: u16| f32::from(v) / 255.0 + [0.0, -3.5, 900.0][usize::from(offset)];
        for method in Method::ALL {
            let (direct, blocks) = both_masked(&image, &template, &support, method);
            prop_assert_eq!(direct, blocks);
            let (direct, blocks) = both_masked(&image.map(|v| v as u8), &template.map(|v| v as u8), &support, method);
            prop_assert_eq!(direct, blocks);
            assert_close_masked(&image.map(float), &template.map(float), &support, method);
        }
    }

    #[test]
    fn integers_score_the_same_by_blocks((image, template) in pictures()) {
        for method in Method::ALL {
            let (direct, blocks) = both(&image, &template, method);
            prop_assert_eq!(direct, blocks);
            let (direct, blocks) = both(&image.map(|v| v as u8), &template.map(|v| v as u8), method);
            prop_assert_eq!(direct, blocks);
        }
    }

    #[test]
    fn floats_score_nearly_the_same_by_blocks((image, template) in pictures(), offset in 0u8..3) {
        let float = |v: u16| f32::from(v) / 255.0 + [0.0, -3.5, 900.0][usize::from(offset)];
        for method in Method::ALL {
            assert_close(&image.map(float), &template.map(float), method);
        }
    }
}

#[test]
fn bright_spots_and_odd_pixels_spoil_no_other_windows() {
    let mut image =
        Plane::from_fn(90, 70, |x, y| if x < 40 { ((x * 7 + y * y) % 23) as f32 * 1e-3 } else { 0.0 });
    image.set(80, 3, 1e12);
    image.set(11, 60, f32::MAX);
    image.set(30, 60, f32::NAN);
    image.set(31, 61, f32::INFINITY);
    let template = image.view().crop(Rect::new(12, 20, 9, 7)).unwrap().to_plane();
    for method in Method::ALL {
        let blocks = assert_close(&image, &template, method);
        if method.lower_is_better() {
            assert_eq!(blocks.get(12, 20), 0.0);
        }
    }
}

#[test]
fn templates_of_several_pieces_and_bytes_apart_are_exact() {
    // More pieces than are kept, words so bright that their bytes are transformed apart, and colours.
    for (w, h) in [(600, 530), (300, 40)] {
        let image =
            Plane::from_fn(w + 19, h + 17, |x, y| (65535 - (x * 31 + y * 17 + (x * y) % 251) % 900) as u16);
        let template = image.view().crop(Rect::new(3, 5, w, h)).unwrap().to_plane();
        for method in [Method::SquaredDifference, Method::CorrelationCoefficientNormed] {
            let (direct, blocks) = both(&image, &template, method);
            assert_eq!(direct, blocks);
        }
    }
    let channels = |plane: &Plane<u16>| [1, 5, 9].map(|by| plane.map(|v| (v / by) as u8));
    let image = Plane::from_fn(140, 90, |x, y| ((x * 37 + y * 91) % 256 * 9) as u16);
    let template = image.view().crop(Rect::new(50, 20, 40, 30)).unwrap().to_plane();
    let (images, templates) = (channels(&image), channels(&template));
    let (images, templates) = (views(&images), views(&templates));
    for method in Method::ALL {
        let plan = Some(Plan::cheapest((101, 61), (40, 30)));
        let blocks = scores(Isa::best(), &images, &templates, method, plan, 2, GO_ON).unwrap();
        assert_eq!(blocks, scores(Isa::best(), &images, &templates, method, None, 1, GO_ON).unwrap());
    }
}

/// The scores by quick transforms, the same whatever does the work, and how far they may be off.
fn quickly(images: &[View<u8>], templates: &[View<u8>], method: Method) -> (Plane<f32>, f64) {
    let size = (templates[0].width(), templates[0].height());
    let support = Support::full(size.0, size.1);
    let windows = (images[0].width() - size.0 + 1, images[0].height() - size.1 + 1);
    let plan = Plan::cheapest(windows, size);
    let run = |isa, threads| {
        quick::map(&Matcher::new(isa, templates, &support, method), images, plan, threads, GO_ON).unwrap()
    };
    let scores = run(Isa::best(), 1);
    for isa in Isa::available() {
        for threads in [1, 3] {
            assert_eq!(run(isa, threads), scores, "{isa:?} {threads} {method:?}");
        }
    }
    (scores, quick::slack(&Matcher::new(Isa::best(), templates, &support, method), plan))
}

/// Of those scores the most that one is off, as a share of what it may be.
fn check_quick(images: &[View<u8>], templates: &[View<u8>]) -> f64 {
    let mut most = 0.0f64;
    for method in Method::ALL {
        let (got, slack) = quickly(images, templates, method);
        let exact = scores(Isa::best(), images, templates, method, None, 1, GO_ON).unwrap();
        for (at, (got, exact)) in got.as_slice().iter().zip(exact.as_slice()).enumerate() {
            let (got, exact) = (f64::from(*got), f64::from(*exact));
            // A unit in the last place of the score is not of the sums.
            let allowed = slack * if method.lower_is_better() { exact } else { 1.0 } + 1.2e-7 * exact.abs();
            assert!((got - exact).abs() <= allowed, "{method:?} {at}: {got} and {exact}");
            if slack > 0.0 && exact != 0.0 {
                let share = if method.lower_is_better() { slack * exact } else { slack };
                most = most.max((got - exact).abs() / share);
            }
        }
    }
    most
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn quick_scores_are_nearly_exact((image, template) in pictures()) {
        let (image, template) = (image.map(|v| v as u8), template.map(|v| v as u8));
        check_quick(&[image.view()], &[template.view()]);
    }
}

#[test]
fn quick_scores_hold_beside_bright_edges_and_in_flat_places() {
    // Half black and half white, a faint texture, a single gray level, and nothing at all.
    let image = Plane::from_fn(300, 160, |x, y| match (x / 100, y / 80) {
        (0, 0) => 255 * u8::from(x > 40),
        (1, 0) => 120 + ((x * 7 + y * 13 + x * y) % 3) as u8,
        (2, 0) => 9 + u8::from(x == 250 && y == 33),
        (0, 1) => 0,
        (1, 1) => ((x * x + 3 * y * x + y * 31) % 251) as u8,
        _ => 200 + (x % 50) as u8,
    });
    for (x, y, w, h) in
        [(30, 20, 24, 24), (110, 10, 20, 31), (230, 20, 33, 17), (5, 100, 16, 16), (120, 90, 64, 40)]
    {
        let template = image.view().crop(Rect::new(x, y, w, h)).unwrap().to_plane();
        // What is reckoned with is many times what there is.
        let share = check_quick(&[image.view()], &[template.view()]);
        assert!(share < 0.25, "{share} at {x} {y}");
        let colours = [1u8, 3, 7].map(|by| image.map(|v| v / by));
        let templates = [1u8, 3, 7].map(|by| template.map(|v| v / by));
        check_quick(&views(&colours), &views(&templates));
    }
}

#[test]
fn quick_scores_of_matches_are_exact() {
    let image = Plane::from_fn(400, 300, |x, y| ((x * x * 3 + y * y * 5 + x * y * 7) / 11 % 256) as u8);
    let template = image.view().crop(Rect::new(170, 90, 48, 40)).unwrap().to_plane();
    let (images, cx) = ((Image::Gray8(image), Image::Gray8(template)), Context::default());
    for method in Method::ALL {
        let perfect = if method.lower_is_better() { 0.0 } else { 1.0 };
        let threshold = if method.is_normed() { perfect } else { f32::MAX * (1.0 - 2.0 * perfect) };
        let best = BestMatches { threshold, max_count: 5, max_overlap: 0.3 };
        let (found, scores) = matches_of(&images.0, &images.1, method, &best, &cx).unwrap();
        let exact = BestMatches { max_count: 100_000, ..best };
        let (all, exact) = matches_of(&images.0, &images.1, method, &exact, &cx).unwrap();
        assert_eq!(found[..], all[..found.len()], "{method:?}");
        assert!(
            found.len() == all.len().min(5) && (method == Method::CrossCorrelation || found[0].rect.x == 170)
        );
        for found in &found {
            assert_eq!(scores.get(found.rect.x, found.rect.y), exact.get(found.rect.x, found.rect.y));
        }
    }
}

#[test]
fn blocks_stop_when_told_to() {
    let image = Plane::<u8>::new(200, 200);
    let template = Plane::<u8>::new(30, 30);
    let stopped = match_template(Isa::best(), image.view(), template.view(), Method::default(), 1, &|| true);
    assert_eq!(stopped.unwrap_err().kind(), crate::ErrorKind::Cancelled);
}
