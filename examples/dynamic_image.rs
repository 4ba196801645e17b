//! From and to the `image` crate: `cargo run --example dynamic_image --features image`.
#![allow(clippy::print_stdout, reason = "a program talks")]

use image::{DynamicImage, RgbImage};
use lyncean::ops::{Gaussian, gaussian};
use lyncean::prelude::*;

fn main() -> Result<(), Error> {
    let stripes = RgbImage::from_fn(64, 48, |x, _| image::Rgb([(x / 8 % 2 * 200) as u8, 100, 50]));

    // The memory is taken over, both ways; alpha would come apart with `Image::from_dynamic`.
    let image = Image::try_from(DynamicImage::ImageRgb8(stripes))?;
    let smooth = gaussian(&image, &Gaussian { sigma: 2.0, ..Gaussian::default() }, &Context::default())?;
    let smooth = DynamicImage::try_from(smooth)?;

    let pixel = smooth.to_rgb8().get_pixel(8, 24).0;
    println!("between two stripes: {pixel:?}");
    assert!((80..=120).contains(&pixel[0]) && pixel[1] == 100);
    Ok(())
}
