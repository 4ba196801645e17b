//! What is found behind a geometry stage is told where it lies in the picture as read.

use lyncean::document::Source;
use lyncean::image::{Image, Plane};
use lyncean::pipeline::Loader;

/// A picture with one bright box.
const BOX: [f64; 4] = [21.0, 13.0, 12.0, 7.0];

fn picture() -> Image {
    Image::Gray8(Plane::from_fn(83, 61, |x, y| {
        let inside = (21..33).contains(&x) && (13..20).contains(&y);
        if inside { 250 } else { 10 }
    }))
}

/// The box and the centre of the one thing that is found behind a stage.
fn found(stage: &str) -> ([f64; 4], [f64; 2]) {
    let text = format!(
        "version = 1\n[[stage]]\n{stage}\n[[stage]]\nuse = \"threshold\"\nlevel = 128\n[[stage]]\nuse = \"label\"\n"
    );
    let pipeline = Loader::new().parse(Source::new("map", text)).unwrap();
    let record = pipeline.run(&picture()).unwrap().record();
    let objects = record["results"]["label"]["objects"].as_array().unwrap();
    assert_eq!(objects.len(), 1, "{stage}: {record:?}");
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    let bbox = std::array::from_fn(|i| number(&objects[0]["box"][i]));
    (bbox, ["centroid-x", "centroid-y"].map(|key| number(&objects[0][key])))
}

#[test]
fn pixels_that_only_move_come_back_exactly() {
    for stage in [
        "use = \"pad\"\nall = 9\nleft = 4\nborder = \"constant\"",
        "use = \"flip\"",
        "use = \"flip\"\ndirection = \"vertical\"",
        "use = \"flip\"\ndirection = \"both\"",
        "use = \"rotate\"\nangle = 0",
        "use = \"rotate\"\nangle = 90",
        "use = \"rotate\"\nangle = 180",
        "use = \"rotate\"\nangle = -90",
        "use = \"rotate\"\nangle = 90\n[[stage]]\nuse = \"crop\"\nx = 3\ny = 5\n[[stage]]\nuse = \"flip\"",
        "use = \"warp-affine\"\nmatrix = [[1, 0, 5], [0, 1, -4]]",
        "use = \"warp-affine\"\nmatrix = [[1, 0, -5], [0, 1, 4]]\ninverse = true",
        "use = \"warp-affine\"\nmatrix = [[0, 1, 3], [1, 0, 1]]",
    ] {
        let (bbox, centre) = found(stage);
        assert_eq!(bbox, BOX, "{stage}");
        assert_eq!(centre, [26.5, 16.0], "{stage}");
    }
}

#[test]
fn pixels_that_are_looked_up_in_between_come_back_nearly() {
    for stage in [
        "use = \"rotate\"\nangle = 30",
        "use = \"rotate\"\nangle = -71.5\nexpand = false",
        "use = \"rotate\"\nangle = 90\nexpand = false",
        "use = \"rotate\"\nangle = 200\ninterpolation = \"bicubic\"",
        "use = \"warp-affine\"\nmatrix = [[1.2, 0.3, -5], [-0.2, 0.9, 14]]\nwidth = 120\nheight = 90",
        "use = \"resize\"\nscale = 2\ninterpolation = \"lanczos\"",
        "use = \"resize\"\nwidth = 166\ninterpolation = \"bicubic\"",
    ] {
        let (bbox, [x, y]) = found(stage);
        assert!((x - 26.5).abs() < 0.2 && (y - 16.0).abs() < 0.2, "{stage}: {x}, {y}");
        // The upright box around a turned upright box is larger.
        let [left, top, width, height] = bbox;
        let slack = 0.8;
        assert!(left <= BOX[0] + slack && top <= BOX[1] + slack, "{stage}: {bbox:?}");
        assert!(left + width >= 33.0 - slack && top + height >= 20.0 - slack, "{stage}: {bbox:?}");
    }
}

#[test]
fn a_loaded_picture_is_the_same_for_every_input() {
    let text = "version = 1\n[[stage]]\nuse = \"load\"\nfile = \"builtin:coin\"\n";
    let pipeline = Loader::new().parse(Source::new("load", text.to_owned())).unwrap();
    let one = pipeline.run(&picture()).unwrap();
    let other = pipeline.run(&Image::Gray8(Plane::new(3, 2))).unwrap();
    let image = one.output().unwrap();
    assert!(image.width() > 10);
    assert_eq!(**image, **other.output().unwrap());
}
