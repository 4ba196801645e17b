//! What ships does what its card says, as far as the repository holds the data.

use std::path::Path;

use lyncean::eval::dataset::Dataset;
use lyncean::eval::{Options, Vectors, compare};
use lyncean::nn::Net;
use lyncean::nn::train::evaluate;
use lyncean::ops::Context;
use lyncean::ops::linear::{LinearModel, Method, Training, train};
use lyncean::pipeline::Pipeline;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn lenet_reads_the_digits_that_ship() {
    let net = Net::open(&root().join("models/lenet5.safetensors")).unwrap();
    assert_eq!(net.arch().text, std::fs::read_to_string(root().join("nets/lenet5.toml")).unwrap());
    let digits = Dataset::open_for_test(&root().join("fixtures/digits")).unwrap();
    assert_eq!((digits.len(), digits.classes().len()), (300, 10));
    let score = evaluate(&net, &digits).unwrap();
    assert!(score.correct >= 297, "{} of 300", score.correct);
}

#[test]
fn the_linear_model_reads_the_digits_that_ship_and_stands_between_its_rivals() {
    let digits = Dataset::open_for_test(&root().join("fixtures/digits")).unwrap();
    let names = ["builtin:digits-template", "builtin:digits-hog", "builtin:digits-lenet"];
    let pipelines = names.map(|name| Pipeline::load(name).unwrap());
    let comparison = compare(&pipelines, &digits, &Options::default(), &mut |_, _| {}).unwrap();
    let right: Vec<u64> = comparison.contenders.iter().map(|contender| contender.accuracy().hits).collect();
    assert!(right[0] < right[1] && right[1] >= 285 && right[1] <= right[2], "{right:?}");
    let pairs: Vec<_> = comparison.pairs.iter().map(|pair| (pair.first, pair.second)).collect();
    assert_eq!(pairs, [(0, 1), (0, 2), (1, 2)]);

    // The stage answers as the model does on the pipeline's vectors.
    let bytes = std::fs::read(root().join("models/digits-hog.safetensors")).unwrap();
    let model = LinearModel::from_safetensors(&bytes).unwrap();
    assert_eq!(bytes, model.to_safetensors().unwrap());
    let vectors = Vectors::of(&pipelines[1], &digits, &Context::default(), &|_| {}).unwrap();
    assert_eq!((vectors.features, model.features()), (1296, 1296));
    assert_eq!(vectors.count_right(&model, digits.classes()).unwrap(), right[1]);
}

#[test]
fn linear_models_are_learned_from_the_vectors_of_a_pipeline() {
    let digits = Dataset::open_for_test(&root().join("fixtures/digits")).unwrap();
    let text = "version = 1\n[[stage]]\nuse = \"gray\"\n[[stage]]\nuse = \"hog\"\npixels-per-cell = 7\n";
    let pipeline = Pipeline::from_toml(text).unwrap();
    let vectors = Vectors::of(&pipeline, &digits, &Context::default(), &|_| {}).unwrap();
    for method in [Method::Logistic, Method::Svm] {
        let params = Training { method, c: 10.0, max_iterations: 50, ..Training::default() };
        let trained = train(vectors.samples().unwrap(), digits.classes(), &params, &|| false).unwrap();
        let right = vectors.count_right(&trained.model, digits.classes()).unwrap();
        assert!(right >= 295, "{method:?}: {right} of 300");
    }
    let error = Vectors::of(&Pipeline::load("builtin:edges").unwrap(), &digits, &Context::default(), &|_| {});
    assert_eq!(error.unwrap_err().message(), "no stage of `builtin:edges` gives a vector");
}

#[test]
fn the_command_trains_writes_and_tells() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = folder.path().join("hog.toml");
    std::fs::write(
        &pipeline,
        "version = 1\n[[stage]]\nuse = \"gray\"\n[[stage]]\nuse = \"hog\"\npixels-per-cell = 7\n",
    )
    .unwrap();
    let run = |out: &str, threads: &str| {
        let told = std::process::Command::new(env!("CARGO_BIN_EXE_lyncean"))
            .args(["train", "linear"])
            .arg(&pipeline)
            .arg("--data")
            .arg(root().join("fixtures/digits/test"))
            .arg("-o")
            .arg(folder.path().join(out))
            .args(["--threads", threads, "--max-iterations", "20", "--method", "svm"])
            .output()
            .unwrap();
        assert_eq!(told.status.code(), Some(0), "{}", String::from_utf8_lossy(&told.stderr));
        assert!(String::from_utf8_lossy(&told.stdout).starts_with("training accuracy "));
        std::fs::read(folder.path().join(out)).unwrap()
    };
    let model = run("one.safetensors", "1");
    assert_eq!(model, run("three.safetensors", "3"));
    assert_eq!(LinearModel::from_safetensors(&model).unwrap().labels().len(), 10);
}
