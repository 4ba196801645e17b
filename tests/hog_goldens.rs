//! Histograms of oriented gradients against scikit-image.
//!
//! The vectors are in `fixtures/golden/hog`, with the script that made them.

use std::path::Path;

use lyncean::image::{Image, Plane};
use lyncean::pipeline::Pipeline;
use serde_json::Value as Json;

fn image(name: &str, input: &Json) -> Image {
    let (width, height) =
        (input["width"].as_u64().unwrap() as usize, input["height"].as_u64().unwrap() as usize);
    let pixels = input["pixels"].as_array().unwrap();
    let whole = pixels.iter().map(|pixel| pixel.as_f64().unwrap());
    match name {
        "gray-f32" => {
            Image::GrayF32(Plane::from_vec(width, height, whole.map(|v| v as f32).collect()).unwrap())
        }
        "gray16" => Image::Gray16(Plane::from_vec(width, height, whole.map(|v| v as u16).collect()).unwrap()),
        _ => Image::Gray8(Plane::from_vec(width, height, whole.map(|v| v as u8).collect()).unwrap()),
    }
}

#[test]
fn vectors_are_those_of_scikit_image() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/golden/hog/cases.json");
    let cases: Json = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    for case in cases["cases"].as_array().unwrap() {
        let name = case["input"].as_str().unwrap();
        let params = case["params"].as_object().unwrap();
        let lines: Vec<String> = params.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
        let text = format!("version = 1\n[[stage]]\nuse = \"hog\"\n{}", lines.concat());
        let results = Pipeline::from_toml(&text).unwrap().run(&image(name, &cases["inputs"][name])).unwrap();
        let got = results.vector("hog").unwrap();
        let expected = case["vector"].as_array().unwrap();
        assert_eq!(got.len(), expected.len(), "{case}");
        let far =
            got.iter().zip(expected).map(|(got, expected)| f64::from(*got) - expected.as_f64().unwrap());
        let worst = far.fold(0.0f64, |worst, far| worst.max(far.abs()));
        assert!(worst < 1e-5, "{name} with {params:?} is off by {worst}");
    }
}
