//! The luma of JPEGs, and pixels in memory that was used before.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use lyncean::ErrorKind;
use lyncean::image::codec::{self, Decode, Format, Limits, ReadOptions, WriteOptions};
use lyncean::image::{Image, ImageType};
use lyncean::ops::{Context, gray};

use super::{fixture, fixtures, image, pattern};

const LUMA: ReadOptions<'static> = ReadOptions {
    limits: Limits { max_pixels: 1 << 20, max_bytes: 1 << 24 },
    page: None,
    decode: Decode::Luma,
    memory: None,
};

fn luma(bytes: &[u8]) -> Image {
    codec::read_with(bytes, "memory", &LUMA).unwrap().image
}

fn differences<'a>(a: &'a Image, b: &'a [u8]) -> impl Iterator<Item = u8> + 'a {
    assert_eq!((a.ty(), a.plane_bytes(0).len()), (ImageType::Gray8, b.len()));
    a.plane_bytes(0).iter().zip(b).map(|(a, b)| a.abs_diff(*b))
}

#[test]
fn luma_is_pillows() {
    for name in ["gray", "rgb-444", "rgb-420", "progressive"] {
        let picture = codec::read_file(fixture(&format!("{name}.jpg")), &LUMA).unwrap();
        assert_eq!(
            (picture.image.width(), picture.image.height(), picture.source.ty),
            (21, 19, ImageType::Gray8)
        );
        let ending = if name == "gray" { "raw" } else { "luma.raw" };
        let raw = std::fs::read(fixture(&format!("{name}.{ending}"))).unwrap();
        assert!(differences(&picture.image, &raw).all(|difference| difference <= 1), "{name}");
    }
}

#[test]
fn what_stores_no_luma_is_read_as_it_is() {
    for name in
        fixtures().iter().filter(|name| Format::from_name(name) != Some(Format::Jpeg) || *name == "cmyk.jpg")
    {
        let stored = codec::read(fixture(name), &Limits::default());
        let picture = codec::read_file(fixture(name), &LUMA);
        assert_eq!(picture.ok(), stored.ok(), "{name}");
    }
}

/// The blocks of luma are the same whatever is done to the colours: so is what is read of them.
#[test]
fn luma_does_not_depend_on_how_colours_are_stored() {
    use SamplingFactor as S;
    for (width, height) in [(64, 64), (67, 45), (9, 130), (1, 1)] {
        let colors = image(ImageType::Rgb8, width, height, |x, y, c| pattern(x / 3, y / 5, c, 255));
        let encoded = |sampling, is_progressive, is_apart| {
            let mut bytes = Vec::new();
            let mut encoder = Encoder::new(&mut bytes, 85);
            encoder.set_sampling_factor(sampling);
            encoder.set_progressive(is_progressive);
            // This makes the encoder write each plane for itself.
            encoder.set_optimized_huffman_tables(is_apart);
            encoder.encode(colors.plane_bytes(0), width as u16, height as u16, ColorType::Rgb).unwrap();
            bytes
        };
        let expected = luma(&encoded(S::R_4_4_4, false, false));
        for sampling in [S::R_4_4_4, S::R_4_4_0, S::R_4_2_2, S::R_4_2_0, S::R_4_1_1] {
            for (is_progressive, is_apart) in [(false, false), (false, true), (true, false)] {
                let what = (sampling, is_progressive, is_apart);
                let bytes = encoded(sampling, is_progressive, is_apart);
                // Those are refused, in colours too: the decoder would mix up their rows.
                if is_apart && matches!(sampling, S::R_4_4_0 | S::R_4_2_0) {
                    for decode in [Decode::Stored, Decode::Luma] {
                        let error =
                            codec::read_with(&bytes, "a", &ReadOptions { decode, ..LUMA }).unwrap_err();
                        assert_eq!(error.kind(), ErrorKind::Unsupported, "{what:?}: {error}");
                    }
                    continue;
                }
                assert!(luma(&bytes) == expected, "{width}x{height} {what:?}");
            }
        }
    }
}

/// What the documentation of `[input] decode` states.
#[test]
fn luma_is_close_to_the_gray_of_the_colours() {
    for name in ["astronaut", "deep-field"] {
        let path = format!("{}/fixtures/pictures/{name}.png", env!("CARGO_MANIFEST_DIR"));
        let photo = codec::read(path, &Limits::default()).unwrap().image;
        for quality in [85, 92] {
            let bytes =
                codec::encode(&photo, Format::Jpeg, &WriteOptions { quality, ..WriteOptions::default() })
                    .unwrap();
            let colors = codec::read_bytes(&bytes, name, &Limits::default()).unwrap().image;
            let gray = gray::gray(&colors, &Context::default()).unwrap();
            let found = luma(&bytes);
            let differences = || differences(&found, gray.plane_bytes(0));
            let count = gray.plane_bytes(0).len() as f64;
            let mean = differences().map(f64::from).sum::<f64>() / count;
            let far = differences().filter(|&difference| difference > 1).count() as f64 / count;
            let most = differences().max().unwrap();
            let words = format!("{name}, quality {quality}: mean {mean:.4}, {far:.4} over 1, at most {most}");
            assert!(mean < 0.1 && far < 0.02 && most <= 32, "{words}");
            // It is another way to gray, not the same one by another name.
            assert!(mean > 0.0, "{words}");
        }
    }
}

#[test]
fn memory_that_was_used_before_changes_nothing() {
    let used = |ty, width, height| {
        let mut image = Image::new(ty, width, height);
        image.planes_bytes_mut().into_iter().for_each(|bytes| bytes.fill(0x5a));
        image
    };
    for name in fixtures() {
        let bytes = std::fs::read(fixture(&name)).unwrap();
        // Whole, and with a damage near the end, which some decoders forgive.
        for damage in [None, Some(bytes.len() * 3 / 4), Some(bytes.len() * 7 / 8)] {
            let mut bytes = bytes.clone();
            if let Some(at) = damage {
                bytes[at] ^= 0x55;
            }
            for decode in [Decode::Stored, Decode::Luma] {
                let fresh = ReadOptions { decode, ..ReadOptions::default() };
                let reused = ReadOptions { memory: Some(&used), ..fresh };
                let [fresh, reused] =
                    [fresh, reused].map(|options| codec::read_with(&bytes, &name, &options).ok());
                assert!(fresh == reused, "{name}, {decode:?}, damage {damage:?}");
            }
        }
    }
}
