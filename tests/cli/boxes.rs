//! `lyncean train net` on pictures with boxes, and the detector that comes of it.

use lyncean::image::{Image, Plane};
use serde_json::{Value as Json, json};

use crate::support::program::Room;

const NET: &str = "version = 1\nname = \"squares\"\ninput = [1, 12, 12]\nmean = [0.4]\nstd = [0.3]\n\
    [[layer]]\nuse = \"conv2d\"\nname = \"c1\"\nout = 6\nkernel = 3\n[[layer]]\nuse = \"relu\"\n\
    [[layer]]\nuse = \"max-pool\"\nkernel = 2\n[[layer]]\nuse = \"flatten\"\n\
    [[layer]]\nuse = \"linear\"\nname = \"fc\"\nout = 10\n";

/// Pictures of a bright square on a dark ground with grain, and their boxes in COCO's form.
fn squares(room: &Room, folder: &str, count: usize) {
    let (mut images, mut annotations) = (Vec::new(), Vec::new());
    for number in 0..count {
        let (x, y, side) = (number * 7 % 40, number * 11 % 30, 12 + number % 5);
        let name = format!("{number}.png");
        let picture = Plane::from_fn(60, 48, |px, py| {
            let grain = ((px * 7919 + py * 104_729 + number * 31) % 61) as u8;
            let is_inside = (x..x + side).contains(&px) && (y..y + side).contains(&py);
            if is_inside { 180 + grain } else { 20 + grain }
        });
        room.picture(&format!("{folder}/{name}"), &Image::Gray8(picture));
        images.push(json!({"id": number, "file_name": name, "width": 60, "height": 48}));
        annotations.push(json!({"image_id": number, "category_id": 3, "bbox": [x, y, side, side]}));
    }
    let file =
        json!({"images": images, "annotations": annotations, "categories": [{"id": 3, "name": "square"}]});
    room.write(&format!("{folder}/boxes.json"), file.to_string());
}

#[test]
fn a_detector_is_trained_on_boxes_and_on_its_false_alarms() {
    let room = Room::new();
    room.write("net.toml", NET);
    squares(&room, "train", 40);
    squares(&room, "test", 10);
    let train =
        ["train", "net", "net.toml", "--data", "train/boxes.json", "--test", "test", "--threads", "1"];
    let how = ["--epochs", "8", "--batch", "10", "--lr", "0.05"];
    let said = room.run(&[&train[..], &how, &["-o", "one"]].concat());
    assert_eq!(said.code, 0, "{said:?}");
    let wanted = "training: 160 windows of 40 pictures, 120 of `background`, 40 of `square`; 0.0 MB\n";
    assert!(said.err.contains(wanted), "{}", said.err);
    assert!(said.out.starts_with("test accuracy 100.00% (40 of 40;"), "{}", said.out);

    let again =
        ["-o", "two", "--init-from", "one/best.safetensors", "--hard-negatives", "one/best.safetensors"];
    let more = ["--hard-negatives-count", "2", "--hard-negatives-threshold", "0"];
    let said = room.run(&[&train[..], &how, &again, &more].concat());
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.err.contains("80 hard negatives by `one/best.safetensors`\n"), "{}", said.err);

    // The detector finds the square of a picture.
    room.write(
        "find.toml",
        "version = 1\n[[stage]]\nuse = \"gray\"\n[[stage]]\nuse = \"cnn-detect\"\nname = \"squares\"\n\
         model = \"two/best.safetensors\"\nclass = \"square\"\nmin-neighbors = 1\n\
         min-probability = 0.5\n",
    );
    let picture = room.read("test/3.png");
    let pipeline = lyncean::pipeline::Pipeline::load(room.path("find.toml").to_str().unwrap()).unwrap();
    let results = pipeline.run(&picture).unwrap();
    let wanted = [21.0, 3.0, 15.0, 15.0];
    // Windows have no more than a few sizes and steps.
    let found =
        results.objects("squares").unwrap().iter().map(|object| lyncean::ops::nms::iou(object.bbox, wanted));
    let best = found.fold(0.0, f64::max);
    assert!(best > 0.5, "{:?}", results.objects("squares"));
}

#[test]
fn a_run_is_resumed_with_the_windows_it_was_started_with_alone() {
    let room = Room::new();
    room.write("net.toml", NET);
    room.write("how.toml", "schedule = \"constant\"\nbatch = 10\n");
    squares(&room, "train", 6);
    let train = |more: &[&str]| {
        let how = ["train", "net", "net.toml", "--data", "train", "--settings", "how.toml", "-o", "run"];
        room.run(&[&how[..], &["--threads", "1", "--margin", "0.1"], more].concat())
    };
    assert_eq!(train(&["--epochs", "1"]).code, 0);
    let whole = room.run(&[
        "train",
        "net",
        "net.toml",
        "--data",
        "train",
        "--settings",
        "how.toml",
        "-o",
        "whole",
        "--threads",
        "1",
        "--margin",
        "0.1",
        "--epochs",
        "2",
    ]);
    assert_eq!(whole.code, 0, "{whole:?}");
    let told = |more: &[&str], wanted: &str| {
        let said = train(&[&["--epochs", "2", "--resume"], more].concat());
        assert!(said.code == 2 && said.err.contains(wanted), "{more:?}: {said:?}");
        assert!(
            said.err.contains("\nhint: repeat the data and its options, or choose another folder"),
            "{said:?}"
        );
    };
    told(&["--negatives", "2"], "the run was started with `negatives` 3, now it is 2");
    told(&["--negative-overlap", "0.2"], "`negative-overlap` 0.3, now it is 0.2");
    told(&["--stretch"], "`stretch` false, now it is true");
    let mined = ["--hard-negatives", "run/best.safetensors", "--hard-negatives-threshold", "0"];
    told(&mined, "the run was started with ");
    // The same ones go on, to the same bits.
    let said = train(&["--epochs", "2", "--resume"]);
    assert_eq!(said.code, 0, "{said:?}");
    let bytes = |name: &str| std::fs::read(room.path(name)).unwrap();
    assert!(bytes("run/last.safetensors") == bytes("whole/last.safetensors"));
    // Other pictures do not.
    squares(&room, "train", 7);
    told(&[], "the run was started with `windows` 24, now it is 28");
}

#[test]
fn what_does_not_fit_is_told() {
    let room = Room::new();
    room.write("net.toml", NET);
    squares(&room, "train", 3);
    let told = |arguments: &[&str], wanted: &str| {
        let said = room.run(&[&["train", "net", "net.toml", "-o", "run"], arguments].concat());
        assert!(said.code == 2 && said.err.contains(wanted), "{arguments:?}: {said:?}");
    };
    let data = ["--data", "train"];
    told(
        &[&data[..], &["--label", "circle"]].concat(),
        "expected boxes around objects to learn from, got none",
    );
    told(&[&data[..], &["--margin", "11"]].concat(), "expected a margin from 0 to 10, got 11");
    told(&[&data[..], &["--hard-negatives", "none.safetensors"]].concat(), "none.safetensors");
    told(&[&data[..], &["--hard-negatives-count", "3"]].concat(), "--hard-negatives <MODEL>");
    room.write("train/boxes.json", "{\"images\": [{\"id\": 1}]}");
    told(&data, "train/boxes.json: images[0].file_name: expected a text, got nothing");
    room.write("words.txt", "good film\nbad film\n");
    told(&["--data", "words.txt", "--label", "good"], "are for pictures with boxes, the data has none");
}

#[test]
fn samples_are_drawn_and_read_as_training_data() {
    let room = Room::new();
    let half = |x: usize| if x < 12 { 255 } else { 0 };
    room.picture(
        "things/red-1.png",
        &Image::Rgb8(Plane::from_fn(24, 24, |x, y| [half(x), (y * 9) as u8, 30])),
    );
    room.picture(
        "things/blue.png",
        &Image::Rgb8(Plane::from_fn(24, 30, |x, y| [20, (x * 9) as u8, half(y)])),
    );
    let draw = |out: &str, threads: &str| {
        room.run(&[
            "train",
            "samples",
            "things",
            "--backgrounds",
            "builtin:coins",
            "builtin:camera",
            "-n",
            "70",
            "-o",
            out,
            "--objects",
            "1-2",
            "--size",
            "96x80",
            "--scale",
            "0.2-0.4",
            "--label",
            "name",
            "--threads",
            threads,
        ])
    };
    let said = draw("a", "1");
    assert_eq!((said.code, said.out.as_str()), (0, ""), "{}", said.err);
    assert_eq!(draw("b", "3").code, 0);
    let read = |name: &str| std::fs::read(room.path(name)).unwrap();
    for name in ["annotations.json", "images/000000.png", "images/000069.png"] {
        assert_eq!(read(&format!("a/{name}")), read(&format!("b/{name}")), "{name}");
    }
    let coco: Json = serde_json::from_slice(&read("a/annotations.json")).unwrap();
    assert_eq!(coco["images"].as_array().unwrap().len(), 70);
    assert_eq!(coco["categories"], json!([{"id": 1, "name": "blue"}, {"id": 2, "name": "red"}]));
    let boxes = coco["annotations"].as_array().unwrap();
    assert!((80..=140).contains(&boxes.len()), "{}", boxes.len());

    let said = draw("a", "1");
    assert!(said.code == 2 && said.err.contains("is there already"), "{}", said.err);
    let said =
        room.run(&["train", "samples", "things", "-b", "builtin:coins", "-o", "c", "--scale", "0.9-0.2"]);
    assert!(said.code == 2 && said.err.contains("expected scales above 0"), "{}", said.err);

    // What was drawn trains a net.
    room.write("net.toml", NET);
    let said = room.run(&[
        "train",
        "net",
        "net.toml",
        "--data",
        "a/annotations.json",
        "-o",
        "run",
        "--epochs",
        "1",
        "--threads",
        "1",
    ]);
    assert_eq!(said.code, 0, "{}", said.err);
}
