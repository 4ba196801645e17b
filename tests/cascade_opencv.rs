//! Cascade detection against OpenCV's: raw windows and grouped boxes, as sets.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use lyncean::image::{Plane, Rect};
use lyncean::ops::cascade::{Cascade, Params};
use serde_json::Value;

fn repo(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn cases(path: &str) -> Vec<Value> {
    serde_json::from_slice(&std::fs::read(repo(path)).unwrap()).unwrap()
}

fn photo(name: &str) -> Plane<u8> {
    let grey = image::open(repo(&format!("fixtures/photos/{name}.png"))).unwrap();
    let grey = grey.as_luma8().unwrap();
    Plane::from_vec(grey.width() as usize, grey.height() as usize, grey.as_raw().clone()).unwrap()
}

fn cascade(path: &str) -> Cascade {
    Cascade::from_bytes(&std::fs::read(repo(path)).unwrap()).unwrap()
}

fn pair_from(value: &Value, start: usize) -> (usize, usize) {
    (value[start].as_u64().unwrap() as usize, value[start + 1].as_u64().unwrap() as usize)
}

fn pair(value: &Value) -> (usize, usize) {
    pair_from(value, 0)
}

#[test]
fn boxes_are_those_of_opencv() {
    let photos_with_groups = compare("fixtures/golden/cascade/boxes.json");
    assert!(photos_with_groups.len() >= 5, "{photos_with_groups:?}");
}

/// A cascade that was trained here, in the bytes that OpenCV loaded.
#[test]
fn what_is_trained_and_written_finds_the_same_in_opencv() {
    let photos_with_groups = compare("fixtures/golden/cascade/trained.json");
    assert!(photos_with_groups.len() >= 4, "{photos_with_groups:?}");
    let text = std::fs::read_to_string(repo("fixtures/golden/cascade/trained.xml")).unwrap();
    assert_eq!(cascade("fixtures/golden/cascade/trained.xml").to_xml(), text);
}

/// Compares all boxes of a file; gives the photographs in which there are groups.
fn compare(golden: &str) -> BTreeSet<String> {
    let cases = cases(golden);
    let mut photos_with_groups = BTreeSet::new();
    let mut cascades = BTreeMap::new();
    for case in &cases {
        let (model, name) = (case["model"].as_str().unwrap(), case["photo"].as_str().unwrap());
        let max_size = pair(&case["max-size"]);
        let params = Params {
            scale_factor: case["scale-factor"].as_f64().unwrap(),
            min_neighbors: case["min-neighbors"].as_u64().unwrap() as u32,
            min_size: pair(&case["min-size"]),
            max_size: (max_size != (0, 0)).then_some(max_size),
            ..Params::default()
        };
        let photo = photo(name);
        let ((x, y), (width, height)) = (pair(&case["crop"]), pair_from(&case["crop"], 2));
        let picture = photo.view().crop(Rect::new(x, y, width, height)).unwrap();
        let cascade = cascades.entry(model).or_insert_with(|| cascade(model));
        let found = cascade.detect(picture, &params).unwrap();
        let mut found: Vec<Vec<u64>> = found
            .iter()
            .map(|d| [d.rect.x, d.rect.y, d.rect.width, d.rect.height].map(|edge| edge as u64).to_vec())
            .collect();
        found.sort();
        let expected: Vec<Vec<u64>> = serde_json::from_value(case["boxes"].clone()).unwrap();
        assert_eq!(found, expected, "{case}");
        if params.min_neighbors > 0 && !found.is_empty() {
            photos_with_groups.insert(name.to_owned());
        }
    }
    photos_with_groups
}

#[test]
fn any_thread_count_gives_the_same_detections() {
    let (cascade, photo) = (cascade("models/frontalface-alt2.xml.gz"), photo("coins"));
    let params = Params { min_neighbors: 1, ..Params::default() };
    let detect = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| cascade.detect(photo.view(), &params).unwrap())
    };
    let alone = detect(1);
    assert!(!alone.is_empty());
    assert_eq!(detect(2), alone);
    assert_eq!(detect(5), alone);
}
