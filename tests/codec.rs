//! Pictures in files: read, written, streamed, and broken.

#![allow(clippy::unwrap_used, reason = "these are the helpers of tests")]

mod files;
mod hostile;
mod luma;
mod round_trip;
mod stream;

use std::path::PathBuf;

use lyncean::image::{Image, ImageType};

/// A file of `fixtures/files`.
fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/files").join(name)
}

/// The names of all picture files of `fixtures/files`.
fn fixtures() -> Vec<String> {
    let folder = std::fs::read_dir(fixture("")).unwrap();
    let mut names: Vec<_> = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| lyncean::image::codec::Format::from_name(name).is_some());
    names.sort();
    assert!(names.len() > 70, "fixtures are missing: {names:?}");
    names
}

/// The pattern of `fixtures/files/make.py`: channel `c` of the pixel at `(x, y)`, 0 to `most`.
fn pattern(x: usize, y: usize, c: usize, most: u64) -> u64 {
    let (x, y, c) = (x as u64, y as u64, c as u64);
    (x * 7919 + y * 104_729 + c * 1_299_709 + x * y * 12_345) % (most + 1)
}

/// An image of type `ty` with every channel made by `value(x, y, c)`; floats are its 65536th part.
fn image(ty: ImageType, width: usize, height: usize, value: impl Fn(usize, usize, usize) -> u64) -> Image {
    let mut image = Image::new(ty, width, height);
    let (channels, size) = (ty.channels(), ty.element().size());
    let row = width * channels;
    let mut planes = image.planes_bytes_mut();
    for (i, sample) in planes[0].chunks_exact_mut(size).enumerate() {
        let value = value(i % row / channels, i / row, i % channels);
        match ty.element() {
            lyncean::image::Element::F32 => sample.copy_from_slice(&(value as f32 / 65536.0).to_ne_bytes()),
            _ if cfg!(target_endian = "little") => sample.copy_from_slice(&value.to_le_bytes()[..size]),
            _ => sample.copy_from_slice(&value.to_be_bytes()[8 - size..]),
        }
    }
    drop(planes);
    image
}
