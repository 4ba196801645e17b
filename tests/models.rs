//! What ships does what its card says, as far as the repository holds the data.

use std::path::Path;

use lyncean::eval::dataset::Dataset;
use lyncean::nn::Net;
use lyncean::nn::train::evaluate;

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
