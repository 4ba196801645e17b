//! Resizing along a row and between rows: taps made beforehand, applied here.

mod gather;
mod halve;

use super::Isa;
use super::pixel::Sample;

/// Two neighbours and the weight of each, for every output position along one axis.
///
/// Pixel centres are at one half; beyond the edge, the edge counts.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Linear {
    /// Indices of both neighbours.
    pub inputs: Vec<[u32; 2]>,
    /// Indices of the first of them. Where the second is the same, it has no weight along rows.
    pub first: Vec<u32>,
    /// Weights of both.
    pub weights: Vec<[f32; 2]>,
    /// Weights of both in units of 1/2048.
    pub fixed: Vec<[i16; 2]>,
}

impl Linear {
    /// The taps from `input` to `output` positions.
    ///
    /// Where both neighbours are the edge, `across` gives all weight to one of them and else both
    /// keep theirs: in real numbers the same, in fixed point not, and OpenCV does the one along rows
    /// and the other along columns.
    pub fn new(input: usize, output: usize, across: bool) -> Self {
        // The inverse of the ratio, not the ratio of the inverse: how the scale is rounded in OpenCV.
        let scale = 1.0 / (output as f64 / input as f64);
        let last = input as i64 - 1;
        let mut taps = Self::default();
        for position in 0..output {
            let centre = ((position as f64 + 0.5) * scale - 0.5) as f32;
            let floor = centre.floor();
            let first = floor as i64;
            let part = if across && (first < 0 || first >= last) { 0.0 } else { centre - floor };
            let weights = [1.0 - part, part];
            let inputs = [first, first + 1].map(|input| input.clamp(0, last.max(0)) as u32);
            taps.inputs.push(inputs);
            taps.first.push(inputs[0]);
            taps.weights.push(weights);
            taps.fixed.push(weights.map(|weight| (weight * 2048.0).round_ties_even() as i16));
        }
        taps
    }
}

/// Sums of two neighbours in units of 1/2048, exact.
pub fn linear_across_u8_row(isa: Isa, row: &[u8], taps: &Linear, channels: usize, out: &mut [i32]) {
    let done = if channels == 1 { gather::across(isa, row, taps, out) } else { 0 };
    let positions = taps.inputs[done..].iter().zip(&taps.fixed[done..]);
    for ((inputs, &[a, b]), out) in positions.zip(out[done * channels..].chunks_exact_mut(channels)) {
        let [first, second] = inputs.map(|input| input as usize * channels);
        for (c, out) in out.iter_mut().enumerate() {
            *out = i32::from(row[first + c]) * i32::from(a) + i32::from(row[second + c]) * i32::from(b);
        }
    }
}

/// Blends two rows of [`linear_across_u8_row`]. Each product keeps 6 fractional bits before the sum
/// is rounded, half up.
pub fn linear_down_u8_row(isa: Isa, above: &[i32], below: &[i32], [a, b]: [i16; 2], out: &mut [u8]) {
    let (a, b) = (i32::from(a), i32::from(b));
    isa.run(
        #[inline(always)]
        || {
            for ((&above, &below), out) in above.iter().zip(below).zip(out) {
                let sum = ((a * (above >> 4)) >> 16) + ((b * (below >> 4)) >> 16);
                *out = ((sum + 2) >> 2) as u8;
            }
        },
    );
}

/// Sums of two neighbours as floats, both products and the sum rounded.
pub fn linear_across_row<T: Sample>(row: &[T], taps: &Linear, channels: usize, out: &mut [f32]) {
    let positions = taps.inputs.iter().zip(&taps.weights);
    for ((inputs, &[a, b]), out) in positions.zip(out.chunks_exact_mut(channels)) {
        let [first, second] = inputs.map(|input| input as usize * channels);
        for (c, out) in out.iter_mut().enumerate() {
            *out = row[first + c].widen() * a + row[second + c].widen() * b;
        }
    }
}

/// Blends two rows of [`linear_across_row`].
pub fn linear_down_row<T: Sample>(isa: Isa, above: &[f32], below: &[f32], [a, b]: [f32; 2], out: &mut [T]) {
    isa.run(
        #[inline(always)]
        || {
            for ((&above, &below), out) in above.iter().zip(below).zip(out) {
                *out = T::saturate(above * a + below * b);
            }
        },
    );
}

/// A contribution of an input position to an output position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// Index of the input position.
    pub input: usize,
    /// Its share in the mean.
    pub weight: f32,
}

/// The shares of input positions in each output position, when `output <= input` cells cover the
/// same length: whole cells one share, cut ones less.
pub fn area_shares(input: usize, output: usize) -> Vec<Vec<Share>> {
    let scale = 1.0 / (output as f64 / input as f64);
    (0..output)
        .map(|position| {
            let (start, end) = (position as f64 * scale, position as f64 * scale + scale);
            let cell = scale.min(input as f64 - start);
            let (first, last) = (start.ceil() as usize, (end.floor() as usize).min(input - 1));
            let first = first.min(last);
            let mut shares = Vec::with_capacity(last - first + 2);
            // Slivers below a thousandth of a pixel are rounding, not picture.
            if first as f64 - start > 1e-3 {
                let weight = ((first as f64 - start) / cell) as f32;
                shares.push(Share { input: first - 1, weight });
            }
            shares.extend((first..last).map(|input| Share { input, weight: (1.0 / cell) as f32 }));
            if end - last as f64 > 1e-3 {
                let weight = ((end - last as f64).min(1.0).min(cell) / cell) as f32;
                shares.push(Share { input: last, weight });
            }
            shares
        })
        .collect()
}

/// Weighted sums along a row, from the left.
pub fn area_across_row<T: Sample>(row: &[T], shares: &[Vec<Share>], channels: usize, out: &mut [f32]) {
    for (shares, out) in shares.iter().zip(out.chunks_exact_mut(channels)) {
        for (c, out) in out.iter_mut().enumerate() {
            let mut sum = 0.0;
            for share in shares {
                sum += row[share.input * channels + c].widen() * share.weight;
            }
            *out = sum;
        }
    }
}

/// Adds `weight * row`; the first row starts the sum.
pub fn area_add_row(isa: Isa, row: &[f32], weight: f32, first: bool, sums: &mut [f32]) {
    isa.run(
        #[inline(always)]
        || {
            if first {
                for (sum, &value) in sums.iter_mut().zip(row) {
                    *sum = weight * value;
                }
            } else {
                for (sum, &value) in sums.iter_mut().zip(row) {
                    *sum += weight * value;
                }
            }
        },
    );
}

/// Rounds sums into pixels.
pub fn saturate_row<T: Sample>(isa: Isa, sums: &[f32], out: &mut [T]) {
    isa.run(
        #[inline(always)]
        || {
            for (&sum, out) in sums.iter().zip(out) {
                *out = T::saturate(sum);
            }
        },
    );
}

/// Adds the pixels of whole cells of `width` pixels to integer sums.
pub fn cells_add_row<T: Copy + Into<u32>>(row: &[T], width: usize, channels: usize, sums: &mut [u32]) {
    let cells = row.chunks_exact(width * channels);
    for (cell, sums) in cells.zip(sums.chunks_exact_mut(channels)) {
        for pixel in cell.chunks_exact(channels) {
            for (sum, &value) in sums.iter_mut().zip(pixel) {
                *sum += value.into();
            }
        }
    }
}

/// The means of cells of 2x2 pixels of 8 bit, halves up: `above` and `below` are the two rows.
pub fn halve_u8_row(isa: Isa, above: &[u8], below: &[u8], channels: usize, out: &mut [u8]) {
    let mean = |a: u16, b: u16, c: u16, d: u16| ((a + b + c + d + 2) >> 2) as u8;
    if channels == 1 {
        let (above, below) = (above.as_chunks::<2>().0, below.as_chunks::<2>().0);
        isa.run(
            #[inline(always)]
            || {
                for ((above, below), out) in above.iter().zip(below).zip(out) {
                    // Both pixels in one lane, which is taken apart by shifts: no lanes change places.
                    let (a, c) = (u16::from_le_bytes(*above), u16::from_le_bytes(*below));
                    *out = mean(a & 255, a >> 8, c & 255, c >> 8);
                }
            },
        );
        return;
    }
    let done = halve::colours(isa, above, below, out);
    let (above, below) = (above[2 * done..].as_chunks::<6>().0, below[2 * done..].as_chunks::<6>().0);
    isa.run(
        #[inline(always)]
        || {
            for ((above, below), out) in above.iter().zip(below).zip(out[done..].as_chunks_mut::<3>().0) {
                for c in 0..3 {
                    let [a, b, d, e] = [above[c], above[c + 3], below[c], below[c + 3]].map(u16::from);
                    out[c] = mean(a, b, d, e);
                }
            }
        },
    );
}
