//! Written and read again: the same values.

use lyncean::ErrorKind;
use lyncean::image::codec::{self, Compression, Format, Limits, WriteOptions};
use lyncean::image::{Gradient, Image, ImageType, Plane};
use proptest::prelude::*;

use super::{image, pattern};

/// What a written image is read as.
fn as_read(image: Image, format: Format) -> Image {
    match (image, format) {
        (Image::Mask(plane), _) => Image::Gray8(plane),
        (Image::Labels(plane), Format::Png) => Image::Gray16(plane.map(|label| label as u16)),
        (image, _) => image,
    }
}

fn size() -> impl Strategy<Value = (usize, usize)> {
    // Rows over and under the size of a strip and of a data chunk of the file.
    prop_oneof![
        (1usize..20, 1usize..20),
        Just((1, 1)),
        (1usize..4, 1usize..400),
        (1usize..400, 1usize..4),
        Just((257, 131)),
        Just((131, 1031)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn lossless(
        ty in prop::sample::select(ImageType::ALL.to_vec()),
        format in prop::sample::select(vec![Format::Png, Format::Tiff]),
        (width, height) in size(),
        compression in prop::sample::select(vec![Compression::None, Compression::Fast, Compression::Small]),
        seed in any::<u32>(),
        smooth in any::<bool>(),
    ) {
        let most = match ty {
            ImageType::Gray8 | ImageType::Rgb8 => 255,
            ImageType::Labels if format == Format::Tiff => u64::from(u32::MAX),
            _ => 65535,
        };
        let value = |x, y, c| if smooth { ((x + y + c) as u64) % (most + 1) } else {
            (pattern(x, y, c, u64::from(u32::MAX)).wrapping_mul(u64::from(seed) | 1) >> 7) % (most + 1)
        };
        let mut image = image(ty, width, height, value);
        if let Image::Mask(plane) = &mut image {
            *plane = plane.map(|v| if v & 1 == 1 { 255 } else { 0 });
        }
        let options = WriteOptions { compression, ..WriteOptions::default() };
        let encoded = codec::encode(&image, format, &options);
        if codec::check_format(ty, format).is_err() {
            prop_assert_eq!(encoded.unwrap_err().kind(), ErrorKind::Unsupported);
            return Ok(());
        }
        let picture = codec::read_bytes(&encoded.unwrap(), "memory", &Limits::default()).unwrap();
        prop_assert_eq!(picture.alpha, None);
        prop_assert!(picture.image == as_read(image, format), "{ty} {width}x{height} as {format} {compression:?}");
    }

    #[test]
    fn jpeg_stays_close(color in any::<bool>(), width in 1usize..50, height in 1usize..50, quality in 90u8..=100) {
        let ty = if color { ImageType::Rgb8 } else { ImageType::Gray8 };
        let image = image(ty, width, height, |x, y, c| (2 * x + 2 * y + 20 * c) as u64);
        let options = WriteOptions { quality, ..WriteOptions::default() };
        let bytes = codec::encode(&image, Format::Jpeg, &options).unwrap();
        let picture = codec::read_bytes(&bytes, "memory", &Limits::default()).unwrap();
        prop_assert_eq!(picture.image.ty(), ty);
        let largest = image.plane_bytes(0).iter().zip(picture.image.plane_bytes(0)).map(|(a, b)| a.abs_diff(*b)).max();
        prop_assert!(largest <= Some(12), "{largest:?}");
    }
}

#[test]
fn floats_keep_every_bit() {
    let values =
        vec![0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::MIN_POSITIVE / 8.0, f32::MAX, -1.5, 1e-20];
    let plane = Plane::from_vec(4, 2, values).unwrap();
    for compression in [Compression::None, Compression::Fast, Compression::Small] {
        let options = WriteOptions { compression, ..WriteOptions::default() };
        let image = Image::GrayF32(plane.clone());
        let bytes = codec::encode(&image, Format::Tiff, &options).unwrap();
        let read = codec::read_bytes(&bytes, "memory", &Limits::default()).unwrap().image;
        assert_eq!(read.plane_bytes(0), image.plane_bytes(0));
    }
}

#[test]
fn what_cannot_be_written_says_what_to_do() {
    let fails = |image: &Image, format| {
        let error = codec::encode(image, format, &WriteOptions::default()).unwrap_err();
        (error.kind(), error.to_string())
    };
    let float = Image::new(ImageType::GrayF32, 2, 2);
    let words = "PNG cannot hold a `gray-f32` image\nhint: write TIFF, or put `to-u8` before it";
    assert_eq!(fails(&float, Format::Png), (ErrorKind::Unsupported, words.into()));
    let mask = Image::new(ImageType::Mask, 2, 2);
    let words = "JPEG cannot hold a `mask` image\nhint: JPEG changes values: write PNG or TIFF";
    assert_eq!(fails(&mask, Format::Jpeg), (ErrorKind::Unsupported, words.into()));
    let labels = Image::Labels(Plane::from_vec(2, 1, vec![1, 65536]).unwrap());
    let words = "`memory`: label 65536 does not fit into 16 bits, which is all that PNG has\n\
                 hint: write TIFF, or filter the regions";
    assert_eq!(fails(&labels, Format::Png), (ErrorKind::Unsupported, words.into()));
    let gradient = Image::Gradient(Gradient::I16 { dx: Plane::new(1, 1), dy: Plane::new(1, 1) });
    assert_eq!(fails(&gradient, Format::Tiff).0, ErrorKind::Unsupported);
    assert_eq!(fails(&mask, Format::Webp).0, ErrorKind::Unsupported);
    for (width, height) in [(0, 3), (3, 0), (0, 0)] {
        for format in Format::WRITE {
            assert_eq!(fails(&Image::new(ImageType::Gray8, width, height), format).0, ErrorKind::Shape);
        }
    }
    let wide = Image::new(ImageType::Gray8, 65536, 1);
    let words = "JPEG holds 1x1 to 65535x65535 pixels, got 65536x1\nhint: write PNG or TIFF";
    assert_eq!(fails(&wide, Format::Jpeg), (ErrorKind::Shape, words.into()));
}

#[test]
fn a_file_appears_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let names = || {
        let entries = std::fs::read_dir(folder.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let options = WriteOptions::default();
    let good = image(ImageType::Rgb8, 5, 4, |x, y, c| pattern(x, y, c, 255));
    for format in Format::WRITE {
        let path = folder.path().join(format!("a.{}", format.extension()));
        codec::write(&path, &good, format, &options).unwrap();
        let read = codec::read(&path, &Limits::default()).unwrap();
        assert_eq!(read.source.format, format);
        assert_eq!(std::fs::read(&path).unwrap(), codec::encode(&good, format, &options).unwrap());
    }
    assert_eq!(names(), ["a.jpg", "a.png", "a.tiff"]);

    // A failure half way leaves the old file as it was.
    let path = folder.path().join("a.png");
    let before = std::fs::read(&path).unwrap();
    let labels = Image::Labels(Plane::from_vec(1, 2, vec![1, 1 << 20]).unwrap());
    assert!(codec::write(&path, &labels, Format::Png, &options).is_err());
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(names().len(), 3);

    let nowhere = folder.path().join("none/a.png");
    let error = codec::write(&nowhere, &good, Format::Png, &options).unwrap_err();
    assert_eq!(error.to_string(), format!("`{}`: no such file or directory", nowhere.display()));
    let error = codec::write(folder.path(), &good, Format::Png, &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
}

#[cfg(unix)]
#[test]
fn links_devices_and_permissions() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let image = image(ImageType::Gray8, 3, 3, |x, y, c| pattern(x, y, c, 255));
    let options = WriteOptions::default();
    let plain = folder.path().join("plain");
    std::fs::write(&plain, b"old").unwrap();
    let usual = std::fs::metadata(&plain).unwrap().permissions().mode();
    let link = folder.path().join("link.png");
    symlink(&plain, &link).unwrap();
    codec::write(&link, &image, Format::Png, &options).unwrap();
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(codec::read(&plain, &Limits::default()).unwrap().image, image);
    assert_eq!(std::fs::metadata(&plain).unwrap().permissions().mode(), usual);
    let error = codec::write("/dev/null", &image, Format::Png, &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}
