//! Counting pixels by value.

/// Adds a row of 8 bit to four counts of 256 bins, which are summed in the end.
///
/// Equal neighbours would wait for one another's increments; four counts take turns.
pub fn count_u8_row(pixels: &[u8], counts: &mut [[u64; 256]; 4]) {
    let (quads, rest) = pixels.as_chunks::<4>();
    for quad in quads {
        for (count, &pixel) in counts.iter_mut().zip(quad) {
            count[usize::from(pixel)] += 1;
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
