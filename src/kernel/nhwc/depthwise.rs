//! Convolution of each channel with a filter of its own.

use super::product::{Grid, Pixels};
use super::tile::Activation;
use crate::kernel::Isa;

/// `output[p][c] = activation(sum of pixels[p][tap][c] * weight[tap][c] + bias[c])`, where each run of `pixels`
/// is a tap of as many values as there are channels.
///
/// # Panics
/// When a slice is too short.
pub fn depthwise(
    isa: Isa,
    pixels: &Pixels<'_>,
    weight: &[f32],
    bias: &[f32],
    activation: Activation,
    output: &mut [f32],
    grid: &Grid,
    count: usize,
) {
    let channels = pixels.run;
    isa.run(
        #[inline(always)]
        || {
            for pixel in 0..count {
                let from = pixels.grid.start(pixel);
                let to = &mut output[grid.start(pixel)..][..channels];
                to.copy_from_slice(&bias[..channels]);
                for (tap, run) in pixels.runs.iter().enumerate() {
                    let x = &pixels.data[from + run..][..channels];
                    let w = &weight[tap * channels..][..channels];
                    for c in 0..channels {
                        to[c] += x[c] * w[c];
                    }
                }
                for y in to.iter_mut() {
                    *y = activation.of(*y);
                }
            }
        },
    );
}
