//! Filters against OpenCV and scikit-image, on crops of pictures at odd sizes.
//!
//! The outputs are in `fixtures/golden/filters`, with the script that made them.

use std::io::Read;
use std::path::Path;

use lyncean::image::{Border, BorderMode, Image, Plane};
use lyncean::ops::adaptive::Surroundings;
use lyncean::ops::convert::Depth;
use lyncean::ops::local_threshold::Formula;
use lyncean::ops::sobel::Operator;
use lyncean::ops::{
    self, Adaptive, Canny, Context, Convert, Convolve, ConvolveOutput, ElementShape, Gaussian, Interpolation,
    Morphology, MorphologyOp, Resize, Sobel, SobelOutput, ThresholdType,
};
use serde_json::Value;

fn number(value: &Value) -> usize {
    value.as_u64().unwrap() as usize
}

fn pair(value: &Value) -> (usize, usize) {
    (number(&value[0]), number(&value[1]))
}

fn float(value: &Value) -> f32 {
    value.as_f64().unwrap() as f32
}

fn border(value: &Value) -> Border {
    serde_json::from_value::<BorderMode>(value.clone()).unwrap().into()
}

/// An array of the goldens as an image; one channel or three.
fn image(kind: &Value, data: &[u8]) -> Image {
    let shape: Vec<usize> = kind["shape"].as_array().unwrap().iter().map(number).collect();
    let (height, width) = (shape[0], shape[1]);
    let count = shape.iter().product::<usize>();
    let data = &data[number(&kind["start"])..];
    let u16s = || data.as_chunks::<2>().0[..count].iter().map(|b| u16::from_le_bytes(*b)).collect::<Vec<_>>();
    let f32s = || data.as_chunks::<4>().0[..count].iter().map(|b| f32::from_le_bytes(*b)).collect::<Vec<_>>();
    fn rgb<T: Copy>(values: &[T]) -> Vec<[T; 3]> {
        values.as_chunks::<3>().0.to_vec()
    }
    match (kind["dtype"].as_str().unwrap(), shape.len()) {
        ("uint8", 2) => Image::Gray8(Plane::from_vec(width, height, data[..count].to_vec()).unwrap()),
        ("uint16", 2) => Image::Gray16(Plane::from_vec(width, height, u16s()).unwrap()),
        ("float32", 2) => Image::GrayF32(Plane::from_vec(width, height, f32s()).unwrap()),
        ("uint8", _) => Image::Rgb8(Plane::from_vec(width, height, rgb(&data[..count])).unwrap()),
        ("uint16", _) => Image::Rgb16(Plane::from_vec(width, height, rgb(&u16s())).unwrap()),
        ("float32", _) => Image::RgbF32(Plane::from_vec(width, height, rgb(&f32s())).unwrap()),
        other => panic!("{other:?}"),
    }
}

fn values(image: &Image) -> Vec<f64> {
    let bytes = image.plane_bytes(0);
    match image.ty().element().size() {
        1 => bytes.iter().map(|&value| f64::from(value)).collect(),
        2 => bytemuck::cast_slice::<u8, u16>(bytes).iter().map(|&value| f64::from(value)).collect(),
        _ => bytemuck::cast_slice::<u8, f32>(bytes).iter().map(|&value| f64::from(value)).collect(),
    }
}

fn compute(op: &str, input: &Image, p: &Value) -> lyncean::Result<Image> {
    let cx = Context::default();
    match op {
        "gray" => ops::gray(input, &cx),
        "gaussian-blur" => {
            let params = Gaussian {
                sigma: p["sigma"].as_f64().unwrap(),
                size: Some(number(&p["size"])),
                border: border(&p["border"]),
            };
            ops::gaussian(input, &params, &cx)
        }
        "sobel" => {
            let operator = match p["operator"].as_str().unwrap() {
                "scharr" => Operator::Scharr,
                "prewitt" => Operator::Prewitt,
                _ => Operator::Sobel,
            };
            let output = match p["what"].as_str().unwrap() {
                "dx" => SobelOutput::Dx,
                "dy" => SobelOutput::Dy,
                _ => SobelOutput::Magnitude,
            };
            let params = Sobel { size: number(&p["size"]), operator, output, border: border(&p["border"]) };
            ops::sobel(input, &params, &cx)
        }
        "threshold" => {
            let kind = match p["kind"].as_str().unwrap() {
                "binary" => ThresholdType::Binary,
                "binary-inv" => ThresholdType::BinaryInv,
                "trunc" => ThresholdType::Trunc,
                "tozero" => ThresholdType::ToZero,
                _ => ThresholdType::ToZeroInv,
            };
            ops::threshold(input, &ops::Threshold { level: float(&p["level"]), kind }, &cx)
        }
        "otsu" => Ok(Image::GrayF32(Plane::filled(1, 1, ops::otsu_level(&ops::histogram(input, &cx)?)))),
        "equalize" => ops::equalize(input, &cx),
        "morphology" => {
            let op = match p["what"].as_str().unwrap() {
                "erode" => MorphologyOp::Erode,
                "dilate" => MorphologyOp::Dilate,
                "open" => MorphologyOp::Open,
                _ => MorphologyOp::Close,
            };
            let shape = match p["shape"].as_str().unwrap() {
                "rect" => ElementShape::Rect,
                "cross" => ElementShape::Cross,
                _ => ElementShape::Ellipse,
            };
            let params =
                Morphology { op, shape, size: pair(&p["size"]), iterations: number(&p["iterations"]) };
            ops::morphology(input, &params, &cx)
        }
        "canny" => {
            let (low, high) = (float(&p["low"]), float(&p["high"]));
            let params = Canny { low, high, size: number(&p["size"]), l2: p["l2"] == true };
            ops::canny(input, &params, &cx)
        }
        "convolve" => {
            let rows = p["kernel"].as_array().unwrap();
            let width = rows[0].as_array().unwrap().len();
            let weights = rows.iter().flat_map(|row| row.as_array().unwrap().iter().map(float)).collect();
            let params = Convolve {
                anchor: Some(pair(&p["anchor"])),
                flip: p["flip"] == true,
                output: if p["same"] == true { ConvolveOutput::Same } else { ConvolveOutput::F32 },
                border: border(&p["border"]),
                ..Convolve::new(width, rows.len(), weights)
            };
            ops::convolve(input, &params, &cx)
        }
        "resize" => {
            let (width, height) = pair(&p["size"]);
            let interpolation = match p["mode"].as_str().unwrap() {
                "nearest" => Interpolation::Nearest,
                "bilinear" => Interpolation::Bilinear,
                _ => Interpolation::Area,
            };
            ops::resize(input, &Resize { width, height, interpolation }, &cx)
        }
        "convert" => {
            let to = match p["to"].as_str().unwrap() {
                "u8" => Depth::U8,
                "u16" => Depth::U16,
                _ => Depth::F32,
            };
            let (scale, offset) = (Some(float(&p["scale"])), float(&p["offset"]));
            ops::convert(input, &Convert { to, scale, offset }, &cx)
        }
        "box-blur" => {
            ops::box_blur(input, &ops::BoxBlur { size: pair(&p["size"]), border: border(&p["border"]) }, &cx)
        }
        "median" => {
            ops::median(input, &ops::Median { size: number(&p["size"]), border: border(&p["border"]) }, &cx)
        }
        "adaptive-threshold" => {
            let mean = p["method"] == "mean";
            let params = Adaptive {
                surroundings: if mean { Surroundings::Mean } else { Surroundings::Gaussian },
                size: number(&p["size"]),
                offset: float(&p["offset"]),
                inverted: p["inverted"] == true,
            };
            ops::adaptive_threshold(input, &params, &cx)
        }
        "local-threshold" => {
            let k = p["k"].as_f64().unwrap();
            let niblack = p["method"] == "niblack";
            let formula = if niblack { Formula::Niblack { k } } else { Formula::Sauvola { k, r: None } };
            ops::local_threshold(input, &ops::LocalThreshold { size: pair(&p["size"]), formula }, &cx)
        }
        "laplacian" => ops::laplacian(
            input,
            &ops::Laplacian { size: number(&p["size"]), border: border(&p["border"]) },
            &cx,
        ),
        "log" => {
            let sigma = p["sigma"].as_f64().unwrap();
            ops::laplacian_of_gaussian(input, &ops::LaplacianOfGaussian { sigma, ..Default::default() }, &cx)
        }
        "hysteresis" => {
            let (low, high) = (float(&p["low"]), float(&p["high"]));
            ops::hysteresis_threshold(input, &ops::Hysteresis { low, high, ..Default::default() }, &cx)
        }
        "difference-of-mirrored" => {
            let plane = input.as_gray8()?;
            let mirrored =
                Plane::from_fn(plane.width(), plane.height(), |x, y| plane.get(x, plane.height() - 1 - y));
            ops::difference(input, &Image::Gray8(mirrored), false, &cx)
        }
        other => panic!("no `{other}`"),
    }
}

#[test]
fn filters_agree_with_their_peers() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/golden/filters");
    let goldens: Value = serde_json::from_slice(&std::fs::read(folder.join("cases.json")).unwrap()).unwrap();
    let packed = std::fs::read(folder.join("data.bin")).unwrap();
    let mut data = Vec::new();
    flate2::read::ZlibDecoder::new(packed.as_slice()).read_to_end(&mut data).unwrap();
    let array = |index: &Value| image(&goldens["arrays"][number(index)], &data);

    let cases = goldens["cases"].as_array().unwrap();
    assert!(cases.len() > 100, "goldens are missing");
    let mut failures = Vec::new();
    for case in cases {
        let (op, bound) = (case["op"].as_str().unwrap(), case["bound"].as_f64().unwrap());
        let input = array(&case["input"]);
        let (got, wanted) = (compute(op, &input, &case["params"]).unwrap(), array(&case["output"]));
        let size =
            |image: &Image| (image.width(), image.height(), image.ty().element(), image.ty().channels());
        assert_eq!(size(&got), size(&wanted), "{case}");
        let differences: Vec<f64> =
            values(&got).iter().zip(values(&wanted)).map(|(got, wanted)| (got - wanted).abs()).collect();
        let largest = differences.iter().copied().fold(0.0, f64::max);
        if largest > bound {
            let at = differences.iter().position(|&difference| difference > bound).unwrap();
            let count = differences.iter().filter(|&&difference| difference > bound).count();
            let (x, y) = (at / input.ty().channels() % got.width(), at / input.ty().channels() / got.width());
            failures.push(format!("{largest} over {bound}, {count} values, first at ({x}, {y}): {case}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
