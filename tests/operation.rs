//! One stage on values: the same as in a pipeline, refused in the same words.

use std::sync::Arc;

use lyncean::ErrorKind;
use lyncean::document::{self, Resources};
use lyncean::image::{Affine, Image, ImageType, PixelOwner, Plane};
use lyncean::ops::Context;
use lyncean::pipeline::{Operation, Pipeline, Results, RunOptions, Save};
use lyncean::stage::{ALL, CHART, ImageValue, Kind, Value};
use serde_json::{Value as Json, json};

use crate::stage_contracts::pipeline_for;
use crate::support::pictures::picture;

fn resources() -> Resources {
    Resources::new(None).with_builtin(lyncean::builtin::RESOURCES)
}

fn value(image: Image) -> Value {
    Value::Image(ImageValue { image: Arc::new(image), map: Affine::IDENTITY })
}

fn kind(name: &str) -> &'static Kind {
    ALL.iter().find(|kind| kind.name == name).unwrap()
}

fn parameters(kind: &Kind) -> Json {
    document::parse(kind.example).unwrap().without(&["use", "name", "in"]).to_json()
}

/// What the last stage of a pipeline reads.
fn read(pipeline: &Pipeline, results: &Results, image: &Image, kind: &Kind) -> Vec<Value> {
    let (_, _, inputs) = pipeline.connections().pop().unwrap();
    let port = |index: usize| kind.inputs.get(index).or(kind.inputs.last()).unwrap();
    let pick = |(index, name): (usize, &String)| {
        let stage = results.stages().iter().find(|stage| stage.name == *name);
        let Some(stage) = stage else { return value(image.clone()) };
        let fits = |(_, value): &&(&str, Value)| port(index).accepts.contains(&value.ty());
        stage.values.iter().find(fits).unwrap().1.clone()
    };
    inputs.iter().enumerate().map(pick).collect()
}

#[test]
fn an_operation_does_what_its_stage_does_in_a_pipeline() {
    for kind in ALL {
        let pipeline = pipeline_for(kind).unwrap();
        let operation = Operation::new(kind, &parameters(kind), &resources()).unwrap();
        for &ty in pipeline.accepted() {
            let image = picture(ty, 67, 59);
            let options = RunOptions { save: Save::All, ..RunOptions::default() };
            let results = pipeline.run_with(Arc::new(image.clone()), None, &options).unwrap();
            let inputs = read(&pipeline, &results, &image, kind);
            let mut wanted = results.stages().last().unwrap().values.clone();
            // Drawn for the eye, by pipelines that save it.
            wanted.retain(|(name, _)| *name != CHART);
            for threads in [1, 3] {
                let cx = Context::default().with_threads(threads);
                let got = operation.run(&inputs, &cx).unwrap();
                assert_eq!(format!("{got:?}"), format!("{wanted:?}"), "{} on {ty}", kind.name);
                for ((_, got), (_, wanted)) in got.iter().zip(&wanted) {
                    if let (Value::Image(got), Value::Image(wanted)) = (got, wanted) {
                        assert_eq!(got.map, wanted.map, "{} on {ty}", kind.name);
                        for plane in 0..got.image.ty().planes() {
                            let same = got.image.plane_bytes(plane) == wanted.image.plane_bytes(plane);
                            assert!(same, "{} on {ty}", kind.name);
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn pixels_of_somebody_else_give_the_same_and_stay_what_they_are() {
    let owner: Arc<Vec<u8>> = Arc::new((0..67 * 59).map(|i| (i * 7 % 251) as u8).collect());
    let before = owner.to_vec();
    let shared = Plane::from_shared(67, 59, owner.clone() as PixelOwner<u8>).unwrap();
    let owned = Plane::from_vec(67, 59, before.clone()).unwrap();
    let cx = Context::default();
    for name in ["gaussian-blur", "invert", "equalize", "label", "median", "flip", "rolling-ball"] {
        let image = |plane: &Plane<u8>| match name {
            "label" => value(Image::Mask(plane.map(|value| if value > 99 { 255 } else { 0 }))),
            _ => value(Image::Gray8(plane.clone())),
        };
        let operation = Operation::new(kind(name), &json!({}), &resources()).unwrap();
        let a = operation.run(&[image(&shared)], &cx).unwrap();
        let b = operation.run(&[image(&owned)], &cx).unwrap();
        assert_eq!(format!("{a:?}"), format!("{b:?}"), "{name}");
    }
    assert_eq!(*owner, before);
    // No context keeps what belongs to somebody else.
    drop(shared);
    assert_eq!(Arc::strong_count(&owner), 1);
}

#[test]
fn values_are_refused_in_the_words_of_check() {
    let sobel = Operation::new(kind("sobel"), &json!({}), &resources()).unwrap();
    let rgb = value(picture(ImageType::Rgb8, 9, 8));
    let error = sobel.run(std::slice::from_ref(&rgb), &Context::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Shape);
    assert_eq!(
        error.to_string(),
        "stage `sobel` wants `gray8`, `gray16`, `gray-f32` or `mask`, but `image` gives `rgb8`\n\
         hint: put `use = \"gray\"` between them"
    );
    let error = sobel.run(&[rgb.clone(), rgb], &Context::default()).unwrap_err();
    assert_eq!(error.to_string(), "stage `sobel` wants 1 inputs (image), got 2");
}

#[test]
fn parameters_are_refused_in_the_words_of_check() {
    let error = |name: &str, parameters: Json| {
        let error = Operation::new(kind(name), &parameters, &resources()).err().unwrap();
        assert_eq!((error.kind(), error.diagnostics().is_some()), (ErrorKind::Pipeline, true));
        error.to_string()
    };
    assert_eq!(
        error("sobel", json!({ "sise": 3 })),
        "error[P002]: stage `sobel` has no `sise`\nhint: did you mean `size`?"
    );
    assert!(error("sobel", json!({ "size": 4 })).contains("`size` of stage `sobel`"));
    let lost = error("haar-detect", json!({ "cascade": "nowhere.xml" }));
    assert!(lost.contains("`cascade` of stage `haar-detect`: `nowhere.xml` cannot be found"), "{lost}");
    // Null is as if nothing was said.
    assert!(Operation::new(kind("sobel"), &json!({ "size": null }), &resources()).is_ok());
}
