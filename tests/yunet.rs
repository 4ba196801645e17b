//! Single-shot detectors: YuNet beside OpenCV's `FaceDetectorYN`, and nets with declared heads of one's own.

use std::path::Path;

use lyncean::document::Source;
use lyncean::image::codec::Limits;
use lyncean::image::{Image, Plane};
use lyncean::nn::{Net, Tensor};
use lyncean::ops::nms::nms;
use lyncean::pipeline::{Loader, Pipeline};
use lyncean::reference;
use lyncean::stage::Object;
use safetensors::SafeTensors;

fn golden(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/golden/nn").join(name)).unwrap()
}

fn photo(name: &str) -> Plane<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/photos/{name}.png"));
    match lyncean::image::codec::read(path, &Limits::default()).unwrap().image {
        Image::Gray8(plane) => plane,
        other => panic!("{}", other.ty()),
    }
}

/// A pipeline of a detector alone.
fn detector(model: &str, more: &str) -> String {
    format!(
        "version = 1\n[[stage]]\nuse = \"cnn-detect\"\nname = \"found\"\nmodel = \"{model}\"\nclass = \"face\"\n{more}\n"
    )
}

fn found(pipeline: &Pipeline, image: &Image) -> Vec<Object> {
    pipeline.run(image).unwrap().objects("found").unwrap().to_vec()
}

const POINTS: [&str; 5] = ["right-eye", "left-eye", "nose", "right-mouth", "left-mouth"];

/// Box, landmarks and score, as OpenCV has them.
fn row(object: &Object) -> Vec<f64> {
    let point = |name: &&str| ["x", "y"].map(|axis| object.measure(&format!("{name}-{axis}")).unwrap());
    let points = POINTS.iter().flat_map(point);
    object.bbox.into_iter().chain(points).chain(object.score).collect()
}

#[test]
fn boxes_landmarks_and_scores_are_those_of_opencv() {
    let told: serde_json::Value = serde_json::from_slice(&golden("yunet.json")).unwrap();
    let text = detector("builtin:yunet", "decoder = { kind = \"yunet\" }\nmin-probability = 0.3");
    let pipeline = Pipeline::from_toml(&text).unwrap();
    let mut compared = 0;
    for (name, wanted) in told["found"].as_object().unwrap() {
        let plane = photo(name.trim_end_matches(", tinted"));
        let image = if name.ends_with("tinted") {
            Image::Rgb8(plane.map(|v| [v, v / 4 * 3, v / 2]))
        } else {
            Image::Gray8(plane)
        };
        let objects = found(&pipeline, &image);
        let wanted = wanted.as_array().unwrap();
        assert_eq!(objects.len(), wanted.len(), "{name}: {objects:?}");
        for (object, wanted) in objects.iter().zip(wanted) {
            let wanted: Vec<f64> = wanted.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
            let got = row(object);
            assert_eq!(got.len(), 15);
            // Pixels, then the score.
            for (at, (got, wanted)) in got.iter().zip(&wanted).enumerate() {
                let most = if at < 14 { 0.02 } else { 2e-4 };
                assert!((got - wanted).abs() < most, "{name} {at}: {got}, OpenCV {wanted}");
            }
            compared += 1;
        }
    }
    assert_eq!(compared, 8);
}

#[test]
fn the_face_of_the_photograph_is_found_and_nothing_else() {
    let pipeline = Pipeline::load("builtin:faces-yunet").unwrap();
    for (name, count) in [("astronaut", 1), ("coffee", 0), ("coins", 0), ("gravel", 0)] {
        let results = pipeline.run(&Image::Gray8(photo(name))).unwrap();
        assert_eq!(results.objects("faces").unwrap().len(), count, "{name}");
    }
}

fn tensor(file: &SafeTensors, name: &str) -> Tensor {
    let view = file.tensor(name).unwrap();
    let values = view.data().as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes));
    Tensor::from_vec(lyncean::nn::Shape::new(view.shape()).unwrap(), values.collect()).unwrap()
}

const ONE_GRID: &str = "decoder = { kind = \"yunet\", strides = [8], channels = \"rgb\", scale = 0.01, mean = [100, 50, 25] }\n\
    min-probability = 0.3\nmax-overlap = 1.0";

/// The objects of the file of one grid for a picture that is what the golden input was before it was scaled.
fn of_one_grid(given: &[u8], name: &str) -> (Vec<Object>, Vec<(f64, Vec<f64>)>) {
    let bytes = golden("onnx_more.safetensors");
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let x = tensor(&file, "onnx_heads.x");
    let picture = Plane::from_fn(40, 24, |u, v| {
        [(0, 100.0f32), (1, 50.0), (2, 25.0)]
            .map(|(c, mean)| (x.data()[(c * 24 + v) * 40 + u] * 100.0 + mean) / 255.0)
    });
    let pipeline = Loader::new()
        .give(name, given.to_vec())
        .parse(Source::new("one.toml", detector(name, ONE_GRID)))
        .unwrap();
    let heads = ["cls", "obj", "bbox", "kps"].map(|head| tensor(&file, &format!("onnx_heads.{head}_8")));
    let of = |cell: usize, channel: usize| {
        f64::from(match channel {
            0 => heads[0].data()[cell],
            1 => heads[1].data()[cell],
            2..6 => heads[2].data()[4 * cell + channel - 2],
            _ => heads[3].data()[10 * cell + channel - 6],
        })
    };
    (found(&pipeline, &Image::RgbF32(picture)), reference::decode::yunet(5, 8.0, 0.3, &of, 15, 5))
}

#[test]
fn an_onnx_file_with_several_outputs_is_a_detector_at_any_size() {
    use lyncean::nn::onnx::{ImportOptions, import};

    let onnx = golden("onnx_heads.onnx");
    let outputs = ["cls_8", "obj_8", "bbox_8", "kps_8"].map(str::to_owned).to_vec();
    let input = Some(lyncean::nn::Shape::new(&[3, 16, 16]).unwrap());
    let net = import(&onnx, &ImportOptions { input, outputs, ..ImportOptions::default() }).unwrap();
    let weights = net.to_safetensors().unwrap();
    for (name, given) in [("heads.onnx", &onnx), ("heads.safetensors", &weights)] {
        let (objects, wanted) = of_one_grid(given, name);
        let (scores, boxes): (Vec<f64>, Vec<[f64; 4]>) = wanted
            .iter()
            .map(|(score, numbers)| (*score, [numbers[0], numbers[1], numbers[2], numbers[3]]))
            .unzip();
        let order = nms(&boxes, &scores, 1.0, usize::MAX);
        assert!(objects.len() == order.len() && order.len() > 3, "{name}: {}", objects.len());
        for (object, index) in objects.iter().zip(order) {
            let (score, numbers) = &wanted[index];
            let got = row(object);
            for (got, wanted) in got.iter().zip(numbers.iter().chain([score])) {
                assert!((got - wanted).abs() < 1e-3, "{name}: {got} {wanted}");
            }
        }
    }
    // The layers bear the names of the outputs.
    let bytes = golden("onnx_more.safetensors");
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let net = Net::from_safetensors(&weights).unwrap();
    let wide = net.arch().with_input(&[3, 24, 40]).unwrap();
    let mut net = Net::blank(wide).unwrap();
    net.load_weights(&weights).unwrap();
    let given = net.outputs(&tensor(&file, "onnx_heads.x")).unwrap();
    for name in ["cls_8", "obj_8", "bbox_8", "kps_8"] {
        let at = net.arch().layers.iter().position(|layer| layer.name == name).unwrap();
        let wanted = tensor(&file, &format!("onnx_heads.{name}"));
        assert_eq!(given[at].shape(), wanted.shape(), "{name}");
        for (got, wanted) in given[at].data().iter().zip(wanted.data()) {
            assert!((got - wanted).abs() < 1e-5, "{name}: {got} {wanted}");
        }
    }
}

#[test]
fn what_does_not_fit_the_net_is_told() {
    let error = |more: &str| {
        let text = detector("builtin:yunet", more);
        Pipeline::from_toml(&text).err().map(|error| error.to_string()).unwrap_or_default()
    };
    for (more, wanted) in [
        ("decoder = { kind = \"yolo\" }", "cannot be `\"yolo\"`"),
        ("decoder = { kind = \"yunet\", stride = [8] }", "did you mean `strides`?"),
        ("decoder = { kind = \"yunet\", cls = \"clss_{stride}\" }", "did you mean `cls_8`?"),
        ("decoder = { kind = \"yunet\", cls = \"cls_8\" }", "`cls_8` names one output for 3 strides"),
        (
            "decoder = { kind = \"yunet\", bbox = \"kps_{stride}\" }",
            "`kps_{stride}` is named for two outputs",
        ),
        (
            "decoder = { kind = \"yunet\", bbox = \"obj_{stride}\", obj = \"bbox_{stride}\" }",
            "output `bbox_8` has 4 channels, expected 1 channel",
        ),
        ("decoder = { kind = \"yunet\", strides = [8, 8] }", "each another one"),
        ("decoder = { kind = \"yunet\", mean = [1, 2] }", "one for each of 3 channels, got 2"),
        (
            "decoder = { kind = \"yunet\", classes = [\"a\", \"b\"] }",
            "the net has 1 classes, `classes` of the decoder names 2",
        ),
        ("decoder = { kind = \"yunet\" }\nscale-factor = 1.3", "looks at one scale alone"),
        ("", "classes are 0 to 134399"),
    ] {
        let told = error(more);
        assert!(told.contains(wanted), "{more}: {told}");
    }
}

#[test]
fn sizes_bounds_and_neighbours_are_kept_to() {
    let faces = |more: &str| {
        let text = detector("builtin:yunet", &format!("decoder = {{ kind = \"yunet\" }}\n{more}"));
        found(&Pipeline::from_toml(&text).unwrap(), &Image::Gray8(photo("astronaut")))
    };
    let all = faces("");
    assert!(all.len() == 1 && all[0].measure("neighbors").unwrap() > 1.0, "{all:?}");
    assert_eq!(faces("min-size = [60, 80]").len(), 1);
    assert!(faces("min-size = [80, 80]").is_empty() && faces("max-size = [80, 80]").is_empty());
    assert!(faces("min-neighbors = 1000").is_empty());
}
