//! Which format some bytes are, and whether they reach to the end of it.

use std::fmt;
use std::io::{BufRead, Read, Seek, SeekFrom};
use std::path::Path;

use super::{fail, jpeg};
use crate::{Error, Result};

/// A file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Portable Network Graphics.
    Png,
    /// JPEG, baseline or progressive.
    Jpeg,
    /// Tagged Image File Format, BigTIFF included.
    Tiff,
    /// Windows bitmap.
    Bmp,
    /// The portable maps PBM, PGM, PPM and PAM.
    Pnm,
    /// WebP, lossy or lossless.
    Webp,
    /// Graphics Interchange Format: its first frame, drawn onto its canvas.
    Gif,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 7] =
        [Self::Png, Self::Jpeg, Self::Tiff, Self::Bmp, Self::Pnm, Self::Webp, Self::Gif];

    /// The formats that can be written.
    pub const WRITE: [Self; 3] = [Self::Png, Self::Jpeg, Self::Tiff];

    /// The usual ending of file names, without the dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Tiff => "tiff",
            Self::Bmp => "bmp",
            Self::Pnm => "pnm",
            Self::Webp => "webp",
            Self::Gif => "gif",
        }
    }

    /// The format that a file name or a bare word such as `png` or `jpeg` stands for.
    pub fn from_name(name: impl AsRef<Path>) -> Option<Self> {
        let name = name.as_ref();
        let ending = name.extension().unwrap_or(name.as_os_str()).to_str()?.to_ascii_lowercase();
        Some(match ending.as_str() {
            "png" => Self::Png,
            "jpg" | "jpeg" | "jpe" | "jfif" => Self::Jpeg,
            "tif" | "tiff" | "btf" => Self::Tiff,
            "bmp" | "dib" => Self::Bmp,
            "pnm" | "pbm" | "pgm" | "ppm" | "pam" => Self::Pnm,
            "webp" => Self::Webp,
            "gif" => Self::Gif,
            _ => return None,
        })
    }

    /// The format that these first bytes of a file (12 are enough) belong to.
    pub fn of_bytes(bytes: &[u8]) -> Option<Self> {
        Some(match bytes {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Self::Png,
            [0xff, 0xd8, 0xff, ..] => Self::Jpeg,
            [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Self::Tiff,
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Self::Webp,
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Self::Gif,
            [b'P', b'1'..=b'7', b' ' | b'\t' | b'\r' | b'\n' | b'#', ..] => Self::Pnm,
            // The four bytes after the file size are reserved, and zero in practice.
            [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => Self::Bmp,
            _ => return None,
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::Tiff => "TIFF",
            Self::Bmp => "BMP",
            Self::Pnm => "PNM",
            Self::Webp => "WebP",
            Self::Gif => "GIF",
        })
    }
}

/// The format of `bytes`, or an error that says what they are instead.
pub(super) fn expect(bytes: &[u8], name: &str) -> Result<Format> {
    if let Some(format) = Format::of_bytes(bytes) {
        return Ok(format);
    }
    let found = match bytes {
        [] => return Err(Error::input(format!("`{name}`: expected a picture, got an empty file"))),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Some("an AVIF, HEIF or video file"),
        [b'%', b'P', b'D', b'F', ..] => Some("a PDF"),
        [b'q', b'o', b'i', b'f', ..] => Some("a QOI"),
        [0x76, 0x2f, 0x31, 0x01, ..] => Some("an OpenEXR file"),
        [0xff, 0x0a, ..] | [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] => Some("a JPEG XL file"),
        _ => None,
    };
    let hint = "pictures are read from PNG, JPEG, TIFF, BMP, PNM, WebP and GIF files";
    if let Some(found) = found {
        return Err(Error::unsupported(format!("`{name}`: {found} is not read")).with_hint(hint));
    }
    let head = &bytes[..bytes.len().min(64)];
    let text = head.iter().all(|&byte| byte >= b' ' || byte.is_ascii_whitespace()) && !head.contains(&0x7f);
    let found = if text { "text" } else { "bytes of no known format" };
    Err(Error::input(format!("`{name}`: expected a picture, got {found}")).with_hint(hint))
}

/// As [`expect`], for a reader, which is left at its start.
pub(super) fn expect_reader<R: BufRead + Seek>(reader: &mut R, name: &str) -> Result<Format> {
    let mut head = Vec::new();
    let result = Read::take(&mut *reader, 64).read_to_end(&mut head);
    result.map_err(|error| Error::io(name, error))?;
    reader.seek(SeekFrom::Start(0)).map_err(|error| Error::io(name, error))?;
    expect(&head, name)
}

/// An error when a file stops early in a way that its decoder would forgive.
pub(super) fn check_complete(bytes: &[u8], format: Format, name: &str) -> Result<()> {
    let complete = match format {
        Format::Png => png_ends(bytes),
        Format::Jpeg => jpeg::ends(bytes),
        Format::Webp => riff_ends(bytes),
        Format::Gif => gif_ends(bytes).unwrap_or(false),
        Format::Tiff | Format::Bmp | Format::Pnm => true,
    };
    if complete { Ok(()) } else { Err(fail::cut_off(name, format)) }
}

/// Whether the chunks of a PNG reach to `IEND`.
fn png_ends(bytes: &[u8]) -> bool {
    let mut rest = &bytes[8..];
    while let Some((head, tail)) = rest.split_first_chunk::<8>() {
        let [a, b, c, d, kind @ ..] = *head;
        let length = u32::from_be_bytes([a, b, c, d]);
        let Some(next) =
            usize::try_from(length).ok().and_then(|n| n.checked_add(4)).and_then(|n| tail.get(n..))
        else {
            return false;
        };
        if &kind == b"IEND" {
            return true;
        }
        rest = next;
    }
    false
}

/// Whether the file is as long as its RIFF header says.
fn riff_ends(bytes: &[u8]) -> bool {
    let length = bytes.get(4..8).and_then(|b| b.try_into().ok()).map_or(u32::MAX, u32::from_le_bytes);
    bytes.len() as u64 >= u64::from(length) + 8
}

/// Whether the blocks of a GIF reach to its trailer; `None` where they stop before.
fn gif_ends(bytes: &[u8]) -> Option<bool> {
    let colors = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
    let mut at = 13 + colors(*bytes.get(10)?);
    loop {
        at += match bytes.get(at)? {
            0x3b => return Some(true),
            0x21 => 2,
            // Place and size, its own colours, the width of codes.
            0x2c => 11 + colors(*bytes.get(at + 9)?),
            // Decoders take what is neither as the end, too.
            _ => return Some(false),
        };
        // Blocks with their lengths before them, up to an empty one.
        while let length @ 1.. = usize::from(*bytes.get(at)?) {
            at += 1 + length;
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_words() {
        assert_eq!(Format::from_name("a/b.TIF"), Some(Format::Tiff));
        assert_eq!(Format::from_name("jpeg"), Some(Format::Jpeg));
        assert_eq!(Format::from_name("notes.txt"), None);
        for format in Format::ALL {
            assert_eq!(Format::from_name(format.extension()), Some(format));
        }
    }

    #[test]
    fn what_is_no_picture_is_named() {
        let words = |bytes: &[u8]| expect(bytes, "x").unwrap_err().message().to_string();
        assert_eq!(words(b""), "`x`: expected a picture, got an empty file");
        assert_eq!(words(b"hello\n"), "`x`: expected a picture, got text");
        assert_eq!(words(&[0, 1, 2]), "`x`: expected a picture, got bytes of no known format");
        assert_eq!(words(b"%PDF-1.7"), "`x`: a PDF is not read");
        assert_eq!(words(b"Papers, please"), "`x`: expected a picture, got text");
        assert_eq!(words(b"BMW, and other cars"), "`x`: expected a picture, got text");
    }
}
