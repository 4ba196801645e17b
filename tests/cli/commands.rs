//! Every command but `run`.

use lyncean::image::{Image, Plane};
use lyncean::{builtin, stage};
use serde_json::{Value as Json, json};

use crate::support::program::Room;

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

#[test]
fn check_tells_types_and_all_problems() {
    let room = Room::new();
    room.write("good.toml", "version = 1\n[[stage]]\nuse = \"gray\"\n");
    room.write("bad.toml", "version = 1\n[[stage]]\nuse = \"gary\"\n[[stage]]\nuse = \"sobel\"\nsise = 3\n");
    let said = room.run(&["check", "good.toml"]);
    let takes = "good.toml: takes rgb8, gray8, rgb16, gray16, rgb-f32, gray-f32\n";
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (0, takes, ""));

    let said = room.run(&["check", "bad.toml", "good.toml"]);
    assert_eq!((said.code, said.out.as_str()), (1, takes));
    assert_eq!(said.err.matches("error[P").count(), 2, "{}", said.err);
    assert!(said.err.contains("--> bad.toml:3:7"), "{}", said.err);

    let said = room.run(&["check", "--json", "good.toml", "bad.toml"]);
    assert_eq!(said.code, 1);
    let list = json(&said.out);
    assert_eq!((&list[0]["status"], &list[0]["accepts"][1]), (&json!("ok"), &json!("gray8")));
    let problem = &list[1]["problems"][0];
    assert_eq!(
        (&problem["code"], &problem["line"], &problem["column"]),
        (&json!("P006"), &json!(3), &json!(7))
    );
    assert_eq!(problem["hint"], "did you mean `gray`?");
    assert_eq!(list[1]["problems"].as_array().unwrap().len(), 2);

    let said = room.run(&["check", "good.toml", "missing.toml"]);
    assert_eq!((said.code, said.err.as_str()), (2, "error: `missing.toml`: no such file or directory\n"));
}

#[test]
fn every_built_in_pipeline_checks_explains_and_draws() {
    let room = Room::new();
    for (name, _) in builtin::PIPELINES {
        // Nets and templates take pictures of one size.
        let is_small = name.starts_with("digit") || *name == "clothes";
        let size = if is_small { "28x28" } else { "97x61" };
        let name = format!("builtin:{name}");
        assert_eq!(room.run(&["check", &name]).code, 0, "{name}");
        let said = room.run(&["explain", &name, "--size", size, "--type", "gray8"]);
        let begin = format!("input: gray8 {size}\nplan: ");
        assert!(said.code == 0 && said.out.starts_with(&begin), "{name} {said:?}");
        let said = room.run(&["graph", &name]);
        assert!(said.code == 0 && said.out.starts_with("digraph pipeline {\n"), "{name} {said:?}");
    }
}

#[test]
fn explain_takes_a_picture_or_its_measures() {
    let room = Room::new();
    let said = room.run(&["explain", "builtin:edges", "--threads", "1"]);
    assert!(said.out.starts_with("input: rgb8 1920x1080\nplan: 1 run, 0 whole steps\n"), "{said:?}");
    let said = room.run(&["explain", "builtin:edges", "builtin:coins", "--save", "gray"]);
    assert!(said.out.starts_with("input: gray8 384x303\n"), "{said:?}");
    let said = room.run(&["explain", "builtin:edges", "--size", "0x3"]);
    assert_eq!(said.code, 2);
    let said = room.run(&["explain", "builtin:faces", "--type", "gray16"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("the pipeline takes `rgb8`, `gray8`, got `gray16`"), "{}", said.err);
}

#[test]
fn stages_are_listed_and_described() {
    let room = Room::new();
    let said = room.run(&["stages"]);
    assert_eq!(said.code, 0);
    assert_eq!(said.out.lines().count(), stage::ALL.len() + 1);
    for kind in stage::ALL {
        assert!(said.out.lines().any(|line| line.split(' ').next() == Some(kind.name)), "{}", kind.name);
        let said = room.run(&["stages", kind.name]);
        assert!(said.code == 0 && said.out.contains("\nexample\n  [[stage]]\n"), "{said:?}");
    }
    let list = json(&room.run(&["stages", "--json"]).out);
    assert_eq!(list.as_array().unwrap().len(), stage::ALL.len());
    let sobel = json(&room.run(&["stages", "sobel", "--json"]).out);
    assert_eq!((&sobel["name"], &sobel["inputs"][0]["name"]), (&json!("sobel"), &json!("image")));
    assert!(room.run(&["stages", "--markdown"]).out.starts_with("| stage | family | what it does |\n|---|"));
    let said = room.run(&["stages", "soble"]);
    assert_eq!(said.code, 2);
    assert_eq!(said.err, "error: there is no stage `soble`\nhint: did you mean `sobel`?\n");
}

#[test]
fn the_schema_takes_every_pipeline_that_ships() {
    let room = Room::new();
    let schema = json(&room.run(&["schema"]).out);
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (name, text) in builtin::PIPELINES {
        let file: Json = toml::from_str(text).unwrap();
        let problems: Vec<String> = validator.iter_errors(&file).map(|error| error.to_string()).collect();
        assert!(problems.is_empty(), "{name}: {problems:?}");
    }
    let bad = json!({"version": 1, "stage": [{"use": "gray", "no-such-key": 1}]});
    assert!(!validator.is_valid(&bad));
}

#[test]
fn info_tells_what_is_in_a_file() {
    let room = Room::new();
    room.picture("a.png", &Image::Gray8(Plane::from_fn(4, 2, |x, _| [0, 10, 10, 240][x])));
    let said = room.run(&["info", "a.png"]);
    assert!(said.out.contains("  size         4 x 2\n"), "{}", said.out);
    assert!(said.out.contains("  gray         0 to 240, mean 65\n"), "{}", said.out);
    room.fixture("exif-6.jpg", "b.jpg");
    let said = room.run(&["info", "--json", "a.png", "b.jpg"]);
    let list = json(&said.out);
    assert_eq!(
        (&list[0]["width"], &list[0]["bits"], &list[0]["type"]),
        (&json!(4), &json!(8), &json!("gray8"))
    );
    let counts = list[0]["values"][0]["histogram"]["counts"].as_array().unwrap();
    assert_eq!((counts.len(), &counts[10], &counts[240]), (256, &json!(4), &json!(2)));
    assert_eq!(list[1]["orientation"], 6);
    let said = room.run(&["info", "no.png", "a.png"]);
    assert!(said.code == 1 && said.out.starts_with("a.png\n"), "{said:?}");
    assert_eq!(room.run(&["info", "builtin:astronaut"]).code, 0);
}

#[test]
fn bench_measures_each_picture() {
    let room = Room::new();
    let said =
        room.run(&["bench", "builtin:edges", "builtin:coins", "builtin:camera", "--runs", "3", "--json"]);
    assert_eq!(said.code, 0, "{said:?}");
    let list = json(&said.out);
    for (index, width) in [384, 256].into_iter().enumerate() {
        assert_eq!((&list[index]["width"], &list[index]["runs"]), (&json!(width), &json!(3)));
        assert!(list[index]["min-ms"].as_f64().unwrap() <= list[index]["median-ms"].as_f64().unwrap());
        assert!(list[index]["ns-per-pixel"].as_f64().unwrap() > 0.0);
    }
    assert_eq!(room.run(&["bench", "builtin:edges", "builtin:coins", "--runs", "1"]).out.lines().count(), 2);
}

#[test]
fn completions_for_every_shell() {
    let room = Room::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let said = room.run(&["completions", shell]);
        assert!(said.code == 0 && said.out.contains("lyncean"), "{shell}");
    }
}

#[test]
fn the_demo_makes_what_it_lists() {
    let room = Room::new();
    let said = room.run(&["demo"]);
    assert_eq!(said.code, 0, "{said:?}");
    let files = room.files("demo-out");
    assert_eq!(files.len(), said.out.lines().count() - 1);
    for file in &files {
        assert!(said.out.contains(&format!("demo-out/{file}")), "{file}");
        assert!(room.read(&format!("demo-out/{file}")).width() > 0);
    }
    let line = |name: &str| said.out.lines().find(|line| line.starts_with(name)).unwrap();
    assert!(line("builtin:faces").ends_with("faces: 1"), "{}", said.out);
    // Sobel's operator is a convolution: no pixel differs.
    assert!(line("builtin:sobel-is-convolution").ends_with("gray 0 to 0"), "{}", said.out);
}

#[test]
fn help_names_every_command_and_words_go_to_the_right_place() {
    let room = Room::new();
    let said = room.run(&["--help"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    for command in
        ["run", "check", "explain", "stages", "schema", "graph", "bench", "info", "demo", "completions"]
    {
        assert!(said.out.contains(&format!("\n  {command} ")), "{command}");
        assert_eq!(room.run(&[command, "--help"]).code, 0);
    }
    let said = room.run(&["runn"]);
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert!(room.run(&["--version"]).out.starts_with("lyncean "));
}

#[test]
fn detections_are_explained() {
    let room = Room::new();
    let cascade = "builtin:frontalface-default";
    let said =
        room.run(&["explain-detection", cascade, "builtin:astronaut", "--box", "97,33,48", "-o", "why.png"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    assert!(said.out.contains("passes all 25 stages, margin"), "{}", said.out);
    assert!(said.out.contains("what decided most in stage 24:"), "{}", said.out);
    let drawn = image::open(room.path("why.png")).unwrap();
    assert_eq!(drawn.height(), 24 * 10 + 16);

    let said = room.run(&[
        "explain-detection",
        cascade,
        "builtin:astronaut",
        "--box",
        "10,10,60",
        "--exactly",
        "--json",
    ]);
    let why = json(&said.out);
    assert_eq!((said.code, &why["window"], &why["flat"]), (0, &json!([10, 10, 60, 60]), &json!(false)));
    let last = why["rejected-by"].as_u64().unwrap() as usize;
    let stages = why["stages"].as_array().unwrap();
    assert_eq!(stages.len(), last + 1);
    for (index, stage) in stages.iter().enumerate() {
        let passed = stage["votes"].as_f64().unwrap() >= stage["needed"].as_f64().unwrap();
        assert_eq!(passed, index != last);
    }

    let said = room.run(&["explain-detection", cascade, "builtin:astronaut", "--box", "250,10,60"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("leaves the picture of 256x256"), "{}", said.err);
    let said = room.run(&["explain-detection", cascade, "builtin:astronaut", "--box", "1,2"]);
    assert!(said.code == 2 && said.err.contains("`12,40,96`"), "{}", said.err);
    let said =
        room.run(&["explain-detection", "builtin:frontalface", "builtin:astronaut", "--box", "1,2,30"]);
    assert!(said.code == 2 && said.err.contains("there is no built-in `frontalface`"), "{}", said.err);
}
