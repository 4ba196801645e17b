//! Files that are cut off, damaged, missing or something else: always an error, never a panic.

use std::path::Path;

use lyncean::image::ImageType::{Gray8, Gray16, Rgb8};
use lyncean::image::codec::{self, Compression, Format, Limits, WriteOptions, stream::RowReader};
use lyncean::{Error, ErrorKind};
use proptest::prelude::*;

use super::{fixture, fixtures, image, pattern};

fn read(path: &Path) -> Result<codec::Picture, Error> {
    codec::read(path, &Limits::default())
}

/// Reads all rows, as far as the file can be streamed.
fn stream(path: &Path) -> Result<(), Error> {
    let Some(mut reader) = RowReader::open(path, &Limits::default())? else { return Ok(()) };
    let mut row = vec![0; reader.source().width * reader.source().ty.pixel_size()];
    (0..reader.source().height).try_for_each(|_| reader.next_row(&mut row))
}

#[test]
fn every_cut_is_an_error() {
    for name in fixtures() {
        let bytes = std::fs::read(fixture(&name)).unwrap();
        let whole = codec::read_bytes(&bytes, &name, &Limits::default());
        for end in 0..bytes.len() {
            let cut = codec::read_bytes(&bytes[..end], &name, &Limits::default());
            let Ok(picture) = cut else { continue };
            // A number written in digits does not show that some are missing.
            if name == "gray-to-51.pgm" && end + 3 >= bytes.len() {
                continue;
            }
            // Some formats may end in bytes that carry nothing: padding, a trailer, a digit's newline.
            assert_eq!(Some(&picture), whole.as_ref().ok(), "{name} cut at {end} of {}", bytes.len());
            let spare = match picture.source.format {
                Format::Png | Format::Jpeg | Format::Webp | Format::Gif => 0,
                // Of the last tile 11 rows and 13 columns lie outside.
                Format::Tiff if name == "rgb8-tiled.tiff" => 3 * (11 * 16 + 13),
                Format::Tiff => 16,
                Format::Bmp | Format::Pnm => 4,
            };
            assert!(end + spare >= bytes.len(), "{name} cut at {end} of {} is read", bytes.len());
        }
    }
}

#[test]
fn every_cut_of_a_stream_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["gray16.png", "rgb8-strips.tiff", "gray8-deflate.tiff"] {
        let bytes = std::fs::read(fixture(name)).unwrap();
        let path = folder.path().join(name);
        assert!(RowReader::open(fixture(name), &Limits::NONE).unwrap().is_some(), "{name} is streamed");
        for end in 0..bytes.len() {
            std::fs::write(&path, &bytes[..end]).unwrap();
            let result = stream(&path);
            let whole = read(&path).is_ok();
            assert_eq!(result.is_ok(), whole, "{name} cut at {end} of {}", bytes.len());
        }
    }
}

#[test]
fn files_that_are_no_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    let fails = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        let error = read(&path).unwrap_err();
        let probed = codec::probe(&path).unwrap_err();
        let streamed = RowReader::open(&path, &Limits::NONE).err().unwrap();
        assert_eq!((error.message(), error.message()), (probed.message(), streamed.message()));
        assert!(error.message().starts_with(&format!("`{}`: ", path.display())), "{error}");
        (error.kind(), error.message().split_once(": ").unwrap().1.to_string())
    };
    assert_eq!(fails(b""), (ErrorKind::Input, "expected a picture, got an empty file".into()));
    assert_eq!(fails(b"not a picture\n"), (ErrorKind::Input, "expected a picture, got text".into()));
    assert_eq!(fails(b"%PDF-1.7\n"), (ErrorKind::Unsupported, "a PDF is not read".into()));

    let missing = folder.path().join("none.png");
    let directory = folder.path().to_path_buf();
    for (path, words) in [(missing, "no such file or directory"), (directory, "is a directory")] {
        for error in [
            read(&path).unwrap_err(),
            codec::probe(&path).unwrap_err(),
            RowReader::open(&path, &Limits::NONE).err().unwrap(),
        ] {
            assert_eq!(error.to_string(), format!("`{}`: {words}", path.display()));
            assert_eq!(error.kind(), ErrorKind::Io);
        }
    }
}

#[cfg(unix)]
#[test]
fn a_file_without_permission() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    std::fs::copy(fixture("gray8.png"), &path).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o000)).unwrap();
    // The superuser may read everything: then there is no failure to see.
    if std::fs::File::open(&path).is_ok() {
        assert!(read(&path).is_ok());
    } else {
        let error = read(&path).unwrap_err();
        assert_eq!(error.to_string(), format!("`{}`: permission denied", path.display()));
    }
}

#[test]
fn content_decides_not_the_ending() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    std::fs::copy(fixture("rgb-444.jpg"), &path).unwrap();
    let picture = read(&path).unwrap();
    assert_eq!(picture.source.format, Format::Jpeg);
    assert_eq!(picture.image, read(&fixture("rgb-444.jpg")).unwrap().image);
}

#[test]
fn words_of_a_cut_off_file() {
    for name in ["gray.jpg", "gray8.png", "rgb8.webp", "gray8.tiff"] {
        let bytes = std::fs::read(fixture(name)).unwrap();
        // tifffile puts the numbers last.
        let end = if name == "gray8.tiff" { bytes.len() - 20 } else { bytes.len() * 3 / 4 };
        let error = codec::read_bytes(&bytes[..end], name, &Limits::default()).unwrap_err();
        let format = Format::from_name(name).unwrap();
        assert_eq!(error.message(), format!("`{name}`: the {format} ends before its picture does"));
        assert_eq!(error.kind(), ErrorKind::Input);
        assert!(error.hint().is_some());
    }
    // Within the headers, too, which is as far as a probe looks.
    let jpeg = std::fs::read(fixture("rgb-444.jpg")).unwrap();
    let error = codec::probe_bytes(&jpeg[..jpeg.len() * 2 / 3], "a.jpg").unwrap_err();
    assert_eq!(error.message(), "`a.jpg`: the JPEG ends before its picture does");
}

#[test]
fn limits_hold_before_pixels_get_memory() {
    let few = Limits { max_pixels: 34, ..Limits::default() };
    let small = Limits { max_bytes: 2000, ..Limits::default() };
    for name in ["gray8.png", "gray8.tiff", "gray8.bmp", "gray8.pgm", "rgb8.webp"] {
        let error = codec::read(fixture(name), &few).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit);
        assert_eq!(
            error.message(),
            format!("`{}`: 7x5 is 35 pixels, more than the limit of 34", fixture(name).display())
        );
    }
    // A header alone that promises 60000 by 60000 pixels.
    let mut bytes = std::fs::read(fixture("gray8.bmp")).unwrap();
    bytes[18..26].copy_from_slice(&[0x60, 0xea, 0, 0, 0x60, 0xea, 0, 0]);
    let error = codec::read_bytes(&bytes, "huge.bmp", &Limits::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    let bytes =
        codec::encode(&image(Gray8, 50, 50, |_, _, _| 0), Format::Png, &WriteOptions::default()).unwrap();
    assert!(bytes.len() < 2000);
    let error = codec::read_bytes(&bytes, "a.png", &small).unwrap_err();
    assert_eq!(error.message(), "`a.png`: 50x50 `gray8` takes 2500 bytes, more than the limit of 2000",);
    let error = codec::read(fixture("palette.bmp"), &Limits { max_bytes: 50, ..few }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
}

/// Small files of every format, those of our own encoders among them.
fn seeds() -> Vec<(String, Vec<u8>)> {
    let mut seeds: Vec<_> =
        fixtures().into_iter().map(|name| (name.clone(), std::fs::read(fixture(&name)).unwrap())).collect();
    for (ty, most) in [(Gray8, 255), (Gray16, 65535), (Rgb8, 255)] {
        for format in [Format::Png, Format::Tiff] {
            let options = WriteOptions { compression: Compression::Small, ..WriteOptions::default() };
            let bytes = codec::encode(&image(ty, 9, 4, |x, y, c| pattern(x, y, c, most)), format, &options);
            seeds.push((format!("own.{}", format.extension()), bytes.unwrap()));
        }
    }
    seeds
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn damaged_files_never_panic(
        seed in prop::sample::select(seeds()),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 1u8..=255), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let (name, mut bytes) = seed;
        for (at, flip) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let limits = Limits { max_pixels: 1 << 20, max_bytes: 1 << 24 };
        let read = codec::read_bytes(&bytes, &name, &limits);
        let probed = codec::probe_bytes(&bytes, &name);
        if let Ok(picture) = read {
            prop_assert_eq!(probed.unwrap(), picture.source);
            prop_assert_eq!(picture.image.ty(), picture.source.ty);
        }
    }

    #[test]
    fn noise_behind_a_signature_never_panics(
        head in prop::sample::select(vec![
            &b"\x89PNG\r\n\x1a\n"[..], b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0\x08\0\0\0", b"BM\0\0\0\0\0\0\0\0",
            b"P1\n", b"GIF89a\x02\0\x02\0\0\0\0,", b"P5\n", b"P7\n", b"RIFF\x40\0\0\0WEBPVP8 ", b"RIFF\x40\0\0\0WEBPVP8L", b"RIFF\x40\0\0\0WEBPVP8X",
        ]),
        tail in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let bytes = [head, &tail].concat();
        let limits = Limits { max_pixels: 1 << 20, max_bytes: 1 << 24 };
        let _ = codec::read_bytes(&bytes, "noise", &limits);
        let _ = codec::probe_bytes(&bytes, "noise");
    }
}
