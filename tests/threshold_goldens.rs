//! Levels against OpenCV and scikit-image, on whole pictures of scikit-image.
//!
//! The levels are in `fixtures/golden/thresholds`, with the script that made them.

use std::path::Path;

use lyncean::image::codec::{self, Limits};
use lyncean::image::{Image, Plane};
use lyncean::ops::level::{FindLevel, Method, Semantics, level};
use lyncean::ops::{Context, histogram, multi_otsu::multi_otsu_levels};
use serde_json::Value;

fn picture(name: &str) -> Plane<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/pictures").join(format!("{name}.png"));
    codec::read(&path, &Limits::default()).unwrap().image.as_gray8().unwrap().clone()
}

/// The picture in a depth, as `make.py` has it.
fn of_depth(plane: &Plane<u8>, depth: &str) -> Image {
    match depth {
        "8" => Image::Gray8(plane.clone()),
        "16" => Image::Gray16(Plane::from_fn(plane.width(), plane.height(), |x, y| {
            u16::from(plane.get(x, y)) * 200 + ((7 * x + 13 * y) % 200) as u16
        })),
        _ => Image::GrayF32(plane.map(|value| f32::from(value) / 255.0)),
    }
}

#[test]
fn levels_agree_with_their_peers() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/golden/thresholds/levels.json");
    let goldens: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let cx = Context::default();
    let mut failures = Vec::new();
    let mut seen = 0;
    let mut check = |what: String, got: f64, wanted: f64, bound: f64| {
        seen += 1;
        if (got - wanted).abs() > bound {
            failures.push(format!("{what}: {got} for {wanted}"));
        }
    };
    for golden in goldens.as_array().unwrap() {
        let (name, depth) = (golden["picture"].as_str().unwrap(), golden["depth"].as_str().unwrap());
        let image = of_depth(&picture(name), depth);
        for (peer, semantics) in [("opencv", Semantics::OpenCv), ("scikit-image", Semantics::ScikitImage)] {
            for method in Method::ALL {
                let wanted = &golden[peer][method.as_str()];
                let what = format!("{name} {depth} {} {peer}", method.as_str());
                if wanted.is_null() {
                    if golden[peer].get(method.as_str()).is_some() {
                        assert!(level(&image, &FindLevel { method, semantics }, &cx).is_err(), "{what}");
                    }
                    continue;
                }
                let got = level(&image, &FindLevel { method, semantics }, &cx).unwrap();
                // Means are rounded to `f32`; of floats, scikit-image sums in `f32`.
                let largest = if depth == "8" {
                    255.0
                } else if depth == "16" {
                    65535.0
                } else {
                    1.0
                };
                let bound = match method {
                    Method::Li | Method::Mean => 1e-6 * largest,
                    // scikit-image sums 65536 bins in `f32` and misses the greatest variance by a little.
                    Method::Otsu if depth == "16" && peer == "scikit-image" => 8.0,
                    _ if depth == "float" => 1e-6,
                    _ => 0.0,
                };
                check(what, f64::from(got), wanted.as_f64().unwrap(), bound);
            }
        }
        for (classes, levels) in golden["multi-otsu"].as_object().unwrap() {
            let got = multi_otsu_levels(&histogram(&image, &cx).unwrap(), classes.parse().unwrap());
            let wanted = levels.as_array().unwrap();
            assert_eq!(got.len(), wanted.len());
            for (got, wanted) in got.iter().zip(wanted) {
                let bound = if depth == "float" { 1e-6 } else { 0.0 };
                check(
                    format!("{name} {depth} multi-otsu {classes}"),
                    f64::from(*got),
                    wanted.as_f64().unwrap(),
                    bound,
                );
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(seen > 80, "{seen}");
}

#[test]
fn the_levels_everybody_knows() {
    let cx = Context::default();
    let levels = |name: &str, semantics| {
        let image = Image::Gray8(picture(name));
        [Method::Otsu, Method::Li, Method::Yen, Method::Isodata, Method::Triangle, Method::Minimum].map(
            |method| {
                let level = level(&image, &FindLevel { method, semantics }, &cx).unwrap();
                (f64::from(level) * 10.0).round() / 10.0
            },
        )
    };
    assert_eq!(levels("camera-512", Semantics::ScikitImage), [102.0, 78.9, 146.0, 102.0, 42.0, 85.0]);
    assert_eq!(levels("camera-512", Semantics::OpenCv), [102.0, 78.9, 146.0, 102.0, 43.0, 85.0]);
    assert_eq!(levels("coins", Semantics::ScikitImage), [107.0, 94.6, 110.0, 107.0, 80.0, 143.0]);
    assert_eq!(levels("coins", Semantics::OpenCv), [107.0, 94.6, 110.0, 107.0, 81.0, 143.0]);
    let camera = histogram(&Image::Gray8(picture("camera-512")), &cx).unwrap();
    assert_eq!(multi_otsu_levels(&camera, 3), [87.0, 176.0]);
}
