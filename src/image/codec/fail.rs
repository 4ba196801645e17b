//! The words of the decoders in ours.

use std::fmt::Display;
use std::io;

use super::Format;
use crate::{Error, Result};

/// A broken file: what is wrong with it.
pub(super) fn broken(name: &str, format: Format, words: impl Display) -> Error {
    Error::input(format!("`{name}`: not a valid {format}: {}", tidy(&words.to_string())))
}

/// A file that stops before its picture does.
pub(super) fn cut_off(name: &str, format: Format) -> Error {
    Error::input(format!("`{name}`: the {format} ends before its picture does"))
        .with_hint("the file was cut off, by a broken download or a full disk; get it again")
}

/// A picture of a kind that is not read.
pub(super) fn unread(name: &str, format: Format, words: impl Display) -> Error {
    Error::unsupported(format!("`{name}`: {format} with {}", tidy(&words.to_string())))
        .with_hint("convert it to 8-bit, 16-bit or float gray or rgb")
}

pub(super) fn from_io(name: &str, format: Format, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => cut_off(name, format),
        // Decoders wrap their own complaints into io errors of these kinds.
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other
            if error.raw_os_error().is_none() =>
        {
            broken(name, format, error)
        }
        _ => Error::io(name, error),
    }
}

pub(super) fn from_image(name: &str, format: Format, error: image::ImageError) -> Error {
    use image::ImageError as E;
    match error {
        E::IoError(error) => from_io(name, format, error),
        E::Limits(error) => Error::limit(format!("`{name}`: {}", tidy(&error.to_string()))),
        E::Unsupported(error) => unread(name, format, error),
        E::Decoding(error) if ends_early(&error) => cut_off(name, format),
        // The JPEG decoder tells the end of a header in words only.
        E::Decoding(error) if error.to_string().contains("Not enough bytes") => cut_off(name, format),
        error => broken(name, format, error),
    }
}

pub(super) fn from_jpeg(name: &str, error: zune_jpeg::errors::DecodeErrors) -> Error {
    use zune_jpeg::errors::DecodeErrors as E;
    use zune_jpeg::zune_core::bytestream::ZByteIoError as Io;
    match error {
        E::IoErrors(Io::StdIoError(error)) => from_io(name, Format::Jpeg, error),
        E::IoErrors(Io::NotEnoughBytes(..)) | E::ExhaustedData => cut_off(name, Format::Jpeg),
        E::Unsupported(words) => unread(name, Format::Jpeg, format_args!("{words:?}")),
        error => broken(name, Format::Jpeg, error),
    }
}

pub(super) fn from_png(name: &str, error: png::DecodingError) -> Error {
    use png::DecodingError as E;
    match error {
        E::IoError(error) => from_io(name, Format::Png, error),
        E::LimitsExceeded => Error::limit(format!("`{name}`: a chunk is larger than the limit on bytes")),
        error => broken(name, Format::Png, error),
    }
}

pub(super) fn from_tiff(name: &str, error: tiff::TiffError) -> Error {
    use tiff::TiffError as E;
    match error {
        E::IoError(error) => from_io(name, Format::Tiff, error),
        E::LimitsExceeded => Error::limit(format!("`{name}`: a part is larger than the limit on bytes")),
        E::UnsupportedError(words) => unread(name, Format::Tiff, words),
        error => broken(name, Format::Tiff, error),
    }
}

fn ends_early(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::UnexpectedEof) {
            return true;
        }
        next = error.source();
    }
    false
}

/// One line, lower case first letter unless an abbreviation starts it, no final period.
fn tidy(words: &str) -> String {
    let line = words.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    let line = line.strip_prefix("Format error decoding ").unwrap_or(&line).trim_end_matches(['.', ' ']);
    let mut letters = line.chars();
    match (letters.next(), letters.next()) {
        (Some(a), Some(b)) if a.is_uppercase() && b.is_lowercase() => {
            a.to_lowercase().chain([b]).chain(letters).collect()
        }
        _ => line.to_string(),
    }
}

/// A size of a file format as a size in memory.
pub(super) fn size(value: u32, name: &str, format: Format) -> Result<usize> {
    usize::try_from(value).map_err(|_| broken(name, format, "a size beyond the address space"))
}
