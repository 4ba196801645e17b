//! Masked template matching against OpenCV.
//!
//! The answers are in `fixtures/golden/template/masked.safetensors`, made by the script beside it. OpenCV takes `f32`
//! Fourier transforms of the masked template, so that its errors go with the largest sums; where a window is flat under the
//! mask it divides 0 by 0.

use lyncean::image::{Pixel, Plane};
use lyncean::kernel::Isa;
use lyncean::ops::template::{Channels, Method, match_masked_template};
use safetensors::SafeTensors;

const NAMES: [&str; 6] = ["sqdiff", "sqdiff_normed", "ccorr", "ccorr_normed", "ccoeff", "ccoeff_normed"];

fn plane<T: Pixel>(file: &SafeTensors, name: &str) -> Plane<T> {
    let tensor = file.tensor(name).unwrap();
    let shape = tensor.shape();
    assert_eq!(shape.get(2).copied().unwrap_or(1), T::CHANNELS, "channels of {name}");
    assert_eq!(tensor.dtype().bitsize() / 8, T::ELEMENT.size(), "numbers of {name}");
    Plane::from_vec(shape[1], shape[0], bytemuck::pod_collect_to_vec(tensor.data())).unwrap()
}

/// Compares all methods; returns how many of OpenCV's scores are no number.
fn check<P: Channels>(file: &SafeTensors, name: &str, peak: f64) -> usize {
    let image = plane::<P>(file, &format!("{name}.image"));
    let template = plane::<P>(file, &format!("{name}.template"));
    let mut odd = 0;
    for kind in ["ring", "odd"] {
        let mask = plane::<u8>(file, kind);
        let inside = mask.as_slice().iter().filter(|value| **value != 0).count();
        let energy = (inside * P::CHANNELS) as f64 * peak * peak;
        for (method, suffix) in Method::ALL.into_iter().zip(NAMES) {
            let expected = plane::<f32>(file, &format!("{name}.{kind}.{suffix}"));
            let template = (template.view(), mask.view());
            let got =
                match_masked_template(Isa::best(), image.view(), template, method, 1, &|| false).unwrap();
            assert_eq!((got.width(), got.height()), (expected.width(), expected.height()));
            let scale = if method.is_normed() { 1.0 } else { energy };
            // Theirs divides the error of a transform by what little varies in a window.
            let bound = if method == Method::CorrelationCoefficientNormed { 2e-4 } else { 2e-6 };
            for (got, expected) in got.as_slice().iter().zip(expected.as_slice()) {
                if expected.is_finite() {
                    let apart = f64::from((got - expected).abs()) / scale;
                    assert!(apart <= bound, "{name} {kind} {suffix}: {got} for {expected}");
                } else {
                    assert_eq!((method, *got), (Method::CorrelationCoefficientNormed, 0.0));
                    odd += 1;
                }
            }
            let best = got.get(12, 19);
            match method {
                Method::SquaredDifference | Method::SquaredDifferenceNormed => assert_eq!(best, 0.0),
                Method::CrossCorrelationNormed | Method::CorrelationCoefficientNormed => {
                    assert_eq!(best, 1.0);
                }
                _ => {}
            }
        }
    }
    odd
}

#[test]
fn masked_scores_are_opencvs() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/golden/template/masked.safetensors");
    let bytes = std::fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(check::<u8>(&file, "gray8", 255.0), 72);
    assert_eq!(check::<[u8; 3]>(&file, "rgb8", 255.0), 0);
    assert_eq!(check::<f32>(&file, "gray-f32", 1.0), 72);
}
