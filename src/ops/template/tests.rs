//! Both forms of sums against each other.

use proptest::prelude::*;

use super::*;
use crate::image::Rect;

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

#[test]
fn blocks_stop_when_told_to() {
    let image = Plane::<u8>::new(200, 200);
    let template = Plane::<u8>::new(30, 30);
    let stopped = match_template(Isa::best(), image.view(), template.view(), Method::default(), 1, &|| true);
    assert_eq!(stopped.unwrap_err().kind(), crate::ErrorKind::Cancelled);
}
