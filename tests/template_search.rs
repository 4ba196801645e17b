//! Templates looked for at scales and angles, and to a fraction of a pixel: pictures are drawn from formulas, so that where
//! a template lies is known without any of the code that looks for it.

use std::sync::Arc;

use lyncean::image::{Image, Plane};
use lyncean::kernel::Isa;
use lyncean::ops::Context;
use lyncean::ops::nms::nms;
use lyncean::ops::template::{
    BestMatches, FindTemplates, Found, Method, Steps, Template, find_templates, match_masked_template,
    match_template,
};
use proptest::prelude::*;

/// A smooth picture without symmetry, 0 to 255: at `(u, v)` pixels, of period far above the template's size.
fn pattern(u: f64, v: f64, seed: f64) -> f64 {
    let waves = (u * 0.31 + seed).sin()
        + (v * 0.23 - 0.1 * u + 2.0 * seed).sin()
        + (0.17 * (u + v) + 0.012 * u * v).cos();
    127.5 + 40.0 * waves
}

/// A smooth picture that changes alike in all directions.
fn waves(u: f64, v: f64, seed: f64) -> f64 {
    let straight = (u * 0.31 + seed).sin() + (v * 0.29 + 2.0 * seed).sin();
    127.5 + 25.0 * (straight + (0.2 * (u + v) + seed).cos() + (0.23 * (u - v) + 3.0 * seed).cos())
}

const SIZE: (usize, usize) = (36, 30);

fn template(seed: f64) -> Template {
    template_of(pattern, seed)
}

fn template_of(pattern: fn(f64, f64, f64) -> f64, seed: f64) -> Template {
    let picture =
        Plane::from_fn(SIZE.0, SIZE.1, |x, y| pattern(x as f64 + 0.5, y as f64 + 0.5, seed).round() as u8);
    Template::new(Arc::new(Image::Gray8(picture)), None).unwrap()
}

/// An image with the pattern's template about `(x, y)`, scaled and turned counter-clockwise, on a ground of another pattern.
fn scene(
    (width, height): (usize, usize),
    seed: f64,
    (x, y): (f64, f64),
    scale: f64,
    degrees: f64,
) -> Plane<u8> {
    let (sin, cos) = degrees.to_radians().sin_cos();
    Plane::from_fn(width, height, |i, j| {
        let (dx, dy) = ((i as f64 + 0.5 - x) / scale, (j as f64 + 0.5 - y) / scale);
        // Up is where y falls, so that counter-clockwise is this way.
        let (u, v) = (cos * dx - sin * dy + SIZE.0 as f64 / 2.0, sin * dx + cos * dy + SIZE.1 as f64 / 2.0);
        let inside = (0.0..SIZE.0 as f64).contains(&u) && (0.0..SIZE.1 as f64).contains(&v);
        let ground = 120.0 + 35.0 * ((i as f64 * 0.7).sin() + (j as f64 * 0.9 + i as f64 * 0.2).cos());
        (if inside { pattern(u, v, seed) } else { ground }).round() as u8
    })
}

fn params() -> FindTemplates {
    FindTemplates {
        best: BestMatches { threshold: 0.7, max_count: 3, ..BestMatches::default() },
        scales: Steps { min: 0.8, max: 1.3, step: 0.1 },
        angles: Steps { min: -180.0, max: 175.0, step: 5.0 },
        ..FindTemplates::default()
    }
}

fn find(image: &Plane<u8>, templates: &[Template], params: &FindTemplates) -> Vec<Found> {
    find_templates(&Image::Gray8(image.clone()), templates, params, &Context::default()).unwrap().0
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn planted_templates_are_found_within_a_pixel_and_a_step(
        at in (0.0f64..1.0, 0.0f64..1.0), scale in 0.8f64..1.3, degrees in -180.0f64..175.0, seed in 0u8..20,
    ) {
        let (width, height) = (150, 130);
        // As far from the edge as half the diagonal.
        let reach = scale * (SIZE.0 as f64).hypot(SIZE.1 as f64) / 2.0 + 1.0;
        let place = |share: f64, length: usize| reach + share * (length as f64 - 2.0 * reach);
        let (x, y) = (place(at.0, width), place(at.1, height));
        let seed = f64::from(seed) * 0.37;
        let found = find(&scene((width, height), seed, (x, y), scale, degrees), &[template(seed)], &params());
        prop_assert!(!found.is_empty(), "nothing at {} {} {} {}", x, y, scale, degrees);
        let best = &found[0];
        prop_assert!((best.center[0] - x).abs() <= 1.0 && (best.center[1] - y).abs() <= 1.0, "{:?} for {} {}", best, x, y);
        prop_assert!((best.scale - scale).abs() <= 0.1, "{:?} for {}", best, scale);
        let apart = (best.angle - degrees + 540.0).rem_euclid(360.0) - 180.0;
        prop_assert!(apart.abs() <= 5.0, "{:?} for {}", best, degrees);
    }

    #[test]
    fn peaks_are_found_between_pixels(x in 40.0f64..42.0, y in 38.0f64..40.0, seed in 0u8..20) {
        let seed = f64::from(seed) * 0.37;
        // The pattern goes on beyond the template, as pictures do.
        let value = |i: usize, from: f64, side: usize| i as f64 + 0.5 - from + side as f64 / 2.0;
        let image = Plane::from_fn(80, 76, |i, j| waves(value(i, x, SIZE.0), value(j, y, SIZE.1), seed).round() as u8);
        for method in [Method::SquaredDifference, Method::SquaredDifferenceNormed, Method::CorrelationCoefficientNormed] {
            let best = BestMatches { threshold: if method.lower_is_better() { f32::MAX } else { 0.5 }, max_count: 1, max_overlap: 0.0 };
            let params = FindTemplates { method, best, subpixel: true, ..FindTemplates::default() };
            let found = find(&image, &[template_of(waves, seed)], &params);
            let [cx, cy] = found[0].center;
            prop_assert!((cx - x).abs() < 0.1 && (cy - y).abs() < 0.1, "{:?}: {} {} for {} {}", method, cx, cy, x, y);
            let whole = find(&image, &[template_of(waves, seed)], &FindTemplates { subpixel: false, ..params });
            prop_assert_eq!(whole[0].score, found[0].score);
            prop_assert!((whole[0].center[0] - cx).abs() <= 0.5 && (whole[0].center[1] - cy).abs() <= 0.5);
        }
    }
}

/// Every scale and angle at every place, one after the other, then all boxes at once.
fn everything(
    image: &Plane<u8>,
    templates: &[Template],
    params: &FindTemplates,
) -> Vec<(usize, f64, f64, [f64; 2], f32)> {
    let (mut boxes, mut scores, mut all) = (Vec::new(), Vec::new(), Vec::new());
    for (t, template) in templates.iter().enumerate() {
        let (w, h) = (template.picture().width() as f64, template.picture().height() as f64);
        for scale in params.scales.values().unwrap() {
            for angle in params.angles.values().unwrap() {
                let posed = template.posed(scale, angle, &Context::default()).unwrap();
                let picture = posed.picture().as_gray8().unwrap();
                let map = match posed.mask() {
                    Some(mask) => {
                        let template = (picture.view(), mask.view());
                        match_masked_template(Isa::best(), image.view(), template, params.method, 1, &|| {
                            false
                        })
                    }
                    None => {
                        match_template(Isa::best(), image.view(), picture.view(), params.method, 1, &|| false)
                    }
                };
                let map = map.unwrap();
                let (sin, cos) = angle.to_radians().sin_cos();
                let width = scale * (w * cos.abs() + h * sin.abs());
                let height = scale * (w * sin.abs() + h * cos.abs());
                for y in 0..map.height() {
                    for x in 0..map.width() {
                        let score = map.get(x, y);
                        if score >= params.best.threshold {
                            let (cx, cy) = (
                                x as f64 + picture.width() as f64 / 2.0,
                                y as f64 + picture.height() as f64 / 2.0,
                            );
                            boxes.push([cx - width / 2.0, cy - height / 2.0, width, height]);
                            scores.push(f64::from(score));
                            all.push((t, scale, angle, [cx, cy], score));
                        }
                    }
                }
            }
        }
    }
    let kept = nms(&boxes, &scores, params.best.max_overlap, params.best.max_count);
    kept.into_iter().map(|at| all[at]).collect()
}

#[test]
fn a_full_guarantee_compares_everything() {
    let image = scene((90, 84), 0.4, (44.0, 40.0), 1.05, 20.0);
    let templates = [template(0.4), template(1.9)];
    let params = FindTemplates {
        best: BestMatches { threshold: 0.25, max_count: 12, max_overlap: 0.2 },
        scales: Steps { min: 0.9, max: 1.1, step: 0.1 },
        angles: Steps { min: 0.0, max: 40.0, step: 10.0 },
        guarantee: 1.0,
        ..FindTemplates::default()
    };
    let found = find(&image, &templates, &params);
    let expected = everything(&image, &templates, &params);
    assert!(found.len() > 3 && found[0].template == 0 && found[0].angle == 20.0);
    let told: Vec<_> = found.iter().map(|f| (f.template, f.scale, f.angle, f.center, f.score)).collect();
    assert_eq!(told, expected);
    // Less looks at less, and sees the best all the same.
    let quick = find(&image, &templates, &FindTemplates { guarantee: 0.2, ..params });
    assert_eq!(quick[0], found[0]);
}

#[test]
fn fine_steps_are_reached_from_coarse_ones() {
    // At half the size every fourth angle is looked for first. Two steps off is as near as whole pixels tell.
    let params = FindTemplates {
        angles: Steps { min: -20.0, max: 20.0, step: 0.5 },
        scales: Steps { min: 0.96, max: 1.04, step: 0.02 },
        ..params()
    };
    for (degrees, scale) in [(13.5, 1.02), (-20.0, 0.96), (20.0, 1.04), (-1.0, 1.0)] {
        let image = scene((110, 100), 0.4, (55.5, 48.0), scale, degrees);
        let found = find(&image, &[template(0.4)], &params);
        let best = found[0];
        let apart = (best.angle - degrees).abs().max(25.0 * (best.scale - scale).abs());
        assert!(apart <= 1.01 && best.score > 0.98, "{best:?} for {degrees} {scale}");
    }
}

#[test]
fn what_is_found_depends_on_no_thread_and_instruction_set() {
    let image = Image::Gray8(scene((120, 110), 0.7, (60.0, 50.0), 0.95, -33.0));
    let templates = [template(0.7), template(2.2)];
    let params = FindTemplates { subpixel: true, ..params() };
    let first = find_templates(&image, &templates, &params, &Context::default()).unwrap();
    assert!(!first.0.is_empty());
    for isa in Isa::available() {
        for threads in [1, 2, 5] {
            let cx = Context::default().with_isa(isa).with_threads(threads);
            let again = find_templates(&image, &templates, &params, &cx).unwrap();
            assert!(again == first, "{isa:?} {threads}");
        }
    }
}

#[test]
fn scores_tell_the_best_of_all_templates_at_their_middle() {
    let image = scene((70, 66), 0.4, (30.0, 33.0), 1.0, 0.0);
    let templates = [template(0.4), template(1.9)];
    let params = FindTemplates {
        best: BestMatches { max_count: 1, ..BestMatches::default() },
        ..FindTemplates::default()
    };
    let (found, scores) =
        find_templates(&Image::Gray8(image.clone()), &templates, &params, &Context::default()).unwrap();
    assert_eq!((found[0].template, found[0].center), (0, [30.0, 33.0]));
    assert_eq!((scores.width(), scores.height()), (70, 66));
    let map = |template: &Template| {
        let picture = template.picture().as_gray8().unwrap();
        match_template(Isa::best(), image.view(), picture.view(), params.method, 1, &|| false).unwrap()
    };
    let maps = [map(&templates[0]), map(&templates[1])];
    for y in 0..66 {
        for x in 0..70 {
            let (left, top) = (x as isize - 18, y as isize - 15);
            let is_in = (0..=70 - 36).contains(&left) && (0..=66 - 30).contains(&top);
            let best = |map: &Plane<f32>| map.get(left as usize, top as usize);
            let expected = if is_in { best(&maps[0]).max(best(&maps[1])) } else { -1.0 };
            assert_eq!(scores.get(x, y), expected);
        }
    }
}

#[test]
fn what_cannot_be_looked_for_is_refused() {
    let image = Image::Gray8(Plane::filled(40, 40, 9));
    let refused = |params: FindTemplates, templates: &[Template]| {
        find_templates(&image, templates, &params, &Context::default()).unwrap_err()
    };
    let one = [template(0.0)];
    let error = refused(FindTemplates { scales: Steps::only(0.0), ..params() }, &one);
    assert_eq!(error.message(), "scales want numbers above 0, got 0");
    let error = refused(FindTemplates { method: Method::SquaredDifference, ..params() }, &one);
    assert_eq!(error.message(), "scales and angles want a method that is divided by norms");
    let error = refused(FindTemplates { scales: Steps { min: 2.0, max: 3.0, step: 0.5 }, ..params() }, &one);
    assert_eq!(error.message(), "a template of 36x30 is larger than the image of 40x40 at every scale");
    assert_eq!(refused(params(), &[]).message(), "there is no template to look for");
    let colour = [Template::new(Arc::new(Image::Rgb8(Plane::filled(4, 4, [1; 3]))), None).unwrap()];
    assert_eq!(refused(params(), &colour).message(), "the template is `rgb8`, the image `gray8`");
    // Angles at which it does not fit are left out.
    let long = Plane::from_fn(38, 4, |x, _| (x * 5) as u8);
    let long = Template::new(Arc::new(Image::Gray8(long)), None).unwrap();
    let narrow = Image::Gray8(Plane::from_fn(40, 12, |x, y| (x * 5 + y) as u8));
    let angles = Steps { min: 0.0, max: 90.0, step: 45.0 };
    let params = FindTemplates { angles, ..FindTemplates::default() };
    let (found, _) = find_templates(&narrow, &[long], &params, &Context::default()).unwrap();
    assert!(found.iter().all(|found| found.angle == 0.0) && !found.is_empty());
}
