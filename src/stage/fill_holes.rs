//! The stage `fill-holes`.

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

/// Fills the holes of a mask: background that does not hang together with the edge of the image.
///
/// Equal to SciPy's `binary_fill_holes` with the default of 8 neighbours, which leaves the background 4.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct FillHoles {
    /// Holes of more pixels stay open.
    pub max_area: Option<u64>,
    /// Neighbours of a pixel: 4, or 8 with the diagonal ones.
    pub connectivity: u32,
}

impl Default for FillHoles {
    fn default() -> Self {
        Self { max_area: None, connectivity: 8 }
    }
}

/// See [`FillHoles`].
pub const KIND: Kind = Kind::new::<FillHoles>(
    "fill-holes",
    Family::Segmentation,
    &[Port::new("mask", &[types::MASK])],
    "use = \"fill-holes\"",
);

impl Stage for FillHoles {
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

struct Step(FillHoles);

impl Whole for Step {
    fn name(&self) -> &'static str {
        "fill-holes"
    }

    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let [Value::Image(value)] = inputs else { return Err(Error::shape("expected a mask")) };
        let mask = value.image.as_gray8()?.view();
        let connectivity = Connectivity::with_neighbours(self.0.connectivity).unwrap_or_default();
        let mask = holes::fill_holes(mask, connectivity, self.0.max_area, cx)?;
        outputs.push(Value::Image(ImageValue { image: cx.share(Image::Mask(mask)), map: value.map }));
        Ok(())
    }
}
