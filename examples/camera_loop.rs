//! A loop over frames in memory that stays: nothing is allocated once it is warm (`tests/allocation.rs`).
#![allow(clippy::print_stdout, reason = "a program talks")]

use lyncean::prelude::*;

const EDGES: &str = include_str!("../pipelines/edges.toml");

/// What a camera writes into a buffer: a bar that moves to the right, blue first.
fn grab(buffer: &mut [u8], stride: usize, frame: usize) {
    for (i, byte) in buffer.iter_mut().enumerate() {
        let x = i % stride / 3;
        *byte = if (frame * 8 + 8..frame * 8 + 48).contains(&x) { 230 } else { 20 };
    }
}

fn main() -> Result<(), Error> {
    let (width, height, stride) = (320, 240, 1024);
    let pipeline = Pipeline::from_toml(EDGES)?;
    let mut session = pipeline.session(RunOptions::default());
    let mut buffer = vec![0; stride * height];
    let mut frame = Image::new(ImageType::Rgb8, width, height);
    for number in 0..30 {
        grab(&mut buffer, stride, number);
        frame.update_from_raw(&buffer, stride, PixelFormat::Bgr8)?;
        let mask = session.run(&frame)?.output().ok_or_else(|| Error::input("no image"))?;
        let row = mask.as_gray8()?.row(120);
        let left = row.iter().position(|&value| value == 255);
        assert!(left.is_some_and(|x| x.abs_diff(number * 8 + 8) <= 4), "{left:?} in frame {number}");
    }
    println!("30 frames");
    Ok(())
}
