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
//! | perimeter, intensities | scikit-image | within 1e-9, relative |
//! | area of the convex hull | scikit-image | within 2 pixels: points on the hull's edge |
//! | contours, their areas, lengths and corners | OpenCV | the same sets |
//! | open, close, gradient, hats; own element, iterations | OpenCV | exact |

use std::io::Read;
use std::sync::Arc;

use lyncean::document::Source;
use lyncean::image::{Image, Pixel, Plane};
use lyncean::kernel::Isa;
use lyncean::ops::label::{Components, Connectivity};
use lyncean::ops::regions::regions_with_intensity;
use lyncean::ops::{Context, contours, distance, holes, outline, watershed};
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
    let eight = Connectivity::Eight;
    let cx = Context::default();
    // The second time in memory that was used before.
    for threads in [1, 1, 3] {
        let cx = &cx.clone().with_threads(threads);
        let filled = holes::fill_holes(mask.view(), eight, None, cx).unwrap();
        assert!(filled == golden.plane("filled"));
        assert!(holes::fill_holes(mask.view(), eight, Some(0), cx).unwrap() == mask);
        let large = holes::remove_small(mask.view(), eight, 40, cx).unwrap();
        assert!(large == golden.plane("large"));
        for (name, margin) in [("inner", 0), ("inner.margin5", 5)] {
            let inner = holes::clear_border(mask.view(), eight, margin, cx).unwrap();
            assert!(inner == golden.plane(name), "{name}");
        }
    }
}

#[test]
fn distances_and_peaks_are_exact() {
    let golden = Golden::read();
    let parts = golden.plane::<u8>("parts");
    let distances =
        distance::distance_transform(parts.view(), &Context::default().with_threads(2).with_strip_rows(16))
            .unwrap();
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
fn perimeters_hulls_and_intensities_are_scikit_images() {
    let golden = Golden::read();
    let labels = golden.plane::<u16>("watershed8").map(u32::from);
    let (components, names) = Components::from_labels(labels.view()).unwrap();
    let table: Plane<f64> = golden.plane("table");
    assert_eq!(names.len(), table.height());
    let perimeters = outline::perimeters(components.paint(1).view(), components.count(), &|| false).unwrap();
    let convex = outline::convex_areas(&components, &|| false).unwrap();
    let regions = regions_with_intensity(&components, golden.plane::<u8>("coins").view()).unwrap();
    for (index, region) in regions.iter().enumerate() {
        let row = table.row(index);
        assert_eq!(region.area as f64, row[1]);
        assert!(
            (perimeters[index] - row[2]).abs() < 1e-9 * row[2],
            "{index}: {} {}",
            perimeters[index],
            row[2]
        );
        // Points on the hull's edge: scikit-image's are floats.
        assert!((convex[index] as f64 - row[3]).abs() <= 2.0, "{index}: {} {}", convex[index], row[3]);
        let intensity = region.intensity.unwrap();
        assert!((intensity.mean - row[5]).abs() < 1e-9 * row[5]);
        assert_eq!((intensity.min, intensity.max), (row[6], row[7]));
    }
}

#[test]
fn contours_are_opencvs() {
    let golden = Golden::read();
    let found = contours::contours(golden.plane::<u8>("mask").view(), &|| false).unwrap();
    let table: Plane<f64> = golden.plane("contours.table");
    let points: Plane<i32> = golden.plane("contours");
    let simple: Plane<i32> = golden.plane("contours.simple");
    assert_eq!(found.len(), table.height());
    // As sets: OpenCV's order and first points are its own.
    let key = |points: &mut Vec<(i32, i32)>| {
        points.sort_unstable();
        points.clone()
    };
    let mut theirs = std::collections::HashMap::new();
    let mut at = 0;
    for row in 0..table.height() {
        let count = table.get(0, row) as usize;
        let mut list: Vec<_> = (at..at + count).map(|i| (points.get(0, i), points.get(1, i))).collect();
        at += count;
        let is_hole = table.get(1, row) != 0.0;
        theirs.insert((is_hole, key(&mut list)), (table.get(2, row), table.get(3, row), simple.get(0, row)));
    }
    for contour in &found {
        let (area, length, corners) = theirs
            .remove(&(contour.is_hole, key(&mut contour.points.clone())))
            .unwrap_or_else(|| panic!("no such contour at {:?}", contour.points[0]));
        assert_eq!(contour.area(), area);
        assert!((contour.length() - length).abs() < 1e-5 * length.max(1.0));
        assert_eq!(contour.simplified().points.len(), corners as usize);
        assert_eq!(contour.parent.is_some_and(|parent| !found[parent].is_hole), contour.is_hole);
    }
    assert!(theirs.is_empty());
}

#[test]
fn labels_are_measured_with_a_gray_picture_in_micrometres() {
    let text = "version = 1\n[[stage]]\nuse = \"threshold\"\nlevel = 100\n\
        [[stage]]\nuse = \"label\"\nname = \"a\"\nin = [\"threshold\", \"input\"]\nshape = true\nmin-area = 30\n\
        [[stage]]\nuse = \"label\"\nname = \"b\"\nin = \"a\"\npixel-size = 2.0\nshape = true\n";
    let pipeline = Loader::new().parse(Source::new("label", text)).unwrap();
    let image = Arc::new(Image::Gray8(Golden::read().plane("coins")));
    let results = pipeline.run_with(image, None, &RunOptions::default()).unwrap();
    let (pixels, micrometres) = (results.objects("a").unwrap(), results.objects("b").unwrap());
    assert!(pixels.len() > 10 && pixels.len() == micrometres.len());
    for (a, b) in pixels.iter().zip(micrometres) {
        let ratio = |name: &str| b.measure(name).unwrap() / a.measure(name).unwrap();
        assert_eq!(
            (ratio("area"), ratio("perimeter"), ratio("solidity"), ratio("centroid-x")),
            (4.0, 2.0, 1.0, 1.0)
        );
        assert!(a.measure("intensity-min").unwrap() > 100.0 && b.measure("intensity-min").is_none());
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
        let found = distance::squared_distances(mask.view(), &Context::default().with_threads(threads).with_strip_rows(16)).unwrap();
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
