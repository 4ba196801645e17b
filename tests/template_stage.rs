//! The stage `match-template` with masks, lists of templates, scales and angles.

use lyncean::image::Rect;
use lyncean::ops::{self, Context};
use lyncean::prelude::*;
use lyncean::stage::Value;

/// Numbers without a pattern.
fn noise(x: usize, y: usize, salt: usize) -> u8 {
    let mut mixed = ((x * 8191 + y) * 64 + salt) as u64;
    for _ in 0..2 {
        mixed = (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    }
    (mixed >> 56) as u8
}

/// A ring of noise around a middle that does not belong to it.
fn ring(x: usize, y: usize, middle: u8) -> u8 {
    if (4..12).contains(&x) && (4..12).contains(&y) { middle } else { noise(x, y, 3) }
}

/// 60x50 of noise with a ring at (30, 20), and a patch at (5, 9).
fn scene() -> Image {
    Image::Gray8(Plane::from_fn(60, 50, |x, y| match (x.wrapping_sub(30), y.wrapping_sub(20)) {
        (i @ 0..16, j @ 0..16) => ring(i, j, noise(i, j, 9)),
        _ => match (x.wrapping_sub(5), y.wrapping_sub(9)) {
            (i @ 0..8, j @ 0..6) => noise(i, j, 5),
            _ => noise(x, y, 1),
        },
    }))
}

fn mask() -> Plane<u8> {
    Plane::from_fn(16, 16, |x, y| u8::from(!((4..12).contains(&x) && (4..12).contains(&y))))
}

/// A loader that knows the pictures by name.
fn loader() -> Loader<'static> {
    Loader::new()
        .give_picture("ring", Image::Gray8(Plane::from_fn(16, 16, |x, y| ring(x, y, 77))))
        .give_picture("mask", Image::Gray8(mask()))
        .give_picture("patch", Image::Gray8(Plane::from_fn(8, 6, |x, y| noise(x, y, 5))))
        .give_picture("nothing", Image::Gray8(Plane::new(16, 16)))
        .give_picture("colours", Image::Rgb8(Plane::filled(16, 16, [1; 3])))
}

fn text(lines: &str) -> String {
    format!("version = 1\n[[stage]]\nuse = \"match-template\"\n{lines}")
}

fn run(lines: &str) -> Vec<Object> {
    let pipeline = loader().parse(Source::new("find", text(lines))).unwrap();
    pipeline.run(&scene()).unwrap().objects("match-template").unwrap().to_vec()
}

fn refused(lines: &str) -> String {
    loader().parse(Source::new("find", text(lines))).err().unwrap().to_string()
}

#[test]
fn masks_leave_out_what_does_not_belong() {
    let plain = run("template = \"ring\"\nthreshold = 0.9");
    assert!(plain.is_empty());
    for lines in [
        "template = \"ring\"\nmask = \"mask\"\nthreshold = 0.9",
        "template = { file = \"ring\", mask = \"mask\" }\nthreshold = 0.9",
        "template = [{ file = \"ring\", mask = \"mask\" }]\nthreshold = 0.9",
    ] {
        let found = run(lines);
        assert_eq!((found.len(), found[0].bbox, found[0].score), (1, [30.0, 20.0, 16.0, 16.0], Some(1.0)));
        assert!(found[0].measures.is_empty() && found[0].outline.is_empty() && found[0].label.is_none());
    }
}

#[test]
fn the_alpha_of_a_template_is_its_mask() {
    use lyncean::image::codec::{Format, WriteOptions, encode};
    // Half opaque and more counts.
    let alpha = mask().map(|value| if value == 0 { 127 } else { 128 });
    let picture = Plane::from_fn(16, 16, |x, y| ring(x, y, 77));
    let rgba: Vec<u8> = (0..256)
        .flat_map(|i| {
            let (x, y) = (i % 16, i / 16);
            let value = picture.get(x, y);
            [value, value, value, alpha.get(x, y)]
        })
        .collect();
    let mut bytes = Vec::new();
    {
        let mut encoder = png::Encoder::new(&mut bytes, 16, 16);
        encoder.set_color(png::ColorType::Rgba);
        encoder.write_header().unwrap().write_image_data(&rgba).unwrap();
    }
    let find = |bytes: Vec<u8>, more: &str| {
        let lines = text(&format!("template = \"png\"\nthreshold = 0.9\n{more}"));
        let pipeline = loader().give("png", bytes).parse(Source::new("find", lines)).unwrap();
        pipeline.run(&scene()).unwrap().objects("match-template").unwrap().to_vec()
    };
    let found = find(bytes.clone(), "");
    assert_eq!((found.len(), found[0].bbox, found[0].score), (1, [30.0, 20.0, 16.0, 16.0], Some(1.0)));
    // Without alpha everything counts, and so it does with a mask that says so.
    let opaque = encode(&Image::Gray8(picture), Format::Png, &WriteOptions::default()).unwrap();
    assert!(find(opaque, "").is_empty());
    assert_eq!(find(bytes, "mask = \"mask\"").len(), 1);
}

#[test]
fn several_templates_share_one_list() {
    let found = run(
        "template = [\"patch\", { file = \"ring\", mask = \"mask\", label = \"ring\" }]\nlabel = \"other\"",
    );
    let told: Vec<_> = found.iter().map(|object| (object.label.as_deref().unwrap(), object.bbox)).collect();
    assert_eq!(told, [("other", [5.0, 9.0, 8.0, 6.0]), ("ring", [30.0, 20.0, 16.0, 16.0])]);
    // A template twice is one match: the first of its names.
    let twice = run("template = [{ file = \"patch\", label = \"a\" }, { file = \"patch\", label = \"b\" }]");
    assert_eq!(twice.iter().map(|object| object.label.clone().unwrap()).collect::<Vec<_>>(), ["a"]);
    // Two names are two templates, not a name and a label.
    let plain = run("template = [\"nothing\", \"patch\"]\nmax-count = 1");
    assert_eq!((plain[0].bbox, plain[0].label.clone()), ([5.0, 9.0, 8.0, 6.0], None));
}

#[test]
fn objects_tell_how_they_lie() {
    let lines = "template = \"patch\"\nangles = { min = 0, max = 270, step = 90 }";
    let pipeline = loader().parse(Source::new("find", text(lines))).unwrap();
    // The scene a quarter clockwise: its patch lies a quarter clockwise, too.
    let Image::Gray8(upright) = scene() else { unreachable!() };
    let turned = Plane::from_fn(50, 60, |x, y| upright.get(y, 49 - x));
    let results = pipeline.run(&Image::Gray8(turned)).unwrap();
    let found = results.objects("match-template").unwrap();
    assert_eq!((found.len(), found[0].bbox), (1, [35.0, 5.0, 6.0, 8.0]));
    assert_eq!((found[0].measure("angle"), found[0].measure("scale")), (Some(270.0), Some(1.0)));
    // From the template's top left corner on, which went to the top right.
    let near = |a: &[[f64; 2]], b: [[f64; 2]; 4]| {
        a.len() == 4 && a.iter().flatten().zip(b.iter().flatten()).all(|(a, b)| (a - b).abs() < 1e-9)
    };
    assert!(
        near(&found[0].outline, [[40.0, 5.0], [40.0, 12.0], [35.0, 12.0], [35.0, 5.0]]),
        "{:?}",
        found[0].outline
    );
    let Value::Image(scores) = results.value("match-template", "scores").unwrap() else { unreachable!() };
    let scores = &scores.image;
    assert_eq!((scores.width(), scores.height()), (50, 60));
}

#[test]
fn what_cannot_be_is_said() {
    let said = |lines: &str, words: &str| {
        let error = refused(lines);
        assert!(error.contains(words), "{error}");
    };
    said("template = []", "wants at least");
    said("template = [{ file = \"ring\", masc = \"mask\" }]", "did you mean `mask`?");
    said("template = [{ label = \"a\" }]", "wants `file`");
    said("template = [\"ring\", 3]", "got an integer `3`");
    said("template = [\"ring\", \"patch\"]\nmask = \"mask\"", "is for one template, not for a list");
    said("template = \"patch\"\nmask = \"mask\"", "the mask of 16x16 is not of the template's size of 8x6");
    said("template = \"ring\"\nmask = \"nothing\"", "the mask of 16x16 is 0 everywhere");
    said("template = \"ring\"\nmask = \"colours\"", "expected a gray picture as a mask, `colours` is `rgb8`");
    said("template = \"ring\"\nscales = { min = 2, max = 1, step = 0.5 }", "`min`, 2, is above `max`, 1");
    said("template = \"ring\"\nscales = { min = 0, max = 1, step = 0.5 }", "wants at least 0.01");
    said("template = \"ring\"\nangles = { min = 0, max = 90 }", "wants `step`");
    said(
        "template = \"ring\"\nmethod = \"cross-correlation\"\nangles = { min = 0, max = 90, step = 45 }",
        "scales and angles want a method that is divided by norms",
    );
    let pipeline = loader().parse(Source::new("find", text("template = [\"ring\", \"patch\"]"))).unwrap();
    let error = pipeline.run(&Image::Gray8(Plane::filled(12, 30, 7))).err().unwrap();
    assert!(error.to_string().contains("a template of 16x16 is larger than the image of 12x30"), "{error}");
}

#[test]
fn the_pipeline_tells_how_far_the_picture_was_turned() {
    let coins = Image::decode(lyncean::image::builtin::picture("coins").unwrap()).unwrap();
    let load = |wanted: &str| {
        let (name, text) = lyncean::builtin::PIPELINES.iter().find(|(name, _)| *name == wanted).unwrap();
        Loader::new().parse(Source::new(*name, *text)).unwrap()
    };
    let upright = load("find-coin").run(&coins).unwrap();
    let upright = &upright.objects("matches").unwrap()[0];
    // The search in all directions gets the coin with its neighbours, not all coins.
    let [x, y] = [0, 1].map(|axis| (upright.bbox[axis] as usize).saturating_sub(40));
    let near = ops::crop(&coins, Rect { x, y, width: 120, height: 120 }, &Context::default()).unwrap();
    let turned = load("find-turned").run(&near).unwrap();
    let turned = &turned.objects("matches").unwrap()[0];
    assert_eq!((turned.measure("angle"), turned.measure("scale")), (Some(35.0), Some(1.0)));
    let centre = |object: &Object| [0, 1].map(|axis| object.bbox[axis] + object.bbox[axis + 2] / 2.0);
    let (a, b) = (centre(upright), centre(turned));
    let b = [b[0] + x as f64, b[1] + y as f64];
    assert!((a[0] - b[0]).abs() < 1.0 && (a[1] - b[1]).abs() < 1.0, "{a:?} {b:?}");
}
