//! Row by row is the same as whole.

use lyncean::ErrorKind;
use lyncean::image::codec::stream::{RowReader, RowWriter};
use lyncean::image::codec::{self, Compression, Format, Limits, WriteOptions};
use lyncean::image::{Image, ImageType};
use proptest::prelude::*;

use super::{fixture, fixtures, image, pattern};

/// All rows of a reader.
fn rows(reader: &mut RowReader) -> Image {
    let source = *reader.source();
    let mut image = Image::new(source.ty, source.width, source.height);
    for row in image.planes_bytes_mut()[0].chunks_exact_mut(source.width * source.ty.pixel_size()) {
        reader.next_row(row).unwrap();
    }
    image
}

#[test]
fn streamed_files_give_what_whole_ones_give() {
    let mut streamed = Vec::new();
    for name in fixtures() {
        let Ok(whole) = codec::read(fixture(&name), &Limits::default()) else { continue };
        let Some(mut reader) = RowReader::open(fixture(&name), &Limits::NONE).unwrap() else { continue };
        assert_eq!(*reader.source(), whole.source, "{name}");
        assert_eq!(rows(&mut reader), whole.image, "{name}");
        let mut row = vec![0; whole.source.width * whole.source.ty.pixel_size()];
        assert_eq!(reader.next_row(&mut row).unwrap_err().kind(), ErrorKind::Shape, "{name}");
        streamed.push(name);
    }
    let wanted = [
        "exif-1.tiff",
        "gray-f32.tiff",
        "gray-u32.tiff",
        "gray1.png",
        "gray16-big-endian.tiff",
        "gray16-big.tiff",
        "gray16.png",
        "gray2.png",
        "gray4.png",
        "gray8-deflate.tiff",
        "gray8.png",
        "gray8.tiff",
        "palette.png",
        "rgb-f32-big-endian.tiff",
        "rgb-jpeg.tiff",
        "rgb16-predictor.tiff",
        "rgb16.png",
        "rgb8-four-bands.tiff",
        "rgb8-lzw.tiff",
        "rgb8-packbits.tiff",
        "rgb8-strips.tiff",
        "rgb8.png",
        "white-is-zero.tiff",
    ];
    assert_eq!(streamed, wanted);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn written_row_by_row(
        ty in prop::sample::select(vec![
            ImageType::Gray8, ImageType::Gray16, ImageType::GrayF32, ImageType::Rgb8, ImageType::Rgb16, ImageType::RgbF32,
            ImageType::Labels,
        ]),
        format in prop::sample::select(vec![Format::Png, Format::Tiff]),
        width in 1usize..300,
        height in 1usize..300,
        compression in prop::sample::select(vec![Compression::None, Compression::Fast, Compression::Small]),
    ) {
        prop_assume!(codec::check_format(ty, format).is_ok());
        let most = if matches!(ty, ImageType::Gray8 | ImageType::Rgb8) { 255 } else { 65535 };
        let image = image(ty, width, height, |x, y, c| pattern(x, y, c, most));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let options = WriteOptions { compression, ..WriteOptions::default() };
        let mut writer = RowWriter::create(&path, format, ty, width, height, &options).unwrap();
        for row in image.plane_bytes(0).chunks_exact(width * ty.pixel_size()) {
            writer.write_row(row).unwrap();
        }
        prop_assert!(!path.exists());
        writer.finish().unwrap();
        prop_assert!(std::fs::read(&path).unwrap() == codec::encode(&image, format, &options).unwrap());
        let mut reader = RowReader::open(&path, &Limits::NONE).unwrap().unwrap();
        let whole = codec::read(&path, &Limits::default()).unwrap();
        prop_assert!(rows(&mut reader) == whole.image);
    }
}

#[test]
fn large_strips_of_plain_numbers_are_read_in_place() {
    // One strip of 20 MB in the other byte order: a header, the tags, the numbers.
    let (width, height) = (2500u32, 4001u32);
    let value = |x: usize, y: usize| pattern(x, y, 0, 65535) as u16;
    let entries: [(u16, u16, u32); 8] = [
        (256, 4, width),
        (257, 4, height),
        (258, 3, 16 << 16),
        (259, 3, 1 << 16),
        (262, 3, 1 << 16),
        (273, 4, 200),
        (278, 4, height),
        (279, 4, 2 * width * height),
    ];
    let mut bytes = b"MM\0*\0\0\0\x08".to_vec();
    bytes.extend((entries.len() as u16).to_be_bytes());
    for (tag, kind, value) in entries {
        bytes.extend(tag.to_be_bytes());
        bytes.extend(kind.to_be_bytes());
        bytes.extend(1u32.to_be_bytes());
        bytes.extend(value.to_be_bytes());
    }
    bytes.resize(200, 0);
    for y in 0..height as usize {
        bytes.extend((0..width as usize).flat_map(|x| value(x, y).to_be_bytes()));
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tiff");
    std::fs::write(&path, &bytes).unwrap();
    let mut reader = RowReader::open(&path, &Limits::NONE).unwrap().unwrap();
    let whole = codec::read(&path, &Limits::default()).unwrap().image;
    assert_eq!(
        whole,
        image(ImageType::Gray16, width as usize, height as usize, |x, y, _| u64::from(value(x, y)))
    );
    assert!(rows(&mut reader) == whole);

    std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let mut reader = RowReader::open(&path, &Limits::NONE).unwrap().unwrap();
    let mut row = vec![0; 5000];
    let results: Vec<_> = (0..height).map(|_| reader.next_row(&mut row)).collect();
    assert!(results[..4000].iter().all(Result::is_ok));
    assert_eq!(results[4000].as_ref().unwrap_err().kind(), ErrorKind::Input);
}

#[test]
fn rows_that_do_not_fit_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    let create = |format, ty, width, height| {
        RowWriter::create(&path, format, ty, width, height, &WriteOptions::default())
    };
    let kind = |result: Result<RowWriter, lyncean::Error>| result.err().unwrap().kind();
    assert_eq!(kind(create(Format::Jpeg, ImageType::Gray8, 3, 2)), ErrorKind::Unsupported);
    assert_eq!(kind(create(Format::Png, ImageType::GrayF32, 3, 2)), ErrorKind::Unsupported);
    assert_eq!(kind(create(Format::Png, ImageType::Gray8, 0, 2)), ErrorKind::Shape);
    assert_eq!(kind(create(Format::Png, ImageType::Gray8, 3, 1 << 31)), ErrorKind::Shape);
    for format in [Format::Png, Format::Tiff] {
        let mut writer = create(format, ImageType::Gray8, 3, 2).unwrap();
        assert_eq!(writer.write_row(&[0; 4]).unwrap_err().kind(), ErrorKind::Shape);
        writer.write_row(&[1, 2, 3]).unwrap();
        assert_eq!(
            writer.finish().unwrap_err().message(),
            format!("`{}`: expected 2 rows, got 1", path.display())
        );
        let mut writer = create(format, ImageType::Gray8, 3, 1).unwrap();
        writer.write_row(&[1, 2, 3]).unwrap();
        assert_eq!(writer.write_row(&[1, 2, 3]).unwrap_err().kind(), ErrorKind::Shape);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
    let mut reader = RowReader::open(fixture("gray8.png"), &Limits::NONE).unwrap().unwrap();
    assert_eq!(reader.next_row(&mut [0; 6]).unwrap_err().kind(), ErrorKind::Shape);
    assert!(reader.next_row(&mut [0; 7]).is_ok());
}
