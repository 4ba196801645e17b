//! Template matching from the definitions, every window on its own, channel by channel in `f64`.
//!
//! With a mask, only the pixels where it is not 0 are there at all.

use crate::image::Plane;

/// The pixels of a window or template, one list a channel.
type Pixels = Vec<Vec<f64>>;

fn scores(
    images: &[Plane<f64>],
    templates: &[Plane<f64>],
    mask: Option<&Plane<u8>>,
    score: impl Fn(&Pixels, &Pixels) -> f64,
) -> Plane<f64> {
    let (w, h) = (templates[0].width(), templates[0].height());
    let counts = |(i, j): &(usize, usize)| mask.is_none_or(|mask| mask.get(*i, *j) != 0);
    let cut = |planes: &[Plane<f64>], x: usize, y: usize| -> Pixels {
        let channel = |plane: &Plane<f64>| {
            let places = (0..h).flat_map(|j| (0..w).map(move |i| (i, j)));
            places.filter(counts).map(|(i, j)| plane.get(x + i, y + j)).collect()
        };
        planes.iter().map(channel).collect()
    };
    let template = cut(templates, 0, 0);
    Plane::from_fn(images[0].width() - w + 1, images[0].height() - h + 1, |x, y| {
        score(&template, &cut(images, x, y))
    })
}

fn sum(a: &Pixels, b: &Pixels, term: impl Fn(f64, f64) -> f64) -> f64 {
    a.iter().flatten().zip(b.iter().flatten()).map(|(a, b)| term(*a, *b)).sum()
}

fn dot(a: &Pixels, b: &Pixels) -> f64 {
    sum(a, b, |a, b| a * b)
}

fn difference(a: &Pixels, b: &Pixels) -> f64 {
    sum(a, b, |a, b| (a - b) * (a - b))
}

/// Less the mean, channel by channel; all zeros where all pixels are equal.
fn centred(pixels: &Pixels) -> Pixels {
    let channel = |values: &Vec<f64>| {
        let flat = values.iter().all(|value| *value == values[0]);
        let mean = if flat { values[0] } else { values.iter().sum::<f64>() / values.len() as f64 };
        values.iter().map(|value| value - mean).collect()
    };
    pixels.iter().map(channel).collect()
}

fn correlation(a: &Pixels, b: &Pixels) -> f64 {
    let energy = dot(a, a) * dot(b, b);
    if energy == 0.0 { 0.0 } else { dot(a, b) / energy.sqrt() }
}

/// `Σ (T - I)²`.
pub fn squared_difference(
    images: &[Plane<f64>],
    templates: &[Plane<f64>],
    mask: Option<&Plane<u8>>,
) -> Plane<f64> {
    scores(images, templates, mask, difference)
}

/// The same over `√(ΣT² ΣI²)`, at most 1; without energy 0 for equals and 1 for others.
pub fn squared_difference_normed(
    images: &[Plane<f64>],
    templates: &[Plane<f64>],
    mask: Option<&Plane<u8>>,
) -> Plane<f64> {
    scores(images, templates, mask, |a, b| {
        let (difference, energy) = (difference(a, b), dot(a, a) * dot(b, b));
        if difference == 0.0 {
            0.0
        } else if energy == 0.0 {
            1.0
        } else {
            (difference / energy.sqrt()).min(1.0)
        }
    })
}

/// `Σ T I`.
pub fn cross_correlation(
    images: &[Plane<f64>],
    templates: &[Plane<f64>],
    mask: Option<&Plane<u8>>,
) -> Plane<f64> {
    scores(images, templates, mask, dot)
}

/// `Σ T I / √(ΣT² ΣI²)`, 0 without energy.
pub fn cross_correlation_normed(
    images: &[Plane<f64>],
    templates: &[Plane<f64>],
    mask: Option<&Plane<u8>>,
) -> Plane<f64> {
    scores(images, templates, mask, correlation)
}

/// `Σ T' I'` of the differences from the means.
pub fn correlation_coefficient(
    images: &[Plane<f64>],
    templates: &[Plane<f64>],
    mask: Option<&Plane<u8>>,
) -> Plane<f64> {
    scores(images, templates, mask, |a, b| dot(&centred(a), &centred(b)))
}

/// `Σ T' I' / √(ΣT'² ΣI'²)`, 0 where either is flat.
pub fn correlation_coefficient_normed(
    images: &[Plane<f64>],
    templates: &[Plane<f64>],
    mask: Option<&Plane<u8>>,
) -> Plane<f64> {
    scores(images, templates, mask, |a, b| correlation(&centred(a), &centred(b)))
}
