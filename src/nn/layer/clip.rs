//! Bounds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Grads, Kind, Layer, Mode, Rng, Saved, Shape, Spec, Tensor, map, map_backward, one};
use crate::{Error, Result};

/// Values held between two bounds; 0 and 6 make the rectifier of MobileNet (Howard et al., 2017). At a
/// bound and past it the gradient is 0. NaN stays.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Clip {
    /// The least value, if there is one.
    pub min: Option<f32>,
    /// The largest value, if there is one.
    pub max: Option<f32>,
}

/// The kind `clip`.
pub(super) const KIND: Kind = Kind {
    name: "clip",
    summary: "Values held between two bounds.",
    example: "use = \"clip\"\nmin = 0.0\nmax = 6.0\n",
    parse: super::parse::<Clip>,
    schema: super::schema::<Clip>,
};

impl Clip {
    /// The bounds, wide open where none is given.
    fn bounds(self) -> [f32; 2] {
        [self.min.unwrap_or(f32::NEG_INFINITY), self.max.unwrap_or(f32::INFINITY)]
    }
}

impl Spec for Clip {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let [min, max] = self.bounds();
        if min.is_nan() || max.is_nan() || min > max {
            return Err(Error::pipeline(format!("`min` must not be above `max`, got {min} and {max}")));
        }
        one(inputs).copied()
    }

    fn build(&self, _name: &str, inputs: &[Shape], _rng: Rng) -> Result<Box<dyn Layer>> {
        self.output(inputs)?;
        Ok(Box::new(Built { bounds: self.bounds() }))
    }
}

#[derive(Debug)]
struct Built {
    bounds: [f32; 2],
}

impl Layer for Built {
    fn forward(&self, inputs: &[&Tensor], mode: &Mode) -> Result<(Tensor, Saved)> {
        map(inputs, mode, |x| x.clamp(self.bounds[0], self.bounds[1]))
    }

    fn backward(&self, saved: &Saved, dy: &Tensor, _grads: &mut Grads, need_dx: bool) -> Result<Vec<Tensor>> {
        let [min, max] = self.bounds;
        map_backward(saved, dy, need_dx, |y| if y > min && y < max { 1.0 } else { 0.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_must_be_in_order() {
        let input = [Shape::new(&[3]).unwrap()];
        assert!(Clip { min: Some(1.0), max: Some(0.0) }.output(&input).is_err());
        assert!(Clip { min: Some(f32::NAN), max: None }.output(&input).is_err());
        assert!(Clip { min: None, max: Some(0.0) }.output(&input).is_ok());
    }
}
