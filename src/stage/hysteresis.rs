//! The stage `hysteresis`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Family, ImageValue, Kind, Lowering, Meta, Output, ParameterError, Port, PortType, Stage, Value, ValueId,
    Whole, types,
};
use crate::document::Resources;
use crate::image::{Image, ImageType};
use crate::ops::label::Connectivity;
use crate::ops::row::Shape;
use crate::ops::{Context, hysteresis};
use crate::{Error, Result};

/// The pixels above `low` that hang together with one above `high`, as a `mask`.
///
/// Equal to scikit-image's `apply_hysteresis_threshold`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Hysteresis {
    /// Pixels above it are in where a stronger one is near, in units of the image.
    pub low: f32,
    /// Pixels above it are in by themselves, in units of the image; at least `low`.
    pub high: f32,
    /// Neighbours of a pixel: 4, or 8 with the diagonal ones.
    #[serde(default = "four")]
    pub connectivity: u32,
}

fn four() -> u32 {
    4
}

/// See [`Hysteresis`].
pub const KIND: Kind = Kind::new::<Hysteresis>(
    "hysteresis",
    Family::Segmentation,
    &[Port::new("image", types::GRAY_OR_MASK)],
    "use = \"hysteresis\"\nlow = 80\nhigh = 150",
);

impl Stage for Hysteresis {
    fn prepare(&mut self, _resources: &Resources) -> Result<(), ParameterError> {
        if self.low > self.high {
            let message = format!("wants at least `low = {}`, got `{}`", self.low, self.high);
            return Err(ParameterError::new("high", message));
        }
        match Connectivity::with_neighbours(self.connectivity) {
            Some(_) => Ok(()),
            None => {
                Err(ParameterError::new("connectivity", format!("wants 4 or 8, got `{}`", self.connectivity)))
            }
        }
    }

    fn outputs(&self, _inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("mask", types::MASK)])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let shape = graph.shape(inputs[0])?;
        let classes = graph.chain(hysteresis::nodes(shape, self.low, self.high)?, inputs[0])?;
        let connectivity = Connectivity::with_neighbours(self.connectivity).unwrap_or_default();
        let mask = Shape { ty: ImageType::Mask, ..shape };
        let outputs = vec![Meta::Image { shape: mask, map: graph.map(inputs[0]) }];
        Ok(graph.whole(Arc::new(Link(connectivity)), &[classes], outputs))
    }
}

struct Link(Connectivity);

impl Whole for Link {
    fn name(&self) -> &'static str {
        "hysteresis"
    }

    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let [Value::Image(value)] = inputs else { return Err(Error::shape("expected classes")) };
        let classes = value.image.as_gray8()?.view();
        let mask = hysteresis::hysteresis_of(classes, self.0, cx)?;
        outputs.push(Value::Image(ImageValue { image: cx.share(Image::Mask(mask)), map: value.map }));
        Ok(())
    }
}
