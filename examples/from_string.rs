//! A pipeline from a text, on pixels from memory: all that the small core needs.
#![allow(clippy::print_stdout, reason = "a program talks")]

use lyncean::prelude::*;

const BRIGHT: &str = r#"
version = 1

[[stage]]
use = "gaussian-blur"
sigma = 1

[[stage]]
use = "threshold"
method = "otsu"

[[stage]]
use = "label"
"#;

fn main() -> Result<(), Error> {
    let pipeline = Pipeline::from_toml(BRIGHT)?;
    let spot = |x: usize, y: usize| if x.abs_diff(20) + y.abs_diff(10) < 6 { 200 } else { 20 };
    let results = pipeline.run(&Image::Gray8(Plane::from_fn(64, 48, spot)))?;
    let found = &results.objects("label")?[0];
    println!("level {}, one spot at {:?}", results.measure("threshold", "level")?, found.bbox);
    assert_eq!(results.objects("label")?.len(), 1);

    // What is wrong with a text is told with its place.
    let error = Pipeline::from_toml("version = 1\n[[stage]]\nuse = \"gauss-blur\"")
        .err()
        .ok_or_else(|| Error::input("no error"))?;
    println!("{error}");
    assert!(error.to_string().contains("gaussian-blur"));
    Ok(())
}
