//! A picture from the bytes of its file, with its alpha, as an upload brings it.
#![allow(clippy::print_stdout, reason = "a program talks")]

use lyncean::image::builtin;
use lyncean::image::codec::{self, Limits};
use lyncean::prelude::*;

fn main() -> Result<(), Error> {
    let bytes = builtin::picture("astronaut").unwrap_or_default();

    // The image alone, upright as EXIF says.
    let image = Image::decode(bytes)?;
    assert_eq!((image.width(), image.height(), image.ty()), (256, 256, ImageType::Rgb8));

    // With alpha, with what the file says, and with limits on what strangers may send.
    let limits = Limits { max_pixels: 1 << 24, ..Limits::default() };
    let picture = codec::read_bytes(bytes, "upload.png", &limits)?;
    println!(
        "{} {}x{}, alpha: {}",
        picture.source.format,
        picture.source.width,
        picture.source.height,
        picture.alpha.is_some()
    );

    let tight = Limits { max_pixels: 1000, ..limits };
    let error = codec::read_bytes(bytes, "upload.png", &tight).err();
    assert_eq!(error.as_ref().map(Error::kind), Some(ErrorKind::Limit));
    println!("{error:?}");
    Ok(())
}
