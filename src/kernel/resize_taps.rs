//! Resizing with windows of four or eight pixels: cubic and Lanczos.
//!
//! Rows are resized across, then blended down. 8 bit in whole numbers: weights in units of 1/2048, exact
//! sums, one rounding half up. 16 bit and floats in `f32`, sums from the first tap on.

use super::Isa;
use super::pixel::Sample;

/// `N` neighbours and the weight of each, for every output position along one axis.
///
/// Pixel centres are at one half; beyond the edge, the edge counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Taps<const N: usize> {
    /// Indices of the neighbours.
    pub inputs: Vec<[u32; N]>,
    /// Weights.
    pub weights: Vec<[f32; N]>,
    /// Weights in units of 1/2048.
    pub fixed: Vec<[i16; N]>,
}

impl<const N: usize> Taps<N> {
    /// The taps from `input` to `output` positions; `kernel` gives the weights for how far the position
    /// lies behind the middle pair's first, 0..1.
    pub fn new(input: usize, output: usize, kernel: impl Fn(f32) -> [f32; N]) -> Self {
        // The inverse of the ratio, not the ratio of the inverse: how the scale is rounded in OpenCV.
        let scale = 1.0 / (output as f64 / input as f64);
        let last = (input as i64 - 1).max(0);
        let mut taps = Self { inputs: Vec::new(), weights: Vec::new(), fixed: Vec::new() };
        for position in 0..output {
            let centre = ((position as f64 + 0.5) * scale - 0.5) as f32;
            let first = centre.floor() as i64 - (N as i64 / 2 - 1);
            let weights = kernel(centre - centre.floor());
            taps.inputs.push(std::array::from_fn(|k| (first + k as i64).clamp(0, last) as u32));
            taps.weights.push(weights);
            taps.fixed.push(weights.map(|weight| (weight * 2048.0).round_ties_even() as i16));
        }
        taps
    }
}

/// Weights of cubic convolution (R. Keys, 1981) with OpenCV's parameter -0.75.
pub fn cubic(part: f32) -> [f32; 4] {
    const A: f32 = -0.75;
    let (before, after) = (part + 1.0, 1.0 - part);
    let first = ((A * before - 5.0 * A) * before + 8.0 * A) * before - 4.0 * A;
    let second = ((A + 2.0) * part - (A + 3.0)) * part * part + 1.0;
    let third = ((A + 2.0) * after - (A + 3.0)) * after * after + 1.0;
    [first, second, third, 1.0 - first - second - third]
}

/// Weights of the sinc function windowed by its own main lobe, four pixels to each side (C. Lanczos),
/// scaled to the sum one.
pub fn lanczos(part: f32) -> [f32; 8] {
    // On a pixel, which is the fourth, or by rounding the fifth.
    if part < 1e-6 {
        return [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0];
    }
    if part > 1.0 - 1e-6 {
        return [0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0];
    }
    // The sine of whole steps of pi is the same for all taps but for its sign, so that it cancels out.
    let weights: [f64; 8] = std::array::from_fn(|i| {
        let distance = f64::from(part) + 3.0 - i as f64;
        let sign = if i % 2 == 0 { -1.0 } else { 1.0 };
        sign * libm::sin(distance * std::f64::consts::FRAC_PI_4) / (distance * distance)
    });
    let sum: f64 = weights.iter().sum();
    weights.map(|weight| (weight / sum) as f32)
}

/// Sums of `N` neighbours in units of 1/2048, exact.
pub fn taps_across_u8_row<const N: usize>(row: &[u8], taps: &Taps<N>, channels: usize, out: &mut [i32]) {
    if channels == 1 {
        for ((inputs, weights), out) in taps.inputs.iter().zip(&taps.fixed).zip(out) {
            // Away from the edges the neighbours stand side by side, and are taken in one load.
            let first = inputs[0] as usize;
            let window: [u8; N] = match row[first..].first_chunk() {
                Some(window) if inputs[N - 1] as usize == first + N - 1 => *window,
                _ => inputs.map(|input| row[input as usize]),
            };
            let mut sum = 0;
            for (value, &weight) in window.into_iter().zip(weights) {
                sum += i32::from(value) * i32::from(weight);
            }
            *out = sum;
        }
        return;
    }
    for ((inputs, weights), out) in taps.inputs.iter().zip(&taps.fixed).zip(out.chunks_exact_mut(channels)) {
        let starts = inputs.map(|input| input as usize * channels);
        for (c, out) in out.iter_mut().enumerate() {
            let products =
                starts.iter().zip(weights).map(|(&start, &w)| i32::from(row[start + c]) * i32::from(w));
            *out = products.sum();
        }
    }
}

/// Sums of `N` neighbours as floats, from the first on.
pub fn taps_across_row<T: Sample, const N: usize>(
    row: &[T],
    taps: &Taps<N>,
    channels: usize,
    out: &mut [f32],
) {
    for ((inputs, weights), out) in taps.inputs.iter().zip(&taps.weights).zip(out.chunks_exact_mut(channels))
    {
        let starts = inputs.map(|input| input as usize * channels);
        for (c, out) in out.iter_mut().enumerate() {
            let mut sum = row[starts[0] + c].widen() * weights[0];
            for k in 1..N {
                sum += row[starts[k] + c].widen() * weights[k];
            }
            *out = sum;
        }
    }
}

/// Blends `N` rows of [`taps_across_u8_row`]; the sums are rounded half up and saturated.
pub fn taps_down_u8_row<const N: usize>(isa: Isa, rows: [&[i32]; N], weights: [i16; N], out: &mut [u8]) {
    let rows = rows.map(|row| &row[..out.len()]);
    isa.run(
        #[inline(always)]
        || {
            for (x, out) in out.iter_mut().enumerate() {
                // Sums of four taps stay below 255 * 1.375^2 * 2^22 < 2^31; those of eight may not.
                if N <= 4 {
                    let mut sum = 1i32 << 21;
                    for (row, weight) in rows.iter().zip(weights) {
                        sum += row[x] * i32::from(weight);
                    }
                    *out = (sum >> 22).clamp(0, 255) as u8;
                } else {
                    let mut sum = 1i64 << 21;
                    for (row, weight) in rows.iter().zip(weights) {
                        sum += i64::from(row[x]) * i64::from(weight);
                    }
                    *out = (sum >> 22).clamp(0, 255) as u8;
                }
            }
        },
    );
}

/// Blends `N` rows of [`taps_across_row`].
pub fn taps_down_row<T: Sample, const N: usize>(
    isa: Isa,
    rows: [&[f32]; N],
    weights: [f32; N],
    out: &mut [T],
) {
    let rows = rows.map(|row| &row[..out.len()]);
    isa.run(
        #[inline(always)]
        || {
            for (x, out) in out.iter_mut().enumerate() {
                let mut sum = rows[0][x] * weights[0];
                for k in 1..N {
                    sum += rows[k][x] * weights[k];
                }
                *out = T::saturate(sum);
            }
        },
    );
}
