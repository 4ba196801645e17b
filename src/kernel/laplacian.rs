//! The Laplacian of a Gaussian of one output row, columns first.

use super::Isa;
use super::pixel::Sample;

/// `smooth` down and `second` along, plus `second` down and `smooth` along.
///
/// `rows` are the padded input rows, one a tap; the taps are symmetric, from the centre outwards; `columns` is scratch as long as a
/// padded row; `out` is `taps - 1` shorter. Sums run from the centre outwards, the two of a distance first.
pub fn laplacian_of_gaussian_row<T: Sample>(
    isa: Isa,
    rows: &[&[T]],
    smooth: &[f32],
    second: &[f32],
    columns: &mut [Vec<f32>; 2],
    out: &mut [f32],
) {
    if out.is_empty() {
        return;
    }
    let radius = smooth.len() - 1;
    let count = out.len();
    let length = count + 2 * radius;
    let [smoothed, curved] = columns;
    isa.run(
        #[inline(always)]
        || {
            let (smoothed, curved) = (&mut smoothed[..length], &mut curved[..length]);
            for ((s, c), pixel) in smoothed.iter_mut().zip(&mut *curved).zip(rows[radius]) {
                let value = pixel.widen();
                (*s, *c) = (smooth[0] * value, second[0] * value);
            }
            for tap in 1..=radius {
                let (weight, curve) = (smooth[tap], second[tap]);
                let pairs = rows[radius - tap].iter().zip(rows[radius + tap]);
                for ((s, c), (a, b)) in smoothed.iter_mut().zip(&mut *curved).zip(pairs) {
                    let pair = a.widen() + b.widen();
                    *s += weight * pair;
                    *c += curve * pair;
                }
            }
            for (out, (s, c)) in out.iter_mut().zip(smoothed[radius..].iter().zip(&curved[radius..])) {
                *out = second[0] * s + smooth[0] * c;
            }
            for tap in 1..=radius {
                let (weight, curve) = (smooth[tap], second[tap]);
                let left = smoothed[radius - tap..][..count].iter().zip(&curved[radius - tap..][..count]);
                let right = smoothed[radius + tap..][..count].iter().zip(&curved[radius + tap..][..count]);
                for ((out, (s0, c0)), (s1, c1)) in out.iter_mut().zip(left).zip(right) {
                    *out += curve * (s0 + s1) + weight * (c0 + c1);
                }
            }
        },
    );
}
