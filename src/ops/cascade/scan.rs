//! The scales of a picture, the windows of a scale, and detection over all of them.

use super::eval::Baked;
use super::group::{Window, clip, group};
use super::model::Cascade;
use super::pyramid::{Integrals, Wants, resize};
use crate::image::{Rect, View};
use crate::kernel::Isa;
use crate::parallel::prelude::*;
use crate::{Error, Result};

/// Rows of windows that are scanned as one task.
const BAND: usize = 16;
/// From this scale on every window is looked at, below it every other one in both directions.
const FINE_SCALE: f32 = 2.0;
/// The longest ladder of scales.
const MAX_SCALES: usize = 4096;
/// The most pixels of a picture, so that 32 bits hold every offset into two integral images.
const MAX_PIXELS: usize = 1 << 30;

/// How to look for objects.
#[derive(Clone, Debug, PartialEq)]
pub struct Params {
    /// Ratio of one scale to the one before; above 1.
    pub scale_factor: f64,
    /// An object needs a group of more windows than this. With 0 every window is returned.
    pub min_neighbors: u32,
    /// Width and height that objects have at least, in pixels of the picture.
    pub min_size: (usize, usize),
    /// Width and height that objects have at most; the picture's size if not given.
    ///
    /// When no scale lies between the two sizes, the one closest to `min_size` is used, as in OpenCV.
    pub max_size: Option<(usize, usize)>,
    /// Distance between windows, in pixels of the picture at the scale of the training window; by default OpenCV's:
    /// 1 from twice the training window on, 2 below.
    pub step: Option<usize>,
    /// How far the edges of windows of a group may lie apart, as a share of their size.
    pub group_eps: f64,
    /// What the [`score`](Detection::score) of an object has to be at least; its
    /// [`probability`](Detection::probability) if the cascade is calibrated.
    pub min_score: Option<f64>,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            scale_factor: 1.1,
            min_neighbors: 3,
            min_size: (0, 0),
            max_size: None,
            step: None,
            group_eps: 0.2,
            min_score: None,
        }
    }
}

/// An object that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detection {
    /// Where it is, clipped to the picture.
    pub rect: Rect,
    /// How many windows agreed on it.
    pub neighbors: u32,
    /// The margins by which these windows passed the last four stages, summed.
    pub score: f64,
    /// The probability that the object is one, if the cascade is calibrated.
    pub probability: Option<f64>,
}

impl Cascade {
    /// Finds objects in a grey picture, sorted by top edge, left edge, width and height.
    ///
    /// Scales and bands of rows go to the current rayon pool; the result does not depend on it.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) for a scale factor that is not above 1, or so close to
    /// it that there were thousands of scales, for a step of 0 and for a negative `group_eps`; [`Limit`](crate::ErrorKind::Limit) for a picture of more
    /// than 2^30 pixels.
    pub fn detect(&self, picture: View<u8>, params: &Params) -> Result<Vec<Detection>> {
        self.detect_until(picture, params, Isa::best(), &|| false)
    }

    /// Groups of any number of windows, single ones too, whatever `min_neighbors` says: to see what the cascade is
    /// mistaken in.
    ///
    /// # Errors
    /// Those of [`detect`](Self::detect).
    pub fn detect_groups(&self, picture: View<u8>, params: &Params) -> Result<Vec<Detection>> {
        self.detect_larger(picture, params, Some(0), Isa::best(), &|| false)
    }

    /// The same on a given instruction set, given up as soon as `cancelled` says so; it is asked
    /// before each scale and each row of windows.
    ///
    /// # Errors
    /// Those of [`detect`](Self::detect), and [`Cancelled`](crate::ErrorKind::Cancelled).
    pub fn detect_until(
        &self,
        picture: View<u8>,
        params: &Params,
        isa: Isa,
        cancelled: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<Detection>> {
        let more_than = (params.min_neighbors > 0).then_some(params.min_neighbors);
        self.detect_larger(picture, params, more_than, isa, cancelled)
    }

    /// Groups of more windows than that; each window by itself if not given.
    fn detect_larger(
        &self,
        picture: View<u8>,
        params: &Params,
        more_than: Option<u32>,
        isa: Isa,
        cancelled: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<Detection>> {
        let size = (picture.width(), picture.height());
        if size.0.saturating_add(1).saturating_mul(size.1.saturating_add(1)) > MAX_PIXELS {
            return Err(Error::limit(format!(
                "expected a picture of at most {MAX_PIXELS} pixels, got {}x{}",
                size.0, size.1
            )));
        }
        let levels = levels((self.width(), self.height()), size, params)?;
        let windows: Vec<Vec<Window>> = levels
            .par_iter()
            .map(|level| self.scan(picture, level, isa, cancelled))
            .collect::<Result<_>>()?;
        let windows: Vec<Window> = windows.into_iter().flatten().collect();
        let groups = group(windows, more_than, params.group_eps, cancelled)?;
        let mut found: Vec<Detection> = groups.into_iter().filter_map(|g| clip(g, size.0, size.1)).collect();
        if let Some(calibration) = self.calibration() {
            for found in &mut found {
                found.probability = Some(calibration.probability(found.score));
            }
        }
        if let Some(least) = params.min_score {
            found.retain(|found| found.probability.unwrap_or(found.score) >= least);
        }
        found.sort_by_key(|d| (d.rect.y, d.rect.x, d.rect.width, d.rect.height, d.neighbors));
        Ok(found)
    }

    /// The windows of one level that pass, row by row.
    fn scan(
        &self,
        picture: View<u8>,
        level: &Level,
        isa: Isa,
        cancelled: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<Window>> {
        if cancelled() {
            return Err(Error::cancelled());
        }
        let resized = resize(picture, level.width, level.height, isa);
        let integrals = Integrals::new(resized.view(), Wants::of(self), level.step, isa);
        let baked = Baked::new(self, &integrals.layout);
        let columns = level.columns.div_ceil(level.step);
        let rows: Vec<usize> = (0..level.rows).step_by(level.step).collect();
        let bands = rows.par_chunks(BAND).map(|band| {
            let mut windows = Vec::new();
            for &y in band {
                if cancelled() {
                    return Err(Error::cancelled());
                }
                baked.verdicts(isa, &integrals, integrals.layout.at(0, y), columns, |place, score| {
                    windows.push(level.window(place * level.step, y, score));
                });
            }
            Ok(windows)
        });
        Ok(bands.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
    }
}

/// One scale of the ladder.
#[derive(Clone, Debug, PartialEq)]
struct Level {
    /// How much larger than the training window the windows are.
    scale: f32,
    /// Size of the picture at this scale.
    width: usize,
    height: usize,
    /// Distance between windows in pixels of this scale, in both directions.
    step: usize,
    /// Windows begin before this column and this row.
    columns: usize,
    rows: usize,
    /// Size of the windows in the picture as given.
    window: (usize, usize),
}

impl Level {
    fn new(scale: f32, window: (usize, usize), picture: (usize, usize), step: Option<usize>) -> Self {
        let shrink = |length: usize| (length as f32 / scale).round_ties_even() as usize;
        let (width, height) = (shrink(picture.0), shrink(picture.1));
        Self {
            scale,
            width,
            height,
            step: step.unwrap_or(if scale >= FINE_SCALE { 1 } else { 2 }),
            columns: (width + 1).saturating_sub(window.0),
            rows: (height + 1).saturating_sub(window.1),
            window: scaled(window, scale),
        }
    }

    fn window(&self, x: usize, y: usize, margin: f64) -> Window {
        let place = |at: usize| (at as f32 * self.scale).round_ties_even() as i64;
        let (width, height) = (self.window.0 as i64, self.window.1 as i64);
        Window { x: place(x), y: place(y), width, height, margin }
    }
}

fn scaled(window: (usize, usize), scale: f32) -> (usize, usize) {
    let grow = |length: usize| (length as f32 * scale).round_ties_even() as usize;
    (grow(window.0), grow(window.1))
}

/// The ladder of scales for a picture, and which windows are looked at on each.
fn levels(window: (usize, usize), picture: (usize, usize), params: &Params) -> Result<Vec<Level>> {
    if params.step == Some(0) {
        return Err(Error::pipeline("expected a step of at least 1, got 0"));
    }
    if !(params.group_eps >= 0.0 && params.group_eps.is_finite()) {
        let eps = params.group_eps;
        return Err(Error::pipeline(format!("expected a `group_eps` of 0 or more, got {eps}")));
    }
    let mut levels: Vec<Level> = scales(window, picture, params)?
        .into_iter()
        .map(|scale| Level::new(scale, window, picture, params.step))
        .collect();
    // OpenCV cuts every level into as many stripes as the first is wide, in units of 32 columns. Where
    // these come out even, they leave out the last row of an odd number of rows.
    if let Some(stripes) = levels.first().map(|level| level.columns.div_ceil(32).max(1)) {
        for level in &mut levels {
            let stripe = (level.rows / level.step).div_ceil(stripes).max(1) * level.step;
            level.rows = level.rows.min(stripes * stripe);
        }
    }
    Ok(levels)
}

fn scales(window: (usize, usize), picture: (usize, usize), params: &Params) -> Result<Vec<f32>> {
    let factor = params.scale_factor;
    if !(factor > 1.0 && factor.is_finite()) {
        return Err(Error::pipeline(format!("expected a scale factor above 1, got {factor}")));
    }
    let mut all = Vec::new();
    let mut scale = 1.0f64;
    loop {
        let grow = |length: usize| (length as f64 * scale).round_ties_even();
        if grow(window.0) > picture.0 as f64 || grow(window.1) > picture.1 as f64 {
            break;
        }
        if all.len() == MAX_SCALES {
            return Err(Error::pipeline(format!(
                "expected at most {MAX_SCALES} scales, but the scale factor {factor} gives more"
            ))
            .with_hint("use a larger scale factor, such as 1.1"));
        }
        all.push(scale as f32);
        scale *= factor;
    }
    let (min, max) = (params.min_size, params.max_size.unwrap_or(picture));
    let fitting: Vec<f32> = all
        .iter()
        .copied()
        .filter(|&scale| {
            let (width, height) = scaled(window, scale);
            width >= min.0 && height >= min.1 && width <= max.0 && height <= max.1
        })
        .collect();
    if !fitting.is_empty() {
        return Ok(fitting);
    }
    let distance = |&scale: &f32| {
        let (width, height) = scaled(window, scale);
        let square = |a: usize, b: usize| (a.abs_diff(b) as u128).pow(2);
        square(width, min.0) + square(height, min.1)
    };
    Ok(all.into_iter().min_by_key(distance).into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::image::Plane;

    const WINDOW: (usize, usize) = (20, 20);

    fn cascade() -> Cascade {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        Cascade::from_bytes(&std::fs::read(root.join("models/frontalface-alt2.xml.gz")).unwrap()).unwrap()
    }

    fn params(scale_factor: f64) -> Params {
        Params { scale_factor, ..Params::default() }
    }

    #[test]
    fn the_ladder_ends_with_the_picture() {
        assert_eq!(scales(WINDOW, (45, 100), &params(1.5)).unwrap(), [1.0, 1.5, 2.25]);
        assert_eq!(scales(WINDOW, (44, 100), &params(1.5)).unwrap(), [1.0, 1.5]);
        assert!(scales(WINDOW, (19, 100), &params(1.5)).unwrap().is_empty());
    }

    #[test]
    fn sizes_select_scales_and_the_closest_one_stands_in() {
        let with = |min_size, max_size| {
            scales(WINDOW, (100, 100), &Params { min_size, max_size, ..params(1.5) }).unwrap()
        };
        assert_eq!(with((30, 0), Some((45, 90))), [1.5, 2.25]);
        assert_eq!(with((33, 33), Some((33, 33))), [1.5]);
        assert_eq!(with((500, 500), None), [3.375]);
    }

    /// Below scale 2 windows are two pixels apart, and the stripes of OpenCV may leave out a row.
    #[test]
    fn an_odd_last_row_is_left_out_where_stripes_come_out_even() {
        let rows = |height| levels(WINDOW, (40, height), &params(3.0)).unwrap()[0].rows;
        assert_eq!(rows(20), 1);
        assert_eq!(rows(21), 2);
        assert_eq!(rows(22), 2);
        assert_eq!(rows(23), 4);
        let wide = |height| levels(WINDOW, (20 + 64, height), &params(9.0)).unwrap()[0].rows;
        assert_eq!(wide(24), 5);
        assert_eq!(wide(26), 6);
    }

    #[test]
    fn small_and_empty_pictures_hold_nothing() {
        for (width, height) in [(0, 0), (0, 50), (50, 0), (1, 1), (19, 50), (20, 20), (23, 29)] {
            let picture = Plane::filled(width, height, 128u8);
            assert_eq!(cascade().detect(picture.view(), &Params::default()).unwrap(), []);
        }
    }

    #[test]
    fn bad_scale_factors_are_refused() {
        let picture = Plane::<u8>::new(64, 64);
        for factor in [1.0, 0.5, -2.0, f64::NAN, f64::INFINITY, 1.000_000_1] {
            let error = cascade().detect(picture.view(), &params(factor)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Pipeline, "{factor}");
        }
    }

    #[test]
    fn detection_can_be_cancelled() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        let picture = Plane::from_fn(64, 64, |x, y| (x * 5 + y * 3) as u8);
        let asked = AtomicUsize::new(0);
        let cancelled = || asked.fetch_add(1, Ordering::Relaxed) > 10;
        let error = cascade()
            .detect_until(picture.view(), &Params::default(), Isa::PORTABLE, &cancelled)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
    }
}
