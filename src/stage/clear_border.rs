//! The stage `clear-border`.

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

/// Takes connected components that touch the edge of the image out of a mask: scikit-image's `clear_border`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ClearBorder {
    /// Pixels from the edge within which a component counts as touching it.
    pub margin: u32,
    /// Neighbours of a pixel: 4, or 8 with the diagonal ones.
    pub connectivity: u32,
}

impl Default for ClearBorder {
    fn default() -> Self {
        Self { margin: 0, connectivity: 8 }
    }
}

/// See [`ClearBorder`].
pub const KIND: Kind = Kind::new::<ClearBorder>(
    "clear-border",
    Family::Segmentation,
    &[Port::new("mask", &[types::MASK])],
    "use = \"clear-border\"",
);

impl Stage for ClearBorder {
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

struct Step(ClearBorder);

impl Whole for Step {
    fn name(&self) -> &'static str {
        "clear-border"
    }

    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let [Value::Image(value)] = inputs else { return Err(Error::shape("expected a mask")) };
        let mask = value.image.as_gray8()?.view();
        let connectivity = Connectivity::with_neighbours(self.0.connectivity).unwrap_or_default();
        let mask = holes::clear_border(mask, connectivity, self.0.margin as usize, cx)?;
        outputs.push(Value::Image(ImageValue { image: cx.share(Image::Mask(mask)), map: value.map }));
        Ok(())
    }
}
