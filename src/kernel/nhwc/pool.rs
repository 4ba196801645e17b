//! Pools over images whose channels are neighbours.

use crate::kernel::Isa;

/// What a pool makes of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolKind {
    /// The largest value; NaN is larger than any number.
    Max,
    /// The mean of the values in the image.
    Mean,
    /// The mean with padding counted as zeros.
    MeanWithPadding,
}

/// Sizes of a pool.
#[derive(Clone, Copy, Debug)]
pub struct Pool {
    /// What it makes of a window.
    pub kind: PoolKind,
    /// Channels that are pooled.
    pub channels: usize,
    /// Input height and width.
    pub input: [usize; 2],
    /// Output columns.
    pub columns: usize,
    /// Window height and width.
    pub kernel: [usize; 2],
    /// Vertical and horizontal stride.
    pub stride: [usize; 2],
    /// Top, left, bottom, right.
    pub padding: [usize; 4],
    /// Distance of input lines and of input columns.
    pub pitch: [usize; 2],
    /// Distance of output columns.
    pub across: usize,
}

/// Positions of a window in the image along an axis.
fn covered(p: &Pool, axis: usize, at: usize) -> std::ops::Range<usize> {
    let start = at * p.stride[axis];
    let first = start.saturating_sub(p.padding[axis]);
    let last = (start + p.kernel[axis]).saturating_sub(p.padding[axis]).min(p.input[axis]);
    first..last.max(first)
}

/// Positions of a window in the padded image along an axis.
fn padded(p: &Pool, axis: usize, at: usize) -> usize {
    let end = p.input[axis] + p.padding[axis] + p.padding[axis + 2];
    end.saturating_sub(at * p.stride[axis]).min(p.kernel[axis])
}

/// One line of outputs. `image` begins with the first value of pixel (0, 0), `output` with the line's first.
///
/// # Panics
/// When a slice is too short.
pub fn pool(isa: Isa, p: &Pool, image: &[f32], line: usize, output: &mut [f32]) {
    isa.run(
        #[inline(always)]
        || {
            let down = covered(p, 0, line);
            for column in 0..p.columns {
                let across = covered(p, 1, column);
                let to = &mut output[column * p.across..][..p.channels];
                to.fill(if p.kind == PoolKind::Max { f32::NEG_INFINITY } else { 0.0 });
                for y in down.clone() {
                    for x in across.clone() {
                        let from = &image[y * p.pitch[0] + x * p.pitch[1]..][..p.channels];
                        if p.kind == PoolKind::Max {
                            for c in 0..p.channels {
                                let larger = from[c] > to[c] || from[c].is_nan();
                                to[c] = if larger { from[c] } else { to[c] };
                            }
                        } else {
                            for c in 0..p.channels {
                                to[c] += from[c];
                            }
                        }
                    }
                }
                let count = match p.kind {
                    PoolKind::Max => continue,
                    PoolKind::Mean => down.len() * across.len(),
                    PoolKind::MeanWithPadding => padded(p, 0, line) * padded(p, 1, column),
                };
                for sum in to.iter_mut() {
                    *sum /= count as f32;
                }
            }
        },
    );
}
