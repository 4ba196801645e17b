//! Counting pixels by value.

use std::ops::AddAssign;

use super::Isa;

/// Adds a row of 8 bit to four counts of 256 bins, which are summed in the end.
///
/// Equal neighbours would wait for one another's increments; four counts take turns.
pub fn count_u8_row<C: Copy + AddAssign + From<u8>>(pixels: &[u8], counts: &mut [[C; 256]; 4]) {
    let one = C::from(1);
    let (words, rest) = pixels.as_chunks::<8>();
    for word in words {
        // One load for eight pixels.
        let word = u64::from_le_bytes(*word);
        for i in 0..8 {
            counts[i % 4][(word >> (8 * i)) as usize & 255] += one;
        }
    }
    for &pixel in rest {
        counts[0][usize::from(pixel)] += one;
    }
}

/// Adds a row of 8 bit to the counts of neighbouring two: bin `a + 256 * b` counts `a` followed by `b`.
/// Returns the pixel that is left over from a row of an odd number.
///
/// Half as many increments as pixel by pixel, and a store is what an increment waits for. Neighbours
/// are alike in pictures, so the bins in use stay in cache; where they are not
/// ([`is_rough`]), [`count_u8_row`] is faster.
pub fn count_pairs_row<'a>(pixels: &'a [u8], counts: &mut [u32; 65536]) -> Option<&'a u8> {
    let (blocks, rest) = pixels.as_chunks::<16>();
    for block in blocks {
        let word = u128::from_le_bytes(*block);
        let (low, high) = (word as u64, (word >> 64) as u64);
        // Flat parts and stripes would wait for one bin again and again.
        if low == high && low == low.rotate_left(16) {
            counts[low as usize & 0xffff] += 8;
            continue;
        }
        for i in 0..4 {
            counts[(low >> (16 * i)) as usize & 0xffff] += 1;
            counts[(high >> (16 * i)) as usize & 0xffff] += 1;
        }
    }
    let (pairs, left) = rest.as_chunks::<2>();
    for pair in pairs {
        counts[usize::from(u16::from_le_bytes(*pair))] += 1;
    }
    left.first()
}

/// Whether neighbours of a row differ so much that counting pairs would miss the cache.
pub fn is_rough(pixels: &[u8]) -> bool {
    const SAMPLES: usize = 16;
    const FAR: u8 = 48;
    let step = (pixels.len() / SAMPLES).max(2);
    let far = pixels.chunks_exact(step).filter(|part| part[0].abs_diff(part[1]) > FAR).count();
    4 * far > SAMPLES
}

/// Moves counts of pairs to the counts of values.
pub fn unpair(pairs: &mut [u32; 65536], counts: &mut [u64; 256]) {
    let (rows, _) = pairs.as_chunks_mut::<256>();
    for (high, row) in rows.iter_mut().enumerate() {
        let mut sum = 0;
        for (count, pair) in counts.iter_mut().zip(row) {
            let pair = u64::from(std::mem::take(pair));
            *count += pair;
            sum += pair;
        }
        counts[high] += sum;
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reference;

    proptest! {
        /// Of few values, so that blocks of one pair are met, and of all.
        #[test]
        fn pairs_and_singles_count_the_same(
            row in prop_oneof![
                prop::collection::vec(prop_oneof![Just(0u8), Just(255)], 0..100),
                prop::collection::vec(any::<u8>(), 0..100),
                (any::<[u8; 2]>(), 0usize..100).prop_map(|(pair, n)| pair.into_iter().cycle().take(n).collect()),
            ],
        ) {
            let wanted = reference::histogram::histogram(row.iter().map(|&v| usize::from(v)), 256);
            let mut counts = [0; 256];
            let mut pairs = vec![0; 65536];
            let pairs: &mut [u32; 65536] = pairs.as_mut_slice().try_into().unwrap();
            if let Some(&left) = count_pairs_row(&row, pairs) {
                counts[usize::from(left)] += 1;
            }
            unpair(pairs, &mut counts);
            prop_assert_eq!(&counts[..], &wanted[..]);
            prop_assert!(pairs.iter().all(|&count| count == 0));
            let mut singles = [[0u64; 256]; 4];
            count_u8_row(&row, &mut singles);
            let sum: Vec<u64> = (0..256).map(|bin| singles.iter().map(|part| part[bin]).sum()).collect();
            prop_assert_eq!(sum, wanted);
        }
    }

    #[test]
    fn noise_is_rough_and_slopes_are_not() {
        let slope: Vec<u8> = (0..1000u32).map(|x| (x / 4) as u8).collect();
        let noise: Vec<u8> = (0..1000u32).map(|x| (x.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        assert!(!is_rough(&slope) && is_rough(&noise) && !is_rough(&[]));
    }
}
