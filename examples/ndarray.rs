//! From and to arrays of `ndarray`: `cargo run --example ndarray --features ndarray`.
#![allow(clippy::print_stdout, reason = "a program talks")]

use lyncean::prelude::*;
use ndarray::{Array2, Array3};

const GRADIENT: &str = "version = 1\n[[stage]]\nuse = \"gray\"\n[[stage]]\nuse = \"sobel\"\noutput = \"dx\"";

fn main() -> Result<(), Error> {
    // [rows, columns, 3] of red, green and blue; the memory is taken over.
    let ramp = Array3::from_shape_fn((20, 30, 3), |(_, x, _)| x as f32 / 30.0);
    let image = Image::try_from(ramp)?;
    let results = Pipeline::from_toml(GRADIENT)?.run(&image)?;

    // Looked at without a copy.
    let plane = results.output().ok_or_else(|| Error::input("no image"))?.as_gray_f32()?;
    let view = plane.array_view()?;
    println!("mean derivative {:?}", view.mean());
    assert!((view[(10, 15)] - 8.0 / 30.0).abs() < 1e-5);

    // Or as an array of its own.
    let array = Array2::try_from(plane.clone())?;
    assert_eq!(array.dim(), (20, 30));
    Ok(())
}
