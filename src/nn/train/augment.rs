//! Random shifts, turns and sizes of training pictures.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::nn::Rng;
use crate::{Error, Result};

/// How far a training picture may be moved. Each sample of each epoch gets one random move.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Augment {
    /// Most shift along each axis, in pixels.
    pub shift: f32,
    /// Most turn either way, in degrees.
    pub rotate: f32,
    /// Most change of size, as a share: 0.1 is from 0.9 to 1.1.
    pub scale: f32,
    /// Whether every other picture is mirrored left to right.
    pub flip: bool,
    /// Most change of brightness, in parts of the range 0..1.
    pub brightness: f32,
    /// Most change of contrast about the middle gray, as a share.
    pub contrast: f32,
    /// Side of a square that is covered with 0, in pixels (DeVries and Taylor, 2017), or 0 for none.
    pub cutout: usize,
}

impl Default for Augment {
    fn default() -> Self {
        Self { shift: 2.0, rotate: 10.0, scale: 0.1, flip: false, brightness: 0.0, contrast: 0.0, cutout: 0 }
    }
}

impl Augment {
    /// Checks the ranges.
    pub(super) fn check(&self) -> Result<()> {
        let Self { shift, rotate, scale, brightness, contrast, .. } = *self;
        if !((0.0..=1.0).contains(&brightness) && (0.0..1.0).contains(&contrast)) {
            return Err(Error::pipeline(format!(
                "`augment` wants `brightness` from 0 to 1 and `contrast` from 0 to below 1, got {brightness} and {contrast}"
            )));
        }
        if (0.0..1e4).contains(&shift) && (0.0..=180.0).contains(&rotate) && (0.0..1.0).contains(&scale) {
            return Ok(());
        }
        Err(Error::pipeline(format!(
            "`augment` wants `shift` from 0, `rotate` from 0 to 180 and `scale` from 0 to below 1, got {shift}, {rotate} \
             and {scale}"
        )))
    }

    /// The picture moved about its centre, bilinearly, mirrored, lit and covered; what comes from
    /// outside is 0. `picture` and `moved` are `channels x height x width`.
    pub(super) fn apply(&self, rng: Rng, [height, width]: [usize; 2], picture: &[f32], moved: &mut [f32]) {
        if self.shift > 0.0 || self.rotate > 0.0 || self.scale > 0.0 {
            self.place(rng, [height, width], picture, moved);
        } else {
            moved.copy_from_slice(picture);
        }
        if self.flip && rng.uniform(4) < 0.5 {
            moved.chunks_exact_mut(width.max(1)).for_each(<[f32]>::reverse);
        }
        if self.brightness > 0.0 || self.contrast > 0.0 {
            let more = rng.between(5, -self.brightness, self.brightness);
            let factor = rng.between(6, 1.0 - self.contrast, 1.0 + self.contrast);
            for value in &mut *moved {
                *value = ((*value - 0.5) * factor + 0.5 + more).clamp(0.0, 1.0);
            }
        }
        if self.cutout > 0 && height * width > 0 {
            // The centre lies anywhere, so that a square may lie partly outside.
            let centre = [rng.below(7, height), rng.below(8, width)];
            let covered = |axis: usize, len: usize| {
                let start = (centre[axis] + self.cutout.div_ceil(2)).saturating_sub(self.cutout);
                start..(centre[axis] + self.cutout.div_ceil(2)).min(len)
            };
            for plane in moved.chunks_exact_mut(height * width) {
                for y in covered(0, height) {
                    plane[y * width..][covered(1, width)].fill(0.0);
                }
            }
        }
    }

    /// The picture moved about its centre.
    fn place(&self, rng: Rng, [height, width]: [usize; 2], picture: &[f32], moved: &mut [f32]) {
        let angle = f64::from(rng.between(0, -self.rotate, self.rotate)).to_radians();
        let size = f64::from(rng.between(1, 1.0 - self.scale, 1.0 + self.scale));
        let (cos, sin) = ((libm::cos(angle) / size) as f32, (libm::sin(angle) / size) as f32);
        let shift = [rng.between(2, -self.shift, self.shift), rng.between(3, -self.shift, self.shift)];
        let (middle_y, middle_x) = ((height as f32 - 1.0) / 2.0, (width as f32 - 1.0) / 2.0);
        let area = height * width;
        for y in 0..height {
            for x in 0..width {
                let (v, u) = (y as f32 - middle_y - shift[0], x as f32 - middle_x - shift[1]);
                let (from_y, from_x) = (middle_y + sin * u + cos * v, middle_x + cos * u - sin * v);
                let (top, left) = (from_y.floor(), from_x.floor());
                let (down, right) = (from_y - top, from_x - left);
                for (moved, picture) in moved.chunks_exact_mut(area).zip(picture.chunks_exact(area)) {
                    let at = |row: f32, column: f32| {
                        let inside =
                            (0.0..height as f32).contains(&row) && (0.0..width as f32).contains(&column);
                        if inside { picture[row as usize * width + column as usize] } else { 0.0 }
                    };
                    let above = at(top, left) * (1.0 - right) + at(top, left + 1.0) * right;
                    let below = at(top + 1.0, left) * (1.0 - right) + at(top + 1.0, left + 1.0) * right;
                    moved[y * width + x] = above * (1.0 - down) + below * down;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_move_is_the_picture_and_a_move_depends_on_the_stream() {
        let picture: Vec<f32> = (0..60).map(|i| ((i * 37) % 11) as f32).collect();
        let moved = |augment: Augment, rng| {
            let mut moved = vec![9.0; 60];
            augment.apply(rng, [5, 6], &picture, &mut moved);
            moved
        };
        let still = Augment { shift: 0.0, rotate: 0.0, scale: 0.0, ..Augment::default() };
        assert_eq!(moved(still, Rng::new(1)), picture);
        let first = moved(Augment::default(), Rng::new(1));
        assert_eq!(first, moved(Augment::default(), Rng::new(1)));
        assert_ne!(first, moved(Augment::default(), Rng::new(2)));
    }

    #[test]
    fn pictures_are_mirrored_lit_and_covered() {
        let picture: Vec<f32> = (0..60).map(|i| (i + 1) as f32 / 100.0).collect();
        let still = Augment { shift: 0.0, rotate: 0.0, scale: 0.0, ..Augment::default() };
        let of = |augment: Augment, seed: u64| {
            let mut changed = vec![9.0; 60];
            augment.apply(Rng::new(seed), [5, 6], &picture, &mut changed);
            changed
        };
        let mirrored: Vec<f32> = picture.chunks(6).flat_map(|row| row.iter().rev().copied()).collect();
        let flipped = (0..100).filter(|&seed| of(Augment { flip: true, ..still }, seed) == mirrored).count();
        assert!((35..65).contains(&flipped), "{flipped}");
        for seed in 0..20 {
            let lit = of(Augment { brightness: 0.2, ..still }, seed);
            let more = lit[30] - picture[30];
            assert!(more.abs() <= 0.2 && (lit[40] - picture[40] - more).abs() < 1e-6);
            let covered = of(Augment { cutout: 3, ..still }, seed);
            let count = covered[..30].iter().filter(|&&value| value == 0.0).count();
            assert!((4..=9).contains(&count), "{count}");
            assert_eq!(count, covered[30..].iter().filter(|&&value| value == 0.0).count());
        }
        assert!(Augment { contrast: 1.0, ..still }.check().is_err());
    }

    #[test]
    fn a_half_turn_turns() {
        let picture: Vec<f32> = (0..12).map(|i| i as f32).collect();
        let mut moved = vec![0.0; 12];
        let turn = Augment { shift: 0.0, rotate: 180.0, scale: 0.0, ..Augment::default() };
        // Some stream whose angle is near 180 degrees.
        let rng = (0..100_000).map(Rng::new).find(|rng| rng.uniform(0) < 1e-5).unwrap();
        turn.apply(rng, [3, 4], &picture, &mut moved);
        for (i, value) in moved.iter().enumerate() {
            assert!((value - (11 - i) as f32).abs() < 0.01, "{i}: {value}");
        }
    }
}
