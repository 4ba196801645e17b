//! Whole-image operations against OpenCV and scikit-image.
//!
//! The answers are in `fixtures/golden/regions/regions.safetensors`, made by the script beside it.
//!
//! | operation | against | agreement |
//! |---|---|---|
//! | labels | both | equal up to the order of labels |
//! | areas, boxes, least and greatest values | both | exact |
//! | centroids, axes, eccentricity, orientation, means | both | within 1e-9, relative |
//! | summed-area tables | OpenCV | exact, floats too |
//! | template scores | OpenCV | within 2e-6, sums relative to the largest possible one |
//! | normalised correlation coefficient | OpenCV | within 2e-4, its own error: it takes `f32` Fourier transforms |
//! | the same | its definition in NumPy | within 1e-7 |
//! | edge linking | SciPy | exact |
//! | box suppression | OpenCV | exact |

use std::collections::HashMap;
use std::f64::consts::PI;

use lyncean::image::{Pixel, Plane};
use lyncean::kernel::Isa;
use lyncean::kernel::integral::Sum;
use lyncean::ops::Context;
use lyncean::ops::hysteresis::hysteresis;
use lyncean::ops::integral::{integral, integral_of_squares, integral_tilted};
use lyncean::ops::label::{Components, Connectivity, components};
use lyncean::ops::nearest::{Templates, nearest_templates};
use lyncean::ops::nms::nms;
use lyncean::ops::regions::{regions, regions_with_intensity};
use lyncean::ops::template::{Channels, Method, match_template};
use safetensors::SafeTensors;

fn root(path: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

struct Golden(Vec<u8>);

impl Golden {
    fn read() -> Self {
        Self(std::fs::read(root("fixtures/golden/regions/regions.safetensors")).unwrap())
    }

    /// An array of rows and columns, and channels where the pixel has some.
    fn plane<T: Pixel>(&self, name: &str) -> Plane<T> {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        let tensor = file.tensor(name).unwrap();
        let shape = tensor.shape();
        let (height, width) = (shape[0], shape.get(1).copied().unwrap_or(1));
        assert_eq!(shape.get(2).copied().unwrap_or(1), T::CHANNELS, "channels of {name}");
        assert_eq!(tensor.dtype().bitsize() / 8, T::ELEMENT.size(), "numbers of {name}");
        Plane::from_vec(width, height, bytemuck::pod_collect_to_vec(tensor.data())).unwrap()
    }
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * (1.0 + b.abs())
}

fn components_of(mask: &Plane<u8>, connectivity: Connectivity) -> Components {
    components(Isa::best(), mask.view(), connectivity, 2, &|| false).unwrap()
}

/// The label of `theirs` for each of `ours`, after checking that the partitions are the same.
fn translate(ours: &Plane<u32>, theirs: &Plane<u16>) -> HashMap<u32, u16> {
    let (mut forth, mut back) = (HashMap::new(), HashMap::new());
    for (a, b) in ours.as_slice().iter().zip(theirs.as_slice()) {
        assert_eq!(forth.entry(*a).or_insert(*b), b);
        assert_eq!(back.entry(*b).or_insert(*a), a);
    }
    assert_eq!(forth[&0], 0);
    forth
}

#[test]
fn labels_and_statistics_are_opencvs() {
    let golden = Golden::read();
    let mask = golden.plane::<u8>("label.mask");
    for (neighbours, connectivity) in [(4, Connectivity::Four), (8, Connectivity::Eight)] {
        let components = components_of(&mask, connectivity);
        let theirs = translate(&components.paint(1), &golden.plane(&format!("label.cv{neighbours}")));
        let stats = golden.plane::<i32>(&format!("label.cv{neighbours}.stats"));
        let centroids = golden.plane::<f64>(&format!("label.cv{neighbours}.centroids"));
        let table = regions(&components);
        assert_eq!(table.len() + 1, stats.height());
        for region in table {
            let row = usize::from(theirs[&region.label]);
            let bbox = region.bbox;
            let ours = [bbox.x, bbox.y, bbox.width, bbox.height, region.area as usize];
            assert_eq!(ours.map(|value| value as i32), stats.row(row));
            assert!(close(region.centroid.0, centroids.get(0, row)));
            assert!(close(region.centroid.1, centroids.get(1, row)));
        }
    }
}

#[test]
fn region_tables_are_scikit_images() {
    let golden = Golden::read();
    let mask = golden.plane::<u8>("label.mask");
    let components = components_of(&mask, Connectivity::Eight);
    let theirs = translate(&components.paint(1), &golden.plane("label.skimage"));
    let table = golden.plane::<f64>("label.skimage.table");
    let ours = regions_with_intensity(&components, golden.plane::<u8>("label.image").view()).unwrap();
    assert_eq!(ours.len(), table.height());
    assert!(ours.len() > 20);
    for region in ours {
        let row = table.row(usize::from(theirs[&region.label]) - 1);
        assert_eq!(row[0], f64::from(theirs[&region.label]));
        let bbox = region.bbox;
        let exact = [region.area as usize, bbox.x, bbox.y, bbox.width, bbox.height].map(|value| value as f64);
        assert_eq!(exact, row[1..6]);
        let intensity = region.intensity.unwrap();
        let measures = [
            region.centroid.0,
            region.centroid.1,
            region.equivalent_diameter,
            region.axis_major_length,
            region.axis_minor_length,
            region.eccentricity,
        ];
        for (got, expected) in measures.iter().zip(&row[6..12]) {
            // A root of what rounding left of zero: minor axes of lines.
            assert!(close(*got, *expected) || (*got == 0.0 && expected.abs() < 1e-6), "{region:?} {row:?}");
        }
        // Theirs is measured from the other axis; round regions have none.
        if region.axis_major_length - region.axis_minor_length > 1e-6 {
            let turn = (region.orientation - row[12] - PI / 2.0) / PI;
            assert!((turn - turn.round()).abs() < 1e-9, "{region:?} {row:?}");
        }
        assert!(close(intensity.mean, row[13]));
        assert_eq!([intensity.min, intensity.max], row[14..16]);
    }
}

#[test]
fn summed_area_tables_are_opencvs() {
    fn floats<S: Pixel>(table: &Plane<S>, value: impl Fn(S) -> f64) -> Plane<f64> {
        table.map(value)
    }
    fn check<T: Pixel>(golden: &Golden, name: &str)
    where
        u64: Sum<T>,
    {
        let image = golden.plane::<T>(&format!("integral.{name}"));
        let expected = |kind: &str| golden.plane::<f64>(&format!("integral.{name}.{kind}"));
        assert_eq!(floats(&integral::<T, u64>(image.view()), |sum| sum as f64), expected("sum"));
        assert_eq!(
            floats(&integral_of_squares::<T, u64>(image.view()), |sum| sum as f64),
            expected("square")
        );
        assert_eq!(floats(&integral_tilted::<T, u64>(image.view()), |sum| sum as f64), expected("tilted"));
    }
    let golden = Golden::read();
    check::<u8>(&golden, "u8");
    check::<u16>(&golden, "u16");
    let image = golden.plane::<f32>("integral.f32");
    assert_eq!(integral::<f32, f64>(image.view()), golden.plane("integral.f32.sum"));
    assert_eq!(integral_of_squares::<f32, f64>(image.view()), golden.plane("integral.f32.square"));
}

#[test]
fn template_scores_are_opencvs() {
    const NAMES: [&str; 6] = ["sqdiff", "sqdiff_normed", "ccorr", "ccorr_normed", "ccoeff", "ccoeff_normed"];
    fn check<P: Channels>(golden: &Golden, name: &str, peak: f64) {
        let image = golden.plane::<P>(&format!("template.{name}.image"));
        let template = golden.plane::<P>(&format!("template.{name}.template"));
        let energy = (template.as_slice().len() * P::CHANNELS) as f64 * peak * peak;
        for (method, suffix) in Method::ALL.into_iter().zip(NAMES) {
            let expected = golden.plane::<f32>(&format!("template.{name}.{suffix}"));
            let got =
                match_template(Isa::best(), image.view(), template.view(), method, 1, &|| false).unwrap();
            assert_eq!((got.width(), got.height()), (expected.width(), expected.height()));
            let apart = got.as_slice().iter().zip(expected.as_slice()).map(|(a, b)| f64::from((a - b).abs()));
            let scale = if suffix.ends_with("normed") { 1.0 } else { energy };
            let worst = apart.fold(0.0, f64::max) / scale;
            // Theirs divides the error of a transform by what little varies in a window.
            let bound = if suffix == "ccoeff_normed" { 2e-4 } else { 2e-6 };
            assert!(worst <= bound, "{name} {suffix}: {worst:e}");
        }
        let method = Method::CorrelationCoefficientNormed;
        let got = match_template(Isa::best(), image.view(), template.view(), method, 1, &|| false).unwrap();
        let exact = golden.plane::<f32>(&format!("template.{name}.exact"));
        assert!(got.as_slice().iter().zip(exact.as_slice()).all(|(a, b)| (a - b).abs() <= 1e-7));
        assert_eq!(got.get(22, 14), 1.0);
    }
    let golden = Golden::read();
    check::<u8>(&golden, "gray8", 255.0);
    check::<[u8; 3]>(&golden, "rgb8", 255.0);
    check::<f32>(&golden, "gray-f32", 1.0);
}

#[test]
fn linked_edges_are_components_with_a_strong_pixel() {
    let golden = Golden::read();
    let classes = golden.plane::<u8>("hysteresis.classes");
    let edges = hysteresis(classes.view(), &Context::default().with_threads(2)).unwrap();
    assert_eq!(edges, golden.plane("hysteresis.edges"));
    let count = |value: u8| edges.as_slice().iter().filter(|edge| **edge == value).count();
    assert!(count(255) > 100 && count(255) < classes.as_slice().iter().filter(|class| **class > 0).count());
}

#[test]
fn suppressed_boxes_are_opencvs() {
    let golden = Golden::read();
    let boxes = golden.plane::<f64>("nms.boxes");
    let boxes: Vec<[f64; 4]> = boxes.as_slice().chunks(4).map(|row| row.try_into().unwrap()).collect();
    let scores = golden.plane::<f32>("nms.scores").map(f64::from).into_vec();
    for overlap in [2, 5] {
        let expected = golden.plane::<i32>(&format!("nms.kept{overlap}"));
        let kept = nms(&boxes, &scores, f64::from(overlap) / 10.0, boxes.len());
        assert_eq!(kept.iter().map(|i| *i as i32).collect::<Vec<_>>(), expected.as_slice());
    }
}

#[test]
fn each_mean_digit_is_nearest_to_itself() {
    let strip = image::open(root("models/digit-templates.png")).unwrap();
    let image::DynamicImage::ImageLuma8(strip) = strip else { panic!("the strip is not 8-bit gray") };
    let strip = Plane::from_vec(280, 28, strip.into_raw()).unwrap();
    let templates = Templates::from_strip(strip.view(), 28).unwrap();
    assert_eq!((templates.len(), templates.size()), (10, (28, 28)));
    for digit in 0..10 {
        let picture = strip.view().crop(lyncean::image::Rect::new(28 * digit, 0, 28, 28)).unwrap();
        let nearest = nearest_templates(&templates, picture).unwrap();
        assert_eq!(nearest[0].class, digit);
        assert!((nearest[0].score - 1.0).abs() < 1e-12 && nearest[1].score < 0.9);
    }
}
