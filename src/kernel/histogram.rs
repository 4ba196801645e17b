//! Counting pixels by value.

use super::Isa;

/// Adds a row of 8 bit to four counts of 256 bins, which are summed in the end.
///
/// Equal neighbours would wait for one another's increments; four counts take turns.
pub fn count_u8_row(pixels: &[u8], counts: &mut [[u64; 256]; 4]) {
    let (words, rest) = pixels.as_chunks::<8>();
    for word in words {
        // One load for eight pixels.
        let word = u64::from_le_bytes(*word);
        for i in 0..8 {
            counts[i % 4][(word >> (8 * i)) as usize & 255] += 1;
        }
    }
    for &pixel in rest {
        counts[0][usize::from(pixel)] += 1;
    }
}

/// Adds a row of 16 bit to 65536 bins.
pub fn count_u16_row(pixels: &[u16], counts: &mut [u64]) {
    for &pixel in pixels {
        counts[usize::from(pixel)] += 1;
    }
}

/// Adds a row of floats to equal bins over `low..=high`; the last bin holds `high` too. What is
/// outside, and NaN, is not counted.
pub fn count_f32_row(pixels: &[f32], low: f32, high: f32, counts: &mut [u64]) {
    let last = counts.len() - 1;
    let (from, range, bins) = (f64::from(low), f64::from(high) - f64::from(low), counts.len() as f64);
    for &pixel in pixels {
        if pixel >= low && pixel <= high {
            let bin = if range > 0.0 { ((f64::from(pixel) - from) / range * bins) as usize } else { 0 };
            counts[bin.min(last)] += 1;
        }
    }
}

/// The least and the largest finite value of a row, taken into `extrema`.
pub fn extrema_f32_row(pixels: &[f32], extrema: &mut Option<(f32, f32)>) {
    for &pixel in pixels.iter().filter(|pixel| pixel.is_finite()) {
        *extrema = Some(match *extrema {
            None => (pixel, pixel),
            Some((low, high)) => {
                (if pixel < low { pixel } else { low }, if pixel > high { pixel } else { high })
            }
        });
    }
}

/// The least and the largest value of a row of integers.
pub fn extrema_row<T: Copy + Ord>(isa: Isa, pixels: &[T]) -> Option<[T; 2]> {
    const LANES: usize = 64;
    let first = *pixels.first()?;
    let (chunks, rest) = pixels.as_chunks::<LANES>();
    Some(isa.run(
        #[inline(always)]
        || {
            let (mut low, mut high) = ([first; LANES], [first; LANES]);
            for chunk in chunks {
                for i in 0..LANES {
                    low[i] = low[i].min(chunk[i]);
                    high[i] = high[i].max(chunk[i]);
                }
            }
            let low = low.iter().chain(rest).fold(first, |low, &pixel| low.min(pixel));
            let high = high.iter().chain(rest).fold(first, |high, &pixel| high.max(pixel));
            [low, high]
        },
    ))
}
