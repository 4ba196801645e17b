//! Comparing pipelines on data whose answers are known.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use lyncean::eval::dataset::Dataset;
use lyncean::eval::metrics::{Paired, Proportion};
use lyncean::eval::{Comparison, Options, compare};
use lyncean::image::{Image, Plane, codec};
use lyncean::ops::context::{Cancel, Context};
use lyncean::pipeline::{Loader, Pipeline};
use lyncean::{ErrorKind, Result};
use serde_json::Value as Json;
use tempfile::TempDir;

const CLASSES: [&str; 3] = ["left", "right", "top"];

/// A picture that is bright in one half.
fn half(class: usize, width: usize, bright: u8) -> Image {
    let pixel = |x: usize, y: usize| match [x < width / 2, x >= width / 2, y < 3][class] {
        true => bright,
        false => 20 + (x * 3 + y) as u8,
    };
    let pixels = (0..6 * width).map(|i| pixel(i % width, i / width)).collect();
    Image::Gray8(Plane::from_vec(width, 6, pixels).unwrap())
}

fn write(path: &Path, image: &Image) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    codec::write(path, image, codec::Format::Png, &codec::WriteOptions::default()).unwrap();
}

/// Four pictures of each class, the templates they are made from, and two pipelines: one that knows
/// them, and one that takes `right` and `top` for one another.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (class, name) in CLASSES.iter().enumerate() {
        for number in 0..4 {
            let picture = half(class, 6, 120 + 30 * number as u8);
            write(&folder.path().join(format!("data/{name}/{number}.png")), &picture);
        }
    }
    let halves: Vec<Image> = (0..3).map(|class| half(class, 6, 220)).collect();
    let rows = (0..6).flat_map(|y| halves.iter().flat_map(move |half| half.as_gray8().unwrap().row(y)));
    let strip = Plane::from_vec(18, 6, rows.copied().collect()).unwrap();
    write(&folder.path().join("halves.png"), &Image::Gray8(strip));
    let pipeline = |labels: &str, rest: &str| {
        format!(
            "version = 1\n{rest}[[stage]]\nuse = \"nearest-template\"\nname = \"half\"\n\
             templates = \"halves.png\"\nlabels = [{labels}]\n"
        )
    };
    let good = pipeline("\"left\", \"right\", \"top\"", "[schedule]\nthreads = 4\n");
    std::fs::write(folder.path().join("good.toml"), good).unwrap();
    std::fs::write(folder.path().join("mixed.toml"), pipeline("\"left\", \"top\", \"right\"", "")).unwrap();
    folder
}

/// Two pictures more, on which every pipeline fails: one of another size, and one that is torn.
fn add_failures(folder: &TempDir) {
    write(&folder.path().join("data/top/wide.png"), &half(2, 7, 200));
    std::fs::write(folder.path().join("data/left/torn.png"), b"\x89PNG\r\n\x1a\n").unwrap();
}

fn load(folder: &TempDir, names: &[&str]) -> Vec<Pipeline> {
    names.iter().map(|name| Pipeline::load(folder.path().join(name)).unwrap()).collect()
}

fn run(pipelines: &[Pipeline], data: &Path, options: &Options) -> Result<Comparison> {
    compare(pipelines, &Dataset::open_for_test(data).unwrap(), options, &mut |_, _| {})
}

fn judged(folder: &TempDir, names: &[&str]) -> Comparison {
    run(&load(folder, names), &folder.path().join("data"), &Options::default()).unwrap()
}

#[test]
fn what_is_known_comes_out() {
    let folder = folder();
    add_failures(&folder);
    let comparison = judged(&folder, &["mixed.toml", "good.toml"]);
    assert_eq!((comparison.images, comparison.classes.as_slice()), (14, &CLASSES.map(str::to_owned)[..]));
    let [mixed, good] = &comparison.contenders[..] else { panic!("two pipelines were given") };
    assert!(mixed.name.ends_with("mixed.toml") && good.name.ends_with("good.toml"));
    assert_eq!((mixed.stage.as_str(), good.stage.as_str()), ("half", "half"));
    assert_eq!(
        (mixed.accuracy(), good.accuracy()),
        (Proportion { hits: 4, of: 14 }, Proportion { hits: 12, of: 14 })
    );
    assert_eq!([0, 1, 2].map(|class| mixed.confusion.row(class)), [[4, 0, 0], [0, 0, 4], [0, 4, 0]]);
    assert_eq!([0, 1, 2].map(|class| good.confusion.failed(class)), [1, 0, 1]);
    for contender in [mixed, good] {
        let accuracy = contender.accuracy();
        assert!(accuracy.interval().contains(accuracy.value()));
        let failed: Vec<_> = contender.failures.iter().map(|failure| failure.image.as_str()).collect();
        assert_eq!(failed, ["left/torn.png", "top/wide.png"]);
        assert_eq!(contender.failures[1].error.kind(), ErrorKind::Shape);
        let time = contender.time.unwrap();
        assert!(0.0 < time.min_ms && time.min_ms <= time.median_ms);
    }
    let [pair] = comparison.pairs[..] else { panic!("two pipelines make one pair") };
    assert_eq!((pair.first, pair.second), (0, 1));
    assert_eq!(pair.counts, Paired { both: 4, only_first: 0, only_second: 8, neither: 2 });
    assert_eq!(pair.counts.test().p, 2.0 / 256.0);
}

#[test]
fn order_is_kept_and_each_meets_each_later_one() {
    let folder = folder();
    let names = ["good.toml", "mixed.toml", "good.toml"];
    let comparison = judged(&folder, &names);
    let accuracies: Vec<u64> = comparison.contenders.iter().map(|one| one.accuracy().hits).collect();
    assert_eq!(accuracies, [12, 4, 12]);
    let pairs: Vec<_> = comparison.pairs.iter().map(|p| (p.first, p.second, p.counts.difference())).collect();
    assert_eq!(pairs, [(0, 1, 8.0 / 12.0), (0, 2, 0.0), (1, 2, -8.0 / 12.0)]);
}

/// Takes the times out, checking that they are there.
fn without_times(mut json: Json) -> Json {
    for pipeline in json["pipelines"].as_array_mut().unwrap() {
        for key in ["median-ms", "min-ms"] {
            assert!(pipeline.as_object_mut().unwrap().remove(key).unwrap().as_f64().unwrap() > 0.0);
        }
    }
    json
}

#[test]
fn json_is_the_same_in_every_run_but_for_times() {
    let folder = folder();
    add_failures(&folder);
    let json = || without_times(judged(&folder, &["good.toml", "mixed.toml"]).to_json());
    let first = json();
    assert_eq!(first.to_string(), json().to_string());
    let good = &first["pipelines"][0];
    assert_eq!(good["correct"], 12);
    assert_eq!(
        good["by-class"][0],
        serde_json::json!({"class": "left", "images": 5, "correct": 4, "accuracy": 0.8})
    );
    assert_eq!(good["failures"][1]["kind"], "shape");
    assert_eq!(first["pairs"][0]["right"]["only-first"], 8);
    assert_eq!(first["pairs"][0]["mcnemar"]["method"], "exact-binomial");
}

#[test]
fn a_limit_takes_even_steps_and_progress_tells_each() {
    let folder = folder();
    let data = Dataset::open_for_test(&folder.path().join("data")).unwrap();
    let mut told = Vec::new();
    let options = Options { limit: Some(3), ..Options::default() };
    let comparison =
        compare(&load(&folder, &["mixed.toml"]), &data, &options, &mut |done, all| told.push((done, all)))
            .unwrap();
    assert_eq!(told, [(1, 3), (2, 3), (3, 3)]);
    let confusion = &comparison.contenders[0].confusion;
    assert_eq!([0, 1, 2].map(|class| confusion.row(class).iter().sum::<u64>()), [1, 1, 1]);
    let options = Options { limit: Some(100), ..Options::default() };
    assert_eq!(
        run(&load(&folder, &["good.toml"]), &folder.path().join("data"), &options).unwrap().images,
        12
    );
}

#[test]
fn labels_that_no_class_is_called_are_wrong_and_kept_apart() {
    let folder = folder();
    let loader = Loader::new().with_override("half.labels", "[\"left\", \"east\", \"top\"]");
    let pipelines = [loader.load(folder.path().join("good.toml")).unwrap()];
    let comparison = run(&pipelines, &folder.path().join("data"), &Options::default()).unwrap();
    let confusion = &comparison.contenders[0].confusion;
    assert_eq!((confusion.accuracy().hits, confusion.strangers()), (8, &["east".to_owned()][..]));
    assert_eq!(confusion.row(1), [0, 0, 0, 4]);
}

#[test]
fn what_cannot_be_compared_is_said() {
    let folder = folder();
    let data = folder.path().join("data");
    let pipelines =
        [Pipeline::load("builtin:digits-template").unwrap(), Pipeline::load("builtin:edges").unwrap()];
    let error = run(&pipelines, &data, &Options::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Pipeline);
    assert_eq!(error.message(), "no stage of `builtin:edges` gives classes");
    let none = Options { limit: Some(0), ..Options::default() };
    assert_eq!(
        run(&pipelines[..1], &data, &none).unwrap_err().message(),
        "there are no pictures to compare on"
    );
    assert!(run(&[], &data, &Options::default()).is_err());
    let cancel = Cancel::default();
    cancel.cancel();
    let cancelled = Options { context: Context::default().with_cancel(cancel), ..Options::default() };
    assert_eq!(run(&pipelines[..1], &data, &cancelled).unwrap_err().kind(), ErrorKind::Cancelled);
}

/// The comparison that the README shows: a net beats the class means by far more than chance.
#[test]
fn the_net_that_ships_beats_the_templates_on_the_digits_that_ship() {
    let pipelines =
        ["digits-template", "digits-lenet"].map(|name| Pipeline::load(format!("builtin:{name}")).unwrap());
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/digits");
    let comparison = run(&pipelines, &data, &Options { repeats: 1, ..Options::default() }).unwrap();
    let [templates, net] = &comparison.contenders[..] else { panic!("two pipelines were given") };
    assert_eq!((comparison.images, templates.failures.len(), net.failures.len()), (300, 0, 0));
    assert_eq!(templates.accuracy().hits, 243);
    assert!(net.accuracy().hits >= 296, "{}", net.accuracy().hits);
    let counts = comparison.pairs[0].counts;
    assert!(counts.interval().high < -0.1 && counts.test().p < 1e-6, "{counts:?}");
}

/// The ten templates as the test split of an IDX folder: who looks for the nearest template knows them.
fn idx_folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("models/digit-templates.png");
    let strip = codec::read(path, &codec::Limits::default()).unwrap().image;
    let strip = strip.as_gray8().unwrap();
    let mut images = vec![0, 0, 8, 3, 0, 0, 0, 10, 0, 0, 0, 28, 0, 0, 0, 28];
    for digit in 0..10 {
        (0..28).for_each(|y| images.extend_from_slice(&strip.row(y)[digit * 28..][..28]));
    }
    let mut labels = vec![0, 0, 8, 1, 0, 0, 0, 10];
    labels.extend(0..10u8);
    std::fs::write(folder.path().join("t10k-images-idx3-ubyte"), images).unwrap();
    std::fs::write(folder.path().join("t10k-labels-idx1-ubyte"), labels).unwrap();
    folder
}

fn command(words: &[&str], data: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lyncean"));
    command.arg("compare").args(words).arg("--data").arg(data).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn the_command_tells_tables_and_json() {
    let folder = idx_folder();
    let words = ["builtin:digits-template", "builtin:digits-template"];
    let told = command(&words, folder.path());
    assert_eq!(told.status.code(), Some(0), "{}", text(&told.stderr));
    let lines: Vec<&str> = text(&told.stdout).lines().collect();
    assert_eq!(lines.len(), 6, "{lines:#?}");
    assert!(lines[1].contains("100.00%") && lines[1].contains("10/10"), "{}", lines[1]);
    assert!(lines[5].contains("1.0000") && lines[5].contains("exact-binomial"), "{}", lines[5]);
    assert!(text(&told.stderr).contains("10 of 10 pictures in 10 classes"), "{}", text(&told.stderr));

    let told = command(&["builtin:digits-template", "--json", "--limit", "5"], folder.path());
    let json: Json = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!((&json["images"], &json["pipelines"][0]["correct"]), (&5.into(), &5.into()));
}

#[test]
fn the_command_tells_by_its_code_what_went_wrong() {
    let folder = folder();
    add_failures(&folder);
    let good = folder.path().join("good.toml");
    let data = folder.path().join("data");
    let told = command(&[good.to_str().unwrap()], &data);
    assert_eq!(told.status.code(), Some(1));
    assert!(text(&told.stderr).contains("top/wide.png"), "{}", text(&told.stderr));
    let told = command(&["builtin:edges"], &data);
    assert_eq!((told.status.code(), text(&told.stdout)), (Some(2), ""));
    assert!(text(&told.stderr).contains("no stage of `builtin:edges` gives classes"));
    assert_eq!(command(&["builtin:digits-template"], &folder.path().join("none")).status.code(), Some(2));
}
