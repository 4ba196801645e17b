//! Bilinear resizing of 8-bit images in fixed point, bit by bit OpenCV's `INTER_LINEAR_EXACT`.
//!
//! Weights have 8 fractional bits, a row resized horizontally is exact in 16 bits, and the only
//! rounding, half up, is at the end. Pixel centres are at one half; outside, the edge is repeated.
#![allow(clippy::inline_always, reason = "only what is inlined into `Isa::run` is compiled for its set")]

/// For each output position along one axis: where its two inputs begin and how they are weighted.
///
/// The weight is that of the second input, in units of 1/256; the first gets the rest.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct LinearTaps {
    /// Index of the first and of the second input.
    pub inputs: Vec<[u32; 2]>,
    /// Weight of the second input, 0 to 256.
    pub weights: Vec<u16>,
}

impl LinearTaps {
    /// The taps that take `input` positions to `output` positions. `input` must not be zero unless
    /// `output` is.
    pub fn new(input: usize, output: usize) -> Self {
        // Two divisions, not one: this is how the scale is rounded in OpenCV.
        let scale = 1.0 / (output as f64 / input as f64);
        let last = input.saturating_sub(1);
        let tap = |position: usize| {
            let centre = scale * (position as f64 + 0.5) - 0.5;
            let floor = centre.floor();
            if floor < 0.0 {
                ([0, 0], 0)
            } else if floor >= last as f64 {
                ([last as u32, last as u32], 0)
            } else {
                let first = floor as u32;
                ([first, first + 1], ((centre - floor) * 256.0).round_ties_even() as u16)
            }
        };
        let (inputs, weights) = (0..output).map(tap).unzip();
        Self { inputs, weights }
    }
}

/// Resizes one row horizontally: `output[x]` is 256 times the value between its two inputs.
///
/// # Panics
/// When the taps reach past `input`.
#[inline(always)]
pub fn resize_exact_row(input: &[u8], taps: &LinearTaps, output: &mut [u16]) {
    for ((out, &[a, b]), &weight) in output.iter_mut().zip(&taps.inputs).zip(&taps.weights) {
        *out = (256 - weight) * u16::from(input[a as usize]) + weight * u16::from(input[b as usize]);
    }
}

/// Blends two rows of [`resize_exact_row`], the second with `weight` / 256, and rounds half up.
#[inline(always)]
pub fn blend_exact_row(first: &[u16], second: &[u16], weight: u16, output: &mut [u8]) {
    let (weight, rest) = (u32::from(weight), 256 - u32::from(weight));
    for ((out, &a), &b) in output.iter_mut().zip(first).zip(second) {
        *out = ((rest * u32::from(a) + weight * u32::from(b) + 0x8000) >> 16) as u8;
    }
}
