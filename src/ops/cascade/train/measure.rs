//! How far windows get in a cascade, and its receiver operating characteristic.

use super::mine::{Negatives, ladder};
use super::samples::Crops;
use crate::image::View;
use crate::kernel::Isa;
use crate::ops::cascade::pyramid::resize;
use crate::ops::cascade::{Cascade, Verdict, Windows};
use crate::parallel::prelude::*;
use crate::{Error, Result};

/// Pictures searched before somebody is asked whether to go on.
const CHUNK: usize = 16;

/// How far windows get in a cascade.
#[derive(Clone, Debug, PartialEq)]
pub struct Depths {
    /// How many windows there are.
    pub windows: u64,
    /// How many pass the first stages: none, one, two, and so on to all.
    pub passed: Vec<u64>,
    /// By how much those that pass all do so at the last stage, ascending.
    pub margins: Vec<f64>,
}

/// A point of a receiver operating characteristic: both as shares from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RocPoint {
    /// The share of the windows of background that pass.
    pub false_alarm: f64,
    /// The share of the objects that pass.
    pub hit_rate: f64,
}

impl Depths {
    fn new(cascade: &Cascade) -> Self {
        Self { windows: 0, passed: vec![0; cascade.stages().len() + 1], margins: Vec::new() }
    }

    /// How far crops of the size of the cascade's window get.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) for crops of another size.
    pub fn of_crops(cascade: &Cascade, crops: &Crops) -> Result<Self> {
        let size = (crops.width(), crops.height());
        if size != (cascade.width(), cascade.height()) {
            let (width, height) = (cascade.width(), cascade.height());
            let got = format!("{}x{}", size.0, size.1);
            return Err(Error::shape(format!("expected crops of {width}x{height}, got {got}")));
        }
        let mut depths = Self::new(cascade);
        for index in 0..crops.len() {
            let plane = crops.plane(index)?;
            if let Some(verdict) = Windows::new(cascade, plane.view()).verdict(0, 0) {
                depths.count(verdict);
            }
        }
        depths.finish();
        Ok(depths)
    }

    /// How far every window of pictures gets, at every place and at scales `factor` apart. `go_on` is asked now
    /// and then.
    ///
    /// # Errors
    /// Those of reading the pictures, and [`Cancelled`](crate::ErrorKind::Cancelled).
    pub fn of_pictures(
        cascade: &Cascade,
        pictures: &dyn Negatives,
        factor: f64,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Self> {
        let mut depths = Self::new(cascade);
        let numbers: Vec<usize> = (0..pictures.len()).collect();
        for numbers in numbers.chunks(CHUNK) {
            if !go_on() {
                return Err(Error::cancelled());
            }
            let parts: Vec<Self> = numbers
                .to_vec()
                .into_par_iter()
                .map(|number| Ok(Self::of_picture(cascade, pictures.picture(number)?.view(), factor)))
                .collect::<Result<_>>()?;
            for part in parts {
                depths.windows += part.windows;
                depths.passed.iter_mut().zip(part.passed).for_each(|(sum, count)| *sum += count);
                depths.margins.extend(part.margins);
            }
        }
        depths.margins.sort_unstable_by(f64::total_cmp);
        Ok(depths)
    }

    fn of_picture(cascade: &Cascade, picture: View<u8>, factor: f64) -> Self {
        let mut depths = Self::new(cascade);
        let window = [cascade.width(), cascade.height()];
        for [wide, high] in ladder([picture.width(), picture.height()], window, factor) {
            let scaled = resize(picture, wide, high, Isa::best());
            let windows = Windows::new(cascade, scaled.view());
            for y in 0..=high - window[1] {
                for x in 0..=wide - window[0] {
                    if let Some(verdict) = windows.verdict(x, y) {
                        depths.count(verdict);
                    }
                }
            }
        }
        depths.finish();
        depths
    }

    /// Counts a window where it falls; [`finish`](Self::finish) makes sums of it.
    fn count(&mut self, verdict: Verdict) {
        self.windows += 1;
        match verdict {
            Verdict::Flat => {}
            Verdict::Rejected(stage) => self.passed[stage] += 1,
            Verdict::Accepted(margin) => {
                if let Some(last) = self.passed.last_mut() {
                    *last += 1;
                }
                self.margins.push(margin);
            }
        }
    }

    fn finish(&mut self) {
        for stage in (1..self.passed.len()).rev() {
            self.passed[stage - 1] += self.passed[stage];
        }
        self.margins.sort_unstable_by(f64::total_cmp);
    }

    /// The share of the windows that pass so many stages at the beginning.
    pub fn share(&self, stages: usize) -> f64 {
        self.passed[stages.min(self.passed.len() - 1)] as f64 / self.windows.max(1) as f64
    }

    /// The share of the windows that pass all stages, the last one by this much.
    fn share_above(&self, margin: f64) -> f64 {
        let below = self.margins.partition_point(|&m| m < margin);
        (self.margins.len() - below) as f64 / self.windows.max(1) as f64
    }
}

/// The receiver operating characteristic of a cascade, from few hits to many: first its last threshold is raised
/// until nothing passes, then stages are taken away from its end.
pub fn roc(objects: &Depths, background: &Depths) -> Vec<RocPoint> {
    let mut margins = background.margins.clone();
    margins.dedup();
    let beyond = margins.last().map_or(0.0, |last| last.next_up());
    // The last point is the cascade as it is.
    let mut points: Vec<RocPoint> = std::iter::once(beyond)
        .chain(margins.into_iter().rev())
        .chain(std::iter::once(0.0))
        .map(|margin| RocPoint {
            false_alarm: background.share_above(margin),
            hit_rate: objects.share_above(margin),
        })
        .collect();
    points.extend(
        (0..objects.passed.len() - 1).rev().map(|stages| RocPoint {
            false_alarm: background.share(stages),
            hit_rate: objects.share(stages),
        }),
    );
    points.dedup();
    points
}
