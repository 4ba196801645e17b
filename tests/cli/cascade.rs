//! `lyncean train cascade`: from crops and pictures to a cascade that finds things.

use lyncean::image::{Image, Plane};
use lyncean::ops::cascade::{Cascade, Params};
use serde_json::json;

use crate::support::program::Room;

const SETTINGS: &str = "width = 12\nheight = 12\nstages = 3\nnegatives = 400\nmin-negatives = 10\nfeature-share = 0.2\n\
     turns = \"none\"\nvalidation = 0.2\n";

/// A number that looks random.
fn noise(seed: usize, x: usize, y: usize) -> u8 {
    let mixed = (x as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ (y as u64 + 1).wrapping_mul(0xbf58_476d_1ce4_e5b9)
        ^ (seed as u64 + 1).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed.wrapping_mul(0xd6e8_feb8_6659_fd93) >> 56) as u8
}

/// A dark ring around a bright spot, in noise; contrast and place differ.
fn ring(seed: usize, x: usize, y: usize, side: usize) -> u8 {
    let choose = |which| noise(seed, which, 1);
    let shift = |which| (f64::from(choose(which) % 3) - 1.0) * side as f64 / 12.0;
    let centre = (side as f64 - 1.0) / 2.0;
    let distance = (x as f64 - centre - shift(900)).hypot(y as f64 - centre - shift(901)) / side as f64;
    let shade = match distance {
        d if d < 0.17 => 130 + choose(902) / 4,
        d if d < 0.42 => 80 - choose(903) / 5,
        _ => 100,
    };
    shade + noise(seed, x, y) / 4
}

/// Spots without a ring, dark discs without a spot, and blocks.
fn ground(seed: usize, x: usize, y: usize) -> u8 {
    let distance = ((x % 12) as f64 - 5.5).hypot((y % 12) as f64 - 5.5) / 12.0;
    let shade = match noise(seed, x / 12, y / 12) % 4 {
        0 if distance < 0.17 => 160,
        1 if distance < 0.42 => 50,
        0 | 1 => 100,
        _ => noise(seed, x / 6, y / 4) / 2 + 40,
    };
    shade + noise(seed + 9, x, y) / 4
}

/// Objects, pictures without, and settings.
fn room() -> Room {
    let room = Room::new();
    for i in 0..60 {
        let crop = Plane::from_fn(12, 12, |x, y| ring(i, x, y, 12));
        let split = if i < 50 { "rings" } else { "held" };
        room.picture(&format!("{split}/{i:02}.png"), &Image::Gray8(crop));
    }
    for i in 0..4 {
        let folder = if i < 3 { "ground" } else { "other" };
        let picture = Plane::from_fn(80, 60, |x, y| ground(i, x, y));
        room.picture(&format!("{folder}/{i}.png"), &Image::Gray8(picture));
    }
    room.write("cascade.toml", SETTINGS);
    room
}

fn arguments<'a>(out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let base =
        ["train", "cascade", "cascade.toml", "--positives", "rings", "--negatives", "ground", "-o", out];
    [&base[..], more].concat()
}

fn bytes(room: &Room, out: &str) -> Vec<(String, Vec<u8>)> {
    let names = room.files(out).into_iter();
    names.map(|name| (name.clone(), std::fs::read(room.path(out).join(&name)).unwrap())).collect()
}

#[test]
fn a_cascade_is_trained_reported_and_finds_what_it_learned() {
    let room = room();
    let judge = ["--test-positives", "held", "--test-negatives", "other"];
    let said = room.run(&arguments("run", &judge));
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.err.contains("50 objects of 12x12, 3 pictures without"), "{}", said.err);
    assert!(
        said.out.contains("held out: hit rate ") && said.out.contains(" of 10), false alarms "),
        "{said:?}"
    );
    let files = room.files("run");
    for name in ["cascade.xml", "report.html", "settings.json", "stages.csv", "stages/01.xml", "state.json"] {
        assert!(files.iter().any(|file| file == name), "{name} in {files:?}");
    }
    let text = |name: &str| std::fs::read_to_string(room.path(format!("run/{name}"))).unwrap();
    let stages = text("stages.csv").lines().count() - 1;
    assert_eq!(text(&format!("stages/{stages:02}.xml")), text("cascade.xml"));
    let report = text("report.html");
    for part in ["Receiver operating characteristic", "Hit rate after each stage", "<use href=\"#mean\"/>"] {
        assert!(report.contains(part), "{part}");
    }
    assert_eq!(report.matches("<svg").count(), report.matches("</svg>").count());
    let cascade = Cascade::from_bytes(text("cascade.xml").as_bytes()).unwrap();
    let held = (50..60).filter(|i| {
        let crop = room.read(&format!("held/{i}.png"));
        let params = Params { min_neighbors: 0, ..Params::default() };
        !cascade.detect(crop.as_gray8().unwrap().view(), &params).unwrap().is_empty()
    });
    assert!(held.count() >= 8);
    // A ring twice as large, where the pipeline looks for it.
    let scene = Plane::from_fn(90, 70, |x, y| match (x.checked_sub(40), y.checked_sub(20)) {
        (Some(x), Some(y)) if x < 24 && y < 24 => ring(77, x, y, 24),
        _ => ground(7, x, y),
    });
    room.picture("scene.png", &Image::Gray8(scene));
    room.write("find.toml", "version = 1\n[[stage]]\nuse = \"haar-detect\"\ncascade = \"run/cascade.xml\"\n");
    let said = room.run(&["run", "find.toml", "scene.png"]);
    assert_eq!(said.code, 0, "{said:?}");
    let found = said.records()[0]["results"]["haar-detect"]["objects"].clone();
    let is_near = |object: &serde_json::Value| {
        let side = |i: usize| object["box"][i].as_f64().unwrap();
        (side(0) - 40.0).abs() < 6.0 && (side(1) - 20.0).abs() < 6.0 && (side(2) - 24.0).abs() < 8.0
    };
    assert!(found.as_array().unwrap().iter().any(is_near), "{found}");
    calibrated(&room);
}

/// What the margins of the cascade say, from pictures with one ring each.
fn calibrated(room: &Room) {
    let (mut images, mut annotations) = (Vec::new(), Vec::new());
    for i in 0..24 {
        let (left, top, side) = (5 + i * 7 % 40, 4 + i * 5 % 25, 14 + i % 4 * 4);
        let picture = Plane::from_fn(90, 70, |x, y| match (x.checked_sub(left), y.checked_sub(top)) {
            (Some(x), Some(y)) if x < side && y < side => ring(100 + i, x, y, side),
            _ => ground(50 + i, x, y),
        });
        room.picture(&format!("boxed/{i}.png"), &Image::Gray8(picture));
        images.push(json!({"id": i, "file_name": format!("{i}.png"), "width": 90, "height": 70}));
        let bbox = [left, top, side, side];
        annotations.push(json!({"id": i + 1, "image_id": i, "category_id": 1, "bbox": bbox}));
    }
    let categories = [json!({"id": 1, "name": "ring"})];
    let coco = json!({"images": images, "annotations": annotations, "categories": categories});
    room.write("boxed/boxes.json", coco.to_string());
    let said = room.run(&[
        "train",
        "calibration",
        "run/cascade.xml",
        "--data",
        "boxed/boxes.json",
        "-o",
        "calibrated.xml",
        "--min-neighbors",
        "0",
    ]);
    assert_eq!((said.code, said.out.as_str()), (0, ""), "{said:?}");
    assert!(said.err.contains("detections were objects"), "{}", said.err);
    let plain = Cascade::from_bytes(&std::fs::read(room.path("run/cascade.xml")).unwrap()).unwrap();
    let cascade = Cascade::from_bytes(&std::fs::read(room.path("calibrated.xml")).unwrap()).unwrap();
    assert!(plain.calibration().is_none());
    let calibration = cascade.calibration().unwrap();
    assert_eq!(plain.with_calibration(calibration).unwrap(), cascade);
    // Scores are probabilities now, and a bound on them holds.
    room.write(
        "sure.toml",
        "version = 1\n[[stage]]\nuse = \"haar-detect\"\ncascade = \"calibrated.xml\"\nmin-neighbors = 0\nmin-score = 0.5\n",
    );
    let said = room.run(&["run", "sure.toml", "scene.png"]);
    let found = said.records()[0]["results"]["haar-detect"]["objects"].clone();
    for object in found.as_array().unwrap() {
        let score = object["score"].as_f64().unwrap();
        assert!((0.5..=1.0).contains(&score), "{object}");
        let margin = object["margin"].as_f64().unwrap();
        assert!((score - calibration.probability(margin)).abs() < 1e-4, "{object}");
    }
    let said = room.run(&["train", "calibration", "run/cascade.xml", "--data", "ground", "-o", "x.xml"]);
    assert_eq!(said.code, 2, "{said:?}");
}

#[test]
fn threads_and_stops_change_no_byte() {
    let room = room();
    assert_eq!(room.run(&arguments("whole", &["--threads", "1"])).code, 0);
    // Stopped after a stage, and gone on with other threads.
    assert_eq!(room.run(&arguments("parts", &["--stages", "1", "--threads", "2"])).code, 0);
    let said = room.run(&arguments("parts", &["--resume", "--threads", "3"]));
    assert_eq!(said.code, 0, "{said:?}");
    assert!(!said.err.contains("stage 0:") && said.err.contains("stage 1:"), "{}", said.err);
    let whole = bytes(&room, "whole");
    assert!(whole.len() >= 7);
    assert_eq!(bytes(&room, "parts"), whole);
    // A run that is over stays what it is.
    assert_eq!(room.run(&arguments("whole", &["--resume"])).code, 0);
    assert_eq!(bytes(&room, "whole"), whole);

    let said = room.run(&arguments("whole", &[]));
    assert!(said.code == 2 && said.err.contains("`whole` holds a run already\nhint: resume it"), "{said:?}");
    let said = room.run(&arguments("whole", &["--resume", "--seed", "9"]));
    assert!(said.code == 2 && said.err.contains("the run was started with other settings"), "{said:?}");
    std::fs::remove_file(room.path("rings/07.png")).unwrap();
    let said = room.run(&arguments("whole", &["--resume"]));
    assert!(said.code == 2 && said.err.contains("with other objects or pictures"), "{said:?}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_the_whole_stages() {
    use std::process::Stdio;
    let room = room();
    // Objects that are like the ground: no stage reaches its target, and there are many of them.
    for i in 20..40 {
        let like = |x, y| ground(i, x + 3, y + 5);
        room.picture(&format!("like/{i}.png"), &Image::Gray8(Plane::from_fn(12, 12, like)));
    }
    room.write(
        "cascade.toml",
        "width = 12\nheight = 12\nstages = 900\nhit-rate = 1.0\nmax-weak = 2\nnegatives = 120\nturns = \"none\"\n",
    );
    let arguments = [
        "train",
        "cascade",
        "cascade.toml",
        "--positives",
        "like",
        "--negatives",
        "ground",
        "-o",
        "run",
        "--threads",
        "1",
    ];
    let child = room.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let pid = child.id().to_string();
    let first = room.path("run/state.json");
    for _ in 0..6000 {
        if first.exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let said = crate::support::program::Said::of(child.wait_with_output().unwrap());
    assert_eq!(said.code, 130, "{said:?}");
    assert!(said.err.contains("stopped after the last whole stage; `--resume` goes on"), "{}", said.err);
    let state: serde_json::Value = serde_json::from_slice(&std::fs::read(first).unwrap()).unwrap();
    let stages = state["stages"].as_array().unwrap().len();
    assert!(stages >= 1 && room.path(format!("run/stages/{stages:02}.xml")).exists());
}

#[test]
fn what_is_wrong_is_told() {
    let room = room();
    let said = room.run(&["train", "cascade", "--positives", "rings", "-o", "run"]);
    assert!(said.code == 2 && said.err.contains("--negatives"), "{said:?}");
    room.write("bad.toml", "width = 12\nhit-rat = 0.9\nboost = \"real\"\nfalse-alarm = 1.5\n");
    let base = ["train", "cascade", "bad.toml", "--positives", "rings", "--negatives", "ground", "-o", "run"];
    let said = room.run(&base);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("the settings has no `hit-rat`"), "{}", said.err);
    assert!(
        said.err.contains("bad.toml:2:1") && said.err.contains("did you mean `hit-rate`?"),
        "{}",
        said.err
    );
    assert!(said.err.contains("bad.toml:3:9") && said.err.contains("bad.toml:4:15"), "{}", said.err);
    assert!(!room.path("run").exists());
    let said =
        room.run(&["train", "cascade", "--positives", "rings", "--negatives", "none.png", "-o", "run"]);
    assert!(said.code == 2 && said.err.contains("none.png"), "{said:?}");
    let vec = [&2i32.to_le_bytes()[..], &144i32.to_le_bytes(), &[0; 4 + 289]].concat();
    room.write("rings.vec", vec);
    let said = room.run(&[
        "train",
        "cascade",
        "cascade.toml",
        "--positives",
        "rings.vec",
        "--negatives",
        "ground",
        "-o",
        "run",
    ]);
    assert!(said.code == 2 && said.err.contains("rings.vec: expected 2 samples of 289 bytes"), "{said:?}");
}
