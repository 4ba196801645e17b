//! Pixels in somebody else's buffer: rows a stride apart, blue first, with alpha.
#![allow(clippy::print_stdout, reason = "a program talks")]

use std::sync::Arc;

use lyncean::prelude::*;

const KEEP: &str = "version = 1\n[[stage]]\nuse = \"mask-apply\"\nin = [\"input\", \"input.alpha\"]";

fn main() -> Result<(), Error> {
    // As a window system gives it: 5 pixels of 4 bytes a row, filled up to 64 bytes.
    let (width, height, stride) = (5, 4, 64);
    let mut buffer = vec![0u8; stride * height];
    for y in 0..height {
        for x in 0..width {
            let alpha = if x < 2 { 255 } else { 0 };
            buffer[y * stride + 4 * x..][..4].copy_from_slice(&[10, 20, 30 + y as u8, alpha]);
        }
    }
    let (image, alpha) = Image::from_raw(&buffer, width, height, stride, PixelFormat::Bgra8)?;
    let Image::Rgb8(plane) = &image else { unreachable!("BGRA gives RGB") };
    assert_eq!(plane.get(0, 2), [32, 20, 10]);

    let pipeline = Pipeline::from_toml(KEEP)?;
    let results = pipeline.run_with(Arc::new(image), alpha.as_ref(), &RunOptions::default())?;
    println!("{:?}", results.output());

    // What does not fit is refused with numbers.
    let error = Image::from_raw(&buffer, width, height, 16, PixelFormat::Bgra8).err();
    let message = error.as_ref().map(Error::message);
    assert_eq!(message, Some("a buffer of 5x4 `bgra8` wants a stride of at least 20 bytes, got 16"));
    Ok(())
}
