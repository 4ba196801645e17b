//! The stage `remove-small`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Family, ImageValue, Kind, Lowering, Output, ParameterError, Port, PortType, Stage, Value, ValueId, Whole,
    types,
};
use crate::document::Resources;
use crate::image::Image;
use crate::ops::label::Connectivity;
use crate::ops::{Context, holes};
use crate::{Error, Result};

/// Takes small connected components out of a mask: scikit-image's `remove_small_objects`, with 8
/// neighbours where that has 4.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct RemoveSmall {
    /// Least area in pixels; smaller components go.
    pub min_area: u64,
    /// Neighbours of a pixel: 4, or 8 with the diagonal ones.
    pub connectivity: u32,
}

impl Default for RemoveSmall {
    fn default() -> Self {
        Self { min_area: 64, connectivity: 8 }
    }
}

/// See [`RemoveSmall`].
pub const KIND: Kind = Kind::new::<RemoveSmall>(
    "remove-small",
    Family::Segmentation,
    &[Port::new("mask", &[types::MASK])],
    "use = \"remove-small\"\nmin-area = 40",
);

impl Stage for RemoveSmall {
    fn prepare(&mut self, _resources: &Resources) -> Result<(), ParameterError> {
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
        let meta = graph.meta(inputs[0]);
        Ok(graph.whole(Arc::new(Step(self.clone())), inputs, vec![meta]))
    }
}

struct Step(RemoveSmall);

impl Whole for Step {
    fn name(&self) -> &'static str {
        "remove-small"
    }

    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let [Value::Image(value)] = inputs else { return Err(Error::shape("expected a mask")) };
        let mask = value.image.as_gray8()?.view();
        let connectivity = Connectivity::with_neighbours(self.0.connectivity).unwrap_or_default();
        let mask = holes::remove_small(mask, connectivity, self.0.min_area, cx)?;
        outputs.push(Value::Image(ImageValue { image: cx.share(Image::Mask(mask)), map: value.map }));
        Ok(())
    }
}
