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
}

impl Default for Augment {
    fn default() -> Self {
        Self { shift: 2.0, rotate: 10.0, scale: 0.1 }
    }
}

impl Augment {
    /// Checks the ranges.
    pub(super) fn check(&self) -> Result<()> {
        let Self { shift, rotate, scale } = *self;
        if (0.0..1e4).contains(&shift) && (0.0..=180.0).contains(&rotate) && (0.0..1.0).contains(&scale) {
            return Ok(());
        }
        Err(Error::pipeline(format!(
            "`augment` wants `shift` from 0, `rotate` from 0 to 180 and `scale` from 0 to below 1, got {shift}, {rotate} \
             and {scale}"
        )))
    }

    /// The picture moved about its centre, bilinearly; what comes from outside is 0. `picture` and
    /// `moved` are `channels x height x width`.
    pub(super) fn apply(&self, rng: Rng, [height, width]: [usize; 2], picture: &[f32], moved: &mut [f32]) {
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
        let still = Augment { shift: 0.0, rotate: 0.0, scale: 0.0 };
        assert_eq!(moved(still, Rng::new(1)), picture);
        let first = moved(Augment::default(), Rng::new(1));
        assert_eq!(first, moved(Augment::default(), Rng::new(1)));
        assert_ne!(first, moved(Augment::default(), Rng::new(2)));
    }

    #[test]
    fn a_half_turn_turns() {
        let picture: Vec<f32> = (0..12).map(|i| i as f32).collect();
        let mut moved = vec![0.0; 12];
        let turn = Augment { shift: 0.0, rotate: 180.0, scale: 0.0 };
        // Some stream whose angle is near 180 degrees.
        let rng = (0..100_000).map(Rng::new).find(|rng| rng.uniform(0) < 1e-5).unwrap();
        turn.apply(rng, [3, 4], &picture, &mut moved);
        for (i, value) in moved.iter().enumerate() {
            assert!((value - (11 - i) as f32).abs() < 0.01, "{i}: {value}");
        }
    }
}
