//! Files written by Pillow, tifffile and OpenCV, against what went into them.

use lyncean::ErrorKind;
use lyncean::image::ImageType::{self, Gray8, Gray16, GrayF32, Labels, Rgb8, Rgb16, RgbF32};
use lyncean::image::codec::{self, Format, Limits, Orientation, Source};
use lyncean::image::{Image, Plane};

use super::{fixture, fixtures, image, pattern};

const W: usize = 7;
const H: usize = 5;

fn read(name: &str) -> codec::Picture {
    codec::read(fixture(name), &Limits::default()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Reads a file and compares its colours with `value(x, y, c)`; returns its alpha.
fn expect(name: &str, ty: ImageType, value: impl Fn(usize, usize, usize) -> u64) -> Option<Plane<u8>> {
    let picture = read(name);
    assert_eq!(picture.image, image(ty, W, H, value), "{name}");
    picture.alpha
}

#[test]
fn values_of_lossless_files() {
    let files: &[(&str, ImageType, u64)] = &[
        ("gray8.png", Gray8, 255),
        ("gray8-interlaced.png", Gray8, 255),
        ("gray16.png", Gray16, 65535),
        ("rgb8.png", Rgb8, 255),
        ("rgb16.png", Rgb16, 65535),
        ("rgb16-interlaced.png", Rgb16, 65535),
        ("palette.png", Rgb8, 255),
        ("palette.tiff", Rgb8, 255),
        ("gray12.tiff", Gray16, 4095),
        ("rgb12-big-endian.tiff", Rgb16, 4095),
        ("gray8.tiff", Gray8, 255),
        ("white-is-zero.tiff", Gray8, 255),
        ("gray8-deflate.tiff", Gray8, 255),
        ("gray16-big-endian.tiff", Gray16, 65535),
        ("gray16-big.tiff", Gray16, 65535),
        ("gray-f32.tiff", GrayF32, 65535),
        ("gray-f64.tiff", GrayF32, 65535),
        ("gray-u32.tiff", Labels, 0xffff_ffff),
        ("rgb-f32-big-endian.tiff", RgbF32, 65535),
        ("rgb16-planar.tiff", Rgb16, 65535),
        ("rgb16-predictor.tiff", Rgb16, 65535),
        ("rgb8-strips.tiff", Rgb8, 255),
        ("rgb8-lzw.tiff", Rgb8, 255),
        ("rgb8-packbits.tiff", Rgb8, 255),
        ("rgb8-four-bands.tiff", Rgb8, 255),
        ("gray8.bmp", Gray8, 255),
        ("rgb8.bmp", Rgb8, 255),
        // The fourth byte of a plain BMP is reserved.
        ("rgba8.bmp", Rgb8, 255),
        ("palette.bmp", Rgb8, 255),
        ("gray8.pgm", Gray8, 255),
        ("gray16.pgm", Gray16, 65535),
        ("rgb8.ppm", Rgb8, 255),
        ("rgb8.webp", Rgb8, 255),
    ];
    for &(name, ty, most) in files {
        assert_eq!(expect(name, ty, |x, y, c| pattern(x, y, c, most)), None, "{name}");
    }
    let tiled = image(Rgb8, 19, 37, |x, y, c| pattern(x, y, c, 255));
    assert_eq!(read("rgb8-tiled.tiff").image, tiled);
}

#[test]
fn few_bits_are_scaled_to_eight() {
    let files = [
        ("gray1.png", 1),
        ("gray2.png", 3),
        ("gray4.png", 15),
        ("gray1.tiff", 1),
        ("gray1-fax4.tiff", 1),
        ("gray1.pbm", 1),
        ("gray-to-51.pgm", 51),
    ];
    for (name, most) in files {
        assert_eq!(expect(name, Gray8, |x, y, c| pattern(x, y, c, most) * (255 / most)), None, "{name}");
    }
}

#[test]
fn palettes_are_looked_up() {
    // Of the palette's 16 bits the upper 8 count.
    let colour = |x, y, c| ((pattern(x, y, 0, 15) * 4369 + c as u64) & 0xffff) >> 8;
    assert_eq!(expect("palette4.tiff", Rgb8, colour), None);
    // Of an animation the first frame; its alpha is always there.
    let alpha = expect("palette.gif", Rgb8, |x, y, c| pattern(x, y, c, 255));
    assert_eq!(alpha, Some(Plane::filled(W, H, 255)));
}

#[test]
fn numbers_without_a_type_of_their_own_become_floats() {
    let of = |name: &str| match read(name).image {
        Image::GrayF32(plane) => plane,
        other => panic!("{name}: {}", other.ty()),
    };
    let from = |f: &dyn Fn(u64) -> f32, most| Plane::from_fn(W, H, |x, y| f(pattern(x, y, 0, most)));
    assert_eq!(of("gray-i8.tiff"), from(&|v| v as f32 - 128.0, 255));
    assert_eq!(of("gray-i16.tiff"), from(&|v| v as f32 - 32768.0, 65535));
    assert_eq!(of("gray-f16.tiff"), from(&|v| v as f32 / 1024.0, 1023));
}

#[test]
fn alpha_is_split_off() {
    let eight = |channel: usize| Plane::from_fn(W, H, |x, y| pattern(x, y, channel, 255) as u8);
    let sixteen = |channel: usize| {
        Plane::from_fn(W, H, |x, y| (pattern(x, y, channel, 65535) as f64 / 257.0).round() as u8)
    };
    for (name, ty) in [("la8.png", Gray8), ("la8.tiff", Gray8), ("rgba8.png", Rgb8), ("rgba8.webp", Rgb8)] {
        let alpha = expect(name, ty, |x, y, c| pattern(x, y, c, 255));
        assert_eq!(alpha, Some(eight(ty.channels())), "{name}");
    }
    for (name, ty) in [("la16.png", Gray16), ("rgba16.png", Rgb16), ("rgba16.tiff", Rgb16)] {
        let alpha = expect(name, ty, |x, y, c| pattern(x, y, c, 65535));
        assert_eq!(alpha, Some(sixteen(ty.channels())), "{name}");
    }
    let alpha = expect("rgba-f32.tiff", RgbF32, |x, y, c| pattern(x, y, c, 65535));
    let float = Plane::from_fn(W, H, |x, y| (pattern(x, y, 3, 65535) as f32 / 65536.0 * 255.0 + 0.5) as u8);
    assert_eq!(alpha, Some(float));
    let alpha = expect("palette-alpha.png", Rgb8, |x, y, c| pattern(x, y, c, 255));
    assert_eq!(alpha, Some(Plane::from_fn(W, H, |x, y| 7 * (y * W + x) as u8)));
}

#[test]
fn orientation_is_applied() {
    // Where the upright pixel lies in the stored picture of W by H, from the table of EXIF 2.3.
    let stored = |turn: usize, x: usize, y: usize| match turn {
        1 => (x, y),
        2 => (W - 1 - x, y),
        3 => (W - 1 - x, H - 1 - y),
        4 => (x, H - 1 - y),
        5 => (y, x),
        6 => (y, H - 1 - x),
        7 => (W - 1 - y, H - 1 - x),
        _ => (W - 1 - y, x),
    };
    let upright = |turn: usize, ty| {
        let (w, h) = if turn > 4 { (H, W) } else { (W, H) };
        image(ty, w, h, |x, y, c| {
            let (x, y) = stored(turn, x, y);
            pattern(x, y, c, 255)
        })
    };
    for turn in 1..=8 {
        let picture = read(&format!("exif-{turn}.tiff"));
        assert_eq!(picture.image, upright(turn, Gray8), "TIFF {turn}");
        assert_eq!(picture.source.orientation, Orientation::ALL[turn - 1]);
    }
    assert_eq!(read("gray8-exif6.png").image, upright(6, Gray8));
    assert_eq!(read("rgb8-exif8.webp").image, upright(8, Rgb8));

    let blocks = [[16u8, 48, 80], [112, 144, 176]];
    for turn in 1..=8 {
        let name = format!("exif-{turn}.jpg");
        let (w, h) = if turn > 4 { (2, 3) } else { (3, 2) };
        let Image::Gray8(plane) = read(&name).image else { panic!("{name} is gray") };
        assert_eq!((plane.width(), plane.height()), (8 * w, 8 * h), "{name}");
        for y in 0..8 * h {
            for x in 0..8 * w {
                let (bx, by) = (x / 8, y / 8);
                let (bx, by) = match turn {
                    1 => (bx, by),
                    2 => (2 - bx, by),
                    3 => (2 - bx, 1 - by),
                    4 => (bx, 1 - by),
                    5 => (by, bx),
                    6 => (by, 1 - bx),
                    7 => (2 - by, 1 - bx),
                    _ => (2 - by, bx),
                };
                assert!(plane.get(x, y).abs_diff(blocks[by][bx]) <= 1, "{name} at {x}, {y}");
            }
        }
    }
}

#[test]
fn jpeg_is_close_to_pillow() {
    // Largest and mean difference: decoders differ in the inverse DCT and in how colours of half
    // the resolution are spread.
    for (name, most, mean) in [
        ("gray.jpg", 1, 0.1),
        ("rgb-444.jpg", 3, 0.5),
        ("rgb-420.jpg", 12, 1.5),
        ("progressive.jpg", 12, 1.5),
        ("cmyk.jpg", 4, 1.0),
        ("rgb-jpeg.tiff", 3, 0.5),
        ("ycbcr-jpeg.tiff", 12, 1.5),
    ] {
        let raw = std::fs::read(fixture(name).with_extension("raw")).unwrap();
        let picture = read(name);
        let ours = picture.image.plane_bytes(0);
        assert_eq!(
            (picture.image.width(), picture.image.height(), ours.len()),
            (21, 19, raw.len()),
            "{name}"
        );
        let differences = || ours.iter().zip(&raw).map(|(a, b)| a.abs_diff(*b));
        let largest = differences().max().unwrap();
        let average = differences().map(f64::from).sum::<f64>() / raw.len() as f64;
        assert!(largest <= most && average <= mean, "{name}: largest {largest}, mean {average}");
    }
}

#[test]
fn cmyk_without_a_profile() {
    let Image::Rgb8(plane) = read("cmyk8.tiff").image else { panic!("rgb8") };
    for y in 0..H {
        for x in 0..W {
            let ink = |c| 255.0 - pattern(x, y, c, 255) as f64;
            let rgb = [0, 1, 2].map(|c| (ink(c) * ink(3) / 255.0).round() as u8);
            assert_eq!(plane.get(x, y), rgb);
        }
    }
}

#[test]
fn what_is_not_read_says_so() {
    for name in ["two-bands.tiff", "gray-i32.tiff"] {
        let error = codec::read(fixture(name), &Limits::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{name}: {error}");
        assert!(error.message().contains(name) && error.hint().is_some(), "{error}");
    }
}

#[test]
fn a_probe_tells_what_reading_gives() {
    for name in fixtures() {
        let probe = codec::probe(fixture(&name));
        match codec::read(fixture(&name), &Limits::default()) {
            Ok(picture) => {
                let source = probe.unwrap();
                assert_eq!(source, picture.source, "{name}");
                assert_eq!(
                    (source.ty, source.width, source.height),
                    (picture.image.ty(), picture.image.width(), picture.image.height()),
                    "{name}"
                );
                assert_eq!(source.alpha, picture.alpha.is_some(), "{name}");
                assert_eq!(Some(source.format), Format::from_name(&name));
            }
            Err(error) => {
                let several = name == "pages.tiff";
                let expected = if several { ErrorKind::Input } else { ErrorKind::Unsupported };
                assert_eq!(error.kind(), expected, "{error}");
            }
        }
    }
}

#[test]
fn stored_depth_and_channels() {
    let of = |name: &str| {
        let Source { bits, channels, .. } = read(name).source;
        (bits, channels)
    };
    for (name, bits, channels) in [
        ("gray1.png", 1, 1),
        ("gray4.png", 4, 1),
        ("gray16.png", 16, 1),
        ("rgba16.png", 16, 4),
        ("la8.png", 8, 2),
        ("palette.png", 8, 3),
        ("palette.tiff", 8, 3),
        ("gray12.tiff", 12, 1),
        ("palette.gif", 8, 4),
        ("gray1.tiff", 1, 1),
        ("gray-f64.tiff", 64, 1),
        ("cmyk8.tiff", 8, 4),
        ("la8.tiff", 8, 2),
        ("rgb-420.jpg", 8, 3),
        ("gray1.pbm", 1, 1),
    ] {
        assert_eq!(of(name), (bits, channels), "{name}");
    }
}
