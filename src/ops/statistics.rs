//! What the values of an image are, channel by channel: range, mean, histogram.

use crate::image::{Gradient, Image, ImageType};

/// How many bins a histogram has.
pub const BINS: usize = 256;

/// The values of one channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// `gray`, `red`, `green`, `blue`, `mask`, `labels`, `dx` or `dy`.
    pub channel: &'static str,
    /// Least and greatest value in units of the image; `None` where there is no finite value.
    pub range: Option<(f64, f64)>,
    /// The mean of the finite values; `None` where there is none.
    pub mean: Option<f64>,
    /// How many values are infinite or no number.
    pub odd: u64,
    /// How many finite values fall into each of [`BINS`] bins.
    pub counts: Vec<u64>,
    /// Where the first bin starts.
    pub start: f64,
    /// How wide a bin is: 1 for 8 bit, 256 for 16 bit; floats, labels and gradients share their
    /// range out evenly.
    pub step: f64,
}

/// The statistics of every channel.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::statistics::statistics;
///
/// let image = Image::Gray8(Plane::from_vec(2, 1, vec![10, 20])?);
/// assert_eq!(statistics(&image)[0].mean, Some(15.0));
/// # Ok::<(), lyncean::Error>(())
/// ```
pub fn statistics(image: &Image) -> Vec<Statistics> {
    let colors = ["red", "green", "blue"];
    let gray = |name, values: &mut dyn Iterator<Item = f64>| vec![channel(name, image.ty(), values)];
    let three = |values: &dyn Fn(usize) -> Vec<f64>| {
        let one = |(at, name): (usize, &'static str)| channel(name, image.ty(), &mut values(at).into_iter());
        colors.into_iter().enumerate().map(one).collect()
    };
    match image {
        Image::Gray8(plane) => gray("gray", &mut plane.as_slice().iter().map(|&v| f64::from(v))),
        Image::Mask(plane) => gray("mask", &mut plane.as_slice().iter().map(|&v| f64::from(v))),
        Image::Gray16(plane) => gray("gray", &mut plane.as_slice().iter().map(|&v| f64::from(v))),
        Image::GrayF32(plane) => gray("gray", &mut plane.as_slice().iter().map(|&v| f64::from(v))),
        Image::Labels(plane) => gray("labels", &mut plane.as_slice().iter().map(|&v| f64::from(v))),
        Image::Rgb8(plane) => three(&|at| plane.as_slice().iter().map(|p| f64::from(p[at])).collect()),
        Image::Rgb16(plane) => three(&|at| plane.as_slice().iter().map(|p| f64::from(p[at])).collect()),
        Image::RgbF32(plane) => three(&|at| plane.as_slice().iter().map(|p| f64::from(p[at])).collect()),
        Image::Gradient(Gradient::I16 { dx, dy }) => vec![
            channel("dx", image.ty(), &mut dx.as_slice().iter().map(|&v| f64::from(v))),
            channel("dy", image.ty(), &mut dy.as_slice().iter().map(|&v| f64::from(v))),
        ],
        Image::Gradient(Gradient::F32 { dx, dy }) => vec![
            channel("dx", image.ty(), &mut dx.as_slice().iter().map(|&v| f64::from(v))),
            channel("dy", image.ty(), &mut dy.as_slice().iter().map(|&v| f64::from(v))),
        ],
    }
}

fn channel(name: &'static str, ty: ImageType, values: &mut dyn Iterator<Item = f64>) -> Statistics {
    let all: Vec<f64> = values.collect();
    let finite = || all.iter().copied().filter(|value| value.is_finite());
    let count = finite().count();
    let range = finite().fold(None, |range: Option<(f64, f64)>, value| {
        Some(range.map_or((value, value), |(least, most)| (least.min(value), most.max(value))))
    });
    let (least, most) = range.unwrap_or((0.0, 0.0));
    let (start, step) = match ty {
        ImageType::Gray8 | ImageType::Rgb8 | ImageType::Mask => (0.0, 1.0),
        ImageType::Gray16 | ImageType::Rgb16 => (0.0, 256.0),
        // Whole numbers in whole bins.
        ImageType::Labels | ImageType::GradientI16 => (least, ((most - least + 1.0) / BINS as f64).ceil()),
        _ if most > least => (least, (most - least) / BINS as f64),
        _ => (least, 1.0),
    };
    let mut counts = vec![0; BINS];
    for value in finite() {
        // The greatest value belongs to the last bin.
        counts[(((value - start) / step) as usize).min(BINS - 1)] += 1;
    }
    let mean = (count > 0).then(|| finite().sum::<f64>() / count as f64);
    Statistics { channel: name, range, mean, odd: (all.len() - count) as u64, counts, start, step }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Plane;

    #[test]
    fn bytes_have_a_bin_each() {
        let found = &statistics(&Image::Gray8(Plane::from_fn(3, 2, |x, y| (x + y) as u8 * 50)))[0];
        assert_eq!((found.channel, found.range, found.mean), ("gray", Some((0.0, 150.0)), Some(75.0)));
        assert_eq!((found.counts[0], found.counts[50], found.counts[100], found.counts[150]), (1, 2, 2, 1));
    }

    #[test]
    fn odd_floats_are_counted_apart() {
        let values = [0.0, 1.0, f32::NAN, f32::INFINITY];
        let found = &statistics(&Image::GrayF32(Plane::from_fn(4, 1, |x, _| values[x])))[0];
        assert_eq!((found.range, found.mean, found.odd), (Some((0.0, 1.0)), Some(0.5), 2));
        assert_eq!((found.counts[0], found.counts[255]), (1, 1));
    }

    #[test]
    fn every_type_counts_every_pixel() {
        for ty in ImageType::ALL {
            for (width, height) in [(0, 0), (1, 1), (5, 3)] {
                let found = statistics(&Image::new(ty, width, height));
                assert_eq!(found.len(), ty.channels() * ty.planes(), "{ty}");
                for channel in found {
                    assert_eq!(channel.counts.iter().sum::<u64>(), (width * height) as u64, "{ty}");
                    assert_eq!(channel.range.is_some(), width > 0);
                }
            }
        }
        let colors = statistics(&Image::Rgb8(Plane::filled(2, 2, [1, 2, 3])));
        assert_eq!(colors.iter().map(|c| c.mean).collect::<Vec<_>>(), [Some(1.0), Some(2.0), Some(3.0)]);
        let labels = &statistics(&Image::Labels(Plane::from_fn(2, 1, |x, _| x as u32 * 1000)))[0];
        assert_eq!((labels.step, labels.counts[0], labels.counts[250]), (4.0, 1, 1));
    }
}
