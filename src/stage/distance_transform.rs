//! The stage `distance-transform`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Family, ImageValue, Kind, Lowering, Meta, Output, Port, PortType, Stage, Value, ValueId, Whole, types,
};
use crate::image::{Image, ImageType};
use crate::ops::row::Shape;
use crate::ops::{Context, distance};
use crate::{Error, Result};

/// The Euclidean distance of each pixel of a mask from the nearest background pixel, in pixels, exact.
///
/// Equal to SciPy's `distance_transform_edt`. What lies beyond the edge does not count; a mask without
/// background is infinitely far from any.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct DistanceTransform {}

/// See [`DistanceTransform`].
pub const KIND: Kind = Kind::new::<DistanceTransform>(
    "distance-transform",
    Family::Segmentation,
    &[Port::new("mask", &[types::MASK])],
    "use = \"distance-transform\"",
);

impl Stage for DistanceTransform {
    fn outputs(&self, _inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("image", types::GRAY_F32)])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let shape = Shape { ty: ImageType::GrayF32, ..graph.shape(inputs[0])? };
        let outputs = vec![Meta::Image { shape, map: graph.map(inputs[0]) }];
        Ok(graph.whole(Arc::new(Step), inputs, outputs))
    }
}

struct Step;

impl Whole for Step {
    fn name(&self) -> &'static str {
        "distance-transform"
    }

    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let [Value::Image(value)] = inputs else { return Err(Error::shape("expected a mask")) };
        let mask = value.image.as_gray8()?.view();
        let distances = distance::distance_transform(mask, cx)?;
        let image = cx.share(Image::GrayF32(distances));
        outputs.push(Value::Image(ImageValue { image, map: value.map }));
        Ok(())
    }
}
