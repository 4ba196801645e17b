//! Golden outputs of peers: a folder with `cases.json` and packed arrays.

use std::io::Read;
use std::path::Path;

use lyncean::image::{Image, Plane};
use serde_json::Value;

/// The goldens of a folder under `fixtures/golden`.
pub(crate) struct Goldens {
    description: Value,
    data: Vec<u8>,
}

impl Goldens {
    pub(crate) fn read(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/golden").join(name);
        let description = serde_json::from_slice(&std::fs::read(folder.join("cases.json")).unwrap()).unwrap();
        let packed = std::fs::read(folder.join("data.bin")).unwrap();
        let mut data = Vec::new();
        flate2::read::ZlibDecoder::new(packed.as_slice()).read_to_end(&mut data).unwrap();
        Self { description, data }
    }

    /// An array as an image; one channel or three.
    pub(crate) fn image(&self, index: &Value) -> Image {
        let kind = &self.description["arrays"][number(index)];
        let shape: Vec<usize> = kind["shape"].as_array().unwrap().iter().map(number).collect();
        let (height, width) = (shape[0], shape[1]);
        let count = shape.iter().product::<usize>();
        let data = &self.data[number(&kind["start"])..];
        let u16s =
            || data.as_chunks::<2>().0[..count].iter().map(|b| u16::from_le_bytes(*b)).collect::<Vec<_>>();
        let f32s =
            || data.as_chunks::<4>().0[..count].iter().map(|b| f32::from_le_bytes(*b)).collect::<Vec<_>>();
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

    /// Compares what `compute` makes of every case with what the peer made of it.
    pub(crate) fn check(&self, least: usize, compute: impl Fn(&str, &Image, &Value) -> Image) {
        let cases = self.description["cases"].as_array().unwrap();
        assert!(cases.len() >= least, "goldens are missing");
        let mut failures = Vec::new();
        for case in cases {
            let (op, bound) = (case["op"].as_str().unwrap(), case["bound"].as_f64().unwrap());
            let got = compute(op, &self.image(&case["input"]), &case["params"]);
            let wanted = self.image(&case["output"]);
            let size =
                |image: &Image| (image.width(), image.height(), image.ty().element(), image.ty().channels());
            assert_eq!(size(&got), size(&wanted), "{case}");
            let differences: Vec<f64> =
                values(&got).iter().zip(values(&wanted)).map(|(got, wanted)| (got - wanted).abs()).collect();
            let largest = differences.iter().copied().fold(0.0, f64::max);
            if largest > bound || differences.iter().any(|difference| difference.is_nan()) {
                let at = differences.iter().position(|&difference| difference > bound).unwrap_or_default();
                let count = differences.iter().filter(|&&difference| difference > bound).count();
                let pixel = at / got.ty().channels();
                let (x, y) = (pixel % got.width(), pixel / got.width());
                failures.push(format!("{largest} over {bound}, {count} values, first at ({x}, {y}): {case}"));
            }
        }
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }
}

pub(crate) fn number(value: &Value) -> usize {
    value.as_u64().unwrap() as usize
}

fn values(image: &Image) -> Vec<f64> {
    let bytes = image.plane_bytes(0);
    match image.ty().element().size() {
        1 => bytes.iter().map(|&value| f64::from(value)).collect(),
        2 => bytemuck::cast_slice::<u8, u16>(bytes).iter().map(|&value| f64::from(value)).collect(),
        _ => bytemuck::cast_slice::<u8, f32>(bytes).iter().map(|&value| f64::from(value)).collect(),
    }
}
