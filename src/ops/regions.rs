//! Measures of labelled regions: one [`Region`] a label.
//!
//! Names and formulas are those of `skimage.measure.regionprops`. Everything that depends on the
//! shape alone is computed from exact integer sums over runs of pixels.
//!
//! ```
//! use lyncean::image::Plane;
//! use lyncean::kernel::Isa;
//! use lyncean::ops::label::{Components, Connectivity, Run, components};
//! use lyncean::ops::regions::{Filter, Intensity, Region, regions, regions_with_intensity, retain};
//!
//! let mask = Plane::from_fn(9, 5, |x, y| u8::from(x < 3 && y < 2 || x == 6));
//! let mut found: Components = components(Isa::best(), mask.view(), Connectivity::Eight, 1, &|| false)?;
//! assert_eq!((found.count(), found.row(0).next()), (2, Some((Run { start: 0, end: 3 }, 1))));
//! let mut table: Vec<Region> = regions(&found);
//! assert_eq!((table[0].area, table[1].centroid), (6, (6.0, 2.0)));
//! let bright = Plane::from_fn(9, 5, |x, _| 10 * x as u8);
//! let Some(Intensity { mean, .. }) = regions_with_intensity(&found, bright.view())?[0].intensity else { panic!() };
//! assert_eq!(mean, 10.0);
//! retain(&mut found, &mut table, &Filter { min_area: 6, ..Filter::default() })?;
//! assert_eq!((found.count(), table.len()), (1, 1));
//! # Ok::<(), lyncean::Error>(())
//! ```

use std::f64::consts::{FRAC_PI_2, PI};
use std::ops::Range;

use super::band::{Cancelled, bands, map_bands, poll};
use super::label::{Components, Run};
use crate::image::{Pixel, Rect, View};
use crate::{Error, Result};

/// What is known of one region.
///
/// Points are pixel indices: the centre of the pixel in column 0 has x = 0. In the pixel-edge
/// coordinates of [`Affine`](crate::image::Affine) they lie half a pixel further right and down.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// The label, from 1.
    pub label: u32,
    /// Number of pixels.
    pub area: u64,
    /// The smallest rectangle round it.
    pub bbox: Rect,
    /// Mean (x, y) of its pixels.
    pub centroid: (f64, f64),
    /// The diameter, in pixels, of the circle with this area.
    pub equivalent_diameter: f64,
    /// Length of the major axis of the ellipse with the same second moments, in pixels.
    pub axis_major_length: f64,
    /// Length of its minor axis.
    pub axis_minor_length: f64,
    /// Eccentricity of that ellipse: 0 for a circle, 1 for a line.
    pub eccentricity: f64,
    /// The angle of its major axis from the x axis, counter-clockwise as seen on the screen, in
    /// radians, above -π/2 up to π/2; 0 where all axes are equal.
    ///
    /// scikit-image measures from the y axis: ours is its orientation plus π/2, brought back into
    /// the range.
    pub orientation: f64,
    /// Intensities, where an image was given.
    pub intensity: Option<Intensity>,
}

/// Intensities of a region, in the units of the image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Intensity {
    /// Arithmetic mean; not a number where a pixel is none.
    pub mean: f64,
    /// Smallest value, passing over pixels that are not numbers.
    pub min: f64,
    /// Largest value, passing over pixels that are not numbers.
    pub max: f64,
}

/// Gray values that can be averaged.
pub trait Gray: Pixel {
    /// The value as a float.
    fn to_f64(self) -> f64;
}

macro_rules! gray {
    ($($ty:ty),*) => {$(
        impl Gray for $ty {
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
        }
    )*};
}
gray!(u8, u16, f32);

/// Which regions stay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Least area in pixels; 0 for any.
    pub min_area: u64,
    /// Greatest area in pixels, if there is one.
    pub max_area: Option<u64>,
    /// Whether regions that touch the edge of the image go.
    pub clear_border: bool,
}

impl Filter {
    /// Whether a region of an image of `width` x `height` stays.
    pub fn keeps(&self, region: &Region, width: usize, height: usize) -> bool {
        let Rect { x, y, width: w, height: h } = region.bbox;
        let touches = x == 0 || y == 0 || x + w == width || y + h == height;
        region.area >= self.min_area
            && self.max_area.is_none_or(|max| region.area <= max)
            && !(self.clear_border && touches)
    }
}

/// The table of the regions of `components`, by label.
pub fn regions(components: &Components) -> Vec<Region> {
    regions_by(components, 1, &|| false).unwrap_or_default()
}

/// [`regions`] by several threads, until the caller wants to stop.
pub(crate) fn regions_by(
    components: &Components,
    threads: usize,
    cancelled: Cancelled,
) -> Result<Vec<Region>> {
    /// Up to so many regions have a table in every band.
    const MOST: u32 = 1 << 16;
    let threads = if components.count() <= MOST { threads } else { 1 };
    let of_band = |band: Range<usize>| {
        let mut shapes = vec![Shape::default(); components.count() as usize];
        for y in band {
            if y % 64 == 0 {
                poll(cancelled)?;
            }
            for (run, label) in components.row(y) {
                shapes[label as usize - 1].add(run, y as u64);
            }
        }
        Ok(shapes)
    };
    let mut parts = map_bands(&bands(components.height(), threads, 256), of_band)?.into_iter();
    let mut shapes = parts.next().unwrap_or_default();
    for part in parts {
        shapes.iter_mut().zip(&part).for_each(|(shape, below)| shape.merge(below));
    }
    Ok((1..).zip(shapes).map(|(label, shape)| shape.region(label)).collect())
}

/// The table of the regions of `components` with the intensities of `image`.
///
/// Sums of integers are exact; those of floats are taken in raster order.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) when the sizes differ.
pub fn regions_with_intensity<T: Gray>(components: &Components, image: View<T>) -> Result<Vec<Region>> {
    regions_with_intensity_until(components, image, &|| false)
}

/// As [`regions_with_intensity`], until the caller wants to stop.
pub(crate) fn regions_with_intensity_until<T: Gray>(
    components: &Components,
    image: View<T>,
    cancelled: Cancelled,
) -> Result<Vec<Region>> {
    if (image.width(), image.height()) != (components.width(), components.height()) {
        return Err(Error::shape(format!(
            "regions of {}x{} cannot be measured on an image of {}x{}",
            components.width(),
            components.height(),
            image.width(),
            image.height()
        )));
    }
    let mut table = regions_by(components, 1, cancelled)?;
    let mut sums = vec![(0.0, f64::INFINITY, f64::NEG_INFINITY); table.len()];
    for y in 0..components.height() {
        if y % 64 == 0 {
            poll(cancelled)?;
        }
        let row = image.row(y);
        for (run, label) in components.row(y) {
            let (sum, min, max) = &mut sums[label as usize - 1];
            for value in &row[run.start as usize..run.end as usize] {
                let value = value.to_f64();
                *sum += value;
                *min = min.min(value);
                *max = max.max(value);
            }
        }
    }
    for (region, (sum, min, max)) in table.iter_mut().zip(sums) {
        region.intensity = Some(Intensity { mean: sum / region.area as f64, min, max });
    }
    Ok(table)
}

/// Drops the regions that `filter` does not keep from `components` and from their table, and
/// numbers the others anew from 1, in order.
///
/// # Errors
/// [`Shape`](crate::ErrorKind::Shape) when `table` is not that of `components`.
pub fn retain(components: &mut Components, table: &mut Vec<Region>, filter: &Filter) -> Result<()> {
    if table.len() != components.count() as usize {
        return Err(Error::shape(format!(
            "a table of {} regions is not that of {} components",
            table.len(),
            components.count()
        )));
    }
    let (width, height) = (components.width(), components.height());
    if table.iter().all(|region| filter.keeps(region, width, height)) {
        return Ok(());
    }
    components.retain(|label| filter.keeps(&table[label as usize - 1], width, height));
    table.retain(|region| filter.keeps(region, width, height));
    for (label, region) in (1..).zip(table) {
        region.label = label;
    }
    Ok(())
}

/// Exact sums over the pixels of a region, that of no pixels being the default.
#[derive(Clone, Default)]
struct Shape {
    area: u64,
    left: u32,
    right: u32,
    top: u32,
    bottom: u32,
    x: u64,
    y: u64,
    // With 2^32 pixels in one row the squares sum up to 2^96.
    xx: u128,
    xy: u128,
    yy: u128,
}

impl Shape {
    #[inline]
    fn add(&mut self, run: Run, y: u64) {
        if self.area == 0 {
            (self.left, self.right, self.top) = (run.start, run.end, y as u32);
        }
        let (start, end) = (u64::from(run.start), u64::from(run.end));
        let length = end - start;
        let x = (start + end - 1) * length / 2;
        self.area += length;
        self.left = self.left.min(run.start);
        self.right = self.right.max(run.end);
        self.bottom = y as u32 + 1;
        self.x += x;
        self.y += y * length;
        self.xx += squares_below(end) - squares_below(start);
        self.xy += u128::from(x) * u128::from(y);
        self.yy += u128::from(y * length) * u128::from(y);
    }

    /// Takes in the pixels of the same region in the band below.
    fn merge(&mut self, below: &Self) {
        if self.area == 0 {
            *self = below.clone();
        } else if below.area > 0 {
            self.area += below.area;
            self.left = self.left.min(below.left);
            self.right = self.right.max(below.right);
            self.bottom = below.bottom;
            self.x += below.x;
            self.y += below.y;
            self.xx += below.xx;
            self.xy += below.xy;
            self.yy += below.yy;
        }
    }

    fn region(&self, label: u32) -> Region {
        let n = self.area as f64;
        // n² times the central second moments, exact.
        let central = |square: u128, a: u64, b: u64| {
            (u128::from(self.area) * square).cast_signed() - (u128::from(a) * u128::from(b)).cast_signed()
        };
        let (xx, xy, yy) = (
            central(self.xx, self.x, self.x),
            central(self.xy, self.x, self.y),
            central(self.yy, self.y, self.y),
        );
        let variance = |moment: i128| moment as f64 / n / n;
        let middle = f64::midpoint(variance(xx), variance(yy));
        let half = variance(xx - yy) / 2.0;
        let spread = (half * half + variance(xy) * variance(xy)).sqrt();
        let (major, minor) = (middle + spread, (middle - spread).max(0.0));
        // Rows grow downwards, angles counter-clockwise.
        let angle = -0.5 * libm::atan2(2.0 * variance(xy), variance(xx - yy));
        Region {
            label,
            area: self.area,
            bbox: Rect::new(
                self.left as usize,
                self.top as usize,
                (self.right - self.left) as usize,
                (self.bottom - self.top) as usize,
            ),
            centroid: (self.x as f64 / n, self.y as f64 / n),
            equivalent_diameter: (4.0 * n / PI).sqrt(),
            axis_major_length: 4.0 * major.sqrt(),
            axis_minor_length: 4.0 * minor.sqrt(),
            eccentricity: if major == 0.0 { 0.0 } else { (1.0 - minor / major).max(0.0).sqrt() },
            // Minus zero is left of zero for atan2 only.
            orientation: if angle <= -FRAC_PI_2 { FRAC_PI_2 } else { angle + 0.0 },
            intensity: None,
        }
    }
}

/// The sum of the squares of `0..n`.
#[inline]
fn squares_below(n: u64) -> u128 {
    if n < 1 << 20 {
        u128::from(n * n.saturating_sub(1) * (2 * n).saturating_sub(1) / 6)
    } else {
        let n = u128::from(n);
        n * (n - 1) * (2 * n - 1) / 6
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::image::Plane;
    use crate::kernel::Isa;
    use crate::ops::label::{Connectivity, components};
    use crate::reference;

    fn components_of(mask: &Plane<u8>) -> Components {
        components(Isa::best(), mask.view(), Connectivity::Eight, 1, &|| false).unwrap()
    }

    fn plane(width: usize, height: usize) -> impl Strategy<Value = Plane<u8>> {
        let pixel = prop_oneof![Just(0), Just(0), any::<u8>()];
        prop::collection::vec(pixel, width * height)
            .prop_map(move |data| Plane::from_vec(width, height, data).unwrap())
    }

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-9 * (1.0 + b.abs())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn measures_are_those_of_the_definition(
            image in (0usize..24, 0usize..24).prop_flat_map(|(w, h)| plane(w, h)),
        ) {
            let components = components_of(&image);
            let labels = components.paint(1);
            let table = regions_with_intensity(&components, image.view()).unwrap();
            prop_assert_eq!(table.len(), components.count() as usize);
            for region in table {
                let truth = reference::regions::region(labels.view(), region.label, image.view());
                prop_assert_eq!(region.area, truth.area);
                prop_assert_eq!(region.bbox, truth.bbox);
                let intensity = region.intensity.unwrap();
                prop_assert_eq!((intensity.min, intensity.max), (truth.min, truth.max));
                prop_assert!(close(intensity.mean, truth.mean));
                prop_assert!(close(region.centroid.0, truth.centroid.0));
                prop_assert!(close(region.centroid.1, truth.centroid.1));
                // The axes as an ellipse: its matrix does not jump where the axes are equal.
                let (sin, cos) = region.orientation.sin_cos();
                let (a, b) = (region.axis_major_length / 4.0, region.axis_minor_length / 4.0);
                let [xx, xy, yy] = truth.covariance;
                prop_assert!(close(a * a * cos * cos + b * b * sin * sin, xx));
                prop_assert!(close(a * a * sin * sin + b * b * cos * cos, yy));
                prop_assert!(close(-(a * a - b * b) * sin * cos, xy));
                prop_assert!(a * a >= b * b && region.orientation > -FRAC_PI_2 && region.orientation <= FRAC_PI_2);
                prop_assert!((0.0..=1.0).contains(&region.eccentricity));
            }
        }

        #[test]
        fn filters_drop_from_the_picture_what_they_drop_from_the_table(
            image in plane(19, 17), min_area in 0u64..6, max_area in prop::option::of(1u64..40), clear_border: bool,
        ) {
            let filter = Filter { min_area, max_area, clear_border };
            let mut components = components_of(&image);
            let mut table = regions(&components);
            retain(&mut components, &mut table, &filter).unwrap();
            prop_assert_eq!(&regions(&components), &table);
            prop_assert!(table.iter().all(|region| filter.keeps(region, 19, 17)));
        }
    }

    #[test]
    fn bands_of_threads_measure_the_same() {
        let mask =
            Plane::from_fn(70, 900, |x, y| u8::from((x * 7 + y * 3) % 11 < 5 || (x / 9 + y / 40) % 3 == 0));
        let components = components_of(&mask);
        assert!(components.count() > 1);
        for threads in [2, 3] {
            assert_eq!(regions_by(&components, threads, &|| false).unwrap(), regions(&components));
            assert!(regions_by(&components, threads, &|| true).is_err());
        }
    }

    #[test]
    fn lines_lean_as_seen_on_the_screen() {
        let orientation = |pixels: &[(usize, usize)]| {
            let mask = Plane::from_fn(5, 5, |x, y| u8::from(pixels.contains(&(x, y))));
            regions(&components_of(&mask))[0].orientation
        };
        assert_eq!(orientation(&[(0, 2), (1, 2), (2, 2)]), 0.0);
        assert_eq!(orientation(&[(2, 0), (2, 1), (2, 2)]), FRAC_PI_2);
        assert!(close(orientation(&[(0, 2), (1, 1), (2, 0)]), PI / 4.0));
        assert!(close(orientation(&[(0, 0), (1, 1), (2, 2)]), -PI / 4.0));
        assert_eq!(orientation(&[(1, 1)]), 0.0);
    }

    #[test]
    fn sums_do_not_overflow_on_long_rows() {
        assert_eq!(squares_below(1 << 20), (1 << 20) * ((1 << 20) - 1) * ((1 << 21) - 1) / 6);
        let mut shape = Shape::default();
        shape.add(Run { start: 0, end: u32::MAX }, 0);
        let region = shape.region(1);
        assert_eq!(region.area, u64::from(u32::MAX));
        assert!(close(region.axis_major_length, 4.0 * f64::from(u32::MAX) / 12f64.sqrt()));
    }

    #[test]
    fn an_image_of_another_size_is_refused() {
        let components = components_of(&Plane::filled(3, 3, 1));
        assert!(regions_with_intensity(&components, Plane::<u8>::new(3, 2).view()).is_err());
    }
}
