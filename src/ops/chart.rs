//! Histograms as pictures: bars, and levels as lines with their numbers.

use super::draw;
use super::histogram::Histogram;
use crate::image::Plane;

/// Width and height of a chart in pixels.
pub const SIZE: (usize, usize) = (544, 240);

/// Pixels round the bars: left and right, above, below.
const MARGIN: (usize, usize, usize) = (16, 24, 8);

/// Bars of 256 equal parts of the histogram's range, the tallest filling the height, and a vertical line
/// with its number at each level, which is in units of the image.
///
/// The range of 8 and 16 bit is that of the type.
pub fn histogram_chart(histogram: &Histogram, levels: &[f64]) -> Plane<[u8; 3]> {
    let (width, height) = SIZE;
    let (side, top, bottom) = MARGIN;
    let mut picture = Plane::filled(width, height, [255; 3]);
    let parts = (width - 2 * side) / 2;
    let bins = histogram.counts.len();
    let mut bars = vec![0u64; parts];
    for (bin, &count) in histogram.counts.iter().enumerate() {
        bars[bin * parts / bins] += count;
    }
    let most = bars.iter().copied().max().unwrap_or(0).max(1);
    let room = height - top - bottom;
    for (part, &count) in bars.iter().enumerate() {
        // A bar that is not empty is seen.
        let tall = (count * room as u64).div_ceil(most) as f64;
        let left = (side + 2 * part) as f64;
        draw::fill(&mut picture, [left, (height - bottom) as f64 - tall, 2.0, tall], [120; 3]);
    }
    draw::fill(&mut picture, [side as f64, (height - bottom) as f64, 2.0 * parts as f64, 1.0], [0; 3]);
    let (low, range) = match histogram.range {
        Some((low, high)) => (f64::from(low), f64::from(high) - f64::from(low)),
        None => (0.0, bins as f64),
    };
    for (index, level) in (1u32..).zip(levels) {
        let color = draw::color_of(index + 5);
        let share = if range > 0.0 { ((level - low) / range).clamp(0.0, 1.0) } else { 0.0 };
        let x = side as f64 + (share * 2.0 * parts as f64).floor();
        draw::fill(&mut picture, [x, (top - 4) as f64, 2.0, (room + 4) as f64], color);
        let words = words_of(*level);
        let (wide, _) = draw::text_size(&words, 1);
        let left = (x - wide as f64 / 2.0).clamp(0.0, (width - wide.min(width)) as f64);
        draw::text(&mut picture, (left.floor(), 8.0), &words, 1, [0; 3]);
    }
    picture
}

/// A level in few letters: whole numbers as they are, others with two places, small ones with four.
pub fn words_of(level: f64) -> String {
    if level == level.trunc() {
        format!("{level:.0}")
    } else if level.abs() < 2.0 {
        format!("{level:.4}")
    } else {
        format!("{level:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_and_lines_stand_where_values_are() {
        let mut counts = vec![0; 256];
        (counts[0], counts[128]) = (5, 10);
        let picture = histogram_chart(&Histogram { counts, range: None }, &[200.0]);
        let base = SIZE.1 - MARGIN.2 - 1;
        assert_eq!(picture.get(MARGIN.0, base), [120; 3]);
        assert_eq!(picture.get(MARGIN.0 + 2, base), [255; 3]);
        assert_eq!(picture.get(MARGIN.0 + 256, MARGIN.1 + 1), [120; 3]);
        assert_eq!(picture.get(MARGIN.0, MARGIN.1 + 1), [255; 3]);
        assert_eq!(picture.get(MARGIN.0 + 400, base), draw::color_of(6));
        assert_ne!(picture.row(11).iter().filter(|pixel| **pixel == [0; 3]).count(), 0);
    }

    #[test]
    fn every_histogram_has_a_chart() {
        for range in [None, Some((0.0, 0.0)), Some((-3.5, 1e30))] {
            for counts in [vec![0; 256], vec![9; 256], vec![1; 65536]] {
                let picture = histogram_chart(&Histogram { counts, range }, &[-7.0, 0.125, 1e9]);
                assert_eq!((picture.width(), picture.height()), SIZE);
            }
        }
    }
}
