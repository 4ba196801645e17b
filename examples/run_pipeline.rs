//! A pipeline that ships, on a picture that ships: 24 coins are found and measured.
#![allow(clippy::print_stdout, reason = "a program talks")]

use lyncean::image::builtin;
use lyncean::prelude::*;

fn main() -> Result<(), Error> {
    let pipeline = Pipeline::load("builtin:coins")?;
    let picture = Image::decode(builtin::picture("coins").unwrap_or_default())?;
    let results = pipeline.run(&picture)?;
    let coins = results.objects("coins")?;
    for coin in coins {
        let [x, y, width, height] = coin.bbox;
        println!("a coin of {width} x {height} pixels at {x}, {y}");
    }
    assert_eq!(coins.len(), 24);
    Ok(())
}
