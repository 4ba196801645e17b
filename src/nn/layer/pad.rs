//! Padding as a layer of its own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::gather::{Axis, Gather, Place};
use super::{Kind, Layer, Rng, Shape, Spec, one};
use crate::{Error, Result};

/// More places before and after those of each axis.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pad {
    /// Places before each axis of a sample, that of the channels first.
    #[schemars(length(min = 1, max = 5))]
    pub before: Vec<usize>,
    /// Places after each axis.
    #[schemars(length(min = 1, max = 5))]
    pub after: Vec<usize>,
    /// What stands there.
    #[serde(default)]
    pub mode: PadMode,
    /// The number of the mode `constant`.
    #[serde(default)]
    pub value: f32,
}

/// What stands in a padding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PadMode {
    /// One number.
    #[default]
    Constant,
    /// The values mirrored about the outermost one, which is not repeated.
    Reflect,
    /// The outermost value.
    Edge,
}

/// The kind `pad`.
pub(super) const KIND: Kind = Kind {
    name: "pad",
    summary: "More places around a sample, with a number or with what lies near them.",
    example: "use = \"pad\"\nbefore = [0, 1, 1]\nafter = [0, 1, 1]\nmode = \"reflect\"\n",
    parse: super::parse::<Pad>,
    schema: super::schema::<Pad>,
};

/// The most places on one side of an axis.
const MOST: usize = 1 << 16;

impl Spec for Pad {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let input = one(inputs)?;
        let (before, after) = (&self.before, &self.after);
        if before.len() != input.len() || after.len() != input.len() {
            return Err(Error::shape(format!(
                "expected a number for each axis of {input} in `before` and `after`, got {before:?} and {after:?}"
            )));
        }
        if before.iter().chain(after).any(|&count| count > MOST) {
            return Err(Error::limit(format!(
                "expected at most {MOST} places on a side, got {before:?}, {after:?}"
            )));
        }
        for ((&len, &before), &after) in input.iter().zip(before).zip(after) {
            let wanted = match self.mode {
                _ if before + after == 0 => 0,
                PadMode::Constant => 0,
                PadMode::Edge => 1,
                PadMode::Reflect => before.max(after) + 1,
            };
            if len < wanted {
                return Err(Error::shape(format!(
                    "expected an axis of {wanted} or more for {before} and {after} places, got {len}"
                )));
            }
        }
        let lengths = input.iter().zip(before).zip(after).map(|((len, before), after)| len + before + after);
        Shape::new(&lengths.collect::<Vec<_>>())
    }

    fn build(&self, _name: &str, inputs: &[Shape], _rng: Rng) -> Result<Box<dyn Layer>> {
        self.output(inputs)?;
        let input = *one(inputs)?;
        let axis = |(along, &len): (usize, &usize)| {
            let (before, after) = (self.before[along], self.after[along]);
            Axis { along, len: before + len + after, place: Place::After(before, len, self.mode) }
        };
        let axes = input.iter().enumerate().map(axis).collect();
        Ok(Box::new(Gather { input, axes, fill: self.value }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reflection_wants_what_it_reflects() {
        let pad = |mode, before| Pad { before: vec![before], after: vec![0], mode, value: 0.0 };
        let input = [Shape::new(&[3]).unwrap()];
        assert!(pad(PadMode::Reflect, 2).output(&input).is_ok());
        assert!(pad(PadMode::Reflect, 3).output(&input).is_err());
        assert!(pad(PadMode::Constant, MOST + 1).output(&input).is_err());
        assert!(pad(PadMode::Edge, 1).output(&[Shape::new(&[0]).unwrap()]).is_err());
        assert!(pad(PadMode::Edge, 1).output(&[Shape::new(&[3, 3]).unwrap()]).is_err());
    }
}
