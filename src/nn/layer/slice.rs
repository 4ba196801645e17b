//! A part of an axis.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::gather::{Axis, Gather, Place};
use super::{Kind, Layer, Rng, Shape, Spec, one};
use crate::{Error, Result};

/// `count` places of one axis, from `start` on, `step` apart; a negative step runs backwards.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Slice {
    /// The axis of a sample: 0 is that of the channels.
    #[serde(default)]
    pub axis: usize,
    /// The first place.
    pub start: usize,
    /// Number of places.
    #[schemars(range(min = 1))]
    pub count: usize,
    /// Distance of neighbouring places, not 0.
    #[serde(default = "forward")]
    pub step: i64,
}

fn forward() -> i64 {
    1
}

/// The kind `slice`.
pub(super) const KIND: Kind = Kind {
    name: "slice",
    summary: "A part of one axis.",
    example: "use = \"slice\"\nstart = 1\ncount = 1\n",
    parse: super::parse::<Slice>,
    schema: super::schema::<Slice>,
};

impl Slice {
    /// Whether all places lie within an axis of this length.
    fn check(self, len: usize) -> Result<()> {
        // Within the axis both ends are, so that everything between them is, too.
        let last = i64::try_from(self.count)
            .ok()
            .and_then(|count| (count - 1).checked_mul(self.step))
            .and_then(|way| way.checked_add(i64::try_from(self.start).ok()?));
        let is_within = last.is_some_and(|last| usize::try_from(last).is_ok_and(|last| last < len));
        if self.count == 0 || self.step == 0 || self.start >= len || !is_within {
            return Err(Error::shape(format!(
                "expected places within an axis of {len}, got {} from {} on in steps of {}",
                self.count, self.start, self.step
            )));
        }
        Ok(())
    }
}

impl Spec for Slice {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let input = one(inputs)?;
        let mut lengths = input.to_vec();
        let Some(len) = lengths.get_mut(self.axis) else {
            return Err(Error::shape(format!("expected an input with an axis {}, got {input}", self.axis)));
        };
        self.check(*len)?;
        *len = self.count;
        Shape::new(&lengths)
    }

    fn build(&self, _name: &str, inputs: &[Shape], _rng: Rng) -> Result<Box<dyn Layer>> {
        self.output(inputs)?;
        let input = *one(inputs)?;
        let axis = |(along, &len): (usize, &usize)| match along == self.axis {
            true => Axis { along, len: self.count, place: Place::Steps(self.start, self.step) },
            false => Axis { along, len, place: Place::Same },
        };
        let axes = input.iter().enumerate().map(axis).collect();
        Ok(Box::new(Gather { input, axes, fill: 0.0 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_must_lie_within_the_axis() {
        let of = |start, count, step| Slice { axis: 0, start, count, step }.check(5);
        assert!(of(4, 3, -2).is_ok() && of(0, 5, 1).is_ok());
        for (start, count, step) in
            [(0, 6, 1), (5, 1, 1), (1, 3, -1), (0, 0, 1), (0, 2, 0), (1, usize::MAX, 9)]
        {
            assert!(of(start, count, step).is_err(), "{start} {count} {step}");
        }
        assert!(Slice { axis: 1, start: 0, count: 1, step: 1 }.output(&[Shape::new(&[5]).unwrap()]).is_err());
    }
}
