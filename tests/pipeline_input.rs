//! `[input]`: what pipelines ask of the pictures they are given.

use lyncean::image::ImageType::{Gray8, Gray16, GrayF32, Rgb8, Rgb16, RgbF32};
use lyncean::image::codec::Decode;
use lyncean::pipeline::Pipeline;

use crate::support::pictures::picture;

fn load(input: &str, stages: &[&str]) -> Pipeline {
    let stages: Vec<String> = stages.iter().map(|stage| format!("[[stage]]\n{stage}\n")).collect();
    Pipeline::from_toml(&format!("version = 1\n{input}\n{}", stages.concat())).unwrap()
}

#[test]
fn decode_gray_is_the_stage_gray_in_front() {
    let stages = ["use = \"gaussian-blur\"", "use = \"sobel\"", "use = \"threshold\"\nlevel = 60"];
    let asked = load("[input]\ndecode = \"gray\"", &stages);
    let explicit = load("", &[&["use = \"gray\""], &stages[..]].concat());
    assert_eq!((asked.decode(), explicit.decode()), (Decode::Luma, Decode::Stored));
    for ty in [Rgb8, Gray8, Rgb16, Gray16, RgbF32, GrayF32] {
        let image = picture(ty, 61, 37);
        let [asked, explicit] = [&asked, &explicit].map(|pipeline| pipeline.run(&image).unwrap());
        assert_eq!(asked.output(), explicit.output(), "{ty}");
    }
}

#[test]
fn stages_that_read_the_input_see_gray() {
    // `sobel` takes one channel only.
    let pipeline = load("[input]\ndecode = \"gray\"", &["use = \"sobel\"\nin = \"input\""]);
    assert!(pipeline.accepted().contains(&Rgb8));
    let colors = load("", &["use = \"median\""]);
    let gray = load("[input]\ndecode = \"gray\"", &["use = \"median\""]);
    let image = picture(Rgb8, 20, 20);
    let types = [&colors, &gray].map(|pipeline| pipeline.run(&image).unwrap().output().unwrap().ty());
    assert_eq!(types, [Rgb8, Gray8]);
}

#[test]
fn a_promised_colour_type_may_come_as_its_gray() {
    let pipeline = load("[input]\ntype = \"rgb8\"\ndecode = \"gray\"", &["use = \"invert\""]);
    assert_eq!(pipeline.accepted(), [Rgb8, Gray8]);
    let resolved = pipeline.resolved();
    assert_eq!(resolved["input"], serde_json::json!({ "type": "rgb8", "decode": "gray" }));
    let stored = load("[input]\ndecode = \"stored\"", &["use = \"invert\""]);
    assert_eq!((stored.decode(), stored.resolved().get("input")), (Decode::Stored, None));
}

#[test]
fn a_colour_picture_is_not_taken_for_its_alpha() {
    // `sobel` takes masks, and the alpha of a picture is one; it has to be asked for.
    let plain = load("", &["use = \"sobel\""]);
    assert_eq!(plain.accepted(), [Gray8, Gray16, GrayF32]);
    assert!(plain.run(&picture(Rgb8, 20, 20)).is_err());
    let asked = load("", &["use = \"sobel\"\nin = \"input.alpha\""]);
    assert!(asked.run(&picture(Rgb8, 20, 20)).is_ok());
    let label = Pipeline::from_toml("version = 1\n[[stage]]\nuse = \"label\"\n").err().unwrap();
    assert!(label.to_string().contains("stage `label` wants `mask` or `labels`, but `input` gives `rgb8`"));
}
