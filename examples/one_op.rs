//! Operations without a pipeline: a function, an image, a struct of parameters, a context.
#![allow(clippy::print_stdout, reason = "a program talks")]

use lyncean::ops::{self, Canny, Label, Threshold};
use lyncean::prelude::*;

fn main() -> Result<(), Error> {
    let disc =
        |x: usize, y: usize| if x.abs_diff(30).pow(2) + y.abs_diff(20).pow(2) < 100 { 220 } else { 30 };
    let image = Image::Gray8(Plane::from_fn(64, 48, disc));
    let cx = Context::default().with_threads(2);

    let mask = ops::threshold(&image, &Threshold { level: 100.0, ..Default::default() }, &cx)?;
    let found = ops::label(&mask, &Label::default(), &cx)?;
    println!("{} part of {} pixels", found.regions.len(), found.regions[0].area);
    assert_eq!((found.regions.len(), found.regions[0].centroid), (1, (30.0, 20.0)));

    let edges = ops::canny(&image, &Canny::default(), &cx)?;
    let on = edges.as_gray8()?.as_slice().iter().filter(|&&value| value > 0).count();
    println!("{on} pixels of edge");
    assert!((50..80).contains(&on));
    Ok(())
}
