//! Masks of pixels above a level that follows from the mean and the deviation of their window.
#![allow(clippy::inline_always, reason = "only what is inlined is compiled for the instruction set")]

use super::Isa;

/// How a level follows from a mean and a standard deviation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LocalLevel {
    /// `mean - k * deviation` (W. Niblack 1986).
    Niblack {
        /// The share of the deviation.
        k: f64,
    },
    /// `mean * (1 + k * (deviation / r - 1))` (J. Sauvola and M. Pietikainen 2000).
    Sauvola {
        /// The share of the deviation.
        k: f64,
        /// The deviation that leaves the mean as it is.
        r: f64,
    },
}

/// 255 where a pixel is above the level of its window of `area` pixels, else 0; every step is rounded to `f64`.
///
/// `sums` are prefix sums of pixels and of their squares: a window's own are differences of elements `span` apart.
pub fn prefix_local_row<T: Copy + Into<f64>>(
    isa: Isa,
    pixels: &[T],
    sums: [&[u64]; 2],
    span: usize,
    area: f64,
    level: LocalLevel,
    out: &mut [u8],
) {
    let n = out.len();
    isa.run(
        #[inline(always)]
        || {
            let [sums, squares] = sums.map(|sums| sums[span..][..n].iter().zip(&sums[..n]));
            let differences = sums.zip(squares).map(
                #[inline(always)]
                |((to, from), (squares_to, squares_from))| {
                    (to.wrapping_sub(*from) as f64, squares_to.wrapping_sub(*squares_from) as f64)
                },
            );
            mask(&pixels[..n], differences, area, level, out);
        },
    );
}

/// [`prefix_local_row`] for sums of windows themselves.
pub fn local_row<T: Copy + Into<f64>>(
    isa: Isa,
    pixels: &[T],
    [sums, squares]: [&[f64]; 2],
    area: f64,
    level: LocalLevel,
    out: &mut [u8],
) {
    let n = out.len();
    isa.run(
        #[inline(always)]
        || mask(&pixels[..n], sums.iter().copied().zip(squares.iter().copied()), area, level, out),
    );
}

#[inline(always)]
fn mask<T: Copy + Into<f64>>(
    pixels: &[T],
    sums: impl Iterator<Item = (f64, f64)>,
    area: f64,
    level: LocalLevel,
    out: &mut [u8],
) {
    match level {
        LocalLevel::Niblack { k } => compare(
            pixels,
            sums,
            area,
            #[inline(always)]
            |mean, deviation| mean - k * deviation,
            out,
        ),
        LocalLevel::Sauvola { k, r } => compare(
            pixels,
            sums,
            area,
            #[inline(always)]
            |mean, deviation| mean * (1.0 + k * (deviation / r - 1.0)),
            out,
        ),
    }
}

#[inline(always)]
fn compare<T: Copy + Into<f64>>(
    pixels: &[T],
    sums: impl Iterator<Item = (f64, f64)>,
    area: f64,
    level: impl Fn(f64, f64) -> f64,
    out: &mut [u8],
) {
    for ((&pixel, (sum, square)), out) in pixels.iter().zip(sums).zip(out) {
        let mean = sum / area;
        let variance = square / area - mean * mean;
        // Rounding may leave less than nothing, and floats that are no numbers none.
        let deviation = (if variance > 0.0 { variance } else { 0.0 }).sqrt();
        *out = if pixel.into() > level(mean, deviation) { 255 } else { 0 };
    }
}
