//! Models, cascades and templates from bytes, and pictures as they are: no file is opened.
#![allow(clippy::print_stdout, reason = "a program talks")]

use lyncean::prelude::*;

const READ: &str = "version = 1\n[[stage]]\nuse = \"classify\"\nmodel = \"digits\"";
const FIND: &str = "version = 1\n[[stage]]\nuse = \"match-template\"\ntemplate = \"cross\"";

fn main() -> Result<(), Error> {
    // A net, from wherever the program keeps it.
    let model: &[u8] = include_bytes!("../models/lenet5.safetensors");
    let pipeline = Loader::new().give("digits", model).parse(Source::new("read", READ))?;
    let one = Image::Gray8(Plane::from_fn(28, 28, |x, y| {
        if (13..16).contains(&x) && (4..24).contains(&y) { 255 } else { 0 }
    }));
    let results = pipeline.run(&one)?;
    let class = results.class("classify")?;
    println!("{} with {:.3}", class.label, class.probability);
    assert_eq!(class.label, "1");

    // A template, as pixels.
    let cross = |x: usize, y: usize| if x == 3 || y == 3 { 250 } else { 10 };
    let template = Image::Gray8(Plane::from_fn(7, 7, cross));
    let pipeline = Loader::new().give_picture("cross", template).parse(Source::new("find", FIND))?;
    let scene = Plane::from_fn(40, 30, |x, y| {
        if (20..27).contains(&x) && (9..16).contains(&y) { cross(x - 20, y - 9) } else { 10 }
    });
    let found = pipeline.run(&Image::Gray8(scene))?;
    assert_eq!(found.objects("match-template")?[0].bbox, [20.0, 9.0, 7.0, 7.0]);
    Ok(())
}
