//! Random shifts, turns and sizes of training pictures.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::nn::Rng;
use crate::nn::loss::IGNORED;
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
    /// Room of 0 around the picture, in pixels, out of which a window of the picture's size is cut at random
    /// (Lee et al., 2015).
    pub crop: usize,
    /// Whether every other picture is mirrored left to right.
    pub flip: bool,
    /// Most change of brightness, in parts of the range 0..1.
    pub brightness: f32,
    /// Most change of contrast about the middle gray, as a share.
    pub contrast: f32,
    /// Most change of saturation of pictures with three channels, as a share: 1 is from gray to twice as far from it.
    pub saturation: f32,
    /// Most turn of the hue of pictures with three channels either way, in degrees.
    pub hue: f32,
    /// Side of a square that is covered with 0, in pixels (DeVries and Taylor, 2017), or 0 for none.
    pub cutout: usize,
}

impl Default for Augment {
    fn default() -> Self {
        Self {
            shift: 2.0,
            rotate: 10.0,
            scale: 0.1,
            crop: 0,
            flip: false,
            brightness: 0.0,
            contrast: 0.0,
            saturation: 0.0,
            hue: 0.0,
            cutout: 0,
        }
    }
}

impl Augment {
    /// Checks the ranges.
    pub(super) fn check(&self) -> Result<()> {
        let Self { shift, rotate, scale, brightness, contrast, saturation, hue, .. } = *self;
        if !((0.0..=1.0).contains(&saturation) && (0.0..=180.0).contains(&hue)) {
            return Err(Error::pipeline(format!(
                "`augment` wants `saturation` from 0 to 1 and `hue` from 0 to 180, got {saturation} and {hue}"
            )));
        }
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
        if self.crop > 0 {
            self.cut(rng, [height, width], moved);
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
        if (self.saturation > 0.0 || self.hue > 0.0) && moved.len() == 3 * height * width {
            self.tint(rng, moved);
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

    /// The class of each pixel of a mask moved as [`apply`](Self::apply) moves its picture, each from the nearest pixel;
    /// ignored where it comes from outside. Light and covering leave it as it is.
    pub(super) fn apply_to_mask(
        &self,
        rng: Rng,
        [height, width]: [usize; 2],
        mask: &[usize],
        moved: &mut [usize],
    ) {
        moved.copy_from_slice(mask);
        if self.shift > 0.0 || self.rotate > 0.0 || self.scale > 0.0 {
            let from = self.way(rng, [height, width]);
            for (at, label) in moved.iter_mut().enumerate() {
                let place = from(at / width, at % width).map(|place| (place + 0.5).floor());
                let inside =
                    (0.0..height as f32).contains(&place[0]) && (0.0..width as f32).contains(&place[1]);
                *label = if inside { mask[place[0] as usize * width + place[1] as usize] } else { IGNORED };
            }
        }
        if self.crop > 0 {
            let whole = moved.to_vec();
            let [down, right] = self.corner(rng);
            for (at, label) in moved.iter_mut().enumerate() {
                let from =
                    [(at / width + down).checked_sub(self.crop), (at % width + right).checked_sub(self.crop)];
                *label = match from {
                    [Some(y), Some(x)] if y < height && x < width => whole[y * width + x],
                    _ => IGNORED,
                };
            }
        }
        if self.flip && rng.uniform(4) < 0.5 {
            moved.chunks_exact_mut(width.max(1)).for_each(<[usize]>::reverse);
        }
    }

    /// The corner of the window that `crop` cuts out.
    fn corner(&self, rng: Rng) -> [usize; 2] {
        [rng.below(9, 2 * self.crop + 1), rng.below(10, 2 * self.crop + 1)]
    }

    /// A window of the picture with 0 around it: the picture shifted by whole pixels.
    fn cut(&self, rng: Rng, [height, width]: [usize; 2], moved: &mut [f32]) {
        let [down, right] = self.corner(rng);
        for plane in moved.chunks_exact_mut((height * width).max(1)) {
            let whole = plane.to_vec();
            for (y, row) in plane.chunks_exact_mut(width).enumerate() {
                for (x, value) in row.iter_mut().enumerate() {
                    let from = [(y + down).checked_sub(self.crop), (x + right).checked_sub(self.crop)];
                    *value = match from {
                        [Some(y), Some(x)] if y < height && x < width => whole[y * width + x],
                        _ => 0.0,
                    };
                }
            }
        }
    }

    /// Red, green and blue turned about the gray axis by an angle and moved from or towards their gray, which is the
    /// mean of the three and stays.
    fn tint(&self, rng: Rng, moved: &mut [f32]) {
        let angle = f64::from(rng.between(11, -self.hue, self.hue)).to_radians();
        let factor = rng.between(12, 1.0 - self.saturation, 1.0 + self.saturation);
        let (cos, sin) = (libm::cos(angle) as f32, libm::sin(angle) as f32);
        // A third of the root of 3: the turn about (1, 1, 1) by Rodrigues' formula.
        let cross = sin * 0.577_350_26;
        let area = moved.len() / 3;
        let (red, rest) = moved.split_at_mut(area);
        let (green, blue) = rest.split_at_mut(area);
        for ((red, green), blue) in red.iter_mut().zip(green).zip(blue) {
            let gray = (*red + *green + *blue) / 3.0;
            let [r, g, b] = [*red - gray, *green - gray, *blue - gray];
            let turned = [cos * r + cross * (b - g), cos * g + cross * (r - b), cos * b + cross * (g - r)];
            [*red, *green, *blue] = turned.map(|value| (gray + factor * value).clamp(0.0, 1.0));
        }
    }

    /// Where in the picture a row and column of the moved one come from.
    fn way(&self, rng: Rng, [height, width]: [usize; 2]) -> impl Fn(usize, usize) -> [f32; 2] {
        let angle = f64::from(rng.between(0, -self.rotate, self.rotate)).to_radians();
        let size = f64::from(rng.between(1, 1.0 - self.scale, 1.0 + self.scale));
        let (cos, sin) = ((libm::cos(angle) / size) as f32, (libm::sin(angle) / size) as f32);
        let shift = [rng.between(2, -self.shift, self.shift), rng.between(3, -self.shift, self.shift)];
        let (middle_y, middle_x) = ((height as f32 - 1.0) / 2.0, (width as f32 - 1.0) / 2.0);
        move |y, x| {
            let (v, u) = (y as f32 - middle_y - shift[0], x as f32 - middle_x - shift[1]);
            [middle_y + sin * u + cos * v, middle_x + cos * u - sin * v]
        }
    }

    /// The picture moved about its centre.
    fn place(&self, rng: Rng, [height, width]: [usize; 2], picture: &[f32], moved: &mut [f32]) {
        let (area, from) = (height * width, self.way(rng, [height, width]));
        for y in 0..height {
            for x in 0..width {
                let [from_y, from_x] = from(y, x);
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
    fn a_mask_moves_with_its_picture() {
        // A bright disc, and its mask; the picture is only smoothed at the rim, and dark outside.
        let of = |at: usize| {
            usize::from((at as f32 / 24.0 - 10.0).powi(2) + (at as f32 % 24.0 - 14.0).powi(2) < 40.0)
        };
        let mask: Vec<usize> = (0..24 * 24).map(of).collect();
        let picture: Vec<f32> = mask.iter().map(|&label| 1.0 + label as f32).collect();
        let all =
            Augment { shift: 4.0, rotate: 180.0, scale: 0.2, crop: 3, flip: true, ..Augment::default() };
        for seed in 0..30 {
            let (mut moved, mut labels) = (vec![9.0; 576], vec![9; 576]);
            all.apply(Rng::new(seed), [24, 24], &picture, &mut moved);
            all.apply_to_mask(Rng::new(seed), [24, 24], &mask, &mut labels);
            let disagree = |(value, label): &(&f32, &usize)| match **label {
                IGNORED => **value > 1.5,
                0 => !(0.2..1.6).contains(*value),
                _ => **value < 1.4,
            };
            let wrong = moved.iter().zip(&labels).filter(disagree).count();
            assert!(wrong <= 12, "{wrong} of 576 with seed {seed}");
            assert!(labels.contains(&1) && labels.contains(&0));
        }
        let still =
            Augment { shift: 0.0, rotate: 0.0, scale: 0.0, brightness: 0.5, cutout: 5, ..Augment::default() };
        let mut labels = vec![9; 576];
        still.apply_to_mask(Rng::new(1), [24, 24], &mask, &mut labels);
        assert_eq!(labels, mask);
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
    fn windows_are_cut_out_of_the_padded_picture() {
        let picture: Vec<f32> = (1..=30).map(|i| i as f32).collect();
        let still = Augment { shift: 0.0, rotate: 0.0, scale: 0.0, crop: 2, ..Augment::default() };
        let mut found = std::collections::BTreeSet::new();
        for seed in 0..300 {
            let mut moved = vec![9.0; 30];
            still.apply(Rng::new(seed), [5, 6], &picture, &mut moved);
            // The pixel in the middle tells the shift; all others must agree with it.
            let middle = moved[2 * 6 + 2] as i64 - 1;
            let (down, right) = (middle / 6 - 2, middle % 6 - 2);
            for (at, value) in moved.iter().enumerate() {
                let (y, x) = (at as i64 / 6 + down, at as i64 % 6 + right);
                let inside = (0..5).contains(&y) && (0..6).contains(&x);
                assert_eq!(*value, if inside { (y * 6 + x + 1) as f32 } else { 0.0 });
            }
            found.insert((down, right));
        }
        assert_eq!(found.len(), 25, "every window comes");
    }

    #[test]
    fn colours_turn_about_gray_and_gray_stays() {
        let still = Augment { shift: 0.0, rotate: 0.0, scale: 0.0, ..Augment::default() };
        let of = |augment: Augment, seed: u64, picture: &[f32]| {
            let mut changed = vec![9.0; picture.len()];
            augment.apply(Rng::new(seed), [1, 2], picture, &mut changed);
            changed
        };
        // A colour and a gray: red, green, blue by planes.
        let picture = [0.6, 0.3, 0.4, 0.3, 0.2, 0.3];
        for seed in 0..20 {
            let turned = of(Augment { hue: 40.0, ..still }, seed, &picture);
            assert!([1, 3, 5].iter().all(|&at| (turned[at] - 0.3).abs() < 1e-6), "{turned:?}");
            let square = |values: &[f32]| [0, 2, 4].iter().map(|&at| (values[at] - 0.4).powi(2)).sum::<f32>();
            let gray = (turned[0] + turned[2] + turned[4]) / 3.0;
            assert!((gray - 0.4).abs() < 1e-6 && (square(&turned) - square(&picture)).abs() < 1e-6);
            let pale = of(Augment { saturation: 0.9, ..still }, seed, &picture);
            let factor = (pale[0] - 0.4) / 0.2;
            assert!((0.1..=1.9).contains(&factor) && (pale[4] - 0.4 + 0.2 * factor).abs() < 1e-5);
            // One channel has no colour.
            assert_eq!(of(Augment { hue: 40.0, ..still }, seed, &picture[..2]), picture[..2]);
        }
        // A third of a turn makes of red green.
        let rng = (0..100_000).map(Rng::new).find(|rng| (rng.uniform(11) - 5.0 / 6.0).abs() < 1e-5).unwrap();
        let mut moved = [0.6, 0.3, 0.3];
        Augment { hue: 180.0, ..still }.tint(rng, &mut moved);
        assert!((moved[1] - 0.6).abs() < 1e-3 && (moved[0] - 0.3).abs() < 1e-3, "{moved:?}");
        assert!(Augment { hue: 181.0, ..still }.check().is_err());
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
