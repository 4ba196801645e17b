//! Masks cleaned, taken apart and measured, against SciPy, scikit-image and OpenCV.
//!
//! The answers are in `fixtures/golden/regions/parts.safetensors.gz`, made by `parts.py` beside it.
//!
//! | operation | against | agreement |
//! |---|---|---|
//! | filled holes, small parts, parts at the edge | SciPy, scikit-image | exact |
//! | distances | SciPy | exact, as `f32` |
//! | peaks | scikit-image | exact |
//! | watersheds | scikit-image | all but ties: at least 99.5% of pixels |
//! | open, close, gradient, hats; own element, iterations | OpenCV | exact |

use std::io::Read;
use std::sync::Arc;

use lyncean::document::Source;
use lyncean::image::{Image, Pixel, Plane};
use lyncean::kernel::Isa;
use lyncean::ops::label::Connectivity;
use lyncean::ops::{Context, distance, holes, watershed};
use lyncean::pipeline::{Loader, RunOptions};
use lyncean::reference;
use proptest::prelude::*;
use safetensors::SafeTensors;

struct Golden(Vec<u8>);

impl Golden {
    fn read() -> Self {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fixtures/golden/regions/parts.safetensors.gz");
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_end(&mut bytes).unwrap();
        Self(bytes)
    }

    fn plane<T: Pixel>(&self, name: &str) -> Plane<T> {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        let tensor = file.tensor(name).unwrap();
        let shape = tensor.shape();
        Plane::from_vec(shape[1], shape[0], bytemuck::pod_collect_to_vec(tensor.data())).unwrap()
    }
}

#[test]
fn masks_are_cleaned_as_by_scipy_and_scikit_image() {
    let golden = Golden::read();
    let mask = golden.plane::<u8>("mask");
    let (isa, eight, never) = (Isa::best(), Connectivity::Eight, &|| false);
    for threads in [1, 3] {
        let filled = holes::fill_holes(isa, mask.view(), eight, None, threads, never).unwrap();
        assert!(filled == golden.plane("filled"));
        assert!(holes::fill_holes(isa, mask.view(), eight, Some(0), threads, never).unwrap() == mask);
        let large = holes::remove_small(isa, mask.view(), eight, 40, threads, never).unwrap();
        assert!(large == golden.plane("large"));
        for (name, margin) in [("inner", 0), ("inner.margin5", 5)] {
            let inner = holes::clear_border(isa, mask.view(), eight, margin, threads, never).unwrap();
            assert!(inner == golden.plane(name), "{name}");
        }
    }
}

#[test]
fn distances_and_peaks_are_exact() {
    let golden = Golden::read();
    let parts = golden.plane::<u8>("parts");
    let distances = distance::distance_transform(parts.view(), 2, &|| false).unwrap();
    assert!(distances == golden.plane("distance"));
    let mut peaks = watershed::peaks(&Image::GrayF32(distances), 9, 0.0, &Context::default()).unwrap();
    peaks.sort_unstable();
    let expected: Plane<i32> = golden.plane("peaks");
    let expected: Vec<(usize, usize)> =
        (0..expected.height()).map(|y| (expected.get(0, y) as usize, expected.get(1, y) as usize)).collect();
    assert_eq!(peaks, expected);
}

#[test]
fn watersheds_are_scikit_images() {
    let golden = Golden::read();
    let parts = golden.plane::<u8>("parts");
    let markers = golden.plane::<u16>("markers").map(u32::from);
    let depth = golden.plane::<f32>("distance").map(|distance| -distance);
    for (name, connectivity) in [("watershed4", Connectivity::Four), ("watershed8", Connectivity::Eight)] {
        let labels =
            watershed::watershed(depth.view(), markers.view(), Some(parts.view()), connectivity, &|| false)
                .unwrap();
        let expected = golden.plane::<u16>(name);
        let inside = expected.as_slice().iter().filter(|&&label| label > 0).count();
        let differ =
            labels.as_slice().iter().zip(expected.as_slice()).filter(|(a, b)| **a != u32::from(**b)).count();
        assert!(differ * 200 < inside, "{name}: {differ} of {inside} differ");
    }
}

#[test]
fn morphology_with_any_element_is_opencvs() {
    let golden = Golden::read();
    let image = Arc::new(Image::Gray8(golden.plane("small")));
    for (theirs, ours) in [
        ("open", "open"),
        ("close", "close"),
        ("gradient", "morph-gradient"),
        ("tophat", "top-hat"),
        ("blackhat", "black-hat"),
    ] {
        for (name, element) in [
            ("own", "element = [[0, 1, 1, 0, 1], [1, 1, 0, 0, 0], [0, 0, 1, 1, 1]]"),
            ("ellipse", "shape = \"ellipse\"\nsize = [7, 5]\niterations = 2"),
        ] {
            let text = format!("version = 1\n[[stage]]\nuse = \"{ours}\"\n{element}\n");
            let pipeline = Loader::new().parse(Source::new("morphology", text)).unwrap();
            let results = pipeline.run_with(Arc::clone(&image), None, &RunOptions::default()).unwrap();
            let expected = golden.plane::<u8>(&format!("morph.{theirs}.{name}"));
            assert!(**results.output().unwrap() == Image::Gray8(expected), "{ours} {name}");
        }
    }
}

#[test]
fn elements_are_rectangles_of_0_and_1() {
    for element in ["[]", "[[]]", "[[1], [1, 0]]", "[[2]]", "[[0, 0]]"] {
        let text = format!("version = 1\n[[stage]]\nuse = \"open\"\nelement = {element}\n");
        assert!(Loader::new().parse(Source::new("element", text)).is_err(), "{element}");
    }
}

fn masks() -> impl Strategy<Value = Plane<u8>> {
    (0usize..24, 0usize..20, 0u8..5).prop_flat_map(|(width, height, density)| {
        let pixel = (0u8..5).prop_map(move |value| if value < density { 255 } else { 0 });
        prop::collection::vec(pixel, width * height)
            .prop_map(move |pixels| Plane::from_vec(width, height, pixels).unwrap())
    })
}

proptest! {
    #[test]
    fn distances_are_those_of_the_definition(mask in masks(), threads in 1usize..4) {
        let found = distance::squared_distances(mask.view(), threads, &|| false).unwrap();
        let is_empty = mask.as_slice().is_empty();
        prop_assert!(is_empty || found == reference::distance::squared_distances(mask.view()));
    }

    #[test]
    fn floods_fill_what_hangs_together_with_a_marker(mask in masks(), places in prop::collection::vec(any::<prop::sample::Index>(), 1..5)) {
        prop_assume!(!mask.as_slice().is_empty());
        let mut markers = Plane::<u32>::new(mask.width(), mask.height());
        for (label, place) in places.iter().enumerate() {
            let at = place.index(mask.as_slice().len());
            markers.set(at % mask.width(), at / mask.width(), label as u32 + 1);
        }
        let depth = mask.map(|_| 0.5f32);
        let labels = watershed::watershed(depth.view(), markers.view(), Some(mask.view()), Connectivity::Four, &|| false).unwrap();
        let (parts, _) = lyncean::ops::label::label(Isa::best(), mask.view(), Connectivity::Four, 1, &|| false).unwrap();
        // A part is flooded whole where it has a marker, and else not at all.
        let marked: std::collections::HashSet<u32> = parts.as_slice().iter().zip(markers.as_slice())
            .filter(|(part, marker)| **part > 0 && **marker > 0).map(|(part, _)| *part).collect();
        for (label, part) in labels.as_slice().iter().zip(parts.as_slice()) {
            prop_assert_eq!(*label > 0, marked.contains(part));
        }
    }
}
